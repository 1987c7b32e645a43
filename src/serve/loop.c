/* loop.c - what surrounds each handler: who asks, what is waited for, what is said at the end. */
#include "serve/loop.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/metric.h"
#include "serve/once.h"
#include "serve/route.h"
#include "wire/hex.h"

enum { TOKENS_KEPT = 4096 };

/* ---- the end of a call ---- */

static void count(const struct call *c)
{
    if (c->out.status == 401)
        metric_add(METRIC_AUTH_FAILED, 1);
    else if (c->out.status == 403)
        metric_add(METRIC_DENIED, 1);
}

bool call_reply(struct call *c)
{
    struct http_turn *t = c->turn;

    if (once_holds(c))
        return true;
    http_header_add(&c->out.headers, c->arena, SV("X-Request-Id"), c->id);
    count(c);
    record_write(c);
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

/* The cache is by the whole token, of this rulebook only; expiry is checked each time. */
static bool authenticate(struct call *c, struct err *e)
{
    struct loop *l = c->loop;
    const struct known_token *known;
    struct known_token *fresh;
    struct sv token;

    if (!call_bearer(c, &token))
        return err_set(e, ERR_DENIED, "no bearer token; get one from /v1/oauth/tokens");
    known = map_get(&l->tokens, token);
    if (known && c->now_ms < known->who.valid_until_ms) {
        c->who = known->who;
        return true;
    }
    if (!rulebook_authenticate(c->rules, token, c->now_ms, c->arena, &c->who, e)) {
        if (e->code == ERR_NOT_FOUND && l->serve->options.want_keys)
            l->serve->options.want_keys(l->serve->options.context);
        return false;
    }
    if (l->tokens.n >= TOKENS_KEPT)
        forget_tokens(l);
    fresh = arena_new(&l->tokens_arena, struct known_token);
    fresh->who = c->who;
    fresh->who.only_roles = arena_dup(&l->tokens_arena, c->who.only_roles);
    (void)map_put(&l->tokens, token, fresh);
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
    return form_read(query, c->arena, &c->query, e);
}

static bool begin(struct call *c, struct err *e)
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
    return c->route->handle(c, e);
}

void loop_request(struct http_turn *t, void *state)
{
    struct loop *l = state;
    struct call *c = arena_new(&t->arena, struct call);
    struct err e = {0};

    t->state = c;
    c->turn = t;
    c->arena = &t->arena;
    c->in = &t->request;
    c->loop = l;
    c->world = l->serve->options.world;
    c->now_ms = t->wall_ms;
    c->rules = l->rules ? rulebook_ref(l->rules) : NULL;
    set_id(c);
    call_step(c, begin(c, &e), &e);
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
    l->tokens = map_new(&l->tokens_arena);
    l->places = map_new(&l->places_arena);
    l->texts = texts_of(LIMIT_METADATA_CACHE_BYTES / s->options.loops);
    l->answers_arena.wipe = true;
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
