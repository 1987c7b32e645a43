/* arena.c - memory by lifetime; the one place that calls malloc and the one that aborts. */
#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ONE_MALLOC_EACH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ONE_MALLOC_EACH 1
#endif
#endif
#ifndef ONE_MALLOC_EACH
#define ONE_MALLOC_EACH 0
#endif

enum { FIRST_BLOCK_BYTES = 2048, MAX_BLOCK_BYTES = 256 * 1024, ALIGNMENT = 16 };

struct arena_block {
    struct arena_block *older;
    size_t size_bytes; /* of what follows this header */
};

struct arena_defer {
    struct arena_defer *older;
    arena_fn *fn;
    void *object;
};

static NORETURN void die(size_t size)
{
    fprintf(stderr, "{\"level\":\"error\",\"msg\":\"out of memory\",\"bytes\":%zu}\n", size);
    abort();
}

/* Where the memory of a block begins behind its header. */
static const size_t header_bytes =
    (sizeof(struct arena_block) + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);

static char *block_bytes(struct arena_block *b)
{
    return (char *)b + header_bytes;
}

static struct arena_block *add_block(struct arena *a, size_t size)
{
    struct arena_block *b;

    if (size > SIZE_MAX - header_bytes)
        die(size);
    b = calloc(1, header_bytes + size);
    if (!b)
        die(size);
    b->size_bytes = size;
    b->older = a->blocks;
    a->blocks = b;
    return b;
}

static void *from_new_block(struct arena *a, size_t size)
{
    size_t next = a->grown_bytes ? a->grown_bytes * 2 : FIRST_BLOCK_BYTES;
    struct arena_block *b;

    if (next > MAX_BLOCK_BYTES)
        next = MAX_BLOCK_BYTES;
    if (size >= next / 4) {
        /* A large object gets a block of its own, behind the one that still has room. */
        struct arena_block *room = a->blocks;

        b = add_block(a, size);
        if (room && a->next) {
            a->blocks = room;
            b->older = room->older;
            room->older = b;
        }
        return block_bytes(b);
    }
    b = add_block(a, next);
    a->grown_bytes = next;
    a->next = block_bytes(b) + size;
    a->end = block_bytes(b) + next;
    return block_bytes(b);
}

void arena_reserve(struct arena *a, size_t size)
{
    assert(!a->blocks);
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    a->next = block_bytes(add_block(a, size));
    a->end = a->next + size;
}

void *arena_alloc(struct arena *a, size_t size)
{
    char *p = a->next;

    if (size > SIZE_MAX - ALIGNMENT)
        die(size);
    a->used_bytes += size;
    if (ONE_MALLOC_EACH)
        return block_bytes(add_block(a, size));
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (!p || size > (size_t)(a->end - p))
        return from_new_block(a, size);
    a->next = p + size;
    return p;
}

void *arena_calloc(struct arena *a, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        die(SIZE_MAX);
    return arena_alloc(a, total);
}

char *arena_cstr(struct arena *a, struct sv v)
{
    char *copy = arena_alloc(a, v.n + 1);

    if (v.n)
        memcpy(copy, v.p, v.n);
    return copy;
}

struct sv arena_dup(struct arena *a, struct sv v)
{
    return sv_of(arena_cstr(a, v), v.n);
}

struct sv arena_vprintf(struct arena *a, const char *format, va_list args)
{
    va_list again;
    char *text;
    int n;

    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (n < 0)
        die(0);
    text = arena_alloc(a, (size_t)n + 1);
    (void)vsnprintf(text, (size_t)n + 1, format, args);
    return sv_of(text, (size_t)n);
}

struct sv arena_printf(struct arena *a, const char *format, ...)
{
    struct sv text;
    va_list args;

    va_start(args, format);
    text = arena_vprintf(a, format, args);
    va_end(args);
    return text;
}

struct sv arena_join(struct arena *a, const struct sv *parts, size_t n)
{
    size_t total = 0, at = 0;
    char *text;

    for (size_t i = 0; i < n; i++)
        total += parts[i].n;
    text = arena_alloc(a, total + 1);
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n)
            memcpy(text + at, parts[i].p, parts[i].n);
        at += parts[i].n;
    }
    return sv_of(text, total);
}

struct sv arena_indexed(struct arena *a, struct sv head, size_t index, struct sv tail)
{
    char digits[24];
    size_t at = sizeof(digits);

    digits[--at] = ']';
    do {
        digits[--at] = (char)('0' + index % 10);
        index /= 10;
    } while (index);
    digits[--at] = '[';
    return ARENA_JOIN(a, head, sv_of(digits + at, sizeof(digits) - at), tail);
}

void arena_defer(struct arena *a, arena_fn *fn, void *object)
{
    struct arena_defer *d = arena_new(a, struct arena_defer);

    d->fn = fn;
    d->object = object;
    d->older = a->defers;
    a->defers = d;
}

void arena_done(struct arena *a)
{
    bool wipe = a->wipe;

    while (a->defers) {
        struct arena_defer *d = a->defers;

        a->defers = d->older;
        d->fn(d->object);
    }
    while (a->blocks) {
        struct arena_block *b = a->blocks;

        a->blocks = b->older;
        if (wipe)
            explicit_bzero(block_bytes(b), b->size_bytes);
        free(b);
    }
    *a = (struct arena){.wipe = wipe};
}
