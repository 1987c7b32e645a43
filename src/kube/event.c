/* event.c - events.k8s.io/v1 Events, built and bounded. */
#include "kube/event.h"

#include <inttypes.h>

#include "base/map.h"
#include "wire/time.h"

struct series {
    struct sv name; /* of the event at the server */
    int64_t last_ms, patched_ms;
    int64_t count;
};

struct bucket {
    int64_t left;
    int64_t filled_ms;
};

struct event_recorder {
    struct sv controller, instance;
    struct arena arena; /* of both maps */
    struct map series, buckets;
    uint64_t dropped;
};

static void release(void *object)
{
    arena_done(&((struct event_recorder *)object)->arena);
}

struct event_recorder *event_recorder_new(struct arena *a, struct sv controller, struct sv instance)
{
    struct event_recorder *r = arena_new(a, struct event_recorder);

    r->controller = arena_dup(a, controller);
    r->instance = sv_first(arena_dup(a, instance), EVENT_TEXT_BYTES);
    r->series = map_new(&r->arena);
    r->buckets = map_new(&r->arena);
    arena_defer(a, release, r);
    return r;
}

uint64_t event_dropped(const struct event_recorder *r)
{
    return r->dropped;
}

/* Best effort: forgetting costs a repeated event, remembering without end costs memory. */
static void make_room(struct event_recorder *r)
{
    if (r->series.n < EVENT_KEYS && r->buckets.n < EVENT_KEYS &&
        r->arena.used_bytes < EVENT_MEMORY_BYTES)
        return;
    arena_done(&r->arena);
    r->series = map_new(&r->arena);
    r->buckets = map_new(&r->arena);
}

static struct sv object_key(const struct event *v, struct arena *a)
{
    const struct event_object *o = &v->regarding;

    return arena_printf(a, SV_FMT "\n" SV_FMT "\n" SV_FMT "\n" SV_FMT "\n" SV_FMT,
                        SV_ARG(o->api_version), SV_ARG(o->kind), SV_ARG(o->namespace_),
                        SV_ARG(o->name), SV_ARG(o->uid));
}

static struct sv action_of(const struct event *v)
{
    return sv_first(v->action.n ? v->action : v->reason, EVENT_TEXT_BYTES);
}

static struct sv series_key(const struct event *v, struct arena *a)
{
    return arena_printf(a, SV_FMT "\n%d\n" SV_FMT "\n" SV_FMT, SV_ARG(object_key(v, a)), v->warning,
                        SV_ARG(v->reason), SV_ARG(action_of(v)));
}

static bool take_token(struct event_recorder *r, struct sv key, int64_t mono_ms)
{
    struct bucket *b = map_get(&r->buckets, key);
    int64_t fresh;

    if (!b) {
        b = arena_new(&r->arena, struct bucket);
        *b = (struct bucket){.left = EVENT_BUCKET, .filled_ms = mono_ms};
        map_put(&r->buckets, key, b);
    }
    fresh = (mono_ms - b->filled_ms) / EVENT_REFILL_MS;
    b->filled_ms += fresh * EVENT_REFILL_MS;
    b->left = b->left + fresh < EVENT_BUCKET ? b->left + fresh : EVENT_BUCKET;
    if (b->left == 0)
        return false;
    b->left--;
    return true;
}

/* ---- what is sent ---- */

/* An event lives where its object does; what has no namespace is told of in "default". */
static struct sv namespace_of(const struct event *v)
{
    return v->regarding.namespace_.n ? v->regarding.namespace_ : SV("default");
}

static struct sv path_of(const struct event *v, struct sv name, struct arena *a)
{
    struct kube_name n = {.group_version = SV("events.k8s.io/v1"),
                          .namespace_ = namespace_of(v),
                          .resource = SV("events"),
                          .name = name};

    return kube_path(a, &n);
}

/* Never in the middle of a character. */
static struct sv cut(struct sv v, size_t max)
{
    size_t n = max;

    if (v.n <= max)
        return v;
    while (n > 0 && ((unsigned char)v.p[n] & 0xC0U) == 0x80U)
        n--;
    return sv_first(v, n);
}

static struct json *regarding(const struct event_object *o, struct arena *a)
{
    struct json *v = json_new_object(a);

    json_set_str(v, a, SV("apiVersion"), o->api_version);
    json_set_str(v, a, SV("kind"), o->kind);
    if (o->namespace_.n)
        json_set_str(v, a, SV("namespace"), o->namespace_);
    json_set_str(v, a, SV("name"), o->name);
    if (o->uid.n)
        json_set_str(v, a, SV("uid"), o->uid);
    if (o->resource_version.n)
        json_set_str(v, a, SV("resourceVersion"), o->resource_version);
    return v;
}

static struct sv new_body(const struct event_recorder *r, const struct event *v, struct sv name,
                          int64_t wall_ms, struct arena *a)
{
    struct json *o = json_new_object(a), *metadata = json_new_object(a);

    json_set_str(metadata, a, SV("name"), name);
    json_set_str(metadata, a, SV("namespace"), namespace_of(v));
    json_set_str(o, a, SV("apiVersion"), SV("events.k8s.io/v1"));
    json_set_str(o, a, SV("kind"), SV("Event"));
    json_set(o, SV("metadata"), metadata);
    json_set_str(o, a, SV("eventTime"), time_text(a, wall_ms, TIME_MICROSECONDS));
    json_set_str(o, a, SV("reportingController"), r->controller);
    json_set_str(o, a, SV("reportingInstance"), r->instance);
    json_set_str(o, a, SV("type"), v->warning ? SV("Warning") : SV("Normal"));
    json_set_str(o, a, SV("reason"), sv_first(v->reason, EVENT_TEXT_BYTES));
    json_set_str(o, a, SV("action"), action_of(v));
    json_set_str(o, a, SV("note"), cut(v->note, EVENT_NOTE_BYTES));
    json_set(o, SV("regarding"), regarding(&v->regarding, a));
    return json_text(a, o);
}

static struct sv series_body(const struct series *s, int64_t wall_ms, struct arena *a)
{
    struct json *o = json_new_object(a), *series = json_new_object(a);

    json_set_i64(series, a, SV("count"), s->count);
    json_set_str(series, a, SV("lastObservedTime"), time_text(a, wall_ms, TIME_MICROSECONDS));
    json_set(o, SV("series"), series);
    return json_text(a, o);
}

/* ---- deciding ---- */

/* The name is unique by its time and number; an object's name may take all that a name may have. */
static struct series *begin_series(struct event_recorder *r, const struct event *v, struct sv key,
                                   int64_t wall_ms)
{
    struct series *s = arena_new(&r->arena, struct series);

    s->name = arena_printf(&r->arena, SV_FMT ".%" PRIx64 "%04" PRIx64,
                           SV_ARG(sv_trim_end(sv_first(v->regarding.name, 220), '.')),
                           (uint64_t)wall_ms, sv_hash(key) & 0xffffU);
    map_put(&r->series, key, s);
    return s;
}

static bool goes_on(const struct series *s, int64_t mono_ms)
{
    return s && mono_ms - s->last_ms < EVENT_SERIES_ENDS_MS;
}

/* One more of the same: the second is told, then one each half hour. */
static bool add_to_series(struct series *s, const struct event *v, int64_t mono_ms, int64_t wall_ms,
                          struct arena *a, struct kube_request *out)
{
    s->count++;
    s->last_ms = mono_ms;
    if (s->count > 2 && mono_ms - s->patched_ms < EVENT_SERIES_PATCH_MS)
        return false;
    s->patched_ms = mono_ms;
    *out = (struct kube_request){.method = HTTP_PATCH,
                                 .path = path_of(v, s->name, a),
                                 .content_type = SV("application/merge-patch+json"),
                                 .body = series_body(s, wall_ms, a)};
    return true;
}

bool event_record(struct event_recorder *r, const struct event *v, int64_t mono_ms, int64_t wall_ms,
                  struct arena *a, struct kube_request *out)
{
    struct sv key = series_key(v, a);
    struct series *s = map_get(&r->series, key);

    if (goes_on(s, mono_ms))
        return add_to_series(s, v, mono_ms, wall_ms, a, out);
    make_room(r);
    if (!take_token(r, object_key(v, a), mono_ms)) {
        r->dropped++;
        return false;
    }
    s = begin_series(r, v, key, wall_ms);
    s->count = 1;
    s->last_ms = s->patched_ms = mono_ms;
    *out = (struct kube_request){.method = HTTP_POST,
                                 .path = path_of(v, (struct sv){0}, a),
                                 .body = new_body(r, v, s->name, wall_ms, a)};
    return true;
}

void event_forget(struct event_recorder *r, const struct event *v)
{
    auto_arena a = {0};

    (void)map_remove(&r->series, series_key(v, &a));
}
