/*
 * json.h - JSON values (RFC 8259) in an arena; the only door to json-c.
 *
 * A value lives as long as the arena it was read or made in. NULL is JSON's null and "absent"
 * alike: Go servers write null for what is empty, so both mean the same here; json_has tells them
 * apart where it matters. 64-bit integers are exact; numbers with a fraction keep their text.
 * Object members keep their order. A tree belongs to one thread, even to read: json_member and
 * json_write leave marks in it. Hand text to another thread.
 */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct json;

enum json_kind {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,
    JSON_DOUBLE,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/*
 * Reads exactly one value and nothing behind it. Fails with ERR_INVALID on what is not strict JSON
 * in UTF-8, on a repeated member name, on a NUL in a string, on an integer past 64 bits, on a
 * number past a double's range, past LIMIT_JSON_DEPTH.
 */
MUST_CHECK bool json_read(struct sv text, struct arena *a, struct json **out, struct err *e);

/* How many bytes the values of a text take at most: an object or a list most of a kilobyte, a
 * member and whatever else some hundred, however short it is written. Who reads what others send
 * asks first. */
size_t json_memory(struct sv text);

/* Whether a text that json_write made is deeper than json_read takes: values of a request come to
 * stand deeper in what we make of them. */
bool json_is_too_deep(struct sv text);

enum json_kind json_kind(const struct json *v);
/* Members of an object, elements of an array, else 0. */
size_t json_count(const struct json *v);

/* The member or NULL; NULL too when `v` is no object. */
struct json *json_get(const struct json *v, struct sv name);
bool json_has(const struct json *v, struct sv name);
/* Follows member names separated by dots: "spec.catalogRef.name". */
struct json *json_path(const struct json *v, struct sv path);
/* The element or NULL. */
struct json *json_at(const struct json *v, size_t index);
/* The i-th member of an object; false past the end. A walk from 0 on takes one step per member. */
bool json_member(const struct json *v, size_t index, struct sv *name, struct json **value);

/* The value when it has that kind, else the fallback. */
struct sv json_str(const struct json *v, struct sv fallback);
int64_t json_i64(const struct json *v, int64_t fallback);
bool json_bool(const struct json *v, bool fallback);
/* Shorthand for the text of a member; empty when absent or no string. */
struct sv json_get_str(const struct json *v, struct sv name);

/* Deeply equal; objects regardless of the order of members. */
bool json_eq(const struct json *a, const struct json *b);

/* Building. Text is copied; a byte that is not UTF-8 and a NUL become U+FFFD, so that json_read
 * takes whatever was built. json_set and json_push take values of any arena that outlives `to`;
 * they share the value, so do not change it afterwards. Setting NULL stores null. */
struct json *json_new_object(struct arena *a);
struct json *json_new_array(struct arena *a);
struct json *json_new_str(struct arena *a, struct sv v);
struct json *json_new_i64(struct arena *a, int64_t v);
struct json *json_new_bool(struct arena *a, bool v);
void json_set(struct json *to, struct sv name, struct json *value);
void json_set_str(struct json *to, struct arena *a, struct sv name, struct sv v);
void json_set_i64(struct json *to, struct arena *a, struct sv name, int64_t v);
void json_set_bool(struct json *to, struct arena *a, struct sv name, bool v);
void json_push(struct json *to, struct json *value);
void json_remove(struct json *from, struct sv name);
/* An array without the element at `index`. */
void json_remove_at(struct json *from, size_t index);
/* A deep copy that may be changed. */
struct json *json_copy(struct arena *a, const struct json *v);
/* A copy whose own members or elements may be set and removed; what they are is shared with `v`,
 * whose arena outlives the copy. */
struct json *json_copy_flat(struct arena *a, const struct json *v);

/* A text that equal values share and others do not: members by name, those that are null left out.
 * It is a key, and nothing that json_read would take. */
void json_write_key(struct buf *out, const struct json *v);

/* Compact text, slashes not escaped. */
void json_write(struct buf *out, const struct json *v);
struct sv json_text(struct arena *a, const struct json *v);
/* A string with its quotes and escapes, for text that is built by hand; repaired like the others.
 */
void json_write_str(struct buf *out, struct sv v);

#endif
