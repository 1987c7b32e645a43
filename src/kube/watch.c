/* watch.c - the watches of one thread: carries what the reflectors ask to the server and back. */
#include "kube/watch.h"

#include "base/limits.h"
#include "base/metric.h"
#include "kube/exchange.h"
#include "kube/reflector.h"

struct kube_follower {
    const struct kube_config *config;
    const struct world *world;
    struct credentials *credentials;
    struct http_multi *http;
    struct kube_watch *watches;
    bool no_watchlist; /* this server refused it once */
};

struct kube_watch {
    struct arena own; /* of this struct and of copies of what the caller passed by view */
    struct kube_watch *next;
    struct kube_follower *follower;
    struct reflector reflector;
    struct arena call; /* of the request under way; kept until the next begins */
    struct kube_exchange exchange;
    struct http_transfer *transfer;
    bool gone;
    bool streamed;    /* once at least */
    bool proved_anew; /* a 401 was answered by a fresh credential already */
};

static void close_watch(struct kube_watch *w)
{
    struct arena own = w->own;

    if (w->transfer)
        http_multi_cancel(w->follower->http, w->transfer);
    reflector_done(&w->reflector);
    arena_done(&w->call);
    arena_done(&own);
}

static void close_follower(void *object)
{
    struct kube_follower *f = object;

    for (struct kube_watch *w = f->watches, *next; w; w = next) {
        next = w->next;
        close_watch(w);
    }
    f->watches = NULL;
}

struct kube_follower *kube_follower_new(const struct kube_config *c, const struct world *w,
                                        struct arena *a)
{
    struct kube_follower *f = arena_new(a, struct kube_follower);

    f->config = c;
    f->world = w;
    f->credentials = credentials_new(c, a);
    f->http = http_multi_new(a);
    arena_defer(a, close_follower, f);
    return f;
}

static struct watch_options copy_options(const struct watch_options *o, struct arena *a)
{
    struct watch_options copy = *o;

    copy.collection.group_version = arena_dup(a, o->collection.group_version);
    copy.collection.namespace_ = arena_dup(a, o->collection.namespace_);
    copy.collection.resource = arena_dup(a, o->collection.resource);
    copy.label_selector = arena_dup(a, o->label_selector);
    copy.field_selector = arena_dup(a, o->field_selector);
    return copy;
}

struct kube_watch *kube_follow(struct kube_follower *f, const struct watch_options *o)
{
    struct arena own = {0};
    struct kube_watch *w = arena_new(&own, struct kube_watch);
    struct watch_options copy = copy_options(o, &own);

    w->own = own;
    w->follower = f;
    w->call.wipe = true;
    reflector_init(&w->reflector, &copy, f->world, &f->no_watchlist);
    w->reflector.due_ms = world_mono_ms(f->world);
    w->next = f->watches;
    f->watches = w;
    return w;
}

/* The caller may be in the middle of this very watch's event: it is closed when none is. */
void kube_unfollow(UNUSED struct kube_follower *f, struct kube_watch *w)
{
    w->gone = true;
    reflector_mute(&w->reflector);
}

static void sweep(struct kube_follower *f)
{
    struct kube_watch **link = &f->watches;

    while (*link) {
        struct kube_watch *w = *link;

        if (!w->gone) {
            link = &w->next;
            continue;
        }
        *link = w->next;
        close_watch(w);
    }
}

/* ---- one request ---- */

static bool on_chunk(struct sv piece, void *context)
{
    struct kube_watch *w = context;

    return reflector_bytes(&w->reflector, piece);
}

/* A fresh credential is worth one more try before anyone hears of it. */
static bool prove_anew(struct kube_watch *w, int status)
{
    bool again = status == 401 && !w->proved_anew && credentials_refused(w->follower->credentials);

    w->proved_anew = again;
    return again;
}

static void on_done(struct http_response *response, const struct err *e, void *context)
{
    struct kube_watch *w = context;
    int64_t now_ms = world_mono_ms(w->follower->world);
    struct kube_reply reply = {0};

    w->transfer = NULL;
    if (response)
        exchange_read(response, &w->call, &reply);
    if (response && prove_anew(w, reply.status))
        reflector_again(&w->reflector, now_ms);
    else
        reflector_end(&w->reflector, response ? &reply : NULL, e, now_ms, &w->call);
}

static void set_limits(struct kube_watch *w, bool streams)
{
    struct http_options *o = &w->exchange.options;

    if (!streams) {
        o->timeout_ms = LIMIT_KUBE_CALL_MS;
        return;
    }
    o->silence_timeout_ms = LIMIT_WATCH_SILENCE_MS;
    o->compressed = false;
    o->chunk = on_chunk;
    o->context = w;
    if (w->streamed)
        metric_add(METRIC_WATCH_RESTARTS, 1);
    w->streamed = true;
}

static void begin(struct kube_watch *w, int64_t now_ms)
{
    struct kube_follower *f = w->follower;
    struct reflector_request q;
    struct err e = {0};

    arena_done(&w->call);
    w->exchange = (struct kube_exchange){.arena = &w->call};
    reflector_begin(&w->reflector, now_ms, &w->call, &q);
    if (!exchange_build(&w->exchange, f->credentials, f->config, &q.request, q.accept, &e)) {
        reflector_end(&w->reflector, NULL, &e, now_ms, &w->call);
        return;
    }
    set_limits(w, q.streams);
    w->transfer =
        http_multi_start(f->http, &w->exchange.request, &w->exchange.options, &w->call, on_done, w);
}

/* ---- all of them ---- */

/* Begins what is due; returns when the next of them wants to be called. */
static int64_t begin_due(struct kube_follower *f, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;

    for (struct kube_watch *w = f->watches; w; w = w->next) {
        if (w->gone)
            continue;
        if (w->transfer)
            reflector_tick(&w->reflector, now_ms);
        else if (reflector_next_ms(&w->reflector) <= now_ms)
            begin(w, now_ms);
        if (reflector_next_ms(&w->reflector) < next_ms)
            next_ms = reflector_next_ms(&w->reflector);
    }
    return next_ms;
}

void kube_follower_poll(struct kube_follower *f, int timeout_ms)
{
    int64_t now_ms = world_mono_ms(f->world), next_ms;

    sweep(f);
    next_ms = begin_due(f, now_ms);
    if (next_ms <= now_ms)
        timeout_ms = 0;
    else if (next_ms - now_ms < timeout_ms)
        timeout_ms = (int)(next_ms - now_ms);
    http_multi_poll(f->http, timeout_ms);
    /* What ended the sleep is delivered now, not with the next call. */
    http_multi_poll(f->http, 0);
}

void kube_follower_wake(struct kube_follower *f)
{
    http_multi_wake(f->http);
}
