/* loop.c - what surrounds each handler: who asks, what is waited for, what is said at the end. */
#include "serve/loop.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/metric.h"
#include "serve/routes.h"
#include "wire/hex.h"

enum { TOKENS_KEPT = 4096 };

/* ---- the end of a call ---- */

static void count(const struct call *c)
{
    if (c->out.status == 401)
        metric_add(METRIC_AUTH_FAILED, 1);
    else if (c->out.status == 403)
        metric_add(METRIC_DENIED, 1);
    else if (c->out.status == 500)
        metric_add(METRIC_BUGS, 1);
}

bool call_reply(struct call *c)
{
    struct http_turn *t = c->turn;

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
    if (e->code == ERR_INTERNAL)
        log_line(LOG_ERROR, "serve", "internal error", LOG_SV("requestId", c->id), LOG_ERR(e));
    call_fail(c, e);
}

/* ---- waiting ---- */

static bool begin_waiting(struct call *c, call_then_fn *then, struct err *e)
{
    if (c->loop->waiting >= LIMIT_CALLS_WAITING)
        return err_set(e, ERR_BUSY, "%d requests wait already; try again", LIMIT_CALLS_WAITING);
    c->loop->waiting++;
    c->wait = arena_new(c->arena, struct call_wait);
    c->wait->then = then;
    return true;
}

static void go_on(struct call *c)
{
    struct call_wait *w = c->wait;
    struct err e = w->outcome;

    c->loop->waiting--;
    call_step(c, w->then(c, w->outcome.code == ERR_NONE ? NULL : &w->outcome, &e), &e);
}

static struct call *call_of(struct message *m)
{
    return (struct call *)(void *)((char *)m - offsetof(struct call, message));
}

static void come_home(struct message *m, UNUSED void *receiver)
{
    go_on(call_of(m));
}

/* On a keeper's thread: the call is its alone until it is posted home. */
static void run_query(struct message *m, void *receiver)
{
    struct call *c = call_of(m);
    struct call_wait *w = c->wait;

    if (!w->query(c, receiver, &w->outcome) && w->outcome.code == ERR_NONE)
        w->outcome.code = ERR_INTERNAL;
    /* Counted after the write and before anybody hears of it. */
    if (w->writes)
        (void)atomic_fetch_add(&c->loop->serve->epoch, 1);
    m->deliver = come_home;
    mailbox_post(http_loop_mailbox(c->loop->http), m);
}

bool call_read(struct call *c, query_fn *q, call_then_fn *then, struct err *e)
{
    if (!begin_waiting(c, then, e))
        return false;
    c->wait->query = q;
    c->message.deliver = run_query;
    keepers_read(c->loop->serve->keepers, &c->message);
    return true;
}

bool call_write(struct call *c, query_fn *q, call_then_fn *then, struct err *e)
{
    if (!begin_waiting(c, then, e))
        return false;
    c->wait->query = q;
    c->wait->writes = true;
    c->message.deliver = run_query;
    keepers_write(c->loop->serve->keepers, &c->message);
    return true;
}

static void minted(struct message *m, UNUSED void *receiver)
{
    struct mint_job *j = (struct mint_job *)m;
    struct call *c = j->context;

    c->wait->outcome = j->err;
    go_on(c);
}

static struct mint_job *new_job(struct call *c, const struct rule_integration *w)
{
    struct mint_job *j = &c->wait->job;

    *j = (struct mint_job){.home = http_loop_mailbox(c->loop->http),
                           .answer = minted,
                           .context = c,
                           .arena = c->arena,
                           .rules = c->rules,
                           .integration = w};
    return j;
}

static int64_t least(int64_t x, int64_t y)
{
    return x < y ? x : y;
}

/* Not beyond the caller's own token, in steps of a minute so that equal asks share a key. Token
 * services refuse less than 900 s: a caller whose token ends sooner gets that much. */
static int ttl_of(const struct call *c, const struct mint_ask *ask)
{
    const struct rule_integration *w = ask->catalog->integration;
    int64_t ttl = least(w->ttl_seconds,
                        w->max_session_seconds ? w->max_session_seconds : LIMIT_MAX_TTL_SECONDS);

    if (ask->max_ttl_seconds)
        ttl = least(ttl, ask->max_ttl_seconds);
    if (c->who.token_expires_ms)
        ttl = least(ttl, (c->who.token_expires_ms - c->now_ms) / 60000 * 60);
    return (int)(ttl < LIMIT_MIN_TTL_SECONDS ? LIMIT_MIN_TTL_SECONDS : ttl);
}

bool call_mint(struct call *c, const struct mint_ask *ask, call_then_fn *then, struct err *e)
{
    const struct rule_integration *w = ask->catalog->integration;
    struct session_ask session = {ask->folders, ask->n_folders, ask->access,
                                  ask->for_us ? (struct sv){0} : rule_template(w, ask->access)};
    struct session_words words = {.principal = ask->for_us ? SV("frontdesk") : c->who.name,
                                  .catalog = ask->catalog->name,
                                  .namespace_ = ask->levels_text,
                                  .table = ask->table,
                                  .request = c->id,
                                  .trace = http_trace_id(&c->in->headers)};
    struct mint_job *j;
    struct sv policy;

    if (!w->vendable)
        return err_set(e, ERR_UNAVAILABLE, "StorageIntegration " SV_FMT " is not ready: " SV_FMT,
                       SV_ARG(w->name), SV_ARG(w->why_not));
    if (!session_policy(&w->target, &session, c->arena, &policy, e) || !begin_waiting(c, then, e))
        return false;
    j = new_job(c, w);
    j->principal = words.principal;
    j->only_role = ask->for_us ? (struct sv){0} : c->who.only_role;
    j->policy = policy;
    j->session_name = session_name(w->session_name, &words, c->arena);
    j->tags = session_tags(&w->target, &words, c->arena);
    j->ttl_seconds = ttl_of(c, ask);
    minter_ask(c->loop->serve->minter, j);
    return true;
}

const struct credential *call_minted(const struct call *c)
{
    return &c->wait->job.got;
}

bool call_object(struct call *c, const struct object_ask *ask, call_then_fn *then, struct err *e)
{
    const struct rule_integration *w = ask->catalog->integration;
    struct session_words words = {.principal = SV("frontdesk"),
                                  .catalog = ask->catalog->name,
                                  .table = c->table_text,
                                  .request = c->id};
    struct session_ask session = {.folders = &ask->folder,
                                  .n_folders = 1,
                                  .access =
                                      ACCESS_READ | ACCESS_WRITE | ACCESS_DELETE | ACCESS_LIST};
    struct mint_job *j;
    struct sv policy;

    if (!w->vendable)
        return err_set(e, ERR_UNAVAILABLE, "StorageIntegration " SV_FMT " is not ready: " SV_FMT,
                       SV_ARG(w->name), SV_ARG(w->why_not));
    if (!session_policy(&w->target, &session, c->arena, &policy, e) || !begin_waiting(c, then, e))
        return false;
    j = new_job(c, w);
    j->principal = words.principal;
    j->policy = policy;
    j->session_name = session_name(w->session_name, &words, c->arena);
    j->tags = session_tags(&w->target, &words, c->arena);
    j->ttl_seconds = LIMIT_MIN_TTL_SECONDS;
    j->file = ask->file;
    j->method = ask->method;
    j->body = ask->body;
    minter_ask(c->loop->serve->minter, j);
    return true;
}

struct sv call_content(const struct call *c)
{
    return c->wait->job.content;
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

static bool bearer(const struct call *c, struct sv *token)
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

    if (!bearer(c, &token))
        return err_set(e, ERR_DENIED, "no bearer token; get one from /v1/oauth/tokens");
    known = map_get(&l->tokens, token);
    if (known && c->now_ms < known->who.token_expires_ms + LIMIT_CLOCK_SKEW_MS) {
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
    fresh->who.only_role = arena_dup(&l->tokens_arena, c->who.only_role);
    (void)map_put(&l->tokens, token, fresh);
    return true;
}

/* The cache may be dropped while the call goes on. */
static void keep_caller(struct call *c)
{
    c->who.only_role = arena_dup(c->arena, c->who.only_role);
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
    bool other_method;

    c->path = route_path(c->in->target, &query);
    c->route = route_match(c->in->method, c->path, c->params, &other_method);
    if (!c->route) {
        c->operation = "unknown";
        c->error_status = other_method ? 405 : 404;
        return err_set(e, ERR_NOT_FOUND,
                       other_method ? "this path does not take that method" : "no such path");
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
    l->metadata = map_new(&l->metadata_arena);
    l->answers_arena.wipe = true;
    l->answers = map_new(&l->answers_arena);
    return l;
}

void loop_publish(struct loop *l, struct rulebook *r)
{
    (void)rulebook_unref(l->rules);
    l->rules = r;
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
    arena_done(&l->metadata_arena);
    arena_done(&l->time_arena);
    arena_done(&last);
}
