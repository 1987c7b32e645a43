/* attached.c - the updates of what hangs on snapshots: statistics, encryption keys. */
#include <inttypes.h>

#include "base/vec.h"
#include "iceberg/inside.h"
#include "iceberg/members.h"
#include "wire/base64.h"

static struct sv id_text(struct arena *a, int64_t id)
{
    return arena_printf(a, "%" PRId64, id);
}

/* ---- statistics: one entry a snapshot ---- */

static void replace_by_snapshot(struct changing *c, const char *list, int64_t snapshot,
                                const struct json *entry)
{
    struct json *entries = array_of(c, list);
    size_t at = 0;

    if (find_by_id(entries, SV("snapshot-id"), snapshot, &at)) {
        json_remove_at(entries, at);
        c->changed = true;
    }
    if (entry) {
        json_push(entries, json_copy(c->arena, entry));
        c->changed = true;
    }
}

static bool set_entry(struct changing *c, const struct json *entry, const char *list,
                      const struct member *members, struct err *e)
{
    int64_t id = get_i64(entry, "snapshot-id", -1);

    if (!members_check(entry, members, e))
        return err_wrap(e, "%s", list);
    if (!json_get_str(entry, SV("statistics-path")).n)
        return err_set(e, ERR_INVALID, "%s: statistics-path is required", list);
    if (id < 0)
        return err_set(e, ERR_INVALID, "%s: snapshot-id must not be negative", list);
    replace_by_snapshot(c, list, id, entry);
    (void)map_put(&c->described, id_text(c->arena, id), c);
    return true;
}

bool set_statistics(struct changing *c, const struct json *u, struct err *e)
{
    static const struct member members[MEMBERS] = {
        {"snapshot-id",               JSON_INT,    false},
        {"statistics-path",           JSON_STRING, false},
        {"file-size-in-bytes",        JSON_INT,    false},
        {"file-footer-size-in-bytes", JSON_INT,    false},
        {"blob-metadata",             JSON_ARRAY,  false}
    };
    const struct json *entry = json_get(u, SV("statistics")),
                      *outside = json_get(u, SV("snapshot-id"));

    if (outside && json_i64(outside, 0) != get_i64(entry, "snapshot-id", -1))
        return err_set(e, ERR_INVALID, "set-statistics: snapshot-id is not that of the statistics");
    return set_entry(c, entry, "statistics", members, e);
}

bool set_partition_statistics(struct changing *c, const struct json *u, struct err *e)
{
    static const struct member members[MEMBERS] = {
        {"snapshot-id",        JSON_INT,    false},
        {"statistics-path",    JSON_STRING, false},
        {"file-size-in-bytes", JSON_INT,    false}
    };

    return set_entry(c, json_get(u, SV("partition-statistics")), "partition-statistics", members,
                     e);
}

bool remove_statistics(struct changing *c, const struct json *u, UNUSED struct err *e)
{
    replace_by_snapshot(c, "statistics", get_i64(u, "snapshot-id", -1), NULL);
    return true;
}

bool remove_partition_statistics(struct changing *c, const struct json *u, UNUSED struct err *e)
{
    replace_by_snapshot(c, "partition-statistics", get_i64(u, "snapshot-id", -1), NULL);
    return true;
}

static struct map snapshot_ids(struct changing *c)
{
    const struct json *snapshots = json_get(c->m, SV("snapshots"));
    struct map ids = map_new(c->arena);

    for (size_t i = 0; i < json_count(snapshots); i++)
        (void)map_put(&ids, id_text(c->arena, get_i64(json_at(snapshots, i), "snapshot-id", -1)),
                      c);
    return ids;
}

/* The snapshot may be added, or removed again, by a later update of the same request. */
static bool described_exist(struct changing *c, struct err *e)
{
    static const char *const lists[] = {"statistics", "partition-statistics", NULL};
    struct map snapshots;

    if (!c->described.n)
        return true;
    snapshots = snapshot_ids(c);
    for (const char *const *l = lists; *l; l++) {
        const struct json *list = json_get(c->m, sv_from(*l));

        for (size_t i = 0; i < json_count(list); i++) {
            int64_t id = get_i64(json_at(list, i), "snapshot-id", -1);

            if (map_get(&c->described, id_text(c->arena, id)) &&
                !map_get(&snapshots, id_text(c->arena, id)))
                return err_set(e, ERR_INVALID, "Cannot set %s of unknown snapshot: %" PRId64, *l,
                               id);
        }
    }
    return true;
}

/* ---- encryption keys ---- */

static bool find_key(struct changing *c, struct sv id, size_t *at)
{
    const struct json *keys = json_get(c->m, SV("encryption-keys"));

    for (*at = 0; *at < json_count(keys); ++*at) {
        if (sv_eq(json_get_str(json_at(keys, *at), SV("key-id")), id))
            return true;
    }
    return false;
}

static bool check_key(struct changing *c, const struct json *key, struct err *e)
{
    static const struct member members[MEMBERS] = {
        {"key-id",                 JSON_STRING, false},
        {"encrypted-key-metadata", JSON_STRING, false},
        {"encrypted-by-id",        JSON_STRING, true },
        {"properties",             JSON_OBJECT, true }
    };
    struct sv ignored;

    if (!members_check(key, members, e))
        return err_wrap(e, "encryption-key");
    if (!json_get_str(key, SV("key-id")).n)
        return err_set(e, ERR_INVALID, "encryption-key: key-id must not be empty");
    return base64_decode(json_get_str(key, SV("encrypted-key-metadata")), c->arena, &ignored, e) ||
           err_wrap(e, "encryption-key: encrypted-key-metadata");
}

/* A key that is there stays as it is. */
bool add_encryption_key(struct changing *c, const struct json *u, struct err *e)
{
    const struct json *key = json_get(u, SV("encryption-key"));
    size_t at;

    if (!check_key(c, key, e))
        return false;
    if (find_key(c, json_get_str(key, SV("key-id")), &at))
        return true;
    json_push(array_of(c, "encryption-keys"), json_copy(c->arena, key));
    c->changed = true;
    return true;
}

bool remove_encryption_key(struct changing *c, const struct json *u, UNUSED struct err *e)
{
    struct sv id = json_get_str(u, SV("key-id"));
    size_t at;

    if (!find_key(c, id, &at))
        return true;
    json_remove_at(json_get(c->m, SV("encryption-keys")), at);
    if (!json_count(json_get(c->m, SV("encryption-keys"))))
        json_remove(c->m, SV("encryption-keys"));
    vec_push(&c->removed_keys, c->arena, id);
    c->changed = true;
    return true;
}

/* What is encrypted under a key that is gone is gone too. */
static bool keys_are_unused(struct changing *c, struct err *e)
{
    const struct json *snapshots = json_get(c->m, SV("snapshots"));
    struct map gone = map_new(c->arena);
    size_t at;

    for (size_t i = 0; i < c->removed_keys.n; i++) {
        if (!find_key(c, c->removed_keys.p[i], &at))
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
