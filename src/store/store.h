/*
 * store.h - what the catalog remembers: namespaces, table pointers, staged tables. Blocking; one
 * connection belongs to one keeper thread.
 *
 * `catalog` is rule_catalog.id. A namespace is given as levels joined by 0x1F. Locations are texts
 * with a closing '/' ("s3://b/wh/t/"). ERR_UNAVAILABLE: nothing was changed and it may be tried
 * again (busy, read-only, disk full). When it is not known whether a write happened the code is
 * ERR_INTERNAL.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
#include "base/vec.h"

struct store;
/* "sqlite:PATH". Creates and upgrades the schema. Released with `a`. */
MUST_CHECK bool store_open(struct sv url, struct arena *a, struct store **out, struct err *e);

MUST_CHECK bool store_namespace_create(struct store *s, struct sv catalog, struct sv ns,
                                       struct sv properties_json, struct err *e); /* CONFLICT */
MUST_CHECK bool store_namespace_get(struct store *s, struct sv catalog, struct sv ns,
                                    struct arena *a, struct sv *properties_json, struct err *e);
/* Direct children of `parent` (empty: the top), after `after`, at most `limit` (0: all), in byte
 * order. */
MUST_CHECK bool store_namespace_list(struct store *s, struct sv catalog, struct sv parent,
                                     struct sv after, int limit, struct arena *a,
                                     struct sv_vec *out, struct err *e);
/* Reads, changes and writes in one transaction. */
typedef bool properties_fn(struct sv before, struct arena *a, struct sv *after, void *context,
                           struct err *e);
MUST_CHECK bool store_namespace_update(struct store *s, struct sv catalog, struct sv ns,
                                       properties_fn *change, void *context, struct arena *a,
                                       struct err *e);
/* ERR_CONFLICT: not empty. */
MUST_CHECK bool store_namespace_drop(struct store *s, struct sv catalog, struct sv ns,
                                     struct err *e);

struct table_row {
    struct sv uuid;
    struct sv metadata_location;
    struct sv location;            /* the folder, closing '/' */
    struct sv_vec extra_locations; /* folders of write.*.path outside it */
};
/* ERR_NOT_FOUND. */
MUST_CHECK bool store_table_get(struct store *s, struct sv catalog, struct sv ns, struct sv name,
                                struct arena *a, struct table_row *out, struct err *e);
/* ERR_NOT_FOUND: no such namespace. ERR_CONFLICT: a table of that name, or `overlap` is set and
 * names the table whose place it would take. All in one transaction. */
MUST_CHECK bool store_table_create(struct store *s, struct sv catalog, struct sv ns, struct sv name,
                                   const struct table_row *row, struct arena *a, struct sv *overlap,
                                   struct err *e);
/* Compare `old_metadata_location` and set. ERR_CONFLICT: someone was first; or `overlap` as above.
 */
MUST_CHECK bool store_table_swap(struct store *s, struct sv catalog, struct sv ns, struct sv name,
                                 struct sv old_metadata_location, const struct table_row *row,
                                 struct arena *a, struct sv *overlap, struct err *e);
MUST_CHECK bool store_table_list(struct store *s, struct sv catalog, struct sv ns, struct sv after,
                                 int limit, struct arena *a, struct sv_vec *out, struct err *e);
MUST_CHECK bool store_table_drop(struct store *s, struct sv catalog, struct sv ns, struct sv name,
                                 struct err *e);
/* Another table (of any catalog) whose folders overlap one of these; found false: none. */
MUST_CHECK bool store_table_overlap(struct store *s, const struct sv_vec *locations,
                                    struct sv catalog, struct sv ns, struct sv name,
                                    struct arena *a, bool *found, struct sv *who, struct err *e);

/* A staged create: the place that was promised to a principal. Replaces an expired one; a live one
 * of the same principal and name is returned instead. Its folder counts in overlaps until it
 * expires. */
struct staged_row {
    struct sv principal, uuid, location;
    int64_t expires_ms;
};
MUST_CHECK bool store_stage(struct store *s, struct sv catalog, struct sv ns, struct sv name,
                            const struct staged_row *row, int64_t now_ms, struct arena *a,
                            struct sv *overlap, struct err *e);
/* ERR_NOT_FOUND: none, or expired. */
MUST_CHECK bool store_staged_get(struct store *s, struct sv catalog, struct sv ns, struct sv name,
                                 struct sv principal, int64_t now_ms, struct arena *a,
                                 struct staged_row *out, struct err *e);
#endif
