/* test_spelling.c - what is read in several spellings is written in the specification's, what one
 * thing is called twice is refused, and no time goes back. */
#include "iceberg/view.h"
#include "unit/iceberg/table.h"

struct spelt {
    const char *given, *written;
};

/* The text of a path into the result: "schemas.1.fields.0.type". */
static struct sv at(const struct json *m, const char *path)
{
    struct sv rest = sv_from(path), part;
    int64_t index;

    while (sv_cut(&rest, '.', &part))
        m = sv_i64(part, &index) ? json_at(m, (size_t)index) : json_get(m, part);
    return json_str(m, SV("(no text)"));
}

static void types_are_written_as_the_specification_spells_them(void)
{
    static const struct spelt types[] = {
        {"decimal( 10 , 2 )",        "decimal(10, 2)"      },
        {"decimal(10,2)",            "decimal(10,2)"       },
        {"decimal(10, 2)",           "decimal(10, 2)"      },
        {"decimal(010,02)",          "decimal(10, 2)"      },
        {"fixed[ 016 ]",             "fixed[16]"           },
        {"geometry( srid:3857 )",    "geometry(srid:3857)" },
        {"geography( x ,  karney )", "geography(x, karney)"},
        {"long",                     "long"                }
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        auto_arena a = {0};
        struct json *m = NULL;
        const char *schema =
            arena_printf(&a,
                         "[{\"action\":\"add-schema\",\"schema\":{\"fields\":["
                         "{\"id\":1,\"name\":\"a\",\"required\":true,\"type\":\"long\"},"
                         "{\"id\":9,\"name\":\"x\",\"required\":false,\"type\":\"%s\"},"
                         "{\"id\":10,\"name\":\"l\",\"required\":false,\"type\":{\"type\":\"list\","
                         "\"element-id\":11,\"element-required\":false,\"element\":\"%s\"}}]}}]",
                         types[i].given, types[i].given)
                .p;

        NEED(commit(upgraded(table(&a), "3", &a), "[]", schema, &a, &m) == ERR_NONE);
        CHECK_SV(at(m, "schemas.1.fields.1.type"), sv_from(types[i].written));
        CHECK_SV(at(m, "schemas.1.fields.2.type.element"), sv_from(types[i].written));
    }
}

static void layouts_are_written_as_the_specification_spells_them(void)
{
    static const struct spelt transforms[] = {
        {"BUCKET[04]",  "bucket[4]"  },
        {"Truncate[2]", "truncate[2]"},
        {"IDENTITY",    "identity"   },
        {"Void",        "void"       }
    };

    for (size_t i = 0; i < sizeof(transforms) / sizeof(transforms[0]); i++) {
        auto_arena a = {0};
        struct json *m = NULL;
        const char *text = transforms[i].given;

        NEED(commit(table(&a), "[]",
                    arena_printf(&a,
                                 "[{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,"
                                 "\"name\":\"p\",\"transform\":\"%s\"}]}},"
                                 "{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":["
                                 "{\"source-id\":1,\"transform\":\"%s\",\"direction\":\"DESC\","
                                 "\"null-order\":\"Nulls-Last\"}]}}]",
                                 text, text)
                        .p,
                    &a, &m) == ERR_NONE);
        CHECK_SV(at(m, "partition-specs.1.fields.0.transform"), sv_from(transforms[i].written));
        CHECK_SV(at(m, "sort-orders.1.fields.0.transform"), sv_from(transforms[i].written));
        CHECK_SV(at(m, "sort-orders.1.fields.0.direction"), SV("desc"));
        CHECK_SV(at(m, "sort-orders.1.fields.0.null-order"), SV("nulls-last"));
    }
}

static void a_create_is_written_as_the_specification_spells_it(void)
{
    auto_arena a = {0};
    struct create_options o = {SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"), SV("s3://b/t"), 1000};
    struct json *m = NULL;
    struct err e = {0};

    NEED_OK(
        metadata_create(
            json("{\"name\":\"t\",\"location\":null,\"schema\":{\"type\":\"struct\",\"fields\":["
                 "{\"id\":1,\"name\":\"a\",\"required\":true,\"doc\":null,"
                 "\"type\":\"decimal( 9,2)\"}]},\"partition-spec\":{\"fields\":[{\"source-id\":1,"
                 "\"name\":\"p\",\"transform\":\"BUCKET[4]\"}]},\"write-order\":{\"fields\":["
                 "{\"source-id\":1,\"transform\":\"Identity\",\"direction\":\"ASC\","
                 "\"null-order\":\"NULLS-FIRST\"}]},\"properties\":{"
                 "\"write.metadata.compression-codec\":\"GZIP\"}}",
                 &a),
            &o, &a, &m, &e),
        &e);
    CHECK_SV(at(m, "schemas.0.fields.0.type"), SV("decimal(9, 2)"));
    CHECK(!json_has(json_at(json_get(json_at(json_get(m, SV("schemas")), 0), SV("fields")), 0),
                    SV("doc")));
    CHECK_SV(at(m, "partition-specs.0.fields.0.transform"), SV("bucket[4]"));
    CHECK_SV(at(m, "sort-orders.0.fields.0.direction"), SV("asc"));
    CHECK_SV(at(m, "sort-orders.0.fields.0.null-order"), SV("nulls-first"));
    CHECK_SV(json_get_str(json_get(m, SV("properties")), SV("write.metadata.compression-codec")),
             SV("gzip"));
}

static void a_uuid_is_written_in_small_letters(void)
{
    auto_arena a = {0};
    struct json *m = NULL, *base = table(&a);

    json_remove(base, SV("table-uuid"));
    NEED(commit(base, "[]",
                "[{\"action\":\"assign-uuid\",\"uuid\":\"9C12D441-03FE-4693-9A96-A0705DDF69C1\"}]",
                &a, &m) == ERR_NONE);
    CHECK_SV(at(m, "table-uuid"), SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"));
}

static void null_in_a_request_is_absent_in_the_file(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(commit(table(&a), "[]",
                "[" SNAPSHOT("1", "1", ",\"parent-snapshot-id\":null,\"key-id\":null") "]", &a,
                &m) == ERR_NONE);
    CHECK(!json_has(json_at(json_get(m, SV("snapshots")), 0), SV("parent-snapshot-id")));
    CHECK(!json_has(json_at(json_get(m, SV("snapshots")), 0), SV("key-id")));
}

/* A table whose list is `head`, the part under test, and `tail`. */
static bool registers(const char *list, const char *head, const char *part, const char *tail)
{
    auto_arena a = {0};
    struct json *m = table(&a), *read = NULL;
    struct sv ignored;
    struct err e = {0};
    bool ok;

    json_set(m, SV("partition-specs"), json("[{\"spec-id\":0,\"fields\":[]}]", &a));
    json_set(m, sv_from(list), json(arena_printf(&a, "%s%s%s", head, part, tail).p, &a));
    ok = metadata_read_foreign(json_text(&a, m), &a, &read, &ignored, &e);
    CHECK(ok || sv_contains(sv_from(e.msg), SV("must be")));
    return ok;
}

static void a_file_is_registered_in_the_specifications_spelling_only(void)
{
    static const char *const order[] = {
        "[{\"order-id\":0,\"fields\":[]},{\"order-id\":1,\"fields\":[{\"source-id\":1,"
        "\"transform\":\"identity\",\"direction\":\"",
        "\",\"null-order\":\"nulls-first\"}]}]"};
    static const char *const spec[] = {
        "[{\"spec-id\":0,\"fields\":[{\"source-id\":1,\"name\":\"p\",\"field-id\":1000,"
        "\"transform\":\"",
        "\"}]}]"};
    static const char *const schema[] = {"[{\"type\":\"struct\",\"schema-id\":0,\"fields\":[{"
                                         "\"id\":1,\"name\":\"a\",\"required\":true,\"type\":\"",
                                         "\"}]}]"};

    CHECK(registers("sort-orders", order[0], "asc", order[1]));
    CHECK(!registers("sort-orders", order[0], "ASC", order[1]));
    CHECK(registers("partition-specs", spec[0], "bucket[4]", spec[1]));
    CHECK(!registers("partition-specs", spec[0], "bucket[04]", spec[1]));
    CHECK(!registers("partition-specs", spec[0], "Bucket[4]", spec[1]));
    CHECK(registers("schemas", schema[0], "decimal(9, 2)", schema[1]));
    CHECK(!registers("schemas", schema[0], "decimal( 9, 2)", schema[1]));
}

/* By hand: the formatter falls over a macro within a row. */
/* clang-format off */
static const struct wrong named_twice[] = {
    {"[{\"action\":\"set-properties\",\"updates\":{\"a\":\"1\"},\"updated\":{\"a\":\"2\"}}]",
     "give one"},
    {"[{\"action\":\"remove-properties\",\"removals\":[\"a\"],\"removed\":[\"b\"]}]", "give one"},
    {"[{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"source-ids\":[3],"
     "\"name\":\"p\",\"transform\":\"identity\"}]}}]",
     "name different columns"},
    {"[{\"action\":\"remove-snapshots\",\"snapshot-ids\":[1]}," SNAPSHOT("1", "2", "") "]",
     "the same request removes it"},
};
/* clang-format on */

static void what_is_named_twice_is_refused(void)
{
    auto_arena a = {0};
    struct json *base = NULL;

    NEED(commit(table(&a), "[]", "[" SNAPSHOT("1", "1", "") "]", &a, &base) == ERR_NONE);
    for (size_t i = 0; i < sizeof(named_twice) / sizeof(named_twice[0]); i++) {
        struct err e = refusal(base, "[]", named_twice[i].text, &a);

        check_refused(&e, ERR_INVALID, &named_twice[i]);
    }
}

/* ---- time ---- */

static void check_sorted(const struct json *m, const char *name)
{
    const struct json *log = json_get(m, sv_from(name));
    int64_t before = 0, last = json_i64(json_get(m, SV("last-updated-ms")), INT64_MAX);

    for (size_t i = 0; i < json_count(log); i++) {
        int64_t time = json_i64(json_get(json_at(log, i), SV("timestamp-ms")), -1);

        CHECK(time >= before);
        CHECK(time <= last);
        before = time;
    }
    CHECK(json_count(log) > 0);
}

static void no_list_with_times_goes_back_whatever_others_wrote(void)
{
    auto_arena a = {0};
    struct json *base = NULL, *m = NULL;
    struct sv ignored;
    struct err e = {0};

    NEED(commit(table(&a), "[]", "[" SNAPSHOT("1", "1", "") "," MAIN("1") "]", &a, &base) ==
         ERR_NONE);
    json_set(base, SV("snapshot-log"),
             json("[{\"snapshot-id\":1,\"timestamp-ms\":900000},{\"snapshot-id\":1,"
                  "\"timestamp-ms\":7},{\"snapshot-id\":1,\"timestamp-ms\":800000}]",
                  &a));
    json_set(base, SV("metadata-log"),
             json("[{\"metadata-file\":\"a\",\"timestamp-ms\":990000},{\"metadata-file\":\"b\","
                  "\"timestamp-ms\":5}]",
                  &a));
    CHECK(!metadata_read_foreign(json_text(&a, base), &a, &m, &ignored, &e));
    CHECK(sv_contains(sv_from(e.msg), SV("timestamp-ms 7 is before 900000")));
    NEED(commit(base, "[]", "[" SNAPSHOT("2", "2", "") "," MAIN("2") "]", &a, &m) == ERR_NONE);
    check_sorted(m, "snapshot-log");
    check_sorted(m, "metadata-log");
    CHECK_OK(metadata_read_foreign(json_text(&a, m), &a, &m, &ignored, &e), &e);
}

static void a_file_older_than_its_history_is_refused(void)
{
    auto_arena a = {0};
    struct json *base = NULL, *m = NULL;
    struct sv ignored;
    struct err e = {0};

    NEED(commit(table(&a), "[]", "[" SNAPSHOT("1", "1", "") "," MAIN("1") "]", &a, &base) ==
         ERR_NONE);
    json_set_i64(json_at(json_get(base, SV("snapshot-log")), 0), &a, SV("timestamp-ms"),
                 json_i64(json_get(base, SV("last-updated-ms")), 0) + 60001);
    CHECK(!metadata_read_foreign(json_text(&a, base), &a, &m, &ignored, &e));
    CHECK(sv_contains(sv_from(e.msg), SV("last-updated-ms is before")));
}

static void the_history_of_a_view_does_not_go_back(void)
{
    auto_arena a = {0};
    struct create_options o = {SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"), SV("s3://b/v"), 1000};
    struct commit_result result;
    struct json *m = NULL;
    struct err e = {0};

    NEED_OK(
        view_create(
            json("{\"schema\":{\"fields\":[]},\"view-version\":{\"version-id\":1,"
                 "\"timestamp-ms\":9000,\"schema-id\":0,\"summary\":{},\"default-namespace\":[],"
                 "\"representations\":[{\"type\":\"sql\",\"sql\":\"s\",\"dialect\":\"d\"}]}}",
                 &a),
            &o, &a, &m, &e),
        &e);
    NEED_OK(
        view_commit(
            m,
            json("{\"updates\":[{\"action\":\"add-view-version\",\"view-version\":{"
                 "\"version-id\":2,\"timestamp-ms\":5,\"schema-id\":0,\"summary\":{},"
                 "\"default-namespace\":[],\"representations\":[{\"type\":\"sql\",\"sql\":\"t\","
                 "\"dialect\":\"d\"}]}},{\"action\":\"set-current-view-version\","
                 "\"view-version-id\":2}]}",
                 &a),
            2000, &a, &result, &e),
        &e);
    CHECK_INT(json_i64(json_get(json_at(json_get(result.metadata, SV("version-log")), 1),
                                SV("timestamp-ms")),
                       0),
              9000);
}

SUITE("iceberg/spelling", TEST(types_are_written_as_the_specification_spells_them),
      TEST(layouts_are_written_as_the_specification_spells_them),
      TEST(a_create_is_written_as_the_specification_spells_it),
      TEST(a_uuid_is_written_in_small_letters), TEST(null_in_a_request_is_absent_in_the_file),
      TEST(a_file_is_registered_in_the_specifications_spelling_only),
      TEST(what_is_named_twice_is_refused),
      TEST(no_list_with_times_goes_back_whatever_others_wrote),
      TEST(a_file_older_than_its_history_is_refused), TEST(the_history_of_a_view_does_not_go_back))
