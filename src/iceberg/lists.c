/* lists.c - lists of a metadata file by id. They may be long: none is walked once for each element
 * of another. */
#include <inttypes.h>

#include "base/limits.h"
#include "iceberg/inside.h"

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

        if (id < 0 || id > INT32_MAX || map_put(out, arena_printf(a, "%" PRId64, id), out))
            return err_set(e, ERR_INVALID, "a %s is missing, or there twice", member);
    }
    return true;
}

struct json *find_by_id(const struct json *list, struct sv member, int64_t id, size_t *at)
{
    for (size_t i = 0; i < json_count(list); i++) {
        if (json_i64(json_get(json_at(list, i), member), INT64_MIN) == id) {
            if (at)
                *at = i;
            return json_at(list, i);
        }
    }
    return NULL;
}

static struct sv id_text(struct arena *a, int64_t id)
{
    return arena_printf(a, "%" PRId64, id);
}

bool ids_read(struct changing *c, const struct json *list, struct map *out, struct err *e)
{
    *out = map_new(c->arena);
    if (json_kind(list) != JSON_ARRAY || json_count(list) > LIMIT_METADATA_ENTRIES)
        return err_set(e, ERR_INVALID, "a list of at most %d ids is required",
                       LIMIT_METADATA_ENTRIES);
    for (size_t i = 0; i < json_count(list); i++) {
        if (json_kind(json_at(list, i)) != JSON_INT)
            return err_set(e, ERR_INVALID, "element %zu is no whole number", i);
        (void)map_put(out, id_text(c->arena, json_i64(json_at(list, i), INT64_MIN)), out);
    }
    return true;
}

bool ids_have(const struct changing *c, const struct map *ids, int64_t id)
{
    return map_get(ids, id_text(c->arena, id)) != NULL;
}

bool list_without(struct changing *c, const char *name, const char *member, const struct map *gone)
{
    const struct json *list = json_get(c->m, sv_from(name));
    struct json *kept = json_new_array(c->arena);

    for (size_t i = 0; i < json_count(list); i++) {
        if (!ids_have(c, gone, get_i64(json_at(list, i), member, -1)))
            json_push(kept, json_at(list, i));
    }
    if (json_count(kept) == json_count(list))
        return false;
    json_set(c->m, sv_from(name), kept);
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
