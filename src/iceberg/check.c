/* check.c - whether a metadata file that somebody else wrote may be a table's. */
#include <inttypes.h>

#include "base/limits.h"
#include "base/map.h"
#include "iceberg/elements.h"
#include "iceberg/inside.h"
#include "iceberg/schema.h"
#include "iceberg/spelling.h"
#include "iceberg/types.h"

static bool check_schemas(const struct json *m, struct err *e)
{
    const struct json *schemas = json_get(m, SV("schemas"));
    int64_t last = get_i64(m, "last-column-id", -1);

    for (size_t i = 0; i < json_count(schemas); i++) {
        int64_t highest = 0;

        if (!schema_check(json_at(schemas, i), (int)get_i64(m, "format-version", 1), &highest, e) ||
            !schema_is_spelt(json_at(schemas, i), e))
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

/* ---- elements ---- */

static bool check_snapshot(const struct json *m, const struct json *s, struct map *seen,
                           struct err *e)
{
    int64_t id = get_i64(s, "snapshot-id", -1);
    int format = (int)get_i64(m, "format-version", 1);

    if (!snapshot_check(s, format, e))
        return false;
    if (map_put_id(seen, id, seen))
        return err_set(e, ERR_INVALID, "snapshot %" PRId64 " is there twice", id);
    return format < 2 ||
           get_i64(s, "sequence-number", 0) <= get_i64(m, "last-sequence-number", 0) ||
           err_set(e, ERR_INVALID, "sequence-number is past last-sequence-number");
}

static bool check_snapshots(const struct json *m, struct map *seen, struct err *e)
{
    const struct json *snapshots = json_get(m, SV("snapshots"));

    for (size_t i = 0; i < json_count(snapshots); i++) {
        if (!check_snapshot(m, json_at(snapshots, i), seen, e))
            return err_wrap(e, "snapshots[%zu]", i);
    }
    return true;
}

typedef bool element_fn(const struct json *v, struct err *e);

static bool check_each(const struct json *m, const char *name, element_fn *check, struct err *e)
{
    const struct json *list = json_get(m, sv_from(name));

    for (size_t i = 0; i < json_count(list); i++) {
        if (!check(json_at(list, i), e))
            return err_wrap(e, "%s[%zu]", name, i);
    }
    return true;
}

/* Format 1 tells the fields of a spec apart by where they stand. */
static bool check_old_spec(const struct json *spec, struct err *e)
{
    return spec_is_sound(spec, false, e);
}

static bool check_spec(const struct json *spec, struct err *e)
{
    return spec_is_sound(spec, true, e);
}

static bool check_elements(const struct json *m, struct err *e)
{
    bool is_first = get_i64(m, "format-version", 1) < 2;

    return check_each(m, "partition-specs", is_first ? check_old_spec : check_spec, e) &&
           check_each(m, "sort-orders", order_is_sound, e) &&
           check_each(m, "statistics", statistics_check, e) &&
           check_each(m, "partition-statistics", partition_statistics_check, e) &&
           check_each(m, "encryption-keys", encryption_key_check, e);
}

/* Readers refuse what is older than its own history. */
static bool check_log(const struct json *m, const char *name, const char *member,
                      enum json_kind kind, struct err *e)
{
    const struct json *log = json_get(m, sv_from(name));

    if (!log_check(log, member, kind, e))
        return err_wrap(e, "%s", name);
    return get_i64(m, "last-updated-ms", 0) >= log_last_ms(log) - CLOCKS_DIFFER_MS ||
           err_set(e, ERR_INVALID, "last-updated-ms is before the last entry of %s", name);
}

/* ---- refs ---- */

static bool exists(const struct map *seen, int64_t id)
{
    return map_get_id(seen, id) != NULL;
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
        if (!ref_check(name, ref, e))
            return err_wrap(e, "ref " SV_FMT, SV_ARG(sv_first(name, 80)));
        if (!exists(seen, get_i64(ref, "snapshot-id", -1)))
            return err_set(e, ERR_INVALID, "ref " SV_FMT " names a snapshot that does not exist",
                           SV_ARG(sv_first(name, 80)));
    }
    return true;
}

/* ---- the whole ---- */

/* Format 1 says the current schema and spec once more, for readers that know no others. */
static bool check_mirror(const struct json *m, struct err *e)
{
    const struct json *schema = json_get(m, SV("schema"));

    if (get_i64(m, "format-version", 1) > 1)
        return true;
    if (json_kind(schema) != JSON_OBJECT)
        return err_set(e, ERR_INVALID, "schema must be an object");
    if (json_has(schema, SV("schema-id")) &&
        json_kind(json_get(schema, SV("schema-id"))) != JSON_INT)
        return err_set(e, ERR_INVALID, "schema: schema-id must be a whole number");
    return schema_check_draft(schema, 1, e);
}

bool metadata_check_members(const struct json *m, struct err *e)
{
    static const char *const members[] = {
        "schema",     "schemas",     "partition-spec",  "partition-specs",      "properties",
        "snapshots",  "refs",        "snapshot-log",    "metadata-log",         "sort-orders",
        "statistics", "next-row-id", "encryption-keys", "partition-statistics", NULL};

    for (const char *const *name = members; *name; name++) {
        if (json_has(m, sv_from(*name)) && !json_get(m, sv_from(*name)))
            return err_set(e, ERR_INVALID, "table metadata: %s must not be null", *name);
    }
    return check_mirror(m, e) || err_wrap(e, "table metadata");
}

static bool check_parts(const struct json *m, struct arena *a, struct err *e)
{
    struct map seen = map_new(a);

    if (json_kind(json_get(m, SV("last-updated-ms"))) != JSON_INT)
        return err_set(e, ERR_INVALID, "last-updated-ms must be a whole number");
    return check_ids(m, a, e) && check_schemas(m, e) && check_counters(m, e) &&
           metadata_is_complete(m, a, e) && check_elements(m, e) && check_snapshots(m, &seen, e) &&
           check_refs(m, &seen, e) && check_log(m, "snapshot-log", "snapshot-id", JSON_INT, e) &&
           check_log(m, "metadata-log", "metadata-file", JSON_STRING, e);
}

bool metadata_check(const struct json *m, struct arena *a, struct err *e)
{
    if (!text_is_uuid(json_get_str(m, SV("table-uuid"))))
        return err_set(e, ERR_INVALID, "table metadata: a table-uuid of 36 characters is required");
    if (json_count(json_get(m, SV("properties"))) > LIMIT_PROPERTIES)
        return err_set(e, ERR_INVALID, "table metadata: more than %d properties", LIMIT_PROPERTIES);
    return check_parts(m, a, e) || err_wrap(e, "table metadata");
}
