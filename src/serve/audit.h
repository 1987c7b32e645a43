/*
 * audit.h - one record per decision, written by a thread of its own; a record is never silently
 * lost.
 */
#ifndef SERVE_AUDIT_H
#define SERVE_AUDIT_H

#include "base/err.h"
#include "base/vec.h"

struct audit;

/* "stdout" or "file:PATH" each; none given: no records are written. */
MUST_CHECK bool audit_start(const struct sv_vec *sinks, struct arena *a, struct audit **out,
                            struct err *e);
void audit_stop(struct audit *a);
/* Whether another record can be taken: false when the sink does not keep up. The request is then
 * refused. */
bool audit_has_room(const struct audit *a);
/* One JSON object without its newline; copied. */
void audit_write(struct audit *a, struct sv line);

#endif
