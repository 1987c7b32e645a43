/* map.c - a table from strings to pointers. */
#include "base/map.h"

#include <assert.h>
#include <string.h>

struct map map_new(struct arena *a)
{
    return (struct map){.arena = a};
}

static struct map_entry *find(const struct map *m, struct sv key, uint64_t hash)
{
    if (m->n_slots == 0)
        return NULL;
    for (size_t at = hash & (m->n_slots - 1);; at = (at + 1) & (m->n_slots - 1)) {
        struct map_entry *e;

        if (m->slots[at] == 0)
            return NULL;
        e = &m->entries[m->slots[at] - 1];
        if (e->hash == hash && sv_eq(e->key, key))
            return e;
    }
}

void *map_get(const struct map *m, struct sv key)
{
    const struct map_entry *e = find(m, key, sv_hash_keyed(key));

    return e ? e->value : NULL;
}

static void place(struct map *m, size_t index)
{
    size_t at = m->entries[index].hash & (m->n_slots - 1);

    while (m->slots[at] != 0)
        at = (at + 1) & (m->n_slots - 1);
    m->slots[at] = (uint32_t)(index + 1);
}

/* Doubles both arrays, or only sweeps them when most entries were removed. */
static void grow(struct map *m)
{
    size_t cap = m->n * 2 < 16 ? 16 : m->n * 2;
    struct map_entry *entries = arena_array(m->arena, struct map_entry, cap);
    size_t n = 0;

    for (size_t i = 0; i < m->n_entries; i++) {
        if (m->entries[i].value)
            entries[n++] = m->entries[i];
    }
    m->entries = entries;
    m->n_entries = n;
    m->cap_entries = cap;
    m->n_slots = 32;
    while (m->n_slots < cap * 2)
        m->n_slots *= 2;
    m->slots = arena_array(m->arena, uint32_t, m->n_slots);
    for (size_t i = 0; i < n; i++)
        place(m, i);
}

void *map_put(struct map *m, struct sv key, void *value)
{
    uint64_t hash = sv_hash_keyed(key);
    struct map_entry *e = find(m, key, hash);
    void *old = NULL;

    assert(value);
    if (e) {
        old = e->value;
        m->n += !old;
        e->value = value;
        return old;
    }
    if (m->n_entries == m->cap_entries)
        grow(m);
    m->entries[m->n_entries] = (struct map_entry){arena_dup(m->arena, key), hash, value};
    place(m, m->n_entries++);
    m->n++;
    return NULL;
}

void *map_remove(struct map *m, struct sv key)
{
    struct map_entry *e = find(m, key, sv_hash_keyed(key));
    void *old = e ? e->value : NULL;

    if (old) {
        e->value = NULL;
        m->n--;
    }
    return old;
}

static struct sv id_key(const int64_t *id)
{
    return sv_of((const char *)id, sizeof(*id));
}

int64_t map_entry_id(const struct map_entry *e)
{
    int64_t id;

    assert(e->key.n == sizeof(id));
    memcpy(&id, e->key.p, sizeof(id));
    return id;
}

void *map_get_id(const struct map *m, int64_t id)
{
    return map_get(m, id_key(&id));
}

void *map_put_id(struct map *m, int64_t id, void *value)
{
    return map_put(m, id_key(&id), value);
}

void *map_remove_id(struct map *m, int64_t id)
{
    return map_remove(m, id_key(&id));
}

const struct map_entry *map_next(const struct map *m, const struct map_entry *after)
{
    size_t i = after ? (size_t)(after - m->entries) + 1 : 0;

    for (; i < m->n_entries; i++) {
        if (m->entries[i].value)
            return &m->entries[i];
    }
    return NULL;
}
