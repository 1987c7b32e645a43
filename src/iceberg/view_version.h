/* view_version.h - versions of a view, and which of them are kept; shared by the view*.c only. */
#ifndef ICEBERG_VIEW_VERSION_H
#define ICEBERG_VIEW_VERSION_H

#include "base/map.h"
#include "iceberg/inside.h"

/* Nothing but texts, in an object or a list as `kind` says. */
bool is_texts(const struct json *v, enum json_kind kind);
/* A version as a client sends it: sound, within limits, one query for each dialect. */
MUST_CHECK bool version_check(const struct json *version, struct err *e);
/* What versions share that are the same but for id and time. */
void version_key(const struct json *version, struct buf *out);
/* No dialect of `before` is missing in `after`, unless the properties allow it. */
MUST_CHECK bool dialects_kept(const struct json *metadata, const struct json *before,
                              const struct json *after, struct err *e);
/* Forgets versions past version.history.num-entries, but for the current one and those in `added`
 * (ids), and the log up to the last entry that names one. */
void versions_expire(struct changing *c, const struct map *added);

#endif
