/* check.c - whether a metadata file that somebody else wrote may be a table's. */
#include <inttypes.h>

#include "base/limits.h"
#include "base/map.h"
#include "iceberg/inside.h"
#include "iceberg/schema.h"
#include "iceberg/types.h"

static bool check_schemas(const struct json *m, struct err *e)
{
    const struct json *schemas = json_get(m, SV("schemas"));
    int64_t last = get_i64(m, "last-column-id", -1);

    for (size_t i = 0; i < json_count(schemas); i++) {
        int64_t highest = 0;

        if (!schema_check(json_at(schemas, i), (int)get_i64(m, "format-version", 1), &highest, e))
            return false;
        if (highest > last)
            return err_set(e, ERR_INVALID,
                           "last-column-id is %" PRId64 ", but field %" PRId64 " exists", last,
                           highest);
    }
    return true;
}

/* Each has an id, one of its own, and one that can be counted on from. */
static bool check_ids(const struct json *m, struct arena *a, struct err *e)
{
    static const struct {
        const char *list, *member;
    } rows[] = {
        {"schemas",         "schema-id"},
        {"partition-specs", "spec-id"  },
        {"sort-orders",     "order-id" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct map ids;

        if (!list_ids(json_get(m, sv_from(rows[i].list)), rows[i].member, a, &ids, e))
            return err_wrap(e, "%s", rows[i].list);
    }
    return true;
}

/* What is given out next has not been given out before. */
static bool check_counters(const struct json *m, struct err *e)
{
    const struct json *specs = json_get(m, SV("partition-specs"));
    int64_t last = get_i64(m, "last-partition-id", -1);

    if (get_i64(m, "format-version", 1) > 2 && get_i64(m, "next-row-id", -1) < 0)
        return err_set(e, ERR_INVALID, "there is no next-row-id");
    if (last < 0 || last > INT32_MAX)
        return err_set(e, ERR_INVALID, "last-partition-id must be a number up to %d", INT32_MAX);
    for (size_t i = 0; i < json_count(specs); i++) {
        if (spec_last_id(json_at(specs, i)) > last)
            return err_set(e, ERR_INVALID,
                           "last-partition-id is %" PRId64 ", but field %" PRId64 " exists", last,
                           spec_last_id(json_at(specs, i)));
    }
    return true;
}

static bool check_snapshot(const struct json *m, const struct json *s, struct map *seen,
                           struct err *e)
{
    int64_t id = get_i64(s, "snapshot-id", -1);
    bool numbered = get_i64(m, "format-version", 1) > 1;

    if (id < 0 || map_put_id(seen, id, seen))
        return err_set(e, ERR_INVALID, "a snapshot without an id of its own");
    if (!json_get_str(s, SV("manifest-list")).n)
        return err_set(e, ERR_INVALID, "snapshot %" PRId64 " has no manifest-list", id);
    if (numbered && get_i64(s, "sequence-number", 0) > get_i64(m, "last-sequence-number", 0))
        return err_set(e, ERR_INVALID,
                       "snapshot %" PRId64 " has a sequence number past last-sequence-number", id);
    return true;
}

static bool exists(const struct map *seen, int64_t id)
{
    return map_get_id(seen, id) != NULL;
}

static bool is_ref(struct sv name, const struct json *ref)
{
    struct sv type = json_get_str(ref, SV("type"));

    return sv_eq(type, SV("branch")) || (sv_eq(type, SV("tag")) && !sv_eq(name, SV("main")));
}

static bool check_refs(const struct json *m, const struct map *seen, struct err *e)
{
    const struct json *refs = json_get(m, SV("refs")), *main_ref = json_get(refs, SV("main"));
    int64_t current = get_i64(m, "current-snapshot-id", -1);
    struct json *ref;
    struct sv name;

    if (current >= 0 && !exists(seen, current))
        return err_set(e, ERR_INVALID, "the current snapshot does not exist");
    if (main_ref && get_i64(main_ref, "snapshot-id", -1) != current)
        return err_set(e, ERR_INVALID, "main is not the current snapshot");
    for (size_t i = 0; json_member(refs, i, &name, &ref); i++) {
        if (!is_ref(name, ref))
            return err_set(e, ERR_INVALID, "ref " SV_FMT " is neither a branch nor a tag",
                           SV_ARG(sv_first(name, 80)));
        if (!exists(seen, get_i64(ref, "snapshot-id", -1)))
            return err_set(e, ERR_INVALID, "ref " SV_FMT " names a snapshot that does not exist",
                           SV_ARG(sv_first(name, 80)));
    }
    return true;
}

bool metadata_check(const struct json *m, struct arena *a, struct err *e)
{
    const struct json *snapshots = json_get(m, SV("snapshots"));
    struct map seen = map_new(a);

    if (!text_is_uuid(json_get_str(m, SV("table-uuid"))))
        return err_set(e, ERR_INVALID, "table metadata: a table-uuid of 36 characters is required");
    if (json_count(json_get(m, SV("properties"))) > LIMIT_PROPERTIES)
        return err_set(e, ERR_INVALID, "table metadata: more than %d properties", LIMIT_PROPERTIES);
    if (!check_ids(m, a, e) || !check_schemas(m, e) || !check_counters(m, e) ||
        !metadata_is_complete(m, a, e))
        return err_wrap(e, "table metadata");
    for (size_t i = 0; i < json_count(snapshots); i++) {
        if (!check_snapshot(m, json_at(snapshots, i), &seen, e))
            return err_wrap(e, "table metadata");
    }
    return check_refs(m, &seen, e) || err_wrap(e, "table metadata");
}
