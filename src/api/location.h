/*
 * location.h - places in object stores, compared as whole path segments.
 *
 * The one reading of a location in the program: allowedLocations, base locations, table locations,
 * metadata files. Refused are: other schemes than s3, s3a, s3n (all the same place) and file; no
 * bucket; "." or ".." or empty segments; '*', '?', '$', ':', '\\', '%', '#', control bytes; text
 * that is not UTF-8 in NFC as far as we can tell (combining marks U+0300-036F and their like are
 * refused); more than LIMIT_LOCATION_BYTES. RGW cannot express ':' in a policy, and nobody can
 * escape '*', '?' and
 * '$'.
 */
#ifndef API_LOCATION_H
#define API_LOCATION_H

#include "base/arena.h"
#include "base/err.h"

struct location {
    struct sv bucket; /* empty: the file system of this machine, "file:/KEY" */
    struct sv
        key; /* of a folder: with the closing '/', empty for the whole bucket. Of a file: without */
};

/* A folder: "s3://b/a", "s3://b/a/" and, only with `star`, "s3://b/a/ *" (no blank) are the same
 * place. */
MUST_CHECK bool location_read(struct sv text, bool star, struct arena *a, struct location *out,
                              struct err *e);
/* A file: the key does not end in '/'. */
MUST_CHECK bool location_read_file(struct sv text, struct arena *a, struct location *out,
                                   struct err *e);
/*
 * A file as a manifest names it: a view of `text`. Engines put into names what no policy can say
 * (':' and '%' of a partition's value), so all may stand in it but control bytes and the segments
 * "." and "..". Good for location_contains, which says whose it is, and for nothing before that.
 */
MUST_CHECK bool location_read_named(struct sv text, struct location *out, struct err *e);
/* "s3://bucket/key", "file:/key". */
struct sv location_text(const struct location *l, struct arena *a);
/* Whether `inner` (folder or file) is `outer` or lies below it. */
bool location_contains(const struct location *outer, const struct location *inner);
/* Index of the first of `folders` that contains it, or -1. */
ptrdiff_t location_which(const struct location *folders, size_t n, const struct location *inner);
bool location_overlaps(const struct location *x, const struct location *y);

#endif
