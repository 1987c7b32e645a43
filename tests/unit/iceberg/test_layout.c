/* test_layout.c - partition specs and sort orders: which are taken, and the ids of their fields. */
#include "unit/iceberg/table.h"

static const struct wrong unsound[] = {
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":9,\"name\":\"p\",\"transform\":\"identity\"}]}}",
     "Cannot find source column"                                                                                                                                                                                                                     },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":2,\"name\":\"p\",\"transform\":\"identity\"}]}}",
     "is not a column of plain values"                                                                                                                                                                                                               },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"\",\"transform\":\"identity\"}]}}",
     "a field without a name"                                                                                                                                                                                                                        },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"bucket[4]\"},{\"source-id\":3,\"name\":\"p\",\"transform\":\"bucket[4]\"}]}}",
     "name p is used twice"                                                                                                                                                                                                                          },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"bucket[4]\",\"field-id\":1005},{\"source-id\":3,\"name\":\"q\",\"transform\":\"bucket[4]\",\"field-id\":1005}]}}",
     "field-id 1005 is used twice"                                                                                                                                                                                                                   },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"bucket[4]\",\"field-id\":1005},{\"source-id\":3,\"name\":\"q\",\"transform\":\"bucket[4]\"}]}}",
     "1 of 2 fields have no field-id"                                                                                                                                                                                                                },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"bucket[4]\",\"field-id\":0}]}}",
     "field-id of p must be a number from 1"                                                                                                                                                                                                         },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"bucket[4]\",\"field-id\":-1}]}}",
     "field-id of p must be a number from 1"                                                                                                                                                                                                         },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"bucket[4]\",\"field-id\":\"1001\"}]}}",
     "field-id of p must be a number from 1"                                                                                                                                                                                                         },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"bucket[4]\",\"field-id\":1000}]}}",
     "field-id 1000 is that of another field"                                                                                                                                                                                                        },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":3,\"name\":\"p\",\"transform\":\"bucket[4]\",\"field-id\":1000}]}}",
     "field-id 1000 is that of another field"                                                                                                                                                                                                        },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"b\",\"transform\":\"bucket[4]\"}]}}",
     "name that exists in schema: b"                                                                                                                                                                                                                 },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"b\",\"transform\":\"identity\"}]}}",
     "name that exists in schema: b"                                                                                                                                                                                                                 },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"bucket\"}]}}",
     "Invalid transform: bucket"                                                                                                                                                                                                                     },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"bucket[0]\"}]}}",
     "Invalid transform: bucket[0]"                                                                                                                                                                                                                  },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"bucket[-4]\"}]}}",
     "Invalid transform"                                                                                                                                                                                                                             },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"bucket[x]\"}]}}",
     "Invalid transform"                                                                                                                                                                                                                             },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"bucket[4\"}]}}",
     "Invalid transform"                                                                                                                                                                                                                             },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":3,\"name\":\"p\",\"transform\":\"truncate[99999999999]\"}]}}",
     "Invalid transform"                                                                                                                                                                                                                             },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":3,\"name\":\"p\",\"transform\":\"identity[3]\"}]}}",
     "Invalid transform"                                                                                                                                                                                                                             },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\"}]}}",
     "a field without a transform"                                                                                                                                                                                                                   },
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":[7]}}",                                                                                                                                                             "a field without a transform"},
    {"{\"action\":\"add-spec\",\"spec\":{\"fields\":{}}}",                                                                                                                                                              "no list of fields"          },
    {"{\"action\":\"add-spec\",\"spec\":{}}",                                                                                                                                                                           "no list of fields"          },
    {"{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[{\"source-id\":9,\"transform\":\"identity\",\"direction\":\"asc\",\"null-order\":\"nulls-first\"}]}}",
     "Cannot find source column"                                                                                                                                                                                                                     },
    {"{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[{\"source-id\":2,\"transform\":\"identity\",\"direction\":\"asc\",\"null-order\":\"nulls-first\"}]}}",
     "is not a column of plain values"                                                                                                                                                                                                               },
    {"{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[{\"source-id\":1,\"transform\":\"identity\",\"null-order\":\"nulls-first\"}]}}",
     "direction must be asc or desc"                                                                                                                                                                                                                 },
    {"{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[{\"source-id\":1,\"transform\":\"identity\",\"direction\":\"up\",\"null-order\":\"nulls-first\"}]}}",
     "direction must be asc or desc"                                                                                                                                                                                                                 },
    {"{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[{\"source-id\":1,\"transform\":\"identity\",\"direction\":\"asc\"}]}}",
     "null-order must be nulls-first or nulls-last"                                                                                                                                                                                                  },
    {"{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[{\"source-id\":1,\"transform\":\"identity\",\"direction\":\"asc\",\"null-order\":\"first\"}]}}",
     "null-order must be nulls-first or nulls-last"                                                                                                                                                                                                  },
    {"{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[{\"source-id\":1,\"transform\":\"bucket[0]\",\"direction\":\"asc\",\"null-order\":\"nulls-first\"}]}}",
     "Invalid transform"                                                                                                                                                                                                                             },
    {"{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[{\"source-id\":3,\"transform\":\"year\",\"direction\":\"asc\",\"null-order\":\"nulls-first\"}]}}",
     "Invalid source type string"                                                                                                                                                                                                                    },
    {"{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":\"a\"}}",                                                                                                                                               "no list of fields"          }
};

static void a_layout_that_readers_cannot_follow_is_refused_by_name(void)
{
    for (size_t i = 0; i < sizeof(unsound) / sizeof(unsound[0]); i++) {
        auto_arena a = {0};
        struct err e = refusal(table(&a), "[]", arena_printf(&a, "[%s]", unsound[i].text).p, &a);

        check_refused(&e, ERR_INVALID, &unsound[i]);
    }
}

static const char *const sound[] = {
    "{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"bucket[4]\"}]}}",
    "{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"bucket[4]\",\"field-id\":2147483647}]}}",
    "{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"new-one[a, b]\"}]}}",
    "{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"a\",\"transform\":\"identity\"},{\"source-id\":3,\"name\":\"b_t\",\"transform\":\"truncate[2147483647]\"}]}}",
    "{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"source-id\":1,\"name\":\"p\",\"transform\":\"void\"}]}}",
    "{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[{\"source-id\":1,\"transform\":\"identity\",\"direction\":\"asc\",\"null-order\":\"nulls-first\"}]}}",
    "{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[{\"source-id\":1,\"transform\":\"identity\",\"direction\":\"DESC\",\"null-order\":\"NULLS-LAST\"}]}}",
    "{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[]}}",
    "{\"action\":\"add-spec\",\"spec\":{\"fields\":[]}}"};

static void a_layout_of_the_format_or_of_a_later_one_is_taken(void)
{
    for (size_t i = 0; i < sizeof(sound) / sizeof(sound[0]); i++) {
        auto_arena a = {0};
        struct json *m = NULL;

        CHECK_INT(commit(table(&a), "[]", arena_printf(&a, "[%s]", sound[i]).p, &a, &m), ERR_NONE);
    }
}

#define SPEC(fields) "[{\"action\":\"add-spec\",\"spec\":{\"fields\":[" fields "]}}]"
#define FIELD(source, name, transform) \
    "{\"source-id\":" source ",\"name\":\"" name "\",\"transform\":\"" transform "\"}"

static int64_t field_id(const struct json *m, size_t spec, size_t field)
{
    const struct json *fields =
        json_get(json_at(json_get(m, SV("partition-specs")), spec), SV("fields"));

    return json_i64(json_get(json_at(fields, field), SV("field-id")), -1);
}

static void a_field_that_comes_again_keeps_its_id_and_a_new_one_gets_the_next(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(commit(table(&a), "[]", SPEC(FIELD("1", "k", "bucket[4]") "," FIELD("3", "b", "identity")),
                &a, &m) == ERR_NONE);
    CHECK_INT(field_id(m, 1, 0), 1001);
    CHECK_INT(field_id(m, 1, 1), 1000);
    CHECK_INT(json_i64(json_get(m, SV("last-partition-id")), 0), 1001);
    NEED(commit(m, "[]", SPEC(FIELD("1", "k", "bucket[8]")), &a, &m) == ERR_NONE);
    CHECK_INT(field_id(m, 2, 0), 1002);
}

static void a_spec_that_is_there_is_not_added_again(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(commit(table(&a), "[]", SPEC(FIELD("3", "b", "identity")), &a, &m) == ERR_NONE);
    CHECK_INT(json_count(json_get(m, SV("partition-specs"))), 1);
}

static struct json *of_format_1(struct arena *a)
{
    struct create_options o = {SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"), SV("s3://b/t"), 1000};
    struct json *m = NULL;
    struct err e = {0};

    NEED_OK(
        metadata_create(
            json("{\"name\":\"t\",\"properties\":{\"format-version\":\"1\"},\"schema\":{\"type\":"
                 "\"struct\",\"fields\":[{\"id\":1,\"name\":\"a\",\"required\":false,\"type\":"
                 "\"long\"},{\"id\":3,\"name\":\"b\",\"required\":false,\"type\":\"string\"}]}}",
                 a),
            &o, a, &m, &e),
        &e);
    return m;
}

static void fields_of_format_1_are_numbered_by_their_place(void)
{
    auto_arena a = {0};
    struct json *m = of_format_1(&a);
    static const struct wrong w = {"", "sequential IDs"};
    struct err e = refusal(m, "[]",
                           SPEC("{\"source-id\":1,\"field-id\":1001,\"name\":\"p\",\"transform\":"
                                "\"bucket[4]\"}"),
                           &a);

    check_refused(&e, ERR_INVALID, &w);
    NEED(commit(m, "[]", SPEC(FIELD("1", "p", "bucket[4]")), &a, &m) == ERR_NONE);
    NEED(commit(m, "[]", SPEC(FIELD("2", "q", "bucket[4]") "," FIELD("1", "p", "bucket[4]")), &a,
                &m) == ERR_NONE);
    CHECK_INT(field_id(m, 1, 0), 1000);
    CHECK_INT(field_id(m, 2, 0), 1000);
    CHECK_INT(field_id(m, 2, 1), 1001);
}

SUITE("iceberg/layout", TEST(a_layout_that_readers_cannot_follow_is_refused_by_name),
      TEST(a_layout_of_the_format_or_of_a_later_one_is_taken),
      TEST(a_field_that_comes_again_keeps_its_id_and_a_new_one_gets_the_next),
      TEST(a_spec_that_is_there_is_not_added_again),
      TEST(fields_of_format_1_are_numbered_by_their_place))
