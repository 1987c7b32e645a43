/*
 * split.h - a stream of bytes to lines, in one pass: only the unfinished tail is kept.
 *
 * A line that lies whole in a piece is handed on as a view into it; one that comes in parts is put
 * together once. LF ends a line, a CR before it is dropped, empty lines are left out. Memory that a
 * long line needed is given back when the line is done.
 */
#ifndef KUBE_SPLIT_H
#define KUBE_SPLIT_H

#include "base/arena.h"
#include "base/err.h"

/* False stops the feeding: what is left of the piece is dropped. */
typedef bool split_fn(struct sv line, void *context);

struct split {
    struct arena own;
    char *tail;
    size_t n, cap;
    size_t max_bytes; /* of one line */
};

void split_init(struct split *s, size_t max_bytes);
/* Forgets the tail: another stream begins. */
void split_reset(struct split *s);
void split_done(struct split *s);
/* False when `fn` said so (`e` untouched) or with ERR_INVALID for a line past the maximum. */
MUST_CHECK bool split_feed(struct split *s, struct sv piece, split_fn *fn, void *context,
                           struct err *e);

#endif
