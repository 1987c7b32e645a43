/*
 * sv.h - string views: a pointer and a length, passed by value, owning nothing.
 *
 * A view is valid as long as the bytes it looks at. It may hold any byte, NUL included. The empty
 * view may have a NULL pointer; "absent" and "empty" are the same to every function here.
 */
#ifndef BASE_SV_H
#define BASE_SV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct sv {
    const char *p;
    size_t n;
};

/* A view of a string literal, usable in static initialisers too. */
#define SV(literal) ((struct sv){"" literal, sizeof(literal) - 1})
#define SV_INIT(literal)                \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }

/* printf("%" ...) support: printf("name " SV_FMT, SV_ARG(name)). */
#define SV_FMT    "%.*s"
#define SV_ARG(v) (int)(v).n, (v).n ? (v).p : ""

/* A view of a NUL-terminated string; NULL gives the empty view. */
struct sv sv_from(const char *s);
/* A view of `n` bytes at `p`. */
struct sv sv_of(const char *p, size_t n);

bool sv_eq(struct sv a, struct sv b);
/* Equal but for the case of ASCII letters. */
bool sv_eq_nocase(struct sv a, struct sv b);
/* Order of bytes, shorter first when one is the start of the other: negative, zero or positive. */
int sv_cmp(struct sv a, struct sv b);
bool sv_starts(struct sv v, struct sv prefix);
bool sv_ends(struct sv v, struct sv suffix);
bool sv_contains(struct sv v, struct sv part);
bool sv_has_char(struct sv v, char c);
/* Whether every byte of `v` stands in `alphabet`. True for the empty view. */
bool sv_only(struct sv v, struct sv alphabet);

/* The view without its first `n` bytes; empty when it has fewer. */
struct sv sv_skip(struct sv v, size_t n);
/* At most the first `n` bytes. */
struct sv sv_first(struct sv v, size_t n);
/* Without blanks, tabs, CR and LF at either end. */
struct sv sv_trim(struct sv v);
/* Without every `c` at the end. */
struct sv sv_trim_end(struct sv v, char c);

/* Offset of the first (last) `c`, or -1. */
ptrdiff_t sv_find(struct sv v, char c);
ptrdiff_t sv_rfind(struct sv v, char c);

/*
 * sv_cut - take what stands before the first `c` off the front of `*rest`.
 *
 * `*rest` is left after the separator; without one, the whole of it is taken and `*rest` is empty.
 * Returns false, with an empty `*out`, when `*rest` was exhausted before: set `*rest` by value and
 * loop on it.
 */
bool sv_cut(struct sv *rest, char c, struct sv *out);

/* The length of the UTF-8 character at the front, its code point in `*code`. 0: none stands there;
 * over-long forms, surrogates and cut ones are none. Source: RFC 3629, 3. */
size_t sv_utf8(struct sv v, uint32_t *code);
bool sv_is_utf8(struct sv v);

/* The whole of `v` as a decimal number: optional minus, digits, nothing else, no overflow. */
MUST_CHECK bool sv_i64(struct sv v, int64_t *out);

/* 64 bits, the same in every process: it does not resist an adversary. */
uint64_t sv_hash(struct sv v);
/* 64 bits under a key of this process: nobody outside can choose values that collide. For every
 * table whose keys come from outside. Source: SipHash-1-3, Aumasson and Bernstein 2012. */
uint64_t sv_hash_keyed(struct sv v);

#endif
