/* evolve.c - what a schema may become while there is data that was written before. */
#include <inttypes.h>

#include "iceberg/inside.h"
#include "iceberg/schema.h"
#include "iceberg/types.h"

/* ---- types ---- */

static bool decimal_grows(struct sv from, struct sv to)
{
    int64_t p = 0, s = 0, wider = 0, same = 0;

    return type_decimal(from, &p, &s) && type_decimal(to, &wider, &same) && s == same && p <= wider;
}

/* "struct", "list", "map", or what is written for a primitive type. */
static struct sv kind_of(const struct json *type)
{
    return json_kind(type) == JSON_OBJECT ? json_get_str(type, SV("type"))
                                          : json_str(type, (struct sv){0});
}

static bool is_promotion(const struct json *from_type, const struct json *to_type, int format)
{
    static const struct {
        struct sv from, to;
        int format;
    } promotions[] = {
        {SV_INIT("int"),   SV_INIT("long"),         1},
        {SV_INIT("float"), SV_INIT("double"),       1},
        {SV_INIT("date"),  SV_INIT("timestamp"),    3},
        {SV_INIT("date"),  SV_INIT("timestamp_ns"), 3},
    };
    struct sv from = kind_of(from_type), to = kind_of(to_type);

    if (json_kind(from_type) == json_kind(to_type) && sv_eq(from, to))
        return true;
    if (sv_eq(from, SV("unknown")))
        return true;
    for (size_t i = 0; i < sizeof(promotions) / sizeof(promotions[0]); i++) {
        if (format >= promotions[i].format && sv_eq(from, promotions[i].from) &&
            sv_eq(to, promotions[i].to))
            return true;
    }
    return decimal_grows(from, to);
}

/* ---- a table ---- */

static struct sv id_text(const struct evolution *v, int64_t id)
{
    return arena_printf(v->arena, "%" PRId64, id);
}

static bool learn(const struct schema_field *f, void *context, UNUSED struct err *e)
{
    struct evolution *v = context;
    struct schema_field *known;
    struct sv id = id_text(v, f->id);

    if (map_get(&v->fields, id))
        return true;
    known = arena_new(v->arena, struct schema_field);
    *known = *f;
    (void)map_put(&v->fields, id, known);
    return true;
}

/* Days and the moments they begin at are different values to these two; to the others they are the
 * same day, month and year. */
static bool partitions_by_value(const struct json *metadata, int64_t id)
{
    const struct json *specs = json_get(metadata, SV("partition-specs"));

    for (size_t i = 0; i < json_count(specs); i++) {
        const struct json *fields = json_get(json_at(specs, i), SV("fields"));

        for (size_t j = 0; j < json_count(fields); j++) {
            struct sv transform = json_get_str(json_at(fields, j), SV("transform"));

            if (get_i64(json_at(fields, j), "source-id", 0) == id &&
                (sv_eq_nocase(transform, SV("identity")) ||
                 sv_eq_nocase(sv_first(transform, 6), SV("bucket"))))
                return true;
        }
    }
    return false;
}

struct comparison {
    const struct evolution *with;
    const struct json *metadata;
    int format;
};

/* Files that lack a required field have no value for it, unless the schema says one. A struct that
 * is new itself is absent as a whole. */
static bool check_new(const struct comparison *v, const struct schema_field *f, struct err *e)
{
    bool is_lacked = f->parent == 0 || map_get(&v->with->fields, id_text(v->with, f->parent));

    return !f->field || !is_lacked || !json_bool(json_get(f->field, SV("required")), false) ||
           json_get(f->field, SV("initial-default")) ||
           err_set(e, ERR_INVALID,
                   "Cannot add required column " SV_FMT
                   " without an initial-default: there are rows that lack it",
                   SV_ARG(sv_first(f->name, 80)));
}

static bool keeps_default(const struct schema_field *known, const struct schema_field *f)
{
    return !known->field || !f->field ||
           json_eq(json_get(known->field, SV("initial-default")),
                   json_get(f->field, SV("initial-default")));
}

static bool check_field(const struct schema_field *f, void *context, struct err *e)
{
    const struct comparison *v = context;
    const struct schema_field *known = map_get(&v->with->fields, id_text(v->with, f->id));
    struct sv from, to = kind_of(f->type);

    if (!known)
        return check_new(v, f, e);
    from = kind_of(known->type);
    if (!is_promotion(known->type, f->type, v->format))
        return err_set(
            e, ERR_INVALID, "Cannot change column type: " SV_FMT ": " SV_FMT " -> " SV_FMT,
            SV_ARG(sv_first(f->name, 80)), SV_ARG(sv_first(from, 40)), SV_ARG(sv_first(to, 40)));
    if (!keeps_default(known, f))
        return err_set(e, ERR_INVALID,
                       "Cannot change the initial-default of " SV_FMT
                       ": files that were written before it are read with it",
                       SV_ARG(sv_first(f->name, 80)));
    return !sv_eq(from, SV("date")) || sv_eq(to, SV("date")) ||
           !partitions_by_value(v->metadata, f->id) ||
           err_set(e, ERR_INVALID,
                   "Cannot change column type: " SV_FMT ": date -> " SV_FMT
                   ": the table is partitioned by its value",
                   SV_ARG(sv_first(f->name, 80)), SV_ARG(sv_first(to, 40)));
}

/* A tag is read with its own snapshot's schema, a branch with the table's. */
static bool holds_data(const struct json *metadata)
{
    const struct json *refs = json_get(metadata, SV("refs"));
    struct json *ref;
    struct sv name;

    for (size_t i = 0; json_member(refs, i, &name, &ref); i++) {
        if (!sv_eq(json_get_str(ref, SV("type")), SV("tag")))
            return true;
    }
    return get_i64(metadata, "current-snapshot-id", -1) >= 0;
}

static bool learn_all(struct evolution *v, const struct json *metadata, struct err *e)
{
    const struct json *schemas = json_get(metadata, SV("schemas"));
    const struct json *current =
        find_by_id(schemas, SV("schema-id"), get_i64(metadata, "current-schema-id", -1), NULL);

    v->fields = map_new(v->arena);
    v->known = true;
    if (current && !schema_each(current, learn, v, e))
        return false;
    for (size_t i = json_count(schemas); i-- > 0;) {
        if (!schema_each(json_at(schemas, i), learn, v, e))
            return false;
    }
    return true;
}

bool schema_may_follow(struct evolution *v, const struct json *metadata, const struct json *schema,
                       struct err *e)
{
    struct comparison c = {v, metadata, (int)get_i64(metadata, "format-version", 1)};

    return !holds_data(metadata) ||
           ((v->known || learn_all(v, metadata, e)) && schema_each(schema, check_field, &c, e));
}
