/*
 * texts.h - texts by name, as many as a number of bytes holds: what is in the metadata files that a
 * loop has read or written.
 *
 * A metadata file never changes, so its text is true as long as it is kept. The text that was asked
 * for longest ago goes first. Text and not values: a value takes ten times the memory, and a load
 * passes the text on as it is. One thread.
 */
#ifndef SERVE_TEXTS_H
#define SERVE_TEXTS_H

#include "base/arena.h"

struct kept_text;

struct texts {
    size_t max_bytes;  /* of all, with what it costs to keep them */
    size_t used_bytes; /* never more */
    size_t n;
    struct kept_text **slots; /* by name; NULL until the first is kept */
    struct kept_text *newest, *oldest;
    struct arena arena; /* of the slots only: what is kept has memory of its own */
};

/* No memory is taken until something is kept. */
struct texts texts_of(size_t max_bytes);
/* Forgets all. */
void texts_done(struct texts *t);

/* Keeps a copy; nothing, when it would take more than a quarter of the room. */
void texts_put(struct texts *t, struct sv name, struct sv text);
/* The text of that name, which lives until `a` ends, whatever is forgotten meanwhile; false: it is
 * not kept. `a` ends on the thread of `t`. */
bool texts_get(struct texts *t, struct sv name, struct arena *a, struct sv *out);

#endif
