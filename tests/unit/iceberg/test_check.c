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

#define SNAP(id, sequence)                                                     \
    "{\"snapshot-id\":" id ",\"timestamp-ms\":1,\"sequence-number\":" sequence \
    ",\"manifest-list\":\"s3://b/t/l\"}"

static void a_table_of_ours_is_sound(void)
{
    CHECK_INT(with("comment", "\"an unknown member\""), ERR_NONE);
}

static void what_a_commit_needs_must_be_there(void)
{
    static const char *const members[] = {
        "table-uuid",      "location",          "schemas",     "current-schema-id",
        "partition-specs", "default-spec-id",   "sort-orders", "default-sort-order-id",
        "last-column-id",  "last-partition-id", NULL};

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

#define SPEC(id, field)                                 \
    "{\"spec-id\":" id ",\"fields\":[{\"source-id\":1," \
    "\"field-id\":" field ",\"name\":\"p\",\"transform\":\"void\"}]}"

/* What is counted on from is a number that can be. */
static void what_has_an_id_has_one_of_its_own_and_within_an_int(void)
{
    CHECK_INT(with("sort-orders", "[{\"order-id\":0,\"fields\":[]}]"), ERR_NONE);
    CHECK_INT(with("sort-orders", "[{\"order-id\":0,\"fields\":[]},{\"fields\":[]}]"), ERR_INVALID);
    CHECK_INT(
        with("sort-orders", "[{\"order-id\":0,\"fields\":[]},{\"order-id\":0,\"fields\":[]}]"),
        ERR_INVALID);
    CHECK_INT(with("sort-orders", "[{\"order-id\":0,\"fields\":[]},{\"order-id\":2147483648,"
                                  "\"fields\":[]}]"),
              ERR_INVALID);
    CHECK_INT(with("partition-specs", "[" SPEC("0", "1000") "," SPEC("2147483647", "1000") "]"),
              ERR_NONE);
    CHECK_INT(with("partition-specs", "[" SPEC("0", "1000") "," SPEC("-1", "1000") "]"),
              ERR_INVALID);
    CHECK_INT(with("partition-specs", "[" SPEC("0", "1001") "]"), ERR_INVALID);
    CHECK_INT(with("schemas", "[{\"type\":\"struct\",\"schema-id\":0,\"fields\":[]},"
                              "{\"type\":\"struct\",\"schema-id\":0,\"fields\":[]}]"),
              ERR_INVALID);
    CHECK_INT(with("last-partition-id", "2147483648"), ERR_INVALID);
}

static void a_ref_is_a_branch_or_a_tag_and_main_a_branch(void)
{
    auto_arena a = {0};
    struct json *m = table(&a);
    struct err e = {0};

    json_set(m, SV("snapshots"), json("[" SNAP("1", "0") "]", &a));
    json_set_i64(m, &a, SV("current-snapshot-id"), 1);
    json_set(m, SV("refs"),
             json("{\"main\":{\"type\":\"branch\",\"snapshot-id\":1},"
                  "\"t\":{\"type\":\"tag\",\"snapshot-id\":1}}",
                  &a));
    CHECK_OK(metadata_check(m, &a, &e), &e);
    json_set(m, SV("refs"), json("{\"main\":{\"type\":\"tag\",\"snapshot-id\":1}}", &a));
    CHECK(!metadata_check(m, &a, &e));
    json_set(m, SV("refs"), json("{\"t\":{\"type\":\"twig\",\"snapshot-id\":1}}", &a));
    CHECK(!metadata_check(m, &a, &e));
}

/* Else later commits would give out the ids of rows that are there. */
static void format_3_says_from_where_rows_are_counted(void)
{
    auto_arena a = {0};
    struct json *m = upgraded(table(&a), "3", &a);
    struct err e = {0};

    CHECK_OK(metadata_check(m, &a, &e), &e);
    json_set_i64(m, &a, SV("next-row-id"), -1);
    CHECK(!metadata_check(m, &a, &e));
    json_remove(m, SV("next-row-id"));
    CHECK(!metadata_check(m, &a, &e));
    CHECK_INT(e.code, ERR_INVALID);
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
      TEST(what_has_an_id_has_one_of_its_own_and_within_an_int),
      TEST(a_ref_is_a_branch_or_a_tag_and_main_a_branch),
      TEST(format_3_says_from_where_rows_are_counted),
      TEST(snapshots_have_ids_lists_and_numbers_of_their_own), TEST(refs_name_snapshots_that_exist),
      TEST(properties_are_limited))
