/* test_json.c - JSON values in an arena. */
#include "unit/suite.h"
#include "wire/json.h"

static bool reads(struct sv text)
{
    auto_arena a = {0};
    struct json *v;
    struct err e = {0};

    return json_read(text, &a, &v, &e);
}

static void members_are_found_by_name_and_by_path(void)
{
    auto_arena a = {0};
    struct json *v;
    struct err e = {0};

    NEED_OK(json_read(SV("{\"spec\":{\"catalogRef\":{\"name\":\"a\"},\"n\":7}}"), &a, &v, &e), &e);
    CHECK_SV(json_str(json_path(v, SV("spec.catalogRef.name")), SV("")), SV("a"));
    CHECK_INT(json_i64(json_path(v, SV("spec.n")), 0), 7);
    CHECK(json_path(v, SV("spec.none.name")) == NULL);
    CHECK(json_get(v, SV("other")) == NULL);
}

static void integers_of_64_bits_and_fractions_keep_their_text(void)
{
    auto_arena a = {0};
    struct json *v;
    struct err e = {0};
    struct sv text =
        SV("{\"max\":9223372036854775807,\"min\":-9223372036854775808,\"f\":1.10,\"e\":1e3}");

    NEED_OK(json_read(text, &a, &v, &e), &e);
    CHECK_INT(json_i64(json_get(v, SV("max")), 0), INT64_MAX);
    CHECK_SV(json_text(&a, v), text);
}

static void null_is_absent_but_still_there(void)
{
    auto_arena a = {0};
    struct json *v;
    struct err e = {0};

    NEED_OK(json_read(SV("{\"x\":null}"), &a, &v, &e), &e);
    CHECK(json_get(v, SV("x")) == NULL);
    CHECK(json_has(v, SV("x")));
    CHECK(!json_has(v, SV("y")));
    CHECK_SV(json_text(&a, v), SV("{\"x\":null}"));
}

static void what_is_not_strict_json_is_refused(void)
{
    static const struct sv wrong[] = {SV_INIT(""),
                                      SV_INIT("{"),
                                      SV_INIT("{\"a\":1,}"),
                                      SV_INIT("[1,]"),
                                      SV_INIT("{} {}"),
                                      SV_INIT("nul"),
                                      SV_INIT("'a'"),
                                      SV_INIT("{a:1}"),
                                      SV_INIT("01"),
                                      SV_INIT("\"\xff\""),
                                      SV_INIT("\"\\u0000\""),
                                      SV_INIT("[1] x"),
                                      SV_INIT("// c\n1"),
                                      SV_INIT("{\"a\":1 2}"),
                                      SV_INIT("\"line\nend\""),
                                      SV_INIT("[9223372036854775808]"),
                                      SV_INIT("-9223372036854775809")};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (reads(wrong[i]))
            CHECK_SV(wrong[i], SV("(refused)"));
    }
}

static void a_repeated_name_is_refused(void)
{
    CHECK(!reads(SV("{\"a\":1,\"a\":2}")));
    CHECK(!reads(SV("{\"x\":[{\"b\":1,\"b\":1}]}")));
    CHECK(reads(SV("{\"x\":{\"b\":\":\"},\"y\":{\"b\":\"\\\":\"}}")));
}

static void every_prefix_fails_cleanly(void)
{
    struct sv text = SV("{\"a\":[1,true,null,\"x\\u00e4\",{\"b\":-1.5e3}]}");

    for (size_t n = 0; n < text.n; n++)
        CHECK(!reads(sv_first(text, n)));
    CHECK(reads(text));
}

static void depth_has_a_limit(void)
{
    char deep[400];

    for (int depth = 60; depth <= 80; depth += 20) {
        memset(deep, '[', (size_t)depth);
        memset(deep + depth, ']', (size_t)depth);
        CHECK(reads(sv_of(deep, (size_t)depth * 2)) == (depth == 60));
    }
}

static void a_built_tree_reads_back_equal(void)
{
    auto_arena a = {0};
    struct json *v = json_new_object(&a), *list = json_new_array(&a), *again;
    struct err e = {0};

    json_set_str(v, &a, SV("name"), SV("a\"\\/\n\x01\xc3\xa4"));
    json_set_i64(v, &a, SV("id"), INT64_MIN);
    json_push(list, json_new_bool(&a, true));
    json_push(list, NULL);
    json_set(v, SV("list"), list);
    NEED_OK(json_read(json_text(&a, v), &a, &again, &e), &e);
    CHECK(json_eq(v, again));
}

static void a_copy_may_be_changed_alone(void)
{
    auto_arena a = {0};
    struct json *v = json_new_object(&a), *copy;

    json_set_i64(v, &a, SV("n"), 1);
    copy = json_copy(&a, v);
    json_set_i64(copy, &a, SV("n"), 2);
    json_remove(copy, SV("other"));
    CHECK_INT(json_i64(json_get(v, SV("n")), 0), 1);
    CHECK_INT(json_i64(json_get(copy, SV("n")), 0), 2);
}

static void a_string_by_hand_is_escaped(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 100);

    json_write_str(&b, SV("a\"b\\c\x1f/"));
    CHECK_SV(buf_sv(&b), SV("\"a\\\"b\\\\c\\u001f/\""));
}

SUITE("wire/json", TEST(members_are_found_by_name_and_by_path),
      TEST(integers_of_64_bits_and_fractions_keep_their_text), TEST(null_is_absent_but_still_there),
      TEST(what_is_not_strict_json_is_refused), TEST(a_repeated_name_is_refused),
      TEST(every_prefix_fails_cleanly), TEST(depth_has_a_limit),
      TEST(a_built_tree_reads_back_equal), TEST(a_copy_may_be_changed_alone),
      TEST(a_string_by_hand_is_escaped))
