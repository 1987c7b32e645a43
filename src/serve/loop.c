/* loop.c - what surrounds each handler: who asks, what is waited for, what is said at the end. */
#include "serve/loop.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/metric.h"
#include "serve/once.h"
#include "serve/route.h"
#include "sign/digest.h"
#include "wire/hex.h"

enum { TOKENS_KEPT = 4096, LONG_BODY_BYTES = 64 * 1024 };

/* ---- the end of a call ---- */

static void count(const struct call *c)
{
    if (c->out.status == 401)
        metric_add(METRIC_AUTH_FAILED, 1);
    else if (c->out.status == 403)
        metric_add(METRIC_DENIED, 1);
}

/* A client that reads slowly has its reply kept, in its own share. What only looked may be asked
 * again; of a change its client is told that it may be in force. */
static void make_room(struct call *c)
{
    bool looked = c->in->method == HTTP_GET || c->in->method == HTTP_HEAD;
    struct err e = {0};

    if (c->out.body.n <= LONG_BODY_BYTES)
        return;
    if (!c->turn->owner.n)
        c->turn->owner = arena_dup(c->arena, c->who.name.n ? c->who.name : c->turn->peer);
    if (http_turn_has_room(c->turn, c->out.body.n))
        return;
    (void)err_set(&e, ERR_UNAVAILABLE,
                  "too many replies of this caller are not read yet; try again");
    c->error_status = looked ? 503 : 500;
    c->error_type = looked ? NULL : "CommitStateUnknownException";
    call_set_error(c, &e);
}

bool call_reply(struct call *c)
{
    struct http_turn *t = c->turn;

    if (once_holds(c))
        return true;
    make_room(c);
    http_header_add(&c->out.headers, c->arena, SV("X-Request-Id"), c->id);
    count(c);
    record_write(c);
    call_discharge(c);
    c->rules = rulebook_unref(c->rules);
    /* `c` lives in the turn's arena and is gone after this. */
    http_turn_reply(t, &c->out);
    return true;
}

void call_step(struct call *c, bool ok, const struct err *e)
{
    if (ok)
        return;
    if (e->code == ERR_INTERNAL || e->code == ERR_NONE)
        metric_add(METRIC_BUGS, 1);
    if (e->code == ERR_INTERNAL)
        log_line(LOG_ERROR, "serve", "internal error", LOG_SV("requestId", c->id), LOG_ERR(e));
    call_fail(c, e);
}

/* ---- who asks ---- */

struct known_token {
    struct caller who;
};

static void forget_tokens(struct loop *l)
{
    arena_done(&l->tokens_arena);
    l->tokens = map_new(&l->tokens_arena);
}

void loop_log_refusal(struct call *c, const char *what, const struct err *e)
{
    struct loop *l = c->loop;

    if (c->turn->mono_ms - l->failures_logged_ms < 1000) {
        l->failures_unlogged++;
        return;
    }
    log_line(LOG_WARNING, "serve", what, LOG_SV("peer", c->turn->peer), LOG_SV("requestId", c->id),
             LOG_ERR(e), LOG_I64("othersNotLogged", l->failures_unlogged));
    l->failures_logged_ms = c->turn->mono_ms;
    l->failures_unlogged = 0;
}

bool call_bearer(const struct call *c, struct sv *token)
{
    struct sv value = http_header_text(&c->in->headers, SV("Authorization"));

    if (!sv_eq_nocase(sv_first(value, 7), SV("Bearer ")))
        return false;
    *token = sv_trim(sv_skip(value, 7));
    return token->n != 0;
}

/* The cache is by the hash of the whole token, so that no token outlives its call here; of this
 * rulebook only, and expiry is checked each time. */
static bool authenticate(struct call *c, struct err *e)
{
    struct loop *l = c->loop;
    struct sha256 hash;
    const struct known_token *known;
    struct known_token *fresh;
    struct sv token;

    if (!call_bearer(c, &token))
        return err_set(e, ERR_DENIED, "no bearer token; get one from /v1/oauth/tokens");
    hash = sha256_of(token);
    known = map_get(&l->tokens, sv_of((const char *)hash.b, sizeof(hash.b)));
    if (known && c->now_ms < known->who.valid_until_ms) {
        c->who = known->who;
        return true;
    }
    if (!rulebook_authenticate(c->rules, token, c->now_ms, c->arena, &c->who, e)) {
        if (e->code == ERR_NOT_FOUND && l->serve->options.want_keys)
            l->serve->options.want_keys(l->serve->options.context);
        return false;
    }
    if (l->tokens.n >= TOKENS_KEPT || l->tokens_arena.used_bytes > LIMIT_TOKENS_KEPT_BYTES)
        forget_tokens(l);
    fresh = arena_new(&l->tokens_arena, struct known_token);
    fresh->who = c->who;
    fresh->who.only_roles = arena_dup(&l->tokens_arena, c->who.only_roles);
    (void)map_put(&l->tokens, sv_of((const char *)hash.b, sizeof(hash.b)), fresh);
    return true;
}

/* The cache may be dropped while the call goes on. */
static void keep_caller(struct call *c)
{
    c->who.only_roles = arena_dup(c->arena, c->who.only_roles);
}

/* ---- the beginning of a call ---- */

static void set_id(struct call *c)
{
    uint64_t id = sv_hash(sv_of((const char *)&c->loop->next_id, sizeof(c->loop->next_id)));

    c->loop->next_id++;
    id ^= (uint64_t)c->now_ms << 20;
    c->id = hex_encode(c->arena, sv_of((const char *)&id, sizeof(id)));
}

static bool find_route(struct call *c, struct err *e)
{
    struct sv query;

    c->path = route_path(c->in->target, &query);
    c->route =
        route_match(c->loop->serve->options.routes, c->in->method, c->path, c->params, &c->allowed);
    if (!c->route) {
        c->operation = "unknown";
        c->error_status = c->allowed ? 405 : 404;
        return err_set(e, ERR_NOT_FOUND,
                       c->allowed ? "this path does not take that method" : "no such path");
    }
    c->operation = c->route->operation;
    return form_read(query, c->arena, &c->query, e) && form_has_no_twins(&c->query, e);
}

/* Who asks, and what the path alone decides: before the body is looked at, and where it has not
 * come yet, before it is waited for. */
static bool enter(struct call *c, struct err *e)
{
    struct loop *l = c->loop;

    if (!find_route(c, e))
        return false;
    if (!c->rules)
        return err_set(e, ERR_UNAVAILABLE, "still starting; try again");
    if (!audit_has_room(l->serve->audit))
        return err_set(e, ERR_UNAVAILABLE, "the audit record cannot be written; try again");
    /* What stands before us may have looked at the other one. */
    if (http_header_count(&c->in->headers, SV("Authorization")) > 1)
        return err_set(e, ERR_INVALID, "there must be one Authorization header");
    if (c->route->auth == AUTH_TOKEN && !authenticate(c, e)) {
        c->error_status = 401;
        c->error_type = "NotAuthorizedException";
        loop_log_refusal(c, "request refused", e);
        return false;
    }
    keep_caller(c);
    return !c->route->demand || c->route->demand(c, e);
}

static bool query_body(struct call *c, UNUSED struct store *s, struct err *e)
{
    return call_read_body(c, e);
}

static bool after_body(struct call *c, const struct err *outcome, struct err *e)
{
    return !outcome && c->route->handle(c, e);
}

/* A large body is read off the loop, whose other calls would wait for it. */
static bool go_in(struct call *c, struct err *e)
{
    if (c->in->body.n > route_max_body(c->route)) {
        c->error_status = 413;
        return err_set(e, ERR_INVALID, "the body is too large");
    }
    if (c->in->body.n > LONG_BODY_BYTES)
        return call_compute(c, true, query_body, after_body, e);
    return c->route->handle(c, e);
}

static struct call *new_call(struct http_turn *t, struct loop *l)
{
    struct call *c = arena_new(&t->arena, struct call);

    t->state = c;
    c->turn = t;
    c->arena = &t->arena;
    c->in = &t->request;
    c->loop = l;
    c->world = l->serve->options.world;
    c->now_ms = t->wall_ms;
    c->rules = l->rules ? rulebook_ref(l->rules) : NULL;
    set_id(c);
    return c;
}

void loop_request(struct http_turn *t, void *state)
{
    struct call *c = new_call(t, state);
    struct err e = {0};

    call_step(c, enter(c, &e) && go_in(c, &e), &e);
}

/* The body may be long in coming. Nothing but the caller's name is kept meanwhile: when all is
 * there, it is asked again by the rulebook that is in force then. */
size_t loop_head(struct http_turn *t, void *state)
{
    struct call *c = new_call(t, state);
    struct err e = {0};

    if (!enter(c, &e)) {
        call_step(c, false, &e);
        return 0;
    }
    if (c->who.name.n)
        t->owner = arena_dup(&t->arena, c->who.name);
    c->rules = rulebook_unref(c->rules);
    t->state = NULL;
    return route_max_body(c->route);
}

/* ---- the loop ---- */

void *loop_start(struct http_loop *http, void *context)
{
    struct serve *s = context;
    struct arena a = {0};
    struct loop *l = arena_new(&a, struct loop);

    l->arena = a;
    l->serve = s;
    l->http = http;
    world_random(s->options.world, &l->next_id, sizeof(l->next_id));
    shares_init(&l->waiting, LIMIT_CALLS_WAITING, &l->arena);
    l->tokens = map_new(&l->tokens_arena);
    l->places = map_new(&l->places_arena);
    l->texts = texts_of(memory_part(s->options.memory_bytes, 2, LIMIT_METADATA_CACHE_BYTES) /
                        s->options.loops);
    l->answers_arena.wipe = true;
    l->answers_max_bytes =
        memory_part(s->options.memory_bytes, 2, LIMIT_ANSWERS_BYTES) / s->options.loops;
    l->answers = map_new(&l->answers_arena);
    return l;
}

void loop_publish(struct loop *l, struct rulebook *r)
{
    (void)rulebook_unref(l->rules);
    l->rules = r;
    if (!l->knowing && rulebook_knows_tokens(r)) {
        l->knowing = true;
        atomic_fetch_add(&l->serve->knowing, 1);
    }
    forget_tokens(l);
    arena_done(&l->answers_arena);
    l->answers = map_new(&l->answers_arena);
}

/* What it asked for may have been done: that it was asked is on record, that it was answered is
 * not. */
void loop_drop(struct http_turn *t, UNUSED void *state)
{
    struct call *c = t->state;

    c->out = (struct http_response){.status = 503};
    record_write(c);
    call_discharge(c);
    (void)rulebook_unref(c->rules);
}

void loop_stop(void *state)
{
    struct loop *l = state;
    struct arena last = l->arena;

    (void)rulebook_unref(l->rules);
    arena_done(&l->tokens_arena);
    arena_done(&l->places_arena);
    arena_done(&l->answers_arena);
    texts_done(&l->texts);
    arena_done(&l->time_arena);
    arena_done(&last);
}
