/* inside.h - a commit under way; shared by the files of iceberg/ only. */
#ifndef ICEBERG_INSIDE_H
#define ICEBERG_INSIDE_H

#include "base/map.h"
#include "iceberg/metadata.h"
#include "iceberg/schema.h"

/*
 * A list of the metadata by the ids of its elements, while a request changes it. It is filled at
 * the first question and follows every change, so that no update walks what is there: both the
 * updates and the list may be as long as their limits allow. lists.c.
 */
enum list {
    LIST_SCHEMAS,
    LIST_SPECS,
    LIST_ORDERS,
    LIST_SNAPSHOTS,
    LIST_STATISTICS,
    LIST_PARTITION_STATISTICS,
    LIST_KEYS,
    LIST_VERSIONS, /* of a view */
    LIST_COUNT
};

struct list_item;

struct by_id {
    struct map ids;  /* to the first item of each id */
    struct map same; /* what an element says, but for its id, to the element */
    struct list_item *first, **last;
    size_t n;        /* elements that are there */
    int64_t highest; /* id that is or was there; -1: none */
    bool is_open, is_compared, is_changed;
};

/* What a table's columns have been, as the request finds it: filled at the first question. */
struct evolution {
    struct map fields;      /* of every id: the newest */
    struct map by_value;    /* columns that a spec takes by their values */
    struct sv_vec branches; /* that are there, or were before `first_branch` */
    size_t first_branch;
    bool knows_fields, knows_specs, knows_branches;
    int format; /* of the table, at this question */
};

/* What the updates of one request share. */
struct changing {
    struct arena *arena;   /* of the result */
    struct arena *memory;  /* of what is remembered until the request is done */
    struct arena *scratch; /* of one update, released after it */
    struct json *m;        /* the copy that is changed: flat, see own_member */
    int64_t now_ms;
    const _Atomic bool *gone; /* see commit_options */
    size_t memory_bytes;      /* that `memory` may take; 0: as much as it needs */
    bool changed;
    int64_t last_schema, last_spec, last_order; /* what -1 means; -1: nothing was added */
    struct by_id lists[LIST_COUNT];
    struct map owned;           /* names of members of `m` that are no longer those of the base */
    struct map added_snapshots; /* ids */
    struct map gone_snapshots;  /* ids: what names them goes in the end, see snapshots_settle */
    struct json *log_entry;     /* of this request, for main */
    struct evolution evolution;
    struct map checked_schemas; /* ids */
    struct map columns;         /* schemas' ids to struct columns */
    struct spec_past spec_past;
    struct map described; /* ids of the snapshots that got statistics */
    struct sv_vec removed_keys;
};

/* `c` with its maps, for a copy of `base` (NULL: `c->m` is the caller's to set). */
void changing_init(struct changing *c, struct arena *result, struct arena *memory);

typedef bool update_fn(struct changing *c, const struct json *u, struct err *e);
/* snapshots.c */
update_fn add_snapshot, set_snapshot_ref, remove_snapshots, remove_snapshot_ref;
/* A ref of a snapshot that is there, or NULL. */
const struct json *ref_named(const struct changing *c, struct sv name);
/* When all updates are applied: refs, logs and statistics of snapshots that are gone go too. */
void snapshots_settle(struct changing *c);

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

/* metadata.c. Each member is of its kind and no list is longer than a reader of ours takes. */
MUST_CHECK bool metadata_shape(const struct json *m, struct err *e);

/* check.c. The members of a file as it lies, before anything is added. */
MUST_CHECK bool metadata_check_members(const struct json *m, struct err *e);

/* log.c. No time of a log stands before an earlier one: whatever another writer's clock said, one
 * that goes back becomes the one in front of it. Readers refuse a file whose logs are not sorted.
 */
void log_sort(struct changing *c, const char *name);

/* log.c. The metadata-log gets the file of `base`, and keeps as many as the table wants. */
void log_previous(struct changing *c, const struct json *base, struct sv location);

/* properties.c. A property by which we write files: ERR_INVALID when it says nothing we understand.
 */
MUST_CHECK bool property_check(struct sv name, struct sv value, struct err *e);

/* old.c. Says in today's members what an old file left to be understood; changes nothing else.
 * `*added` says whether there was anything to say. */
MUST_CHECK bool metadata_modernise(struct json *m, struct arena *a, bool *added, struct err *e);

/* ---- evolve.c ---- */

/*
 * Whether `schema` may follow those of the table. While a branch holds data, an id that any schema
 * has used keeps its type or takes one that it may be promoted to (Iceberg table spec, "Schema
 * Evolution"); where schemas differ the current one counts, then the newest. What a field reads as
 * in older files does not change, and a new one that is required says what that is. A table without
 * data, and one whose main branch was removed to replace it, takes any. ERR_INVALID names the
 * field.
 */
MUST_CHECK bool schema_may_follow(struct changing *c, const struct json *schema, struct err *e);
/* What they are told of other updates. */
void evolution_add_spec(struct changing *c, const struct json *spec);
void evolution_add_branch(struct changing *c, struct sv name);

/* ---- lists.c ---- */

/* The element of that id, the first of several, or NULL. */
struct json *list_get(struct changing *c, enum list list, int64_t id);
struct json *list_get_named(struct changing *c, enum list list, struct sv id);
/* The first that says the same as `v`, whatever their ids. Elements are schemas, specs, orders or
 * versions. */
struct json *list_same(struct changing *c, enum list list, const struct json *v);
void list_add(struct changing *c, enum list list, struct json *v);
/* Takes all elements of that id away: whether there were any. */
bool list_drop(struct changing *c, enum list list, int64_t id);
bool list_drop_named(struct changing *c, enum list list, struct sv id);
/* The id after all that are there. A file that somebody else wrote may have used the last. */
MUST_CHECK bool list_next_id(struct changing *c, enum list list, int64_t least, int64_t *out,
                             struct err *e);
size_t list_count(struct changing *c, enum list list);
/* The whole of it as it is now: for who walks it once a request. */
const struct json *list_json(struct changing *c, enum list list);
/* Enters what was changed into the metadata. */
void lists_close(struct changing *c);

/* The element of an array whose integer member has that value, or NULL: for one question. */
struct json *find_by_id(const struct json *list, struct sv member, int64_t id);
/* The highest that an integer member of its elements is; `none` when no element has more. */
int64_t list_highest(const struct json *list, const char *member, int64_t none);
/* The ids of its elements, as a set. ERR_INVALID: one is missing, not an int, or there twice. */
MUST_CHECK bool list_ids(const struct json *list, const char *member, struct arena *a,
                         struct map *out, struct err *e);
/* A list of at most LIMIT_METADATA_ENTRIES integers, or ERR_INVALID. */
MUST_CHECK bool ids_check(const struct json *list, struct err *e);
/* Drops the first elements. */
void list_from(struct changing *c, const char *name, size_t first);

/* ---- updates.c ---- */

/* The object or array of that name, made when it is absent, and not the base's: it may be changed.
 */
struct json *own_member(struct changing *c, const char *name, enum json_kind kind);
void set_i64(struct changing *c, const char *name, int64_t v);
int64_t get_i64(const struct json *m, const char *name, int64_t fallback);

#endif
