/* admin.c - the private listener: health, readiness, metrics, what is in force. */
#include "serve/admin.h"

#include "base/log.h"
#include "base/metric.h"
#include "serve/loop.h"

/* A keeper that has been asked for so long is as good as away: behind it everybody waits. */
enum { PAGE_BYTES = 32 * 1024 * 1024, SILENCE_MS = 5000 };

/* The question to a keeper how its database is; one at a time is under way. */
struct probe {
    struct message message;
    struct mailbox *home;
    struct err outcome; /* of the last one */
    bool under_way;
};

struct admin {
    struct arena arena; /* holds this */
    struct serve *serve;
    struct rulebook *rules;
    struct probe probe;
    struct err trouble; /* of the catalog's database; ERR_NONE: it can be used */
    int64_t asked_ms;   /* monotonic; when the probe that is under way began */
};

static void reply(struct http_turn *t, int status, struct sv type, struct sv body)
{
    struct http_response r = {.status = status, .body = body};

    http_header_add(&r.headers, &t->arena, SV("Content-Type"), type);
    http_turn_reply(t, &r);
}

static void show_metrics(struct http_turn *t, struct serve *s)
{
    struct buf b = buf_new(&t->arena, PAGE_BYTES);

    metric_set(METRIC_SHARED_BYTES, (int64_t)shares_used(&s->memory));
    metric_set(METRIC_SHARED_BYTES_MAX, (int64_t)s->memory.max);
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

/* ---- readiness ---- */

static void take_trouble(struct admin *a, const struct err *trouble)
{
    a->trouble = *trouble;
    metric_set(METRIC_STORE_USABLE, trouble->code == ERR_NONE);
}

static void come_home(struct message *m, void *receiver)
{
    struct probe *p = (struct probe *)m;
    struct admin *a = receiver;
    bool was = a->trouble.code == ERR_NONE, is = p->outcome.code == ERR_NONE;

    if (was && !is)
        log_line(LOG_ERROR, "serve", "the catalog's database cannot be used", LOG_ERR(&p->outcome));
    if (!was && is)
        log_line(LOG_INFO, "serve", "the catalog's database can be used again",
                 LOG_STR("was", a->trouble.msg));
    take_trouble(a, &p->outcome);
    p->under_way = false;
}

/* On a keeper's thread. */
static void ask_store(struct message *m, void *receiver)
{
    struct probe *p = (struct probe *)m;
    struct err e = {0};

    p->outcome = store_check(receiver, &e) ? (struct err){0} : e;
    m->deliver = come_home;
    mailbox_post(p->home, m);
}

/* Every second, so that a loss is noticed and mended whether or not anybody asks. */
static void tick(int64_t mono_ms, void *state)
{
    struct admin *a = state;

    if (a->probe.under_way)
        return;
    a->asked_ms = mono_ms;
    a->probe.under_way = true;
    a->probe.message.deliver = ask_store;
    keepers_read(a->serve->keepers, &a->probe.message);
}

/* Empty: the program is ready. */
static struct sv why_not_ready(const struct admin *a, struct http_turn *t)
{
    int64_t silent_ms = a->probe.under_way ? t->mono_ms - a->asked_ms : 0;

    if (!a->rules)
        return SV("no rulebook yet\n");
    if (atomic_load(&a->serve->knowing) < a->serve->options.loops)
        return SV("no key for tokens yet\n");
    if (a->trouble.code != ERR_NONE)
        return arena_printf(&t->arena, "%s\n", a->trouble.msg);
    if (silent_ms >= SILENCE_MS)
        return arena_printf(&t->arena, "the catalog's database has not answered for %lld s\n",
                            (long long)silent_ms / 1000);
    return (struct sv){0};
}

/* A broken manifest takes nothing out of force, so requests are answered as before. */
static struct sv what_is_unread(const struct admin *a, struct http_turn *t)
{
    struct sv unread = rulebook_unread(a->rules);

    return unread.n ? arena_printf(&t->arena,
                                   "ok\nmanifests that cannot be used, what they named last is in "
                                   "force:\n" SV_FMT,
                                   SV_ARG(unread))
                    : SV("ok\n");
}

static void show_ready(struct http_turn *t, const struct admin *a)
{
    struct sv why = why_not_ready(a, t);

    reply(t, why.n ? 503 : 200, SV("text/plain"), why.n ? why : what_is_unread(a, t));
}

static void refuse_method(struct http_turn *t)
{
    struct http_response r = {.status = 405, .body = SV("only GET and HEAD\n")};

    http_header_add(&r.headers, &t->arena, SV("Content-Type"), SV("text/plain"));
    http_header_add(&r.headers, &t->arena, SV("Allow"), SV("GET, HEAD"));
    http_turn_reply(t, &r);
}

static void request(struct http_turn *t, void *state)
{
    const struct admin *a = state;
    struct sv target = t->request.target;

    if (t->request.method != HTTP_GET && t->request.method != HTTP_HEAD)
        refuse_method(t);
    else if (sv_eq(target, SV("/healthz")))
        reply(t, 200, SV("text/plain"), SV("ok\n"));
    else if (sv_eq(target, SV("/readyz")))
        show_ready(t, a);
    else if (sv_eq(target, SV("/metrics")))
        show_metrics(t, a->serve);
    else if (sv_eq(target, SV("/rulebook")))
        show_rulebook(t, a);
    else
        reply(t, 404, SV("text/plain"), SV("/healthz /readyz /metrics /rulebook\n"));
}

static void *start(struct http_loop *http, void *context)
{
    struct arena own = {0};
    struct admin *a = arena_new(&own, struct admin);

    a->arena = own;
    a->serve = context;
    take_trouble(a, keepers_trouble(a->serve->keepers));
    a->probe.home = http_loop_mailbox(http);
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
    *out = (struct http_handler){
        .start = start, .request = request, .tick = tick, .stop = stop, .context = s};
}
