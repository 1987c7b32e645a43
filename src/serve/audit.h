/*
 * audit.h - one record per decision, written by a thread of its own; a record is never silently
 * lost.
 */
#ifndef SERVE_AUDIT_H
#define SERVE_AUDIT_H

#include "base/err.h"
#include "base/vec.h"
#include "base/world.h"

struct audit;

enum { AUDIT_RECORD_BYTES = 2560 * 1024 };

struct audit_options {
    struct sv_vec sinks; /* "stdout", "file:PATH", "store"; none: no records are written */
    struct sv store_url; /* of "store" */
    int64_t keep_ms;     /* how long the store keeps them */
    const struct world *world;
};
MUST_CHECK bool audit_start(const struct audit_options *o, struct arena *a, struct audit **out,
                            struct err *e);
/* Waits for the sinks; for a store that is away some seconds only, then the log gets the records.
 */
void audit_stop(struct audit *a);
/* Whether another record can be taken: false when LIMIT_AUDIT_BYTES wait for the sinks. The request
 * is then refused. Records of requests that have begun are taken all the same. */
bool audit_has_room(const struct audit *a);
/* One JSON object of at most AUDIT_RECORD_BYTES without its newline, of a decision at `now_ms`;
 * copied. */
void audit_write(struct audit *a, int64_t now_ms, struct sv line);
/* The same for a refusal of somebody unknown, who may ask as often as the line carries: where there
 * is no room it is counted, and the number is a record of its own when there is room again. */
void audit_write_refusal(struct audit *a, int64_t now_ms, struct sv line);

#endif
