/* backend_kube.c - resources at a Kubernetes API server. */
#include <string.h>
#include <unistd.h>

#include "base/metric.h"
#include "control/kube_backend.h"

static struct kube_backend *of(struct backend *b)
{
    return (struct kube_backend *)b;
}

/* ---- watching ---- */

/* Of one kind, in one namespace or in all. */
struct kind_watch {
    struct kube_backend *backend;
    struct sv kind, api_version;
    bool told; /* all that existed */
};

static void note_told(struct kind_watch *w)
{
    struct kube_backend *k = w->backend;

    if (w->told)
        return;
    w->told = true;
    if (--k->unsynced == 0)
        k->events.synced(k->events.context);
}

static void hear(struct kind_watch *w, enum watch_event event, const struct json *object)
{
    struct kube_backend *k = w->backend;
    const struct json *m = json_get(object, SV("metadata"));

    if (sv_eq(w->kind, SV("Secret")))
        secret_watches_hear(k->secrets, event, object);
    else if (event == WATCH_APPLIED)
        k->events.applied(k->events.context, object);
    else
        k->events.deleted(k->events.context, w->kind, json_get_str(m, SV("namespace")),
                          json_get_str(m, SV("name")));
}

static void on_kind(enum watch_event event, const struct json *object, const struct err *why,
                    void *context)
{
    struct kind_watch *w = context;
    struct kube_backend *k = w->backend;
    auto_arena a = {.wipe = true};

    switch (event) {
    case WATCH_APPLIED:
    case WATCH_DELETED:
        hear(w, event, watched_object(object, w->kind, w->api_version, &a));
        break;
    case WATCH_SYNCED:
        note_told(w);
        break;
    case WATCH_FAILED:
        metric_add(METRIC_WATCH_RESTARTS, 1);
        k->events.failed(k->events.context, SV("watch"), why);
        break;
    }
}

static void follow(struct kube_backend *k, struct sv kind, struct watch_options *o)
{
    struct kind_watch *w = arena_new(k->arena, struct kind_watch);

    *w = (struct kind_watch){
        .backend = k,
        .kind = kind,
        .api_version = o->collection.group_version.n ? o->collection.group_version : SV("v1")};
    o->event = on_kind;
    o->context = w;
    k->unsynced++;
    (void)kube_follow(k->follower, o);
}

static void follow_all(struct kube_backend *k, struct sv namespace_)
{
    struct watch_options o;

    for (int kind = 0; kind < KIND_COUNT; kind++) {
        o = (struct watch_options){
            .collection = {SV(API_VERSION), namespace_, kind_plural((enum kind)kind), {0}, {0}}
        };
        follow(k, kind_name((enum kind)kind), &o);
    }
    o = (struct watch_options){
        .collection = {{0}, namespace_, SV("secrets"), {0}, {0}},
        .label_selector = SV(MANAGED_BY_LABEL "=frontdesk")
    };
    follow(k, SV("Secret"), &o);
    o = (struct watch_options){
        .collection = {{0}, namespace_, SV("serviceaccounts"), {0}, {0}},
          .metadata_only = true
    };
    follow(k, SV("ServiceAccount"), &o);
}

static bool keep_secrets(struct backend *b, const struct map *names)
{
    return secret_watches_keep(of(b)->secrets, names);
}

static void poll_events(struct backend *b, int timeout_ms)
{
    secret_watches_sweep(of(b)->secrets);
    kube_follower_poll(of(b)->follower, timeout_ms);
}

static void wake(struct backend *b)
{
    kube_follower_wake(of(b)->follower);
}

static void on_lease(void *context)
{
    wake(context);
}

static void close_backend(struct backend *b)
{
    leader_stop(of(b)->leader);
    secret_watches_close(of(b)->secrets);
}

static bool may_write(struct backend *b)
{
    return leader_may_write(of(b)->leader);
}

/* ---- writing ---- */

static struct writer *open_writer(struct backend *b, struct arena *a)
{
    struct writer *w = arena_new(a, struct writer);
    char host[256] = "frontdesk";

    (void)gethostname(host, sizeof(host) - 1);
    w->backend = of(b);
    w->client = kube_client_new(w->backend->config, a);
    kube_client_until(w->client, backend_is_late, b);
    w->recorder = event_recorder_new(a, SV(API_GROUP "/frontdesk"), arena_dup(a, sv_from(host)));
    return w;
}

bool kube_may_lead(const struct writer *w, struct err *e)
{
    return leader_may_write(w->backend->leader) ||
           err_set(e, ERR_UNAVAILABLE, "this replica does not hold the lease");
}

static struct kube_name name_of(const struct json *object, struct sv subresource)
{
    const struct json *m = json_get(object, SV("metadata"));
    enum kind kind = KIND_PRINCIPAL;
    bool known = kind_read(json_get_str(object, SV("kind")), &kind);

    return (struct kube_name){SV(API_VERSION), json_get_str(m, SV("namespace")),
                              known ? kind_plural(kind) : (struct sv){0},
                              json_get_str(m, SV("name")), subresource};
}

struct json *kube_skeleton(struct arena *a, struct sv api_version, struct sv kind,
                           struct sv namespace_, struct sv name)
{
    struct json *v = json_new_object(a), *m = json_new_object(a);

    json_set_str(v, a, SV("apiVersion"), api_version);
    json_set_str(v, a, SV("kind"), kind);
    json_set_str(m, a, SV("namespace"), namespace_);
    json_set_str(m, a, SV("name"), name);
    json_set(v, SV("metadata"), m);
    return v;
}

static bool put_status(struct writer *w, const struct json *object, const struct json *status,
                       struct err *e)
{
    auto_arena a = {0};
    struct kube_name n = name_of(object, SV("status"));
    struct json *body =
        kube_skeleton(&a, SV(API_VERSION), json_get_str(object, SV("kind")), n.namespace_, n.name);
    struct kube_reply reply;

    json_set(body, SV("status"), json_copy(&a, status));
    if (!kube_may_lead(w, e))
        return false;
    metric_add(METRIC_KUBE_WRITES, 1);
    return kube_apply(w->client, &(struct kube_patch){&n, SV(STATUS_MANAGER), body}, &a, &reply, e);
}

/* A JSON patch whose test makes sure that what is removed is what was seen; a merge patch with the
 * version to add. */
static bool put_finalizer(struct writer *w, const struct json *object, struct sv finalizer,
                          bool present, struct err *e)
{
    auto_arena a = {0};
    const struct json *m = json_get(object, SV("metadata")), *have = json_get(m, SV("finalizers"));
    struct kube_name n = name_of(object, (struct sv){0});
    struct json *body = json_new_object(&a), *meta = json_new_object(&a),
                *list = json_new_array(&a);
    struct kube_request r = {.method = HTTP_PATCH,
                             .content_type = SV("application/merge-patch+json")};
    struct kube_reply reply;

    for (size_t i = 0; i < json_count(have); i++) {
        if (!sv_eq(json_str(json_at(have, i), (struct sv){0}), finalizer))
            json_push(list, json_at(have, i));
    }
    if (present)
        json_push(list, json_new_str(&a, finalizer));
    json_set(meta, SV("finalizers"), list);
    json_set_str(meta, &a, SV("resourceVersion"), json_get_str(m, SV("resourceVersion")));
    json_set(body, SV("metadata"), meta);
    r.path = kube_path(&a, &n);
    r.body = json_text(&a, body);
    vec_push(&r.query, &a, ((struct pair){SV("fieldManager"), SV(MANAGER)}));
    if (!kube_may_lead(w, e))
        return false;
    metric_add(METRIC_KUBE_WRITES, 1);
    return kube_call(w->client, &r, &a, &reply, e);
}

static struct sv own_namespace(const struct backend *b)
{
    return kube_system_namespace((const struct kube_backend *)b);
}

static void tell(struct writer *w, const struct json *object, bool warning, const char *reason,
                 struct sv note)
{
    auto_arena a = {0};
    const struct json *m = json_get(object, SV("metadata"));
    const struct world *world = w->backend->options->world;
    struct event v = {
        .regarding = {SV(API_VERSION), json_get_str(object, SV("kind")),
                      json_get_str(m, SV("namespace")), json_get_str(m, SV("name")),
                      json_get_str(m, SV("uid")), json_get_str(m, SV("resourceVersion"))},
        .warning = warning,
        .reason = sv_from(reason),
        .action = SV("Reconcile"),
        .note = note
    };
    struct kube_request r;
    struct kube_reply reply = {0};
    struct err e = {0};

    if (!event_record(w->recorder, &v, world_mono_ms(world), world_wall_ms(world), &a, &r))
        return;
    metric_add(METRIC_KUBE_WRITES, 1);
    if (!kube_call(w->client, &r, &a, &reply, &e) && e.code == ERR_NOT_FOUND)
        event_forget(w->recorder, &v);
}

static bool get_text(struct writer *w, const char *path, struct arena *a, struct kube_reply *out,
                     struct err *e)
{
    struct kube_request r = {.method = HTTP_GET, .path = sv_from(path)};

    return kube_call(w->client, &r, a, out, e);
}

/* The key set may be advertised at an address that we cannot reach: its path is asked where we
 * reach the server. */
static bool cluster_keys(struct writer *w, struct arena *a, struct sv *issuer, struct sv *jwks,
                         struct err *e)
{
    struct kube_reply discovery = {0}, keys = {0};

    if (!get_text(w, "/.well-known/openid-configuration", a, &discovery, e) ||
        !get_text(w, "/openid/v1/jwks", a, &keys, e))
        return false;
    *issuer = arena_dup(a, json_get_str(discovery.body, SV("issuer")));
    *jwks = keys.text;
    return issuer->n || err_set(e, ERR_UNAVAILABLE, "the API server names no issuer");
}

static const struct backend_ops ops = {
    .way_out =
        "set spec.deletionPolicy to Retain to let it go and leave at the store what is there",
    .keep_secrets = keep_secrets,
    .poll = poll_events,
    .wake = wake,
    .close = close_backend,
    .may_write = may_write,
    .open_writer = open_writer,
    .put_status = put_status,
    .put_finalizer = put_finalizer,
    .put_secret = kube_put_secret,
    .get_secret = kube_get_secret,
    .own_namespace = own_namespace,
    .own_secret_ms = 30 * 1000,
    .own_secret = kube_own_secret,
    .make_secret = kube_make_secret,
    .tell = tell,
    .cluster_keys = cluster_keys,
};

bool backend_kube(const struct control_options *o, const struct backend_events *events,
                  struct arena *a, struct backend **out, struct err *e)
{
    struct kube_backend *k = arena_new(a, struct kube_backend);
    struct kube_config_options where = {.kubeconfig = o->kubeconfig, .world = o->world};

    k->base.ops = &ops;
    k->base.world = o->world;
    k->arena = a;
    k->options = o;
    k->events = *events;
    if (!kube_config_load(&where, a, &k->config, e))
        return false;
    k->follower = kube_follower_new(k->config, o->world, a);
    k->secrets = secret_watches_new(k->follower, &k->events, a);
    for (size_t i = 0; i < o->namespaces.n; i++)
        follow_all(k, o->namespaces.p[i]);
    if (!o->namespaces.n)
        follow_all(k, (struct sv){0});
    k->leader = leader_start(&(struct leader_options){.config = k->config,
                                                      .world = o->world,
                                                      .namespace_ = kube_system_namespace(k),
                                                      .duration_ms = o->lease_ms,
                                                      .changed = on_lease,
                                                      .context = &k->base},
                             a);
    *out = &k->base;
    return true;
}
