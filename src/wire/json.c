/* json.c - JSON values in an arena, on json-c. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

/* json-c has a type of that name. */
#define json_bool json_c_bool
#include <json-c/json.h>
#undef json_bool

#include "base/limits.h"
#include "wire/json.h"
#include "wire/json_scan.h"

/* A struct json is a json_object; NULL is JSON's null in both. */
static struct json_object *raw(const struct json *v)
{
    union {
        const struct json *in;
        struct json_object *out;
    } u = {.in = v};

    return u.out;
}

static struct json *wrap(struct json_object *o)
{
    union {
        struct json_object *in;
        struct json *out;
    } u = {.in = o};

    return u.out;
}

static void put(void *object)
{
    (void)json_object_put(object);
}

/* The tree is released with the arena. */
static struct json *own(struct arena *a, struct json_object *o)
{
    if (o)
        arena_defer(a, put, o);
    return wrap(o);
}

/* ---- reading ---- */

static size_t count_members(struct json_object *o)
{
    size_t n = 0;

    if (json_object_is_type(o, json_type_object)) {
        const struct lh_entry *at = lh_table_head(json_object_get_object(o));

        for (; at; at = lh_entry_next(at))
            n += 1 + count_members(lh_entry_v(at));
    } else if (json_object_is_type(o, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(o); i++)
            n += count_members(json_object_array_get_idx(o, i));
    }
    return n;
}

static bool parse(struct sv text, struct json_object **out, struct err *e)
{
    /* json-c counts a scalar as a level of its own; json_scan has counted what we mean. */
    struct json_tokener *t = json_tokener_new_ex(LIMIT_JSON_DEPTH + 1);
    enum json_tokener_error problem;
    size_t end;

    if (!t)
        return err_set(e, ERR_INTERNAL, "no memory for a JSON reader");
    json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    *out = json_tokener_parse_ex(t, text.p, (int)text.n);
    problem = json_tokener_get_error(t);
    if (problem == json_tokener_continue && text.n) {
        /* A number at the very end is complete only when something follows it. */
        *out = json_tokener_parse_ex(t, "", 1);
        problem = json_tokener_get_error(t);
    }
    end = json_tokener_get_parse_end(t);
    json_tokener_free(t);
    if (problem != json_tokener_success)
        return err_set(e, ERR_INVALID, "not JSON: %s near byte %zu",
                       json_tokener_error_desc(problem), end);
    return true;
}

bool json_read(struct sv text, struct arena *a, struct json **out, struct err *e)
{
    struct json_object *root = NULL;
    size_t members = 0;

    text = sv_trim(text);
    if (text.n == 0 || text.n > INT32_MAX)
        return err_set(e, ERR_INVALID, "not JSON: %zu bytes", text.n);
    if (!json_scan(text, &members, e) || !parse(text, &root, e))
        return false;
    /* json-c lets the last of two equal names win, so a repeated name leaves fewer members. */
    if (members != count_members(root)) {
        put(root);
        return err_set(e, ERR_INVALID, "not JSON we take: a member name is repeated");
    }
    *out = own(a, root);
    return true;
}

/* Of json-c 0.16 on 64 bits, with what malloc adds. */
enum { CONTAINER_BYTES = 800, VALUE_BYTES = 110, NAME_BYTES = 120 };

size_t json_memory(struct sv text)
{
    size_t containers = 0, values = 1, names = 0;

    for (size_t i = 0; i < text.n; i++) {
        containers += text.p[i] == '{' || text.p[i] == '[';
        values += text.p[i] == ',';
        names += text.p[i] == ':';
    }
    return containers * CONTAINER_BYTES + values * VALUE_BYTES + names * NAME_BYTES + text.n;
}

/* What stands at `*at`, in a string or outside of one. */
static void step(struct sv text, size_t *at, bool *in_string)
{
    if (text.p[*at] == '"')
        *in_string = !*in_string;
    *at += *in_string && text.p[*at] == '\\' ? 2 : 1;
}

bool json_is_too_deep(struct sv text)
{
    bool in_string = false;
    size_t depth = 0;

    for (size_t i = 0; i < text.n; step(text, &i, &in_string)) {
        if (in_string)
            continue;
        if (text.p[i] == '}' || text.p[i] == ']')
            depth--;
        else if ((text.p[i] == '{' || text.p[i] == '[') && ++depth > LIMIT_JSON_DEPTH)
            return true;
    }
    return false;
}

/* ---- looking ---- */

enum json_kind json_kind(const struct json *v)
{
    switch (json_object_get_type(raw(v))) {
    case json_type_boolean:
        return JSON_BOOL;
    case json_type_int:
        return JSON_INT;
    case json_type_double:
        return JSON_DOUBLE;
    case json_type_string:
        return JSON_STRING;
    case json_type_array:
        return JSON_ARRAY;
    case json_type_object:
        return JSON_OBJECT;
    case json_type_null:
        break;
    }
    return JSON_NULL;
}

size_t json_count(const struct json *v)
{
    if (json_kind(v) == JSON_ARRAY)
        return json_object_array_length(raw(v));
    return json_kind(v) == JSON_OBJECT ? (size_t)json_object_object_length(raw(v)) : 0;
}

/* Names are short; a longer one than this is looked up in a copy. */
static bool find(const struct json *v, struct sv name, struct json_object **out)
{
    char key[256];
    auto_arena a = {0};

    if (json_kind(v) != JSON_OBJECT)
        return false;
    if (name.n >= sizeof(key))
        return json_object_object_get_ex(raw(v), arena_cstr(&a, name), out);
    if (name.n)
        memcpy(key, name.p, name.n);
    key[name.n] = '\0';
    return json_object_object_get_ex(raw(v), key, out);
}

struct json *json_get(const struct json *v, struct sv name)
{
    struct json_object *found = NULL;

    return find(v, name, &found) ? wrap(found) : NULL;
}

bool json_has(const struct json *v, struct sv name)
{
    struct json_object *found = NULL;

    return find(v, name, &found);
}

struct json *json_path(const struct json *v, struct sv path)
{
    struct json *at = wrap(raw(v));
    struct sv name;

    while (at && sv_cut(&path, '.', &name))
        at = json_get(at, name);
    return at;
}

struct json *json_at(const struct json *v, size_t index)
{
    if (json_kind(v) != JSON_ARRAY || index >= json_object_array_length(raw(v)))
        return NULL;
    return wrap(json_object_array_get_idx(raw(v), index));
}

/*
 * Where the last json_member of an object stood, so that a walk by index is linear. It is kept in
 * the object's userdata, which json-c uses for numbers only: the index in the upper half, the slot
 * of its table in the lower one. 0 is none: a walk starts at the head anyway.
 */
static_assert(sizeof(void *) >= sizeof(uint64_t), "a mark fits into a pointer");

static void set_mark(struct json_object *o, uint64_t index, uint64_t slot)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): it is a number, and never followed. */
    json_object_set_userdata(o, (void *)(uintptr_t)(index << 32 | slot), NULL);
}

/* A change of the members moves them in the table. */
static void forget_mark(struct json_object *o)
{
    set_mark(o, 0, 0);
}

/* The index-th entry, which is there. */
static const struct lh_entry *entry_at(struct json_object *o, size_t index)
{
    const struct lh_table *t = json_object_get_object(o);
    uint64_t mark = (uintptr_t)json_object_get_userdata(o);
    const struct lh_entry *entry = lh_table_head(t);
    size_t at = 0;

    if (mark && mark >> 32 <= index) {
        entry = &t->table[mark & UINT32_MAX];
        at = mark >> 32;
    }
    for (; at < index; at++)
        entry = lh_entry_next(entry);
    set_mark(o, index, (uint64_t)(entry - t->table));
    return entry;
}

bool json_member(const struct json *v, size_t index, struct sv *name, struct json **value)
{
    const struct lh_entry *entry;

    if (json_kind(v) != JSON_OBJECT || index >= json_count(v))
        return false;
    entry = entry_at(raw(v), index);
    *name = sv_from(lh_entry_k(entry));
    *value = wrap(lh_entry_v(entry));
    return true;
}

struct sv json_str(const struct json *v, struct sv fallback)
{
    if (json_kind(v) != JSON_STRING)
        return fallback;
    return sv_of(json_object_get_string(raw(v)), (size_t)json_object_get_string_len(raw(v)));
}

int64_t json_i64(const struct json *v, int64_t fallback)
{
    return json_kind(v) == JSON_INT ? json_object_get_int64(raw(v)) : fallback;
}

bool json_bool(const struct json *v, bool fallback)
{
    return json_kind(v) == JSON_BOOL ? json_object_get_boolean(raw(v)) : fallback;
}

struct sv json_get_str(const struct json *v, struct sv name)
{
    return json_str(json_get(v, name), (struct sv){0});
}

bool json_eq(const struct json *a, const struct json *b)
{
    return json_object_equal(raw(a), raw(b));
}

/* ---- building ---- */

struct json *json_new_object(struct arena *a)
{
    return own(a, json_object_new_object());
}

struct json *json_new_array(struct arena *a)
{
    return own(a, json_object_new_array());
}

/* Bytes of the character that `v` begins with; 0 when our reader takes none there. It refuses a
 * NUL. */
static size_t character(struct sv v)
{
    uint32_t code = 0;
    size_t length = sv_utf8(v, &code);

    return code ? length : 0;
}

/* JSON is UTF-8, and what is passed on from outside may not be: readers would refuse the whole
 * text. What is no character becomes U+FFFD. */
static struct sv as_text(struct arena *a, struct sv v)
{
    struct buf out = buf_new(a, 3 * v.n);

    if (sv_is_utf8(v) && !sv_has_char(v, '\0'))
        return v;
    while (v.n) {
        size_t length = character(v);

        buf_add(&out, length ? sv_first(v, length) : SV("\xef\xbf\xbd"));
        v = sv_skip(v, length ? length : 1);
    }
    return buf_sv(&out);
}

struct json *json_new_str(struct arena *a, struct sv v)
{
    v = as_text(a, v);
    return own(a, json_object_new_string_len(v.n ? v.p : "", (int)v.n));
}

struct json *json_new_i64(struct arena *a, int64_t v)
{
    return own(a, json_object_new_int64(v));
}

struct json *json_new_bool(struct arena *a, bool v)
{
    return own(a, json_object_new_boolean(v));
}

void json_set(struct json *to, struct sv name, struct json *value)
{
    auto_arena a = {0};
    size_t before = json_count(to);

    assert(json_kind(to) == JSON_OBJECT);
    (void)json_object_object_add(raw(to), arena_cstr(&a, as_text(&a, name)),
                                 json_object_get(raw(value)));
    if (json_count(to) != before)
        forget_mark(raw(to));
}

void json_set_str(struct json *to, struct arena *a, struct sv name, struct sv v)
{
    json_set(to, name, json_new_str(a, v));
}

void json_set_i64(struct json *to, struct arena *a, struct sv name, int64_t v)
{
    json_set(to, name, json_new_i64(a, v));
}

void json_set_bool(struct json *to, struct arena *a, struct sv name, bool v)
{
    json_set(to, name, json_new_bool(a, v));
}

void json_push(struct json *to, struct json *value)
{
    assert(json_kind(to) == JSON_ARRAY);
    (void)json_object_array_add(raw(to), json_object_get(raw(value)));
}

void json_remove(struct json *from, struct sv name)
{
    auto_arena a = {0};

    if (json_kind(from) != JSON_OBJECT)
        return;
    json_object_object_del(raw(from), arena_cstr(&a, name));
    forget_mark(raw(from));
}

void json_remove_at(struct json *from, size_t index)
{
    (void)json_object_array_del_idx(raw(from), index, 1);
}

/* json-c copies no userdata that it does not know; an object's is our mark and stays behind. */
static int copy_shallow(struct json_object *from, struct json_object *parent, const char *name,
                        size_t index, struct json_object **to)
{
    enum { USERDATA_IS_DONE = 2 };

    if (!json_object_is_type(from, json_type_object))
        return json_c_shallow_copy_default(from, parent, name, index, to);
    *to = json_object_new_object();
    return *to ? USERDATA_IS_DONE : -1;
}

struct json *json_copy(struct arena *a, const struct json *v)
{
    struct json_object *copy = NULL;

    if (!v)
        return NULL;
    if (json_object_deep_copy(raw(v), &copy, copy_shallow) != 0)
        return NULL;
    return own(a, copy);
}

struct json *json_copy_flat(struct arena *a, const struct json *v)
{
    bool is_array = json_kind(v) == JSON_ARRAY;
    struct json *copy = is_array ? json_new_array(a) : json_new_object(a), *value;
    struct sv name;

    for (size_t i = 0; is_array && i < json_count(v); i++)
        json_push(copy, json_at(v, i));
    for (size_t i = 0; json_member(v, i, &name, &value); i++)
        json_set(copy, name, value);
    return copy;
}

/* ---- writing ---- */

/* Nearly all bytes of what is written: no call is made for one. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

void json_write_str(struct buf *out, struct sv v)
{
    static const char digits[] = "0123456789abcdef";
    size_t from = 0;

    buf_addc(out, '"');
    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];
        size_t length;

        if (is_plain(c))
            continue;
        length = c == 0 || c >= 0x80 ? character(sv_skip(v, i)) : 1;
        if (length > 1) {
            i += length - 1;
            continue;
        }
        buf_add(out, sv_of(v.p + from, i - from));
        from = i + 1;
        if (!length) {
            buf_add(out, SV("\xef\xbf\xbd"));
        } else if (c == '"' || c == '\\') {
            buf_add(out, sv_of((const char[]){'\\', (char)c}, 2));
        } else {
            buf_add(out, SV("\\u00"));
            buf_addc(out, digits[c >> 4]);
            buf_addc(out, digits[c & 15]);
        }
    }
    buf_add(out, sv_of(v.p + from, v.n - from));
    buf_addc(out, '"');
}

void json_write(struct buf *out, const struct json *v)
{
    size_t n = 0;
    const char *text = json_object_to_json_string_length(
        raw(v), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);

    buf_add(out, sv_of(text, n));
}

struct sv json_text(struct arena *a, const struct json *v)
{
    size_t n = 0;
    const char *text = json_object_to_json_string_length(
        raw(v), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);

    return arena_dup(a, sv_of(text, n));
}
