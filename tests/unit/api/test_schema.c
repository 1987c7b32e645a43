/* test_schema.c - the decoders' tables against the schemas in crds/, both ways; the samples against
 * the decoders. */
#include <stdio.h>

#include "api/resource.h"
#include "unit/suite.h"
#include "wire/yaml.h"

static struct sv file(const char *path, struct arena *a)
{
    static char text[1 << 20];
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!f)
        return (struct sv){0};
    n = fread(text, 1, sizeof(text), f);
    (void)fclose(f);
    return arena_dup(a, sv_of(text, n));
}

static struct json *schema_of(enum kind k, struct arena *a)
{
    struct sv path = arena_printf(a, SOURCE_DIR "/crds/polaris.apache.org_" SV_FMT ".yaml",
                                  SV_ARG(kind_plural(k)));
    struct yaml_docs d = {0};
    struct err e = {0};

    NEED_OK(yaml_read(file(path.p, a), a, &d, &e), &e);
    NEED(d.n == 1);
    return json_path(json_at(json_path(d.p[0].root, SV("spec.versions")), 0),
                     SV("schema.openAPIV3Schema.properties.spec"));
}

/* Follows "a.b[].c" through properties and items. */
static struct json *at(struct json *schema, struct sv path)
{
    struct sv name;

    while (schema && sv_cut(&path, '.', &name)) {
        bool item = sv_ends(name, SV("[]"));

        schema =
            json_get(json_get(schema, SV("properties")), sv_first(name, name.n - (item ? 2 : 0)));
        if (item)
            schema = json_get(schema, SV("items"));
    }
    return schema;
}

static struct json *schema;

static void is_in_the_schema(struct sv path, const char *type, UNUSED void *context)
{
    struct json *found = at(schema, path);

    if (!found)
        CHECK_SV(path, SV("(a field of the schema)"));
    else
        CHECK_SV(json_get_str(found, SV("type")), sv_from(type));
}

struct looking {
    struct sv path;
    bool found;
};

static void compare(struct sv path, UNUSED const char *type, void *context)
{
    struct looking *l = context;

    if (sv_eq(path, l->path) || (sv_starts(path, l->path) && path.p[l->path.n] == '.'))
        l->found = true;
}

/* Every property of the schema is a row of the table, or above one. */
static void check_properties(enum kind k, struct json *node, struct sv above, struct arena *a)
{
    struct json *properties = json_get(node, SV("properties")), *value;
    struct sv name;

    for (size_t i = 0; json_member(properties, i, &name, &value); i++) {
        struct looking l = {
            arena_printf(a, SV_FMT "%s" SV_FMT, SV_ARG(above), above.n ? "." : "", SV_ARG(name)),
            false};
        struct json *items = json_get(value, SV("items"));

        resource_fields(k, compare, &l);
        if (!l.found)
            CHECK_SV(l.path, SV("(a row of the decoder)"));
        check_properties(k, value, l.path, a);
        if (items)
            check_properties(k, items, arena_printf(a, SV_FMT "[]", SV_ARG(l.path)), a);
    }
}

static void every_row_is_in_the_schema_and_every_property_in_a_row(void)
{
    auto_arena a = {0};

    for (int k = 0; k < KIND_COUNT; k++) {
        schema = schema_of((enum kind)k, &a);
        resource_fields((enum kind)k, is_in_the_schema, NULL);
        check_properties((enum kind)k, schema, (struct sv){0}, &a);
    }
}

static void every_privilege_is_in_the_schema_and_the_other_way_round(void)
{
    auto_arena a = {0};
    const struct json *list =
        json_get(at(schema_of(KIND_CATALOG_ROLE, &a), SV("grants[].privileges[]")), SV("enum"));

    NEED(json_count(list) == PRIVILEGE_COUNT);
    for (int p = 0; p < PRIVILEGE_COUNT; p++)
        CHECK_SV(json_str(json_at(list, (size_t)p), SV("")), privilege_name((enum privilege)p));
}

static void every_sample_decodes_without_complaint(void)
{
    static const char *const samples[] = {"storage-integration", "catalog",
                                          "principal",           "principal-role",
                                          "catalog-role",        "aws/storage-integration"};
    auto_arena a = {0};

    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        struct sv path = arena_printf(&a, SOURCE_DIR "/config/samples/%s.yaml", samples[i]);
        struct yaml_docs d = {0};
        struct resource *r;
        struct err e = {0};

        NEED_OK(yaml_read(file(path.p, &a), &a, &d, &e), &e);
        NEED(d.n == 1);
        NEED_OK(resource_read(d.p[0].root, &a, &r, &e), &e);
        if (r->complaints.n)
            CHECK_SV(r->complaints.p[0].field, SV("(no complaint)"));
    }
}

/* Whether the schema and all below it say what they are for. */
static void is_described(const struct json *v, struct sv path, struct arena *a)
{
    const struct json *properties = json_get(v, SV("properties"));
    struct json *below;
    struct sv name;

    if (!json_get_str(v, SV("description")).n)
        CHECK_SV(path, SV("(described)"));
    for (size_t i = 0; json_member(properties, i, &name, &below); i++)
        is_described(below, arena_printf(a, SV_FMT "." SV_FMT, SV_ARG(path), SV_ARG(name)), a);
    if (json_get(v, SV("items")))
        is_described(json_get(v, SV("items")), arena_printf(a, SV_FMT "[]", SV_ARG(path)), a);
}

static void kubectl_explain_has_a_word_for_every_field(void)
{
    for (int k = 0; k < KIND_COUNT; k++) {
        auto_arena a = {0};

        is_described(schema_of((enum kind)k, &a), kind_name((enum kind)k), &a);
    }
}

SUITE("api/schema", TEST(every_row_is_in_the_schema_and_every_property_in_a_row),
      TEST(every_privilege_is_in_the_schema_and_the_other_way_round),
      TEST(every_sample_decodes_without_complaint),
      TEST(kubectl_explain_has_a_word_for_every_field))
