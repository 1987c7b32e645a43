/* secret_watches.c - which Secrets of a cluster are followed, and what is told of them. */
#include "control/secret_watches.h"

struct secret_watch {
    struct arena arena; /* holds this */
    struct secret_watches *all;
    struct secret_watch *next; /* among those that are closed */
    struct kube_watch *watch;
    struct sv key, namespace_, name;
    bool there; /* it was told, and not told deleted since */
    bool told;  /* whether it exists was answered, or could not be */
    bool held;  /* what the labelled watch told of it is in force until this one has answered */
};

struct secret_watches {
    struct kube_follower *follower;
    const struct backend_events *events;
    struct arena *arena;
    struct map labelled; /* "ns/name" of those that the one watch sees */
    struct map alone;    /* "ns/name" to struct secret_watch */
    struct secret_watch *closed;
    struct arena wanted_arena;
    struct map wanted;
    size_t untold;
};

struct json *watched_object(const struct json *object, struct sv kind, struct sv api_version,
                            struct arena *a)
{
    static const char *const members[] = {"metadata", "spec", "status", "data", NULL};
    struct json *copy = json_new_object(a);

    json_set_str(copy, a, SV("kind"), kind);
    json_set_str(copy, a, SV("apiVersion"), api_version);
    for (const char *const *m = members; *m; m++) {
        if (json_get(object, sv_from(*m)))
            json_set(copy, sv_from(*m), json_get(object, sv_from(*m)));
    }
    return copy;
}

struct secret_watches *secret_watches_new(struct kube_follower *f,
                                          const struct backend_events *events, struct arena *a)
{
    struct secret_watches *s = arena_new(a, struct secret_watches);

    *s = (struct secret_watches){.follower = f, .events = events, .arena = a};
    s->labelled = map_new(a);
    s->alone = map_new(a);
    s->wanted = map_new(&s->wanted_arena);
    return s;
}

static struct sv key_of(const struct json *object, struct arena *a)
{
    const struct json *m = json_get(object, SV("metadata"));

    return ARENA_JOIN(a, json_get_str(m, SV("namespace")), SV("/"), json_get_str(m, SV("name")));
}

static void tell_deleted(const struct secret_watches *s, struct sv key)
{
    struct sv name = key, ns;

    (void)sv_cut(&name, '/', &ns);
    s->events->deleted(s->events->context, SV("Secret"), ns, name);
}

/* ---- one that is followed by its name ---- */

static void note_told(struct secret_watch *w)
{
    if (w->told)
        return;
    w->told = true;
    if (--w->all->untold == 0)
        w->all->events->synced(w->all->events->context);
}

static bool is_labelled(const struct secret_watch *w)
{
    return map_get(&w->all->labelled, w->key) != NULL;
}

static void on_alone(enum watch_event event, const struct json *object, const struct err *why,
                     void *context)
{
    struct secret_watch *w = context;
    const struct backend_events *to = w->all->events;
    auto_arena a = {.wipe = true};

    switch (event) {
    case WATCH_APPLIED:
        w->there = true;
        w->held = false;
        if (!is_labelled(w))
            to->applied(to->context, watched_object(object, SV("Secret"), SV("v1"), &a));
        break;
    case WATCH_DELETED:
        w->there = w->held = false;
        if (!is_labelled(w))
            tell_deleted(w->all, w->key);
        break;
    case WATCH_SYNCED:
        if (!w->there && w->held && !is_labelled(w))
            tell_deleted(w->all, w->key);
        w->held = false;
        note_told(w);
        break;
    case WATCH_FAILED:
        to->failed(to->context, SV("watch"), why);
        note_told(w);
        break;
    }
}

static void begin(struct secret_watches *s, struct sv key, bool held)
{
    struct arena own = {0};
    struct secret_watch *w = arena_new(&own, struct secret_watch);
    struct watch_options o = {.collection.resource = SV("secrets"), .event = on_alone};

    w->all = s;
    w->held = held;
    w->key = w->name = arena_dup(&own, key);
    (void)sv_cut(&w->name, '/', &w->namespace_);
    o.collection.namespace_ = w->namespace_;
    o.field_selector = arena_printf(&own, "metadata.name=" SV_FMT, SV_ARG(w->name));
    o.context = w;
    s->untold++;
    w->watch = kube_follow(s->follower, &o);
    w->arena = own;
    (void)map_put(&s->alone, w->key, w);
}

/* It may be telling us something just now: it goes with the next sweep. */
static void end(struct secret_watches *s, struct secret_watch *w)
{
    kube_unfollow(s->follower, w->watch);
    (void)map_remove(&s->alone, w->key);
    if (!w->told)
        s->untold--;
    w->next = s->closed;
    s->closed = w;
}

void secret_watches_sweep(struct secret_watches *s)
{
    for (struct secret_watch *w = s->closed, *next; w; w = next) {
        struct arena last = w->arena;

        next = w->next;
        arena_done(&last);
    }
    s->closed = NULL;
}

/* ---- all of them ---- */

void secret_watches_hear(struct secret_watches *s, enum watch_event event,
                         const struct json *object)
{
    auto_arena a = {0};
    struct sv key = key_of(object, &a);
    struct secret_watch *w = map_get(&s->alone, key);

    if (event == WATCH_APPLIED) {
        (void)map_put(&s->labelled, key, s);
        s->events->applied(s->events->context, object);
        return;
    }
    (void)map_remove(&s->labelled, key);
    if (!map_get(&s->wanted, key)) {
        tell_deleted(s, key);
        return;
    }
    /* What the watch by name told meanwhile was not taken: it is asked anew. */
    if (w)
        end(s, w);
    begin(s, key, true);
}

static void copy_wanted(struct secret_watches *s, const struct map *names)
{
    arena_done(&s->wanted_arena);
    s->wanted = map_new(&s->wanted_arena);
    for (const struct map_entry *i = NULL; (i = map_next(names, i));)
        (void)map_put(&s->wanted, i->key, s);
}

bool secret_watches_keep(struct secret_watches *s, const struct map *names)
{
    auto_arena a = {0};
    struct sv_vec over = {0};

    copy_wanted(s, names);
    for (const struct map_entry *i = NULL; (i = map_next(&s->alone, i));) {
        if (!map_get(names, i->key) || map_get(&s->labelled, i->key))
            vec_push(&over, &a, arena_dup(&a, i->key));
    }
    for (size_t i = 0; i < over.n; i++) {
        end(s, map_get(&s->alone, over.p[i]));
        if (!map_get(&s->labelled, over.p[i]))
            tell_deleted(s, over.p[i]);
    }
    for (const struct map_entry *i = NULL; (i = map_next(names, i));) {
        if (*(const enum secret_need *)i->value == SECRET_WANTED && !map_get(&s->alone, i->key) &&
            !map_get(&s->labelled, i->key))
            begin(s, i->key, false);
    }
    return s->untold == 0;
}

void secret_watches_close(struct secret_watches *s)
{
    for (const struct map_entry *i = NULL; (i = map_next(&s->alone, i));) {
        struct secret_watch *w = i->value;

        w->next = s->closed;
        s->closed = w;
    }
    secret_watches_sweep(s);
    arena_done(&s->wanted_arena);
}
