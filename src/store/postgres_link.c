/* postgres_link.c - connecting, waiting, and what the server's codes mean. */
#include "store/postgres_link.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>

#include "base/world.h"

/*
 * The server gives up a transaction whose program says nothing for IDLE_MS before anybody who waits
 * for its lock gives up, and every statement before we give up waiting for the answer.
 */
enum { CONNECT_S = 5, IDLE_MS = 5000, LOCK_MS = 8000, STATEMENT_MS = 10000, ANSWER_MS = 15000 };
/* While the server is away, questions are answered at once between attempts to reach it. */
enum { PAUSE_MS = 500 };

/* ---- what failed ---- */

static const struct {
    const char *start;
    enum err_code code;
} codes[] = {
    {"0A000", ERR_UNAVAILABLE}, /* a standby, or a statement prepared before the tables changed */
    {"22",    ERR_INVALID    }, /* text that the encoding does not know */
    {"23",    ERR_CONFLICT   }, /* a constraint */
    {"25006", ERR_UNAVAILABLE}, /* read-only: a standby */
    {"25P03", ERR_UNAVAILABLE}, /* idle for too long in a transaction */
    {"26000", ERR_UNAVAILABLE}, /* what was prepared is gone */
    {"28",    ERR_UNAVAILABLE}, /* authentication */
    {"3D000", ERR_UNAVAILABLE}, /* no such database, for now */
    {"40",    ERR_UNAVAILABLE}, /* rolled back by the server, serialisation and deadlocks too */
    {"42501", ERR_UNAVAILABLE}, /* a right is missing */
    {"53",    ERR_UNAVAILABLE}, /* no room, no memory, too many connections */
    {"54",    ERR_INVALID    }, /* too long for an index */
    {"55",    ERR_UNAVAILABLE}, /* locked; being started */
    {"57",    ERR_UNAVAILABLE}, /* cancelled, shut down */
    {"58",    ERR_UNAVAILABLE}, /* input and output */
    {"08",    ERR_UNAVAILABLE}, /* the connection */
};

enum err_code link_code(const char *sqlstate)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (sv_starts(sv_from(sqlstate), sv_from(codes[i].start)))
            return codes[i].code;
    }
    return ERR_INTERNAL;
}

/* The reason without the address, which is nobody's business who asks for a table: libpq writes
 * `connection to server at ... failed: REASON`, several lines of it. */
static struct sv reason_of(const char *message)
{
    static const struct sv mark = SV_INIT(" failed: ");
    struct sv all = sv_from(message), line = {0}, last = {0};

    while (sv_cut(&all, '\n', &line)) {
        for (size_t i = 0; i + mark.n < line.n; i++) {
            if (sv_starts(sv_skip(line, i), mark))
                last = sv_skip(line, i + mark.n);
        }
        last = last.n ? last : line;
    }
    return sv_trim(last);
}

static bool lost(struct link *l, struct sv reason, struct err *e)
{
    l->sqlstate[0] = '\0';
    (void)err_set(e, ERR_UNAVAILABLE, "the catalog's database cannot be reached: " SV_FMT,
                  SV_ARG(sv_first(reason, 150)));
    link_drop(l);
    return false;
}

/* The primary message alone: details hold values of rows. */
static bool refused(struct link *l, const PGresult *r, struct err *e)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    enum err_code code = link_code(state ? state : "");

    (void)snprintf(l->sqlstate, sizeof(l->sqlstate), "%s", state ? state : "");
    /* A new connection prepares anew, and may lead to the primary. */
    l->stale = l->stale || sv_starts(sv_from(l->sqlstate), SV("0A000")) ||
               sv_eq(sv_from(l->sqlstate), SV("25006")) || sv_eq(sv_from(l->sqlstate), SV("26000"));
    if (code == ERR_CONFLICT)
        return err_set(e, code, "it exists already");
    return err_set(e, code, "the catalog's database%s: %s",
                   code == ERR_UNAVAILABLE ? " cannot be used now" : "", text ? text : "failed");
}

/* ---- waiting ---- */

static bool wait_for_socket(const struct link *l, short events, int64_t until_ms)
{
    struct pollfd p = {.fd = PQsocket(l->conn), .events = events};
    int64_t left_ms = until_ms - world_mono_ms(&world_os);

    return left_ms > 0 && (poll(&p, 1, (int)left_ms) > 0 || errno == EINTR);
}

static bool send_all(const struct link *l, int64_t until_ms)
{
    int more;

    while ((more = PQflush(l->conn)) == 1) {
        if (!wait_for_socket(l, POLLIN | POLLOUT, until_ms) || !PQconsumeInput(l->conn))
            return false;
    }
    return more == 0;
}

/* Until PQgetResult does not block. */
static bool next_result(const struct link *l, int64_t until_ms, PGresult **out)
{
    while (PQisBusy(l->conn)) {
        if (!wait_for_socket(l, POLLIN, until_ms) || !PQconsumeInput(l->conn))
            return false;
    }
    *out = PQgetResult(l->conn);
    return true;
}

static bool is_good(const PGresult *r)
{
    ExecStatusType status = PQresultStatus(r);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

/* The results of what was sent, to the last; `sent` is what the sending call said. */
static bool await(struct link *l, int sent, PGresult **out, struct err *e)
{
    int64_t until_ms = world_mono_ms(&world_os) + ANSWER_MS;
    PGresult *r, *last = NULL, *bad = NULL;
    bool ok, whole = sent && send_all(l, until_ms);

    while (whole && (whole = next_result(l, until_ms, &r)) && r) {
        PGresult **keep = is_good(r) || bad ? &last : &bad;

        PQclear(*keep);
        *keep = r;
    }
    ok = whole && last && !bad;
    if (bad)
        (void)refused(l, bad, e);
    if (!whole || PQstatus(l->conn) != CONNECTION_OK)
        ok = lost(l,
                  PQstatus(l->conn) == CONNECTION_OK ? SV("no answer in time")
                                                     : reason_of(PQerrorMessage(l->conn)),
                  e);
    PQclear(bad);
    if (!ok) {
        PQclear(last);
        return false;
    }
    *out = last;
    return true;
}

bool link_exec(struct link *l, const char *text, PGresult **out, struct err *e)
{
    return await(l, PQsendQuery(l->conn, text), out, e);
}

bool link_prepare(struct link *l, const char *name, const char *text, struct err *e)
{
    PGresult *r;

    if (!await(l, PQsendPrepare(l->conn, name, text, 0, NULL), &r, e))
        return false;
    PQclear(r);
    return true;
}

bool link_run(struct link *l, const char *name, const struct parameters *p, PGresult **out,
              struct err *e)
{
    return await(l, PQsendQueryPrepared(l->conn, name, p->n, p->values, p->lengths, p->formats, 0),
                 out, e);
}

/* ---- connecting ---- */

static bool has_password(const PQconninfoOption *options)
{
    for (const PQconninfoOption *o = options; o->keyword; o++) {
        if (o->val && (sv_eq(sv_from(o->keyword), SV("password")) ||
                       sv_eq(sv_from(o->keyword), SV("sslpassword"))))
            return true;
    }
    return false;
}

/* libpq's own complaint may quote the part that it took for a port or a host. */
bool link_url_is_fit(struct sv url, struct arena *a, struct err *e)
{
    ptrdiff_t at = sv_rfind(url, '@');
    struct sv before = sv_first(url, at < 0 ? 0 : (size_t)at);
    char *complaint = NULL;
    PQconninfoOption *options = PQconninfoParse(arena_cstr(a, url), &complaint);
    bool parsed = options != NULL;
    bool shown = sv_rfind(before, ':') > sv_find(url, ':') || (parsed && has_password(options));

    PQfreemem(complaint);
    PQconninfoFree(options);
    if (shown)
        return err_set(e, ERR_INVALID,
                       "store: everybody on this machine sees a password in an argument; put it "
                       "into the file that PGPASSFILE names, or into PGPASSWORD");
    return parsed || err_set(e, ERR_INVALID,
                             "store: not a URL of PostgreSQL; write "
                             "postgresql://USER@HOST:PORT/DATABASE?sslmode=verify-full");
}

static void be_silent(UNUSED void *context, UNUSED const PGresult *r)
{
}

static void close_link(void *l)
{
    link_drop(l);
}

void link_init(struct link *l, struct sv url, struct arena *a)
{
    *l = (struct link){.url = arena_cstr(a, url)};
    arena_defer(a, close_link, l);
}

bool link_is_lost(const struct link *l)
{
    return !l->conn;
}

void link_drop(struct link *l)
{
    PQfinish(l->conn);
    l->conn = NULL;
}

/*
 * Whatever the database's defaults are. Outside a transaction of ours nothing may be written: a
 * write of unknown outcome must be known for one. What a COMMIT has answered must last: here, and
 * at the standbys that the server is told to wait for.
 */
static bool set_up(struct link *l, struct err *e)
{
    char text[400];
    PGresult *r;

    (void)PQsetNoticeReceiver(l->conn, be_silent, NULL);
    if (PQsetnonblocking(l->conn, 1) != 0)
        return lost(l, reason_of(PQerrorMessage(l->conn)), e);
    (void)snprintf(text, sizeof(text),
                   "SET statement_timeout = %d; SET lock_timeout = %d;"
                   " SET idle_in_transaction_session_timeout = %d;"
                   " SET default_transaction_read_only = on; SET synchronous_commit = on",
                   STATEMENT_MS, LOCK_MS, IDLE_MS);
    if (!link_exec(l, text, &r, e))
        return false;
    PQclear(r);
    return true;
}

static bool connect_once(struct link *l, struct err *e)
{
    char seconds[16];
    /* `dbname` is the whole URL: it overrules what stands before it, not what stands behind. */
    const char *const names[] = {"connect_timeout",
                                 "application_name",
                                 "keepalives_idle",
                                 "keepalives_interval",
                                 "keepalives_count",
                                 "tcp_user_timeout",
                                 "dbname",
                                 "client_encoding",
                                 NULL};
    const char *const values[] = {seconds, "frontdesk", "10",   "5", "3",
                                  "10000", l->url,      "UTF8", NULL};

    (void)snprintf(seconds, sizeof(seconds), "%d", CONNECT_S);
    l->conn = PQconnectdbParams(names, values, 1);
    l->generation++;
    l->stale = false;
    if (PQstatus(l->conn) != CONNECTION_OK)
        return lost(l, reason_of(PQerrorMessage(l->conn)), e);
    return set_up(l, e);
}

/* A server that ended has said so, or has closed: the socket is readable. */
static bool died_idle(const struct link *l)
{
    struct pollfd p = {.fd = PQsocket(l->conn), .events = POLLIN};

    return poll(&p, 1, 0) > 0 && (!PQconsumeInput(l->conn) || PQstatus(l->conn) != CONNECTION_OK ||
                                  (p.revents & (POLLHUP | POLLERR)));
}

bool link_ready(struct link *l, struct err *e)
{
    if (l->conn && (l->stale || died_idle(l)))
        link_drop(l);
    if (l->conn)
        return true;
    l->sqlstate[0] = '\0';
    if (world_mono_ms(&world_os) < l->retry_at_ms) {
        *e = l->last;
        return false;
    }
    if (connect_once(l, e))
        return true;
    l->retry_at_ms = world_mono_ms(&world_os) + PAUSE_MS;
    l->last = *e;
    return false;
}
