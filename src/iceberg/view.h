/*
 * view.h - Iceberg view metadata as pure functions on JSON; no I/O, no clock.
 *
 * It stays a JSON tree, so that members that we do not know survive. The SQL in it is text to us:
 * nothing here reads or runs it. Source: Iceberg view spec, format 1, and the REST catalog OpenAPI.
 */
#ifndef ICEBERG_VIEW_H
#define ICEBERG_VIEW_H

#include "iceberg/metadata.h"

/* Reads and checks a view's metadata file. */
MUST_CHECK bool view_read(struct sv text, struct arena *a, struct json **out, struct err *e);
/*
 * What holds of every file that we write, of one that somebody else wrote: identity, schemas and
 * versions that are sound and within limits, each version on a schema, the current one among them.
 * ERR_INVALID.
 */
MUST_CHECK bool view_check(const struct json *metadata, struct arena *a, struct err *e);

/* The first metadata of a CreateViewRequest. */
MUST_CHECK bool view_create(const struct json *request, const struct create_options *o,
                            struct arena *a, struct json **out, struct err *e);

/*
 * view_commit - the metadata after `request` (a CommitViewRequest).
 *
 * ERR_INVALID: the request is wrong, or a dialect would be lost that may not be. ERR_CONFLICT: a
 * requirement failed.
 */
MUST_CHECK bool view_commit(const struct json *base, const struct json *request, int64_t now_ms,
                            struct arena *a, struct commit_result *out, struct err *e);

#endif
