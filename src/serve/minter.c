/* minter.c - credentials on demand. */
#include "serve/minter.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>

#include "base/limits.h"
#include "base/map.h"
#include "base/metric.h"
#include "net/http_client.h"
#include "serve/services.h"

enum { POLL_MS = 1000, REUSE_MS = 30 * 60 * 1000, FAILURE_FIRST_MS = 500, FAILURE_LAST_MS = 5000 };

/* A credential, or a failure that is shared for a moment. */
struct entry {
    struct credential credential;
    int64_t use_until_ms; /* monotonic */
    struct err err;
    int64_t failures_ms; /* how long this failure is remembered */
};

/* Two generations: when the young one is full or old it becomes the old one, and the old one is
 * wiped whole. */
struct generation {
    struct arena arena;
    struct map entries;
    int64_t born_ms;
};

struct flight {
    struct flight *next, **link;
    struct minter *minter;
    struct service *service;
    struct arena arena;
    struct rulebook *rules;
    struct sv key;
    struct exchange x;
    struct mint_job *waiting;
};

/* A read or write of ours in a bucket, with the credential it needed. */
struct errand {
    struct minter *minter;
    struct arena arena;
    struct mint_job *job;
    struct credential key;
    struct target target;
    struct exchange x;
};

struct minter {
    const struct world *world;
    struct arena arena;
    struct mailbox mailbox;
    struct http_multi *multi;
    pthread_t thread;
    struct generation *young, *old;
    size_t cache_bytes;
    struct flight *flights;
    struct services services;
    bool ending;
};

static int64_t mono(const struct minter *m)
{
    return world_mono_ms(m->world);
}

/* ---- the cache ---- */

static struct generation *new_generation(int64_t now_ms)
{
    struct arena a = {.wipe = true};
    struct generation *g = arena_new(&a, struct generation);

    g->arena = a;
    g->entries = map_new(&g->arena);
    g->born_ms = now_ms;
    return g;
}

static void drop_generation(struct generation *g)
{
    struct arena last = g->arena;

    arena_done(&last);
}

static void age(struct minter *m, int64_t now_ms)
{
    if (m->young->entries.n < LIMIT_MINT_CACHE_ENTRIES / 2 &&
        m->young->arena.used_bytes < m->cache_bytes / 2 && now_ms - m->young->born_ms < REUSE_MS)
        return;
    drop_generation(m->old);
    m->old = m->young;
    m->young = new_generation(now_ms);
}

static struct entry *remember(struct minter *m, struct sv key)
{
    struct entry *e;

    age(m, mono(m));
    e = arena_new(&m->young->arena, struct entry);
    (void)map_put(&m->young->entries, key, e);
    return e;
}

static const struct entry *recall(struct minter *m, struct sv key)
{
    const struct entry *e = map_get(&m->young->entries, key);

    if (!e)
        e = map_get(&m->old->entries, key);
    return e && mono(m) < e->use_until_ms ? e : NULL;
}

/* Whom and what the session's tags speak of: policies of the store may decide by them. */
static struct sv subject_of(const struct mint_job *j, struct arena *a)
{
    struct buf b = buf_new(a, (size_t)2 * SESSION_SUBJECT_TAGS * LIMIT_TAG_VALUE_CHARS);

    for (size_t i = 0; i < j->tags.n && i < SESSION_SUBJECT_TAGS; i++)
        buf_addf(&b, SV_FMT "=" SV_FMT "\n", SV_ARG(j->tags.p[i].key), SV_ARG(j->tags.p[i].value));
    return buf_sv(&b);
}

/* Everything that led to the credential, but not the session's name: that only says who asked
 * first. */
static struct sv key_of(const struct mint_job *j, struct arena *a)
{
    const struct rule_integration *w = j->integration;

    return sha256_hex(
        a, arena_printf(a,
                        SV_FMT "\n" SV_FMT "\n" SV_FMT "\n" SV_FMT "\n%" PRId64 "\n" SV_FMT
                               "\n" SV_FMT "\n%d\n%d\n" SV_FMT "\n" SV_FMT,
                        SV_ARG(w->namespace_), SV_ARG(w->name), SV_ARG(w->target.sts_endpoint),
                        SV_ARG(w->target.role_arn), w->secret_generation, SV_ARG(j->principal),
                        SV_ARG(j->only_roles), j->ttl_seconds, w->target.transitive_tags,
                        SV_ARG(subject_of(j, a)), SV_ARG(j->policy)));
}

/* ---- answers ---- */

static void answer(struct mint_job *j)
{
    j->message.deliver = j->answer;
    mailbox_post(j->home, &j->message);
}

static void fail(struct mint_job *j, const struct err *e)
{
    j->err = *e;
    answer(j);
}

/* ---- errands ---- */

static void advance_errand(struct errand *r);

static void on_object(struct http_response *in, const struct err *e, void *context)
{
    struct errand *r = context;
    struct arena last;

    if (!e) {
        r->x.in = *in;
        r->x.round++;
        advance_errand(r);
        return;
    }
    r->job->too_large = e->code == ERR_INVALID;
    fail(r->job, e);
    last = r->arena;
    arena_done(&last);
}

static bool step_errand(struct errand *r, struct err *e)
{
    r->x.now_ms = world_wall_ms(r->minter->world);
    if (r->job->method == HTTP_GET)
        return object_get(&r->x, e);
    return r->job->method == HTTP_PUT ? object_put(&r->x, e) : object_delete(&r->x, e);
}

static void advance_errand(struct errand *r)
{
    static const struct http_options common = {
        .timeout_ms = LIMIT_MINT_MS, .connect_timeout_ms = 3000, .max_bytes = LIMIT_METADATA_BYTES};
    struct http_options options = common;
    struct mint_job *j = r->job;
    struct err e = {0};
    struct arena last;

    options.larger_is_invalid = j->method == HTTP_GET;
    if (step_errand(r, &e)) {
        if (!r->x.done) {
            (void)http_multi_start(r->minter->multi, &r->x.out, &options, &r->arena, on_object, r);
            return;
        }
        if (r->x.missing)
            (void)err_set(&e, ERR_NOT_FOUND, "there is no object " SV_FMT,
                          SV_ARG(sv_first(j->file.key, 150)));
        else
            j->content = arena_dup(j->arena, r->x.content);
    }
    j->err = e;
    answer(j);
    last = r->arena;
    arena_done(&last);
}

static void begin_errand(struct minter *m, struct mint_job *j, const struct credential *key)
{
    struct arena a = {.wipe = true};
    struct errand *r = arena_new(&a, struct errand);

    r->arena = a;
    r->minter = m;
    r->job = j;
    r->key = credential_dup(&r->arena, key);
    r->x = (struct exchange){.target = &j->integration->target,
                             .arena = &r->arena,
                             .place = j->file,
                             .body = j->body,
                             .key = &r->key};
    advance_errand(r);
}

/* A job has its credential: that was all, or an object is wanted with it. */
static void serve_job(struct minter *m, struct mint_job *j, const struct credential *c)
{
    if (j->file.key.n) {
        begin_errand(m, j, c);
        return;
    }
    j->got = credential_dup(j->arena, c);
    answer(j);
}

/* ---- flights ---- */

static void land(struct flight *f, const struct err *e)
{
    struct minter *m = f->minter;
    struct entry *entry = remember(m, f->key);
    int64_t now_ms = mono(m), life_ms = f->x.got.expires_ms - f->x.now_ms;
    struct mint_job *j = f->waiting;
    struct arena last;

    *f->link = f->next;
    if (f->next)
        f->next->link = f->link;
    services_end(&m->services, f->service);
    metric_add(e ? METRIC_MINTS_FAILED : METRIC_MINTS, 1);
    if (e) {
        entry->err = *e;
        entry->use_until_ms = now_ms + FAILURE_FIRST_MS;
    } else {
        entry->credential = credential_dup(&m->young->arena, &f->x.got);
        entry->use_until_ms =
            now_ms + (life_ms / 2 > life_ms - REUSE_MS ? life_ms / 2 : life_ms - REUSE_MS);
    }
    while (j) {
        struct mint_job *next = j->next;

        if (e)
            fail(j, e);
        else
            serve_job(m, j, &f->x.got);
        j = next;
    }
    (void)rulebook_unref(f->rules);
    last = f->arena;
    arena_done(&last);
}

static void advance(struct flight *f);

static void on_answer(struct http_response *in, const struct err *e, void *context)
{
    struct flight *f = context;
    struct err wrapped = {0};

    if (e) {
        wrapped = *e;
        (void)err_wrap(&wrapped, "token service");
        service_was_silent(f->service, mono(f->minter));
        land(f, &wrapped);
        return;
    }
    service_answered(f->service);
    f->x.in = *in;
    f->x.round++;
    advance(f);
}

static void advance(struct flight *f)
{
    static const struct http_options options = {
        .timeout_ms = LIMIT_MINT_MS, .connect_timeout_ms = 3000, .max_bytes = 1 << 20};
    struct err e = {0};

    f->x.now_ms = world_wall_ms(f->minter->world);
    if (!f->x.target->provider->mint(&f->x, &e))
        land(f, &e);
    else if (f->x.done)
        land(f, NULL);
    else
        (void)http_multi_start(f->minter->multi, &f->x.out, &options, &f->arena, on_answer, f);
}

static struct flight *flight_for(struct minter *m, struct sv key)
{
    for (struct flight *f = m->flights; f; f = f->next) {
        if (sv_eq(f->key, key))
            return f;
    }
    return NULL;
}

static void take_off(struct minter *m, struct service *s, struct mint_job *j, struct sv key)
{
    struct arena a = {.wipe = true};
    struct flight *f = arena_new(&a, struct flight);

    f->arena = a;
    f->minter = m;
    f->key = arena_dup(&f->arena, key);
    f->rules = rulebook_ref(j->rules);
    f->waiting = j;
    j->next = NULL;
    f->x = (struct exchange){.target = &j->integration->target,
                             .arena = &f->arena,
                             .policy = arena_dup(&f->arena, j->policy),
                             .session_name = arena_dup(&f->arena, j->session_name),
                             .ttl_seconds = j->ttl_seconds};
    for (size_t i = 0; i < j->tags.n; i++)
        vec_push(&f->x.tags, &f->arena,
                 ((struct tag){arena_dup(&f->arena, j->tags.p[i].key),
                               arena_dup(&f->arena, j->tags.p[i].value)}));
    f->next = m->flights;
    f->link = &m->flights;
    if (f->next)
        f->next->link = &f->next;
    m->flights = f;
    f->service = s;
    advance(f);
}

static struct service *service_for(struct minter *m, const struct mint_job *j, struct err *e)
{
    auto_arena a = {0};
    struct sv name = ARENA_JOIN(&a, j->integration->namespace_, SV("/"), j->integration->name);

    return services_begin(&m->services, name, mono(m), e);
}

static void on_job(struct message *message, void *receiver)
{
    struct mint_job *j = (struct mint_job *)message;
    struct minter *m = receiver;
    auto_arena a = {0};
    struct sv key = key_of(j, &a);
    const struct entry *known = recall(m, key);
    struct err e = {0};
    struct service *s;
    struct flight *f;

    metric_add(known ? METRIC_MINT_CACHE_HITS : METRIC_MINT_CACHE_MISSES, 1);
    if (known && known->err.code != ERR_NONE) {
        fail(j, &known->err);
    } else if (known) {
        serve_job(m, j, &known->credential);
    } else if ((f = flight_for(m, key))) {
        j->next = f->waiting;
        f->waiting = j;
    } else if ((s = service_for(m, j, &e))) {
        take_off(m, s, j, key);
    } else {
        fail(j, &e);
    }
}

/* ---- the thread ---- */

static void ring(void *bell)
{
    http_multi_wake(((struct minter *)bell)->multi);
}

static void *run(void *argument)
{
    struct minter *m = argument;

    for (mailbox_drain(&m->mailbox, m); !m->ending; mailbox_drain(&m->mailbox, m))
        http_multi_poll(m->multi, POLL_MS);
    return NULL;
}

bool minter_start(const struct world *w, size_t cache_bytes, struct arena *a, struct minter **out,
                  UNUSED struct err *e)
{
    struct minter *m = arena_new(a, struct minter);
    int failed;

    m->world = w;
    m->cache_bytes = cache_bytes;
    m->multi = http_multi_new(&m->arena);
    m->young = new_generation(mono(m));
    m->old = new_generation(mono(m));
    mailbox_init(&m->mailbox, ring, m);
    failed = pthread_create(&m->thread, NULL, run, m);
    assert(!failed);
    *out = m;
    return true;
}

static void deliver_end(UNUSED struct message *message, void *receiver)
{
    ((struct minter *)receiver)->ending = true;
}

void minter_stop(struct minter *m)
{
    struct message end = {.deliver = deliver_end};

    mailbox_post(&m->mailbox, &end);
    (void)pthread_join(m->thread, NULL);
    arena_done(&m->arena);
    while (m->flights) {
        struct flight *f = m->flights;
        struct arena last = f->arena;

        m->flights = f->next;
        (void)rulebook_unref(f->rules);
        arena_done(&last);
    }
    services_done(&m->services);
    drop_generation(m->young);
    drop_generation(m->old);
    mailbox_done(&m->mailbox);
}

void minter_ask(struct minter *m, struct mint_job *job)
{
    job->message.deliver = on_job;
    mailbox_post(&m->mailbox, &job->message);
}
