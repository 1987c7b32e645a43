/*
 * call.h - one HTTP request, from head to reply, and how its handler waits without blocking.
 *
 * A handler fills c->out and calls call_reply, or asks for something and names the function that
 * goes on. It sees no socket. Everything lives in c->arena.
 *
 *     bool table_exists(struct call *c, struct err *e)
 *     {
 *         return call_read(c, query_table, after_table, e);
 *     }
 *
 * A handler or continuation that returns false ends the call with the error's reply (status by
 * code, Iceberg's shape; c->error_type where the protocol wants its own word). One that returns
 * true has replied or asked.
 */
#ifndef SERVE_CALL_H
#define SERVE_CALL_H

#include "base/world.h"
#include "net/http_server.h"
#include "policy/rulebook.h"
#include "store/keeper.h"
#include "wire/json.h"
#include "wire/uri.h"

struct loop; /* serve/loop.h */
struct route;
struct once; /* serve/once.h */

enum { ROUTE_PARAMS = 4 };

struct call {
    struct http_turn *turn;
    struct arena *arena; /* the turn's */
    const struct http_request *in;
    struct sv path;                 /* raw, without query, prefix aliases removed */
    struct sv params[ROUTE_PARAMS]; /* {prefix}, {namespace}, {table}: raw, in the order of the
                                       template */
    struct pairs query;             /* decoded */
    struct rulebook *rules;         /* of the moment it arrived; given back when it ends */
    struct caller who;
    int64_t now_ms; /* Unix time, when it arrived */
    struct sv id;   /* request id, 16 hex digits; also in X-Request-Id */
    struct loop *loop;
    const struct world *world; /* for fresh names; not for time */
    const struct route *route;

    struct json *body;    /* once it has been read */
    size_t charged_bytes; /* call_charge's */

    struct http_response out;
    const char *error_type; /* "NoSuchTableException"; NULL: by code */
    int error_status;       /* 0: by code */
    unsigned allowed;       /* of a 405: the methods that the path takes, see route_match */

    /* For the audit record; set as they become known. */
    const char *operation; /* "load-table", "vend", ... */
    const struct rule_catalog *catalog;
    struct sv levels_text, table_text, grant, missing, reason, vended_key_id;
    int64_t vended_expires_ms;
    const struct json *details; /* what else the record must say: an object, bounded by its maker */

    void *work;             /* the handler's own state */
    struct message message; /* for its journeys */
    struct call_wait *wait; /* what it waits for: serve/loop.c's */
    struct once *once;      /* of a request with an Idempotency-Key: serve/once.c's */
};

typedef bool call_fn(struct call *c, struct err *e);
/* Runs on a keeper with its store; touches nothing but c->arena, c->work, c->now_ms, and reads what
 * does not change: c->rules, c->who. */
typedef bool query_fn(struct call *c, struct store *s, struct err *e);
/* Goes on after what was asked: `outcome` is NULL on success. To fail, return false with `e` set
 * (maybe a copy of outcome). */
typedef bool call_then_fn(struct call *c, const struct err *outcome, struct err *e);

/* Ask a keeper. The answer always comes later. False: ERR_BUSY at LIMIT_CALLS_WAITING. */
MUST_CHECK bool call_read(struct call *c, query_fn *q, call_then_fn *then, struct err *e);
MUST_CHECK bool call_write(struct call *c, query_fn *q, call_then_fn *then, struct err *e);
/* The same, of what is not the change that was asked for: no record of the answer goes with it. */
MUST_CHECK bool call_write_aside(struct call *c, query_fn *q, call_then_fn *then, struct err *e);
/* Reads on the connection that writes: after a write of unknown outcome it answers once that write
 * has ended, one way or the other. */
MUST_CHECK bool call_read_settled(struct call *c, query_fn *q, call_then_fn *then, struct err *e);
/* Runs `q`, which asks no store, and goes on: here, or, when it is `long_`, on a thread for
 * computations, where callers take turns, so that the loop's other calls need not wait for it.
 * False: ERR_BUSY when too many of the caller's wait already. */
MUST_CHECK bool call_compute(struct call *c, bool long_, query_fn *q, call_then_fn *then,
                             struct err *e);

/*
 * Ask the minter for a credential on these folders of the catalog's integration, for the caller.
 * Cached, joined with equal flights. Then c's mint holds it: call_minted.
 */
struct mint_ask {
    const struct rule_catalog *catalog;
    const struct location *folders;
    size_t n_folders;
    unsigned access;              /* bits of enum access */
    int max_ttl_seconds;          /* of the grants; 0: none */
    struct sv levels_text, table; /* for the session's name */
    bool for_us; /* we read or write metadata ourselves: the principal is frontdesk */
};
MUST_CHECK bool call_mint(struct call *c, const struct mint_ask *ask, call_then_fn *then,
                          struct err *e);
const struct credential *call_minted(const struct call *c); /* after success; in c->arena */

/* Ask the minter's thread for an object of the catalog's bucket, with our own narrowed credential
 * for `folder`. GET: content through call_content, as it lies there, ERR_NOT_FOUND when
 * absent. PUT never overwrites. */
struct object_ask {
    const struct rule_catalog *catalog;
    struct location file;
    struct location folder;  /* what our credential is narrowed to */
    enum http_method method; /* GET, PUT, DELETE */
    struct sv body;
};
MUST_CHECK bool call_object(struct call *c, const struct object_ask *ask, call_then_fn *then,
                            struct err *e);
struct sv call_content(const struct call *c);
/* After a failed GET: the object is there, and larger than LIMIT_METADATA_BYTES. */
bool call_content_is_too_large(const struct call *c);

/* ---- replies ---- */
bool call_reply(struct call *c); /* with c->out as it is. Always true */
bool call_reply_json(struct call *c, int status, const struct json *body); /* always true */
bool call_reply_empty(struct call *c, int status); /* 204, 304. Always true */

/* ---- what handlers share ---- */
/* {prefix} to c->catalog; ERR_NOT_FOUND with NoSuchWarehouseException. */
MUST_CHECK bool call_catalog(struct call *c, struct err *e);
/* A raw path segment to namespace levels: split on %1F or else on the catalog's own separator, then
 * decoded, '+' is a blank. Limits, no empty level. levels.c. */
struct levels {
    struct sv *p;
    size_t n;
    struct sv joined; /* with 0x1F: the store's key */
    struct sv dotted; /* for messages and records, as wire/names.h writes it: a."b.c" */
};
/* "ns.table" in the same form. */
struct sv call_table_text(const struct call *c, const struct levels *ns, struct sv table);
MUST_CHECK bool call_levels(struct call *c, struct sv raw, struct levels *out, struct err *e);
/* The same from a decoded parameter; `encoded` when its levels are encoded once more. */
MUST_CHECK bool call_levels_text(struct call *c, struct sv text, bool encoded, struct levels *out,
                                 struct err *e);
/* The same from levels that came in a body. */
MUST_CHECK bool call_levels_of(struct call *c, const struct sv *levels, size_t n,
                               struct levels *out, struct err *e);
/* The same from a JSON list of names. */
MUST_CHECK bool call_levels_json(struct call *c, const struct json *list, struct levels *out,
                                 struct err *e);
MUST_CHECK bool call_name(struct call *c, struct sv raw, struct sv *out, struct err *e);
/* Charges `bytes` to the caller until the call ends: what it makes us hold beside its body. False:
 * ERR_UNAVAILABLE, its share is used up; ERR_INVALID, no caller may have so much. On the thread
 * that has the call. */
MUST_CHECK bool call_charge(struct call *c, size_t bytes, struct err *e);
/* The body as a JSON object. */
MUST_CHECK bool call_body(struct call *c, struct json **out, struct err *e);
/* The caller holds `p` on the subject (a view where `p` is of views), else ERR_DENIED with
 * c->missing set; c->grant on success. `d` may be NULL. */
MUST_CHECK bool call_demand(struct call *c, const struct levels *ns, struct sv table,
                            enum privilege p, struct decision *d, struct err *e);
/* The same of a privilege that tables and views share. */
MUST_CHECK bool call_demand_kind(struct call *c, const struct levels *ns, struct sv name,
                                 bool is_view, enum privilege p, struct err *e);
/* "not found" in Iceberg's words: sets c->error_type. Always false. */
bool call_no_namespace(struct call *c, const struct levels *ns, struct err *e);
bool call_no_table(struct call *c, const struct levels *ns, struct sv table, struct err *e);

#endif
