/* commit.c - requirements, updates, and what must hold of the result. */
#include <assert.h>
#include <inttypes.h>

#include "base/limits.h"
#include "base/map.h"
#include "iceberg/elements.h"
#include "iceberg/members.h"
#include "iceberg/schema.h"
#include "iceberg/updates.h"

/* ---- requirements ---- */

typedef bool requirement_fn(const struct json *base, const struct json *r, struct err *e);

static bool fail(struct err *e, const char *what, int64_t expected, int64_t found)
{
    return err_set(e, ERR_CONFLICT, "Requirement failed: %s: expected id %" PRId64 " != %" PRId64,
                   what, expected, found);
}

static bool same_id(const struct json *base, const struct json *r, const char *member,
                    const char *base_member, const char *what, struct err *e)
{
    int64_t want = get_i64(r, member, INT64_MIN), have = get_i64(base, base_member, -1);

    return want == have || fail(e, what, want, have);
}

static bool assert_create(const struct json *base, UNUSED const struct json *r, struct err *e)
{
    return !base || err_set(e, ERR_CONFLICT, "Requirement failed: table already exists");
}

static bool assert_uuid(const struct json *base, const struct json *r, struct err *e)
{
    struct sv want = json_get_str(r, SV("uuid")), have = json_get_str(base, SV("table-uuid"));

    return sv_eq_nocase(want, have) ||
           err_set(e, ERR_CONFLICT,
                   "Requirement failed: UUID does not match: expected " SV_FMT " != " SV_FMT,
                   SV_ARG(have), SV_ARG(sv_first(want, 60)));
}

static bool assert_ref(const struct json *base, const struct json *r, struct err *e)
{
    struct sv name = json_get_str(r, SV("ref"));
    const struct json *ref = json_get(json_get(base, SV("refs")), name),
                      *want = json_get(r, SV("snapshot-id"));
    const char *kind = sv_eq(json_get_str(ref, SV("type")), SV("tag")) ? "tag" : "branch";
    struct sv shown = sv_first(name, 80);

    if (ref && !want)
        return err_set(e, ERR_CONFLICT,
                       "Requirement failed: %s " SV_FMT " was created concurrently", kind,
                       SV_ARG(shown));
    if (!ref && want)
        return err_set(e, ERR_CONFLICT,
                       "Requirement failed: branch or tag " SV_FMT " is missing, expected %" PRId64,
                       SV_ARG(shown), json_i64(want, -1));
    if (ref && get_i64(ref, "snapshot-id", -1) != json_i64(want, -2))
        return err_set(e, ERR_CONFLICT,
                       "Requirement failed: %s " SV_FMT " has changed: expected id %" PRId64
                       " != %" PRId64,
                       kind, SV_ARG(shown), json_i64(want, -1), get_i64(ref, "snapshot-id", -1));
    return true;
}

static bool assert_field_id(const struct json *base, const struct json *r, struct err *e)
{
    return same_id(base, r, "last-assigned-field-id", "last-column-id",
                   "last assigned field id changed", e);
}

static bool assert_schema(const struct json *base, const struct json *r, struct err *e)
{
    return same_id(base, r, "current-schema-id", "current-schema-id", "current schema changed", e);
}

static bool assert_partition_id(const struct json *base, const struct json *r, struct err *e)
{
    return same_id(base, r, "last-assigned-partition-id", "last-partition-id",
                   "last assigned partition id changed", e);
}

static bool assert_spec(const struct json *base, const struct json *r, struct err *e)
{
    return same_id(base, r, "default-spec-id", "default-spec-id", "default partition spec changed",
                   e);
}

static bool assert_order(const struct json *base, const struct json *r, struct err *e)
{
    return same_id(base, r, "default-sort-order-id", "default-sort-order-id",
                   "default sort order changed", e);
}

static const struct requirement {
    struct sv type;
    requirement_fn *holds;
    struct member members[MEMBERS];
} requirements[] = {
    {SV_INIT("assert-create"),                     assert_create, {{0}}                                                                },
    {SV_INIT("assert-table-uuid"),                 assert_uuid,   {{"uuid", JSON_STRING, REQUIRED}}                                    },
    {SV_INIT("assert-ref-snapshot-id"),
     assert_ref,                                                  {{"ref", JSON_STRING, REQUIRED}, {"snapshot-id", JSON_INT, OPTIONAL}}},
    {SV_INIT("assert-last-assigned-field-id"),
     assert_field_id,                                             {{"last-assigned-field-id", JSON_INT, REQUIRED}}                     },
    {SV_INIT("assert-current-schema-id"),
     assert_schema,                                               {{"current-schema-id", JSON_INT, REQUIRED}}                          },
    {SV_INIT("assert-last-assigned-partition-id"),
     assert_partition_id,                                         {{"last-assigned-partition-id", JSON_INT, REQUIRED}}                 },
    {SV_INIT("assert-default-spec-id"),            assert_spec,   {{"default-spec-id", JSON_INT, REQUIRED}}                            },
    {SV_INIT("assert-default-sort-order-id"),
     assert_order,                                                {{"default-sort-order-id", JSON_INT, REQUIRED}}                      },
};

static const struct requirement *requirement_of(const struct json *r)
{
    struct sv type = json_get_str(r, SV("type"));

    for (size_t i = 0; i < sizeof(requirements) / sizeof(requirements[0]); i++) {
        if (sv_eq_nocase(requirements[i].type, type))
            return &requirements[i];
    }
    return NULL;
}

static bool requirement_known(const struct json *asked, size_t i, bool *creates, struct err *e)
{
    const struct requirement *r = requirement_of(asked);

    if (!r)
        return err_set(e, ERR_INVALID, "requirements[%zu]: type \"" SV_FMT "\" is not known", i,
                       SV_ARG(sv_first(json_get_str(asked, SV("type")), 60)));
    *creates = *creates || r->holds == assert_create;
    return members_check(asked, r->members, e) ||
           err_wrap(e, "requirements[%zu]: " SV_FMT, i, SV_ARG(r->type));
}

bool requirements_known(const struct json *list, bool *creates, struct err *e)
{
    *creates = false;
    if (json_kind(list) != JSON_ARRAY || json_count(list) > LIMIT_COMMIT_UPDATES)
        return err_set(e, ERR_INVALID, "requirements: a list of at most %d is required",
                       LIMIT_COMMIT_UPDATES);
    for (size_t i = 0; i < json_count(list); i++) {
        if (!requirement_known(json_at(list, i), i, creates, e))
            return false;
    }
    if (*creates && json_count(list) > 1)
        return err_set(e, ERR_INVALID, "Invalid create requirements: assert-create stands alone");
    return true;
}

static bool requirements_hold(const struct json *base, const struct json *list, struct err *e)
{
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *r = json_at(list, i);
        const struct requirement *known = requirement_of(r);

        assert(known); /* requirements_known has seen all of them */
        if (!known->holds(base, r, e))
            return false;
    }
    return true;
}

/* ---- the result ---- */

static struct json *blank(struct arena *a)
{
    struct json *m = json_new_object(a);
    static const char *const lists[] = {"schemas",      "partition-specs", "sort-orders",
                                        "snapshots",    "statistics",      "partition-statistics",
                                        "snapshot-log", "metadata-log",    NULL};

    json_set_i64(m, a, SV("format-version"), 1);
    json_set_i64(m, a, SV("last-column-id"), 0);
    json_set_i64(m, a, SV("last-partition-id"), 999);
    json_set(m, SV("properties"), json_new_object(a));
    json_set_i64(m, a, SV("current-snapshot-id"), -1);
    json_set(m, SV("refs"), json_new_object(a));
    for (const char *const *l = lists; *l; l++)
        json_set(m, sv_from(*l), json_new_array(a));
    return m;
}

/* Whatever an older writer bound to whatever: a request that does not touch it is not refused for
 * it. */
static bool keeps_layout(const struct json *base, const struct json *m)
{
    static const char *const ids[] = {"current-schema-id", "default-spec-id",
                                      "default-sort-order-id", NULL};

    for (const char *const *id = ids; base && *id; id++) {
        if (get_i64(base, *id, -1) != get_i64(m, *id, -1))
            return false;
    }
    return base != NULL;
}

/* What is in force must hold together, in whatever order the updates came. */
static bool is_complete(const struct json *base, const struct json *m, struct arena *a,
                        struct err *e)
{
    struct columns columns;
    const struct json *schema = find_by_id(json_get(m, SV("schemas")), SV("schema-id"),
                                           get_i64(m, "current-schema-id", -1)),
                      *spec = find_by_id(json_get(m, SV("partition-specs")), SV("spec-id"),
                                         get_i64(m, "default-spec-id", -1)),
                      *order = find_by_id(json_get(m, SV("sort-orders")), SV("order-id"),
                                          get_i64(m, "default-sort-order-id", -1));

    /* Old tables of format 1 have none. */
    if (!json_get_str(m, SV("table-uuid")).n && (!base || get_i64(m, "format-version", 1) > 1))
        return err_set(e, ERR_INVALID, "the result has no table-uuid");
    if (!json_get_str(m, SV("location")).n)
        return err_set(e, ERR_INVALID, "the result has no location");
    if (!schema)
        return err_set(e, ERR_INVALID, "the result has no current schema");
    if (!spec)
        return err_set(e, ERR_INVALID, "the result has no default partition spec");
    if (!order)
        return err_set(e, ERR_INVALID, "the result has no default sort order");
    if (keeps_layout(base, m))
        return true;
    columns = columns_of(schema, a);
    return spec_is_bound(spec, &columns, e) && order_is_bound(order, &columns, e);
}

static int64_t later(int64_t x, int64_t y)
{
    return x > y ? x : y;
}

/* A clock may run ahead, another writer's or a client's: time in the metadata never goes back, and
 * the file is not older than what its logs say. */
static void set_updated(struct changing *c, const struct json *base)
{
    int64_t at = later(c->now_ms, get_i64(base, "last-updated-ms", 0));

    log_sort(c, "snapshot-log");
    log_sort(c, "metadata-log");
    at = later(at, log_last_ms(json_get(c->m, SV("snapshot-log"))));
    set_i64(c, "last-updated-ms", later(at, log_last_ms(json_get(c->m, SV("metadata-log")))));
}

bool metadata_is_complete(const struct json *m, struct arena *a, struct err *e)
{
    return is_complete(NULL, m, a, e);
}

void changing_init(struct changing *c, struct arena *result, struct arena *memory)
{
    c->arena = result;
    c->memory = c->scratch = memory;
    c->last_schema = c->last_spec = c->last_order = -1;
    c->owned = map_new(memory);
    c->added_snapshots = map_new(memory);
    c->gone_snapshots = map_new(memory);
    c->checked_schemas = map_new(memory);
    c->columns = map_new(memory);
    c->described = map_new(memory);
}

bool metadata_commit(const struct json *base, const struct json *request,
                     const struct commit_options *o, struct arena *a, struct commit_result *out,
                     struct err *e)
{
    const struct json *wanted = json_get(request, SV("requirements")),
                      *updates = json_get(request, SV("updates"));
    auto_arena memory = {0};
    struct changing c = {.now_ms = o->now_ms,
                         .gone = o->gone,
                         .memory_bytes = o->memory_bytes ? o->memory_bytes : LIMIT_COMMIT_MEMORY};
    bool creates;

    if (!requirements_known(wanted, &creates, e) || !updates_known(updates, e))
        return false;
    if (!base && !creates)
        return err_set(e, ERR_NOT_FOUND, "the table does not exist");
    if (!requirements_hold(base, wanted, e))
        return false;
    changing_init(&c, a, &memory);
    c.m = base ? json_copy_flat(a, base) : blank(a);
    if (!updates_apply(&c, updates, e))
        return false;
    snapshots_settle(&c);
    lists_close(&c);
    if (!is_complete(base, c.m, &memory, e) || !attached_hold(&c, e))
        return false;
    *out = (struct commit_result){c.m, c.changed || !base};
    if (!out->changed)
        return true;
    log_previous(&c, base, o->base_location);
    set_updated(&c, base);
    metadata_mirror_v1(c.m);
    return metadata_shape(c.m, e);
}
