/* lists.c - lists of a metadata file by id. They may be long: none is walked once for each element
 * of another. */
#include <inttypes.h>

#include "base/limits.h"
#include "iceberg/inside.h"
#include "iceberg/view_version.h"

/* ---- of a request ---- */

struct list_item {
    struct json *v;              /* NULL: gone */
    struct list_item *next;      /* in the list */
    struct list_item *same_next; /* of the same id */
};

typedef void key_fn(const struct json *v, struct buf *out);

static const struct {
    const char *name, *id;
    key_fn *key; /* NULL: elements are not compared */
} lists[LIST_COUNT] = {
    [LIST_SCHEMAS] = {"schemas",              "schema-id",   schema_key },
    [LIST_SPECS] = {"partition-specs",      "spec-id",     spec_key   },
    [LIST_ORDERS] = {"sort-orders",          "order-id",    order_key  },
    [LIST_SNAPSHOTS] = {"snapshots",            "snapshot-id", NULL       },
    [LIST_STATISTICS] = {"statistics",           "snapshot-id", NULL       },
    [LIST_PARTITION_STATISTICS] = {"partition-statistics", "snapshot-id", NULL       },
    [LIST_KEYS] = {"encryption-keys",      "key-id",      NULL       },
    [LIST_VERSIONS] = {"versions",             "version-id",  version_key},
};

/* Of keys the ids are strings, of all else numbers. */
static struct list_item *enter_id(struct by_id *l, enum list list, const struct json *id,
                                  struct list_item *item)
{
    struct list_item *first = NULL;

    if (list == LIST_KEYS && json_kind(id) == JSON_STRING) {
        first = map_get(&l->ids, json_str(id, (struct sv){0}));
        if (!first)
            (void)map_put(&l->ids, json_str(id, (struct sv){0}), item);
    } else if (list != LIST_KEYS && json_kind(id) == JSON_INT) {
        first = map_get_id(&l->ids, json_i64(id, 0));
        if (!first)
            (void)map_put_id(&l->ids, json_i64(id, 0), item);
    }
    return first;
}

static void enter(struct changing *c, enum list list, struct json *v)
{
    struct by_id *l = &c->lists[list];
    const struct json *id = json_get(v, sv_from(lists[list].id));
    struct list_item *item = arena_new(c->memory, struct list_item), *first;

    item->v = v;
    *l->last = item;
    l->last = &item->next;
    l->n++;
    if (json_i64(id, -1) > l->highest)
        l->highest = json_i64(id, -1);
    first = enter_id(l, list, id, item);
    if (first) {
        item->same_next = first->same_next;
        first->same_next = item;
    }
}

static struct by_id *open_list(struct changing *c, enum list list)
{
    struct by_id *l = &c->lists[list];
    const struct json *all = json_get(c->m, sv_from(lists[list].name));

    if (l->is_open)
        return l;
    *l = (struct by_id){
        .ids = map_new(c->memory), .same = map_new(c->memory), .highest = -1, .is_open = true};
    l->last = &l->first;
    for (size_t i = 0; i < json_count(all); i++)
        enter(c, list, json_at(all, i));
    return l;
}

struct json *list_get(struct changing *c, enum list list, int64_t id)
{
    const struct list_item *item = map_get_id(&open_list(c, list)->ids, id);

    return item ? item->v : NULL;
}

struct json *list_get_named(struct changing *c, enum list list, struct sv id)
{
    const struct list_item *item = map_get(&open_list(c, list)->ids, id);

    return item ? item->v : NULL;
}

/* In an arena of its own: a key is as long as what it is of. */
static void compare_with(struct by_id *l, enum list list, struct json *v)
{
    auto_arena own = {0};
    struct buf key = buf_new(&own, SIZE_MAX);

    lists[list].key(v, &key);
    if (!map_get(&l->same, buf_sv(&key)))
        (void)map_put(&l->same, buf_sv(&key), v);
}

struct json *list_same(struct changing *c, enum list list, const struct json *v)
{
    struct by_id *l = open_list(c, list);
    struct buf key = buf_new(c->scratch, SIZE_MAX);

    for (struct list_item *i = l->first; i && !l->is_compared; i = i->next) {
        if (i->v)
            compare_with(l, list, i->v);
    }
    l->is_compared = true;
    lists[list].key(v, &key);
    return map_get(&l->same, buf_sv(&key));
}

void list_add(struct changing *c, enum list list, struct json *v)
{
    struct by_id *l = open_list(c, list);

    enter(c, list, v);
    if (l->is_compared)
        compare_with(l, list, v);
    l->is_changed = true;
}

/* One that says the same under another id is not looked for: it would be added once more. */
static void forget_same(struct by_id *l, enum list list, const struct json *v)
{
    auto_arena own = {0};
    struct buf key = buf_new(&own, SIZE_MAX);

    lists[list].key(v, &key);
    if (map_get(&l->same, buf_sv(&key)) == v)
        (void)map_remove(&l->same, buf_sv(&key));
}

static bool drop(struct by_id *l, enum list list, struct list_item *first)
{
    for (struct list_item *i = first; i; i = i->same_next) {
        if (l->is_compared)
            forget_same(l, list, i->v);
        i->v = NULL;
        l->n--;
    }
    l->is_changed |= first != NULL;
    return first != NULL;
}

bool list_drop(struct changing *c, enum list list, int64_t id)
{
    struct by_id *l = open_list(c, list);

    return drop(l, list, map_remove_id(&l->ids, id));
}

bool list_drop_named(struct changing *c, enum list list, struct sv id)
{
    struct by_id *l = open_list(c, list);

    return drop(l, list, map_remove(&l->ids, id));
}

bool list_next_id(struct changing *c, enum list list, int64_t least, int64_t *out, struct err *e)
{
    int64_t last = open_list(c, list)->highest;

    if (last >= INT32_MAX)
        return err_set(e, ERR_INVALID, "there is no %s after %" PRId64, lists[list].id, last);
    *out = last < least ? least : last + 1;
    return true;
}

size_t list_count(struct changing *c, enum list list)
{
    return open_list(c, list)->n;
}

static void close_list(struct changing *c, enum list list)
{
    const struct by_id *l = &c->lists[list];
    struct json *all = json_new_array(c->arena);

    for (const struct list_item *i = l->first; i; i = i->next) {
        if (i->v)
            json_push(all, i->v);
    }
    /* Readers of formats without encryption do not expect an empty list of keys. */
    if (list == LIST_KEYS && !l->n)
        json_remove(c->m, sv_from(lists[list].name));
    else
        json_set(c->m, sv_from(lists[list].name), all);
}

const struct json *list_json(struct changing *c, enum list list)
{
    if (c->lists[list].is_changed)
        close_list(c, list);
    return json_get(c->m, sv_from(lists[list].name));
}

void lists_close(struct changing *c)
{
    for (enum list list = 0; list < LIST_COUNT; list++) {
        if (c->lists[list].is_changed)
            close_list(c, list);
    }
}

/* ---- of a file ---- */

int64_t list_highest(const struct json *list, const char *member, int64_t none)
{
    int64_t most = none;

    for (size_t i = 0; i < json_count(list); i++) {
        int64_t id = get_i64(json_at(list, i), member, none);

        if (id > most)
            most = id;
    }
    return most;
}

bool list_ids(const struct json *list, const char *member, struct arena *a, struct map *out,
              struct err *e)
{
    *out = map_new(a);
    for (size_t i = 0; i < json_count(list); i++) {
        int64_t id = get_i64(json_at(list, i), member, -1);

        if (id < 0 || id > INT32_MAX || map_put_id(out, id, out))
            return err_set(e, ERR_INVALID, "a %s is missing, or there twice", member);
    }
    return true;
}

struct json *find_by_id(const struct json *list, struct sv member, int64_t id)
{
    for (size_t i = 0; i < json_count(list); i++) {
        if (json_i64(json_get(json_at(list, i), member), INT64_MIN) == id)
            return json_at(list, i);
    }
    return NULL;
}

bool ids_check(const struct json *list, struct err *e)
{
    if (json_kind(list) != JSON_ARRAY || json_count(list) > LIMIT_METADATA_ENTRIES)
        return err_set(e, ERR_INVALID, "a list of at most %d ids is required",
                       LIMIT_METADATA_ENTRIES);
    for (size_t i = 0; i < json_count(list); i++) {
        if (json_kind(json_at(list, i)) != JSON_INT)
            return err_set(e, ERR_INVALID, "element %zu is not an integer", i);
    }
    return true;
}

void list_from(struct changing *c, const char *name, size_t first)
{
    const struct json *list = json_get(c->m, sv_from(name));
    struct json *kept = json_new_array(c->arena);

    for (size_t i = first; i < json_count(list); i++)
        json_push(kept, json_at(list, i));
    if (first)
        json_set(c->m, sv_from(name), kept);
}
