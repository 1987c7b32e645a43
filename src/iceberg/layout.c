/* layout.c - partition specs and sort orders as JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "iceberg/inside.h"
#include "iceberg/members.h"
#include "iceberg/schema.h"
#include "iceberg/spelling.h"

enum { FIRST_FIELD_ID = 1000 };

/* 0, which no column has, for what the draft did not have. */
static int64_t new_id(const struct map *ids, int64_t old)
{
    const int64_t *fresh = map_get_id(ids, old);

    return fresh ? *fresh : 0;
}

static void remap(struct json *field, const struct map *ids, struct arena *a)
{
    const struct json *sources = json_get(field, SV("source-ids"));
    struct json *fresh = json_new_array(a);

    if (json_has(field, SV("source-id")))
        json_set_i64(field, a, SV("source-id"),
                     new_id(ids, json_i64(json_get(field, SV("source-id")), -1)));
    for (size_t i = 0; i < json_count(sources); i++)
        json_push(fresh, json_new_i64(a, new_id(ids, json_i64(json_at(sources, i), -1))));
    if (sources)
        json_set(field, SV("source-ids"), fresh);
}

struct json *fields_remap(const struct json *v, const struct map *ids, struct arena *a)
{
    struct json *copy = json_copy(a, v), *fields = json_get(copy, SV("fields"));

    for (size_t i = 0; i < json_count(fields); i++) {
        struct json *f = json_at(fields, i);

        /* What is no field is refused by spec_check and order_check. */
        if (json_kind(f) == JSON_OBJECT)
            remap(f, ids, a);
    }
    return copy;
}

/* "bucket[16]" is "bucket". */
static struct sv transform_name(const struct json *field)
{
    struct sv transform = json_get_str(field, SV("transform"));
    ptrdiff_t at = sv_find(transform, '[');

    return at < 0 ? transform : sv_first(transform, (size_t)at);
}

static struct sv type_name(struct sv type)
{
    size_t n = 0;

    while (n < type.n && type.p[n] != '(' && type.p[n] != '[' && type.p[n] != ' ')
        n++;
    return sv_first(type, n);
}

#define MOMENTS " timestamp timestamptz timestamp_ns timestamptz_ns "
#define NUMBERS " int long decimal "

static const struct {
    struct sv name;
    struct sv types; /* each between blanks */
} transforms[] = {
    {SV_INIT("identity"),
     SV_INIT(NUMBERS MOMENTS " boolean float double date time string uuid fixed binary unknown ")},
    {SV_INIT("bucket"),   SV_INIT(NUMBERS MOMENTS " date time string uuid fixed binary ")        },
    {SV_INIT("truncate"), SV_INIT(NUMBERS " string binary ")                                     },
    {SV_INIT("year"),     SV_INIT(MOMENTS " date ")                                              },
    {SV_INIT("month"),    SV_INIT(MOMENTS " date ")                                              },
    {SV_INIT("day"),      SV_INIT(MOMENTS " date ")                                              },
    {SV_INIT("hour"),     SV_INIT(MOMENTS)                                                       },
};

static bool takes(struct sv transform, struct sv type)
{
    char word[32];
    int n = snprintf(word, sizeof(word), " " SV_FMT " ", SV_ARG(sv_first(type_name(type), 20)));

    for (size_t i = 0; i < sizeof(transforms) / sizeof(transforms[0]); i++) {
        if (sv_eq_nocase(transforms[i].name, transform))
            return sv_contains(transforms[i].types, sv_of(word, (size_t)n));
    }
    return true;
}

int64_t field_source(const struct json *field)
{
    int64_t source = json_i64(json_get(field, SV("source-id")), 0);

    return source ? source : json_i64(json_at(json_get(field, SV("source-ids")), 0), 0);
}

static bool field_is_bound(const struct json *f, const struct columns *columns, const char *what,
                           struct err *e)
{
    struct sv transform = json_get_str(f, SV("transform")), type;
    const struct schema_field *column;

    if (!transform.n)
        return err_set(e, ERR_INVALID, "%s: a field without a transform", what);
    if (sv_eq_nocase(transform, SV("void")))
        return true;
    column = map_get_id(&columns->by_id, field_source(f));
    if (!column)
        return err_set(e, ERR_INVALID, "%s: Cannot find source column for field %" PRId64, what,
                       field_source(f));
    type = json_str(column->type, (struct sv){0});
    if (!type.n || column->repeated)
        return err_set(e, ERR_INVALID, "%s: " SV_FMT " is not a column of plain values", what,
                       SV_ARG(sv_first(column->name, 80)));
    return takes(transform_name(f), type) ||
           err_set(e, ERR_INVALID, "%s: Invalid source type " SV_FMT " for transform: " SV_FMT,
                   what, SV_ARG(sv_first(type, 40)), SV_ARG(sv_first(transform, 40)));
}

static bool is_bound(const struct json *v, const struct columns *columns, const char *what,
                     struct err *e)
{
    const struct json *fields = json_get(v, SV("fields"));

    if (json_count(fields) > LIMIT_LAYOUT_FIELDS)
        return err_set(e, ERR_INVALID, "%s: more than %d fields", what, LIMIT_LAYOUT_FIELDS);
    for (size_t i = 0; i < json_count(fields); i++) {
        if (!field_is_bound(json_at(fields, i), columns, what, e))
            return false;
    }
    return json_kind(fields) == JSON_ARRAY ||
           err_set(e, ERR_INVALID, "%s: no list of fields", what);
}

bool spec_is_bound(const struct json *spec, const struct columns *columns, struct err *e)
{
    return is_bound(spec, columns, "partition spec", e);
}

/* "bucket[16]" and "truncate[4]" have a width; the others that we know have none. */
static bool check_width(const struct json *field, struct err *e)
{
    struct sv transform = json_get_str(field, SV("transform")), name = transform_name(field),
              width = sv_skip(transform, name.n);
    bool wide = sv_eq_nocase(name, SV("bucket")) || sv_eq_nocase(name, SV("truncate")),
         known = wide || sv_eq_nocase(name, SV("void"));
    int64_t n = 0;

    for (size_t i = 0; !known && i < sizeof(transforms) / sizeof(transforms[0]); i++)
        known = sv_eq_nocase(name, transforms[i].name);
    if (wide && sv_starts(width, SV("[")) && sv_ends(width, SV("]")))
        wide = !sv_i64(sv_first(sv_skip(width, 1), width.n - 2), &n) || n < 1 || n > INT32_MAX;
    else
        wide = wide || (known && width.n);
    return !wide ||
           err_set(e, ERR_INVALID, "Invalid transform: " SV_FMT, SV_ARG(sv_first(transform, 60)));
}

/* Two ways to say which columns: they must not say two things. */
static bool check_sources(const struct json *field, struct err *e)
{
    const struct json *one = json_get(field, SV("source-id")),
                      *all = json_get(field, SV("source-ids"));

    if (!one && !json_count(all))
        return err_set(e, ERR_INVALID, "source-id must be a whole number");
    return !one || !all || (json_count(all) == 1 && json_eq(json_at(all, 0), one)) ||
           err_set(e, ERR_INVALID, "source-id and source-ids name different columns");
}

/* Engines show partitions beside columns. One that is named as the column it comes from is that. */
static bool check_name(const struct json *field, const struct columns *columns, struct err *e)
{
    struct sv name = json_get_str(field, SV("name"));
    const struct json *column = map_get(&columns->by_name, name);

    return !column || json_i64(json_get(column, SV("id")), -1) == field_source(field) ||
           err_set(e, ERR_INVALID,
                   "Cannot create partition from name that exists in schema: " SV_FMT,
                   SV_ARG(sv_first(name, 80)));
}

static bool check_spec_field(const struct json *field, struct map *names, struct map *ids,
                             struct err *e)
{
    static const struct member members[MEMBERS] = {
        {"name",       JSON_STRING, REQUIRED},
        {"transform",  JSON_STRING, REQUIRED},
        {"source-id",  JSON_INT,    OPTIONAL},
        {"source-ids", JSON_ARRAY,  OPTIONAL}
    };
    struct sv name = json_get_str(field, SV("name"));
    const struct json *id = json_get(field, SV("field-id"));
    int64_t n = json_i64(id, -1);

    if (!name.n)
        return err_set(e, ERR_INVALID, "partition spec: a field without a name");
    if (!members_sound(field, members, e) || !check_sources(field, e))
        return err_wrap(e, "partition spec: field " SV_FMT, SV_ARG(sv_first(name, 80)));
    if (map_put(names, name, names))
        return err_set(e, ERR_INVALID, "partition spec: name " SV_FMT " is used twice",
                       SV_ARG(sv_first(name, 80)));
    if (json_has(field, SV("field-id")) && (n < 1 || n > INT32_MAX))
        return err_set(e, ERR_INVALID,
                       "partition spec: field-id of " SV_FMT " must be a number from 1 to %d",
                       SV_ARG(sv_first(name, 80)), INT32_MAX);
    if (id && map_put_id(ids, n, ids))
        return err_set(e, ERR_INVALID, "partition spec: field-id %" PRId64 " is used twice", n);
    return check_width(field, e);
}

bool spec_is_sound(const struct json *spec, bool are_numbered, struct err *e)
{
    const struct json *fields = json_get(spec, SV("fields"));
    auto_arena own = {0};
    struct map names = map_new(&own), ids = map_new(&own);

    for (size_t i = 0; i < json_count(fields); i++) {
        if (!check_spec_field(json_at(fields, i), &names, &ids, e))
            return false;
    }
    if ((are_numbered || ids.n) && ids.n != json_count(fields))
        return err_set(e, ERR_INVALID, "partition spec: %zu of %zu fields have no field-id",
                       json_count(fields) - ids.n, json_count(fields));
    return fields_are_spelt(spec, e) || err_wrap(e, "partition spec");
}

bool spec_check(const struct json *spec, const struct columns *columns, struct err *e)
{
    const struct json *fields = json_get(spec, SV("fields"));

    if (!spec_is_bound(spec, columns, e) || !spec_is_sound(spec, false, e))
        return false;
    for (size_t i = 0; i < json_count(fields); i++) {
        if (!check_name(json_at(fields, i), columns, e))
            return false;
    }
    return true;
}

int64_t spec_last_id(const struct json *spec)
{
    return list_highest(json_get(spec, SV("fields")), "field-id", 0);
}

bool spec_number(const struct json *spec, int format, struct arena *a, int64_t *last_id,
                 struct json **out, struct err *e)
{
    struct json *copy = json_copy(a, spec), *fields = json_get(copy, SV("fields"));
    int64_t last = format == 1 ? FIRST_FIELD_ID - 1 : *last_id;

    for (size_t i = 0; i < json_count(fields); i++) {
        struct json *f = json_at(fields, i);
        int64_t id = json_i64(json_get(f, SV("field-id")), 0);

        if (!id && last < INT32_MAX)
            json_set_i64(f, a, SV("field-id"), id = last + 1);
        if (!id || id > INT32_MAX)
            return err_set(e, ERR_INVALID, "partition spec: there is no field-id left");
        if (format == 1 && id != FIRST_FIELD_ID + (int64_t)i)
            return err_set(e, ERR_INVALID,
                           "Spec does not use sequential IDs that are required in v1");
        if (id > last)
            last = id;
    }
    *last_id = last > *last_id ? last : *last_id;
    *out = copy;
    return true;
}

/* ---- a table's fields so far ---- */

static int64_t id_of(const struct json *field)
{
    return json_i64(json_get(field, SV("field-id")), 0);
}

/* What a field is made of, and how; with an id in front, which field that is. */
static struct sv use_of(const struct json *field, struct sv id, struct arena *a)
{
    int64_t source = field_source(field);

    return ARENA_JOIN(a, id, sv_of((const char *)&source, sizeof(source)),
                      json_get_str(field, SV("transform")));
}

static struct sv own_use(const struct json *field, struct arena *a)
{
    int64_t id = id_of(field);

    return use_of(field, sv_of((const char *)&id, sizeof(id)), a);
}

/* A field that is dropped in format 1 stays, and becomes void. */
static bool is_use(const struct json *field, const struct json *first)
{
    struct sv transform = json_get_str(field, SV("transform"));

    return field_source(field) == field_source(first) &&
           (sv_eq(transform, SV("void")) || sv_eq(transform, json_get_str(first, SV("transform"))));
}

void spec_past_add(struct spec_past *past, const struct json *spec)
{
    const struct json *fields = json_get(spec, SV("fields"));
    auto_arena own = {0};

    for (size_t i = 0; i < json_count(fields); i++) {
        struct json *field = json_at(fields, i), *first = map_get_id(&past->ids, id_of(field));

        if (!first)
            (void)map_put_id(&past->ids, id_of(field), field);
        else if (!is_use(field, first))
            (void)map_put(&past->other, own_use(field, &own), field);
        (void)map_put(&past->uses, use_of(field, (struct sv){0}, &own), field);
    }
}

struct spec_past spec_past_of(const struct json *specs, struct arena *a)
{
    struct spec_past past = {map_new(a), map_new(a), map_new(a), true};

    for (size_t i = 0; i < json_count(specs); i++)
        spec_past_add(&past, json_at(specs, i));
    return past;
}

static bool is_anothers(const struct spec_past *past, const struct json *field, struct arena *a)
{
    const struct json *first = map_get_id(&past->ids, id_of(field));

    return first && !is_use(field, first) && !map_get(&past->other, own_use(field, a));
}

bool spec_continue(const struct spec_past *past, struct json *spec, struct arena *a, struct err *e)
{
    const struct json *fields = json_get(spec, SV("fields"));
    auto_arena own = {0};

    for (size_t i = 0; i < json_count(fields); i++) {
        struct json *field = json_at(fields, i);
        const struct json *before = map_get(&past->uses, use_of(field, (struct sv){0}, &own));

        if (!json_get(field, SV("field-id")) && before)
            json_set_i64(field, a, SV("field-id"), id_of(before));
        else if (json_get(field, SV("field-id")) && is_anothers(past, field, &own))
            return err_set(e, ERR_INVALID,
                           "partition spec: field-id %" PRId64 " is that of another field",
                           id_of(field));
    }
    return true;
}

/* ---- equality ---- */

static void fields_key(const struct json *v, const char *const *names, struct buf *out)
{
    const struct json *fields = json_get(v, SV("fields"));

    for (size_t i = 0; i < json_count(fields); i++) {
        for (const char *const *name = names; *name; name++)
            json_write_key(out, json_get(json_at(fields, i), sv_from(*name)));
    }
}

void spec_key(const struct json *spec, struct buf *out)
{
    static const char *const names[] = {"source-id", "source-ids", "transform", "name", NULL};

    fields_key(spec, names, out);
}

bool order_is_bound(const struct json *order, const struct columns *columns, struct err *e)
{
    return is_bound(order, columns, "sort order", e);
}

static bool is_one_of(const struct json *field, const char *member, struct sv one, struct sv other,
                      struct err *e)
{
    struct sv text = json_get_str(field, sv_from(member));

    return sv_eq(text, one) || sv_eq(text, other) ||
           err_set(e, ERR_INVALID, "sort order: %s must be " SV_FMT " or " SV_FMT, member,
                   SV_ARG(one), SV_ARG(other));
}

bool order_is_sound(const struct json *order, struct err *e)
{
    static const struct member members[MEMBERS] = {
        {"transform",  JSON_STRING, REQUIRED},
        {"source-id",  JSON_INT,    OPTIONAL},
        {"source-ids", JSON_ARRAY,  OPTIONAL}
    };
    const struct json *fields = json_get(order, SV("fields"));

    if (json_count(fields) && json_i64(json_get(order, SV("order-id")), 1) == 0)
        return err_set(e, ERR_INVALID, "Sort order ID 0 is reserved for unsorted order");
    for (size_t i = 0; i < json_count(fields); i++) {
        const struct json *field = json_at(fields, i);

        if (!members_sound(field, members, e) || !check_sources(field, e))
            return err_wrap(e, "sort order: fields[%zu]", i);
        if (!is_one_of(field, "direction", SV("asc"), SV("desc"), e) ||
            !is_one_of(field, "null-order", SV("nulls-first"), SV("nulls-last"), e) ||
            !check_width(field, e))
            return false;
    }
    return fields_are_spelt(order, e) || err_wrap(e, "sort order");
}

bool order_check(const struct json *order, const struct columns *columns, struct err *e)
{
    return order_is_bound(order, columns, e) && order_is_sound(order, e);
}

void order_key(const struct json *order, struct buf *out)
{
    static const char *const names[] = {"source-id", "source-ids", "transform",
                                        "direction", "null-order", NULL};

    fields_key(order, names, out);
}
