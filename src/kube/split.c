/* split.c - a stream of bytes to lines. */
#include "kube/split.h"

#include <string.h>

enum { FIRST_TAIL_BYTES = 4096, KEPT_TAIL_BYTES = 64 * 1024 };

void split_init(struct split *s, size_t max_bytes)
{
    *s = (struct split){.max_bytes = max_bytes, .own.wipe = true};
}

void split_done(struct split *s)
{
    arena_done(&s->own);
    s->tail = NULL;
    s->n = s->cap = 0;
}

void split_reset(struct split *s)
{
    /* Secrets are watched too. */
    if (s->n)
        explicit_bzero(s->tail, s->n);
    s->n = 0;
    if (s->cap > KEPT_TAIL_BYTES)
        split_done(s);
}

static void reserve(struct split *s, size_t n)
{
    size_t cap = s->cap ? s->cap : FIRST_TAIL_BYTES;
    char *grown;

    if (s->n + n <= s->cap)
        return;
    while (cap < s->n + n)
        cap *= 2;
    grown = arena_alloc(&s->own, cap);
    if (s->n) {
        memcpy(grown, s->tail, s->n);
        explicit_bzero(s->tail, s->n);
    }
    s->tail = grown;
    s->cap = cap;
}

static bool keep(struct split *s, struct sv part, struct err *e)
{
    if (part.n > s->max_bytes - s->n)
        return err_set(e, ERR_INVALID, "a line of more than %zu bytes in a stream", s->max_bytes);
    if (part.n == 0)
        return true;
    reserve(s, part.n);
    memcpy(s->tail + s->n, part.p, part.n);
    s->n += part.n;
    return true;
}

static bool hand_on(struct sv line, split_fn *fn, void *context)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    return line.n == 0 || fn(line, context);
}

/* `part` ends a line: of its own when nothing was kept, else of what was. */
static bool end_line(struct split *s, struct sv part, split_fn *fn, void *context, struct err *e)
{
    bool more;

    if (s->n == 0 && part.n <= s->max_bytes)
        return hand_on(part, fn, context);
    if (!keep(s, part, e))
        return false;
    more = hand_on(sv_of(s->tail, s->n), fn, context);
    split_reset(s);
    return more;
}

bool split_feed(struct split *s, struct sv piece, split_fn *fn, void *context, struct err *e)
{
    ptrdiff_t at;

    while ((at = sv_find(piece, '\n')) >= 0) {
        if (!end_line(s, sv_first(piece, (size_t)at), fn, context, e))
            return false;
        piece = sv_skip(piece, (size_t)at + 1);
    }
    return keep(s, piece, e);
}
