/* test_check.c - metadata files that somebody else wrote. */
#include "unit/iceberg/table.h"

/* The outcome for the table with one member replaced; an empty text takes it away. */
static enum err_code with(const char *member, const char *value)
{
    auto_arena a = {0};
    struct json *m = table(&a);
    struct err e = {0};

    if (*value)
        json_set(m, sv_from(member), json(value, &a));
    else
        json_remove(m, sv_from(member));
    return metadata_check(m, &a, &e) ? ERR_NONE : e.code;
}

#define SNAP(id, sequence) \
    "{\"snapshot-id\":" id ",\"sequence-number\":" sequence ",\"manifest-list\":\"s3://b/t/l\"}"

static void a_table_of_ours_is_sound(void)
{
    CHECK_INT(with("comment", "\"an unknown member\""), ERR_NONE);
}

static void what_a_commit_needs_must_be_there(void)
{
    static const char *const members[] = {"table-uuid",      "location",
                                          "schemas",         "current-schema-id",
                                          "partition-specs", "default-spec-id",
                                          "sort-orders",     "default-sort-order-id",
                                          "last-column-id",  NULL};

    for (const char *const *m = members; *m; m++)
        CHECK_INT(with(*m, ""), ERR_INVALID);
    CHECK_INT(with("table-uuid", "\"short\""), ERR_INVALID);
    CHECK_INT(with("current-schema-id", "7"), ERR_INVALID);
    CHECK_INT(with("last-column-id", "2"), ERR_INVALID);
}

static void a_layout_must_stand_on_the_current_schema(void)
{
    CHECK_INT(with("partition-specs", "[{\"spec-id\":0,\"fields\":[{\"source-id\":99,"
                                      "\"field-id\":1000,\"name\":\"x\",\"transform\":\"day\"}]}]"),
              ERR_INVALID);
    CHECK_INT(with("sort-orders", "[{\"order-id\":0,\"fields\":[{\"source-id\":99,"
                                  "\"transform\":\"identity\",\"direction\":\"asc\","
                                  "\"null-order\":\"nulls-first\"}]}]"),
              ERR_INVALID);
}

static void snapshots_have_ids_lists_and_numbers_of_their_own(void)
{
    CHECK_INT(with("snapshots", "[" SNAP("1", "0") "]"), ERR_NONE);
    CHECK_INT(with("snapshots", "[" SNAP("1", "0") "," SNAP("1", "0") "]"), ERR_INVALID);
    CHECK_INT(with("snapshots", "[" SNAP("1", "5") "]"), ERR_INVALID);
    CHECK_INT(with("snapshots", "[" SNAP("-1", "0") "]"), ERR_INVALID);
    CHECK_INT(with("snapshots", "[{\"snapshot-id\":1,\"manifests\":[\"s3://b/other/m\"]}]"),
              ERR_INVALID);
}

static void refs_name_snapshots_that_exist(void)
{
    CHECK_INT(with("refs", "{\"tag\":{\"type\":\"tag\",\"snapshot-id\":3}}"), ERR_INVALID);
    CHECK_INT(with("current-snapshot-id", "3"), ERR_INVALID);
    CHECK_INT(with("current-snapshot-id", "null"), ERR_NONE);
    CHECK_INT(with("refs", "{\"main\":{\"type\":\"branch\",\"snapshot-id\":3}}"), ERR_INVALID);
}

static void properties_are_limited(void)
{
    auto_arena a = {0};
    struct json *m = table(&a), *properties = json_new_object(&a);
    struct err e = {0};

    for (int i = 0; i < 1000; i++)
        json_set_str(properties, &a, arena_printf(&a, "p%d", i), SV("v"));
    json_set(m, SV("properties"), properties);
    CHECK_OK(metadata_check(m, &a, &e), &e);
    json_set_str(properties, &a, SV("one-more"), SV("v"));
    CHECK(!metadata_check(m, &a, &e));
    CHECK_INT(e.code, ERR_INVALID);
}

SUITE("iceberg/check", TEST(a_table_of_ours_is_sound), TEST(what_a_commit_needs_must_be_there),
      TEST(a_layout_must_stand_on_the_current_schema),
      TEST(snapshots_have_ids_lists_and_numbers_of_their_own), TEST(refs_name_snapshots_that_exist),
      TEST(properties_are_limited))
