/*
 * arena.h - memory by lifetime: what is born together is released together.
 *
 * An arena hands out memory and remembers clean-ups; arena_done releases all of it, the clean-ups
 * first, last one first. One thread at a time may use it. All memory is zeroed. There is no free.
 * Out of memory aborts the process: see docs/ARCHITECTURE.md.
 *
 *     auto_arena a = {0};
 *     struct grant *g = arena_new(&a, struct grant);
 *
 * Under AddressSanitizer each object is a malloc of its own, so that an overflow still shows.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/sv.h"

struct arena_block;
struct arena_defer;

struct arena {
    struct arena_block *blocks; /* newest first */
    struct arena_defer *defers; /* newest first */
    char *next, *end;           /* what is left of the newest block */
    size_t used_bytes;          /* handed out so far */
    size_t grown_bytes;         /* the last block that was made for many objects; 0: none was */
    bool wipe;                  /* set before first use: overwrite memory before releasing it */
};

/* Release everything and leave an empty arena that may be used again (`wipe` is kept). */
void arena_done(struct arena *a);
#define auto_arena CLEANUP(arena_done) struct arena

/* Before first use: the first block holds `size` bytes and no more, for what is small or known. */
void arena_reserve(struct arena *a, size_t size);

/* `size` zeroed bytes, aligned for any type. Never NULL; size 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* The same for `count` things of `size` bytes, the product checked. */
void *arena_calloc(struct arena *a, size_t count, size_t size);
#define arena_new(a, type)          ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, count) ((type *)arena_calloc((a), (count), sizeof(type)))

/* A copy of the bytes; a NUL stands behind them, outside the view. */
struct sv arena_dup(struct arena *a, struct sv v);
/* A NUL-terminated copy, for libraries that demand one. Make it on the line that needs it. */
char *arena_cstr(struct arena *a, struct sv v);
/* Text built like printf's. */
struct sv arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3);
struct sv arena_vprintf(struct arena *a, const char *format, va_list args) PRINTF_LIKE(2, 0);

/* The parts one behind the other; for keys, where printing would cost more than the look-up. */
struct sv arena_join(struct arena *a, const struct sv *parts, size_t n);
#define ARENA_JOIN(a, ...)                            \
    arena_join((a), (const struct sv[]){__VA_ARGS__}, \
               sizeof((const struct sv[]){__VA_ARGS__}) / sizeof(struct sv))
/* "head[index]tail", as fields of a list are named. */
struct sv arena_indexed(struct arena *a, struct sv head, size_t index, struct sv tail);

/* Call `fn(object)` in arena_done. Ties a foreign object to this lifetime at its birth. */
typedef void arena_fn(void *object);
void arena_defer(struct arena *a, arena_fn *fn, void *object);

#endif
