/* test_commit.c - before, request, and what comes of it. */
#include "unit/iceberg/table.h"

static void a_new_table_counts_its_ids_level_by_level(void)
{
    auto_arena a = {0};
    struct json *m = table(&a),
                *fields = json_get(json_at(json_get(m, SV("schemas")), 0), SV("fields"));

    CHECK_INT(json_i64(json_get(json_at(fields, 0), SV("id")), 0), 1);
    CHECK_INT(json_i64(json_get(json_at(fields, 1), SV("id")), 0), 2);
    CHECK_INT(json_i64(json_get(json_at(fields, 2), SV("id")), 0), 3);
    CHECK_INT(
        json_i64(json_get(json_at(json_path(json_at(fields, 1), SV("type.fields")), 0), SV("id")),
                 0),
        4);
    CHECK_INT(json_i64(json_get(m, SV("last-column-id")), 0), 4);
    CHECK_INT(json_i64(json_get(json_at(json_get(json_at(json_get(m, SV("partition-specs")), 0),
                                                 SV("fields")),
                                        0),
                                SV("source-id")),
                       0),
              3);
    CHECK_INT(json_i64(json_get(m, SV("last-partition-id")), 0), 1000);
    CHECK(!json_has(json_get(m, SV("properties")), SV("format-version")));
}

static void an_append_moves_main_and_the_logs(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    CHECK_INT(
        commit(table(&a),
               "[{\"type\":\"assert-ref-snapshot-id\",\"ref\":\"main\",\"snapshot-id\":null}]",
               "[" SNAPSHOT("9223372036854775807", "1", "") "," MAIN("9223372036854775807") "]", &a,
               &m),
        ERR_NONE);
    CHECK_INT(json_i64(json_get(m, SV("current-snapshot-id")), 0), INT64_MAX);
    CHECK_INT(json_i64(json_get(m, SV("last-sequence-number")), 0), 1);
    CHECK_INT(json_count(json_get(m, SV("snapshot-log"))), 1);
    CHECK_INT(json_count(json_get(m, SV("metadata-log"))), 1);
    CHECK_INT(json_i64(json_get(m, SV("last-updated-ms")), 0), 5000);
}

static void a_requirement_that_fails_is_a_conflict(void)
{
    static const char *const failing[] = {
        "[{\"type\":\"assert-create\"}]",
        "[{\"type\":\"assert-table-uuid\",\"uuid\":\"00000000-0000-0000-0000-000000000000\"}]",
        "[{\"type\":\"assert-ref-snapshot-id\",\"ref\":\"main\",\"snapshot-id\":7}]",
        "[{\"type\":\"assert-last-assigned-field-id\",\"last-assigned-field-id\":9}]",
        "[{\"type\":\"assert-current-schema-id\",\"current-schema-id\":1}]",
        "[{\"type\":\"assert-last-assigned-partition-id\",\"last-assigned-partition-id\":999}]",
        "[{\"type\":\"assert-default-spec-id\",\"default-spec-id\":1}]",
        "[{\"type\":\"assert-default-sort-order-id\",\"default-sort-order-id\":1}]",
    };
    auto_arena a = {0};
    struct json *m;

    for (size_t i = 0; i < sizeof(failing) / sizeof(failing[0]); i++)
        CHECK_INT(commit(table(&a), failing[i], "[]", &a, &m), ERR_CONFLICT);
}

static void what_is_wrong_in_itself_is_invalid(void)
{
    static const char *const wrong[] = {
        "[{\"action\":\"no-such-action\"}]",
        "[{\"action\":\"upgrade-format-version\",\"format-version\":1}]",
        "[{\"action\":\"set-current-schema\",\"schema-id\":9}]",
        "[{\"action\":\"set-current-schema\",\"schema-id\":-1}]",
        "[" MAIN("5") "]",
        "[{\"action\":\"remove-schemas\",\"schema-ids\":[0]}]",
        "[{\"action\":\"remove-partition-specs\",\"spec-ids\":[0]}]",
        "[{\"action\":\"assign-uuid\",\"uuid\":\"00000000-0000-0000-0000-000000000000\"}]",
        "[{\"action\":\"set-properties\",\"updates\":{\"a\":1}}]",
        "[{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"a\",\"type\":\"variant\",\"required\":false}]}}]",
        "[" SNAPSHOT("1", "1", "") "," SNAPSHOT("1", "2", "") "]",
    };
    auto_arena a = {0};
    struct json *m;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CHECK_INT(commit(table(&a), "[]", wrong[i], &a, &m), ERR_INVALID);
    CHECK_INT(commit(table(&a), "[{\"type\":\"assert-something\"}]", "[]", &a, &m), ERR_INVALID);
    CHECK_INT(commit(NULL, "[]", "[]", &a, &m), ERR_NOT_FOUND);
}

static void a_sequence_number_that_was_overtaken_is_a_conflict(void)
{
    auto_arena a = {0};
    struct json *m = NULL, *next = NULL;

    NEED(commit(table(&a), "[]", "[" SNAPSHOT("1", "3", "") "," MAIN("1") "]", &a, &m) == ERR_NONE);
    CHECK_INT(commit(m, "[]", "[" SNAPSHOT("2", "3", ",\"parent-snapshot-id\":1") "]", &a, &next),
              ERR_CONFLICT);
    CHECK_INT(commit(m, "[]", "[" SNAPSHOT("2", "4", ",\"parent-snapshot-id\":1") "]", &a, &next),
              ERR_NONE);
}

static void a_sequence_number_moves_forward_even_without_a_parent(void)
{
    auto_arena a = {0};
    struct json *m = NULL, *next = NULL;

    NEED(commit(table(&a), "[]", "[" SNAPSHOT("1", "3", "") "," MAIN("1") "]", &a, &m) == ERR_NONE);
    CHECK_INT(commit(m, "[]", "[" SNAPSHOT("2", "3", "") "]", &a, &next), ERR_CONFLICT);
    CHECK_INT(commit(m, "[]", "[" SNAPSHOT("2", "2", "") "]", &a, &next), ERR_CONFLICT);
    CHECK_INT(commit(m, "[]", "[" SNAPSHOT("2", "4", "") "]", &a, &next), ERR_NONE);
    CHECK_INT(json_i64(json_get(next, SV("last-sequence-number")), 0), 4);
}

static void a_replacement_may_bear_the_number_of_one_that_was_first(void)
{
    auto_arena a = {0};
    struct json *m = NULL, *next = NULL;

    NEED(commit(table(&a), "[]", "[" SNAPSHOT("1", "3", "") "," MAIN("1") "]", &a, &m) == ERR_NONE);
    CHECK_INT(commit(m, "[]",
                     "[{\"action\":\"remove-snapshot-ref\",\"ref-name\":\"main\"}," SNAPSHOT(
                         "2", "3", "") "," MAIN("2") "]",
                     &a, &next),
              ERR_NONE);
    CHECK_INT(json_i64(json_get(next, SV("last-sequence-number")), 0), 3);
}

static struct json *third_format(struct arena *a)
{
    struct json *m = NULL;

    NEED(commit(table(a), "[]", "[{\"action\":\"upgrade-format-version\",\"format-version\":3}]", a,
                &m) == ERR_NONE);
    return m;
}

static void rows_are_counted_without_overflow(void)
{
    auto_arena a = {0};
    struct json *base = third_format(&a), *m = NULL, *next = NULL;

    NEED(commit(base, "[]", "[" SNAPSHOT("1", "1", ",\"first-row-id\":0,\"added-rows\":100") "]",
                &a, &m) == ERR_NONE);
    CHECK_INT(json_i64(json_get(m, SV("next-row-id")), 0), 100);
    CHECK_INT(commit(m, "[]",
                     "[" SNAPSHOT("2", "2",
                                  ",\"first-row-id\":100,\"added-rows\":9223372036854775708") "]",
                     &a, &next),
              ERR_INVALID);
    CHECK_INT(commit(m, "[]",
                     "[" SNAPSHOT("2", "2",
                                  ",\"first-row-id\":100,\"added-rows\":9223372036854775707") "]",
                     &a, &next),
              ERR_NONE);
    CHECK_INT(json_i64(json_get(next, SV("next-row-id")), 0), INT64_MAX);
    CHECK_INT(commit(m, "[]", "[" SNAPSHOT("2", "2", ",\"first-row-id\":99,\"added-rows\":1") "]",
                     &a, &next),
              ERR_CONFLICT);
}

static void ids_beyond_an_int_are_refused(void)
{
    static const char *const beyond[] = {
        "[{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"field-id\":2147483648,\"name\":\"p\",\"transform\":\"identity\"}]}}]",
        "[{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":2147483648,\"name\":\"a\",\"type\":\"int\",\"required\":false}]}}]",
        "[{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":0,\"name\":\"a\",\"type\":\"int\",\"required\":false}]}}]",
    };
    static const char within[] =
        "[{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"field-id\":2147483647,\"name\":\"p\",\"transform\":\"identity\"}]}}]";
    auto_arena a = {0};
    struct json *m = NULL;

    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
        CHECK_INT(commit(table(&a), "[]", beyond[i], &a, &m), ERR_INVALID);
    CHECK_INT(commit(table(&a), "[]", within, &a, &m), ERR_NONE);
    CHECK_INT(json_i64(json_get(m, SV("last-partition-id")), 0), INT32_MAX);
    CHECK_INT(
        commit(
            m, "[]",
            "[{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":2,\"name\":\"q\",\"transform\":\"void\"}]}}]",
            &a, &m),
        ERR_INVALID);
}

/* A file that somebody else wrote may say any number. */
static void nothing_is_counted_on_past_an_int(void)
{
    static const struct {
        const char *member, *value, *updates;
    } rows[] = {
        {"schemas",
         "[{\"type\":\"struct\",\"schema-id\":0,\"fields\":[]},"
         "{\"type\":\"struct\",\"schema-id\":9223372036854775807,\"fields\":[]}]",              "[{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,"
         "\"name\":\"z\",\"type\":\"int\",\"required\":false}]}}]"                                      },
        {"partition-specs",
         "[{\"spec-id\":0,\"fields\":[]},{\"spec-id\":9223372036854775807,\"fields\":[{}]}]",   "[{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\","
         "\"transform\":\"void\"}]}}]"                                                       },
        {"sort-orders",
         "[{\"order-id\":0,\"fields\":[]},{\"order-id\":9223372036854775807,\"fields\":[{}]}]", "[{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[{\"source-id\":1,"
         "\"transform\":\"void\",\"direction\":\"asc\",\"null-order\":\"nulls-first\"}]}}]"},
        {"last-partition-id", "9223372036854775807",
         "[{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\","
         "\"transform\":\"void\"}]}}]"                                                                                                                                                    },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena a = {0};
        struct json *base = table(&a), *m = NULL;

        json_set(base, sv_from(rows[i].member), json(rows[i].value, &a));
        CHECK_INT(commit(base, "[]", rows[i].updates, &a, &m), ERR_INVALID);
    }
}

static void statistics_are_told_apart_whatever_the_case_of_the_action(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    CHECK_INT(
        commit(
            table(&a), "[]",
            "[" SNAPSHOT(
                "1", "1",
                "") ",{\"action\":\"SET-Partition-Statistics\",\"partition-statistics\":{\"snapshot-id\":1,\"statistics-path\":\"s3://b/t/p\",\"file-size-in-bytes\":1}}]",
            &a, &m),
        ERR_NONE);
    CHECK_INT(json_count(json_get(m, SV("partition-statistics"))), 1);
    CHECK_INT(json_count(json_get(m, SV("statistics"))), 0);
}

static void fields_we_do_not_know_survive(void)
{
    auto_arena a = {0};
    struct json *base = table(&a), *m = NULL;

    json_set(base, SV("from-the-future"), json("{\"n\":9223372036854775806}", &a));
    CHECK_INT(
        commit(base, "[]", "[{\"action\":\"set-properties\",\"updates\":{\"k\":\"v\"}}]", &a, &m),
        ERR_NONE);
    CHECK_SV(json_text(&a, json_get(m, SV("from-the-future"))), SV("{\"n\":9223372036854775806}"));
    CHECK(!json_has(json_get(base, SV("properties")), SV("k")));
}

static void removing_a_snapshot_takes_its_refs_and_history(void)
{
    auto_arena a = {0};
    struct json *m = NULL, *next = NULL;

    NEED(commit(table(&a), "[]", "[" SNAPSHOT("1", "1", "") "," MAIN("1") "]", &a, &m) == ERR_NONE);
    NEED(commit(m, "[]", "[" SNAPSHOT("2", "2", ",\"parent-snapshot-id\":1") "," MAIN("2") "]", &a,
                &next) == ERR_NONE);
    CHECK_INT(
        commit(next, "[]", "[{\"action\":\"remove-snapshots\",\"snapshot-ids\":[1,77]}]", &a, &m),
        ERR_NONE);
    CHECK_INT(json_count(json_get(m, SV("snapshots"))), 1);
    CHECK_INT(json_count(json_get(m, SV("snapshot-log"))), 1);
    CHECK_INT(json_i64(json_path(m, SV("refs.main.snapshot-id")), 0), 2);
}

static void a_staged_table_keeps_the_clients_ids(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    CHECK_INT(
        commit(
            NULL, "[{\"type\":\"assert-create\"}]",
            "[{\"action\":\"assign-uuid\",\"uuid\":\"9c12d441-03fe-4693-9a96-a0705ddf69c1\"},"
            "{\"action\":\"upgrade-format-version\",\"format-version\":2},"
            "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":7,\"name\":\"a\",\"required\":false,\"type\":\"long\"}]}},"
            "{\"action\":\"set-current-schema\",\"schema-id\":-1},{\"action\":\"add-spec\",\"spec\":{\"fields\":[]}},"
            "{\"action\":\"set-default-spec\",\"spec-id\":-1},{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[]}},"
            "{\"action\":\"set-default-sort-order\",\"sort-order-id\":-1},"
            "{\"action\":\"set-location\",\"location\":\"s3://b/t/\"}]",
            &a, &m),
        ERR_NONE);
    CHECK_INT(json_i64(json_get(m, SV("last-column-id")), 0), 7);
    CHECK_SV(json_get_str(m, SV("location")), SV("s3://b/t"));
    CHECK_INT(json_i64(json_get(m, SV("default-sort-order-id")), -1), 0);
}

/* By what else would a table be told from one that bears the name later? */
static void a_new_table_has_a_uuid_in_every_format(void)
{
    for (int format = 1; format <= 3; format++) {
        auto_arena a = {0};
        struct json *m = NULL;

        CHECK_INT(
            commit(NULL, "[{\"type\":\"assert-create\"}]",
                   arena_printf(
                       &a,
                       "[{\"action\":\"upgrade-format-version\",\"format-version\":%d},"
                       "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[]}},"
                       "{\"action\":\"set-current-schema\",\"schema-id\":-1},"
                       "{\"action\":\"add-spec\",\"spec\":{\"fields\":[]}},"
                       "{\"action\":\"set-default-spec\",\"spec-id\":-1},"
                       "{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[]}},"
                       "{\"action\":\"set-default-sort-order\",\"sort-order-id\":-1},"
                       "{\"action\":\"set-location\",\"location\":\"s3://b/t/\"}]",
                       format)
                       .p,
                   &a, &m),
            ERR_INVALID);
    }
}

static void a_metadata_file_is_numbered_after_the_one_before(void)
{
    auto_arena a = {0};
    struct json *m = table(&a);

    CHECK_SV(metadata_file(m, SV(""), SV("u"), &a), SV("s3://b/t/metadata/00000-u.metadata.json"));
    CHECK_SV(metadata_file(m, SV("s3://b/t/metadata/00041-x.metadata.json"), SV("u"), &a),
             SV("s3://b/t/metadata/00042-u.metadata.json"));
    json_set_str(json_get(m, SV("properties")), &a, SV("write.metadata.compression-codec"),
                 SV("GZIP"));
    CHECK_SV(metadata_file(m, SV("s3://b/t/metadata/00041-x.metadata.json"), SV("u"), &a),
             SV("s3://b/t/metadata/00042-u.gz.metadata.json"));
    CHECK_SV(metadata_file(m, SV("s3://b/t/metadata/00041-x.gz.metadata.json"), SV("u"), &a),
             SV("s3://b/t/metadata/00042-u.gz.metadata.json"));
    json_set_str(json_get(m, SV("properties")), &a, SV("write.metadata.compression-codec"),
                 SV("none"));
    CHECK_SV(metadata_file(m, SV("s3://b/odd.json"), SV("u"), &a),
             SV("s3://b/t/metadata/00000-u.metadata.json"));
}

SUITE("iceberg/commit", TEST(a_new_table_counts_its_ids_level_by_level),
      TEST(an_append_moves_main_and_the_logs), TEST(a_requirement_that_fails_is_a_conflict),
      TEST(what_is_wrong_in_itself_is_invalid),
      TEST(a_sequence_number_that_was_overtaken_is_a_conflict),
      TEST(a_sequence_number_moves_forward_even_without_a_parent),
      TEST(a_replacement_may_bear_the_number_of_one_that_was_first),
      TEST(rows_are_counted_without_overflow), TEST(ids_beyond_an_int_are_refused),
      TEST(nothing_is_counted_on_past_an_int), TEST(a_new_table_has_a_uuid_in_every_format),
      TEST(statistics_are_told_apart_whatever_the_case_of_the_action),
      TEST(fields_we_do_not_know_survive), TEST(removing_a_snapshot_takes_its_refs_and_history),
      TEST(a_staged_table_keeps_the_clients_ids),
      TEST(a_metadata_file_is_numbered_after_the_one_before))
