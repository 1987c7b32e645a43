/* snappy.c - blocks packed by Snappy. */
#include "wire/snappy.h"

#include <stdint.h>
#include <string.h>

/* A copy of 64 bytes takes three: no block stands for more than this times its size. */
enum { MOST_PER_BYTE = 22, LONGEST_LENGTH = 60 };

struct unpacking {
    struct sv in;
    char *to;
    size_t at, size;
};

static bool cut(struct err *e)
{
    (void)err_set(e, ERR_INVALID, "snappy: cut short or spoilt");
    return false;
}

/* `n` bytes, the lowest first. */
static bool take_number(struct unpacking *u, size_t n, size_t *out, struct err *e)
{
    if (u->in.n < n)
        return cut(e);
    *out = 0;
    for (size_t i = 0; i < n; i++)
        *out |= (size_t)(unsigned char)u->in.p[i] << (8 * i);
    u->in = sv_skip(u->in, n);
    return true;
}

static bool take_size(struct unpacking *u, size_t *out, struct err *e)
{
    size_t byte = 0x80;

    *out = 0;
    for (unsigned shift = 0; byte & 0x80; shift += 7) {
        if (shift > 28 || !take_number(u, 1, &byte, e))
            return cut(e);
        *out |= (byte & 0x7f) << shift;
    }
    return true;
}

static bool put_literal(struct unpacking *u, size_t tag, struct err *e)
{
    size_t n = tag >> 2;

    if (n >= LONGEST_LENGTH && !take_number(u, n - LONGEST_LENGTH + 1, &n, e))
        return false;
    n++;
    if (n > u->in.n || n > u->size - u->at)
        return cut(e);
    memcpy(u->to + u->at, u->in.p, n);
    u->at += n;
    u->in = sv_skip(u->in, n);
    return true;
}

static bool take_copy(struct unpacking *u, size_t tag, size_t *n, size_t *back, struct err *e)
{
    size_t low;

    if ((tag & 3) == 1) {
        *n = 4 + (tag >> 2 & 7);
        if (!take_number(u, 1, &low, e))
            return false;
        *back = tag >> 5 << 8 | low;
        return true;
    }
    *n = 1 + (tag >> 2);
    return take_number(u, (tag & 3) == 2 ? 2 : 4, back, e);
}

/* It may overlap what it makes: byte by byte. */
static bool put_copy(struct unpacking *u, size_t tag, struct err *e)
{
    size_t n, back;

    if (!take_copy(u, tag, &n, &back, e))
        return false;
    if (!back || back > u->at || n > u->size - u->at)
        return cut(e);
    for (; n; n--, u->at++)
        u->to[u->at] = u->to[u->at - back];
    return true;
}

bool snappy_read(struct sv packed, size_t most, struct arena *a, struct sv *out, struct err *e)
{
    struct unpacking u = {.in = packed};

    if (!take_size(&u, &u.size, e))
        return false;
    if (u.size > most || u.size / MOST_PER_BYTE > packed.n)
        return err_set(e, ERR_INVALID, "snappy: more than %zu bytes when unpacked", most);
    u.to = arena_alloc(a, u.size);
    while (u.in.n) {
        size_t tag = (unsigned char)u.in.p[0];

        u.in = sv_skip(u.in, 1);
        if (!((tag & 3) == 0 ? put_literal(&u, tag, e) : put_copy(&u, tag, e)))
            return false;
    }
    if (u.at != u.size)
        return cut(e);
    *out = sv_of(u.to, u.size);
    return true;
}
