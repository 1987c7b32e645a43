/* admin.c - the private listener: health, readiness, metrics, what is in force. */
#include "serve/admin.h"

#include "base/metric.h"
#include "serve/loop.h"

enum { PAGE_BYTES = 32 * 1024 * 1024 };

struct admin {
    struct arena arena; /* holds this */
    struct serve *serve;
    struct rulebook *rules;
};

static void reply(struct http_turn *t, int status, struct sv type, struct sv body)
{
    struct http_response r = {.status = status, .body = body};

    http_header_add(&r.headers, &t->arena, SV("Content-Type"), type);
    http_turn_reply(t, &r);
}

static void show_metrics(struct http_turn *t)
{
    struct buf b = buf_new(&t->arena, PAGE_BYTES);

    metric_write(&b);
    reply(t, 200, SV("text/plain; version=0.0.4"), buf_sv(&b));
}

static void show_rulebook(struct http_turn *t, const struct admin *a)
{
    struct buf b = buf_new(&t->arena, PAGE_BYTES);

    if (a->rules)
        rulebook_write(a->rules, &b);
    reply(t, a->rules ? 200 : 503, SV("application/json"), a->rules ? buf_sv(&b) : SV("{}"));
}

static void request(struct http_turn *t, void *state)
{
    const struct admin *a = state;
    struct sv target = t->request.target;
    bool ready = a->rules != NULL && atomic_load(&a->serve->ready);

    if (t->request.method != HTTP_GET && t->request.method != HTTP_HEAD)
        reply(t, 405, SV("text/plain"), SV("only GET\n"));
    else if (sv_eq(target, SV("/healthz")))
        reply(t, 200, SV("text/plain"), SV("ok\n"));
    else if (sv_eq(target, SV("/readyz")))
        reply(t, ready ? 200 : 503, SV("text/plain"), ready ? SV("ok\n") : SV("no rulebook yet\n"));
    else if (sv_eq(target, SV("/metrics")))
        show_metrics(t);
    else if (sv_eq(target, SV("/rulebook")))
        show_rulebook(t, a);
    else
        reply(t, 404, SV("text/plain"), SV("/healthz /readyz /metrics /rulebook\n"));
}

static void *start(UNUSED struct http_loop *http, void *context)
{
    struct arena own = {0};
    struct admin *a = arena_new(&own, struct admin);

    a->arena = own;
    a->serve = context;
    return a;
}

static void stop(void *state)
{
    struct admin *a = state;
    struct arena last = a->arena;

    (void)rulebook_unref(a->rules);
    arena_done(&last);
}

void admin_publish(void *state, struct rulebook *r)
{
    struct admin *a = state;

    (void)rulebook_unref(a->rules);
    a->rules = r;
}

void admin_handler(struct serve *s, struct http_handler *out)
{
    *out = (struct http_handler){.start = start, .request = request, .stop = stop, .context = s};
}
