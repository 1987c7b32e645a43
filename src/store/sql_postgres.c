/* sql_postgres.c - PostgreSQL and what speaks its protocol: statements, transactions, the schema.
 */
#include <assert.h>
#include <libpq-fe.h>
#include <limits.h>
#include <poll.h>

#include "base/buf.h"
#include "base/world.h"
#include "store/postgres_link.h"
#include "store/schema.h"
#include "store/sql.h"

enum { MAX_PARAMETERS = 18, NUMBER_BYTES = 24, MAX_ATTEMPTS = 8 };

struct postgres_store {
    struct store head;
    struct link link;
    unsigned n_statements;
    bool in_transaction;
    bool known;     /* the tables are there, and of a version that we know */
    bool unsettled; /* a COMMIT was sent and not answered: it may be under way still */
    int64_t changes;
};

struct statement {
    struct postgres_store *store;
    const char *name, *text;
    unsigned generation; /* of the link, when it was prepared */
    const char *values[MAX_PARAMETERS];
    int lengths[MAX_PARAMETERS], formats[MAX_PARAMETERS];
    char numbers[MAX_PARAMETERS][NUMBER_BYTES];
    int bound, row;
    PGresult *result; /* all rows; NULL before the first step */
};

static struct postgres_store *of(struct store *s)
{
    return (struct postgres_store *)(void *)s;
}

/* Makes the tables where there are none, with the first use: until then the server may be away. */
static bool know_tables(struct postgres_store *s, struct err *e);

/* Nobody who asks for a table is at fault when they are of a version that we do not know. */
static bool has_tables(struct postgres_store *s, struct err *e)
{
    if (s->known || know_tables(s, e))
        return true;
    if (e->code == ERR_INVALID)
        e->code = ERR_UNAVAILABLE;
    return false;
}

/* ---- turns ---- */

/*
 * Every writing transaction begins by writing this one row, and so waits for the one before it to
 * end: writers take turns across all programs, as they do at SQLite. Being written and not only
 * locked, the row makes a server that works on snapshots refuse whoever has waited on an old one.
 */
#define TAKE_TURN(level)                                 \
    "BEGIN ISOLATION LEVEL " level " READ WRITE;"        \
    " UPDATE frontdesk SET turn = turn + 1 WHERE id = 1" \
    " RETURNING version"

static const char turn_to_write[] = TAKE_TURN("READ COMMITTED");
/* CockroachDB makes tables in no transaction that is less; a PostgreSQL with busy writers would say
 * each time that one of them was first. */
static const char turn_to_make_tables[] = TAKE_TURN("SERIALIZABLE");

/* The code of what failed before stays. */
static void roll_back(struct postgres_store *s)
{
    struct link *l = &s->link;
    char state[sizeof(l->sqlstate)];
    struct err ignored = {0};
    PGresult *r;

    s->in_transaction = false;
    if (link_is_lost(l))
        return;
    memcpy(state, l->sqlstate, sizeof(state));
    if (link_exec(l, "ROLLBACK", &r, &ignored))
        PQclear(r);
    else
        link_drop(l);
    memcpy(l->sqlstate, state, sizeof(state));
}

static bool number_of(const PGresult *r, int64_t *out)
{
    return PQntuples(r) == 1 && sv_i64(sv_from(PQgetvalue(r, 0, 0)), out);
}

static bool take_turn(struct postgres_store *s, const char *text, int64_t *version, struct err *e)
{
    PGresult *r;
    bool ok;

    if (!link_ready(&s->link, e))
        return false;
    s->in_transaction = true;
    if (link_exec(&s->link, text, &r, e)) {
        ok = number_of(r, version) ||
             err_set(e, ERR_INTERNAL, "the catalog's database has lost its version");
        PQclear(r);
        s->unsettled = s->unsettled && !ok;
        if (ok)
            return true;
    }
    roll_back(s);
    return false;
}

static bool begin(struct postgres_store *s, struct err *e)
{
    int64_t version = 0;

    if (!take_turn(s, turn_to_write, &version, e))
        return false;
    if (version <= SCHEMA_VERSIONS)
        return true;
    roll_back(s);
    return err_set(e, ERR_UNAVAILABLE,
                   "a newer program has changed the catalog's database; this one only reads");
}

/* What a COMMIT that was not answered has done is seen once its turn is over. */
static bool settle(struct postgres_store *s, struct err *e)
{
    int64_t version;

    if (!take_turn(s, turn_to_write, &version, e))
        return false;
    roll_back(s);
    return true;
}

/* Ready for a statement: within a transaction a lost connection is the end of it. */
static bool ready(struct postgres_store *s, struct err *e)
{
    if (!s->in_transaction)
        return has_tables(s, e) && (!s->unsettled || settle(s, e)) && link_ready(&s->link, e);
    return !link_is_lost(&s->link) ||
           err_set(e, ERR_UNAVAILABLE, "the catalog's database was lost in a transaction");
}

/* ---- statements ---- */

/* '?' and '?7' become '$1', '$2', ... and '$7'. */
static const char *numbered(const char *text, struct arena *a)
{
    struct buf out = buf_new(a, 65536);
    int n = 0;

    for (const char *p = text; *p; p++) {
        if (*p != '?') {
            buf_addc(&out, *p);
            continue;
        }
        buf_addc(&out, '$');
        if (p[1] < '0' || p[1] > '9')
            buf_add_i64(&out, ++n);
    }
    return buf_sv(&out).p;
}

static void release(void *object)
{
    struct statement *q = object;

    PQclear(q->result);
}

/* The server hears of it at its first use, and again on each new connection. */
static bool prepare(struct store *head, const char *text, void **out, UNUSED struct err *e)
{
    struct postgres_store *s = of(head);
    struct statement *q = arena_new(head->arena, struct statement);

    q->store = s;
    q->name = arena_printf(head->arena, "q%u", ++s->n_statements).p;
    q->text = numbered(text, head->arena);
    arena_defer(head->arena, release, q);
    *out = q;
    return true;
}

static void bind(struct statement *q, int at, struct sv v, int format)
{
    assert(at >= 1 && at <= MAX_PARAMETERS && v.n <= INT_MAX);
    q->values[at - 1] = v.n ? v.p : "";
    q->lengths[at - 1] = (int)v.n;
    q->formats[at - 1] = format;
    q->bound = at > q->bound ? at : q->bound;
}

/* As bytes with a length: a NUL in it is refused by the server and cuts nothing off. */
static void bind_text(void *stmt, int at, struct sv v)
{
    bind(stmt, at, v, 1);
}

static void bind_i64(void *stmt, int at, int64_t v)
{
    struct statement *q = stmt;

    assert(at >= 1 && at <= MAX_PARAMETERS);
    (void)snprintf(q->numbers[at - 1], NUMBER_BYTES, "%lld", (long long)v);
    bind(q, at, sv_from(q->numbers[at - 1]), 0);
}

static bool run(struct postgres_store *s, struct statement *q, struct err *e)
{
    const struct parameters p = {q->bound, q->values, q->lengths, q->formats};
    int64_t changes = 0;

    if (!ready(s, e))
        return false;
    if (q->generation != s->link.generation) {
        if (!link_prepare(&s->link, q->name, q->text, e))
            return false;
        q->generation = s->link.generation;
    }
    if (!link_run(&s->link, q->name, &p, &q->result, e))
        return false;
    q->row = -1;
    if (sv_i64(sv_from(PQcmdTuples(q->result)), &changes))
        s->changes = changes;
    return true;
}

static bool step(struct store *head, void *stmt, bool *row, struct err *e)
{
    struct statement *q = stmt;

    *row = false;
    if (!q->result && !run(of(head), q, e))
        return false;
    *row = ++q->row < PQntuples(q->result);
    return true;
}

static struct sv column(void *stmt, int i)
{
    const struct statement *q = stmt;

    return sv_of(PQgetvalue(q->result, q->row, i), (size_t)PQgetlength(q->result, q->row, i));
}

static int64_t column_i64(void *stmt, int i)
{
    int64_t v = 0;

    return sv_i64(column(stmt, i), &v) ? v : 0;
}

static void reset(void *stmt)
{
    struct statement *q = stmt;

    PQclear(q->result);
    q->result = NULL;
    q->bound = 0;
}

static int64_t changes(const struct store *s)
{
    return ((const struct postgres_store *)(const void *)s)->changes;
}

/* ---- transactions ---- */

static bool unknown(struct postgres_store *s, struct err *e)
{
    s->unsettled = true;
    link_drop(&s->link);
    return err_set(e, ERR_INTERNAL, "the answer to a COMMIT was lost");
}

static bool commit(struct postgres_store *s, struct err *e)
{
    PGresult *r;
    bool done;

    s->in_transaction = false;
    if (link_is_lost(&s->link))
        return err_set(e, ERR_UNAVAILABLE, "the catalog's database was lost in a transaction");
    if (!link_exec(&s->link, "COMMIT", &r, e)) {
        /* An error with a code has rolled back, but for the one that says it does not know. */
        if (link_is_lost(&s->link) || sv_eq(sv_from(s->link.sqlstate), SV("40003")))
            return unknown(s, e);
        return false;
    }
    /* After a statement that failed, COMMIT answers that it has rolled back. */
    done = sv_eq(sv_from(PQcmdStatus(r)), SV("COMMIT"));
    PQclear(r);
    return done || err_set(e, ERR_INTERNAL, "a transaction went on after a failure");
}

/* The server had to choose between two transactions, and chose the other one. */
static bool asks_again(const struct postgres_store *s)
{
    return sv_eq(sv_from(s->link.sqlstate), SV("40001")) ||
           sv_eq(sv_from(s->link.sqlstate), SV("40P01"));
}

static bool attempt(struct postgres_store *s, sql_work_fn *work, void *context, struct err *e)
{
    s->link.sqlstate[0] = '\0';
    if (!begin(s, e))
        return false;
    if (work(&s->head, context, e))
        return commit(s, e);
    roll_back(s);
    return false;
}

static bool transaction(struct store *head, sql_work_fn *work, void *context, struct err *e)
{
    struct postgres_store *s = of(head);

    if (!has_tables(s, e))
        return false;
    for (int i = 0; i < MAX_ATTEMPTS; i++) {
        if (attempt(s, work, context, e))
            return true;
        if (!asks_again(s))
            return false;
        /* Not in step with whoever is in the way. */
        (void)poll(NULL, 0, (int)world_below(&world_os, 4U << i));
    }
    return false;
}

/* ---- opening ---- */

static bool exec(struct postgres_store *s, const char *text, struct err *e)
{
    PGresult *r;

    if (!link_exec(&s->link, text, &r, e))
        return false;
    PQclear(r);
    return true;
}

/* The one row that holds the version and whose turn it is. Of several programs that start at once
 * one makes it; the others fail, and look again. */
static bool make_row(struct postgres_store *s, struct err *e)
{
    static const char text[] =
        "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE;"
        " CREATE TABLE IF NOT EXISTS frontdesk"
        " (id BIGINT PRIMARY KEY, version BIGINT NOT NULL, turn BIGINT NOT NULL);"
        " INSERT INTO frontdesk (id, version, turn) VALUES (1, 0, 0) ON CONFLICT (id) DO NOTHING;"
        " COMMIT";

    if (exec(s, text, e))
        return true;
    roll_back(s);
    return false;
}

static bool find_version(struct postgres_store *s, int64_t *version, struct err *e)
{
    PGresult *r;

    for (int i = 0; i < MAX_ATTEMPTS; i++) {
        bool found = false;

        if (link_exec(&s->link, "SELECT version FROM frontdesk WHERE id = 1", &r, e)) {
            found = number_of(r, version);
            PQclear(r);
        } else if (!sv_eq(sv_from(s->link.sqlstate), SV("42P01"))) {
            return false;
        }
        if (found)
            return true;
        if (!make_row(s, e) && e->code == ERR_UNAVAILABLE && !asks_again(s))
            return false;
    }
    return err_set(e, ERR_UNAVAILABLE, "the catalog's database does not come to rest");
}

static bool is_cockroach(struct postgres_store *s, bool *out, struct err *e)
{
    PGresult *r;

    if (!link_exec(&s->link, "SELECT version()", &r, e))
        return false;
    *out = sv_starts(sv_from(PQgetvalue(r, 0, 0)), SV("CockroachDB"));
    PQclear(r);
    return true;
}

/* CockroachDB orders all text by its bytes, and refuses to be told so. */
static bool make_version(struct postgres_store *s, int64_t version, bool cockroach, struct err *e)
{
    auto_arena a = {0};
    const char *collation = cockroach ? "" : " COLLATE \"C\"";

    return exec(s, schema_words(schema_versions[version].postgres, collation, &a), e) &&
           exec(s,
                arena_printf(&a, "UPDATE frontdesk SET version = %lld WHERE id = 1",
                             (long long)version + 1)
                    .p,
                e);
}

/* One version further, if nobody was there first. */
static bool upgrade(struct postgres_store *s, int64_t *version, struct err *e)
{
    bool cockroach;

    if (!is_cockroach(s, &cockroach, e) ||
        !take_turn(s, cockroach ? turn_to_make_tables : turn_to_write, version, e))
        return false;
    if (*version >= SCHEMA_VERSIONS) {
        roll_back(s);
        return true;
    }
    if (!make_version(s, *version, cockroach, e)) {
        roll_back(s);
        return false;
    }
    ++*version;
    return commit(s, e);
}

static bool know_tables(struct postgres_store *s, struct err *e)
{
    int64_t version;

    if (!link_ready(&s->link, e) || !find_version(s, &version, e))
        return false;
    for (int failures = 0; version < SCHEMA_VERSIONS;) {
        if (!upgrade(s, &version, e) && (!asks_again(s) || ++failures == MAX_ATTEMPTS))
            return false;
    }
    s->known = schema_is_known(version, e);
    return s->known;
}

static bool check(struct store *head, struct err *e)
{
    struct postgres_store *s = of(head);

    return s->known || know_tables(s, e);
}

static bool open_postgres(struct sv url, struct arena *a, struct store **out, struct err *e)
{
    struct postgres_store *s = arena_new(a, struct postgres_store);

    if (!link_url_is_fit(url, a, e))
        return false;
    s->head = (struct store){.arena = a, .door = &sql_postgres, .prepared = map_new(a)};
    link_init(&s->link, url, a);
    *out = &s->head;
    return true;
}

const struct sql_door sql_postgres = {
    .open = open_postgres,
    .check = check,
    .prepare = prepare,
    .bind_text = bind_text,
    .bind_i64 = bind_i64,
    .step = step,
    .column = column,
    .column_i64 = column_i64,
    .reset = reset,
    .changes = changes,
    .transaction = transaction,
    .shared = true,
};
