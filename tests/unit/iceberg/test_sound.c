/* test_sound.c - what no other reader of the format could read is not written. */
#include <stdio.h>

#include "table.h"

static enum err_code create(const char *members, struct arena *a)
{
    struct create_options o = {SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"), SV("s3://b/t"), 1000};
    struct json *m;
    struct err e = {0};
    char text[1024];

    (void)snprintf(text, sizeof(text), "{\"name\":\"t\",%s}", members);
    return metadata_create(json(text, a), &o, a, &m, &e) ? ERR_NONE : e.code;
}

static enum err_code create_with(const char *type, bool required, bool identifies, struct arena *a)
{
    char text[512];

    (void)snprintf(text, sizeof(text),
                   "\"schema\":{\"type\":\"struct\",\"identifier-field-ids\":[%s],\"fields\":["
                   "{\"id\":1,\"name\":\"c\",\"required\":%s,\"type\":%s}]}",
                   identifies ? "1" : "", required ? "true" : "false", type);
    return create(text, a);
}

static void a_decimal_holds_at_most_38_digits_and_a_fixed_some_bytes(void)
{
    static const char *const good[] = {"\"decimal(38, 10)\"", "\"decimal(1,0)\"", "\"fixed[16]\"",
                                       NULL};
    static const char *const bad[] = {"\"decimal(39, 2)\"", "\"decimal(0, 0)\"",
                                      "\"decimal(9)\"",     "\"decimal(9, x)\"",
                                      "\"decimal(9, -1)\"", "\"fixed[-1]\"",
                                      "\"fixed[]\"",        "\"geometryx\"",
                                      "\"geographyx\"",     NULL};
    auto_arena a = {0};

    for (const char *const *type = good; *type; type++)
        CHECK_INT(create_with(*type, false, false, &a), ERR_NONE);
    for (const char *const *type = bad; *type; type++)
        CHECK_INT(create_with(*type, false, false, &a), ERR_INVALID);
}

static void what_identifies_a_row_is_plain_and_always_there(void)
{
    auto_arena a = {0};

    CHECK_INT(create_with("\"long\"", true, true, &a), ERR_NONE);
    CHECK_INT(create_with("\"long\"", false, true, &a), ERR_INVALID);
    CHECK_INT(create_with("\"double\"", true, true, &a), ERR_INVALID);
    CHECK_INT(create_with("\"float\"", true, true, &a), ERR_INVALID);
    CHECK_INT(create_with("{\"type\":\"list\",\"element-id\":2,\"element\":\"int\","
                          "\"element-required\":true}",
                          true, true, &a),
              ERR_INVALID);
}

static enum err_code create_nested(const char *outer, struct arena *a)
{
    char text[512];

    (void)snprintf(text, sizeof(text),
                   "\"schema\":{\"type\":\"struct\",\"identifier-field-ids\":[2],\"fields\":[%s]}",
                   outer);
    return create(text, a);
}

static void what_identifies_a_row_stands_in_nothing_that_may_be_absent(void)
{
#define INNER "{\"id\":2,\"name\":\"i\",\"required\":true,\"type\":\"int\"}"
    auto_arena a = {0};

    CHECK_INT(create_nested("{\"id\":1,\"name\":\"o\",\"required\":true,\"type\":{\"type\":"
                            "\"struct\",\"fields\":[" INNER "]}}",
                            &a),
              ERR_NONE);
    CHECK_INT(create_nested("{\"id\":1,\"name\":\"o\",\"required\":false,\"type\":{\"type\":"
                            "\"struct\",\"fields\":[" INNER "]}}",
                            &a),
              ERR_INVALID);
    CHECK_INT(
        create_nested("{\"id\":1,\"name\":\"o\",\"required\":true,\"type\":{\"type\":\"list\","
                      "\"element-id\":3,\"element-required\":true,\"element\":{\"type\":"
                      "\"struct\",\"fields\":[" INNER "]}}}",
                      &a),
        ERR_INVALID);
#undef INNER
}

static enum err_code create_laid_out(const char *layout, struct arena *a)
{
    char text[1024];

    (void)snprintf(text, sizeof(text),
                   "\"schema\":{\"type\":\"struct\",\"fields\":["
                   "{\"id\":1,\"name\":\"id\",\"required\":true,\"type\":\"long\"},"
                   "{\"id\":2,\"name\":\"day\",\"required\":false,\"type\":\"date\"}]},%s",
                   layout);
    return create(text, a);
}

#define PART(source, name, transform)                                                              \
    "\"partition-spec\":{\"fields\":[{\"source-id\":" source ",\"field-id\":1000,\"name\":\"" name \
    "\",\"transform\":\"" transform "\"}]}"
#define ORDER(id, more)                 \
    "\"write-order\":{\"order-id\":" id \
    ",\"fields\":[{\"source-id\":1,\"transform\":\"identity\"" more "}]}"

static void a_partition_bears_no_other_columns_name(void)
{
    auto_arena a = {0};

    CHECK_INT(create_laid_out(PART("2", "day", "identity"), &a), ERR_NONE);
    CHECK_INT(create_laid_out(PART("2", "day", "month"), &a), ERR_NONE);
    CHECK_INT(create_laid_out(PART("2", "id", "month"), &a), ERR_INVALID);
}

static void a_bucket_and_a_width_are_at_least_one(void)
{
    auto_arena a = {0};

    CHECK_INT(create_laid_out(PART("1", "b", "bucket[1]"), &a), ERR_NONE);
    CHECK_INT(create_laid_out(PART("1", "b", "bucket[0]"), &a), ERR_INVALID);
    CHECK_INT(create_laid_out(PART("1", "b", "bucket[x]"), &a), ERR_INVALID);
    CHECK_INT(create_laid_out(PART("1", "b", "truncate[0]"), &a), ERR_INVALID);
    CHECK_INT(create_laid_out(PART("1", "b", "truncate[-3]"), &a), ERR_INVALID);
}

static void an_order_says_which_way_and_where_nulls_stand(void)
{
    auto_arena a = {0};

    CHECK_INT(
        create_laid_out(ORDER("1", ",\"direction\":\"asc\",\"null-order\":\"nulls-first\""), &a),
        ERR_NONE);
    CHECK_INT(
        create_laid_out(ORDER("1", ",\"direction\":\"up\",\"null-order\":\"nulls-first\""), &a),
        ERR_INVALID);
    CHECK_INT(create_laid_out(ORDER("1", ",\"null-order\":\"nulls-first\""), &a), ERR_INVALID);
    CHECK_INT(create_laid_out(ORDER("1", ",\"direction\":\"asc\",\"null-order\":\"x\""), &a),
              ERR_INVALID);
    CHECK_INT(
        create_laid_out(ORDER("0", ",\"direction\":\"asc\",\"null-order\":\"nulls-first\""), &a),
        ERR_INVALID);
}

static void a_format_that_is_named_is_a_number(void)
{
    auto_arena a = {0};

    CHECK_INT(create_laid_out("\"properties\":{\"format-version\":\"1\"}", &a), ERR_NONE);
    CHECK_INT(create_laid_out("\"properties\":{\"format-version\":\"\"}", &a), ERR_INVALID);
}

/* ---- commits ---- */

static enum err_code change(struct json *base, const char *update, struct arena *a,
                            struct json **after)
{
    char text[1024];

    (void)snprintf(text, sizeof(text), "[%s]", update);
    return commit(base, "[]", text, a, after);
}

static struct json *of_format(int version, struct arena *a)
{
    struct json *m = table(a);

    json_set_i64(m, a, SV("format-version"), version);
    if (version == 1)
        json_remove(m, SV("last-sequence-number"));
    if (version == 3)
        json_set_i64(m, a, SV("next-row-id"), 0);
    return m;
}

#define BARE(more)                                                                       \
    "{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,\"timestamp-ms\":4000" \
    ",\"summary\":{\"operation\":\"append\"}" more "}}"
#define LIST ",\"manifest-list\":\"s3://b/t/metadata/l.avro\""

static void a_snapshot_names_its_files(void)
{
    auto_arena a = {0};
    struct json *after;

    CHECK_INT(change(of_format(1, &a), BARE(LIST), &a, &after), ERR_NONE);
    CHECK_INT(change(of_format(1, &a), BARE(), &a, &after), ERR_INVALID);
    CHECK_INT(change(of_format(2, &a), BARE(",\"sequence-number\":1"), &a, &after), ERR_INVALID);
}

static void a_snapshot_has_a_number_only_where_there_are_numbers(void)
{
    auto_arena a = {0};
    struct json *after;

    CHECK_INT(change(of_format(1, &a), BARE(LIST ",\"sequence-number\":0"), &a, &after), ERR_NONE);
    CHECK_INT(change(of_format(1, &a), BARE(LIST ",\"sequence-number\":1"), &a, &after),
              ERR_INVALID);
}

static void a_first_row_comes_with_how_many(void)
{
    auto_arena a = {0};
    struct json *after;

    CHECK_INT(change(of_format(2, &a), BARE(LIST ",\"sequence-number\":1,\"first-row-id\":0"), &a,
                     &after),
              ERR_INVALID);
    CHECK_INT(change(of_format(2, &a),
                     BARE(LIST ",\"sequence-number\":1,\"first-row-id\":0,\"added-rows\":1"), &a,
                     &after),
              ERR_NONE);
}

static void a_ref_keeps_at_least_one_snapshot_for_some_time(void)
{
    static const char *const bad[] = {"\"min-snapshots-to-keep\":0", "\"max-snapshot-age-ms\":0",
                                      "\"max-ref-age-ms\":-1", "\"max-ref-age-ms\":\"x\"", NULL};
    auto_arena a = {0};
    struct json *base = NULL, *after;
    char text[512];

    CHECK_INT(change(table(&a), BARE(LIST ",\"sequence-number\":1"), &a, &base), ERR_NONE);
    for (const char *const *b = bad; *b; b++) {
        (void)snprintf(text, sizeof(text),
                       "{\"action\":\"set-snapshot-ref\",\"ref-name\":\"r\",\"type\":\"branch\","
                       "\"snapshot-id\":1,%s}",
                       *b);
        CHECK_INT(change(base, text, &a, &after), ERR_INVALID);
    }
}

static void ids_are_numbers(void)
{
    auto_arena a = {0};
    struct json *after;

    CHECK_INT(
        change(table(&a), "{\"action\":\"remove-snapshots\",\"snapshot-ids\":[\"1\"]}", &a, &after),
        ERR_INVALID);
    CHECK_INT(
        change(table(&a), "{\"action\":\"remove-schemas\",\"schema-ids\":[null]}", &a, &after),
        ERR_INVALID);
    CHECK_INT(change(table(&a), "{\"action\":\"remove-statistics\"}", &a, &after), ERR_INVALID);
    CHECK_INT(change(table(&a), "{\"action\":\"remove-partition-statistics\"}", &a, &after),
              ERR_INVALID);
}

static void statistics_say_how_large_they_are(void)
{
#define STATISTICS "\"snapshot-id\":1,\"statistics-path\":\"s3://b/t/metadata/s\""
    auto_arena a = {0};
    struct json *after;

    CHECK_INT(
        change(
            table(&a),
            BARE(
                LIST
                ",\"sequence-number\":1") ","
                                          "{\"action\":\"set-statistics\",\"statistics\":{" STATISTICS
                                          ",\"file-size-in-bytes\":1,\"file-footer-size-in-bytes\":1,"
                                          "\"blob-metadata\":[]}}",
            &a, &after),
        ERR_NONE);
    CHECK_INT(change(table(&a), "{\"action\":\"set-statistics\",\"statistics\":{" STATISTICS "}}",
                     &a, &after),
              ERR_INVALID);
    CHECK_INT(
        change(table(&a),
               "{\"action\":\"set-partition-statistics\",\"partition-statistics\":{" STATISTICS
               "}}",
               &a, &after),
        ERR_INVALID);
#undef STATISTICS
}

static void a_spec_of_format_1_counts_its_fields_from_1000(void)
{
#define SPEC(id)                                                                         \
    "{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"n\"," id \
    "\"transform\":\"bucket[4]\"}]}}"
    auto_arena a = {0};
    struct json *after = NULL;

    CHECK_INT(change(of_format(1, &a), SPEC("\"field-id\":1001,"), &a, &after), ERR_INVALID);
    CHECK_INT(change(of_format(2, &a), SPEC("\"field-id\":1001,"), &a, &after), ERR_NONE);
    NEED(change(of_format(1, &a), SPEC(), &a, &after) == ERR_NONE);
    CHECK_INT(json_i64(json_get(json_at(json_get(json_at(json_get(after, SV("partition-specs")), 1),
                                                 SV("fields")),
                                        0),
                                SV("field-id")),
                       0),
              1000);
#undef SPEC
}

static void a_table_that_becomes_format_3_has_no_current_snapshot_in_its_words(void)
{
    auto_arena a = {0};
    struct json *after = NULL;

    NEED(change(table(&a), "{\"action\":\"upgrade-format-version\",\"format-version\":3}", &a,
                &after) == ERR_NONE);
    CHECK(json_has(after, SV("current-snapshot-id")));
    CHECK(!json_get(after, SV("current-snapshot-id")));
}

static void the_last_key_that_is_removed_leaves_no_list(void)
{
    auto_arena a = {0};
    struct json *after = NULL;

    NEED(change(table(&a),
                "{\"action\":\"add-encryption-key\",\"encryption-key\":{\"key-id\":\"k\","
                "\"encrypted-key-metadata\":\"AA==\"}},"
                "{\"action\":\"remove-encryption-key\",\"key-id\":\"k\"}",
                &a, &after) == ERR_NONE);
    CHECK(!json_has(after, SV("encryption-keys")));
}

SUITE("iceberg/sound", TEST(a_decimal_holds_at_most_38_digits_and_a_fixed_some_bytes),
      TEST(what_identifies_a_row_is_plain_and_always_there),
      TEST(what_identifies_a_row_stands_in_nothing_that_may_be_absent),
      TEST(a_partition_bears_no_other_columns_name), TEST(a_bucket_and_a_width_are_at_least_one),
      TEST(an_order_says_which_way_and_where_nulls_stand), TEST(a_format_that_is_named_is_a_number),
      TEST(a_snapshot_names_its_files), TEST(a_snapshot_has_a_number_only_where_there_are_numbers),
      TEST(a_first_row_comes_with_how_many), TEST(a_ref_keeps_at_least_one_snapshot_for_some_time),
      TEST(ids_are_numbers), TEST(statistics_say_how_large_they_are),
      TEST(a_spec_of_format_1_counts_its_fields_from_1000),
      TEST(a_table_that_becomes_format_3_has_no_current_snapshot_in_its_words),
      TEST(the_last_key_that_is_removed_leaves_no_list))
