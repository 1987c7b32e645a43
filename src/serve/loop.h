/*
 * loop.h - one serving loop: its rulebook, its caches, and what surrounds each handler.
 */
#ifndef SERVE_LOOP_H
#define SERVE_LOOP_H

#include <stdatomic.h>

#include "base/map.h"
#include "base/shares.h"
#include "serve/audit.h"
#include "serve/call.h"
#include "serve/minter.h"
#include "serve/serve.h"
#include "serve/texts.h"

/* What all loops share; only the epoch changes. */
struct serve {
    struct arena arena;
    struct serve_options options;
    struct http_server *server, *admin;
    struct keepers *keepers;
    struct minter *minter;
    struct compute *compute;
    struct audit *audit;
    struct http_handler handler, admin_handler;
    struct shares memory;   /* bytes of requests, of their values, of replies: by caller or peer */
    _Atomic uint64_t epoch; /* counts writes to the store: what was read before one is stale */
    _Atomic unsigned knowing; /* loops whose rulebook knows our tokens, from then on */
};

struct loop {
    struct arena arena; /* holds the loop itself */
    struct serve *serve;
    struct http_loop *http;
    struct rulebook *rules; /* NULL until the first arrives */
    bool knowing;           /* it has been counted */
    struct arena tokens_arena;
    struct map tokens; /* verified tokens of this rulebook */
    struct arena places_arena;
    struct map places; /* tables' folders, of `places_epoch` */
    uint64_t places_epoch;
    struct arena answers_arena; /* wipes */
    struct map answers; /* vend.c: rendered credentials, of this rulebook and `answers_epoch` */
    uint64_t answers_epoch;
    size_t answers_max_bytes;
    struct texts texts; /* of metadata files: ours never change */
    struct arena time_arena;
    struct sv time; /* of `time_ms`, for records */
    int64_t time_ms;
    struct shares waiting; /* calls that wait for an answer, by caller */
    int64_t failures_logged_ms;
    unsigned failures_unlogged;
    uint64_t next_id;
};

/* What a call waits for. */
struct call_wait {
    query_fn *query;
    call_then_fn *then;
    bool writes;
    bool aside;         /* ... and no record of the answer with it */
    struct err outcome; /* ERR_NONE: it went well */
    struct mint_job job;
};

/* The handler's table for http_server.h; `context` is the struct serve. */
void *loop_start(struct http_loop *http, void *context);
size_t loop_head(struct http_turn *t, void *state);
void loop_request(struct http_turn *t, void *state);
void loop_drop(struct http_turn *t, void *state);
void loop_stop(void *state);
/* A new rulebook, by message. */
void loop_publish(struct loop *l, struct rulebook *r);

/* ---- record.c: the audit record of a call that has its answer. ---- */
void record_write(struct call *c);
/* And of what could not be read as one: for http_server.h; `state` is the struct loop. */
void record_refusal(const struct http_refusal *r, void *state);

/* Refusals are told once a second, not once a request: a flood must not become a flood of lines.
 * The audit has each. */
void loop_log_refusal(struct call *c, const char *what, const struct err *e);

/* The token of "Authorization: Bearer ..."; false: there is none. */
bool call_bearer(const struct call *c, struct sv *token);
/* How long our own tokens live. */
int64_t serve_token_ms(const struct serve *s);
/* The body as JSON into c->body, on any thread that has the call. */
MUST_CHECK bool call_read_body(struct call *c, struct err *e);
/* Makes c->out the error's reply. */
void call_set_error(struct call *c, const struct err *e);
/* Gives back all that call_charge took. */
void call_discharge(struct call *c);
/* Ends a call that failed: the reply by the error. */
void call_fail(struct call *c, const struct err *e);
/* Runs a step; a false ends the call. */
void call_step(struct call *c, bool ok, const struct err *e);

#endif
