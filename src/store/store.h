/*
 * store.h - what the catalog remembers: namespaces, table pointers, staged tables. Blocking; one
 * connection belongs to one keeper thread.
 *
 * `catalog` is rule_catalog.id. A namespace is given as levels joined by 0x1F. Locations are texts
 * with a closing '/' ("s3://b/wh/t/"). ERR_UNAVAILABLE: nothing was changed and it may be tried
 * again (busy, read-only, disk full, no connection). When it is not known whether a write happened
 * the code is ERR_INTERNAL; the same store's next answer then is of a time when that write has
 * ended. Another store's may be older.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
#include "base/vec.h"

struct store;
/* "sqlite:PATH" or "postgresql://...". Creates and upgrades the schema; at PostgreSQL, which may be
 * away meanwhile, with the first use. Released with `a`. */
MUST_CHECK bool store_open(struct sv url, struct arena *a, struct store **out, struct err *e);
/* Whether it can be read from now. ERR_UNAVAILABLE: not yet, or not any more; ERR_INVALID: a newer
 * program has changed it. */
MUST_CHECK bool store_check(struct store *s, struct err *e);
/* Other programs write to it as well: what was read is not known to be so a moment later. */
bool store_is_shared(const struct store *s);

struct ns_name {
    struct sv catalog, ns;
};

struct table_name {
    struct sv catalog, ns, name;
};

/* A part of a list: what comes after `after` in byte order, at most `limit` (0: all). */
struct page {
    struct sv after;
    int limit;
};

MUST_CHECK bool store_namespace_create(struct store *s, const struct ns_name *n,
                                       struct sv properties_json, struct err *e); /* CONFLICT */
/* ERR_NOT_FOUND. */
MUST_CHECK bool store_namespace_get(struct store *s, const struct ns_name *n, struct arena *a,
                                    struct sv *properties_json, struct err *e);
/* Direct children of `parent` (empty: the top). */
MUST_CHECK bool store_namespace_list(struct store *s, const struct ns_name *parent,
                                     const struct page *page, struct arena *a, struct sv_vec *out,
                                     struct err *e);
/* Reads, changes and writes in one transaction; `change` may be called again, from the start. */
typedef bool properties_fn(struct sv before, struct arena *a, struct sv *after, void *context,
                           struct err *e);
MUST_CHECK bool store_namespace_update(struct store *s, const struct ns_name *n,
                                       properties_fn *change, void *context, struct arena *a,
                                       struct err *e);
/* ERR_CONFLICT: not empty. */
MUST_CHECK bool store_namespace_drop(struct store *s, const struct ns_name *n, struct err *e);

struct table_row {
    struct sv uuid;
    struct sv metadata_location;
    struct sv location;            /* the folder, closing '/' */
    struct sv_vec extra_locations; /* folders of write.*.path outside it */
    /* Of the metadata file's bytes as they lie in the bucket, 64 hex digits. Empty: not known yet,
     * for a row of a version that kept none; see store_seal. */
    struct sv metadata_sha256;
};

struct dropping; /* below */
/* A table as it is to be. */
struct table_change {
    const struct table_row *row;
    struct sv old_metadata_location; /* store_table_swap: what must be in force */
    struct sv old_metadata_sha256;   /* ... and its bytes, where the row knows them */
    struct sv principal;             /* who asks: its staged place for this name is no obstacle */
    int64_t now_ms;                  /* staged places that have expired are nobody's */
    /* store_table_swap: how folders that it gives up are remembered, as if they had been dropped
     * under its name; NULL: not at all. */
    const struct dropping *leaves;
    struct sv overlap; /* out: "catalog/ns.name" of whose place it would take; empty: nobody's */
};
/* ERR_NOT_FOUND. */
MUST_CHECK bool store_table_get(struct store *s, const struct table_name *t, struct arena *a,
                                struct table_row *out, struct err *e);
/* Takes up the place that `principal` staged for this name at this location, if there is one; no
 * other staged place goes. ERR_NOT_FOUND: no such namespace. ERR_CONFLICT: a table of that name, or
 * `overlap` is set. All in one transaction. */
MUST_CHECK bool store_table_create(struct store *s, const struct table_name *t,
                                   struct table_change *c, struct arena *a, struct err *e);
/* ERR_NOT_FOUND. ERR_CONFLICT: someone was first, or `overlap` is set. */
MUST_CHECK bool store_table_swap(struct store *s, const struct table_name *t,
                                 struct table_change *c, struct arena *a, struct err *e);
/* Several tables, all of them or none: each created, swapped, or only compared with what must be in
 * force. `*failed` is the one that it failed at, as the two above would; it is one of them also
 * when none of them is to blame. */
struct table_step {
    struct table_name name;
    struct table_change *change;
    enum table_step_kind { STEP_CREATE, STEP_SWAP, STEP_KEEP } kind;
};
MUST_CHECK bool store_tables_commit(struct store *s, const struct table_step *steps, size_t n,
                                    struct arena *a, size_t *failed, struct err *e);
/* Only looks: sets `overlap` as the two above would. */
MUST_CHECK bool store_table_overlap(struct store *s, const struct table_name *t,
                                    struct table_change *c, struct arena *a, struct err *e);
MUST_CHECK bool store_table_list(struct store *s, const struct ns_name *n, const struct page *page,
                                 struct arena *a, struct sv_vec *out, struct err *e);
/*
 * How something is dropped. Its files stay, so its place is remembered: for `keep_ms` only what
 * bears the same catalog, namespace and name, as the same kind, may be put there again, and it
 * takes the place up. With `purge` its files are to be deleted (store_purge_take): until that has
 * ended nobody may be put there, and for `keep_ms` from then on again only what bears the name.
 *
 * An obligation stays with the place: an entry that takes one up, dropped or staged, and gives it
 * up again, by a drop, a move or a purge, has it remembered until the later of both times.
 */
struct dropping {
    struct sv mark; /* fresh: what tells this one from all others that were dropped */
    struct sv principal, request;
    int64_t now_ms;  /* what has expired by now is forgotten, some of it with each drop */
    int64_t keep_ms; /* 0, without `purge`: nothing is remembered that was not before */
    bool purge;
};
/* ERR_NOT_FOUND. */
MUST_CHECK bool store_table_drop(struct store *s, const struct table_name *t,
                                 const struct dropping *d, struct err *e);

/* A dropped table whose files are to be deleted. */
struct purge_row {
    int64_t id;
    struct table_name table;
    struct table_row row; /* as it was */
    struct sv mark, principal, request;
    int64_t dropped_ms, attempts;
};
/* Who works on one, and until when nobody else does. */
struct purge_lease {
    struct sv holder;
    int64_t now_ms, until_ms;
    bool alone; /* no other program has this store: whoever else held one is gone */
};
/* The one that has waited longest of those that are due and in nobody's hands; it is the lease's
 * then. ERR_NOT_FOUND: there is none. */
MUST_CHECK bool store_purge_take(struct store *s, const struct purge_lease *l, struct arena *a,
                                 struct purge_row *out, struct err *e);
/* Each is ERR_CONFLICT when it is another's now, or over. */
MUST_CHECK bool store_purge_hold(struct store *s, int64_t id, const struct purge_lease *l,
                                 struct err *e);
/* Nobody's, and not due before `next_ms`. */
MUST_CHECK bool store_purge_postpone(struct store *s, int64_t id, const struct purge_lease *l,
                                     int64_t next_ms, struct err *e);
MUST_CHECK bool store_purge_end(struct store *s, int64_t id, const struct purge_lease *l,
                                struct err *e);
/* How many there are. */
MUST_CHECK bool store_purges(struct store *s, int64_t *n, struct err *e);
/* Only the name moves, within one catalog: files and folders stay. ERR_NOT_FOUND: no such table,
 * or no namespace to move it to, with `no_namespace` set. ERR_CONFLICT: the name is taken. */
struct renaming {
    struct table_name from, to;
    bool view;         /* else a table */
    bool no_namespace; /* out */
    bool onto_view;    /* out, with ERR_CONFLICT: what bears the name is a view */
};
MUST_CHECK bool store_rename(struct store *s, struct renaming *r, struct arena *a, struct err *e);

/*
 * Views: as tables, with names from the same space (a name that either bears is ERR_CONFLICT) and
 * folders that are nobody else's.
 */
MUST_CHECK bool store_view_get(struct store *s, const struct table_name *t, struct arena *a,
                               struct table_row *out, struct err *e);
MUST_CHECK bool store_view_list(struct store *s, const struct ns_name *n, const struct page *page,
                                struct arena *a, struct sv_vec *out, struct err *e);
MUST_CHECK bool store_view_overlap(struct store *s, const struct table_name *t,
                                   struct table_change *c, struct arena *a, struct err *e);
MUST_CHECK bool store_view_create(struct store *s, const struct table_name *t,
                                  struct table_change *c, struct arena *a, struct err *e);
MUST_CHECK bool store_view_swap(struct store *s, const struct table_name *t, struct table_change *c,
                                struct arena *a, struct err *e);
MUST_CHECK bool store_view_drop(struct store *s, const struct table_name *t,
                                const struct dropping *d, struct err *e);

/* Enters row->metadata_sha256 of the metadata file of a table or a view whose row has none. An
 * equal one that is there already is as good. ERR_CONFLICT: the row names another file, or knows
 * other bytes. */
MUST_CHECK bool store_seal(struct store *s, const struct table_name *t, bool view,
                           const struct table_row *row, struct err *e);

/*
 * A staged create: the place that was promised to a principal, before the table exists.
 *
 * Keys for all of its folders are handed out with the promise. So they stay that principal's until
 * `expires_ms`, which the caller sets beyond the life of every such key, whatever becomes of the
 * name meanwhile: nobody else's create, commit or stage drops them, and the table that takes the
 * promise up leaves those that it does not use. A principal that stages a name again holds the new
 * place beside the first; at the same location the promise is prolonged, holds the new folders
 * beside its own, and its uuid is returned. One that has expired blocks nobody, and is forgotten by
 * the next stage.
 */
struct staged_row {
    struct sv principal, uuid, location;
    int64_t expires_ms;
    struct sv_vec extra_locations; /* in: as of a struct table_row */
};
struct staging {
    struct staged_row row; /* in and out: a promise that is prolonged keeps its uuid */
    int64_t now_ms;
    struct sv overlap; /* out: as of a struct table_change */
};
MUST_CHECK bool store_stage(struct store *s, const struct table_name *t, struct staging *g,
                            struct arena *a, struct err *e);
/* The promise to out->principal of out->location. ERR_NOT_FOUND: none, or expired. */
MUST_CHECK bool store_staged_get(struct store *s, const struct table_name *t, int64_t now_ms,
                                 struct arena *a, struct staged_row *out, struct err *e);

/*
 * What was answered to a request that bears a key, so that the same request is answered alike and
 * not carried out again. A principal's keys are its own. Nothing secret is kept: what is handed out
 * with an answer is made anew.
 */
enum { STORE_ANSWER_MS = 35 * 60 * 1000 }; /* how long; half an hour is promised, clocks differ */
struct answer {
    struct sv principal, key;
    struct sv request;                 /* a digest of all that was asked */
    struct sv attempt;                 /* which of several that asked the same */
    struct sv metadata_location, uuid; /* of what it says, where that lies in a file */
    struct sv metadata_sha256;         /* of that file; empty: not known */
    struct sv body;                    /* of what lies in none */
    int status;
    int64_t made_ms;
    bool kept; /* out: it has been entered for good */
};
/* From now on `w`, as it stands then, is entered by the next writing transaction as a part of it:
 * both happen or neither does. ERR_CONFLICT of that transaction: maybe that the key has an answer.
 * NULL: no more. */
void store_answer_with(struct store *s, struct answer *w);
/* `w` alone. ERR_CONFLICT: the key has an answer. */
MUST_CHECK bool store_answer_put(struct store *s, struct answer *w, struct err *e);
/* By out->principal and out->key. ERR_NOT_FOUND: none, or it is too old. */
MUST_CHECK bool store_answer_get(struct store *s, int64_t now_ms, struct arena *a,
                                 struct answer *out, struct err *e);

/*
 * The audit trail, in pages: what a program has decided in a moment, as lines of JSON. One row for
 * many records, so that keeping them costs the database little.
 */
struct trail_page {
    struct sv mark;         /* the page's own: one that is put in again is there once */
    int64_t from_ms, to_ms; /* of its first and its last record's time */
    int64_t records;
    struct sv lines;
};
MUST_CHECK bool store_trail_put(struct store *s, const struct trail_page *p, struct err *e);
/* Some of the pages that ended before `until_ms`; `*more`: call again. */
MUST_CHECK bool store_trail_forget(struct store *s, int64_t until_ms, bool *more, struct err *e);
/* Page after page that has to do with a time, the newest first; `*found` false: that was all. What
 * `out` was given must stay as long as `r` is read with. */
struct trail_reading {
    int64_t from_ms, to_ms;
    bool begun;
    int64_t before_ms;
    struct sv before_mark;
};
MUST_CHECK bool store_trail_read(struct store *s, struct trail_reading *r, struct arena *a,
                                 struct trail_page *out, bool *found, struct err *e);

/* What store_copy has copied: how many rows of what. */
enum { STORE_KINDS = 10 };
struct store_copied {
    const char *what[STORE_KINDS];
    int64_t rows[STORE_KINDS];
};
/*
 * All that `from` holds into `to`, in one transaction, and every row of both compared before it
 * ends; nobody writes to `from` meanwhile. ERR_NOT_FOUND: there is nothing to copy, ERR_CONFLICT:
 * `to` is not empty, ERR_INTERNAL: the copy differs. `to` is as it was whenever it fails.
 */
MUST_CHECK bool store_copy(struct store *from, struct store *to, struct store_copied *out,
                           struct err *e);

#endif
