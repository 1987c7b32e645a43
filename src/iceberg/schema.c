/* schema.c - schemas, partition specs and sort orders as JSON. */
#include "iceberg/schema.h"

#include <inttypes.h>

#include "base/limits.h"
#include "iceberg/types.h"

struct schema_walk {
    schema_visit_fn *visit;
    void *context;
    bool repeated;
    int64_t parent;
};

/* ---- types ---- */

/* One place below a schema where a type stands, with the id that belongs to it. */
struct slot {
    const char *id, *type, *required; /* a map's keys are, always */
};
static const struct slot list_slots[] = {
    {"element-id", "element", "element-required"}
};
static const struct slot map_slots[] = {
    {"key-id",   "key",   NULL            },
    {"value-id", "value", "value-required"}
};

static const struct slot *slots_of(const struct json *type, size_t *n)
{
    struct sv name = json_get_str(type, SV("type"));

    *n = sv_eq(name, SV("list")) ? 1 : sv_eq(name, SV("map")) ? 2 : 0;
    return *n == 1 ? list_slots : map_slots;
}

struct checking {
    struct arena *arena;
    struct map seen; /* ids, to one of the two below */
    int format, depth;
    int64_t least_id, max_id;
    bool shut; /* below something that may be absent or be there more than once */
};

/* Whether rows may be told apart by a field. */
static const char identifies[] = "", identifies_nothing[] = "";

/* The ids above are those of columns that every table has, such as _file and _pos. */
enum { HIGHEST_ID = INT32_MAX - 200 };

static bool check_type(struct checking *c, const struct json *type, struct sv name, struct err *e);

static bool note_id(struct checking *c, const struct json *id, struct sv name, const char *use,
                    struct err *e)
{
    int64_t n = json_i64(id, -1);
    union {
        const char *in;
        void *out;
    } mark = {.in = use};

    if (n < c->least_id || n > HIGHEST_ID)
        return err_set(e, ERR_INVALID,
                       "the id of field " SV_FMT " must be a number from %" PRId64 " to %d",
                       SV_ARG(sv_first(name, 80)), c->least_id, HIGHEST_ID);
    if (map_put_id(&c->seen, n, mark.out))
        return err_set(e, ERR_INVALID, "field id %" PRId64 " is used twice", n);
    if (c->seen.n > LIMIT_SCHEMA_FIELDS)
        return err_set(e, ERR_INVALID, "more than %d fields", LIMIT_SCHEMA_FIELDS);
    if (n > c->max_id)
        c->max_id = n;
    return true;
}

static bool is_required(const struct json *owner, const char *member)
{
    return json_bool(json_get(owner, sv_from(member)), true);
}

static bool check_required(const struct json *owner, const char *member, struct sv name,
                           struct err *e)
{
    return json_kind(json_get(owner, sv_from(member))) == JSON_BOOL ||
           err_set(e, ERR_INVALID, "field " SV_FMT ": %s must be true or false",
                   SV_ARG(sv_first(name, 80)), member);
}

/* Nobody can write a value of this type. */
static bool check_unknown(const struct json *type, bool required, struct sv name, struct err *e)
{
    return !required || !sv_eq(json_str(type, (struct sv){0}), SV("unknown")) ||
           err_set(e, ERR_INVALID, "field " SV_FMT " is of type unknown and must not be required",
                   SV_ARG(sv_first(name, 80)));
}

static bool check_defaults(const struct checking *c, const struct json *f, struct sv name,
                           struct err *e)
{
    static const char *const members[] = {"initial-default", "write-default", NULL};

    if (c->format < 3 && json_get(f, SV("initial-default")))
        return err_set(e, ERR_INVALID,
                       "Invalid initial default for " SV_FMT
                       ": non-null default is not supported until v3",
                       SV_ARG(sv_first(name, 80)));
    for (const char *const *m = members; *m; m++) {
        const struct json *value = json_get(f, sv_from(*m));

        if (value && !type_takes(json_get(f, SV("type")), value))
            return err_set(e, ERR_INVALID, "field " SV_FMT ": %s is no value of its type",
                           SV_ARG(sv_first(name, 80)), *m);
    }
    return true;
}

static bool check_doc(const struct json *f, struct sv name, struct err *e)
{
    const struct json *doc = json_get(f, SV("doc"));

    return !doc || json_kind(doc) == JSON_STRING ||
           err_set(e, ERR_INVALID, "field " SV_FMT ": doc must be text",
                   SV_ARG(sv_first(name, 80)));
}

static const char *use_of(const struct checking *c, const struct json *f)
{
    struct sv type = json_get_str(f, SV("type"));
    bool may = !c->shut && is_required(f, "required") && type.n && !sv_eq(type, SV("float")) &&
               !sv_eq(type, SV("double"));

    return may ? identifies : identifies_nothing;
}

static bool check_field(struct checking *c, const struct json *f, struct map *names, struct err *e)
{
    struct sv name = json_get_str(f, SV("name"));
    const struct json *type = json_get(f, SV("type"));
    bool shut = c->shut, ok;

    if (!name.n || map_put(names, name, c))
        return err_set(e, ERR_INVALID, "a field without a name of its own: \"" SV_FMT "\"",
                       SV_ARG(sv_first(name, 80)));
    if (!note_id(c, json_get(f, SV("id")), name, use_of(c, f), e) ||
        !check_required(f, "required", name, e))
        return false;
    c->shut = shut || !is_required(f, "required");
    ok = check_type(c, type, name, e);
    c->shut = shut;
    return ok && check_unknown(type, is_required(f, "required"), name, e) &&
           check_doc(f, name, e) && check_defaults(c, f, name, e);
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
    c->shut = true;
    for (size_t i = 0; i < n; i++) {
        const struct json *below = json_get(type, sv_from(slots[i].type));
        const char *required = slots[i].required;

        if ((required && !check_required(type, required, name, e)) ||
            !note_id(c, json_get(type, sv_from(slots[i].id)), name, identifies_nothing, e) ||
            !check_type(c, below, name, e) ||
            !check_unknown(below, !required || is_required(type, required), name, e))
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
    if (!type_is_primitive(text, &needs))
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

    /* A request need not say that it is one; what we write does. */
    if (json_has(schema, SV("type")) && !sv_eq(json_get_str(schema, SV("type")), SV("struct")))
        return err_set(e, ERR_INVALID, "schema: type must be struct");
    if (!check_fields(c, json_get(schema, SV("fields")), e))
        return err_wrap(e, "schema");
    if (json_has(schema, SV("identifier-field-ids")) && json_kind(identifiers) != JSON_ARRAY)
        return err_set(e, ERR_INVALID, "schema: identifier-field-ids must be a list");
    for (size_t i = 0; i < json_count(identifiers); i++) {
        int64_t id = json_i64(json_at(identifiers, i), -1);
        const char *use = map_get_id(&c->seen, id);

        if (!use)
            return err_set(e, ERR_INVALID, "schema: identifier field %" PRId64 " does not exist",
                           id);
        if (use != identifies)
            return err_set(e, ERR_INVALID,
                           "schema: identifier field %" PRId64
                           " must be required, of a plain type other than float and double, and in "
                           "no list, map or optional struct",
                           id);
    }
    return true;
}

bool schema_check(const struct json *schema, int format, int64_t *max_id, struct err *e)
{
    auto_arena own = {0};
    struct checking c = {.arena = &own, .seen = map_new(&own), .format = format, .least_id = 1};

    if (!check(&c, schema, e))
        return false;
    *max_id = c.max_id;
    return true;
}

bool schema_check_draft(const struct json *schema, int format, struct err *e)
{
    auto_arena own = {0};
    struct checking c = {.arena = &own, .seen = map_new(&own), .format = format};

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
    (void)map_put_id(n->ids, json_i64(json_get(owner, sv_from(id)), -1), fresh);
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

static int64_t new_id(const struct map *ids, int64_t old)
{
    const int64_t *fresh = map_get_id(ids, old);

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
        json_push(fresh, json_new_i64(a, new_id(ids, json_i64(json_at(identifiers, i), 0))));
    if (json_count(identifiers))
        json_set(copy, SV("identifier-field-ids"), fresh);
    *last_id = n.last;
    return copy;
}

void schema_key(const struct json *schema, struct buf *out)
{
    const struct json *identifiers = json_get(schema, SV("identifier-field-ids"));

    json_write_key(out, json_get(schema, SV("fields")));
    if (json_count(identifiers))
        json_write_key(out, identifiers);
}

/* ---- walking ---- */

static bool walk_type(struct schema_walk *w, const struct json *type, struct sv name,
                      struct err *e);

static bool walk_fields(struct schema_walk *w, const struct json *fields, struct err *e)
{
    for (size_t i = 0; i < json_count(fields); i++) {
        const struct json *f = json_at(fields, i), *type = json_get(f, SV("type"));
        struct sv name = json_get_str(f, SV("name"));
        struct schema_field at = {
            json_i64(json_get(f, SV("id")), 0), type, name, w->repeated, f, w->parent};

        w->parent = at.id;
        if (!w->visit(&at, w->context, e) || !walk_type(w, type, name, e))
            return false;
        w->parent = at.parent;
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
        struct schema_field at = {
            json_i64(json_get(type, sv_from(slots[i].id)), 0), below, name, true, NULL, w->parent};

        w->parent = at.id;
        if (!w->visit(&at, w->context, e) || !walk_type(w, below, name, e))
            return false;
        w->parent = at.parent;
    }
    w->repeated = repeated;
    return true;
}

bool schema_each(const struct json *schema, schema_visit_fn *visit, void *context, struct err *e)
{
    struct schema_walk w = {.visit = visit, .context = context};

    return walk_fields(&w, json_get(schema, SV("fields")), e);
}

static bool remember(const struct schema_field *f, void *context, UNUSED struct err *e)
{
    struct map *by_id = context;
    struct schema_field *copy = arena_new(by_id->arena, struct schema_field);

    *copy = *f;
    (void)map_put_id(by_id, f->id, copy);
    return true;
}

struct columns columns_of(const struct json *schema, struct arena *a)
{
    struct columns c = {schema, map_new(a), map_new(a)};
    const struct json *fields = json_get(schema, SV("fields"));
    struct err never = {0};

    (void)!schema_each(schema, remember, &c.by_id, &never);
    for (size_t i = 0; i < json_count(fields); i++)
        (void)map_put(&c.by_name, json_get_str(json_at(fields, i), SV("name")), json_at(fields, i));
    return c;
}
