/* test_file_storage.c - storageType file: only below the folder that was opened, or nowhere. */
#include "policy/rulebook.h"
#include "unit/suite.h"
#include "wire/yaml.h"

#define FILES(spec)                                                 \
    "apiVersion: polaris.apache.org/v1\nkind: StorageIntegration\n" \
    "metadata: {name: s, namespace: l}\nspec: {storageType: file, bucket: lake" spec "}\n"

/* What is complained about one integration: "field: text", or empty. */
static struct sv complaint(const char *text, const char *opened, struct arena *a)
{
    struct yaml_docs d = {0};
    struct policy_input in = {.n_resources = 1, .file_storage = sv_from(opened)};
    struct compile_result result;
    struct resource *r;
    const struct complaint *first;
    struct err e = {0};

    NEED_OK(yaml_read(sv_from(text), a, &d, &e), &e);
    NEED_OK(resource_read(d.p[0].root, a, &r, &e), &e);
    in.resources = (const struct resource *const *)&r;
    policy_compile(&in, a, &result);
    (void)rulebook_unref(result.rulebook);
    first = result.complaints[0].p;
    return result.complaints[0].n
               ? arena_printf(a, SV_FMT ": " SV_FMT, SV_ARG(first->field), SV_ARG(first->text))
               : (struct sv){0};
}

static void a_folder_is_refused_unless_one_was_opened(void)
{
    auto_arena a = {0};

    CHECK_SV(complaint(FILES(""), "/srv", &a), SV(""));
    CHECK(sv_contains(complaint(FILES(""), "", &a), SV("--file-storage")));
}

static void a_location_outside_the_opened_folder_is_refused(void)
{
    auto_arena a = {0};

    CHECK_SV(complaint(FILES(", allowedLocations: ['file:/srv/lake/a']"), "/srv/", &a), SV(""));
    CHECK_SV(complaint(FILES(", allowedLocations: ['file:/srv/lakes']"), "/srv", &a),
             SV("spec.allowedLocations[0]: does not lie below file:/srv/lake/"));
    CHECK(sv_starts(complaint(FILES(", allowedLocations: ['file:/srv/lake/../x']"), "/srv", &a),
                    SV("spec.allowedLocations[0]")));
    CHECK(sv_starts(complaint(FILES(", allowedLocations: ['s3://lake/']"), "/srv", &a),
                    SV("spec.allowedLocations[0]")));
}

static void what_only_a_store_has_is_refused(void)
{
    auto_arena a = {0};

    CHECK_SV(complaint(FILES(", endpoint: 'http://rgw'"), "/srv", &a),
             SV("spec.endpoint: has no meaning for storageType file; take it out"));
    CHECK_SV(complaint(FILES(", credentialsSecretRef: {name: k}"), "/srv", &a),
             SV("spec.credentialsSecretRef: has no meaning for storageType file; take it out"));
}

SUITE("policy/file_storage", TEST(a_folder_is_refused_unless_one_was_opened),
      TEST(a_location_outside_the_opened_folder_is_refused), TEST(what_only_a_store_has_is_refused))
