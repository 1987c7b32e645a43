/*
 * names.h - names of catalogs, namespaces and tables as people write them: levels with dots
 * between.
 *
 * A level that holds a dot, or a quote, stands in double quotes; a quote in it is written twice:
 * analytics."eu.west".orders
 */
#ifndef WIRE_NAMES_H
#define WIRE_NAMES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

/* At least one level, none empty. ERR_INVALID. */
MUST_CHECK bool names_read(struct sv text, struct arena *a, struct sv_vec *levels, struct err *e);
/* The same, and which of the levels stood in quotes: there '*' is a character like any other. */
struct name_level {
    struct sv text;
    bool quoted;
};
struct name_levels VEC(struct name_level);
MUST_CHECK bool names_parse(struct sv text, struct arena *a, struct name_levels *levels,
                            struct err *e);
/* As names_read takes it. */
void names_write(struct buf *out, const struct sv *levels, size_t n);
struct sv names_text(struct arena *a, const struct sv *levels, size_t n);
/* The first `n` levels with dots between and no quotes: names of catalogs may hold dots. */
struct sv names_joined(struct arena *a, const struct sv *levels, size_t n);

#endif
