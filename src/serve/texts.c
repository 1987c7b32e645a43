/* texts.c - texts by name, as many as a number of bytes holds. */
#include "serve/texts.h"

enum { SLOTS = 8192, LARGEST_SHARE = 4 };

/* What the allocator and the arena add to each: measured, and rounded up. */
enum { OVERHEAD_BYTES = 64 };

struct kept_text {
    struct arena arena; /* holds this */
    struct sv name, text;
    uint64_t hash;
    size_t cost_bytes;
    unsigned refs;                  /* of the cache, and of each reader */
    struct kept_text *next, **link; /* in its slot */
    struct kept_text *newer, *older;
};

struct texts texts_of(size_t max_bytes)
{
    return (struct texts){.max_bytes = max_bytes};
}

/* ---- one ---- */

static void unref(void *object)
{
    struct kept_text *k = object;
    struct arena last = k->arena;

    if (--k->refs == 0)
        arena_done(&last);
}

static size_t cost_of(struct sv name, struct sv text)
{
    return sizeof(struct kept_text) + name.n + text.n + OVERHEAD_BYTES;
}

static struct kept_text *new_text(struct sv name, struct sv text)
{
    struct arena a = {0};
    struct kept_text *k;

    arena_reserve(&a, cost_of(name, text));
    k = arena_new(&a, struct kept_text);
    k->name = arena_dup(&a, name);
    k->text = arena_dup(&a, text);
    k->cost_bytes = cost_of(name, text);
    k->refs = 1;
    k->arena = a;
    return k;
}

/* ---- by age ---- */

static void make_newest(struct texts *t, struct kept_text *k)
{
    k->newer = NULL;
    k->older = t->newest;
    if (k->older)
        k->older->newer = k;
    t->newest = k;
    if (!t->oldest)
        t->oldest = k;
}

static void leave_line(struct texts *t, struct kept_text *k)
{
    if (k->newer)
        k->newer->older = k->older;
    else
        t->newest = k->older;
    if (k->older)
        k->older->newer = k->newer;
    else
        t->oldest = k->newer;
}

/* ---- by name ---- */

static struct kept_text *find(const struct texts *t, struct sv name, uint64_t hash)
{
    struct kept_text *k = t->slots ? t->slots[hash % SLOTS] : NULL;

    while (k && (k->hash != hash || !sv_eq(k->name, name)))
        k = k->next;
    return k;
}

static void enter(struct texts *t, struct kept_text *k)
{
    if (!t->slots)
        t->slots = arena_array(&t->arena, struct kept_text *, SLOTS);
    k->link = &t->slots[k->hash % SLOTS];
    k->next = *k->link;
    if (k->next)
        k->next->link = &k->next;
    *k->link = k;
}

static void forget(struct texts *t, struct kept_text *k)
{
    *k->link = k->next;
    if (k->next)
        k->next->link = k->link;
    leave_line(t, k);
    t->used_bytes -= k->cost_bytes;
    t->n--;
    unref(k);
}

/* ---- all ---- */

void texts_done(struct texts *t)
{
    while (t->oldest)
        forget(t, t->oldest);
    arena_done(&t->arena);
    *t = texts_of(t->max_bytes);
}

void texts_put(struct texts *t, struct sv name, struct sv text)
{
    uint64_t hash = sv_hash_keyed(name);
    struct kept_text *k = find(t, name, hash);

    if (k)
        forget(t, k);
    if (cost_of(name, text) > t->max_bytes / LARGEST_SHARE)
        return;
    k = new_text(name, text);
    k->hash = hash;
    while (t->used_bytes + k->cost_bytes > t->max_bytes)
        forget(t, t->oldest);
    enter(t, k);
    make_newest(t, k);
    t->used_bytes += k->cost_bytes;
    t->n++;
}

bool texts_get(struct texts *t, struct sv name, struct arena *a, struct sv *out)
{
    struct kept_text *k = find(t, name, sv_hash_keyed(name));

    if (!k)
        return false;
    leave_line(t, k);
    make_newest(t, k);
    k->refs++;
    arena_defer(a, unref, k);
    *out = k->text;
    return true;
}
