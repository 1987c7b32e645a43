/* updates.c - the updates of a commit that change schema, layout, properties and place. */
#include "iceberg/updates.h"

#include <inttypes.h>

#include "base/limits.h"
#include "base/map.h"
#include "iceberg/schema.h"

struct json *array_of(struct changing *c, const char *name)
{
    struct json *list = json_get(c->m, sv_from(name));

    if (!list)
        json_set(c->m, sv_from(name), list = json_new_array(c->arena));
    return list;
}

void set_i64(struct changing *c, const char *name, int64_t v)
{
    json_set_i64(c->m, c->arena, sv_from(name), v);
}

int64_t get_i64(const struct json *m, const char *name, int64_t fallback)
{
    return json_i64(json_get(m, sv_from(name)), fallback);
}

static int64_t highest(const struct json *list, const char *member, int64_t none)
{
    int64_t most = none;

    for (size_t i = 0; i < json_count(list); i++) {
        int64_t id = get_i64(json_at(list, i), member, none);

        if (id > most)
            most = id;
    }
    return most;
}

static const struct json *current_schema(const struct changing *c)
{
    return find_by_id(json_get(c->m, SV("schemas")), SV("schema-id"),
                      get_i64(c->m, "current-schema-id", -1), NULL);
}

/* The newest schema of the request, else the current one: what specs and orders are bound to. */
static const struct json *schema_in_force(const struct changing *c)
{
    const struct json *s = current_schema(c);

    return s ? s : find_by_id(json_get(c->m, SV("schemas")), SV("schema-id"), c->last_schema, NULL);
}

static bool assign_uuid(struct changing *c, const struct json *u, struct err *e)
{
    struct sv uuid = json_get_str(u, SV("uuid")), have = json_get_str(c->m, SV("table-uuid"));

    if (uuid.n != 36)
        return err_set(e, ERR_INVALID, "assign-uuid: a UUID of 36 characters is required");
    if (have.n && !sv_eq_nocase(have, uuid))
        return err_set(e, ERR_INVALID, "Cannot reassign uuid");
    c->changed |= !have.n;
    json_set_str(c->m, c->arena, SV("table-uuid"), uuid);
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
    const struct json *asked = json_get(u, SV("schema"));
    struct json *schemas = array_of(c, "schemas"), *copy;
    int64_t max_id = 0;

    if (!schema_check(asked, (int)get_i64(c->m, "format-version", 2), c->arena, &max_id, e))
        return false;
    for (size_t i = 0; i < json_count(schemas); i++) {
        if (schema_same(json_at(schemas, i), asked, c->arena)) {
            c->last_schema = get_i64(json_at(schemas, i), "schema-id", 0);
            return true;
        }
    }
    if (!schema_may_follow(&c->evolution, c->m, asked, e))
        return false;
    copy = json_copy(c->arena, asked);
    c->last_schema = highest(schemas, "schema-id", -1) + 1;
    json_set_str(copy, c->arena, SV("type"), SV("struct"));
    json_set_i64(copy, c->arena, SV("schema-id"), c->last_schema);
    json_push(schemas, copy);
    if (max_id > get_i64(c->m, "last-column-id", 0))
        set_i64(c, "last-column-id", max_id);
    c->changed = true;
    return true;
}

/* Sets `member` to the asked id, or to the last one added for -1; it must exist in `list`. */
static bool set_current(struct changing *c, const struct json *u, const char *const *names,
                        int64_t last, struct err *e)
{
    const char *ask = names[0], *list = names[1], *list_id = names[2], *member = names[3];
    int64_t id = get_i64(u, ask, -2);

    if (id == -1)
        id = last;
    if (id < 0 || !find_by_id(json_get(c->m, sv_from(list)), sv_from(list_id), id, NULL))
        return err_set(e, ERR_INVALID, "Cannot set %s to %" PRId64 ": there is no such one in %s",
                       member, id, list);
    if (get_i64(c->m, member, -1) != id)
        c->changed = true;
    set_i64(c, member, id);
    return true;
}

/* Each schema is held against the current one once a request: files are written between requests.
 */
static bool check_next(struct changing *c, int64_t id, struct err *e)
{
    const struct json *next = find_by_id(json_get(c->m, SV("schemas")), SV("schema-id"), id, NULL);
    struct sv text = arena_printf(c->arena, "%" PRId64, id);

    return !next || map_put(&c->checked_schemas, text, c) ||
           schema_may_follow(&c->evolution, c->m, next, e);
}

static bool set_current_schema(struct changing *c, const struct json *u, struct err *e)
{
    static const char *const names[] = {"schema-id", "schemas", "schema-id", "current-schema-id"};
    int64_t id = get_i64(u, "schema-id", -2);

    return check_next(c, id == -1 ? c->last_schema : id, e) &&
           set_current(c, u, names, c->last_schema, e);
}

static bool add_spec(struct changing *c, const struct json *u, struct err *e)
{
    const struct json *asked = json_get(u, SV("spec"));
    struct json *specs = array_of(c, "partition-specs"), *copy;
    int64_t last = get_i64(c->m, "last-partition-id", 999);

    if (!spec_check(asked, schema_in_force(c), e))
        return false;
    for (size_t i = 0; i < json_count(specs); i++) {
        if (spec_same(json_at(specs, i), asked)) {
            c->last_spec = get_i64(json_at(specs, i), "spec-id", 0);
            return true;
        }
    }
    if (!spec_number(asked, (int)get_i64(c->m, "format-version", 2), c->arena, &last, &copy, e))
        return false;
    c->last_spec = highest(specs, "spec-id", -1) + 1;
    json_set_i64(copy, c->arena, SV("spec-id"), c->last_spec);
    json_push(specs, copy);
    set_i64(c, "last-partition-id", last);
    c->changed = true;
    return true;
}

static bool set_default_spec(struct changing *c, const struct json *u, struct err *e)
{
    static const char *const names[] = {"spec-id", "partition-specs", "spec-id", "default-spec-id"};

    return set_current(c, u, names, c->last_spec, e);
}

static bool add_sort_order(struct changing *c, const struct json *u, struct err *e)
{
    const struct json *asked = json_get(u, SV("sort-order"));
    struct json *orders = array_of(c, "sort-orders"), *copy;
    bool unsorted = json_count(json_get(asked, SV("fields"))) == 0;

    if (!order_check(asked, schema_in_force(c), e))
        return false;
    for (size_t i = 0; i < json_count(orders); i++) {
        if (order_same(json_at(orders, i), asked)) {
            c->last_order = get_i64(json_at(orders, i), "order-id", 0);
            return true;
        }
    }
    copy = json_copy(c->arena, asked);
    /* 0 is the order of what is not sorted. */
    c->last_order = unsorted ? 0 : highest(orders, "order-id", 0) + 1;
    json_set_i64(copy, c->arena, SV("order-id"), c->last_order);
    json_push(orders, copy);
    c->changed = true;
    return true;
}

static bool set_default_sort_order(struct changing *c, const struct json *u, struct err *e)
{
    static const char *const names[] = {"sort-order-id", "sort-orders", "order-id",
                                        "default-sort-order-id"};

    return set_current(c, u, names, c->last_order, e);
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

static struct json *properties_of(struct changing *c)
{
    struct json *p = json_get(c->m, SV("properties"));

    if (!p)
        json_set(c->m, SV("properties"), p = json_new_object(c->arena));
    return p;
}

bool set_properties(struct changing *c, const struct json *u, struct err *e)
{
    const struct json *updates = json_get(u, SV("updates"));
    struct json *properties = properties_of(c), *value;
    struct sv name;

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
        c->changed |= !json_eq(json_get(properties, name), value);
        json_set_str(properties, c->arena, name, json_str(value, name));
    }
    return json_count(properties) <= LIMIT_PROPERTIES ||
           err_set(e, ERR_INVALID, "more than %d properties", LIMIT_PROPERTIES);
}

bool remove_properties(struct changing *c, const struct json *u, struct err *e)
{
    const struct json *removals = json_get(u, SV("removals"));
    struct json *properties = properties_of(c);

    if (!removals)
        removals = json_get(u, SV("removed"));
    if (json_kind(removals) != JSON_ARRAY)
        return err_set(e, ERR_INVALID, "remove-properties: removals is required");
    for (size_t i = 0; i < json_count(removals); i++) {
        struct sv name = json_str(json_at(removals, i), (struct sv){0});

        c->changed |= json_has(properties, name);
        json_remove(properties, name);
    }
    return true;
}

/* Statistics: one entry a snapshot. */
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

static bool set_entry(struct changing *c, const struct json *entry, const char *list, struct err *e)
{
    int64_t id = get_i64(entry, "snapshot-id", -1);

    if (id < 0 || !json_get_str(entry, SV("statistics-path")).n ||
        get_i64(entry, "file-size-in-bytes", -1) < 0)
        return err_set(e, ERR_INVALID,
                       "%s without snapshot-id, statistics-path and file-size-in-bytes", list);
    replace_by_snapshot(c, list, id, entry);
    return true;
}

static bool set_statistics(struct changing *c, const struct json *u, struct err *e)
{
    const struct json *entry = json_get(u, SV("statistics"));

    if (get_i64(entry, "file-footer-size-in-bytes", -1) < 0 ||
        json_kind(json_get(entry, SV("blob-metadata"))) != JSON_ARRAY)
        return err_set(e, ERR_INVALID,
                       "statistics without file-footer-size-in-bytes and blob-metadata");
    return set_entry(c, entry, "statistics", e);
}

static bool set_partition_statistics(struct changing *c, const struct json *u, struct err *e)
{
    return set_entry(c, json_get(u, SV("partition-statistics")), "partition-statistics", e);
}

static bool remove_entry(struct changing *c, const struct json *u, const char *list, struct err *e)
{
    if (json_kind(json_get(u, SV("snapshot-id"))) != JSON_INT)
        return err_set(e, ERR_INVALID, "%s to remove without snapshot-id", list);
    replace_by_snapshot(c, list, get_i64(u, "snapshot-id", -1), NULL);
    return true;
}

static bool remove_statistics(struct changing *c, const struct json *u, struct err *e)
{
    return remove_entry(c, u, "statistics", e);
}

static bool remove_partition_statistics(struct changing *c, const struct json *u, struct err *e)
{
    return remove_entry(c, u, "partition-statistics", e);
}

static bool remove_ids(struct changing *c, const struct json *ids, const char *const *names,
                       struct err *e)
{
    int64_t current = get_i64(c->m, names[2], -1);
    struct map gone;

    if (!ids_read(c, ids, &gone, e))
        return false;
    if (ids_have(c, &gone, current))
        return err_set(e, ERR_INVALID, "Cannot remove the %s %" PRId64, names[3], current);
    c->changed |= list_without(c, names[0], names[1], &gone);
    return true;
}

static bool remove_partition_specs(struct changing *c, const struct json *u, struct err *e)
{
    static const char *const names[] = {"partition-specs", "spec-id", "default-spec-id",
                                        "default partition spec"};

    return remove_ids(c, json_get(u, SV("spec-ids")), names, e);
}

static bool remove_schemas(struct changing *c, const struct json *u, struct err *e)
{
    static const char *const names[] = {"schemas", "schema-id", "current-schema-id",
                                        "current schema"};

    return remove_ids(c, json_get(u, SV("schema-ids")), names, e);
}

static bool find_key(const struct changing *c, struct sv id, size_t *at)
{
    const struct json *keys = json_get(c->m, SV("encryption-keys"));

    for (*at = 0; *at < json_count(keys); ++*at) {
        if (sv_eq(json_get_str(json_at(keys, *at), SV("key-id")), id))
            return true;
    }
    return false;
}

static bool add_encryption_key(struct changing *c, const struct json *u, struct err *e)
{
    const struct json *key = json_get(u, SV("encryption-key"));
    struct sv id = json_get_str(key, SV("key-id"));
    size_t at;

    if (!id.n || !json_get_str(key, SV("encrypted-key-metadata")).n)
        return err_set(e, ERR_INVALID,
                       "an encryption key without key-id and encrypted-key-metadata");
    if (find_key(c, id, &at))
        return true;
    json_push(array_of(c, "encryption-keys"), json_copy(c->arena, key));
    c->changed = true;
    return true;
}

static bool remove_encryption_key(struct changing *c, const struct json *u, struct err *e)
{
    struct sv id = json_get_str(u, SV("key-id"));
    size_t at;

    if (!id.n)
        return err_set(e, ERR_INVALID, "an encryption key to remove without key-id");
    if (!find_key(c, id, &at))
        return true;
    json_remove_at(json_get(c->m, SV("encryption-keys")), at);
    if (!json_count(json_get(c->m, SV("encryption-keys"))))
        json_remove(c->m, SV("encryption-keys"));
    c->changed = true;
    return true;
}

static const struct {
    struct sv action;
    update_fn *apply;
} updates[] = {
    {SV_INIT("assign-uuid"),                 assign_uuid                },
    {SV_INIT("upgrade-format-version"),      upgrade_format_version     },
    {SV_INIT("add-schema"),                  add_schema                 },
    {SV_INIT("set-current-schema"),          set_current_schema         },
    {SV_INIT("add-spec"),                    add_spec                   },
    {SV_INIT("set-default-spec"),            set_default_spec           },
    {SV_INIT("add-sort-order"),              add_sort_order             },
    {SV_INIT("set-default-sort-order"),      set_default_sort_order     },
    {SV_INIT("add-snapshot"),                add_snapshot               },
    {SV_INIT("set-snapshot-ref"),            set_snapshot_ref           },
    {SV_INIT("remove-snapshots"),            remove_snapshots           },
    {SV_INIT("remove-snapshot-ref"),         remove_snapshot_ref        },
    {SV_INIT("set-location"),                set_location               },
    {SV_INIT("set-properties"),              set_properties             },
    {SV_INIT("remove-properties"),           remove_properties          },
    {SV_INIT("set-statistics"),              set_statistics             },
    {SV_INIT("remove-statistics"),           remove_statistics          },
    {SV_INIT("set-partition-statistics"),    set_partition_statistics   },
    {SV_INIT("remove-partition-statistics"), remove_partition_statistics},
    {SV_INIT("remove-partition-specs"),      remove_partition_specs     },
    {SV_INIT("remove-schemas"),              remove_schemas             },
    {SV_INIT("add-encryption-key"),          add_encryption_key         },
    {SV_INIT("remove-encryption-key"),       remove_encryption_key      },
};

static update_fn *update_named(struct sv action)
{
    for (size_t i = 0; i < sizeof(updates) / sizeof(updates[0]); i++) {
        if (sv_eq_nocase(updates[i].action, action))
            return updates[i].apply;
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

        if (!update_named(action))
            return err_set(e, ERR_INVALID, "updates[%zu]: action \"" SV_FMT "\" is not known", i,
                           SV_ARG(sv_first(action, 60)));
    }
    return true;
}

bool updates_apply(struct changing *c, const struct json *list, struct err *e)
{
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *u = json_at(list, i);

        if (!update_named(json_get_str(u, SV("action")))(c, u, e))
            return false;
    }
    return true;
}
