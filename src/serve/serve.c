/* serve.c - the vending server put together. */
#include "serve/serve.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "serve/admin.h"
#include "serve/compute.h"
#include "serve/loop.h"

/* Two, so that one caller, who has one at most, leaves one to the others. */
enum { READERS = 2, COMPUTING = 2, ADMIN_GRACE_MS = 100 };

struct publication {
    struct message message;
    struct arena arena; /* holds this */
    struct rulebook *rules;
    bool to_admin;
};

static void on_publication(struct message *m, void *receiver)
{
    struct publication *p = (struct publication *)m;
    struct arena last = p->arena;

    if (p->to_admin)
        admin_publish(receiver, p->rules);
    else
        loop_publish(receiver, p->rules);
    arena_done(&last);
}

static void post(struct http_loop *to, struct rulebook *r, bool to_admin)
{
    struct arena own = {0};
    struct publication *p = arena_new(&own, struct publication);

    p->message.deliver = on_publication;
    p->rules = rulebook_ref(r);
    p->to_admin = to_admin;
    p->arena = own;
    mailbox_post(http_loop_mailbox(to), &p->message);
}

void serve_publish(struct serve *s, struct rulebook *r)
{
    for (unsigned i = 0; i < s->options.loops; i++)
        post(http_server_loop(s->server, i), r, false);
    if (s->admin)
        post(http_server_loop(s->admin, 0), r, true);
    (void)rulebook_unref(r);
}

int64_t serve_token_ms(const struct serve *s)
{
    return s->options.token_ms ? s->options.token_ms : LIMIT_OWN_TOKEN_TTL_MS;
}

static void tell(const char *what, const struct err *e, UNUSED void *state)
{
    if (e)
        log_line(LOG_ERROR, "serve", what, LOG_ERR(e));
    else
        log_line(LOG_INFO, "serve", what, LOG_STR("result", "in force"));
}

static bool start_servers(struct serve *s, struct err *e)
{
    struct http_server_options main = {.listeners = s->options.listeners,
                                       .n_listeners = s->options.n_listeners,
                                       .loops = s->options.loops,
                                       .handler = &s->handler,
                                       .memory = &s->memory,
                                       .world = s->options.world};
    struct http_server_options admin = {.listeners = &s->options.admin,
                                        .n_listeners = 1,
                                        .loops = 1,
                                        .handler = &s->admin_handler,
                                        .memory = &s->memory,
                                        .world = s->options.world};

    s->handler = (struct http_handler){.start = loop_start,
                                       .head = loop_head,
                                       .request = loop_request,
                                       .refused = record_refusal,
                                       .drop = loop_drop,
                                       .stop = loop_stop,
                                       .context = s};
    admin_handler(s, &s->admin_handler);
    s->handler.tell = s->admin_handler.tell = tell;
    return http_server_start(&main, &s->server, e) &&
           (!s->options.admin.address.n || http_server_start(&admin, &s->admin, e));
}

bool serve_start(const struct serve_options *o, struct serve **out, struct err *e)
{
    struct arena own = {0};
    struct serve *s = arena_new(&own, struct serve);
    const struct audit_options audit = {o->audit, o->store_url, o->audit_keep_ms, o->world};

    s->arena = own;
    s->options = *o;
    if (!s->options.memory_bytes)
        s->options.memory_bytes = memory_limit();
    shares_init(&s->memory, memory_part(s->options.memory_bytes, 6, LIMIT_HTTP_MEMORY), &s->arena);
    if (!audit_start(&audit, &s->arena, &s->audit, e) ||
        !keepers_start(o->store_url, READERS, &s->arena, &s->keepers, e) ||
        !compute_start(COMPUTING, &s->arena, &s->compute, e) ||
        !minter_start(o->world, memory_part(s->options.memory_bytes, 1, LIMIT_MINT_CACHE_BYTES),
                      &s->arena, &s->minter, e) ||
        !start_servers(s, e))
        return false;
    if (keepers_trouble(s->keepers)->code != ERR_NONE)
        log_line(LOG_ERROR, "serve", "the catalog's database cannot be used",
                 LOG_ERR(keepers_trouble(s->keepers)));
    *out = s;
    return true;
}

void serve_record(struct serve *s, int64_t now_ms, struct sv line)
{
    audit_write(s->audit, now_ms, line);
}

struct sv serve_address(const struct serve *s, size_t listener)
{
    return http_server_address(s->server, listener);
}

struct sv serve_admin_address(const struct serve *s)
{
    return s->admin ? http_server_address(s->admin, 0) : (struct sv){0};
}

void serve_stop(struct serve *s, int grace_ms)
{
    struct arena last;

    http_server_stop(s->server, grace_ms);
    if (s->admin)
        http_server_stop(s->admin, ADMIN_GRACE_MS);
    /* These may be at work for calls still, and post to their loops. */
    minter_stop(s->minter);
    compute_stop(s->compute);
    keepers_stop(s->keepers);
    http_server_free(s->server);
    if (s->admin)
        http_server_free(s->admin);
    audit_stop(s->audit);
    shares_done(&s->memory);
    last = s->arena;
    arena_done(&last);
}
