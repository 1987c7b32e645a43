/* commit_steps.h - what every change of a table's pointer does: hold rights, places and claims
 * against the rules before anything is written. */
#ifndef CATALOG_COMMIT_STEPS_H
#define CATALOG_COMMIT_STEPS_H

#include "catalog/table_steps.h"

/* One table on its way from what it is to what it will be. */
struct commit_one {
    struct table_at at; /* first: table_steps.h. As it is; of a new table only the path */
    const struct json *request;
    bool creates;
    struct sv fresh;          /* a UUID for the file; drawn before commit_apply */
    bool changed;             /* it will differ; what follows is of `after` only then */
    struct json *after;       /* the metadata as it will be */
    struct sv text, body;     /* ... as its file will say it; its bytes, packed where they are */
    struct sv file, old_file; /* of `after`; of what `at` holds */
    struct table_row row;     /* as it will be */
    struct location folders[8];
    size_t n_folders;
    struct table_change change;
    struct dropping leaving; /* of the folders that it gives up */
    bool leaves;             /* it gives some up; commit_leaves's */
    struct sv_vec forgotten; /* old metadata files that go; commit_forget's */
    size_t forgotten_at;
    call_then_fn *then;
};

/* Whether an update says where files lie: a location, or a `write.*.path`. */
bool commit_moves(const struct json *update);
/* What the request's updates take, all of it; sets `creates`. */
MUST_CHECK bool commit_rights(struct call *c, struct commit_one *o, struct err *e);
/* `after`, from what `at` holds and `request` asks, and its file. Pure, for call_compute. */
MUST_CHECK bool commit_apply(struct call *c, struct commit_one *o, struct err *e);
/* Whether that takes long. */
bool commit_is_long(const struct call *c, const struct commit_one *o);
/* Its last part: the name of the file of `after`, and what that will hold. */
void commit_words(struct call *c, struct commit_one *o);
/* row and folders of `after`: allowed, and every file that it names in them; a place or a UUID that
 * is not the row's takes its own privilege, whatever brought it. */
MUST_CHECK bool commit_claims(struct call *c, struct commit_one *o, struct err *e);
/* Sets leaves and leaving: folders that it gives up are remembered as if it had been dropped. */
void commit_leaves(struct call *c, struct commit_one *o);
/* Whether all folders are ones that the table has already: then nobody need be asked for them. */
bool commit_keeps_places(const struct commit_one *o);
/* `change` for the store, from what is known now. */
void commit_change(const struct call *c, struct commit_one *o);
/* On a keeper: whether the places are free, and promised where the table is new. ERR_CONFLICT: a
 * table bears the name. Otherwise change.overlap tells. */
MUST_CHECK bool commit_places(struct call *c, struct store *s, struct commit_one *o, struct err *e);

/* table_metadata's `otherwise` for what is to be changed. A file that cannot be used is 409 here:
 * nothing was applied, and clients take 500 for an outcome that is not known. */
bool commit_unread(struct call *c, const struct err *outcome, struct err *e);
/* Whether the table that bears `uuid` was made by this request, whose answer was lost: a new
 * table's uuid is fresh. */
bool commit_made(const struct commit_one *o, struct sv uuid);
/* What a refusal with ERR_CONFLICT is called here. Always false. */
bool commit_conflict(struct call *c);
/* Fills `ask`, which writes the file of `after`. ERR_INVALID: it would be larger than what is
 * read. */
MUST_CHECK bool commit_file(struct call *c, struct commit_one *o, struct object_ask *ask,
                            struct err *e);
/*
 * After the pointer has moved for sure: takes away the metadata files that fell off the log, where
 * the table wants it, one by one and best effort; then goes on. Only what is named as a metadata
 * file and lies in the table's own folders: a file that was registered may name anything in its
 * log. `o` is c->work, or what it begins with. forget.c.
 */
bool commit_forget(struct call *c, struct commit_one *o, call_then_fn *then, struct err *e);

#endif
