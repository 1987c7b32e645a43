/*
 * report.h - what engines report of their scans and commits.
 *
 * Nobody can check a report: it is what a client says of itself. So nothing is decided by it, and
 * what is kept of it is bounded: numbers, under names that are cut.
 */
#ifndef ICEBERG_REPORT_H
#define ICEBERG_REPORT_H

#include "base/err.h"
#include "wire/json.h"

struct report {
    bool of_commit;       /* else of a scan */
    struct json *summary; /* type, snapshot, operation, counters and times; at most
                             LIMIT_REPORT_METRICS of them */
};
/* A ReportMetricsRequest. ERR_INVALID: an unknown report-type, or no object of metrics. */
MUST_CHECK bool report_read(const struct json *body, struct arena *a, struct report *out,
                            struct err *e);

#endif
