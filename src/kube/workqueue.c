/*
 * workqueue.c - each key once, never two at a time, with back-off per key.
 *
 * An item is waiting (in the heap), processing, or both noted: processing and wanted again. One
 * that is neither and has no failures goes to the free list with its memory, so that a queue which
 * has seen a million keys is as large as the most it held at once.
 */
#include "kube/workqueue.h"

#include <assert.h>
#include <string.h>

#include "base/vec.h"

enum { FIRST_BUCKETS = 8, KEY_ROOM_BYTES = 64, NOT_WAITING = -1 };

struct item {
    struct item *next; /* in its bucket, or in the free list */
    char *key;
    size_t n, room;
    uint64_t hash;
    int64_t due_ms;
    uint64_t order; /* among equal times, first come first served */
    ptrdiff_t at;   /* in the heap */
    unsigned failures;
    bool processing;
    bool again; /* wanted while processing, not before due_ms */
};
struct items VEC(struct item *);

struct workqueue {
    struct arena *arena;
    const struct world *world;
    struct item **buckets;
    size_t n_buckets, n_items;
    struct item *free;
    struct items heap;
    uint64_t added;
    int64_t latest_ms; /* the newest time we were told: what is wanted now is due then */
};

struct workqueue *workqueue_new(struct arena *a, const struct world *w)
{
    struct workqueue *q = arena_new(a, struct workqueue);

    q->arena = a;
    q->world = w;
    q->n_buckets = FIRST_BUCKETS;
    q->buckets = arena_array(a, struct item *, q->n_buckets);
    return q;
}

/* ---- the table of items ---- */

static struct item *find(const struct workqueue *q, struct sv key)
{
    uint64_t hash = sv_hash_keyed(key);
    struct item *i = q->buckets[hash & (q->n_buckets - 1)];

    while (i && !(i->hash == hash && sv_eq(sv_of(i->key, i->n), key)))
        i = i->next;
    return i;
}

static void link_item(struct workqueue *q, struct item *i)
{
    struct item **bucket = &q->buckets[i->hash & (q->n_buckets - 1)];

    i->next = *bucket;
    *bucket = i;
}

static void widen(struct workqueue *q)
{
    struct item **old = q->buckets;
    size_t n = q->n_buckets;

    q->n_buckets = n * 4;
    q->buckets = arena_array(q->arena, struct item *, q->n_buckets);
    for (size_t b = 0; b < n; b++) {
        for (struct item *i = old[b], *next; i; i = next) {
            next = i->next;
            link_item(q, i);
        }
    }
}

static void copy_key(struct workqueue *q, struct item *i, struct sv key)
{
    if (key.n > i->room) {
        i->room = i->room ? i->room : KEY_ROOM_BYTES;
        while (i->room < key.n)
            i->room *= 2;
        i->key = arena_alloc(q->arena, i->room);
    }
    if (key.n)
        memcpy(i->key, key.p, key.n);
    i->n = key.n;
}

static struct item *find_or_make(struct workqueue *q, struct sv key)
{
    struct item *i = find(q, key);

    if (i)
        return i;
    if (q->n_items == q->n_buckets)
        widen(q);
    i = q->free;
    if (i)
        q->free = i->next;
    else
        i = arena_new(q->arena, struct item);
    copy_key(q, i, key);
    *i = (struct item){
        .key = i->key, .n = i->n, .room = i->room, .hash = sv_hash_keyed(key), .at = NOT_WAITING};
    link_item(q, i);
    q->n_items++;
    return i;
}

static void forget_if_idle(struct workqueue *q, struct item *i)
{
    struct item **link = &q->buckets[i->hash & (q->n_buckets - 1)];

    if (i->processing || i->at != NOT_WAITING || i->failures)
        return;
    while (*link != i)
        link = &(*link)->next;
    *link = i->next;
    i->next = q->free;
    q->free = i;
    q->n_items--;
}

/* ---- the heap of waiting items ---- */

static bool is_before(const struct item *a, const struct item *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void put(struct workqueue *q, struct item *i, size_t at)
{
    q->heap.p[at] = i;
    i->at = (ptrdiff_t)at;
}

static void sift_up(struct workqueue *q, size_t at)
{
    struct item *i = q->heap.p[at];

    while (at > 0 && is_before(i, q->heap.p[(at - 1) / 2])) {
        put(q, q->heap.p[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    put(q, i, at);
}

static void sift_down(struct workqueue *q, size_t at)
{
    struct item *i = q->heap.p[at];

    for (size_t child; (child = 2 * at + 1) < q->heap.n; at = child) {
        if (child + 1 < q->heap.n && is_before(q->heap.p[child + 1], q->heap.p[child]))
            child++;
        if (!is_before(q->heap.p[child], i))
            break;
        put(q, q->heap.p[child], at);
    }
    put(q, i, at);
}

static void wait_until(struct workqueue *q, struct item *i, int64_t due_ms)
{
    if (i->at != NOT_WAITING && i->due_ms <= due_ms)
        return;
    i->due_ms = due_ms;
    i->order = q->added++;
    if (i->at == NOT_WAITING) {
        i->at = (ptrdiff_t)q->heap.n;
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): the heap is one of pointers. */
        vec_push(&q->heap, q->arena, i);
    }
    sift_up(q, (size_t)i->at);
}

static struct item *take_first(struct workqueue *q)
{
    struct item *first = q->heap.p[0];

    q->heap.p[0] = q->heap.p[--q->heap.n];
    if (q->heap.n)
        sift_down(q, 0);
    first->at = NOT_WAITING;
    return first;
}

/* ---- what callers see ---- */

void workqueue_add_at(struct workqueue *q, struct sv key, int64_t mono_ms)
{
    struct item *i = find_or_make(q, key);

    if (!i->processing) {
        wait_until(q, i, mono_ms);
        return;
    }
    if (!i->again || mono_ms < i->due_ms)
        i->due_ms = mono_ms;
    i->again = true;
}

void workqueue_add(struct workqueue *q, struct sv key)
{
    workqueue_add_at(q, key, q->latest_ms);
}

bool workqueue_begin(struct workqueue *q, int64_t mono_ms, struct sv *key)
{
    struct item *i;

    q->latest_ms = mono_ms;
    if (q->heap.n == 0 || q->heap.p[0]->due_ms > mono_ms)
        return false;
    i = take_first(q);
    i->processing = true;
    i->again = false;
    *key = sv_of(i->key, i->n);
    return true;
}

/* base * 2^n, at most the cap, and up to a fifth more, so that keys which failed together do not
 * come back together. */
static int64_t backoff_ms(const struct workqueue *q, unsigned failures)
{
    int64_t ms = WORK_BACKOFF_MS;

    while (failures-- && ms < WORK_BACKOFF_CAP_MS)
        ms *= 2;
    if (ms > WORK_BACKOFF_CAP_MS)
        ms = WORK_BACKOFF_CAP_MS;
    return ms + (int64_t)world_below(q->world, (uint64_t)ms / 5 + 1);
}

void workqueue_end(struct workqueue *q, struct sv key, enum work_result r, int64_t mono_ms)
{
    struct item *i = find(q, key);

    assert(i && i->processing);
    q->latest_ms = mono_ms;
    i->processing = false;
    if (i->again)
        wait_until(q, i, i->due_ms);
    if (r == WORK_FAILED)
        wait_until(q, i, mono_ms + backoff_ms(q, i->failures++));
    else
        i->failures = 0;
    forget_if_idle(q, i);
}

void workqueue_defer(struct workqueue *q, struct sv key, int64_t mono_ms)
{
    struct item *i = find(q, key);

    assert(i && i->processing);
    i->processing = false;
    wait_until(q, i, mono_ms);
}

int64_t workqueue_next_ms(const struct workqueue *q)
{
    return q->heap.n ? q->heap.p[0]->due_ms : INT64_MAX;
}

size_t workqueue_depth(const struct workqueue *q)
{
    return q->heap.n;
}

bool workqueue_is_empty(const struct workqueue *q)
{
    return q->n_items == 0;
}
