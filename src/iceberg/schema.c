/* schema.c - schemas, partition specs and sort orders as JSON. */
#include "iceberg/schema.h"

#include <inttypes.h>

#include "base/limits.h"

enum { DECIMAL_DIGITS = 38 };

struct schema_walk {
    schema_visit_fn *visit;
    void *context;
    bool repeated;
};

/* ---- types ---- */

/* "decimal(9, 2)", blanks anywhere. */
bool type_decimal(struct sv type, int64_t *precision, int64_t *scale)
{
    struct sv rest, part;

    if (!sv_starts(type, SV("decimal(")) || !sv_ends(type, SV(")")))
        return false;
    rest = sv_skip(sv_first(type, type.n - 1), sizeof("decimal(") - 1);
    return sv_cut(&rest, ',', &part) && sv_i64(sv_trim(part), precision) &&
           sv_i64(sv_trim(rest), scale);
}

static bool is_decimal(struct sv t)
{
    int64_t precision, scale;

    return type_decimal(t, &precision, &scale) && precision >= 1 && precision <= DECIMAL_DIGITS &&
           scale >= 0;
}

static bool is_fixed(struct sv t)
{
    static const struct sv begin = SV_INIT("fixed[");
    int64_t n;

    return sv_starts(t, begin) && sv_ends(t, SV("]")) &&
           sv_i64(sv_trim(sv_skip(sv_first(t, t.n - 1), begin.n)), &n) && n >= 0;
}

/* "geometry", "geometry(srid:3857)". */
static bool is_shape(struct sv t, struct sv name)
{
    struct sv rest = sv_skip(t, sv_starts(t, name) ? name.n : 0);

    return sv_starts(t, name) && (!rest.n || (sv_starts(rest, SV("(")) && sv_ends(rest, SV(")"))));
}

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
    return is_fixed(t) || is_decimal(t) || is_shape(t, SV("geometry")) ||
           is_shape(t, SV("geography"));
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
    struct map identifying; /* ids of fields that every row has a plain value for */
    int format, depth;
    bool absent; /* what is being checked stands in something that a row may lack */
    int64_t least_id, max_id;
};

static bool check_type(struct checking *c, const struct json *type, struct sv name, struct err *e);

static bool note_id(struct checking *c, const struct json *id, struct sv name, struct err *e)
{
    int64_t n = json_i64(id, -1);
    struct sv text = arena_printf(c->arena, "%" PRId64, n);

    if (n < c->least_id || n > INT32_MAX)
        return err_set(e, ERR_INVALID,
                       "the id of field " SV_FMT " must be a number from %" PRId64 " to %d",
                       SV_ARG(sv_first(name, 80)), c->least_id, INT32_MAX);
    if (map_put(&c->seen, text, c))
        return err_set(e, ERR_INVALID, "field id %" PRId64 " is used twice", n);
    if (c->seen.n > LIMIT_SCHEMA_FIELDS)
        return err_set(e, ERR_INVALID, "more than %d fields", LIMIT_SCHEMA_FIELDS);
    if (n > c->max_id)
        c->max_id = n;
    return true;
}

/* Two floats of one value need not be equal. */
static void note_identifying(struct checking *c, const struct json *f)
{
    struct sv type = json_get_str(f, SV("type"));

    if (!c->absent && type.n && !sv_eq(type, SV("float")) && !sv_eq(type, SV("double")) &&
        json_bool(json_get(f, SV("required")), false))
        (void)map_put(&c->identifying,
                      arena_printf(c->arena, "%" PRId64, json_i64(json_get(f, SV("id")), -1)), c);
}

static bool check_field(struct checking *c, const struct json *f, struct map *names, struct err *e)
{
    struct sv name = json_get_str(f, SV("name"));
    bool absent = c->absent, ok;

    if (!name.n || map_put(names, name, c))
        return err_set(e, ERR_INVALID, "a field without a name of its own: \"" SV_FMT "\"",
                       SV_ARG(sv_first(name, 80)));
    if (c->format < 3 && json_get(f, SV("initial-default")))
        return err_set(e, ERR_INVALID,
                       "Invalid initial default for " SV_FMT
                       ": non-null default is not supported until v3",
                       SV_ARG(sv_first(name, 80)));
    if (!note_id(c, json_get(f, SV("id")), name, e))
        return false;
    note_identifying(c, f);
    c->absent = absent || !json_bool(json_get(f, SV("required")), false);
    ok = check_type(c, json_get(f, SV("type")), name, e);
    c->absent = absent;
    return ok;
}

static bool check_fields(struct checking *c, const struct json *fields, struct err *e)
{
    struct map names = map_new(c->arena);

    if (json_kind(fields) != JSON_ARRAY)
        return err_set(e, ERR_INVALID, "a struct without a list of fields");
    for (size_t i = 0; i < json_count(fields); i++) {
        if (!check_field(c, json_at(fields, i), &names, e))
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
    c->absent = true; /* check_field puts it back */
    for (size_t i = 0; i < n; i++) {
        if (!note_id(c, json_get(type, sv_from(slots[i].id)), name, e) ||
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

static bool check(struct checking *c, const struct json *schema, struct err *e)
{
    const struct json *identifiers = json_get(schema, SV("identifier-field-ids"));

    if (!check_fields(c, json_get(schema, SV("fields")), e))
        return err_wrap(e, "schema");
    for (size_t i = 0; i < json_count(identifiers); i++) {
        int64_t id = json_i64(json_at(identifiers, i), -1);

        if (!map_get(&c->seen, arena_printf(c->arena, "%" PRId64, id)))
            return err_set(e, ERR_INVALID, "schema: identifier field %" PRId64 " does not exist",
                           id);
        if (!map_get(&c->identifying, arena_printf(c->arena, "%" PRId64, id)))
            return err_set(e, ERR_INVALID,
                           "schema: field %" PRId64
                           " cannot identify rows: it must be required, of a plain type other than "
                           "float and double, and in nothing optional, no list and no map",
                           id);
    }
    return true;
}

bool schema_check(const struct json *schema, int format, struct arena *a, int64_t *max_id,
                  struct err *e)
{
    struct checking c = {
        .arena = a, .seen = map_new(a), .identifying = map_new(a), .format = format, .least_id = 1};

    if (!check(&c, schema, e))
        return false;
    *max_id = c.max_id;
    return true;
}

bool schema_check_draft(const struct json *schema, int format, struct arena *a, struct err *e)
{
    struct checking c = {
        .arena = a, .seen = map_new(a), .identifying = map_new(a), .format = format};

    return check(&c, schema, e);
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
                  arena_printf(n->arena, "%" PRId64, json_i64(json_get(owner, sv_from(id)), -1)),
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

bool schema_same(const struct json *x, const struct json *y, struct arena *a)
{
    struct json *none = json_new_array(a);
    const struct json *ix = json_get(x, SV("identifier-field-ids")),
                      *iy = json_get(y, SV("identifier-field-ids"));

    return json_eq(json_get(x, SV("fields")), json_get(y, SV("fields"))) &&
           json_eq(ix ? ix : none, iy ? iy : none);
}

/* ---- walking ---- */

static bool walk_type(struct schema_walk *w, const struct json *type, struct sv name,
                      struct err *e);

static bool walk_fields(struct schema_walk *w, const struct json *fields, struct err *e)
{
    for (size_t i = 0; i < json_count(fields); i++) {
        const struct json *f = json_at(fields, i), *type = json_get(f, SV("type"));
        struct sv name = json_get_str(f, SV("name"));
        struct schema_field at = {json_i64(json_get(f, SV("id")), 0), type, name, w->repeated};

        if (!w->visit(&at, w->context, e) || !walk_type(w, type, name, e))
            return false;
    }
    return true;
}

static bool walk_type(struct schema_walk *w, const struct json *type, struct sv name, struct err *e)
{
    size_t n;
    const struct slot *slots = slots_of(type, &n);
    bool repeated = w->repeated;

    if (!walk_fields(w, json_get(type, SV("fields")), e))
        return false;
    w->repeated = w->repeated || n;
    for (size_t i = 0; i < n; i++) {
        const struct json *below = json_get(type, sv_from(slots[i].type));
        struct schema_field at = {json_i64(json_get(type, sv_from(slots[i].id)), 0), below, name,
                                  true};

        if (!w->visit(&at, w->context, e) || !walk_type(w, below, name, e))
            return false;
    }
    w->repeated = repeated;
    return true;
}

bool schema_each(const struct json *schema, schema_visit_fn *visit, void *context, struct err *e)
{
    struct schema_walk w = {.visit = visit, .context = context};

    return walk_fields(&w, json_get(schema, SV("fields")), e);
}

static bool remember_if_wanted(const struct schema_field *f, void *context, UNUSED struct err *e)
{
    struct schema_field *wanted = context;

    if (f->id != wanted->id)
        return true;
    *wanted = *f;
    return false;
}

bool schema_find(const struct json *schema, int64_t id, struct schema_field *out)
{
    struct schema_field wanted = {.id = id};
    struct err ignored = {0};

    if (schema_each(schema, remember_if_wanted, &wanted, &ignored))
        return false;
    *out = wanted;
    return true;
}
