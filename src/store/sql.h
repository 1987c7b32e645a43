/* sql.h - statements with bound parameters, prepared once; shared by the files of store/. */
#ifndef STORE_SQL_H
#define STORE_SQL_H

#include <sqlite3.h>

#include "base/map.h"
#include "store/store.h"

struct store {
    struct arena *arena;
    sqlite3 *db;
    struct map prepared; /* by text */
};

/* A statement under way: bind in order, step, read columns, reset by sql_end. */
struct sql {
    struct store *store;
    sqlite3_stmt *stmt;
    int bound;
};

/* The text must be a literal: its address's content is the key. */
MUST_CHECK bool sql_begin(struct store *s, const char *text, struct sql *out, struct err *e);
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

/* Binds `page` as the last two parameters, after and limit; collects the first column; ends `q`. */
MUST_CHECK bool sql_list(struct sql *q, const struct page *page, struct arena *a,
                         struct sv_vec *out, struct err *e);
/* Steps once, for a statement without rows, and ends `q`. */
MUST_CHECK bool sql_do(struct sql *q, struct err *e);

/* What SQLite's code means for us: nothing was changed and it may be tried again, or our own bug.
 */
bool sql_error(struct store *s, int code, struct err *e);
/* A transaction around `work`; it is rolled back when that fails. A COMMIT of unknown outcome is
 * ERR_INTERNAL. */
typedef bool sql_work_fn(struct store *s, void *context, struct err *e);
MUST_CHECK bool sql_transaction(struct store *s, sql_work_fn *work, void *context, struct err *e);

/* ---- folders.c ---- */

/* Whom a question about a place leaves out; ids are from 1. */
struct owner {
    int64_t table, staged;
    int64_t now_ms; /* staged creates that have expired own nothing */
};
/* A table, or a staged create that has not expired, whose folders overlap; `*who` is empty when
 * there is none. */
MUST_CHECK bool folder_overlap(struct store *s, struct sv folder, const struct owner *but,
                               struct arena *a, struct sv *who, struct err *e);
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
MUST_CHECK bool staged_drop(struct store *s, int64_t id, struct err *e);

/* ---- tables.c ---- */

/* The row's id, 0 when there is none, and its metadata's location. */
MUST_CHECK bool table_find_id(struct store *s, const struct table_name *t, struct arena *a,
                              int64_t *id, struct sv *metadata, struct err *e);

#endif
