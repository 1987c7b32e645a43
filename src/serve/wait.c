/* wait.c - what a call waits for: a query, a credential, an object. The loop goes on meanwhile. */
#include "base/limits.h"
#include "serve/compute.h"
#include "serve/loop.h"
#include "serve/once.h"
#include "store/files.h"

static bool begin_waiting(struct call *c, call_then_fn *then, struct err *e)
{
    if (!shares_take(&c->loop->waiting, c->who.name, 1))
        return err_set(e, ERR_BUSY, "too many requests of this caller wait already; try again");
    c->wait = arena_new(c->arena, struct call_wait);
    c->wait->then = then;
    return true;
}

static void go_on(struct call *c)
{
    struct call_wait *w = c->wait;
    struct err e = w->outcome;

    shares_give(&c->loop->waiting, c->who.name, 1);
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
    bool ok;

    ok = w->writes && !w->aside ? once_write(c, receiver, w->query, &w->outcome)
                                : w->query(c, receiver, &w->outcome);
    if (!ok && w->outcome.code == ERR_NONE)
        w->outcome.code = ERR_INTERNAL;
    if (ok)
        w->outcome = (struct err){0};
    /* Counted after the write and before anybody hears of it. What others write to a shared store
     * is not counted here: nothing read from it is kept for the next request. */
    if (w->writes || store_is_shared(receiver))
        (void)atomic_fetch_add(&c->loop->serve->epoch, 1);
    m->deliver = come_home;
    mailbox_post(http_loop_mailbox(c->loop->http), m);
}

static bool begin_query(struct call *c, query_fn *q, call_then_fn *then, struct err *e)
{
    if (!begin_waiting(c, then, e))
        return false;
    c->wait->query = q;
    c->message.deliver = run_query;
    return true;
}

bool call_read(struct call *c, query_fn *q, call_then_fn *then, struct err *e)
{
    if (!begin_query(c, q, then, e))
        return false;
    keepers_read(c->loop->serve->keepers, &c->message);
    return true;
}

bool call_read_settled(struct call *c, query_fn *q, call_then_fn *then, struct err *e)
{
    if (!begin_query(c, q, then, e))
        return false;
    keepers_write(c->loop->serve->keepers, &c->message);
    return true;
}

bool call_write(struct call *c, query_fn *q, call_then_fn *then, struct err *e)
{
    if (!begin_query(c, q, then, e))
        return false;
    c->wait->writes = true;
    keepers_write(c->loop->serve->keepers, &c->message);
    return true;
}

/* On a thread for computations. Nobody waits for the outcome of a client that has gone. */
static void run_computation(struct message *m, UNUSED void *receiver)
{
    struct call *c = call_of(m);
    struct call_wait *w = c->wait;

    if (atomic_load(&c->turn->gone))
        (void)err_set(&w->outcome, ERR_UNAVAILABLE, "the client has gone");
    else if (w->query(c, NULL, &w->outcome))
        w->outcome = (struct err){0};
    else if (w->outcome.code == ERR_NONE)
        w->outcome.code = ERR_INTERNAL;
    m->deliver = come_home;
    mailbox_post(http_loop_mailbox(c->loop->http), m);
}

static bool compute(struct call *c, query_fn *q, call_then_fn *then, struct err *e)
{
    if (!begin_waiting(c, then, e))
        return false;
    c->wait->query = q;
    c->message.deliver = run_computation;
    if (compute_post(c->loop->serve->compute, c->who.name, &c->message, e))
        return true;
    shares_give(&c->loop->waiting, c->who.name, 1);
    return false;
}

bool call_write_aside(struct call *c, query_fn *q, call_then_fn *then, struct err *e)
{
    if (!begin_query(c, q, then, e))
        return false;
    c->wait->writes = c->wait->aside = true;
    keepers_write(c->loop->serve->keepers, &c->message);
    return true;
}

bool call_compute(struct call *c, bool long_, query_fn *q, call_then_fn *then, struct err *e)
{
    struct err why;

    if (long_)
        return compute(c, q, then, e);
    if (q(c, NULL, e))
        return then(c, NULL, e);
    why = *e;
    return then(c, &why, e);
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
                                  ask->for_us ? (struct sv){0} : rule_template(w, ask->access),
                                  ask->for_us};
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
    j->only_roles = ask->for_us ? (struct sv){0} : c->who.only_roles;
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

/* On a keeper's thread, which may wait for a disk. */
static bool query_file(struct call *c, UNUSED struct store *s, struct err *e)
{
    struct mint_job *j = &c->wait->job;

    switch (j->method) {
    case HTTP_GET:
        if (stored_file_read(j->file.key, LIMIT_METADATA_BYTES, c->arena, &j->content, e))
            return true;
        j->too_large = e->code == ERR_INVALID;
        return false;
    case HTTP_PUT:
        return stored_file_write(j->file.key, j->body, e);
    default:
        return stored_file_remove(j->file.key, e);
    }
}

static bool ask_file(struct call *c, const struct object_ask *ask, call_then_fn *then,
                     struct err *e)
{
    struct mint_job *j;

    if (!begin_waiting(c, then, e))
        return false;
    j = &c->wait->job;
    j->file = ask->file;
    j->method = ask->method;
    j->body = ask->body;
    c->wait->query = query_file;
    c->message.deliver = run_query;
    keepers_read(c->loop->serve->keepers, &c->message);
    return true;
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
                                      ACCESS_READ | ACCESS_WRITE | ACCESS_DELETE | ACCESS_LIST,
                                  .for_us = true};
    struct mint_job *j;
    struct sv policy;

    if (!w->vendable)
        return err_set(e, ERR_UNAVAILABLE, "StorageIntegration " SV_FMT " is not ready: " SV_FMT,
                       SV_ARG(w->name), SV_ARG(w->why_not));
    if (rule_is_folder(w))
        return ask_file(c, ask, then, e);
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

bool call_content_is_too_large(const struct call *c)
{
    return c->wait->job.too_large;
}
