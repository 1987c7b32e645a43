/* layout.c - partition specs and sort orders as JSON. */
#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"
#include "iceberg/schema.h"

enum { FIRST_PARTITION_ID = 1000 };

/* 0, which no column has, for what the draft did not have. */
static int64_t new_id(const struct map *ids, struct arena *a, int64_t old)
{
    const int64_t *fresh = map_get(ids, arena_printf(a, "%" PRId64, old));

    return fresh ? *fresh : 0;
}

static void remap(struct json *field, const struct map *ids, struct arena *a)
{
    const struct json *sources = json_get(field, SV("source-ids"));
    struct json *fresh = json_new_array(a);

    if (json_has(field, SV("source-id")))
        json_set_i64(field, a, SV("source-id"),
                     new_id(ids, a, json_i64(json_get(field, SV("source-id")), -1)));
    for (size_t i = 0; i < json_count(sources); i++)
        json_push(fresh, json_new_i64(a, new_id(ids, a, json_i64(json_at(sources, i), -1))));
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

/* "bucket[16]", "truncate[4]": what stands between the brackets is a number from 1. */
static bool has_width(struct sv transform)
{
    ptrdiff_t at = sv_find(transform, '[');
    int64_t n;

    return at < 0 ||
           (sv_ends(transform, SV("]")) &&
            sv_i64(sv_skip(sv_first(transform, transform.n - 1), (size_t)at + 1), &n) && n > 0);
}

static int64_t source_of(const struct json *field)
{
    int64_t source = json_i64(json_get(field, SV("source-id")), 0);

    return source ? source : json_i64(json_at(json_get(field, SV("source-ids")), 0), 0);
}

static bool field_is_bound(const struct json *f, const struct json *schema, const char *what,
                           struct err *e)
{
    struct sv transform = json_get_str(f, SV("transform")), type;
    struct schema_field column;

    if (!transform.n)
        return err_set(e, ERR_INVALID, "%s: a field without a transform", what);
    if (sv_eq_nocase(transform, SV("void")))
        return true;
    if (!schema_find(schema, source_of(f), &column))
        return err_set(e, ERR_INVALID, "%s: Cannot find source column for field %" PRId64, what,
                       source_of(f));
    type = json_str(column.type, (struct sv){0});
    if (!type.n || column.repeated)
        return err_set(e, ERR_INVALID, "%s: " SV_FMT " is not a column of plain values", what,
                       SV_ARG(sv_first(column.name, 80)));
    return takes(transform_name(f), type) ||
           err_set(e, ERR_INVALID, "%s: Invalid source type " SV_FMT " for transform: " SV_FMT,
                   what, SV_ARG(sv_first(type, 40)), SV_ARG(sv_first(transform, 40)));
}

static bool is_bound(const struct json *v, const struct json *schema, const char *what,
                     struct err *e)
{
    const struct json *fields = json_get(v, SV("fields"));

    if (json_count(fields) > LIMIT_LAYOUT_FIELDS)
        return err_set(e, ERR_INVALID, "%s: more than %d fields", what, LIMIT_LAYOUT_FIELDS);
    for (size_t i = 0; i < json_count(fields); i++) {
        if (!field_is_bound(json_at(fields, i), schema, what, e))
            return false;
    }
    return json_kind(fields) == JSON_ARRAY ||
           err_set(e, ERR_INVALID, "%s: no list of fields", what);
}

bool spec_is_bound(const struct json *spec, const struct json *schema, struct err *e)
{
    return is_bound(spec, schema, "partition spec", e);
}

static bool widths_are_sound(const struct json *fields, const char *what, struct err *e)
{
    for (size_t i = 0; i < json_count(fields); i++) {
        struct sv transform = json_get_str(json_at(fields, i), SV("transform"));

        if (!has_width(transform))
            return err_set(e, ERR_INVALID, "%s: " SV_FMT ": a number from 1 is required", what,
                           SV_ARG(sv_first(transform, 40)));
    }
    return true;
}

/* Engines show partitions beside columns. One that is named as the column it comes from is that. */
static bool name_is_columns(const struct json *schema, const struct json *field)
{
    const struct json *columns = json_get(schema, SV("fields"));

    for (size_t i = 0; i < json_count(columns); i++) {
        const struct json *c = json_at(columns, i);

        if (sv_eq(json_get_str(c, SV("name")), json_get_str(field, SV("name"))))
            return json_i64(json_get(c, SV("id")), -1) != source_of(field);
    }
    return false;
}

bool spec_check(const struct json *spec, const struct json *schema, struct err *e)
{
    const struct json *fields = json_get(spec, SV("fields"));

    if (!spec_is_bound(spec, schema, e) || !widths_are_sound(fields, "partition spec", e))
        return false;
    for (size_t i = 0; i < json_count(fields); i++) {
        struct sv name = json_get_str(json_at(fields, i), SV("name"));

        if (name_is_columns(schema, json_at(fields, i)))
            return err_set(e, ERR_INVALID,
                           "partition spec: Cannot create partition from name that exists in "
                           "schema: " SV_FMT,
                           SV_ARG(sv_first(name, 80)));
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

bool spec_number(const struct json *spec, int format, struct arena *a, int64_t *last_id,
                 struct json **out, struct err *e)
{
    struct json *copy = json_copy(a, spec), *fields = json_get(copy, SV("fields"));
    int64_t last = format == 1 ? FIRST_PARTITION_ID - 1 : *last_id;

    for (size_t i = 0; i < json_count(fields); i++) {
        struct json *f = json_at(fields, i);
        int64_t id = json_i64(json_get(f, SV("field-id")), 0);

        if (!id)
            json_set_i64(f, a, SV("field-id"), id = last + 1);
        if (id > INT32_MAX)
            return err_set(e, ERR_INVALID, "partition spec: there is no field-id left");
        if (format == 1 && id != FIRST_PARTITION_ID + (int64_t)i)
            return err_set(e, ERR_INVALID,
                           "Spec does not use sequential IDs that are required in v1");
        if (id > last)
            last = id;
    }
    *last_id = last > *last_id ? last : *last_id;
    *out = copy;
    return true;
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

bool order_is_bound(const struct json *order, const struct json *schema, struct err *e)
{
    return is_bound(order, schema, "sort order", e);
}

static bool is_one_of(const struct json *field, const char *member, struct sv one, struct sv other)
{
    struct sv v = json_get_str(field, sv_from(member));

    return sv_eq_nocase(v, one) || sv_eq_nocase(v, other);
}

bool order_check(const struct json *order, const struct json *schema, struct err *e)
{
    const struct json *fields = json_get(order, SV("fields"));

    if (!order_is_bound(order, schema, e) || !widths_are_sound(fields, "sort order", e))
        return false;
    if (json_count(fields) && json_i64(json_get(order, SV("order-id")), 1) == 0)
        return err_set(e, ERR_INVALID, "Sort order ID 0 is reserved for unsorted order");
    for (size_t i = 0; i < json_count(fields); i++) {
        if (!is_one_of(json_at(fields, i), "direction", SV("asc"), SV("desc")))
            return err_set(e, ERR_INVALID, "sort order: direction must be asc or desc");
        if (!is_one_of(json_at(fields, i), "null-order", SV("nulls-first"), SV("nulls-last")))
            return err_set(e, ERR_INVALID,
                           "sort order: null-order must be nulls-first or nulls-last");
    }
    return true;
}

bool order_same(const struct json *x, const struct json *y)
{
    static const char *const names[] = {"source-id", "transform", "direction", "null-order", NULL};

    return fields_same(x, y, names);
}
