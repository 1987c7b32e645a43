/*
 * sql.h - statements with bound parameters, prepared once; shared by the files of store/. What a
 * database does of its own stands behind a door.
 *
 * Statements are written once, in what SQLite and PostgreSQL both understand: '?' for a parameter
 * ('?1' for one that is used again), no text in quotes with a '?' in it, LIMIT not below 0, ids by
 * RETURNING, no function that only one of them has. Outside sql_transaction only reads are allowed.
 */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include "base/map.h"
#include "store/store.h"

struct sql_door;

/* The head of what a database keeps; `prepared` holds its statements by text. */
struct store {
    struct arena *arena;
    const struct sql_door *door;
    struct map prepared;
    struct answer *answer; /* store_answer_with's */
    unsigned answers;      /* entered so far */
};

/* A statement under way: bind in order, step, read columns, reset by sql_end. */
struct sql {
    struct store *store;
    void *stmt;
    int bound;
};

/* The text must be a literal: its address's content is the key. A text may be under way once. */
MUST_CHECK bool sql_begin(struct store *s, const char *text, struct sql *out, struct err *e);
/* What is bound must stay until the first step. */
void sql_text(struct sql *q, struct sv v);
void sql_i64(struct sql *q, int64_t v);
/* True with `*row` set when there is a row. */
MUST_CHECK bool sql_step(struct sql *q, bool *row, struct err *e);
struct sv sql_column(struct sql *q, int i, struct arena *a);
int64_t sql_column_i64(struct sql *q, int i);
void sql_end(struct sql *q);
/* One statement without rows: the parameters are text. */
MUST_CHECK bool sql_run(struct store *s, const char *text, const struct sv *parameters, size_t n,
                        struct err *e);
/* How many rows the last statement that wrote has changed. */
int64_t sql_changes(const struct store *s);

/* Binds `page` as the last two parameters, after and limit; collects the first column; ends `q`. */
MUST_CHECK bool sql_list(struct sql *q, const struct page *page, struct arena *a,
                         struct sv_vec *out, struct err *e);
/* Steps once, for a statement without rows, and ends `q`. */
MUST_CHECK bool sql_do(struct sql *q, struct err *e);
/* Raises `*out` to the number of the first row, if there is one; ends `q`. */
MUST_CHECK bool sql_raise(struct sql *q, int64_t *out, struct err *e);
/* Ends `q`, an INSERT ... RETURNING id. */
MUST_CHECK bool sql_insert(struct sql *q, int64_t *id, struct err *e);

/*
 * A transaction around `work`; it is rolled back when that fails. A COMMIT of unknown outcome is
 * ERR_INTERNAL. Of all programs on one database one at a time is in here, and what it reads is what
 * the one before has left: what `work` has looked at stays true until it ends.
 *
 * `work` may run again from the start when the database asks for it, and may not go on after a
 * statement that failed. What store_answer_with has named goes with it.
 */
typedef bool sql_work_fn(struct store *s, void *context, struct err *e);
MUST_CHECK bool sql_transaction(struct store *s, sql_work_fn *work, void *context, struct err *e);

/* ---- what a database does: sql_sqlite.c, sql_postgres.c ---- */

struct sql_door {
    bool (*open)(struct sv url, struct arena *a, struct store **out, struct err *e);
    /* What opening has left undone; NULL: nothing. */
    bool (*check)(struct store *s, struct err *e);
    bool (*prepare)(struct store *s, const char *text, void **stmt, struct err *e);
    void (*bind_text)(void *stmt, int at, struct sv v); /* `at` is from 1 */
    void (*bind_i64)(void *stmt, int at, int64_t v);
    bool (*step)(struct store *s, void *stmt, bool *row, struct err *e);
    struct sv (*column)(void *stmt, int i); /* until the next step */
    int64_t (*column_i64)(void *stmt, int i);
    void (*reset)(void *stmt);
    int64_t (*changes)(const struct store *s);
    bool (*transaction)(struct store *s, sql_work_fn *work, void *context, struct err *e);
    bool shared; /* by other programs */
};

extern const struct sql_door sql_sqlite, sql_postgres;

/* ---- answers.c ---- */

/* ERR_CONFLICT: the key has an answer. In a transaction. */
MUST_CHECK bool answer_enter(struct store *s, const struct answer *w, struct err *e);

/* ---- folders.c ---- */

/* What a row of `tables` is: views have the same names, pointers and folders. */
enum entry { ENTRY_TABLE, ENTRY_VIEW, ENTRY_ANY };

/* Whom a question about a place leaves out; ids are from 1. */
struct owner {
    int64_t table, staged;
    int64_t now_ms; /* staged creates that have expired own nothing, nor does what was dropped */
    /* What was dropped under this name as that kind, unless its files are being deleted; NULL:
     * nothing that was dropped is left out. */
    const struct table_name *name;
    enum entry kind;
};
/* A table, a staged create that has not expired or something dropped that has not, whose folders
 * overlap; `*who` is empty when there is none. */
MUST_CHECK bool folder_overlap(struct store *s, struct sv folder, const struct owner *but,
                               struct arena *a, struct sv *who, struct err *e);
/* What lies below a folder sorts from it to here. */
struct sv folder_end(struct sv folder, struct arena *a);
/* The folders of a row; the first is the location. */
size_t row_folders(const struct table_row *row);
struct sv row_folder(const struct table_row *row, size_t i);
/* ERR_CONFLICT with `*who` set. */
MUST_CHECK bool folder_free(struct store *s, struct sv folder, const struct owner *but,
                            struct arena *a, struct sv *who, struct err *e);
/* `text` inserts a folder and its owner's id. */
MUST_CHECK bool folder_claim(struct store *s, const char *text, struct sv folder, int64_t id,
                             struct err *e);

/* ---- staged.c ---- */

/* The promise of g->row.principal and g->row.location that is live: its id, or 0; uuid and
 * expiry go into g->row. */
MUST_CHECK bool staged_find(struct store *s, const struct table_name *t, struct staging *g,
                            struct arena *a, int64_t *id, struct err *e);
/* The table of `row` has come about: its folders are promised no more. */
MUST_CHECK bool staged_take_up(struct store *s, int64_t id, const struct table_row *row,
                               struct arena *a, struct err *e);

/* ---- tables.c ---- */

struct entry_found {
    int64_t id; /* 0: there is none */
    struct sv metadata, sha256;
};
MUST_CHECK bool table_find_id(struct store *s, const struct table_name *t, enum entry kind,
                              struct arena *a, struct entry_found *out, struct err *e);
MUST_CHECK bool entry_get(struct store *s, const struct table_name *t, enum entry kind,
                          struct arena *a, struct table_row *out, struct err *e);
struct entries {
    const struct ns_name *ns;
    enum entry kind;
};
MUST_CHECK bool entry_list(struct store *s, struct entries of, const struct page *page,
                           struct arena *a, struct sv_vec *out, struct err *e);
MUST_CHECK bool entry_overlap(struct store *s, const struct table_name *t, enum entry kind,
                              struct table_change *c, struct arena *a, struct err *e);
/* One change under way. */
struct entry_change {
    const struct table_name *name;
    struct table_change *change;
    struct arena *arena;
    enum entry kind;
    int64_t *held_ms; /* while its folders are claimed: until when each is to be remembered */
};
/* The whole of a commit that moves nothing, in one statement: compares, sees that the folders are
 * those that are owned already, and sets. No row: something of it is not so. */
extern const char entry_swap_text[];
MUST_CHECK bool entry_create(struct store *s, const struct entry_change *c, struct err *e);
MUST_CHECK bool entry_swap(struct store *s, const struct entry_change *c, struct err *e);

/* ---- dropped.c ---- */

/* The expiry of what is being purged: none. Nothing else is as late. */
#define NEVER_MS "9223372036854775807"

MUST_CHECK bool entry_drop(struct store *s, const struct table_name *t, enum entry kind,
                           const struct dropping *d, struct err *e);
/* Everything that the entry owns is from now on what was dropped under its name, where there is a
 * time for which it is to be remembered. */
MUST_CHECK bool dropped_remember(struct store *s, int64_t entry, const struct dropping *d,
                                 struct err *e);
/* The folders of `c` are about to be claimed: what was dropped under its name gives up those that
 * lie in them, and is forgotten when it has none left; c->held_ms is raised to its time. */
MUST_CHECK bool dropped_take_up(struct store *s, const struct entry_change *c, struct err *e);

#endif
