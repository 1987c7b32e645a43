/*
 * elements.h - what the elements of a metadata file must be, whoever wrote it.
 *
 * One set of checks: a request that adds an element and a file that brings one along are held to
 * the same. What is refused is what Iceberg's Java library or PyIceberg could not read again.
 * Source: Iceberg table and view spec; tests/e2e/conformance_readable.py holds it against both.
 */
#ifndef ICEBERG_ELEMENTS_H
#define ICEBERG_ELEMENTS_H

#include "base/err.h"
#include "wire/json.h"

/* A copy that may be changed, of what a request brings. A request may say null for absent; readers
 * of a file do not take it, so the copy has no member that is null. */
struct json *element_copy(struct arena *a, const struct json *v);

MUST_CHECK bool snapshot_check(const struct json *s, int format, struct err *e);
MUST_CHECK bool ref_check(struct sv name, const struct json *ref, struct err *e);
MUST_CHECK bool statistics_check(const struct json *v, struct err *e);
MUST_CHECK bool partition_statistics_check(const struct json *v, struct err *e);
MUST_CHECK bool encryption_key_check(const struct json *key, struct err *e);

/* Each element of a log has a time and, under `member`, a value of that kind; no time is more than
 * a minute before one that stands in front of it. NULL is an empty log. */
MUST_CHECK bool log_check(const struct json *log, const char *member, enum json_kind kind,
                          struct err *e);
/* The time of its last entry, the latest of a sorted one; 0: it is empty. */
int64_t log_last_ms(const struct json *log);
/* Where the snapshot-log, the metadata-log and last-updated-ms are more than a minute apart readers
 * refuse the file. */
enum { CLOCKS_DIFFER_MS = 60 * 1000 };

#endif
