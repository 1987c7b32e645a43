/*
 * postgres_link.h - one connection to PostgreSQL: made again when it is lost, every wait with a
 * deadline. One thread's.
 *
 * The password is read by libpq, from the file that PGPASSFILE or `passfile` names or from
 * PGPASSWORD; a URL with one in it is refused, and no message holds any part of the URL.
 */
#ifndef STORE_POSTGRES_LINK_H
#define STORE_POSTGRES_LINK_H

#include "base/arena.h"
#include "base/err.h"

/* libpq's. */
struct pg_conn;
struct pg_result;

struct link {
    const char *url;
    struct pg_conn *conn;
    unsigned generation; /* of the connection: what was prepared on an older one is gone */
    int64_t retry_at_ms; /* monotonic; before it the last failure is told again */
    struct err last;     /* why the last attempt to connect failed */
    char sqlstate[6];    /* of the last failure; empty: the connection was lost */
    bool stale;          /* this connection is of no use any more, though it lives */
};

/* ERR_INVALID: no URL of PostgreSQL, or one that would show a password. */
MUST_CHECK bool link_url_is_fit(struct sv url, struct arena *a, struct err *e);
/* Closed with `a`. Connects only in link_ready. */
void link_init(struct link *l, struct sv url, struct arena *a);

/* Connected: notices a connection that died while it was idle, and makes a new one. */
MUST_CHECK bool link_ready(struct link *l, struct err *e);

/* What a statement brings. */
struct parameters {
    int n;
    const char *const *values;
    const int *lengths, *formats; /* 1: the bytes of a text, 0: characters with a NUL behind them */
};
/* The answer to the last statement of `text`; released by PQclear. ERR_UNAVAILABLE with an empty
 * sqlstate: the connection was lost, and whether the statement was carried out is not known. */
MUST_CHECK bool link_exec(struct link *l, const char *text, struct pg_result **out, struct err *e);
MUST_CHECK bool link_prepare(struct link *l, const char *name, const char *text, struct err *e);
MUST_CHECK bool link_run(struct link *l, const char *name, const struct parameters *p,
                         struct pg_result **out, struct err *e);
bool link_is_lost(const struct link *l);
/* Closes it; the server gives up what was not committed. */
void link_drop(struct link *l);

/* Which of our codes an SQLSTATE is. */
enum err_code link_code(const char *sqlstate);

#endif
