/* old.c - what writers of format 1, and of formats without refs, left to be understood. */
#include "iceberg/inside.h"
#include "iceberg/schema.h"

enum { NO_PARTITION_ID = 999 };

static struct json *list_of(struct json *only, struct arena *a)
{
    struct json *list = json_new_array(a);

    json_push(list, only);
    return list;
}

/* One schema, and the current one. */
static void add_schemas(struct json *m, struct arena *a)
{
    const struct json *schema = json_get(m, SV("schema"));
    struct json *copy;
    int64_t id = get_i64(schema, "schema-id", 0);

    if (json_get(m, SV("schemas")) || json_kind(json_get(schema, SV("fields"))) != JSON_ARRAY)
        return;
    copy = json_copy(a, schema);
    json_set_i64(copy, a, SV("schema-id"), id);
    json_set(m, SV("schemas"), list_of(copy, a));
    json_set_i64(m, a, SV("current-schema-id"), id);
}

/* The highest that any spec has. */
static void add_last_partition_id(struct json *m, struct arena *a)
{
    const struct json *specs = json_get(m, SV("partition-specs"));
    int64_t last = NO_PARTITION_ID;

    if (json_get(m, SV("last-partition-id")))
        return;
    for (size_t i = 0; i < json_count(specs); i++) {
        int64_t id = spec_last_id(json_at(specs, i));

        last = id > last ? id : last;
    }
    json_set_i64(m, a, SV("last-partition-id"), last);
}

/* Fields without ids were numbered by their place. */
static bool add_specs(struct json *m, struct arena *a, struct err *e)
{
    struct json *fields = json_get(m, SV("partition-spec")), *spec = json_new_object(a);
    int64_t last = NO_PARTITION_ID;

    if (json_get(m, SV("partition-specs")))
        return true;
    json_set(spec, SV("fields"), fields ? json_copy(a, fields) : json_new_array(a));
    if (!spec_number(spec, 2, a, &last, &spec, e))
        return false;
    json_set_i64(spec, a, SV("spec-id"), 0);
    json_set(m, SV("partition-specs"), list_of(spec, a));
    json_set_i64(m, a, SV("default-spec-id"), 0);
    return true;
}

static void add_orders(struct json *m, struct arena *a)
{
    struct json *unsorted = json_new_object(a);

    if (json_get(m, SV("sort-orders")))
        return;
    json_set_i64(unsorted, a, SV("order-id"), 0);
    json_set(unsorted, SV("fields"), json_new_array(a));
    json_set(m, SV("sort-orders"), list_of(unsorted, a));
    json_set_i64(m, a, SV("default-sort-order-id"), 0);
}

/* Before there were branches the current snapshot was the only one. */
static void add_refs(struct json *m, struct arena *a)
{
    int64_t current = get_i64(m, "current-snapshot-id", -1);
    struct json *refs = json_new_object(a), *ref = json_new_object(a);

    if (json_get(m, SV("refs")))
        return;
    if (current >= 0) {
        json_set_i64(ref, a, SV("snapshot-id"), current);
        json_set_str(ref, a, SV("type"), SV("branch"));
        json_set(refs, SV("main"), ref);
    }
    json_set(m, SV("refs"), refs);
}

/* Null is absent. */
static bool lacks_any(const struct json *m, const char *const *names)
{
    for (; *names; names++) {
        if (!json_get(m, sv_from(*names)))
            return true;
    }
    return false;
}

bool metadata_modernise(struct json *m, struct arena *a, bool *added, struct err *e)
{
    static const char *const since_2[] = {"refs", NULL}, *const since_1[] = {"refs",
                                                                             "schemas",
                                                                             "sort-orders",
                                                                             "partition-specs",
                                                                             "last-partition-id",
                                                                             NULL};
    bool is_first = get_i64(m, "format-version", 1) < 2;

    *added = lacks_any(m, is_first ? since_1 : since_2);
    add_refs(m, a);
    if (!is_first)
        return true;
    add_schemas(m, a);
    add_orders(m, a);
    if (!add_specs(m, a, e))
        return false;
    add_last_partition_id(m, a);
    return true;
}
