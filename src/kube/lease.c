/* lease.c - leader election with a Lease. */
#include "kube/lease.h"

#include "wire/time.h"

enum { DURATION_MS = 15 * 1000, RETRY_MS = 2 * 1000, RECORD_BYTES = 64 * 1024 };
enum { ROUND_REQUESTS = 3, RELEASE_ROUNDS = 3 };

struct lease {
    struct lease_options options;
    struct kube_name name, collection;
    struct arena record_arena;
    struct json *record; /* as last seen; NULL: not seen, or there is none */
    struct sv version, holder;
    bool is_missing; /* the server said so: create it */
    bool must_look;  /* what we remember may be old */
    bool releasing;
    int64_t changed_ms;  /* monotonic: when the record was first seen as it is */
    int64_t duration_ms; /* of the record */
    int64_t renewed_ms;  /* our last success */
    bool is_ours;
    int64_t next_ms;
};

static void release_record(void *object)
{
    arena_done(&((struct lease *)object)->record_arena);
}

struct lease *lease_new(const struct lease_options *o, struct arena *a)
{
    struct lease *l = arena_new(a, struct lease);

    l->options = *o;
    if (!l->options.duration_ms)
        l->options.duration_ms = DURATION_MS;
    if (!l->options.renew_deadline_ms)
        l->options.renew_deadline_ms = l->options.duration_ms * 2 / 3;
    if (!l->options.retry_ms)
        l->options.retry_ms = RETRY_MS;
    l->options.identity = arena_dup(a, o->identity);
    l->collection = (struct kube_name){.group_version = SV("coordination.k8s.io/v1"),
                                       .namespace_ = arena_dup(a, o->namespace_),
                                       .resource = SV("leases")};
    l->name = l->collection;
    l->name.name = arena_dup(a, o->name);
    l->must_look = true;
    arena_defer(a, release_record, l);
    return l;
}

bool lease_is_held(const struct lease *l, int64_t mono_ms)
{
    return l->is_ours && !l->releasing && mono_ms < lease_held_until_ms(l);
}

int64_t lease_held_until_ms(const struct lease *l)
{
    return l->is_ours ? l->renewed_ms + l->options.renew_deadline_ms : 0;
}

int64_t lease_next_ms(const struct lease *l)
{
    return l->next_ms;
}

struct sv lease_holder(const struct lease *l)
{
    return l->holder;
}

/* ---- what is written ---- */

static bool is_free(const struct lease *l, int64_t mono_ms)
{
    return !l->holder.n || sv_eq(l->holder, l->options.identity) ||
           mono_ms >= l->changed_ms + l->duration_ms;
}

/* The seconds that others wait are rounded up: they must never wait for less than we hold. */
static int64_t whole_seconds(int64_t ms)
{
    return (ms + 999) / 1000;
}

static void write_spec(const struct lease *l, struct json *spec, int64_t wall_ms, struct arena *a)
{
    struct sv now = time_text(a, wall_ms, TIME_MICROSECONDS);
    int64_t transitions = json_i64(json_get(spec, SV("leaseTransitions")), 0);
    bool stays = sv_eq(json_get_str(spec, SV("holderIdentity")), l->options.identity);

    json_set_str(spec, a, SV("renewTime"), now);
    if (l->releasing) {
        json_set_str(spec, a, SV("holderIdentity"), SV(""));
        json_set_i64(spec, a, SV("leaseDurationSeconds"), 1);
        json_set_str(spec, a, SV("acquireTime"), now);
        return;
    }
    json_set_str(spec, a, SV("holderIdentity"), l->options.identity);
    json_set_i64(spec, a, SV("leaseDurationSeconds"), whole_seconds(l->options.duration_ms));
    if (stays)
        return;
    json_set_str(spec, a, SV("acquireTime"), now);
    json_set_i64(spec, a, SV("leaseTransitions"), l->record ? transitions + 1 : 0);
}

static struct json *new_record(const struct lease *l, struct arena *a)
{
    struct json *record = json_new_object(a), *metadata = json_new_object(a);

    json_set_str(metadata, a, SV("name"), l->name.name);
    json_set_str(metadata, a, SV("namespace"), l->name.namespace_);
    json_set_str(record, a, SV("apiVersion"), SV("coordination.k8s.io/v1"));
    json_set_str(record, a, SV("kind"), SV("Lease"));
    json_set(record, SV("metadata"), metadata);
    return record;
}

static struct sv written(const struct lease *l, int64_t wall_ms, struct arena *a)
{
    struct json *record = l->record ? json_copy(a, l->record) : new_record(l, a);
    struct json *spec = json_get(record, SV("spec"));

    if (json_kind(spec) != JSON_OBJECT) {
        spec = json_new_object(a);
        json_set(record, SV("spec"), spec);
    }
    write_spec(l, spec, wall_ms, a);
    return json_text(a, record);
}

/* ---- the state machine ---- */

static enum lease_act choose(const struct lease *l, int64_t mono_ms)
{
    if (!l->releasing && mono_ms < l->next_ms)
        return LEASE_REST;
    if (l->must_look)
        return LEASE_GET;
    if (l->releasing)
        return sv_eq(l->holder, l->options.identity) ? LEASE_UPDATE : LEASE_REST;
    if (l->is_missing)
        return LEASE_CREATE;
    return is_free(l, mono_ms) ? LEASE_UPDATE : LEASE_REST;
}

/* Who waits looks twice as often as the holder renews, and at the very moment the lease runs out:
 * a lease that was given up is taken within a second or so. A little dice keeps waiters apart. */
static void rest(struct lease *l, int64_t mono_ms)
{
    int64_t retry_ms = l->options.retry_ms, expiry_ms = l->changed_ms + l->duration_ms;

    /* Others change it behind our back: what we remember serves for renewing only. */
    l->must_look = l->must_look || !l->is_ours;
    if (mono_ms < l->next_ms)
        return;
    if (!l->is_ours)
        retry_ms =
            retry_ms / 2 + (int64_t)world_below(l->options.world, (uint64_t)retry_ms / 10 + 1);
    l->next_ms = mono_ms + retry_ms;
    if (l->holder.n && expiry_ms > mono_ms && expiry_ms < l->next_ms)
        l->next_ms = expiry_ms;
}

enum lease_act lease_plan(struct lease *l, int64_t mono_ms, int64_t wall_ms, struct arena *a,
                          struct kube_request *request)
{
    enum lease_act act = choose(l, mono_ms);

    *request = (struct kube_request){.method = HTTP_GET,
                                     .path = kube_path(a, &l->name),
                                     .timeout_ms = l->options.renew_deadline_ms / 2};
    if (act == LEASE_REST) {
        rest(l, mono_ms);
        return act;
    }
    if (act == LEASE_GET)
        return act;
    request->method = act == LEASE_CREATE ? HTTP_POST : HTTP_PUT;
    if (act == LEASE_CREATE)
        request->path = kube_path(a, &l->collection);
    request->body = written(l, wall_ms, a);
    return act;
}

static void forget(struct lease *l)
{
    arena_done(&l->record_arena);
    l->record = NULL;
    l->version = l->holder = (struct sv){0};
}

static void remember(struct lease *l, const struct json *record, int64_t mono_ms)
{
    struct sv version = json_str(json_path(record, SV("metadata.resourceVersion")), (struct sv){0});
    struct json *spec;

    l->is_missing = false;
    if (l->record && sv_eq(version, l->version))
        return;
    forget(l);
    l->record = json_copy(&l->record_arena, record);
    spec = json_get(l->record, SV("spec"));
    l->version = arena_dup(&l->record_arena, version);
    l->holder = json_get_str(spec, SV("holderIdentity"));
    l->duration_ms = json_i64(json_get(spec, SV("leaseDurationSeconds")), 0) * 1000;
    l->changed_ms = mono_ms;
}

static void written_answer(struct lease *l, const struct kube_reply *reply, int64_t mono_ms)
{
    if (reply->status / 100 != 2 || json_kind(reply->body) != JSON_OBJECT) {
        /* Unknown outcome, or somebody was faster: look before the next write. */
        l->must_look = true;
        return;
    }
    remember(l, reply->body, mono_ms);
    l->is_ours = sv_eq(l->holder, l->options.identity);
    l->renewed_ms = mono_ms;
    l->next_ms = mono_ms + l->options.retry_ms;
}

static void looked(struct lease *l, const struct kube_reply *reply, int64_t mono_ms)
{
    if (reply->status == 404) {
        forget(l);
        l->is_missing = true;
    } else if (reply->status == 200 && json_kind(reply->body) == JSON_OBJECT) {
        remember(l, reply->body, mono_ms);
    } else {
        return;
    }
    l->must_look = false;
    if (!sv_eq(l->holder, l->options.identity))
        l->is_ours = false;
}

void lease_answer(struct lease *l, enum lease_act act, const struct kube_reply *reply,
                  int64_t mono_ms)
{
    switch (act) {
    case LEASE_GET:
        looked(l, reply, mono_ms);
        break;
    case LEASE_CREATE:
    case LEASE_UPDATE:
        written_answer(l, reply, mono_ms);
        break;
    case LEASE_REST:
        break;
    }
    if (l->is_ours && mono_ms >= lease_held_until_ms(l))
        l->is_ours = false;
}

/* ---- carried out ---- */

static bool is_expected(enum lease_act act, int status)
{
    return status / 100 == 2 || (act == LEASE_GET ? status == 404 : status == 409);
}

/* One request of a round; `act` says which it was. */
static bool do_next(struct lease *l, struct kube_client *c, enum lease_act *act, struct err *e)
{
    auto_arena a = {0};
    int64_t mono_ms = world_mono_ms(l->options.world);
    struct kube_request request;
    struct kube_reply reply = {0};
    struct err why = {0};

    *act = lease_plan(l, mono_ms, world_wall_ms(l->options.world), &a, &request);
    if (*act == LEASE_REST)
        return true;
    if (kube_call(c, &request, &a, &reply, &why) || is_expected(*act, reply.status)) {
        lease_answer(l, *act, &reply, mono_ms);
        return true;
    }
    lease_answer(l, *act, &reply, mono_ms);
    *e = why;
    return err_wrap(e, "lease " SV_FMT "/" SV_FMT, SV_ARG(l->name.namespace_),
                    SV_ARG(l->name.name));
}

bool lease_step(struct lease *l, struct kube_client *c, struct err *e)
{
    enum lease_act act = LEASE_GET;

    for (int i = 0; act != LEASE_REST && i < ROUND_REQUESTS; i++) {
        if (do_next(l, c, &act, e))
            continue;
        rest(l, world_mono_ms(l->options.world));
        return false;
    }
    /* A race that was lost each time ends the round too. */
    rest(l, world_mono_ms(l->options.world));
    return true;
}

bool lease_release(struct lease *l, struct kube_client *c, struct err *e)
{
    enum lease_act act = LEASE_GET;
    bool ok = true;

    if (!sv_eq(l->holder, l->options.identity))
        return true;
    l->releasing = true;
    for (int i = 0; ok && act != LEASE_REST && i < RELEASE_ROUNDS * 2; i++)
        ok = do_next(l, c, &act, e);
    l->releasing = l->is_ours = false;
    return ok;
}
