/* avro_schema.c - the schema of a container, compiled. */
#include "wire/avro_schema.h"

#include "base/limits.h"
#include "base/map.h"
#include "wire/json.h"

struct compiling {
    struct arena *arena;
    const struct avro_ask *ask;
    struct map named; /* types that are complete, by name */
    int types;
    bool *found; /* [ask->n] */
};

typedef bool compile_fn(struct compiling *c, const struct json *v, struct avro_type *t,
                        struct err *e);

static bool compile(struct compiling *c, const struct json *v, bool repeated,
                    const struct avro_type **out, struct err *e);

static const struct avro_type nothing = {.kind = AVRO_NULL};

/* ---- parts ---- */

/* A sum of many may be too large for any file, and is then as good as the largest. */
static size_t plus(size_t x, size_t y)
{
    return x + y < x ? SIZE_MAX : x + y;
}

static bool add_part(struct avro_type *t, struct avro_part part, struct err *e)
{
    t->parts[t->n_parts++] = part;
    if (part.type->depth + 1 > t->depth)
        t->depth = part.type->depth + 1;
    return t->depth <= LIMIT_AVRO_DEPTH ||
           err_set(e, ERR_INVALID, "avro: types within types, more than %d", LIMIT_AVRO_DEPTH);
}

static bool is_plain(const struct avro_type *t)
{
    for (size_t i = 0; t->kind == AVRO_UNION && i < t->n_parts; i++) {
        if (!is_plain(t->parts[i].type))
            return false;
    }
    return t->kind < AVRO_ARRAY || t->kind == AVRO_UNION;
}

static bool find_wanted(struct compiling *c, const struct json *field, struct avro_part *part,
                        struct err *e)
{
    int64_t id = json_i64(json_get(field, SV("field-id")), -1);

    for (size_t i = 0; i < c->ask->n; i++) {
        if (c->ask->members[i].id != id)
            continue;
        if (c->found[i] || !is_plain(part->type))
            return err_set(e, ERR_INVALID, "avro: field-id %d is there twice, or no plain value",
                           c->ask->members[i].id);
        c->found[i] = true;
        part->wanted = (int)i;
    }
    return true;
}

/* ---- kinds ---- */

/* What takes no bytes is no member: a record is walked in as many steps as it has bytes. */
static bool compile_record(struct compiling *c, const struct json *v, bool repeated,
                           struct avro_type *t, struct err *e)
{
    const struct json *fields = json_get(v, SV("fields"));

    if (json_kind(fields) != JSON_ARRAY)
        return err_set(e, ERR_INVALID, "avro: a record without fields");
    t->parts = arena_array(c->arena, struct avro_part, json_count(fields));
    for (size_t i = 0; i < json_count(fields); i++) {
        const struct json *field = json_at(fields, i);
        struct avro_part part = {&nothing, -1};

        if (!compile(c, json_get(field, SV("type")), repeated, &part.type, e) ||
            (!repeated && !find_wanted(c, field, &part, e)))
            return false;
        if (part.type->least && !add_part(t, part, e))
            return false;
        t->least = plus(t->least, part.type->least);
    }
    return true;
}

static bool compile_union(struct compiling *c, const struct json *v, bool repeated,
                          struct avro_type *t, struct err *e)
{
    t->kind = AVRO_UNION;
    t->least = 1;
    t->parts = arena_array(c->arena, struct avro_part, json_count(v));
    for (size_t i = 0; i < json_count(v); i++) {
        struct avro_part part = {&nothing, -1};

        if (!compile(c, json_at(v, i), repeated, &part.type, e) || !add_part(t, part, e))
            return false;
    }
    return true;
}

/* Elements that take no bytes could be as many as anybody likes. */
static bool compile_items(struct compiling *c, const struct json *v, struct avro_type *t,
                          struct err *e)
{
    struct avro_part part = {&nothing, -1};

    t->least = 1;
    t->parts = arena_array(c->arena, struct avro_part, 1);
    if (!compile(c, json_get(v, t->kind == AVRO_MAP ? SV("values") : SV("items")), true, &part.type,
                 e) ||
        !add_part(t, part, e))
        return false;
    return t->kind == AVRO_MAP || part.type->least ||
           err_set(e, ERR_INVALID, "avro: a list of what takes no bytes");
}

static bool compile_fixed(const struct json *v, struct avro_type *t, struct err *e)
{
    int64_t size = json_i64(json_get(v, SV("size")), -1);

    if (size < 0 || size > LIMIT_AVRO_BLOCK_BYTES)
        return err_set(e, ERR_INVALID, "avro: a fixed of %lld bytes", (long long)size);
    t->size = t->least = (size_t)size;
    return true;
}

/* ---- names ---- */

static const struct {
    struct sv name;
    struct avro_type type;
} plain[] = {
    {SV_INIT("null"),    {.kind = AVRO_NULL}                        },
    {SV_INIT("boolean"), {.kind = AVRO_BOOLEAN, .least = 1}         },
    {SV_INIT("int"),     {.kind = AVRO_LONG, .least = 1}            },
    {SV_INIT("long"),    {.kind = AVRO_LONG, .least = 1}            },
    {SV_INIT("float"),   {.kind = AVRO_FIXED, .size = 4, .least = 4}},
    {SV_INIT("double"),  {.kind = AVRO_FIXED, .size = 8, .least = 8}},
    {SV_INIT("bytes"),   {.kind = AVRO_BYTES, .least = 1}           },
    {SV_INIT("string"),  {.kind = AVRO_BYTES, .least = 1}           },
};

static struct sv last_part(struct sv name)
{
    return sv_skip(name, (size_t)(sv_rfind(name, '.') + 1));
}

/* A name is known when its type is complete: none can stand within itself. */
static bool find_named(const struct compiling *c, struct sv name, const struct avro_type **out,
                       struct err *e)
{
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        if (sv_eq(plain[i].name, name)) {
            *out = &plain[i].type;
            return true;
        }
    }
    *out = map_get(&c->named, last_part(name));
    return *out || err_set(e, ERR_INVALID, "avro: type \"" SV_FMT "\" is not known here",
                           SV_ARG(sv_first(name, 60)));
}

static bool compile_complex(struct compiling *c, const struct json *v, bool repeated,
                            struct avro_type *t, struct err *e)
{
    struct sv type = json_get_str(v, SV("type"));

    if (sv_eq(type, SV("record"))) {
        t->kind = AVRO_RECORD;
        return compile_record(c, v, repeated, t, e);
    }
    if (sv_eq(type, SV("array")) || sv_eq(type, SV("map"))) {
        t->kind = sv_eq(type, SV("map")) ? AVRO_MAP : AVRO_ARRAY;
        return compile_items(c, v, t, e);
    }
    if (sv_eq(type, SV("fixed"))) {
        t->kind = AVRO_FIXED;
        return compile_fixed(v, t, e);
    }
    if (!sv_eq(type, SV("enum")))
        return err_set(e, ERR_INVALID, "avro: type \"" SV_FMT "\" is not known here",
                       SV_ARG(sv_first(type, 60)));
    t->kind = AVRO_ENUM;
    t->least = 1;
    t->size = json_count(json_get(v, SV("symbols")));
    return true;
}

static bool is_complex(struct sv type)
{
    static const struct sv kinds[] = {SV_INIT("record"), SV_INIT("array"), SV_INIT("map"),
                                      SV_INIT("fixed"), SV_INIT("enum")};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (sv_eq(kinds[i], type))
            return true;
    }
    return false;
}

/* A name of a type, a list of branches, or an object; {"type": X} with other members is X. */
static bool compile(struct compiling *c, const struct json *v, bool repeated,
                    const struct avro_type **out, struct err *e)
{
    struct avro_type *t;
    struct sv name;

    while (json_kind(v) == JSON_OBJECT && !is_complex(json_get_str(v, SV("type"))))
        v = json_get(v, SV("type"));
    if (json_kind(v) == JSON_STRING)
        return find_named(c, json_str(v, (struct sv){0}), out, e);
    if (++c->types > LIMIT_AVRO_TYPES)
        return err_set(e, ERR_INVALID, "avro: more than %d types", LIMIT_AVRO_TYPES);
    t = arena_new(c->arena, struct avro_type);
    *out = t;
    if (json_kind(v) == JSON_ARRAY)
        return compile_union(c, v, repeated, t, e);
    if (json_kind(v) != JSON_OBJECT)
        return err_set(e, ERR_INVALID, "avro: a type that is none");
    if (!compile_complex(c, v, repeated, t, e))
        return false;
    name = json_get_str(v, SV("name"));
    return !name.n || !map_put(&c->named, last_part(name), t) ||
           err_set(e, ERR_INVALID, "avro: two types are called " SV_FMT,
                   SV_ARG(sv_first(name, 60)));
}

bool avro_schema_read(struct sv text, const struct avro_ask *ask, struct arena *a,
                      const struct avro_type **out, struct err *e)
{
    struct compiling c = {
        .arena = a, .ask = ask, .named = map_new(a), .found = arena_array(a, bool, ask->n + 1)};
    struct json *v;

    if (text.n > LIMIT_AVRO_SCHEMA_BYTES)
        return err_set(e, ERR_INVALID, "avro: a schema of %zu bytes, at most %d", text.n,
                       LIMIT_AVRO_SCHEMA_BYTES);
    if (!json_read(text, a, &v, e))
        return err_wrap(e, "avro: schema");
    if (!compile(&c, v, false, out, e))
        return false;
    return ((*out)->kind == AVRO_RECORD && (*out)->least) ||
           err_set(e, ERR_INVALID, "avro: its records are none, or empty");
}
