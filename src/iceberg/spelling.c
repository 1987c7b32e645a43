/* spelling.c - what may be spelt in several ways, as the specification spells it. */
#include "iceberg/spelling.h"

#include <inttypes.h>

#include "iceberg/inside.h"
#include "iceberg/schema.h"
#include "iceberg/types.h"

static struct sv lower(struct sv v, struct arena *a)
{
    char *copy = arena_cstr(a, v);

    for (size_t i = 0; i < v.n; i++)
        copy[i] = (char)(copy[i] >= 'A' && copy[i] <= 'Z' ? copy[i] - 'A' + 'a' : copy[i]);
    return sv_of(copy, v.n);
}

/* ---- types ---- */

/* "geography( x , karney )": the parts without what stands around them. */
static struct sv geo_spelt(struct sv type, struct arena *a)
{
    ptrdiff_t open = sv_find(type, '('), close = sv_rfind(type, ')');
    struct sv rest, crs;

    if (open < 0 || close < open)
        return type;
    rest = sv_first(sv_skip(type, (size_t)open + 1), (size_t)(close - open - 1));
    (void)sv_cut(&rest, ',', &crs);
    return arena_printf(a, SV_FMT "(" SV_FMT "%s" SV_FMT ")",
                        SV_ARG(sv_trim(sv_first(type, (size_t)open))), SV_ARG(sv_trim(crs)),
                        rest.n ? ", " : "", SV_ARG(sv_trim(rest)));
}

/* With a blank behind the comma, as Java writes it, or without: every reader takes both. */
static struct sv type_spelt(struct sv type, struct arena *a)
{
    int64_t precision, scale;
    struct sv tight;

    if (type_decimal(type, &precision, &scale)) {
        tight = arena_printf(a, "decimal(%" PRId64 ",%" PRId64 ")", precision, scale);
        return sv_eq(type, tight)
                   ? type
                   : arena_printf(a, "decimal(%" PRId64 ", %" PRId64 ")", precision, scale);
    }
    if (type_fixed(type, &precision))
        return arena_printf(a, "fixed[%" PRId64 "]", precision);
    return sv_starts(type, SV("geo")) ? geo_spelt(type, a) : type;
}

static void spell_type(struct json *owner, const char *member, struct arena *a);

static void spell_fields_of(struct json *type, struct arena *a)
{
    const struct json *fields = json_get(type, SV("fields"));

    for (size_t i = 0; i < json_count(fields); i++)
        spell_type(json_at(fields, i), "type", a);
}

static void spell_type(struct json *owner, const char *member, struct arena *a)
{
    struct json *type = json_get(owner, sv_from(member));
    struct sv text = json_str(type, (struct sv){0}), spelt = type_spelt(text, a);

    if (json_kind(type) == JSON_OBJECT) {
        spell_fields_of(type, a);
        spell_type(type, "element", a);
        spell_type(type, "key", a);
        spell_type(type, "value", a);
    } else if (!sv_eq(text, spelt)) {
        json_set_str(owner, a, sv_from(member), spelt);
    }
}

void schema_spell(struct json *schema, struct arena *a)
{
    spell_fields_of(schema, a);
}

static bool says(struct sv text, struct sv spelt, struct err *e)
{
    return sv_eq(text, spelt) ||
           err_set(e, ERR_INVALID, "\"" SV_FMT "\" must be written \"" SV_FMT "\"",
                   SV_ARG(sv_first(text, 60)), SV_ARG(sv_first(spelt, 60)));
}

static bool field_is_spelt(const struct schema_field *f, UNUSED void *context, struct err *e)
{
    struct sv type = json_str(f->type, (struct sv){0});
    auto_arena own = {0};

    return says(type, type_spelt(type, &own), e) ||
           err_wrap(e, "field " SV_FMT, SV_ARG(sv_first(f->name, 80)));
}

/* A schema of a file says that it is a struct. */
bool schema_is_spelt(const struct json *schema, struct err *e)
{
    return (says(json_get_str(schema, SV("type")), SV("struct"), e) &&
            schema_each(schema, field_is_spelt, NULL, e)) ||
           err_wrap(e, "schema");
}

/* ---- layouts ---- */

/* "BUCKET[04]" */
static struct sv transform_spelt(struct sv text, struct arena *a)
{
    static const char *const known[] = {"identity", "year", "month", "day", "hour", "void", NULL};
    static const char *const wide[] = {"bucket", "truncate", NULL};
    ptrdiff_t at = sv_find(text, '[');
    struct sv name = at < 0 ? text : sv_first(text, (size_t)at), width = sv_skip(text, name.n);
    int64_t n;

    for (const char *const *k = known; *k && !width.n; k++) {
        if (sv_eq_nocase(name, sv_from(*k)))
            return sv_from(*k);
    }
    for (const char *const *k = wide; *k && width.n > 2; k++) {
        if (sv_eq_nocase(name, sv_from(*k)) && sv_ends(width, SV("]")) &&
            sv_i64(sv_first(sv_skip(width, 1), width.n - 2), &n))
            return arena_printf(a, "%s[%" PRId64 "]", *k, n);
    }
    return text;
}

static struct sv spelt_as(const struct json *field, const char *member, struct arena *a)
{
    struct sv text = json_get_str(field, sv_from(member));

    return sv_eq(sv_from(member), SV("transform")) ? transform_spelt(text, a) : lower(text, a);
}

static const char *const spelt_members[] = {"transform", "direction", "null-order", NULL};

void fields_spell(struct json *v, struct arena *a)
{
    const struct json *fields = json_get(v, SV("fields"));

    for (size_t i = 0; i < json_count(fields); i++) {
        for (const char *const *m = spelt_members; *m; m++) {
            struct json *field = json_at(fields, i);

            if (json_kind(json_get(field, sv_from(*m))) == JSON_STRING)
                json_set_str(field, a, sv_from(*m), spelt_as(field, *m, a));
        }
    }
}

bool fields_are_spelt(const struct json *v, struct err *e)
{
    const struct json *fields = json_get(v, SV("fields"));
    auto_arena own = {0};

    for (size_t i = 0; i < json_count(fields); i++) {
        const struct json *field = json_at(fields, i);

        for (const char *const *m = spelt_members; *m; m++) {
            if (!says(json_get_str(field, sv_from(*m)), spelt_as(field, *m, &own), e))
                return err_wrap(e, "fields[%zu]: %s", i, *m);
        }
    }
    return true;
}

/* ---- others ---- */

struct sv property_spelt(struct sv name, struct sv value, struct arena *a)
{
    return sv_eq(name, SV("write.metadata.delete-after-commit.enabled")) ||
                   sv_eq(name, SV("write.metadata.compression-codec"))
               ? lower(value, a)
               : value;
}

struct sv uuid_spelt(struct sv uuid, struct arena *a)
{
    return lower(uuid, a);
}
