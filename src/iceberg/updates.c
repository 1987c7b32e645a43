/* updates.c - the updates of a commit that change schema, layout, properties and place. */
#include "iceberg/updates.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "base/map.h"
#include "iceberg/elements.h"
#include "iceberg/members.h"
#include "iceberg/schema.h"
#include "iceberg/spelling.h"
#include "iceberg/types.h"

enum { NO_PARTITION_ID = 999 };

struct json *own_member(struct changing *c, const char *name, enum json_kind kind)
{
    struct json *v = json_get(c->m, sv_from(name));

    if (v && map_put(&c->owned, sv_from(name), c))
        return v;
    if (v)
        v = json_copy_flat(c->arena, v);
    else
        v = kind == JSON_ARRAY ? json_new_array(c->arena) : json_new_object(c->arena);
    json_set(c->m, sv_from(name), v);
    return v;
}

void set_i64(struct changing *c, const char *name, int64_t v)
{
    json_set_i64(c->m, c->arena, sv_from(name), v);
}

int64_t get_i64(const struct json *m, const char *name, int64_t fallback)
{
    return json_i64(json_get(m, sv_from(name)), fallback);
}

/* Of the current schema, else of the request's newest: what specs and orders are bound to. Each
 * schema's are found once a request. */
static const struct columns *columns_in_force(struct changing *c)
{
    int64_t id = get_i64(c->m, "current-schema-id", -1);
    const struct json *s = list_get(c, LIST_SCHEMAS, id);
    struct columns *known;

    if (!s)
        s = list_get(c, LIST_SCHEMAS, id = c->last_schema);
    known = map_get_id(&c->columns, id);
    if (known && known->schema == s)
        return known;
    known = arena_new(c->memory, struct columns);
    *known = columns_of(s, c->memory);
    (void)map_put_id(&c->columns, id, known);
    return known;
}

static bool assign_uuid(struct changing *c, const struct json *u, struct err *e)
{
    struct sv uuid = json_get_str(u, SV("uuid")), have = json_get_str(c->m, SV("table-uuid"));

    if (!text_is_uuid(uuid))
        return err_set(e, ERR_INVALID, "assign-uuid: a UUID of 36 characters is required");
    if (have.n && !sv_eq_nocase(have, uuid))
        return err_set(e, ERR_INVALID, "Cannot reassign uuid");
    c->changed |= !have.n;
    json_set_str(c->m, c->arena, SV("table-uuid"), uuid_spelt(uuid, c->arena));
    return true;
}

static bool upgrade_format_version(struct changing *c, const struct json *u, struct err *e)
{
    int64_t want = get_i64(u, "format-version", 0), have = get_i64(c->m, "format-version", 0);

    if (want < have || want < 1 || want > 3)
        return err_set(e, ERR_INVALID, "Cannot change format version from %" PRId64 " to %" PRId64,
                       have, want);
    if (want == have)
        return true;
    set_i64(c, "format-version", want);
    if (want > 1 && !json_has(c->m, SV("last-sequence-number")))
        set_i64(c, "last-sequence-number", 0);
    if (want > 2 && !json_has(c->m, SV("next-row-id")))
        set_i64(c, "next-row-id", 0);
    /* Format 3 says nothing in other words. */
    if (want > 2 && get_i64(c->m, "current-snapshot-id", -1) < 0)
        json_set(c->m, SV("current-snapshot-id"), NULL);
    if (want > 1) {
        json_remove(c->m, SV("schema"));
        json_remove(c->m, SV("partition-spec"));
    }
    c->changed = true;
    return true;
}

static bool add_schema(struct changing *c, const struct json *u, struct err *e)
{
    struct json *asked = element_copy(c->arena, json_get(u, SV("schema")));
    const struct json *same;
    int64_t max_id = 0;

    schema_spell(asked, c->arena);
    if (!schema_check(asked, (int)get_i64(c->m, "format-version", 2), &max_id, e))
        return false;
    same = list_same(c, LIST_SCHEMAS, asked);
    if (same) {
        c->last_schema = get_i64(same, "schema-id", 0);
        return true;
    }
    if (!schema_may_follow(c, asked, e) || !list_next_id(c, LIST_SCHEMAS, 0, &c->last_schema, e))
        return false;
    json_set_str(asked, c->arena, SV("type"), SV("struct"));
    json_set_i64(asked, c->arena, SV("schema-id"), c->last_schema);
    list_add(c, LIST_SCHEMAS, asked);
    if (max_id > get_i64(c->m, "last-column-id", 0))
        set_i64(c, "last-column-id", max_id);
    c->changed = true;
    return true;
}

/* Sets `member` to the asked id, or to the last one added for -1; it must exist in `list`. */
static bool set_current(struct changing *c, enum list list, int64_t id, const char *member,
                        struct err *e)
{
    if (id < 0 || !list_get(c, list, id))
        return err_set(e, ERR_INVALID, "Cannot set %s to %" PRId64 ": there is no such one", member,
                       id);
    if (get_i64(c->m, member, -1) != id)
        c->changed = true;
    set_i64(c, member, id);
    return true;
}

/* The id that an update asks for; -1 is what the request added last. */
static int64_t asked_id(const struct json *u, const char *member, int64_t last)
{
    int64_t id = get_i64(u, member, -2);

    return id == -1 ? last : id;
}

/* Each schema is held against the current one once a request: files are written between requests.
 */
static bool check_next(struct changing *c, int64_t id, struct err *e)
{
    const struct json *next = list_get(c, LIST_SCHEMAS, id);

    return !next || map_put_id(&c->checked_schemas, id, c) || schema_may_follow(c, next, e);
}

static bool set_current_schema(struct changing *c, const struct json *u, struct err *e)
{
    int64_t id = asked_id(u, "schema-id", c->last_schema);

    return check_next(c, id, e) && set_current(c, LIST_SCHEMAS, id, "current-schema-id", e);
}

/* A copy of what was asked for, with ids for all of its fields; what was there before keeps its. */
static bool number_spec(struct changing *c, struct json *asked, struct json **out, struct err *e)
{
    int format = (int)get_i64(c->m, "format-version", 1);
    int64_t last = get_i64(c->m, "last-partition-id", NO_PARTITION_ID);

    if (!c->spec_past.known)
        c->spec_past = spec_past_of(list_json(c, LIST_SPECS), c->memory);
    if ((format > 1 && !spec_continue(&c->spec_past, asked, c->arena, e)) ||
        !spec_number(asked, format, c->arena, &last, out, e))
        return false;
    set_i64(c, "last-partition-id", last);
    spec_past_add(&c->spec_past, *out);
    evolution_add_spec(c, *out);
    return true;
}

static bool add_spec(struct changing *c, const struct json *u, struct err *e)
{
    struct json *asked = element_copy(c->arena, json_get(u, SV("spec"))), *copy;
    const struct json *same;

    fields_spell(asked, c->arena);
    if (!spec_check(asked, columns_in_force(c), e))
        return false;
    same = list_same(c, LIST_SPECS, asked);
    if (same) {
        c->last_spec = get_i64(same, "spec-id", 0);
        return true;
    }
    if (!number_spec(c, asked, &copy, e) || !list_next_id(c, LIST_SPECS, 0, &c->last_spec, e))
        return false;
    json_set_i64(copy, c->arena, SV("spec-id"), c->last_spec);
    list_add(c, LIST_SPECS, copy);
    c->changed = true;
    return true;
}

static bool set_default_spec(struct changing *c, const struct json *u, struct err *e)
{
    return set_current(c, LIST_SPECS, asked_id(u, "spec-id", c->last_spec), "default-spec-id", e);
}

static bool add_sort_order(struct changing *c, const struct json *u, struct err *e)
{
    struct json *asked = element_copy(c->arena, json_get(u, SV("sort-order")));
    bool unsorted = json_count(json_get(asked, SV("fields"))) == 0;
    const struct json *same;

    fields_spell(asked, c->arena);
    if (!order_check(asked, columns_in_force(c), e))
        return false;
    same = list_same(c, LIST_ORDERS, asked);
    if (same) {
        c->last_order = get_i64(same, "order-id", 0);
        return true;
    }
    /* 0 is the order of what is not sorted. */
    c->last_order = 0;
    if (!unsorted && !list_next_id(c, LIST_ORDERS, 1, &c->last_order, e))
        return false;
    json_set_i64(asked, c->arena, SV("order-id"), c->last_order);
    list_add(c, LIST_ORDERS, asked);
    c->changed = true;
    return true;
}

static bool set_default_sort_order(struct changing *c, const struct json *u, struct err *e)
{
    return set_current(c, LIST_ORDERS, asked_id(u, "sort-order-id", c->last_order),
                       "default-sort-order-id", e);
}

bool set_location(struct changing *c, const struct json *u, struct err *e)
{
    struct sv location = sv_trim_end(json_get_str(u, SV("location")), '/');

    if (!location.n)
        return err_set(e, ERR_INVALID, "set-location: location is required");
    if (sv_eq(location, json_get_str(c->m, SV("location"))))
        return true;
    json_set_str(c->m, c->arena, SV("location"), location);
    c->changed = true;
    return true;
}

bool set_properties(struct changing *c, const struct json *u, struct err *e)
{
    const struct json *updates = json_get(u, SV("updates"));
    struct json *properties = own_member(c, "properties", JSON_OBJECT), *value;
    struct sv name, text;

    if (updates && json_get(u, SV("updated")))
        return err_set(e, ERR_INVALID,
                       "set-properties: updates and updated are one thing; give one");
    if (!updates)
        updates = json_get(u, SV("updated"));
    if (json_kind(updates) != JSON_OBJECT)
        return err_set(e, ERR_INVALID, "set-properties: updates is required");
    for (size_t i = 0; json_member(updates, i, &name, &value); i++) {
        if (json_kind(value) != JSON_STRING)
            return err_set(e, ERR_INVALID, "property " SV_FMT " must be text",
                           SV_ARG(sv_first(name, 80)));
        if (!property_check(name, json_str(value, name), e))
            return false;
        text = property_spelt(name, json_str(value, name), c->scratch);
        c->changed |= !json_has(properties, name) || !sv_eq(json_get_str(properties, name), text);
        json_set_str(properties, c->arena, name, text);
    }
    return json_count(properties) <= LIMIT_PROPERTIES ||
           err_set(e, ERR_INVALID, "more than %d properties", LIMIT_PROPERTIES);
}

bool remove_properties(struct changing *c, const struct json *u, struct err *e)
{
    const struct json *removals = json_get(u, SV("removals"));
    struct json *properties = own_member(c, "properties", JSON_OBJECT);

    if (removals && json_get(u, SV("removed")))
        return err_set(e, ERR_INVALID,
                       "remove-properties: removals and removed are one thing; give one");
    if (!removals)
        removals = json_get(u, SV("removed"));
    if (json_kind(removals) != JSON_ARRAY)
        return err_set(e, ERR_INVALID, "remove-properties: removals is required");
    for (size_t i = 0; i < json_count(removals); i++) {
        struct sv name = json_str(json_at(removals, i), (struct sv){0});

        if (json_kind(json_at(removals, i)) != JSON_STRING)
            return err_set(e, ERR_INVALID, "remove-properties: removals must be a list of texts");
        c->changed |= json_has(properties, name);
        json_remove(properties, name);
    }
    return true;
}

static bool remove_ids(struct changing *c, enum list list, const struct json *ids,
                       const char *current, struct err *e)
{
    int64_t kept = get_i64(c->m, current, -1);

    if (!ids_check(ids, e))
        return false;
    for (size_t i = 0; i < json_count(ids); i++) {
        int64_t id = json_i64(json_at(ids, i), -1);

        if (id == kept)
            return err_set(e, ERR_INVALID, "Cannot remove %" PRId64 ": it is the %s", id, current);
        c->changed |= list_drop(c, list, id);
    }
    return true;
}

static bool remove_partition_specs(struct changing *c, const struct json *u, struct err *e)
{
    return remove_ids(c, LIST_SPECS, json_get(u, SV("spec-ids")), "default-spec-id", e) ||
           err_wrap(e, "remove-partition-specs: spec-ids");
}

static bool remove_schemas(struct changing *c, const struct json *u, struct err *e)
{
    return remove_ids(c, LIST_SCHEMAS, json_get(u, SV("schema-ids")), "current-schema-id", e) ||
           err_wrap(e, "remove-schemas: schema-ids");
}

#define ID(name)                 \
    {                            \
        name, JSON_INT, REQUIRED \
    }
#define TEXT(name)                  \
    {                               \
        name, JSON_STRING, REQUIRED \
    }
#define OBJECT(name)                \
    {                               \
        name, JSON_OBJECT, REQUIRED \
    }
#define LIST(name)                 \
    {                              \
        name, JSON_ARRAY, REQUIRED \
    }
#define MAYBE_ID(name)           \
    {                            \
        name, JSON_INT, OPTIONAL \
    }

static const struct update {
    struct sv action;
    update_fn *apply;
    struct member members[MEMBERS]; /* properties have two names each: set_properties looks */
} updates[] = {
    {SV_INIT("assign-uuid"),                 assign_uuid,                 {TEXT("uuid")}                                 },
    {SV_INIT("upgrade-format-version"),      upgrade_format_version,      {ID("format-version")}                         },
    {SV_INIT("add-schema"),                  add_schema,                  {OBJECT("schema"), MAYBE_ID("last-column-id")} },
    {SV_INIT("set-current-schema"),          set_current_schema,          {ID("schema-id")}                              },
    {SV_INIT("add-spec"),                    add_spec,                    {OBJECT("spec")}                               },
    {SV_INIT("set-default-spec"),            set_default_spec,            {ID("spec-id")}                                },
    {SV_INIT("add-sort-order"),              add_sort_order,              {OBJECT("sort-order")}                         },
    {SV_INIT("set-default-sort-order"),      set_default_sort_order,      {ID("sort-order-id")}                          },
    {SV_INIT("add-snapshot"),                add_snapshot,                {OBJECT("snapshot")}                           },
    {SV_INIT("set-snapshot-ref"),
     set_snapshot_ref,                                                    {TEXT("ref-name"), TEXT("type"), ID("snapshot-id"), MAYBE_ID("min-snapshots-to-keep"),
      MAYBE_ID("max-snapshot-age-ms"), MAYBE_ID("max-ref-age-ms")}                                 },
    {SV_INIT("remove-snapshots"),            remove_snapshots,            {LIST("snapshot-ids")}                         },
    {SV_INIT("remove-snapshot-ref"),         remove_snapshot_ref,         {TEXT("ref-name")}                             },
    {SV_INIT("set-location"),                set_location,                {TEXT("location")}                             },
    {SV_INIT("set-properties"),              set_properties,              {{0}}                                          },
    {SV_INIT("remove-properties"),           remove_properties,           {{0}}                                          },
    {SV_INIT("set-statistics"),              set_statistics,              {OBJECT("statistics"), MAYBE_ID("snapshot-id")}},
    {SV_INIT("remove-statistics"),           remove_statistics,           {ID("snapshot-id")}                            },
    {SV_INIT("set-partition-statistics"),
     set_partition_statistics,                                            {OBJECT("partition-statistics")}               },
    {SV_INIT("remove-partition-statistics"), remove_partition_statistics, {ID("snapshot-id")}                            },
    {SV_INIT("remove-partition-specs"),      remove_partition_specs,      {LIST("spec-ids")}                             },
    {SV_INIT("remove-schemas"),              remove_schemas,              {LIST("schema-ids")}                           },
    {SV_INIT("add-encryption-key"),          add_encryption_key,          {OBJECT("encryption-key")}                     },
    {SV_INIT("remove-encryption-key"),       remove_encryption_key,       {TEXT("key-id")}                               },
};

static const struct update *update_of(const struct json *u)
{
    struct sv action = json_get_str(u, SV("action"));

    for (size_t i = 0; i < sizeof(updates) / sizeof(updates[0]); i++) {
        if (sv_eq_nocase(updates[i].action, action))
            return &updates[i];
    }
    return NULL;
}

bool updates_known(const struct json *list, struct err *e)
{
    if (json_kind(list) != JSON_ARRAY || json_count(list) > LIMIT_COMMIT_UPDATES)
        return err_set(e, ERR_INVALID, "updates: a list of at most %d is required",
                       LIMIT_COMMIT_UPDATES);
    for (size_t i = 0; i < json_count(list); i++) {
        struct sv action = json_get_str(json_at(list, i), SV("action"));
        const struct update *u = update_of(json_at(list, i));

        if (!u)
            return err_set(e, ERR_INVALID, "updates[%zu]: action \"" SV_FMT "\" is not known", i,
                           SV_ARG(sv_first(action, 60)));
        if (!members_check(json_at(list, i), u->members, e))
            return err_wrap(e, "updates[%zu]: " SV_FMT, i, SV_ARG(u->action));
    }
    return true;
}

/* What it leaves in the scratch arena goes before the next one. */
static bool apply_one(struct changing *c, const struct json *u, struct err *e)
{
    const struct update *known = update_of(u);
    auto_arena scratch = {0};
    bool ok;

    assert(known); /* updates_known has seen all of them */
    c->scratch = &scratch;
    ok = known->apply(c, u, e);
    c->scratch = c->memory;
    return ok;
}

/* Between two updates: each of them takes no longer than its own length asks for. */
static bool may_go_on(const struct changing *c, struct err *e)
{
    if (c->gone && atomic_load(c->gone))
        return err_set(e, ERR_UNAVAILABLE, "the client has gone");
    return c->memory->used_bytes <= c->memory_bytes ||
           err_set(e, ERR_INVALID,
                   "the updates take more than %zu bytes of memory together; send fewer at once",
                   c->memory_bytes);
}

bool updates_apply(struct changing *c, const struct json *list, struct err *e)
{
    for (size_t i = 0; i < json_count(list); i++) {
        if (!may_go_on(c, e) || !apply_one(c, json_at(list, i), e))
            return false;
    }
    return may_go_on(c, e);
}
