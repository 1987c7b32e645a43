/* attached.c - the updates of what hangs on snapshots: statistics, encryption keys. */
#include <inttypes.h>

#include "base/vec.h"
#include "iceberg/elements.h"
#include "iceberg/inside.h"

/* ---- statistics: one entry a snapshot ---- */

static void set_entry(struct changing *c, enum list list, struct json *entry)
{
    int64_t id = get_i64(entry, "snapshot-id", -1);

    (void)list_drop(c, list, id);
    list_add(c, list, entry);
    (void)map_put_id(&c->described, id, c);
    c->changed = true;
}

bool set_statistics(struct changing *c, const struct json *u, struct err *e)
{
    struct json *entry = element_copy(c->arena, json_get(u, SV("statistics")));
    const struct json *outside = json_get(u, SV("snapshot-id"));

    if (!statistics_check(entry, e))
        return err_wrap(e, "set-statistics");
    if (outside && json_i64(outside, 0) != get_i64(entry, "snapshot-id", -1))
        return err_set(e, ERR_INVALID, "set-statistics: snapshot-id is not that of the statistics");
    set_entry(c, LIST_STATISTICS, entry);
    return true;
}

bool set_partition_statistics(struct changing *c, const struct json *u, struct err *e)
{
    struct json *entry = element_copy(c->arena, json_get(u, SV("partition-statistics")));

    if (!partition_statistics_check(entry, e))
        return err_wrap(e, "set-partition-statistics");
    set_entry(c, LIST_PARTITION_STATISTICS, entry);
    return true;
}

bool remove_statistics(struct changing *c, const struct json *u, UNUSED struct err *e)
{
    c->changed |= list_drop(c, LIST_STATISTICS, get_i64(u, "snapshot-id", -1));
    return true;
}

bool remove_partition_statistics(struct changing *c, const struct json *u, UNUSED struct err *e)
{
    c->changed |= list_drop(c, LIST_PARTITION_STATISTICS, get_i64(u, "snapshot-id", -1));
    return true;
}

/* The snapshot may be added, or removed again, by a later update of the same request. */
static bool described_exist(struct changing *c, struct err *e)
{
    static const enum list of[] = {LIST_STATISTICS, LIST_PARTITION_STATISTICS};

    for (size_t l = 0; l < sizeof(of) / sizeof(of[0]); l++) {
        for (const struct map_entry *i = NULL; (i = map_next(&c->described, i));) {
            int64_t id = map_entry_id(i);

            if (list_get(c, of[l], id) && !list_get(c, LIST_SNAPSHOTS, id))
                return err_set(e, ERR_INVALID, "Cannot set %s of unknown snapshot: %" PRId64,
                               of[l] == LIST_STATISTICS ? "statistics" : "partition-statistics",
                               id);
        }
    }
    return true;
}

/* ---- encryption keys ---- */

/* A key that is there stays as it is. */
bool add_encryption_key(struct changing *c, const struct json *u, struct err *e)
{
    struct json *key = element_copy(c->arena, json_get(u, SV("encryption-key")));

    if (!encryption_key_check(key, e))
        return err_wrap(e, "encryption-key");
    if (list_get_named(c, LIST_KEYS, json_get_str(key, SV("key-id"))))
        return true;
    list_add(c, LIST_KEYS, key);
    c->changed = true;
    return true;
}

bool remove_encryption_key(struct changing *c, const struct json *u, UNUSED struct err *e)
{
    struct sv id = json_get_str(u, SV("key-id"));

    if (!list_drop_named(c, LIST_KEYS, id))
        return true;
    vec_push(&c->removed_keys, c->memory, id);
    c->changed = true;
    return true;
}

/* What is encrypted under a key that is gone is gone too. */
static bool keys_are_unused(struct changing *c, struct err *e)
{
    const struct json *snapshots = json_get(c->m, SV("snapshots"));
    struct map gone = map_new(c->memory);

    for (size_t i = 0; i < c->removed_keys.n; i++) {
        if (!list_get_named(c, LIST_KEYS, c->removed_keys.p[i]))
            (void)map_put(&gone, c->removed_keys.p[i], &gone);
    }
    for (size_t i = 0; gone.n && i < json_count(snapshots); i++) {
        struct sv key = json_get_str(json_at(snapshots, i), SV("key-id"));

        if (key.n && map_get(&gone, key))
            return err_set(e, ERR_INVALID,
                           "Cannot remove encryption key " SV_FMT ": snapshot %" PRId64 " needs it",
                           SV_ARG(sv_first(key, 80)),
                           get_i64(json_at(snapshots, i), "snapshot-id", -1));
    }
    return true;
}

bool attached_hold(struct changing *c, struct err *e)
{
    return described_exist(c, e) && keys_are_unused(c, e);
}
