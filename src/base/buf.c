/* buf.c - bounded text in an arena. */
#include "base/buf.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_BYTES = 256 };

struct buf buf_new(struct arena *a, size_t max_bytes)
{
    return (struct buf){.p = arena_alloc(a, 1), .max = max_bytes, .arena = a};
}

/* Makes room for `n` more bytes and the NUL; false when that passes the maximum. */
static bool reserve(struct buf *b, size_t n)
{
    size_t cap = b->cap ? b->cap : FIRST_BYTES;
    char *grown;

    if (b->over || n > b->max - b->n) {
        b->over = true;
        return false;
    }
    if (b->n + n < b->cap)
        return true;
    while (cap <= b->n + n)
        cap *= 2;
    grown = arena_alloc(b->arena, cap);
    memcpy(grown, b->p, b->n);
    if (b->arena->wipe && b->n)
        explicit_bzero(b->p, b->n);
    b->p = grown;
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, struct sv v)
{
    if (v.n == 0 || !reserve(b, v.n))
        return;
    memcpy(b->p + b->n, v.p, v.n);
    b->n += v.n;
    b->p[b->n] = '\0';
}

void buf_addc(struct buf *b, char c)
{
    buf_add(b, sv_of(&c, 1));
}

void buf_addf(struct buf *b, const char *format, ...)
{
    va_list args, again;
    int n;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n > 0 && reserve(b, (size_t)n)) {
        (void)vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
}

void buf_add_i64(struct buf *b, int64_t value)
{
    buf_addf(b, "%" PRId64, value);
}

struct sv buf_sv(const struct buf *b)
{
    return sv_of(b->p, b->n);
}

void buf_clear(struct buf *b)
{
    if (b->arena->wipe)
        explicit_bzero(b->p, b->n);
    b->n = 0;
    b->over = false;
    b->p[0] = '\0';
}

void buf_drop(struct buf *b, size_t n)
{
    if (n > b->n)
        n = b->n;
    memmove(b->p, b->p + n, b->n - n);
    if (b->arena->wipe)
        explicit_bzero(b->p + b->n - n, n);
    b->n -= n;
    b->p[b->n] = '\0';
}
