/* schema.c - schemas, partition specs and sort orders as JSON. */
#include "iceberg/schema.h"

#include <inttypes.h>

#include "base/limits.h"

/* ---- types ---- */

static bool is_primitive(struct sv t, int *needs_format)
{
    static const struct {
        struct sv name;
        int format;
    } types[] = {
        {SV_INIT("boolean"),        1},
        {SV_INIT("int"),            1},
        {SV_INIT("long"),           1},
        {SV_INIT("float"),          1},
        {SV_INIT("double"),         1},
        {SV_INIT("date"),           1},
        {SV_INIT("time"),           1},
        {SV_INIT("timestamp"),      1},
        {SV_INIT("timestamptz"),    1},
        {SV_INIT("string"),         1},
        {SV_INIT("uuid"),           1},
        {SV_INIT("binary"),         1},
        {SV_INIT("timestamp_ns"),   3},
        {SV_INIT("timestamptz_ns"), 3},
        {SV_INIT("unknown"),        3},
        {SV_INIT("variant"),        3},
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (sv_eq(t, types[i].name)) {
            *needs_format = types[i].format;
            return true;
        }
    }
    *needs_format = sv_starts(t, SV("geo")) ? 3 : 1;
    return sv_ends(t, SV("]")) ? sv_starts(t, SV("fixed["))
                               : (sv_starts(t, SV("decimal(")) && sv_ends(t, SV(")"))) ||
                                     sv_starts(t, SV("geometry")) || sv_starts(t, SV("geography"));
}

/* One place below a schema where a type stands, with the id that belongs to it. */
struct slot {
    const char *id, *type;
};
static const struct slot list_slots[] = {
    {"element-id", "element"}
};
static const struct slot map_slots[] = {
    {"key-id",   "key"  },
    {"value-id", "value"}
};

static const struct slot *slots_of(const struct json *type, size_t *n)
{
    struct sv name = json_get_str(type, SV("type"));

    *n = sv_eq(name, SV("list")) ? 1 : sv_eq(name, SV("map")) ? 2 : 0;
    return *n == 1 ? list_slots : map_slots;
}

struct checking {
    struct arena *arena;
    struct map seen;
    int format, depth;
    int64_t max_id;
};

static bool check_type(struct checking *c, const struct json *type, struct sv name, struct err *e);

static bool note_id(struct checking *c, const struct json *id, struct err *e)
{
    int64_t n = json_i64(id, 0);
    struct sv text = arena_printf(c->arena, "%" PRId64, n);

    if (n <= 0 || n > INT32_MAX)
        return err_set(e, ERR_INVALID, "a field without a positive id");
    if (map_put(&c->seen, text, c))
        return err_set(e, ERR_INVALID, "field id %" PRId64 " is used twice", n);
    if (c->seen.n > LIMIT_SCHEMA_FIELDS)
        return err_set(e, ERR_INVALID, "more than %d fields", LIMIT_SCHEMA_FIELDS);
    if (n > c->max_id)
        c->max_id = n;
    return true;
}

static bool check_fields(struct checking *c, const struct json *fields, struct err *e)
{
    struct map names = map_new(c->arena);

    if (json_kind(fields) != JSON_ARRAY)
        return err_set(e, ERR_INVALID, "a struct without a list of fields");
    for (size_t i = 0; i < json_count(fields); i++) {
        const struct json *f = json_at(fields, i);
        struct sv name = json_get_str(f, SV("name"));

        if (!name.n || map_put(&names, name, c))
            return err_set(e, ERR_INVALID, "a field without a name of its own: \"" SV_FMT "\"",
                           SV_ARG(sv_first(name, 80)));
        if (c->format < 3 && json_get(f, SV("initial-default")))
            return err_set(e, ERR_INVALID,
                           "Invalid initial default for " SV_FMT
                           ": non-null default is not supported until v3",
                           SV_ARG(sv_first(name, 80)));
        if (!note_id(c, json_get(f, SV("id")), e) ||
            !check_type(c, json_get(f, SV("type")), name, e))
            return false;
    }
    return true;
}

static bool check_nested(struct checking *c, const struct json *type, struct sv name, struct err *e)
{
    size_t n;
    const struct slot *slots = slots_of(type, &n);

    if (sv_eq(json_get_str(type, SV("type")), SV("struct")))
        return check_fields(c, json_get(type, SV("fields")), e);
    for (size_t i = 0; i < n; i++) {
        if (!note_id(c, json_get(type, sv_from(slots[i].id)), e) ||
            !check_type(c, json_get(type, sv_from(slots[i].type)), name, e))
            return false;
    }
    return n > 0 || err_set(e, ERR_INVALID, "the type of " SV_FMT " is not known",
                            SV_ARG(sv_first(name, 80)));
}

static bool check_type(struct checking *c, const struct json *type, struct sv name, struct err *e)
{
    struct sv text = json_str(type, (struct sv){0});
    int needs = 1;
    bool ok;

    if (json_kind(type) == JSON_OBJECT) {
        if (++c->depth > LIMIT_SCHEMA_DEPTH)
            return err_set(e, ERR_INVALID, "the schema is nested deeper than %d",
                           LIMIT_SCHEMA_DEPTH);
        ok = check_nested(c, type, name, e);
        c->depth--;
        return ok;
    }
    if (!is_primitive(text, &needs))
        return err_set(e, ERR_INVALID, "the type of " SV_FMT " is not known: \"" SV_FMT "\"",
                       SV_ARG(sv_first(name, 80)), SV_ARG(sv_first(text, 40)));
    if (needs > c->format)
        return err_set(e, ERR_INVALID,
                       "Invalid type for " SV_FMT ": " SV_FMT " is not supported until v%d",
                       SV_ARG(sv_first(name, 80)), SV_ARG(text), needs);
    return true;
}

bool schema_check(const struct json *schema, int format, struct arena *a, int64_t *max_id,
                  struct err *e)
{
    struct checking c = {.arena = a, .seen = map_new(a), .format = format};
    const struct json *identifiers = json_get(schema, SV("identifier-field-ids"));

    if (!check_fields(&c, json_get(schema, SV("fields")), e))
        return err_wrap(e, "schema");
    for (size_t i = 0; i < json_count(identifiers); i++) {
        if (!map_get(&c.seen, arena_printf(a, "%" PRId64, json_i64(json_at(identifiers, i), 0))))
            return err_set(e, ERR_INVALID, "schema: an identifier field does not exist");
    }
    *max_id = c.max_id;
    return true;
}

/* ---- numbering ---- */

struct numbering {
    struct arena *arena;
    struct map *ids;
    int64_t last;
};

static void renumber_type(struct numbering *n, struct json *type);

static void assign(struct numbering *n, struct json *owner, const char *id)
{
    int64_t *fresh = arena_new(n->arena, int64_t);

    *fresh = ++n->last;
    (void)map_put(n->ids,
                  arena_printf(n->arena, "%" PRId64, json_i64(json_get(owner, sv_from(id)), 0)),
                  fresh);
    json_set_i64(owner, n->arena, sv_from(id), *fresh);
}

/* All fields of a level first, then what is below each. */
static void renumber_fields(struct numbering *n, struct json *fields)
{
    for (size_t i = 0; i < json_count(fields); i++)
        assign(n, json_at(fields, i), "id");
    for (size_t i = 0; i < json_count(fields); i++)
        renumber_type(n, json_get(json_at(fields, i), SV("type")));
}

static void renumber_type(struct numbering *n, struct json *type)
{
    size_t count;
    const struct slot *slots = slots_of(type, &count);

    renumber_fields(n, json_get(type, SV("fields")));
    for (size_t i = 0; i < count; i++)
        assign(n, type, slots[i].id);
    for (size_t i = 0; i < count; i++)
        renumber_type(n, json_get(type, sv_from(slots[i].type)));
}

static int64_t new_id(const struct map *ids, struct arena *a, int64_t old)
{
    const int64_t *fresh = map_get(ids, arena_printf(a, "%" PRId64, old));

    return fresh ? *fresh : old;
}

struct json *schema_renumber(const struct json *schema, struct arena *a, struct map *ids,
                             int64_t *last_id)
{
    struct json *copy = json_copy(a, schema), *fresh = json_new_array(a);
    const struct json *identifiers = json_get(schema, SV("identifier-field-ids"));
    struct numbering n = {a, ids, 0};

    renumber_fields(&n, json_get(copy, SV("fields")));
    for (size_t i = 0; i < json_count(identifiers); i++)
        json_push(fresh, json_new_i64(a, new_id(ids, a, json_i64(json_at(identifiers, i), 0))));
    if (json_count(identifiers))
        json_set(copy, SV("identifier-field-ids"), fresh);
    *last_id = n.last;
    return copy;
}

struct json *fields_remap(const struct json *v, const struct map *ids, struct arena *a)
{
    struct json *copy = json_copy(a, v), *fields = json_get(copy, SV("fields"));

    for (size_t i = 0; i < json_count(fields); i++) {
        struct json *f = json_at(fields, i);

        json_set_i64(f, a, SV("source-id"),
                     new_id(ids, a, json_i64(json_get(f, SV("source-id")), 0)));
    }
    return copy;
}

bool schema_same(const struct json *x, const struct json *y, struct arena *a)
{
    struct json *none = json_new_array(a);
    const struct json *ix = json_get(x, SV("identifier-field-ids")),
                      *iy = json_get(y, SV("identifier-field-ids"));

    return json_eq(json_get(x, SV("fields")), json_get(y, SV("fields"))) &&
           json_eq(ix ? ix : none, iy ? iy : none);
}

static bool type_has(const struct json *type, int64_t id);

static bool fields_have(const struct json *fields, int64_t id)
{
    for (size_t i = 0; i < json_count(fields); i++) {
        const struct json *f = json_at(fields, i);

        if (json_i64(json_get(f, SV("id")), 0) == id || type_has(json_get(f, SV("type")), id))
            return true;
    }
    return false;
}

static bool type_has(const struct json *type, int64_t id)
{
    size_t n;
    const struct slot *slots = slots_of(type, &n);

    for (size_t i = 0; i < n; i++) {
        if (json_i64(json_get(type, sv_from(slots[i].id)), 0) == id ||
            type_has(json_get(type, sv_from(slots[i].type)), id))
            return true;
    }
    return fields_have(json_get(type, SV("fields")), id);
}

bool schema_has_field(const struct json *schema, int64_t id)
{
    return fields_have(json_get(schema, SV("fields")), id);
}

/* ---- specs and orders ---- */

static bool sources_exist(const struct json *v, const struct json *schema, const char *what,
                          struct err *e)
{
    const struct json *fields = json_get(v, SV("fields"));

    for (size_t i = 0; i < json_count(fields); i++) {
        const struct json *f = json_at(fields, i);
        int64_t source = json_i64(json_get(f, SV("source-id")), 0);
        const struct json *sources = json_get(f, SV("source-ids"));

        if (!source && json_count(sources))
            source = json_i64(json_at(sources, 0), 0);
        if (!json_get_str(f, SV("transform")).n)
            return err_set(e, ERR_INVALID, "%s: a field without a transform", what);
        if (!schema_has_field(schema, source))
            return err_set(e, ERR_INVALID, "%s: Cannot find source column for field %" PRId64, what,
                           source);
    }
    return json_kind(fields) == JSON_ARRAY ||
           err_set(e, ERR_INVALID, "%s: no list of fields", what);
}

bool spec_check(const struct json *spec, const struct json *schema, struct err *e)
{
    const struct json *fields = json_get(spec, SV("fields"));

    if (!sources_exist(spec, schema, "partition spec", e))
        return false;
    for (size_t i = 0; i < json_count(fields); i++) {
        struct sv name = json_get_str(json_at(fields, i), SV("name"));

        for (size_t j = 0; j < i; j++) {
            if (sv_eq(name, json_get_str(json_at(fields, j), SV("name"))))
                return err_set(e, ERR_INVALID, "partition spec: name " SV_FMT " is used twice",
                               SV_ARG(sv_first(name, 80)));
        }
        if (!name.n)
            return err_set(e, ERR_INVALID, "partition spec: a field without a name");
        if (json_i64(json_get(json_at(fields, i), SV("field-id")), 0) > INT32_MAX)
            return err_set(e, ERR_INVALID, "partition spec: field-id is beyond an int");
    }
    return true;
}

struct json *spec_number(const struct json *spec, struct arena *a, int64_t *last_id)
{
    struct json *copy = json_copy(a, spec), *fields = json_get(copy, SV("fields"));

    for (size_t i = 0; i < json_count(fields); i++) {
        struct json *f = json_at(fields, i);
        int64_t id = json_i64(json_get(f, SV("field-id")), 0);

        if (!id)
            json_set_i64(f, a, SV("field-id"), id = *last_id + 1);
        if (id > *last_id)
            *last_id = id;
    }
    return copy;
}

static bool fields_same(const struct json *x, const struct json *y, const char *const *names)
{
    const struct json *fx = json_get(x, SV("fields")), *fy = json_get(y, SV("fields"));

    if (json_count(fx) != json_count(fy))
        return false;
    for (size_t i = 0; i < json_count(fx); i++) {
        for (const char *const *name = names; *name; name++) {
            if (!json_eq(json_get(json_at(fx, i), sv_from(*name)),
                         json_get(json_at(fy, i), sv_from(*name))))
                return false;
        }
    }
    return true;
}

bool spec_same(const struct json *x, const struct json *y)
{
    static const char *const names[] = {"source-id", "transform", "name", NULL};

    return fields_same(x, y, names);
}

bool order_check(const struct json *order, const struct json *schema, struct err *e)
{
    return sources_exist(order, schema, "sort order", e);
}

bool order_same(const struct json *x, const struct json *y)
{
    static const char *const names[] = {"source-id", "transform", "direction", "null-order", NULL};

    return fields_same(x, y, names);
}
