/* sql.c - SQLite: opening, statements, transactions. */
#include "store/sql.h"

#include <stdio.h>

#include "base/limits.h"
#include "store/schema.h"

enum { BUSY_MS = 5000 };

bool sql_error(struct store *s, int code, struct err *e)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_READONLY:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
        return err_set(e, ERR_UNAVAILABLE, "the catalog's database cannot be used now: %s",
                       sqlite3_errmsg(s->db));
    default:
        return err_set(e, ERR_INTERNAL, "the catalog's database: %s", sqlite3_errmsg(s->db));
    }
}

static void finalize(void *stmt)
{
    (void)sqlite3_finalize(stmt);
}

bool sql_begin(struct store *s, const char *text, struct sql *out, struct err *e)
{
    sqlite3_stmt *stmt = map_get(&s->prepared, sv_from(text));

    if (!stmt) {
        int code = sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);

        if (code != SQLITE_OK)
            return sql_error(s, code, e);
        arena_defer(s->arena, finalize, stmt);
        (void)map_put(&s->prepared, sv_from(text), stmt);
    }
    *out = (struct sql){.store = s, .stmt = stmt};
    return true;
}

void sql_text(struct sql *q, struct sv v)
{
    (void)sqlite3_bind_text64(q->stmt, ++q->bound, v.n ? v.p : "", v.n, SQLITE_TRANSIENT,
                              SQLITE_UTF8);
}

void sql_i64(struct sql *q, int64_t v)
{
    (void)sqlite3_bind_int64(q->stmt, ++q->bound, v);
}

bool sql_step(struct sql *q, bool *row, struct err *e)
{
    int code = sqlite3_step(q->stmt);

    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return true;
    if ((code & 0xff) == SQLITE_CONSTRAINT)
        return err_set(e, ERR_CONFLICT, "it exists already");
    return sql_error(q->store, code, e);
}

struct sv sql_column(struct sql *q, int i, struct arena *a)
{
    const char *text = (const char *)sqlite3_column_text(q->stmt, i);

    return arena_dup(a, sv_of(text, text ? (size_t)sqlite3_column_bytes(q->stmt, i) : 0));
}

int64_t sql_column_i64(struct sql *q, int i)
{
    return sqlite3_column_int64(q->stmt, i);
}

void sql_end(struct sql *q)
{
    (void)sqlite3_reset(q->stmt);
    (void)sqlite3_clear_bindings(q->stmt);
}

bool sql_list(struct sql *q, const struct page *page, struct arena *a, struct sv_vec *out,
              struct err *e)
{
    bool row = false, ok;

    sql_text(q, page->after);
    sql_i64(q, page->limit ? page->limit : -1);
    while ((ok = sql_step(q, &row, e)) && row)
        vec_push(out, a, sql_column(q, 0, a));
    sql_end(q);
    return ok;
}

bool sql_do(struct sql *q, struct err *e)
{
    bool row, ok = sql_step(q, &row, e);

    sql_end(q);
    return ok;
}

bool sql_run(struct store *s, const char *text, const struct sv *parameters, size_t n,
             struct err *e)
{
    struct sql q;

    if (!sql_begin(s, text, &q, e))
        return false;
    for (size_t i = 0; i < n; i++)
        sql_text(&q, parameters[i]);
    return sql_do(&q, e);
}

/* Where there was no room, or the log could not be written, the frame that commits is not there. A
 * sync that fails says nothing. */
static bool was_not_written(struct store *s)
{
    return (sqlite3_errcode(s->db) & 0xff) == SQLITE_FULL ||
           sqlite3_extended_errcode(s->db) == SQLITE_IOERR_WRITE;
}

bool sql_transaction(struct store *s, sql_work_fn *work, void *context, struct err *e)
{
    struct err ignored = {0};

    /* One that could not be rolled back then must not stand in the way for ever. */
    if (!sqlite3_get_autocommit(s->db) && !sql_run(s, "ROLLBACK", NULL, 0, e))
        return false;
    if (!sql_run(s, "BEGIN IMMEDIATE", NULL, 0, e))
        return false;
    if (work(s, context, e)) {
        if (sql_run(s, "COMMIT", NULL, 0, e))
            return true;
        /* While the transaction is still open, nothing has been made durable. */
        if (sqlite3_get_autocommit(s->db) && !was_not_written(s))
            e->code = ERR_INTERNAL;
    }
    if (!sqlite3_get_autocommit(s->db) && !sql_run(s, "ROLLBACK", NULL, 0, &ignored))
        e->code = ERR_INTERNAL;
    return false;
}

/* ---- opening ---- */

static void close_db(void *db)
{
    (void)sqlite3_close(db);
}

static bool exec(struct store *s, const char *text, struct err *e)
{
    int code = sqlite3_exec(s->db, text, NULL, NULL, NULL);

    return code == SQLITE_OK || sql_error(s, code, e);
}

static bool upgrade(struct store *s, UNUSED void *context, struct err *e)
{
    enum { VERSIONS = sizeof(schema_versions) / sizeof(schema_versions[0]) };
    struct sql q;
    int64_t version = 0;
    bool row;

    if (!sql_begin(s, "PRAGMA user_version", &q, e))
        return false;
    if (sql_step(&q, &row, e) && row)
        version = sql_column_i64(&q, 0);
    sql_end(&q);
    if (version > VERSIONS)
        return err_set(e, ERR_INVALID,
                       "the catalog's database is of version %lld, newer than this program's %d",
                       (long long)version, VERSIONS);
    for (int64_t v = version; v < VERSIONS; v++) {
        char number[64];

        (void)snprintf(number, sizeof(number), "PRAGMA user_version = %lld", (long long)v + 1);
        if (!exec(s, schema_versions[v], e) || !exec(s, number, e))
            return false;
    }
    return true;
}

bool store_open(struct sv url, struct arena *a, struct store **out, struct err *e)
{
    struct store *s = arena_new(a, struct store);
    struct sv path = sv_skip(url, sizeof("sqlite:") - 1);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code;

    if (!sv_starts(url, SV("sqlite:")) || !path.n)
        return err_set(e, ERR_INVALID, "store \"" SV_FMT "\": write sqlite:PATH",
                       SV_ARG(sv_first(url, 100)));
    s->arena = a;
    s->prepared = map_new(a);
    code = sqlite3_open_v2(arena_cstr(a, path), &s->db, flags, NULL);
    arena_defer(a, close_db, s->db);
    if (code != SQLITE_OK)
        return sql_error(s, code, e) || err_wrap(e, "store " SV_FMT, SV_ARG(path));
    (void)sqlite3_busy_timeout(s->db, BUSY_MS);
    if (!exec(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON",
              e) ||
        !sql_transaction(s, upgrade, NULL, e))
        return err_wrap(e, "store " SV_FMT, SV_ARG(path));
    *out = s;
    return true;
}
