/* evolve.c - what a schema may become while there is data that was written before. */
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

/* ---- what there was ---- */

static bool learn(const struct schema_field *f, void *context, UNUSED struct err *e)
{
    struct map *fields = context;
    struct schema_field *known;

    if (map_get_id(fields, f->id))
        return true;
    known = arena_new(fields->arena, struct schema_field);
    *known = *f;
    (void)map_put_id(fields, f->id, known);
    return true;
}

/* The current schema counts, then the newest. */
static bool learn_all(struct changing *c, struct err *e)
{
    const struct json *schemas = list_json(c, LIST_SCHEMAS),
                      *current = list_get(c, LIST_SCHEMAS, get_i64(c->m, "current-schema-id", -1));
    struct evolution *v = &c->evolution;

    if (v->knows_fields)
        return true;
    v->fields = map_new(c->memory);
    v->knows_fields = true;
    if (current && !schema_each(current, learn, &v->fields, e))
        return false;
    for (size_t i = json_count(schemas); i-- > 0;) {
        if (!schema_each(json_at(schemas, i), learn, &v->fields, e))
            return false;
    }
    return true;
}

/* ---- columns that specs take by value ---- */

static void note_by_value(struct evolution *v, const struct json *spec)
{
    const struct json *fields = json_get(spec, SV("fields"));

    for (size_t i = 0; i < json_count(fields); i++) {
        struct sv transform = json_get_str(json_at(fields, i), SV("transform"));

        if (sv_eq_nocase(transform, SV("identity")) ||
            sv_eq_nocase(sv_first(transform, 6), SV("bucket")))
            (void)map_put_id(&v->by_value, field_source(json_at(fields, i)), v);
    }
}

void evolution_add_spec(struct changing *c, const struct json *spec)
{
    if (c->evolution.knows_specs)
        note_by_value(&c->evolution, spec);
}

/* Days and the moments they begin at are different values to identity and bucket; to the others
 * they are the same day, month and year. */
static bool partitions_by_value(struct changing *c, int64_t id)
{
    const struct json *specs = list_json(c, LIST_SPECS);
    struct evolution *v = &c->evolution;

    if (!v->knows_specs) {
        v->by_value = map_new(c->memory);
        for (size_t i = 0; i < json_count(specs); i++)
            note_by_value(v, json_at(specs, i));
    }
    v->knows_specs = true;
    return map_get_id(&v->by_value, id) != NULL;
}

/* ---- a schema ---- */

/* Files that lack a required field have no value for it, unless the schema says one. A struct that
 * is new itself is absent as a whole. */
static bool check_new(const struct changing *c, const struct schema_field *f, struct err *e)
{
    bool is_lacked = f->parent == 0 || map_get_id(&c->evolution.fields, f->parent);

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
    struct changing *c = context;
    const struct schema_field *known = map_get_id(&c->evolution.fields, f->id);
    struct sv from, to = kind_of(f->type);

    if (!known)
        return check_new(c, f, e);
    from = kind_of(known->type);
    if (!is_promotion(known->type, f->type, c->evolution.format))
        return err_set(
            e, ERR_INVALID, "Cannot change column type: " SV_FMT ": " SV_FMT " -> " SV_FMT,
            SV_ARG(sv_first(f->name, 80)), SV_ARG(sv_first(from, 40)), SV_ARG(sv_first(to, 40)));
    if (!keeps_default(known, f))
        return err_set(e, ERR_INVALID,
                       "Cannot change the initial-default of " SV_FMT
                       ": files that were written before it are read with it",
                       SV_ARG(sv_first(f->name, 80)));
    return !sv_eq(from, SV("date")) || sv_eq(to, SV("date")) || !partitions_by_value(c, f->id) ||
           err_set(e, ERR_INVALID,
                   "Cannot change column type: " SV_FMT ": date -> " SV_FMT
                   ": the table is partitioned by its value",
                   SV_ARG(sv_first(f->name, 80)), SV_ARG(sv_first(to, 40)));
}

/* ---- data ---- */

static bool is_branch(const struct json *ref)
{
    return ref && !sv_eq(json_get_str(ref, SV("type")), SV("tag"));
}

void evolution_add_branch(struct changing *c, struct sv name)
{
    if (c->evolution.knows_branches)
        vec_push(&c->evolution.branches, c->memory, arena_dup(c->memory, name));
}

static void learn_branches(struct changing *c)
{
    const struct json *refs = json_get(c->m, SV("refs"));
    struct json *ref;
    struct sv name;

    if (c->evolution.knows_branches)
        return;
    c->evolution.knows_branches = true;
    for (size_t i = 0; json_member(refs, i, &name, &ref); i++) {
        if (is_branch(ref))
            evolution_add_branch(c, name);
    }
}

/* A tag is read with its own snapshot's schema, a branch with the table's. One that is passed over
 * here is gone, and comes again only behind the others. */
static bool holds_data(struct changing *c)
{
    struct evolution *v = &c->evolution;
    int64_t current = get_i64(c->m, "current-snapshot-id", -1);

    learn_branches(c);
    while (v->first_branch < v->branches.n &&
           !is_branch(ref_named(c, v->branches.p[v->first_branch])))
        v->first_branch++;
    return v->first_branch < v->branches.n ||
           (current >= 0 && !map_get_id(&c->gone_snapshots, current));
}

bool schema_may_follow(struct changing *c, const struct json *schema, struct err *e)
{
    c->evolution.format = (int)get_i64(c->m, "format-version", 1);
    return !holds_data(c) || (learn_all(c, e) && schema_each(schema, check_field, c, e));
}
