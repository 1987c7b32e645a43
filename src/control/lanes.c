/* lanes.c - work in lanes, and in turns. */
#include "control/lanes.h"

#include <assert.h>

enum { SWEEP_OVER = 64, SHARE = 8, SPACE_BYTES = 640 };

/* What one namespace has waiting in one lane. */
struct lane_space {
    struct arena arena; /* holds this */
    struct sv name;
    struct workqueue *queue;
    struct lane_space *next, *before; /* the ring */
    int busy;
};

struct lane_store {
    int busy;
    int64_t used_ms;
    bool slow;      /* the last pass there timed out */
    bool slow_pass; /* the pass that is under way began as one at a slow store */
};

void lanes_init(struct lanes *l, const struct world *w)
{
    static const int workers[LANES] = {LANE_PLAIN_WORKERS, LANE_STORE_WORKERS};

    *l = (struct lanes){.world = w, .sweep_over = SWEEP_OVER};
    l->stores = map_new(&l->arena);
    for (int i = 0; i < LANES; i++) {
        struct lane_state *s = &l->all[i];

        s->workers = s->idle = workers[i];
        s->sweep_over = SWEEP_OVER;
        s->spaces = map_new(&s->arena);
    }
}

static void drop_space(struct lane_space *s)
{
    struct arena last = s->arena;

    arena_done(&last);
}

void lanes_done(struct lanes *l)
{
    for (int i = 0; i < LANES; i++) {
        for (const struct map_entry *e = NULL; (e = map_next(&l->all[i].spaces, e));)
            drop_space(e->value);
        arena_done(&l->all[i].arena);
    }
    arena_done(&l->arena);
}

enum lane lanes_of(struct sv key)
{
    bool store = sv_starts(key, SV("StorageIntegration/")) || sv_eq(key, SV(AMBIENT_KEYS));

    return store ? LANE_STORES : LANE_PLAIN;
}

/* ---- namespaces ---- */

/* "Kind/ns/name"; what is nobody's has a namespace of its own, the empty one. */
static struct sv namespace_of(struct sv key)
{
    struct sv kind, ns;

    return sv_has_char(key, '/') && sv_cut(&key, '/', &kind) && sv_cut(&key, '/', &ns)
               ? ns
               : (struct sv){0};
}

static void unlink_space(struct lane_state *s, struct lane_space *n)
{
    n->before->next = n->next;
    n->next->before = n->before;
    if (s->turn == n)
        s->turn = n->next == n ? NULL : n->next;
}

/* Whoever has nothing waiting is forgotten, now and then, with all that forgetting leaves. */
static void sweep_spaces(struct lane_state *s)
{
    struct arena old = s->arena;
    struct map all = s->spaces;

    if (all.n < s->sweep_over)
        return;
    s->arena = (struct arena){0};
    s->spaces = map_new(&s->arena);
    for (const struct map_entry *e = NULL; (e = map_next(&all, e));) {
        struct lane_space *n = e->value;

        if (workqueue_is_empty(n->queue)) {
            unlink_space(s, n);
            drop_space(n);
        } else {
            (void)map_put(&s->spaces, n->name, n);
        }
    }
    arena_done(&old);
    s->sweep_over = s->spaces.n * 2 < SWEEP_OVER ? SWEEP_OVER : s->spaces.n * 2;
}

static struct lane_space *space_of(struct lanes *l, struct sv key)
{
    struct lane_state *s = &l->all[lanes_of(key)];
    struct lane_space *n = map_get(&s->spaces, namespace_of(key));
    struct arena own = {0};

    if (n)
        return n;
    sweep_spaces(s);
    arena_reserve(&own, SPACE_BYTES);
    n = arena_new(&own, struct lane_space);
    n->name = arena_dup(&own, namespace_of(key));
    n->arena = own;
    n->queue = workqueue_new(&n->arena, l->world);
    n->next = s->turn ? s->turn : n;
    n->before = s->turn ? s->turn->before : n;
    n->before->next = n->next->before = n;
    s->turn = s->turn ? s->turn : n;
    (void)map_put(&s->spaces, n->name, n);
    return n;
}

void lanes_add(struct lanes *l, struct sv key)
{
    workqueue_add(space_of(l, key)->queue, key);
}

void lanes_add_at(struct lanes *l, struct sv key, int64_t mono_ms)
{
    workqueue_add_at(space_of(l, key)->queue, key, mono_ms);
}

/* ---- stores ---- */

/* Longer than the back-off of what fails there: whoever is slow and named still is remembered. */
enum { FORGET_MS = 900 * 1000 };

static void sweep_stores(struct lanes *l, int64_t mono_ms)
{
    struct arena old = l->arena;
    struct map all = l->stores;

    if (all.n < l->sweep_over)
        return;
    l->arena = (struct arena){0};
    l->stores = map_new(&l->arena);
    for (const struct map_entry *e = NULL; (e = map_next(&all, e));) {
        struct lane_store *copy = NULL;
        const struct lane_store *s = e->value;

        if (!s->busy && (!s->slow || mono_ms - s->used_ms > FORGET_MS))
            continue;
        copy = arena_new(&l->arena, struct lane_store);
        *copy = *s;
        (void)map_put(&l->stores, e->key, copy);
    }
    arena_done(&old);
    l->sweep_over = l->stores.n * 2 < SWEEP_OVER ? SWEEP_OVER : l->stores.n * 2;
}

static struct lane_store *store_named(struct lanes *l, struct sv name, int64_t mono_ms)
{
    struct lane_store *s = map_get(&l->stores, name);

    if (s)
        return s;
    sweep_stores(l, mono_ms);
    s = arena_new(&l->arena, struct lane_store);
    (void)map_put(&l->stores, name, s);
    return s;
}

static bool enter_store(struct lanes *l, struct sv name, int64_t mono_ms)
{
    struct lane_store *s;

    if (!name.n)
        return true;
    s = store_named(l, name, mono_ms);
    s->used_ms = mono_ms;
    if (s->slow && (s->busy || l->slow >= LANE_SLOW_WORKERS))
        return false;
    s->slow_pass = s->slow;
    l->slow += s->slow_pass;
    s->busy++;
    return true;
}

static void leave_store(struct lanes *l, const struct lane_end *end)
{
    struct lane_store *s = map_get(&l->stores, end->store);

    if (!end->store.n)
        return;
    assert(s && s->busy > 0);
    l->slow -= s->slow_pass;
    s->slow_pass = false;
    s->busy--;
    s->slow = end->timed_out;
}

/* ---- turns ---- */

static bool has_share(const struct lane_state *s, const struct lane_space *n)
{
    return s->idle > 0 && n->busy <= (s->idle - 1) / SHARE;
}

/* The first of the namespace's keys whose store may be gone to; the others wait a little. */
static bool begin_in(struct lanes *l, struct lane_space *n, lane_store_fn *store_of, void *context,
                     int64_t mono_ms, struct sv *key)
{
    while (workqueue_begin(n->queue, mono_ms, key)) {
        if (enter_store(l, store_of(context, *key), mono_ms))
            return true;
        workqueue_defer(n->queue, *key, mono_ms + LANE_AGAIN_MS);
    }
    return false;
}

bool lanes_begin(struct lanes *l, enum lane lane, lane_store_fn *store_of, void *context,
                 int64_t mono_ms, struct sv *key)
{
    struct lane_state *s = &l->all[lane];
    struct lane_space *n = s->turn;

    for (size_t i = 0; i < s->spaces.n; i++, n = n->next) {
        if (!has_share(s, n) || !begin_in(l, n, store_of, context, mono_ms, key))
            continue;
        n->busy++;
        s->idle--;
        s->turn = n->next;
        return true;
    }
    return false;
}

void lanes_end(struct lanes *l, struct sv key, const struct lane_end *end, int64_t mono_ms)
{
    struct lane_space *n = space_of(l, key);

    leave_store(l, end);
    n->busy--;
    l->all[lanes_of(key)].idle++;
    workqueue_end(n->queue, key, end->result, mono_ms);
}

int64_t lanes_next_ms(const struct lanes *l)
{
    int64_t due = INT64_MAX;

    for (int i = 0; i < LANES; i++) {
        const struct lane_state *s = &l->all[i];
        struct lane_space *n = s->turn;

        for (size_t j = 0; j < s->spaces.n; j++, n = n->next) {
            int64_t next = workqueue_next_ms(n->queue);

            if (has_share(s, n) && next < due)
                due = next;
        }
    }
    return due;
}
