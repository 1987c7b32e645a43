/* sql_sqlite.c - SQLite: opening, statements, transactions. */
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/schema.h"
#include "store/sql.h"

enum { BUSY_MS = 5000 };

struct sqlite_store {
    struct store head;
    sqlite3 *db;
};

static sqlite3 *db_of(const struct store *s)
{
    return ((const struct sqlite_store *)(const void *)s)->db;
}

/* What SQLite's code means for us: nothing was changed and it may be tried again, or our own bug.
 */
static bool failed(sqlite3 *db, int code, struct err *e)
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
                       sqlite3_errmsg(db));
    default:
        return err_set(e, ERR_INTERNAL, "the catalog's database: %s", sqlite3_errmsg(db));
    }
}

/* ---- statements ---- */

static void finalize(void *stmt)
{
    (void)sqlite3_finalize(stmt);
}

static bool prepare(struct store *s, const char *text, void **out, struct err *e)
{
    sqlite3_stmt *stmt;
    int code = sqlite3_prepare_v3(db_of(s), text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);

    if (code != SQLITE_OK)
        return failed(db_of(s), code, e);
    arena_defer(s->arena, finalize, stmt);
    *out = stmt;
    return true;
}

static void bind_text(void *stmt, int at, struct sv v)
{
    (void)sqlite3_bind_text64(stmt, at, v.n ? v.p : "", v.n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void bind_i64(void *stmt, int at, int64_t v)
{
    (void)sqlite3_bind_int64(stmt, at, v);
}

static bool step(struct store *s, void *stmt, bool *row, struct err *e)
{
    int code = sqlite3_step(stmt);

    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return true;
    if ((code & 0xff) == SQLITE_CONSTRAINT)
        return err_set(e, ERR_CONFLICT, "it exists already");
    return failed(db_of(s), code, e);
}

static struct sv column(void *stmt, int i)
{
    const char *text = (const char *)sqlite3_column_text(stmt, i);

    return sv_of(text, text ? (size_t)sqlite3_column_bytes(stmt, i) : 0);
}

static int64_t column_i64(void *stmt, int i)
{
    return sqlite3_column_int64(stmt, i);
}

static void reset(void *stmt)
{
    (void)sqlite3_reset(stmt);
    (void)sqlite3_clear_bindings(stmt);
}

static int64_t changes(const struct store *s)
{
    return sqlite3_changes64(db_of(s));
}

/* Where there was no room, or the log could not be written, the frame that commits is not there. A
 * sync that fails says nothing. */
static bool was_not_written(sqlite3 *db)
{
    return (sqlite3_errcode(db) & 0xff) == SQLITE_FULL ||
           sqlite3_extended_errcode(db) == SQLITE_IOERR_WRITE;
}

static bool transaction(struct store *s, sql_work_fn *work, void *context, struct err *e)
{
    sqlite3 *db = db_of(s);
    struct err ignored = {0};

    /* One that could not be rolled back then must not stand in the way for ever. */
    if (!sqlite3_get_autocommit(db) && !sql_run(s, "ROLLBACK", NULL, 0, e))
        return false;
    if (!sql_run(s, "BEGIN IMMEDIATE", NULL, 0, e))
        return false;
    if (work(s, context, e)) {
        if (sql_run(s, "COMMIT", NULL, 0, e))
            return true;
        /* While the transaction is still open, nothing has been made durable. */
        if (sqlite3_get_autocommit(db) && !was_not_written(db))
            e->code = ERR_INTERNAL;
    }
    if (!sqlite3_get_autocommit(db) && !sql_run(s, "ROLLBACK", NULL, 0, &ignored))
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
    int code = sqlite3_exec(db_of(s), text, NULL, NULL, NULL);

    return code == SQLITE_OK || failed(db_of(s), code, e);
}

static bool upgrade(struct store *s, UNUSED void *context, struct err *e)
{
    struct sql q;
    int64_t version = 0;
    bool row;

    if (!sql_begin(s, "PRAGMA user_version", &q, e))
        return false;
    if (sql_step(&q, &row, e) && row)
        version = sql_column_i64(&q, 0);
    sql_end(&q);
    if (!schema_is_known(version, e))
        return false;
    for (int64_t v = version; v < SCHEMA_VERSIONS; v++) {
        char number[64];

        (void)snprintf(number, sizeof(number), "PRAGMA user_version = %lld", (long long)v + 1);
        if (!exec(s, schema_versions[v].sqlite, e) || !exec(s, number, e))
            return false;
    }
    return true;
}

/* Whoever may read the file reads the trail and every table's place. SQLite makes it readable to
 * all, and gives what stands beside it the same mode. It is made here without being opened: to
 * close it would release the locks of the other connections. What an older version made, or a copy
 * that was put back, is closed as well; a file that is somebody else's stays as it is. */
static void keep_private(struct sv path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    auto_arena a = {0};

    (void)mknod(arena_cstr(&a, path), S_IFREG | S_IRUSR | S_IWUSR, 0);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        const char *file = arena_printf(&a, SV_FMT "%s", SV_ARG(path), suffixes[i]).p;
        struct stat s;

        if (stat(file, &s) == 0 && S_ISREG(s.st_mode) && s.st_uid == geteuid() &&
            (s.st_mode & (S_IRWXG | S_IRWXO)))
            (void)chmod(file, s.st_mode & S_IRWXU);
    }
}

static bool open_sqlite(struct sv url, struct arena *a, struct store **out, struct err *e)
{
    struct sqlite_store *s = arena_new(a, struct sqlite_store);
    struct sv path = sv_skip(url, sizeof("sqlite:") - 1);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code;

    if (!path.n)
        return err_set(e, ERR_INVALID, "store \"sqlite:\": write sqlite:PATH");
    keep_private(path);
    s->head = (struct store){.arena = a, .door = &sql_sqlite, .prepared = map_new(a)};
    code = sqlite3_open_v2(arena_cstr(a, path), &s->db, flags, NULL);
    arena_defer(a, close_db, s->db);
    if (code != SQLITE_OK)
        return failed(s->db, code, e) || err_wrap(e, "store " SV_FMT, SV_ARG(path));
    (void)sqlite3_busy_timeout(s->db, BUSY_MS);
    if (!exec(&s->head,
              "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; "
              /* No file elsewhere: what is sorted is small, and such a file is anybody's folder. */
              "PRAGMA temp_store = MEMORY",
              e) ||
        !sql_transaction(&s->head, upgrade, NULL, e))
        return err_wrap(e, "store " SV_FMT, SV_ARG(path));
    *out = &s->head;
    return true;
}

const struct sql_door sql_sqlite = {
    .open = open_sqlite,
    .prepare = prepare,
    .bind_text = bind_text,
    .bind_i64 = bind_i64,
    .step = step,
    .column = column,
    .column_i64 = column_i64,
    .reset = reset,
    .changes = changes,
    .transaction = transaction,
};
