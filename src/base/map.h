/*
 * map.h - a table from strings to pointers, open addressing, memory in an arena.
 *
 * Keys are copied into the arena. Values are the caller's. A NULL value cannot be stored: it means
 * "absent". An adversary may choose the keys. Iteration is in insertion order, removed keys
 * skipped.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/arena.h"
#include "base/sv.h"

struct map_entry {
    struct sv key;
    uint64_t hash;
    void *value; /* NULL: removed */
};

struct map {
    struct arena *arena;
    struct map_entry *entries; /* in insertion order */
    uint32_t *slots;           /* 1 + index into entries; 0 is free */
    size_t n_entries, cap_entries, n_slots;
    size_t n; /* live keys */
};

struct map map_new(struct arena *a);
/* The value, or NULL. */
void *map_get(const struct map *m, struct sv key);
/* Sets or replaces; `value` is not NULL. Returns the value replaced, or NULL. */
void *map_put(struct map *m, struct sv key, void *value);
/* Returns the value removed, or NULL. */
void *map_remove(struct map *m, struct sv key);
/* The same with numbers for keys, of which no text is made. One map has keys of one kind. */
void *map_get_id(const struct map *m, int64_t id);
void *map_put_id(struct map *m, int64_t id, void *value);
void *map_remove_id(struct map *m, int64_t id);
int64_t map_entry_id(const struct map_entry *e);
/* for (const struct map_entry *i = NULL; (i = map_next(m, i));) */
const struct map_entry *map_next(const struct map *m, const struct map_entry *after);

#endif
