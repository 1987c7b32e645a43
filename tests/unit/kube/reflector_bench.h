/* reflector_bench.h - a reflector that is fed by hand, and what it told. */
#ifndef UNIT_KUBE_REFLECTOR_BENCH_H
#define UNIT_KUBE_REFLECTOR_BENCH_H

#include "kube/exchange.h"
#include "kube/reflector.h"
#include "unit/suite.h"

#define OBJECT(name, version)                                                \
    "{\"kind\":\"Thing\",\"metadata\":{\"namespace\":\"n\",\"name\":\"" name \
    "\",\"resourceVersion\":\"" version "\"}}"
#define EVENT(type, name, version) "{\"type\":\"" type "\",\"object\":" OBJECT(name, version) "}\n"
#define BOOKMARK(version)                                                                                \
    "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Thing\",\"metadata\":{\"resourceVersion\":\"" version \
    "\"}}}\n"
#define INITIAL_END(version)                                                                      \
    "{\"type\":\"BOOKMARK\",\"object\":{\"apiVersion\":\"G/V\",\"kind\":\"Thing\",\"metadata\":{" \
    "\"annotations\":{\"k8s.io/initial-events-end\":\"true\"},\"resourceVersion\":\"" version     \
    "\"}}}\n"
#define EXPIRED                                                                                  \
    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{}," \
    "\"status\":\"Failure\",\"message\":\"too old resource version: 1 (5)\",\"reason\":"         \
    "\"Expired\",\"code\":410}}\n"

/* What was told, as text: "+a" applied, "-a" deleted, "." synced, "!" failed. */
struct bench {
    struct arena arena;
    struct world_test time;
    struct reflector r;
    struct reflector_request q;
    char told[1024];
    size_t n;
    char why[256];
    bool no_watchlist;
};

static inline void note(enum watch_event event, const struct json *object, const struct err *why,
                        void *context)
{
    static const char *const marks[] = {"+", "-", ".", "!"};
    struct bench *b = context;
    struct sv name = json_str(json_path(object, SV("metadata.name")), SV(""));

    b->n += (size_t)snprintf(b->told + b->n, sizeof(b->told) - b->n, "%s" SV_FMT, marks[event],
                             SV_ARG(name));
    if (why)
        (void)snprintf(b->why, sizeof(b->why), "%s", why->msg);
}

static inline void bench_init(struct bench *b)
{
    struct watch_options o = {
        .collection = {.group_version = SV("x.io/v1"), .resource = SV("things")},
        .event = note,
        .context = b
    };

    *b = (struct bench){0};
    world_test_init(&b->time, 1, 1000000);
    reflector_init(&b->r, &o, &b->time.world, &b->no_watchlist);
}

static inline void bench_done(struct bench *b)
{
    reflector_done(&b->r);
    arena_done(&b->arena);
}

/* Turns the clock to when the next request is due, and begins it. */
static inline void begin(struct bench *b)
{
    if (reflector_next_ms(&b->r) > b->time.ms)
        b->time.ms = reflector_next_ms(&b->r);
    reflector_begin(&b->r, b->time.ms, &b->arena, &b->q);
}

static inline int64_t wait_ms(const struct bench *b)
{
    return reflector_next_ms(&b->r) > b->time.ms ? reflector_next_ms(&b->r) - b->time.ms : 0;
}

static inline bool bytes(struct bench *b, const char *text)
{
    return reflector_bytes(&b->r, sv_from(text));
}

static inline void end_with(struct bench *b, int status, const char *body, const char *retry_after)
{
    struct http_response r = {.status = status, .body = sv_from(body)};
    struct kube_reply reply;

    if (retry_after)
        http_header_add(&r.headers, &b->arena, SV("Retry-After"), sv_from(retry_after));
    exchange_read(&r, &b->arena, &reply);
    reflector_end(&b->r, &reply, NULL, b->time.ms, &b->arena);
}

static inline void end_clean(struct bench *b)
{
    end_with(b, 200, "", NULL);
}

static inline void end_cut(struct bench *b)
{
    struct err e = {0};

    (void)err_set(&e, ERR_UNAVAILABLE, "no answer: reset after %d ms", (int)(b->time.ms % 1000));
    reflector_end(&b->r, NULL, &e, b->time.ms, &b->arena);
}

static inline struct sv asked(const struct bench *b, const char *name)
{
    const struct sv *v = form_get(&b->q.request.query, sv_from(name));

    return v ? *v : (struct sv){0};
}

#define CHECK_TOLD(b, want) CHECK_SV(sv_from((b)->told), SV(want))

/* Up to a watch from version 9, with a and b known. */
static inline void sync_by_watchlist(struct bench *b)
{
    begin(b);
    CHECK(bytes(b, EVENT("ADDED", "a", "7") EVENT("ADDED", "b", "3") INITIAL_END("9")));
    CHECK_TOLD(b, "+a+b.");
    b->n = 0;
    b->told[0] = '\0';
}

#endif
