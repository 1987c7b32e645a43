/* test_metadata.c - metadata files and create requests of anybody's. */
#include "base/limits.h"
#include "unit/iceberg/table.h"

static enum err_code read_code(const char *text)
{
    auto_arena a = {0};
    struct json *m;
    struct err e = {0};

    return metadata_read(sv_from(text), &a, &m, &e) ? ERR_NONE : e.code;
}

#define HEAD \
    "{\"format-version\":2,\"table-uuid\":\"9c12d441-03fe-4693-9a96-a0705ddf69c1\",\"location\":\"s3://b/t\""

static void old_files_are_read_and_wrong_ones_are_not(void)
{
    static const char *const good[] = {
        HEAD "}",
        "{\"format-version\":1,\"location\":\"s3://b/t\"}",
        HEAD ",\"current-snapshot-id\":null,\"refs\":null,\"snapshots\":null}",
        HEAD ",\"from-the-future\":[1,{}]}",
    };
    static const char *const wrong[] = {
        "",
        "[]",
        "{}",
        "{\"format-version\":0,\"location\":\"s3://b/t\"}",
        "{\"format-version\":4,\"location\":\"s3://b/t\",\"table-uuid\":\"u\"}",
        "{\"format-version\":2,\"location\":\"s3://b/t\"}",
        "{\"format-version\":1}",
        "{\"format-version\":\"2\",\"location\":\"s3://b/t\",\"table-uuid\":\"u\"}",
        HEAD ",\"properties\":[]}",
        HEAD ",\"properties\":{\"a\":1}}",
        HEAD ",\"refs\":[]}",
        HEAD ",\"refs\":{\"main\":5}}",
        HEAD ",\"snapshots\":{}}",
        HEAD ",\"snapshots\":[5]}",
        HEAD ",\"snapshots\":[null]}",
        HEAD ",\"schemas\":\"x\"}",
        HEAD ",\"metadata-log\":[[]]}",
        HEAD ",\"partition-specs\":[{\"spec-id\":0,\"fields\":-1}]}",
        HEAD ",\"partition-specs\":[{\"spec-id\":0,\"fields\":[\"x\"]}]}",
        HEAD ",\"schemas\":[{\"schema-id\":0}]}",
        HEAD ",\"last-sequence-number\":\"1\"}",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        CHECK_INT(read_code(good[i]), ERR_NONE);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CHECK_INT(read_code(wrong[i]), ERR_INVALID);
}

static void a_file_of_a_first_writer_is_read_and_committed_to(void)
{
    auto_arena a = {0};
    struct json *m = NULL, *next = NULL;
    struct err e = {0};

    NEED_OK(
        metadata_read(
            SV("{\"format-version\":1,\"table-uuid\":\"9c12d441-03fe-4693-9a96-a0705ddf69c1\",\"location\":\"s3://b/t\","
               "\"last-updated-ms\":5,\"last-column-id\":2,\"schema\":{\"type\":\"struct\",\"fields\":["
               "{\"id\":1,\"name\":\"a\",\"required\":true,\"type\":\"int\"},{\"id\":2,\"name\":\"d\",\"required\":false,\"type\":\"date\"}]},"
               "\"partition-spec\":[{\"source-id\":2,\"name\":\"day\",\"transform\":\"day\"},{\"source-id\":1,\"name\":\"b\",\"transform\":\"bucket[4]\"}],"
               "\"properties\":{},\"current-snapshot-id\":7,\"snapshots\":[{\"snapshot-id\":7,\"timestamp-ms\":5,\"manifest-list\":\"s3://b/t/m\"}]}"),
            &a, &m, &e),
        &e);
    CHECK_SV(json_text(&a, json_get(m, SV("refs"))),
             SV("{\"main\":{\"snapshot-id\":7,\"type\":\"branch\"}}"));
    CHECK_INT(json_i64(json_get(m, SV("last-partition-id")), 0), 1001);
    CHECK_INT(commit(m,
                     "[{\"type\":\"assert-ref-snapshot-id\",\"ref\":\"main\",\"snapshot-id\":7},"
                     "{\"type\":\"assert-current-schema-id\",\"current-schema-id\":0},"
                     "{\"type\":\"assert-default-spec-id\",\"default-spec-id\":0},"
                     "{\"type\":\"assert-default-sort-order-id\",\"default-sort-order-id\":0}]",
                     "[{\"action\":\"upgrade-format-version\",\"format-version\":2}," SNAPSHOT(
                         "8", "1", ",\"parent-snapshot-id\":7") "," MAIN("8") "]",
                     &a, &next),
              ERR_NONE);
    CHECK_INT(json_count(json_get(next, SV("schemas"))), 1);
    CHECK_INT(json_count(json_get(next, SV("partition-specs"))), 1);
    CHECK(!json_has(next, SV("schema")));
}

/* Else a new field would get the id of one that is there. */
static void a_first_writers_specs_say_which_field_id_was_the_last(void)
{
    auto_arena a = {0};
    struct json *m = NULL;
    struct err e = {0};

    NEED_OK(metadata_read(
                SV("{\"format-version\":1,\"location\":\"s3://b/t\",\"default-spec-id\":1,"
                   "\"partition-specs\":[{\"spec-id\":0,\"fields\":[{\"source-id\":1,\"field-id\":"
                   "1000,\"name\":\"p\",\"transform\":\"day\"},{\"source-id\":2,\"field-id\":1001,"
                   "\"name\":\"q\",\"transform\":\"day\"}]},{\"spec-id\":1,\"fields\":[]}]}"),
                &a, &m, &e),
            &e);
    CHECK_INT(json_i64(json_get(m, SV("last-partition-id")), 0), 1001);
}

static void a_file_past_the_limit_is_refused_before_it_is_read(void)
{
    auto_arena a = {0};
    struct sv text = sv_of(arena_array(&a, char, (size_t)LIMIT_METADATA_BYTES + 1),
                           (size_t)LIMIT_METADATA_BYTES + 1);
    struct json *m;
    struct err e = {0};

    CHECK(!metadata_read(text, &a, &m, &e));
    CHECK(sv_contains(sv_from(e.msg), SV("at most")));
}

/* 64 MB of "[]," would be 14 GB of lists. */
static void a_file_whose_values_would_fill_the_memory_is_refused_before_it_is_read(void)
{
    static const char *const values[] = {"[],", "{},", "1,", "\"\","};

    for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
        auto_arena a = {0};
        struct buf b = buf_new(&a, LIMIT_METADATA_BYTES);
        struct json *m;
        struct err e = {0};

        buf_add(&b, SV("{\"format-version\":2,\"x\":["));
        while (b.n < 60 * 1024 * 1024)
            buf_add(&b, sv_from(values[v]));
        buf_add(&b, SV("0]}"));
        CHECK(!metadata_read(buf_sv(&b), &a, &m, &e));
        CHECK(sv_contains(sv_from(e.msg), SV("whose values take more than")));
    }
}

static void a_create_request_of_any_shape_is_answered(void)
{
    static const char *const wrong[] = {
        "{}",
        "{\"schema\":[]}",
        "{\"schema\":{\"fields\":[5]}}",
        "{\"schema\":{\"fields\":[{\"id\":1,\"name\":\"a\",\"type\":{\"type\":\"list\",\"element\":5}}]}}",
        "{\"schema\":{\"fields\":[]},\"partition-spec\":{\"fields\":[5]}}",
        "{\"schema\":{\"fields\":[]},\"partition-spec\":{\"fields\":[null]}}",
        "{\"schema\":{\"fields\":[]},\"partition-spec\":{\"fields\":{}}}",
        "{\"schema\":{\"fields\":[]},\"partition-spec\":[]}",
        "{\"schema\":{\"fields\":[]},\"write-order\":{\"fields\":[[]]}}",
        "{\"schema\":{\"fields\":[]},\"write-order\":5}",
        "{\"schema\":{\"fields\":[]},\"properties\":{\"a\":{}}}",
        "{\"schema\":{\"fields\":[]},\"properties\":{\"format-version\":\"9\"}}",
        "{\"schema\":{\"fields\":[]},\"properties\":[]}",
        "{\"schema\":{\"fields\":[]},\"location\":5}",
        "{\"schema\":{\"fields\":[]},\"stage-create\":\"true\"}",
    };
    struct create_options o = {SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"), SV("s3://b/t"), 1};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        auto_arena a = {0};
        struct json *m;
        struct err e = {0};

        CHECK(!metadata_create(json(wrong[i], &a), &o, &a, &m, &e));
        CHECK_INT(e.code, ERR_INVALID);
    }
}

static void sources_of_a_transform_follow_their_columns(void)
{
    auto_arena a = {0};
    struct create_options o = {SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"), SV("s3://b/t"), 1};
    struct json *m = NULL;
    struct err e = {0};

    NEED_OK(
        metadata_create(
            json(
                "{\"schema\":{\"fields\":[{\"id\":30,\"name\":\"a\",\"required\":false,\"type\":\"int\"},"
                "{\"id\":40,\"name\":\"b\",\"required\":false,\"type\":\"int\"}]},\"partition-spec\":{\"fields\":["
                "{\"source-ids\":[40,30],\"name\":\"z\",\"transform\":\"zorder[2]\"}]}}",
                &a),
            &o, &a, &m, &e),
        &e);
    CHECK_SV(
        json_text(
            &a, json_at(json_get(json_at(json_get(m, SV("partition-specs")), 0), SV("fields")), 0)),
        SV("{\"source-ids\":[2,1],\"name\":\"z\",\"transform\":\"zorder[2]\",\"field-id\":1000}"));
}

static void refs_only_keeps_what_a_ref_or_the_present_needs(void)
{
    auto_arena a = {0};
    static const char *const snapshots =
        ",\"snapshots\":[{\"snapshot-id\":1},{\"snapshot-id\":2},{\"snapshot-id\":3}]";
    struct json *with_refs =
        json(arena_cstr(&a, arena_printf(&a,
                                         HEAD "%s,\"current-snapshot-id\":3,\"refs\":{\"main\":"
                                              "{\"snapshot-id\":3},\"t\":{\"snapshot-id\":1}}}",
                                         snapshots)),
             &a);
    struct json *without =
        json(arena_cstr(&a, arena_printf(&a, HEAD "%s,\"current-snapshot-id\":2}", snapshots)), &a);

    CHECK_SV(json_text(&a, json_get(metadata_refs_only(with_refs, &a), SV("snapshots"))),
             SV("[{\"snapshot-id\":1},{\"snapshot-id\":3}]"));
    CHECK_SV(json_text(&a, json_get(metadata_refs_only(without, &a), SV("snapshots"))),
             SV("[{\"snapshot-id\":2}]"));
    CHECK_INT(json_count(json_get(with_refs, SV("snapshots"))), 3);
}

SUITE("iceberg/metadata", TEST(refs_only_keeps_what_a_ref_or_the_present_needs),
      TEST(old_files_are_read_and_wrong_ones_are_not),
      TEST(a_file_of_a_first_writer_is_read_and_committed_to),
      TEST(a_first_writers_specs_say_which_field_id_was_the_last),
      TEST(a_file_past_the_limit_is_refused_before_it_is_read),
      TEST(a_file_whose_values_would_fill_the_memory_is_refused_before_it_is_read),
      TEST(a_create_request_of_any_shape_is_answered),
      TEST(sources_of_a_transform_follow_their_columns))
