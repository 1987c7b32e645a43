/* names.c - which objects were told, and in which version. */
#include "kube/names.h"

#include <string.h>

enum { VERSION_BYTES = 27, COMPACT_FIRST_BYTES = 64 * 1024 };

/* Versions are opaque; one that is too long to keep counts as new each time. */
struct known {
    uint32_t round;
    uint8_t n;
    char version[VERSION_BYTES];
};

void names_done(struct names *n)
{
    arena_done(&n->arena);
    *n = (struct names){0};
}

static struct known *add(struct names *n, struct sv key)
{
    struct known *k = arena_new(&n->arena, struct known);

    if (!n->map.arena)
        n->map = map_new(&n->arena);
    map_put(&n->map, key, k);
    return k;
}

/* Arenas give nothing back, so names that came and went are left behind by moving out. */
static void compact(struct names *n)
{
    struct names fresh = {.round = n->round};

    if (n->compact_over == 0)
        n->compact_over = COMPACT_FIRST_BYTES;
    if (n->arena.used_bytes < n->compact_over)
        return;
    for (const struct map_entry *i = NULL; (i = map_next(&n->map, i));)
        *add(&fresh, i->key) = *(const struct known *)i->value;
    fresh.compact_over = 2 * fresh.arena.used_bytes + COMPACT_FIRST_BYTES;
    arena_done(&n->arena);
    *n = fresh;
    n->map.arena = n->map.n_entries ? &n->arena : NULL;
}

bool names_see(struct names *n, struct sv key, struct sv version)
{
    struct known *k = map_get(&n->map, key);
    bool told = k && k->n && sv_eq(sv_of(k->version, k->n), version);

    if (!k) {
        compact(n);
        k = add(n, key);
    }
    k->round = n->round;
    k->n = version.n <= VERSION_BYTES ? (uint8_t)version.n : 0;
    if (k->n)
        memcpy(k->version, version.p, k->n);
    return !told;
}

bool names_forget(struct names *n, struct sv key)
{
    return map_remove(&n->map, key) != NULL;
}

bool names_has(const struct names *n, struct sv key)
{
    return map_get(&n->map, key) != NULL;
}

size_t names_count(const struct names *n)
{
    return n->map.n;
}

void names_sweep(struct names *n, names_fn *fn, void *context)
{
    for (const struct map_entry *i = NULL; (i = map_next(&n->map, i));) {
        const struct known *k = i->value;

        if (k->round == n->round)
            continue;
        fn(i->key, context);
        (void)map_remove(&n->map, i->key);
    }
}
