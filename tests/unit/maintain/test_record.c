/* test_record.c - what the audit says of a purge. */
#include "maintain/record.h"
#include "unit/suite.h"

static const struct purge_row row = {
    .table = {SV_INIT("l/c"),
              SV_INIT("sales\x1f"
                      "eu"),
              SV_INIT("t\"1")},
    .row = {.location = SV_INIT("s3://b/t/")},
    .mark = SV_INIT("mark"),
    .principal = SV_INIT("l/etl"),
    .request = SV_INIT("0123456789abcdef"),
    .attempts = 2
};
static const struct purge_done done = {SV_INIT("c"), 1700000000000, 5, 1};

static void the_end_is_told_with_the_request_that_asked_for_it(void)
{
    auto_arena a = {0};

    CHECK_SV(purge_record(&row, &done, NULL, &a),
             SV("{\"time\":\"2023-11-14T22:13:20.000Z\",\"requestId\":\"0123456789abcdef\","
                "\"principal\":\"l/etl\",\"operation\":\"purge-files\",\"catalog\":\"c\","
                "\"namespace\":\"sales.eu\",\"table\":\"t\\\"1\",\"details\":{\"purge\":\"mark\","
                "\"location\":\"s3://b/t/\",\"attempt\":2,\"deleted\":5,\"foreign\":1},"
                "\"result\":\"done\",\"decision\":\"allowed\"}"));
}

static void a_level_with_a_dot_is_not_two(void)
{
    auto_arena a = {0};
    struct purge_row dotted = row;

    dotted.table.ns = SV("sales.eu");
    CHECK(sv_contains(purge_record(&dotted, &done, NULL, &a),
                      SV("\"namespace\":\"\\\"sales.eu\\\"\"")));
}

static void what_is_not_done_has_a_reason(void)
{
    const struct err why = {ERR_INVALID, "a manifest is spoilt"};
    auto_arena a = {0};
    struct sv text = purge_record(&row, &done, &why, &a);

    CHECK(sv_contains(text, SV("\"reason\":\"a manifest is spoilt\"")));
    CHECK(sv_contains(text, SV("\"result\":\"unfinished\"")));
}

SUITE("maintain/record", TEST(the_end_is_told_with_the_request_that_asked_for_it),
      TEST(a_level_with_a_dot_is_not_two), TEST(what_is_not_done_has_a_reason))
