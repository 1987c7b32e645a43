/* table_steps.h - what several table handlers do: find a table, hold its folders against the rules,
 * read its metadata. */
#ifndef CATALOG_TABLE_STEPS_H
#define CATALOG_TABLE_STEPS_H

#include "iceberg/metadata.h"
#include "serve/call.h"

/* {prefix}, {namespace} and, when there is one, {table} of the path, decoded; the catalog is one
 * the caller sees. */
struct table_path {
    struct levels ns;
    struct sv table;
};
MUST_CHECK bool table_path(struct call *c, struct table_path *out, struct err *e);
/* The same from an identifier in a body: {"namespace": [...], "name": "..."}; `what` names it. */
MUST_CHECK bool table_identifier(struct call *c, const struct json *v, const char *what,
                                 struct table_path *out, struct err *e);
/*
 * Goes on with `go` when the caller holds `p`, a right to list or to read, on the name of the path.
 *
 * Otherwise 403, but 404 where that tells nothing: of a name that lies below a table which the
 * caller may load (clients ask for a table t.files first, and for t's files only then), or that it
 * may load as the other of table and view, whatever is there; and of a free name that it may
 * create. Takes c->work. read_rights.c
 */
MUST_CHECK bool read_demand(struct call *c, const struct table_path *path, enum privilege p,
                            call_fn *go, struct err *e);
/* Any right on the namespace, or on what is in it, or `p`. Otherwise 403, but 404 below a table.
 * read_rights.c */
MUST_CHECK bool within_demand(struct call *c, const struct levels *ns, enum privilege p,
                              struct err *e);
/* Whether a level of the namespace is a table's name that the caller may load. read_rights.c */
bool lies_below_a_table(const struct call *c, const struct levels *ns);
/* The same for the store. */
struct ns_name path_ns(const struct call *c, const struct table_path *p);
struct table_name path_table(const struct call *c, const struct table_path *p);
/* The same for messages: "ns.table". */
struct sv path_text(const struct call *c, const struct table_path *p);

/* A table found: its row, and its folders checked now. Kept in c->work by those who embed it first
 * there. */
struct table_at {
    struct table_path path;
    struct table_row row;
    bool overlaps; /* a folder lies in another table's place */
    struct location folders[8];
    size_t n_folders;
    struct json *metadata; /* after table_metadata */
    struct sv text;        /* after table_text: JSON, as a load answers it */
    struct sv whole;       /* ... with all snapshots */
    bool is_kept;          /* ... and in the cache already */
    call_then_fn *then;
    call_then_fn *otherwise; /* table_metadata failed; NULL: the call ends with the error */
    uint64_t asked_epoch;
    bool refs_only;         /* snapshots=refs */
    bool is_load;           /* its answer may be given again */
    bool is_made;           /* by this request, a moment ago: no answer may call it refused */
    bool is_view;           /* a view is handled as a table is */
    struct sv found_sha256; /* of the bytes that were read */
    const char *tampered;   /* what of them is not as the row has it: "its bytes are"; or NULL */
    bool enters_sha256;     /* the row knew none: t->row.metadata_sha256 goes into it */
    call_then_fn *entered;
};

/* ERR_CONFLICT: a table bears the name. On a keeper. */
MUST_CHECK bool table_is_new(struct store *s, const struct table_name *name, struct arena *a,
                             struct err *e);
/* On a keeper: whether a view bears the name; where that is not known, none does. */
bool name_is_views(struct store *s, const struct table_name *name, struct arena *a);
/* "View with same name already exists". Always false. */
bool view_in_the_way(const struct call *c, const struct table_path *path, struct err *e);
/* Reads the row into `t` (c->work must be, or begin with, a struct table_at) and checks that each
 * folder is allowed and in no other table's place. ERR_NOT_FOUND in Iceberg's words. */
MUST_CHECK bool table_find(struct call *c, struct table_at *t, call_then_fn *then, struct err *e);
/* t->folders from t->row, each checked to be allowed. */
MUST_CHECK bool table_folders(struct call *c, struct table_at *t, struct err *e);
/*
 * The home of a namespace: its `location` property (`own`), or else the folder of its names below
 * the catalog's base. Without a closing slash. What lies elsewhere takes a privilege. choose.c.
 */
struct sv home_text(struct call *c, const struct levels *ns, struct sv own);
/* `below`: the rest of the location's key. */
bool home_holds(struct call *c, const struct levels *ns, struct sv own, const struct location *l,
                struct sv *below);
/* On a keeper: the `location` of the namespace, or nothing. ERR_NOT_FOUND. */
MUST_CHECK bool home_get(struct call *c, struct store *s, const struct levels *ns, struct sv *own,
                         struct err *e);
/* A location of its own in there: the name and a part of the fresh `uuid`. */
struct sv location_choose(struct call *c, const struct table_path *path, struct sv own,
                          struct sv uuid);
/* Each of the folders lies in the home, or in one that it `kept`; else the caller holds
 * TABLE_SET_LOCATION. */
struct place_ask {
    const struct table_path *path;
    struct sv own;
    bool is_view;
    const struct location *kept;
    size_t n_kept;
};
MUST_CHECK bool home_check(struct call *c, const struct place_ask *ask,
                           const struct location *folders, size_t n, struct err *e);
/* Beyond the life of every key that can be handed out now; clocks differ. */
int64_t keys_end_ms(const struct call *c);
/* How what the caller drops now is remembered. drop.c */
struct dropping dropping_of(const struct call *c, bool purge);
/* LIMIT: location and write paths of `metadata` as folders for the store. ERR_DENIED when one is
 * not allowed. */
MUST_CHECK bool folders_of(struct call *c, const struct json *metadata, struct table_row *row,
                           struct location *folders, size_t *n, struct err *e);
/* Adds a folder unless one that is there contains it. ERR_INVALID: too many. */
MUST_CHECK bool folder_add(const struct location *l, struct location *folders, size_t *n,
                           struct err *e);
/* The folders as the store's row says them: the first is the table's location. */
void folders_row(struct call *c, const struct location *folders, size_t n, struct table_row *row);
/* A question about the file at `text`, asked with a credential that is narrowed to the one of the
 * table's folders that it lies in (the first, when it lies in none). */
MUST_CHECK bool table_file(struct call *c, struct sv text, const struct location *folders, size_t n,
                           struct object_ask *out, struct err *e);
/* Answers with a LoadTableResult: the metadata `text` of the file of `row` (which has none while
 * staged), and the keys that were asked for, for the folders of `t`. Takes c->work. answer.c. */
MUST_CHECK bool table_answer(struct call *c, const struct table_at *t, const struct table_row *row,
                             struct sv text, struct err *e);
/* What table_answer would say no to for sure: before anything is made. answer.c. */
MUST_CHECK bool table_may_answer(struct call *c, const struct table_at *t, struct err *e);
/* Answers a load as the one before it, when that still holds: whether it did. answer.c. */
bool table_answer_again(struct call *c, bool refs_only);
/* Answers with "metadata-location", "metadata" and what `more`, an object's text or nothing, holds.
 * Always true. answer.c. */
bool metadata_reply(struct call *c, struct sv file, struct sv text, struct sv more);
/* Whether the client holds what table_answer would say of t->row and may go on with it: a tag that
 * it sent says so, and is in the answer's head now. answer.c. */
bool table_is_held(struct call *c, const struct table_at *t);
bool table_answer_held(struct call *c); /* 304. Always true. answer.c */
/* Tags an answer without keys that holds the whole file of `row`, as a load of it without keys
 * would. answer.c. */
void table_tag(struct call *c, const struct table_at *t, const struct table_row *row);

/* ---- metadata.c ---- */

/* The metadata file of t->row, from the cache or the bucket, into t->metadata. */
MUST_CHECK bool table_metadata(struct call *c, struct table_at *t, call_then_fn *then,
                               struct err *e);
/* The same as text alone, into t->text; what is in the cache is not read as JSON again. */
MUST_CHECK bool table_text(struct call *c, struct table_at *t, call_then_fn *then, struct err *e);
/* Whether work on it would keep the loop's other calls waiting: call_compute's `long_`. */
bool metadata_is_large(struct sv text);
/* Puts the text of the row's file into the cache: it has just been written, or understood. It is
 * known there by its name and by the hash that the row has of its bytes. */
void metadata_remember(struct call *c, const struct table_row *row, struct sv text);
/* The text that a load of the row's file answers, from the cache; it lives as long as the call. */
bool metadata_recall(struct call *c, const struct table_row *row, bool refs_only, struct sv *out);
/* The same, but never of a file of this machine: that is as near as the cache, and people move
 * files. */
bool metadata_known(struct call *c, const struct table_row *row, bool refs_only, struct sv *out);
/* `text` as it was before it was packed, where it is. */
MUST_CHECK bool metadata_unpack(const struct call *c, struct sv *text, struct err *e);
/* The bytes of a metadata file of that name. */
struct sv metadata_body(const struct call *c, struct sv file, struct sv text);
/*
 * Ends a call that has read no metadata from the file of `t`: by `outcome`, or, when that is NULL,
 * because what was read is none, or not what was committed, as `e` says.
 *
 * A store that is away is told as it is. What lies in the bucket is neither a fault of the request
 * nor passing: a file that is gone is 404, one that cannot be used 500, with its name and nothing
 * of its content. Always false.
 */
bool metadata_unread(struct call *c, const struct table_at *t, const struct err *outcome,
                     struct err *e);

/* ---- metadata_seal.c ----
 *
 * A metadata file lies where vended credentials can write. What is in force is what the row says:
 * the SHA-256 of the file's bytes, and of rows that know none yet UUID, location and write paths.
 */

/* Whether `bytes`, as they lie in the bucket, are those that the row knows. False: `tampered` is
 * set. Pure. */
MUST_CHECK bool metadata_is_committed(struct call *c, struct table_at *t, struct sv bytes,
                                      struct err *e);
/* Whether `t->metadata` is what the row says, where that knows no bytes: it will then. Pure. */
MUST_CHECK bool metadata_agrees(struct call *c, struct table_at *t, struct err *e);
/* Counts it, and says it in the log and in the record of the call. */
void metadata_tampered(struct call *c, const struct table_at *t);
/* Enters the hash of what was read into a row that knew none, then goes on. `t` is c->work, or what
 * it begins with. */
MUST_CHECK bool metadata_enter(struct call *c, struct table_at *t, call_then_fn *then,
                               struct err *e);

#endif
