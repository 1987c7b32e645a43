/* control.c - the control thread: events in, rulebooks and jobs out. */
#include "control/control.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "base/metric.h"
#include "control/cache.h"
#include "control/hands.h"

enum {
    POLL_MS = 1000,
    DEFAULT_RESYNC_MS = 600 * 1000,
    KEYS_AGAIN_MS = 300 * 1000,
    KEYS_WANTED_MS = 60 * 1000
};

struct control {
    struct arena arena;
    struct control_options options;
    struct backend *backend;
    struct mailbox mailbox;
    pthread_t thread;
    struct cache cache;
    struct lanes lanes;
    struct hands *hands;
    bool synced, dirty, refollow, ending, leads, ambient_asked;
    int64_t keys_fetched_ms;
    _Atomic bool keys_wanted;
};

/* ---- what the backend tells ---- */

/* Who uses a Secret: its integrations and principals have another look. No name: the ambient keys.
 */
static void wake_users(struct control *c, struct sv ns, struct sv name)
{
    for (const struct map_entry *i = NULL; (i = map_next(&c->cache.objects, i));) {
        const struct object *o = i->value;
        const struct resource *r = o->resource;
        bool uses = r->kind == KIND_STORAGE_INTEGRATION &&
                    (sv_eq(r->storage_integration.credentials_secret, name) ||
                     (name.n && sv_eq(r->storage_integration.admin_credentials_secret, name)));

        uses = uses || (r->kind == KIND_PRINCIPAL && sv_eq(r->principal.client_secret, name));
        if (uses && (!name.n || sv_eq(r->meta.namespace_, ns)))
            lanes_add(&c->lanes, o->key);
    }
}

static void note_secret(struct control *c, struct sv ns, struct sv name)
{
    wake_users(c, ns, name);
    if (sv_eq(name, SV(TOKEN_KEYS_SECRET)) && sv_eq(ns, c->backend->ops->own_namespace(c->backend)))
        lanes_add(&c->lanes, SV(TOKEN_KEYS));
}

/* From then on each answer says when to ask again. */
static void ask_for_ambient(struct control *c, const struct resource *r)
{
    const struct storage_integration *w = &r->storage_integration;

    if (r->kind != KIND_STORAGE_INTEGRATION || w->storage_type == STORAGE_FILE ||
        w->credentials_secret.n || c->ambient_asked)
        return;
    lanes_add(&c->lanes, SV(AMBIENT_KEYS));
    c->ambient_asked = true;
}

/* True: all Secrets that are named and exist were told. */
static bool keep_secrets(struct control *c)
{
    auto_arena a = {0};
    struct map names = map_new(&a);

    c->refollow = false;
    cache_name_secrets(&c->cache, &names);
    return c->backend->ops->keep_secrets(c->backend, &names);
}

/* What a watch of ours does not see, one by its name may. */
static bool lacks_secret(const struct control *c, const struct resource *r)
{
    return r->kind == KIND_PRINCIPAL && r->principal.has_client &&
           !cache_secret(&c->cache, r->meta.namespace_, r->principal.client_secret);
}

static void on_applied(void *context, const struct json *v)
{
    struct control *c = context;
    const struct json *m = json_get(v, SV("metadata"));
    struct object *o;

    if (cache_put(&c->cache, v, &o))
        c->dirty = true;
    if (o) {
        ask_for_ambient(c, o->resource);
        c->refollow = c->refollow || lacks_secret(c, o->resource);
        if ((!c->leads || !o->found.known) && cache_believe(o))
            c->dirty = true;
        if (!o->seen || o->resource->meta.deleting ||
            !sv_eq(meta_annotation(&o->resource->meta, SV(ROTATE_ANNOTATION)),
                   json_get_str(o->resource->status, SV("lastHandledRotationAt"))))
            lanes_add(&c->lanes, o->key);
    } else if (sv_eq(json_get_str(v, SV("kind")), SV("Secret"))) {
        note_secret(c, json_get_str(m, SV("namespace")), json_get_str(m, SV("name")));
    }
}

static void on_deleted(void *context, struct sv kind, struct sv ns, struct sv name)
{
    struct control *c = context;

    if (cache_remove(&c->cache, kind, ns, name))
        c->dirty = true;
    if (sv_eq(kind, SV("Secret")))
        note_secret(c, ns, name);
}

static void on_synced(void *context)
{
    struct control *c = context;

    if (c->synced || !keep_secrets(c))
        return;
    log_line(LOG_INFO, "control", "synced", LOG_I64("objects", c->cache.objects.n));
    c->synced = c->dirty = true;
}

static void on_failed(UNUSED void *context, struct sv what, const struct err *why)
{
    /* What passes by itself is no error: a kind whose storage is just being made, a server that is
     * restarted. What needs somebody is one. */
    enum log_level level =
        why->code == ERR_NOT_FOUND || why->code == ERR_UNAVAILABLE ? LOG_WARNING : LOG_ERROR;

    log_line(level, "control", "cannot follow resources", LOG_SV("what", what), LOG_ERR(why));
}

static void on_unread(void *context, size_t n, struct sv text)
{
    struct control *c = context;

    cache_take_unread(&c->cache, n, text);
    c->dirty = true;
}

/* ---- jobs ---- */

static struct job *new_job(struct control *c, enum job_kind kind, struct sv key)
{
    struct arena own = {.wipe = true};
    struct job *j = arena_new(&own, struct job);

    j->arena = own;
    j->kind = kind;
    j->control = c;
    j->key = arena_dup(&j->arena, key);
    return j;
}

static struct job *job_for(struct control *c, struct object *o)
{
    struct job *j = new_job(c, JOB_OBJECT, o->key);

    o->seen = true;
    j->object_text = arena_dup(&j->arena, o->text);
    j->warehouse = arena_dup(&j->arena, o->warehouse);
    j->store = arena_dup(&j->arena, o->store);
    for (size_t i = 0; i < o->complaints.n; i++)
        complain(&j->complaints, &j->arena, arena_cstr(&j->arena, o->complaints.p[i].reason),
                 o->complaints.p[i].field, SV_FMT, SV_ARG(o->complaints.p[i].text));
    cache_give(&c->cache, o, j);
    return j;
}

static void take_token_keys(struct control *c, const struct job *j, int64_t now_ms)
{
    if (j->err.code != ERR_NONE)
        return;
    c->dirty |= cache_take_keys(&c->cache, &j->keys);
    lanes_add_at(&c->lanes, j->key, now_ms + j->again_ms);
}

static void take_cluster_keys(struct control *c, const struct job *j)
{
    if (sv_eq(c->cache.jwks, j->jwks) && sv_eq(c->cache.issuer, j->issuer))
        return;
    c->cache.issuer = arena_dup(&c->cache.keys_arena, j->issuer);
    c->cache.jwks = arena_dup(&c->cache.keys_arena, j->jwks);
    c->dirty = true;
}

static void take_ambient(struct control *c, struct job *j, int64_t now_ms)
{
    if (cache_take_ambient(&c->cache, j, world_wall_ms(c->options.world))) {
        c->dirty = true;
        wake_users(c, (struct sv){0}, (struct sv){0});
    }
    if (j->again_ms)
        lanes_add_at(&c->lanes, j->key, now_ms + j->again_ms);
}

static void take_object(struct control *c, struct job *j, int64_t now_ms)
{
    struct object *o = cache_object(&c->cache, j->key);

    if (j->err.code != ERR_NONE)
        log_line(j->err.code == ERR_CONFLICT ? LOG_DEBUG : LOG_WARNING, "control", "pass failed",
                 LOG_SV("object", j->key), LOG_ERR(&j->err));
    metric_add(j->err.code == ERR_NONE ? METRIC_RECONCILES : METRIC_RECONCILE_ERRORS, 1);
    if (o && o->resource->kind == KIND_STORAGE_INTEGRATION && cache_found(o, &j->found))
        c->dirty = true;
    if (j->again_ms)
        lanes_add_at(&c->lanes, j->key, now_ms + j->again_ms);
}

static void on_outcome(struct message *m, void *receiver)
{
    struct job *j = (struct job *)m;
    struct control *c = receiver;
    int64_t now_ms = world_mono_ms(c->options.world);
    struct arena last = j->arena;
    bool failed = j->err.code != ERR_NONE;

    if (j->kind == JOB_TOKEN_KEYS)
        take_token_keys(c, j, now_ms);
    else if (j->kind == JOB_CLUSTER_KEYS && !failed)
        take_cluster_keys(c, j);
    else if (j->kind == JOB_AMBIENT)
        take_ambient(c, j, now_ms);
    else if (j->kind == JOB_OBJECT)
        take_object(c, j, now_ms);
    if (j->kind == JOB_CLUSTER_KEYS)
        lanes_add_at(&c->lanes, j->key, now_ms + KEYS_AGAIN_MS);
    if (failed && j->kind != JOB_OBJECT)
        log_line(LOG_WARNING, "control", "keys are not there", LOG_SV("which", j->key),
                 LOG_ERR(&j->err));
    lanes_end(&c->lanes, j->key,
              &(struct lane_end){j->store, j->timed_out, failed ? WORK_FAILED : WORK_DONE}, now_ms);
    arena_done(&last);
}

static struct sv store_of(void *context, struct sv key)
{
    struct control *c = context;
    const struct object *o = cache_object(&c->cache, key);

    return o ? o->store : (struct sv){0};
}

/* NULL: nothing is to be done about it. */
static struct job *job_of(struct control *c, struct sv key)
{
    struct object *o = cache_object(&c->cache, key);

    if (sv_eq(key, SV(TOKEN_KEYS)))
        return new_job(c, JOB_TOKEN_KEYS, key);
    if (sv_eq(key, SV(AMBIENT_KEYS)))
        return new_job(c, JOB_AMBIENT, key);
    if (sv_eq(key, SV(CLUSTER_KEYS))) {
        c->keys_fetched_ms = world_mono_ms(c->options.world);
        return new_job(c, JOB_CLUSTER_KEYS, key);
    }
    return o && c->leads ? job_for(c, o) : NULL;
}

static void dispatch_lane(struct control *c, enum lane lane)
{
    struct sv key;

    while (lanes_begin(&c->lanes, lane, store_of, c, world_mono_ms(c->options.world), &key)) {
        struct job *j = job_of(c, key);

        if (j)
            hands_give(c->hands, lane, j);
        else
            lanes_end(&c->lanes, key, &(struct lane_end){store_of(c, key), false, WORK_DONE},
                      world_mono_ms(c->options.world));
    }
}

static void dispatch(struct control *c)
{
    for (int lane = 0; lane < LANES; lane++)
        dispatch_lane(c, (enum lane)lane);
}

/* ---- the threads ---- */

static void compile(struct control *c)
{
    struct rulebook *r;

    if (c->synced && (c->dirty || c->refollow))
        (void)keep_secrets(c);
    if (!c->synced || !c->dirty)
        return;
    c->dirty = false;
    r = cache_compile(&c->cache);
    for (const struct map_entry *i = NULL; (i = map_next(&c->cache.objects, i));) {
        const struct object *o = i->value;

        if (!o->seen)
            lanes_add(&c->lanes, o->key);
    }
    c->options.publish(r, c->options.context);
}

static int sleep_ms(struct control *c)
{
    int64_t due = lanes_next_ms(&c->lanes), now_ms = world_mono_ms(c->options.world);

    if (due == INT64_MAX || due - now_ms > POLL_MS)
        return POLL_MS;
    return due > now_ms ? (int)(due - now_ms) : 0;
}

static void want_keys(struct control *c)
{
    if (atomic_exchange(&c->keys_wanted, false) &&
        world_mono_ms(c->options.world) - c->keys_fetched_ms >= KEYS_WANTED_MS)
        lanes_add(&c->lanes, SV(CLUSTER_KEYS));
}

/* A replica that begins to lead looks at everything; until then the keys it meets are dropped. */
static void note_lead(struct control *c)
{
    bool led = c->leads;

    c->leads = c->backend->ops->may_write(c->backend);
    if (led || !c->leads)
        return;
    for (const struct map_entry *i = NULL; (i = map_next(&c->cache.objects, i));)
        lanes_add(&c->lanes, i->key);
    lanes_add(&c->lanes, SV(TOKEN_KEYS));
}

static void *run(void *argument)
{
    struct control *c = argument;

    while (!c->ending) {
        c->backend->ops->poll(c->backend, sleep_ms(c));
        mailbox_drain(&c->mailbox, c);
        note_lead(c);
        want_keys(c);
        compile(c);
        if (c->synced && !c->ending)
            dispatch(c);
    }
    return NULL;
}

static void ring_control(void *bell)
{
    struct control *c = bell;

    c->backend->ops->wake(c->backend);
}

bool control_start(const struct control_options *o, struct control **out, struct err *e)
{
    struct arena own = {0};
    struct control *c = arena_new(&own, struct control);
    const struct backend_events events = {on_applied, on_deleted, on_synced,
                                          on_failed,  on_unread,  c};
    int failed;

    c->arena = own;
    c->options = *o;
    if (!c->options.resync_ms)
        c->options.resync_ms = DEFAULT_RESYNC_MS;
    cache_init(&c->cache);
    c->cache.file_storage = o->file_storage;
    c->cache.audience = o->audience.n ? o->audience : SV("frontdesk");
    lanes_init(&c->lanes, o->world);
    mailbox_init(&c->mailbox, ring_control, c);
    if (!(o->resources_dir.n ? backend_folder : backend_kube)(&c->options, &events, &c->arena,
                                                              &c->backend, e))
        return false;
    lanes_add(&c->lanes, SV(TOKEN_KEYS));
    if (!o->resources_dir.n)
        lanes_add(&c->lanes, SV(CLUSTER_KEYS));
    c->hands = hands_new(&(struct hands_options){.backend = c->backend,
                                                 .world = o->world,
                                                 .resync_ms = c->options.resync_ms,
                                                 .home = &c->mailbox,
                                                 .outcome = on_outcome},
                         &c->arena);
    failed = pthread_create(&c->thread, NULL, run, c);
    assert(!failed);
    *out = c;
    return true;
}

void control_want_keys(struct control *c)
{
    if (!atomic_exchange(&c->keys_wanted, true))
        c->backend->ops->wake(c->backend);
}

static void end_control(UNUSED struct message *m, void *receiver)
{
    ((struct control *)receiver)->ending = true;
}

void control_stop(struct control *c)
{
    struct message end = {.deliver = end_control};

    /* First who gives work out, then who does it: no plan is left behind. What waits for a store
     * that does not answer is broken off; status says what had begun. */
    backend_end(c->backend);
    mailbox_post(&c->mailbox, &end);
    (void)pthread_join(c->thread, NULL);
    hands_stop(c->hands);
    mailbox_drain(&c->mailbox, c);
    /* Not later: this gives up the lease. */
    c->backend->ops->close(c->backend);
}

void control_free(struct control *c)
{
    struct arena last;

    hands_done(c->hands);
    lanes_done(&c->lanes);
    cache_done(&c->cache);
    mailbox_done(&c->mailbox);
    last = c->arena;
    arena_done(&last);
}
