/*
 * columns.h - text for a terminal: columns that line up, and nothing in it that a terminal obeys.
 *
 * Names and properties come from whoever may write them; a terminal that is shown them raw can be
 * told to rewrite what stands above, or to show another order of letters than the one that counts.
 */
#ifndef CLIENT_COLUMNS_H
#define CLIENT_COLUMNS_H

#include "base/buf.h"
#include "base/vec.h"

/* \n, \x1b and \u{202e} stand for what a terminal would obey, hide or turn around, \\ for a
 * backslash, and \xff for what is no UTF-8. */
void text_escape(struct buf *out, struct sv v);
struct sv text_escaped(struct arena *a, struct sv v);
/* The text that text_escape wrote, so that a printed name can be given to a command again. A
 * backslash before anything else stands for itself. */
struct sv text_unescaped(struct arena *a, struct sv v);

struct column {
    const char *head; /* NULL in the first: no line of heads */
    bool right;       /* a number */
};
struct columns {
    struct arena *arena;
    const struct column *columns; /* the caller's, which outlives this */
    size_t n;
    struct sv_vec cells; /* row by row */
};
struct columns columns_new(struct arena *a, const struct column *columns, size_t n);
/* The next cell of the row; escaped here. */
void columns_add(struct columns *c, struct sv cell);
/* Heads and rows, each line behind `indent` blanks. */
void columns_write(struct buf *out, const struct columns *c, size_t indent);

#endif
