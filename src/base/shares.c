/* shares.c - an amount that many owners share. */
#include "base/shares.h"

#include <assert.h>

enum { SLOTS = 1024 };

struct owner_share {
    struct arena arena; /* holds this */
    struct sv name;
    size_t held;
    struct owner_share *next;
};

void shares_init(struct shares *s, size_t max, struct arena *a)
{
    int failed = pthread_mutex_init(&s->lock, NULL);

    assert(!failed);
    s->max = max;
    s->used = 0;
    s->slots = arena_array(a, struct owner_share *, SLOTS);
}

void shares_done(struct shares *s)
{
    assert(s->used == 0);
    (void)pthread_mutex_destroy(&s->lock);
}

/* Where the owner is, or where it would be entered. */
static struct owner_share **find_locked(struct shares *s, struct sv owner)
{
    struct owner_share **at = &s->slots[sv_hash_keyed(owner) % SLOTS];

    while (*at && !sv_eq((*at)->name, owner))
        at = &(*at)->next;
    return at;
}

static void enter_locked(struct owner_share **at, struct sv owner)
{
    struct arena own = {0};
    struct owner_share *o;

    arena_reserve(&own, sizeof(struct owner_share) + owner.n + 32);
    o = arena_new(&own, struct owner_share);
    o->name = arena_dup(&own, owner);
    o->arena = own;
    *at = o;
}

static bool take_locked(struct shares *s, struct sv owner, size_t n)
{
    struct owner_share **at = find_locked(s, owner);
    size_t held = *at ? (*at)->held : 0;

    /* Afterwards at least as much is free as the owner holds. */
    if (n > s->max - s->used || held + n > s->max - s->used - n)
        return false;
    if (n == 0)
        return true;
    if (!*at)
        enter_locked(at, owner);
    (*at)->held += n;
    s->used += n;
    return true;
}

bool shares_take(struct shares *s, struct sv owner, size_t n)
{
    bool taken;

    (void)pthread_mutex_lock(&s->lock);
    taken = take_locked(s, owner, n);
    (void)pthread_mutex_unlock(&s->lock);
    return taken;
}

void shares_give(struct shares *s, struct sv owner, size_t n)
{
    struct owner_share **at, *o;

    if (n == 0)
        return;
    (void)pthread_mutex_lock(&s->lock);
    at = find_locked(s, owner);
    o = *at;
    assert(o && o->held >= n);
    o->held -= n;
    s->used -= n;
    if (o->held == 0) {
        struct arena last = o->arena;

        *at = o->next;
        arena_done(&last);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

size_t shares_used(struct shares *s)
{
    size_t used;

    (void)pthread_mutex_lock(&s->lock);
    used = s->used;
    (void)pthread_mutex_unlock(&s->lock);
    return used;
}
