/* inside.h - a commit under way; shared by the files of iceberg/ only. */
#ifndef ICEBERG_INSIDE_H
#define ICEBERG_INSIDE_H

#include "base/map.h"
#include "iceberg/metadata.h"
#include "iceberg/schema.h"

/* What a table's columns have been, as the request finds it: filled at the first question. */
struct evolution {
    struct arena *arena;
    struct map fields; /* of every id: the newest */
    bool known;
};

/* What the updates of one request share. */
struct changing {
    struct arena *arena;
    struct json *m; /* the copy that is changed */
    int64_t now_ms;
    bool changed;
    int64_t last_schema, last_spec, last_order; /* what -1 means; -1: nothing was added */
    struct map *added_snapshots;                /* ids' texts */
    struct json *log_entry;                     /* of this request, for main */
    struct evolution evolution;
    struct map checked_schemas; /* ids' texts */
    struct columns columns;     /* of the schema that was asked for last */
    struct spec_past spec_past;
    struct map described; /* ids' texts of the snapshots that got statistics */
    struct sv_vec removed_keys;
};

typedef bool update_fn(struct changing *c, const struct json *u, struct err *e);
/* snapshots.c */
update_fn add_snapshot, set_snapshot_ref, remove_snapshots, remove_snapshot_ref;

/* attached.c */
update_fn set_statistics, remove_statistics, set_partition_statistics, remove_partition_statistics,
    add_encryption_key, remove_encryption_key;
/* When all updates are applied: what they attached hangs on something. */
MUST_CHECK bool attached_hold(struct changing *c, struct err *e);

/* updates.c, for views too */
update_fn set_location, set_properties, remove_properties;

/* commit.c. All are known; assert-create stands alone; `*creates` says whether it is there. */
MUST_CHECK bool requirements_known(const struct json *list, bool *creates, struct err *e);

/* commit.c. Identity, place, current schema, layout and order are there and fit together. */
MUST_CHECK bool metadata_is_complete(const struct json *m, struct arena *a, struct err *e);

/* commit.c. When the snapshot-log says that main moved last; 0: it is empty. */
int64_t last_logged_ms(const struct json *m);

/* metadata.c. Each member is of its kind and no list is longer than a reader of ours takes. */
MUST_CHECK bool metadata_shape(const struct json *m, struct err *e);

/* log.c. The metadata-log gets the file of `base`, and keeps as many as the table wants. */
void log_previous(struct changing *c, const struct json *base, struct sv location);

/* properties.c. A property by which we write files: ERR_INVALID when it says nothing we understand.
 */
MUST_CHECK bool property_check(struct sv name, struct sv value, struct err *e);

/* old.c. Says in today's members what an old file left to be understood; changes nothing else.
 * `*added` says whether there was anything to say. */
MUST_CHECK bool metadata_modernise(struct json *m, struct arena *a, bool *added, struct err *e);

/* ---- lists.c ---- */

/* The element of an array whose integer member has that value, or NULL; `*at` its index. */
struct json *find_by_id(const struct json *list, struct sv member, int64_t id, size_t *at);
/* The highest that an integer member of its elements is; `none` when no element has more. */
int64_t list_highest(const struct json *list, const char *member, int64_t none);
/* The ids of its elements, as a set of their texts. ERR_INVALID: one is missing, no int, or there
 * twice. */
MUST_CHECK bool list_ids(const struct json *list, const char *member, struct arena *a,
                         struct map *out, struct err *e);
/* The integers of a list, as a set. ERR_INVALID: no list, or too long. */
MUST_CHECK bool ids_read(struct changing *c, const struct json *list, struct map *out,
                         struct err *e);
bool ids_have(const struct changing *c, const struct map *ids, int64_t id);
/* Takes the elements whose integer member is in the set out of a list of the metadata: whether
 * there were any. */
bool list_without(struct changing *c, const char *name, const char *member, const struct map *gone);
/* Drops the first elements. */
void list_from(struct changing *c, const char *name, size_t first);

/* ---- updates.c ---- */

/* The array of that name, made when it is absent. */
struct json *array_of(struct changing *c, const char *name);
void set_i64(struct changing *c, const char *name, int64_t v);
int64_t get_i64(const struct json *m, const char *name, int64_t fallback);

#endif
