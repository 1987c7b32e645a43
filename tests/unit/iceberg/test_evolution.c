/* test_evolution.c - what a schema may become when data was written, and what is bound to it. */
#include "unit/iceberg/table.h"

/* The fields of table.h's table: a (1) long, s (2) struct of x (4) int, b (3) string. */
#define S                                                                                       \
    "{\"id\":2,\"name\":\"s\",\"required\":false,\"type\":{\"type\":\"struct\",\"fields\":[" X( \
        "int") "]}}"
#define X(t) "{\"id\":4,\"name\":\"x\",\"required\":false,\"type\":\"" t "\"}"
#define A    "{\"id\":1,\"name\":\"a\",\"required\":true,\"type\":\"long\"}"
#define B    "{\"id\":3,\"name\":\"b\",\"required\":false,\"type\":\"string\"}"
#define F(id, name, type) \
    "{\"id\":" id ",\"name\":\"" name "\",\"required\":false,\"type\":" type "}"
#define ADD(fields)                                                                         \
    "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[" fields "]}}," \
    "{\"action\":\"set-current-schema\",\"schema-id\":-1}"

/* A table of one column (1) of that type, in that format, with data in main. */
static struct json *table_of(const char *type, const char *format, struct arena *a)
{
    struct create_options o = {SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"), SV("s3://b/t"), 1000};
    struct sv request = arena_printf(
        a,
        "{\"name\":\"t\",\"properties\":{\"format-version\":\"%s\"},\"schema\":{\"type\":\"struct\",\"fields\":[" F(
            "1", "c", "%s") "]}}",
        format, type);
    struct json *m = NULL, *filled = NULL;
    struct err e = {0};

    NEED_OK(metadata_create(json(request.p, a), &o, a, &m, &e), &e);
    NEED(commit(m, "[]",
                "[" SNAPSHOT("1", "1", ",\"first-row-id\":0,\"added-rows\":0") "," MAIN("1") "]", a,
                &filled) == ERR_NONE);
    return filled;
}

static enum err_code becomes(struct json *base, const char *type, struct arena *a)
{
    struct json *m = NULL;

    return commit(base, "[]", arena_printf(a, "[" ADD(F("1", "c", "%s")) "]", type).p, a, &m);
}

static void a_type_takes_only_the_promotions_of_its_format(void)
{
    static const struct {
        const char *format, *from, *to;
        enum err_code want;
    } rows[] = {
        {"2", "\"int\"",           "\"long\"",                                                  ERR_NONE   },
        {"2", "\"float\"",         "\"double\"",                                                ERR_NONE   },
        {"2", "\"decimal(9, 2)\"", "\"decimal(12, 2)\"",                                        ERR_NONE   },
        {"2", "\"decimal(9,2)\"",  "\"decimal( 9 , 2 )\"",                                      ERR_NONE   },
        {"2", "\"long\"",          "\"int\"",                                                   ERR_INVALID},
        {"2", "\"double\"",        "\"float\"",                                                 ERR_INVALID},
        {"2", "\"decimal(9, 2)\"", "\"decimal(8, 2)\"",                                         ERR_INVALID},
        {"2", "\"decimal(9, 2)\"", "\"decimal(12, 3)\"",                                        ERR_INVALID},
        {"2", "\"int\"",           "\"string\"",                                                ERR_INVALID},
        {"2", "\"int\"",           "\"double\"",                                                ERR_INVALID},
        {"2", "\"string\"",        "\"binary\"",                                                ERR_INVALID},
        {"2", "\"fixed[4]\"",      "\"fixed[8]\"",                                              ERR_INVALID},
        {"2", "\"date\"",          "\"timestamp\"",                                             ERR_INVALID},
        {"3", "\"date\"",          "\"timestamp\"",                                             ERR_NONE   },
        {"3", "\"date\"",          "\"timestamp_ns\"",                                          ERR_NONE   },
        {"3", "\"date\"",          "\"timestamptz\"",                                           ERR_INVALID},
        {"3", "\"unknown\"",       "\"string\"",                                                ERR_NONE   },
        {"2", "\"int\"",
         "{\"type\":\"list\",\"element-id\":2,\"element\":\"int\",\"element-required\":false}", ERR_INVALID},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena a = {0};

        CHECK_INT(becomes(table_of(rows[i].from, rows[i].format, &a), rows[i].to, &a),
                  rows[i].want);
    }
}

static void a_refused_type_is_told_with_its_field(void)
{
    auto_arena a = {0};
    struct commit_options o = {.base_location = SV("s3://b/t/metadata/00000-x.metadata.json"),
                               .now_ms = 5000};
    struct json *request;
    struct commit_result result;
    struct err e = {0};

    request = json("{\"requirements\":[],\"updates\":[" ADD(F("1", "c", "\"int\"")) "]}", &a);
    CHECK(!metadata_commit(table_of("\"long\"", "2", &a), request, &o, &a, &result, &e));
    CHECK_SV(sv_from(e.msg), SV("Cannot change column type: c: long -> int"));
}

/* table.h's table with data in main. */
static struct json *filled(struct arena *a)
{
    struct json *m = NULL;

    NEED(commit(table(a), "[]", "[" SNAPSHOT("1", "1", "") "," MAIN("1") "]", a, &m) == ERR_NONE);
    return m;
}

static void fields_below_others_are_held_to_the_same_rules(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    CHECK_INT(
        commit(
            filled(&a), "[]",
            "[" ADD(
                A
                "," B
                ",{\"id\":2,\"name\":\"s\",\"required\":false,\"type\":{\"type\":\"struct\",\"fields\":[" X(
                    "string") "]}}") "]",
            &a, &m),
        ERR_INVALID);
    CHECK_INT(
        commit(
            filled(&a), "[]",
            "[" ADD(
                A
                "," B
                ",{\"id\":2,\"name\":\"s\",\"required\":false,\"type\":{\"type\":\"struct\",\"fields\":[" X(
                    "long") "]}}") "]",
            &a, &m),
        ERR_NONE);
}

static void an_id_that_was_dropped_does_not_come_back_as_another_type(void)
{
    auto_arena a = {0};
    struct json *m = NULL, *next = NULL;

    NEED(commit(filled(&a), "[]", "[" ADD(A "," B) "]", &a, &m) == ERR_NONE);
    CHECK_INT(commit(m, "[]", "[" ADD(A "," B "," F("2", "s", "\"string\"")) "]", &a, &next),
              ERR_INVALID);
    CHECK_INT(commit(m, "[]", "[" ADD(A "," B "," F("9", "s", "\"string\"")) "]", &a, &next),
              ERR_NONE);
    CHECK_INT(commit(m, "[]", "[" ADD(A "," B "," S) "]", &a, &next), ERR_NONE);
}

static void a_schema_does_not_go_back_behind_a_promotion(void)
{
    auto_arena a = {0};
    struct json *base = table_of("\"int\"", "2", &a), *m = NULL, *next = NULL;

    NEED(commit(base, "[]", "[" ADD(F("1", "c", "\"long\"")) "]", &a, &m) == ERR_NONE);
    CHECK_INT(commit(m, "[]", "[{\"action\":\"set-current-schema\",\"schema-id\":0}]", &a, &next),
              ERR_INVALID);
}

static void a_table_without_data_takes_any_type(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    CHECK_INT(commit(table(&a), "[]", "[" ADD(F("1", "a", "\"string\"") "," B) "]", &a, &m),
              ERR_NONE);
    /* CREATE OR REPLACE: ids go by name, and main is empty when the schema comes. */
    CHECK_INT(commit(filled(&a), "[]",
                     "[{\"action\":\"remove-snapshot-ref\",\"ref-name\":\"main\"}," ADD(
                         F("1", "a", "\"string\"") "," B) "]",
                     &a, &m),
              ERR_NONE);
}

static void a_date_that_partitions_by_value_is_not_promoted(void)
{
    static const struct {
        const char *transform;
        enum err_code want;
    } rows[] = {
        {"identity",  ERR_INVALID},
        {"bucket[4]", ERR_INVALID},
        {"month",     ERR_NONE   },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena a = {0};
        struct buf b = buf_new(&a, 1000);
        struct json *m = NULL;

        buf_addf(&b,
                 "[{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\","
                 "\"transform\":\"%s\"}]}}]",
                 rows[i].transform);
        NEED(commit(table_of("\"date\"", "3", &a), "[]", arena_cstr(&a, buf_sv(&b)), &a, &m) ==
             ERR_NONE);
        CHECK_INT(becomes(m, "\"timestamp\"", &a), rows[i].want);
    }
}

static void what_is_bound_to_the_schema_must_find_its_columns(void)
{
    static const char *const unbound[] = {
        /* b (3) is what the default spec partitions by. */
        "[" ADD(A "," S) "]",
        "[" ADD(
            A
            "," S
            ",{\"id\":3,\"name\":\"b\",\"required\":false,\"type\":{\"type\":\"struct\",\"fields\":[]}}") "]",
        /* A sort order whose column goes in the same request. */
        "[{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[{\"source-id\":1,\"transform\":\"identity\",\"direction\":\"asc\",\"null-order\":\"nulls-first\"}]}},"
        "{\"action\":\"set-default-sort-order\",\"sort-order-id\":-1}," ADD(S "," B) "]",
    };
    auto_arena a = {0};
    struct json *m = NULL;

    for (size_t i = 0; i < sizeof(unbound) / sizeof(unbound[0]); i++)
        CHECK_INT(commit(table(&a), "[]", unbound[i], &a, &m), ERR_INVALID);
    CHECK_INT(commit(table(&a), "[]", "[" ADD(S "," B) "]", &a, &m), ERR_NONE);
}

static void a_partition_field_that_became_void_needs_no_column(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    CHECK_INT(
        commit(
            table(&a), "[]",
            "[{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":3,\"field-id\":1000,\"name\":\"b\",\"transform\":\"void\"}]}},"
            "{\"action\":\"set-default-spec\",\"spec-id\":-1}," ADD(A "," S) "]",
            &a, &m),
        ERR_NONE);
}

static void a_transform_stands_on_a_type_that_it_takes(void)
{
    static const struct {
        const char *type, *transform;
        enum err_code want;
    } rows[] = {
        {"string",        "identity",     ERR_NONE   },
        {"string",        "bucket[16]",   ERR_NONE   },
        {"string",        "truncate[4]",  ERR_NONE   },
        {"timestamptz",   "hour",         ERR_NONE   },
        {"date",          "day",          ERR_NONE   },
        {"date",          "YEAR",         ERR_NONE   },
        {"decimal(9, 2)", "truncate[10]", ERR_NONE   },
        {"long",          "no-such[3]",   ERR_NONE   },
        {"string",        "day",          ERR_INVALID},
        {"date",          "hour",         ERR_INVALID},
        {"double",        "bucket[16]",   ERR_INVALID},
        {"boolean",       "truncate[4]",  ERR_INVALID},
        {"long",          "month",        ERR_INVALID},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct create_options o = {SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"), SV("s3://b/t"), 1};
        auto_arena a = {0};
        struct sv text = arena_printf(
            &a,
            "{\"name\":\"t\",\"schema\":{\"type\":\"struct\",\"fields\":[" F(
                "1", "c",
                "\"%s\"") "]},"
                          "\"partition-spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"%s\"}]}}",
            rows[i].type, rows[i].transform);
        struct json *m = NULL;
        struct err e = {0};
        bool ok = metadata_create(json(text.p, &a), &o, &a, &m, &e);

        CHECK_INT(ok ? ERR_NONE : e.code, rows[i].want);
    }
}

static void a_list_or_a_struct_is_nothing_to_partition_by(void)
{
    static const char *const specs[] = {"2", "5", "7"};
    auto_arena a = {0};

    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        struct create_options o = {SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"), SV("s3://b/t"), 1};
        struct sv text = arena_printf(
            &a,
            "{\"name\":\"t\",\"schema\":{\"type\":\"struct\",\"fields\":[" S ","
            "{\"id\":5,\"name\":\"l\",\"required\":false,\"type\":{\"type\":\"list\",\"element-id\":7,\"element\":\"int\",\"element-required\":false}}]},"
            "\"partition-spec\":{\"fields\":[{\"source-id\":%s,\"name\":\"p\",\"transform\":\"identity\"}]}}",
            specs[i]);
        struct json *m = NULL;
        struct err e = {0};

        CHECK(!metadata_create(json(text.p, &a), &o, &a, &m, &e));
        CHECK_INT(e.code, ERR_INVALID);
    }
}

#define DRAFT(fields, spec)                                                     \
    "{\"name\":\"t\",\"schema\":{\"type\":\"struct\",\"fields\":[" fields "]}," \
    "\"partition-spec\":{\"fields\":[{" spec "\"name\":\"p\",\"transform\":\"identity\"}]}}"
#define LIKE(id, name) F(id, name, "\"long\"")

static enum err_code created(const char *request, struct arena *a, struct json **m)
{
    struct create_options o = {SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"), SV("s3://b/t"), 1};
    struct err e = {0};

    return metadata_create(json(request, a), &o, a, m, &e) ? ERR_NONE : e.code;
}

static void a_new_table_numbers_its_fields_anew_whatever_the_client_counts_from(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(created(DRAFT(LIKE("0", "x") "," LIKE("1", "y"), "\"source-id\":0,"), &a, &m) == ERR_NONE);
    CHECK_INT(json_i64(json_path(m, SV("last-column-id")), 0), 2);
    CHECK_INT(json_i64(json_get(json_at(json_get(json_at(json_get(m, SV("partition-specs")), 0),
                                                 SV("fields")),
                                        0),
                                SV("source-id")),
                       0),
              1);
}

static void a_new_table_is_partitioned_by_columns_that_its_request_names(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    CHECK_INT(created(DRAFT(LIKE("5", "x") "," LIKE("6", "y"), "\"source-id\":2,"), &a, &m),
              ERR_INVALID);
    CHECK_INT(created(DRAFT(LIKE("0", "x"), ""), &a, &m), ERR_INVALID);
    CHECK_INT(
        created(DRAFT("{\"name\":\"x\",\"required\":false,\"type\":\"long\"}", "\"source-id\":0,"),
                &a, &m),
        ERR_INVALID);
}

SUITE("iceberg/evolution",
      TEST(a_new_table_numbers_its_fields_anew_whatever_the_client_counts_from),
      TEST(a_new_table_is_partitioned_by_columns_that_its_request_names),
      TEST(a_type_takes_only_the_promotions_of_its_format),
      TEST(a_refused_type_is_told_with_its_field),
      TEST(fields_below_others_are_held_to_the_same_rules),
      TEST(an_id_that_was_dropped_does_not_come_back_as_another_type),
      TEST(a_schema_does_not_go_back_behind_a_promotion), TEST(a_table_without_data_takes_any_type),
      TEST(a_date_that_partitions_by_value_is_not_promoted),
      TEST(what_is_bound_to_the_schema_must_find_its_columns),
      TEST(a_partition_field_that_became_void_needs_no_column),
      TEST(a_transform_stands_on_a_type_that_it_takes),
      TEST(a_list_or_a_struct_is_nothing_to_partition_by))
