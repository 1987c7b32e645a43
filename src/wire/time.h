/* time.h - Unix milliseconds as text and back. Source: RFC 3339; ISO 8601 basic for signatures. */
#ifndef WIRE_TIME_H
#define WIRE_TIME_H

#include "base/arena.h"
#include "base/err.h"

enum time_format {
    TIME_SECONDS,      /* 2026-11-20T22:05:55Z: metav1.Time */
    TIME_MILLISECONDS, /* 2026-11-20T22:05:55.123Z: logs, audit */
    TIME_MICROSECONDS, /* 2026-11-20T22:05:55.123000Z: metav1.MicroTime */
    TIME_BASIC,        /* 20261120T220555Z: x-amz-date */
    TIME_HTTP,         /* Fri, 20 Nov 2026 22:05:55 GMT: Date */
};

struct sv time_text(struct arena *a, int64_t ms, enum time_format format);
/* RFC 3339 with any fraction and any offset. */
MUST_CHECK bool time_read(struct sv text, int64_t *ms, struct err *e);

#endif
