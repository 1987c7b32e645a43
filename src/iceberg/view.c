/* view.c - view metadata read, created and committed to. */
#include "iceberg/view.h"

#include <inttypes.h>

#include "base/limits.h"
#include "iceberg/elements.h"
#include "iceberg/members.h"
#include "iceberg/schema.h"
#include "iceberg/spelling.h"
#include "iceberg/view_version.h"

/* A view holds no files, so any type that is known may stand in its schemas. */
enum { VIEW_FORMAT = 1, SCHEMA_FORMAT = 3 };

/* ---- reading ---- */

static bool is_shaped(const struct json *m)
{
    static const struct {
        const char *name;
        enum json_kind kind;
        bool required;
    } members[] = {
        {"view-uuid",          JSON_STRING, OPTIONAL},
        {"location",           JSON_STRING, OPTIONAL},
        {"schemas",            JSON_ARRAY,  OPTIONAL},
        {"versions",           JSON_ARRAY,  OPTIONAL},
        {"version-log",        JSON_ARRAY,  OPTIONAL},
        {"current-version-id", JSON_INT,    OPTIONAL},
        {"properties",         JSON_OBJECT, REQUIRED},
    };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const struct json *v = json_get(m, sv_from(members[i].name));

        if (v ? json_kind(v) != members[i].kind : members[i].required)
            return false;
    }
    return true;
}

static bool holds_objects(const struct json *list)
{
    for (size_t i = 0; i < json_count(list); i++) {
        if (json_kind(json_at(list, i)) != JSON_OBJECT)
            return false;
    }
    return true;
}

bool view_read(struct sv text, struct arena *a, struct json **out, struct err *e)
{
    struct json *m;

    if (!metadata_fits(text, e))
        return false;
    if (!json_read(text, a, &m, e))
        return err_wrap(e, "view metadata");
    if (get_i64(m, "format-version", 0) != VIEW_FORMAT)
        return err_set(e, ERR_INVALID, "view metadata of another format than %d", VIEW_FORMAT);
    if (!is_shaped(m) || !holds_objects(json_get(m, SV("schemas"))) ||
        !holds_objects(json_get(m, SV("versions"))) ||
        !holds_objects(json_get(m, SV("version-log"))))
        return err_set(e, ERR_INVALID, "view metadata: a member is not what it must be");
    *out = m;
    return true;
}

/* ---- updates ---- */

struct view_change {
    struct changing c; /* its last_schema is what -1 means */
    struct map added;  /* ids of versions of this request */
    int64_t last_version;
};

typedef bool view_update_fn(struct view_change *v, const struct json *u, struct err *e);

static bool assign_uuid(struct view_change *v, const struct json *u, struct err *e)
{
    return sv_eq_nocase(json_get_str(v->c.m, SV("view-uuid")), json_get_str(u, SV("uuid"))) ||
           err_set(e, ERR_INVALID, "Cannot reassign uuid");
}

static bool upgrade(UNUSED struct view_change *v, const struct json *u, struct err *e)
{
    return get_i64(u, "format-version", 0) == VIEW_FORMAT ||
           err_set(e, ERR_INVALID, "the format of a view is %d", VIEW_FORMAT);
}

static bool add_schema(struct view_change *v, const struct json *u, struct err *e)
{
    struct json *asked = element_copy(v->c.arena, json_get(u, SV("schema")));
    const struct json *same;

    schema_spell(asked, v->c.arena);
    if (!schema_check_draft(asked, SCHEMA_FORMAT, e))
        return false;
    same = list_same(&v->c, LIST_SCHEMAS, asked);
    if (same) {
        v->c.last_schema = get_i64(same, "schema-id", 0);
        return true;
    }
    if (list_count(&v->c, LIST_SCHEMAS) >= LIMIT_VIEW_SCHEMAS)
        return err_set(e, ERR_INVALID, "more than %d schemas", LIMIT_VIEW_SCHEMAS);
    if (!list_next_id(&v->c, LIST_SCHEMAS, 0, &v->c.last_schema, e))
        return false;
    json_set_str(asked, v->c.arena, SV("type"), SV("struct"));
    json_set_i64(asked, v->c.arena, SV("schema-id"), v->c.last_schema);
    list_add(&v->c, LIST_SCHEMAS, asked);
    v->c.changed = true;
    return true;
}

/* The id of a version that says the same, or a fresh one from the asked one on. */
static bool version_id(struct view_change *v, const struct json *version, bool *known,
                       struct err *e)
{
    const struct json *same = list_same(&v->c, LIST_VERSIONS, version);

    *known = same != NULL;
    if (!same)
        return list_next_id(&v->c, LIST_VERSIONS, get_i64(version, "version-id", 1),
                            &v->last_version, e);
    v->last_version = get_i64(same, "version-id", 0);
    return true;
}

static bool add_version(struct view_change *v, const struct json *u, struct err *e)
{
    struct json *copy = element_copy(v->c.arena, json_get(u, SV("view-version")));
    bool known;

    if (!version_check(copy, e))
        return false;
    if (get_i64(copy, "schema-id", -1) == -1)
        json_set_i64(copy, v->c.arena, SV("schema-id"), v->c.last_schema);
    if (!list_get(&v->c, LIST_SCHEMAS, get_i64(copy, "schema-id", -1)))
        return err_set(e, ERR_INVALID, "Cannot add version with unknown schema: %" PRId64,
                       get_i64(copy, "schema-id", -1));
    if (!version_id(v, copy, &known, e))
        return false;
    if (known)
        return true;
    json_set_i64(copy, v->c.arena, SV("version-id"), v->last_version);
    list_add(&v->c, LIST_VERSIONS, copy);
    (void)map_put_id(&v->added, v->last_version, v);
    v->c.changed = true;
    return v->added.n <= LIMIT_VIEW_VERSIONS ||
           err_set(e, ERR_INVALID, "more than %d versions at once", LIMIT_VIEW_VERSIONS);
}

static bool set_current(struct view_change *v, const struct json *u, struct err *e)
{
    struct json *entry = json_new_object(v->c.arena), *log;
    const struct json *version;
    int64_t id = get_i64(u, "view-version-id", -2), at = v->c.now_ms, before;

    id = id == -1 ? v->last_version : id;
    version = list_get(&v->c, LIST_VERSIONS, id);
    if (id < 0 || !version)
        return err_set(e, ERR_INVALID, "Cannot set current version to unknown version: %" PRId64,
                       id);
    if (id == get_i64(v->c.m, "current-version-id", -1))
        return true;
    if (map_get_id(&v->added, id))
        at = get_i64(version, "timestamp-ms", at);
    set_i64(&v->c, "current-version-id", id);
    log = own_member(&v->c, "version-log", JSON_ARRAY);
    before = log_last_ms(log);
    json_set_i64(entry, v->c.arena, SV("timestamp-ms"), at > before ? at : before);
    json_set_i64(entry, v->c.arena, SV("version-id"), id);
    json_push(log, entry);
    v->c.changed = true;
    return true;
}

static bool move(struct view_change *v, const struct json *u, struct err *e)
{
    return set_location(&v->c, u, e);
}

static bool put_properties(struct view_change *v, const struct json *u, struct err *e)
{
    return set_properties(&v->c, u, e);
}

static bool drop_properties(struct view_change *v, const struct json *u, struct err *e)
{
    return remove_properties(&v->c, u, e);
}

static const struct {
    struct sv action;
    view_update_fn *apply;
} updates[] = {
    {SV_INIT("assign-uuid"),              assign_uuid    },
    {SV_INIT("upgrade-format-version"),   upgrade        },
    {SV_INIT("add-schema"),               add_schema     },
    {SV_INIT("set-location"),             move           },
    {SV_INIT("set-properties"),           put_properties },
    {SV_INIT("remove-properties"),        drop_properties},
    {SV_INIT("add-view-version"),         add_version    },
    {SV_INIT("set-current-view-version"), set_current    },
};

static view_update_fn *update_named(struct sv action)
{
    for (size_t i = 0; i < sizeof(updates) / sizeof(updates[0]); i++) {
        if (sv_eq_nocase(updates[i].action, action))
            return updates[i].apply;
    }
    return NULL;
}

/* What it leaves in the scratch arena goes before the next one. */
static bool apply_one(struct view_change *v, const struct json *u, struct err *e)
{
    auto_arena scratch = {0};
    bool ok;

    v->c.scratch = &scratch;
    ok = update_named(json_get_str(u, SV("action")))(v, u, e);
    v->c.scratch = v->c.memory;
    return ok;
}

/* All are known before any takes effect. */
static bool apply_all(struct view_change *v, const struct json *list, struct err *e)
{
    if (json_kind(list) != JSON_ARRAY || json_count(list) > LIMIT_COMMIT_UPDATES)
        return err_set(e, ERR_INVALID, "updates: a list of at most %d is required",
                       LIMIT_COMMIT_UPDATES);
    for (size_t i = 0; i < json_count(list); i++) {
        struct sv action = json_get_str(json_at(list, i), SV("action"));

        if (!update_named(action))
            return err_set(e, ERR_INVALID,
                           "updates[%zu]: action \"" SV_FMT "\" is not one of views", i,
                           SV_ARG(sv_first(action, 60)));
    }
    for (size_t i = 0; i < json_count(list); i++) {
        if (!apply_one(v, json_at(list, i), e))
            return false;
    }
    return true;
}

/* ---- creating ---- */

static bool copy_properties(struct view_change *v, struct json *properties, struct err *e)
{
    struct json *update = json_new_object(v->c.arena);

    json_set(update, SV("updates"), properties);
    return !properties || set_properties(&v->c, update, e);
}

static struct json *with(struct arena *a, const char *name, struct json *value)
{
    struct json *update = json_new_object(a);

    json_set(update, sv_from(name), value);
    return update;
}

bool view_create(const struct json *request, const struct create_options *o, struct arena *a,
                 struct json **out, struct err *e)
{
    static const struct member members[MEMBERS] = {
        {"location",   JSON_STRING, OPTIONAL},
        {"properties", JSON_OBJECT, OPTIONAL}
    };
    struct json *m = json_new_object(a), *version = json_get(request, SV("view-version")),
                *last = json_new_object(a);
    auto_arena memory = {0};
    struct view_change v = {
        .c = {.m = m, .now_ms = o->now_ms},
          .added = map_new(&memory), .last_version = -1
    };

    changing_init(&v.c, a, &memory);
    json_set_str(m, a, SV("view-uuid"), o->uuid);
    json_set_i64(m, a, SV("format-version"), VIEW_FORMAT);
    json_set_str(m, a, SV("location"), sv_trim_end(o->location, '/'));
    json_set(m, SV("properties"), json_new_object(a));
    json_set(m, SV("schemas"), json_new_array(a));
    json_set(m, SV("versions"), json_new_array(a));
    if (!members_check(request, members, e) ||
        !add_schema(&v, with(a, "schema", json_get(request, SV("schema"))), e) ||
        !version_check(version, e))
        return false;
    /* Whatever id it was given by the client: there is one schema. */
    version = json_copy(a, version);
    json_set_i64(version, a, SV("schema-id"), v.c.last_schema);
    json_set_i64(last, a, SV("view-version-id"), -1);
    *out = m;
    if (!add_version(&v, with(a, "view-version", version), e) || !set_current(&v, last, e) ||
        !copy_properties(&v, json_get(request, SV("properties")), e))
        return false;
    lists_close(&v.c);
    return true;
}

/* ---- committing ---- */

static bool asks_of_views(const struct json *list, struct err *e)
{
    if (list && (json_kind(list) != JSON_ARRAY || json_count(list) > LIMIT_COMMIT_UPDATES))
        return err_set(e, ERR_INVALID, "requirements: a list of at most %d is required",
                       LIMIT_COMMIT_UPDATES);
    for (size_t i = 0; i < json_count(list); i++) {
        struct sv type = json_get_str(json_at(list, i), SV("type"));

        if (!sv_eq_nocase(type, SV("assert-view-uuid")))
            return err_set(e, ERR_INVALID,
                           "requirements[%zu]: type \"" SV_FMT "\" is not one of views", i,
                           SV_ARG(sv_first(type, 60)));
    }
    return true;
}

static bool requirements_hold(const struct json *base, const struct json *list, struct err *e)
{
    struct sv have = json_get_str(base, SV("view-uuid"));

    for (size_t i = 0; i < json_count(list); i++) {
        struct sv want = json_get_str(json_at(list, i), SV("uuid"));

        if (!sv_eq_nocase(want, have))
            return err_set(e, ERR_CONFLICT,
                           "Requirement failed: view UUID does not match: expected " SV_FMT
                           " != " SV_FMT,
                           SV_ARG(sv_first(have, 60)), SV_ARG(sv_first(want, 60)));
    }
    return true;
}

static const struct json *current_of(const struct json *m)
{
    return find_by_id(json_get(m, SV("versions")), SV("version-id"),
                      get_i64(m, "current-version-id", -1));
}

bool view_commit(const struct json *base, const struct json *request, int64_t now_ms,
                 struct arena *a, struct commit_result *out, struct err *e)
{
    auto_arena memory = {0};
    struct view_change v = {.c = {.now_ms = now_ms}, .added = map_new(&memory), .last_version = -1};

    if (!asks_of_views(json_get(request, SV("requirements")), e) ||
        !requirements_hold(base, json_get(request, SV("requirements")), e))
        return false;
    changing_init(&v.c, a, &memory);
    v.c.m = json_copy_flat(a, base);
    if (!apply_all(&v, json_get(request, SV("updates")), e))
        return false;
    lists_close(&v.c);
    if (!dialects_kept(v.c.m, current_of(base), current_of(v.c.m), e))
        return false;
    if (v.c.changed) {
        versions_expire(&v.c, &v.added);
        log_sort(&v.c, "version-log");
    }
    *out = (struct commit_result){.metadata = v.c.m, .changed = v.c.changed};
    return true;
}
