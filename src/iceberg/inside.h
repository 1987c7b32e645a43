/* inside.h - a commit under way; shared by the files of iceberg/ only. */
#ifndef ICEBERG_INSIDE_H
#define ICEBERG_INSIDE_H

#include "iceberg/metadata.h"

/* What the updates of one request share. */
struct changing {
    struct arena *arena;
    struct json *m; /* the copy that is changed */
    int64_t now_ms;
    bool changed;
    int64_t last_schema, last_spec, last_order; /* what -1 means; -1: nothing was added */
    struct map *added_snapshots;                /* ids' texts */
    struct json *log_entry;                     /* of this request, for main */
};

typedef bool update_fn(struct changing *c, const struct json *u, struct err *e);
/* snapshots.c */
update_fn add_snapshot, set_snapshot_ref, remove_snapshots, remove_snapshot_ref;

/* commit.c. All are known; assert-create stands alone; `*creates` says whether it is there. */
MUST_CHECK bool requirements_known(const struct json *list, bool *creates, struct err *e);

/* commit.c. Identity, place, current schema, layout and order are there and fit together. */
MUST_CHECK bool metadata_is_complete(const struct json *m, struct err *e);

/* The element of an array whose integer member has that value, or NULL; `*at` its index. */
struct json *find_by_id(const struct json *list, struct sv member, int64_t id, size_t *at);
/* The array of that name, made when it is absent. */
struct json *array_of(struct changing *c, const char *name);
void set_i64(struct changing *c, const char *name, int64_t v);
int64_t get_i64(const struct json *m, const char *name, int64_t fallback);

#endif
