/* test_json.c - JSON values in an arena. */
#include "base/limits.h"
#include "unit/suite.h"
#include "unit/wire/drawn.h"
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
                                      SV_INIT("NaN"),
                                      SV_INIT("[Infinity]"),
                                      SV_INIT("-Infinity"),
                                      SV_INIT("-01"),
                                      SV_INIT("1."),
                                      SV_INIT(".5"),
                                      SV_INIT("1e"),
                                      SV_INIT("+1"),
                                      SV_INIT("1e999"),
                                      SV_INIT("\"\\ud800\""),
                                      SV_INIT("\"\\ud800\\u0041\""),
                                      SV_INIT("\"\\udc00\""),
                                      SV_INIT("\"\\x\""),
                                      SV_INIT("\"\\u12g4\""),
                                      SV_INIT("\"\xc0\xaf\""),
                                      SV_INIT("\"\xe0\x80\xaf\""),
                                      SV_INIT("\"\xed\xa0\x80\""),
                                      SV_INIT("\"\xf4\x90\x80\x80\""),
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

static void an_escaped_backslash_starts_no_escape(void)
{
    auto_arena a = {0};
    struct json *v;
    struct err e = {0};

    NEED_OK(json_read(SV("\"\\\\u0000 \\ud83d\\ude00\""), &a, &v, &e), &e);
    CHECK_SV(json_str(v, SV("")), SV("\\u0000 \xf0\x9f\x98\x80"));
}

static void a_number_of_endless_digits_is_refused(void)
{
    char text[2000];

    memset(text, '1', sizeof(text));
    text[1] = '.';
    CHECK(reads(sv_of(text, 1024)));
    CHECK(!reads(sv_of(text, 1025)));
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

    for (int depth = LIMIT_JSON_DEPTH; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
        memset(deep, '[', (size_t)depth);
        deep[depth] = '7';
        memset(deep + depth + 1, ']', (size_t)depth);
        CHECK(reads(sv_of(deep, (size_t)depth * 2 + 1)) == (depth == LIMIT_JSON_DEPTH));
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

/* Members "0": 0, "1": 1, ... */
static struct json *numbered(struct arena *a, int n)
{
    struct json *v = json_new_object(a);

    for (int i = 0; i < n; i++)
        json_set_i64(v, a, arena_printf(a, "%d", i), i);
    return v;
}

static int64_t value_at(const struct json *v, size_t index)
{
    struct sv name;
    struct json *value = NULL;

    return json_member(v, index, &name, &value) ? json_i64(value, -2) : -1;
}

static void a_walk_of_many_members_is_linear(void)
{
    enum { MANY = 200000 };
    auto_arena a = {0};
    struct json *v = numbered(&a, MANY), *value;
    int64_t sum = 0;
    struct sv name;

    /* Quadratic, this takes over a minute: past the time that a test is given. */
    for (size_t i = 0; json_member(v, i, &name, &value); i++)
        sum += json_i64(value, 0);
    CHECK_INT(sum, (int64_t)MANY * (MANY - 1) / 2);
}

static void members_are_found_at_any_index_in_any_order(void)
{
    auto_arena a = {0};
    struct json *v = numbered(&a, 40);

    for (size_t i = 0; i < 80; i++)
        CHECK_INT(value_at(v, i * 7 % 40), i * 7 % 40);
    CHECK_INT(value_at(v, 40), -1);
    CHECK_INT(value_at(v, 39), 39);
}

static void members_are_found_between_changes(void)
{
    auto_arena a = {0};
    struct json *v = numbered(&a, 10);

    CHECK_INT(value_at(v, 5), 5);
    json_remove(v, SV("5"));
    CHECK_INT(value_at(v, 5), 6);
    json_remove(v, SV("0"));
    CHECK_INT(value_at(v, 5), 7);
    /* Enough to move the table. */
    for (int i = 100; i < 200; i++)
        json_set_i64(v, &a, arena_printf(&a, "%d", i), i);
    CHECK_INT(value_at(v, 6), 8);
    CHECK_INT(value_at(v, 8), 100);
    json_set_i64(v, &a, SV("101"), 1);
    CHECK_INT(value_at(v, 9), 1);
}

static void a_copy_of_what_is_being_walked_is_whole(void)
{
    auto_arena a = {0};
    struct json *outer = json_new_object(&a), *v = numbered(&a, 10), *copy;

    json_set(outer, SV("v"), v);
    CHECK_INT(value_at(v, 4), 4);
    CHECK_INT(value_at(outer, 0), -2);
    copy = json_copy(&a, outer);
    NEED(copy);
    CHECK(json_eq(copy, outer));
    json_remove(json_get(copy, SV("v")), SV("4"));
    CHECK_INT(value_at(json_get(copy, SV("v")), 4), 5);
    CHECK_INT(value_at(v, 5), 5);
}

static void a_string_by_hand_is_escaped(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 100);

    json_write_str(&b, SV("a\"b\\c\x1f/"));
    CHECK_SV(buf_sv(&b), SV("\"a\\\"b\\\\c\\u001f/\""));
}

/* From outside, bytes may come that are no text: what we write must be read all the same. */
static void what_is_no_utf8_is_written_as_the_replacement_character(void)
{
    auto_arena a = {0};
    struct buf out = buf_new(&a, 100);
    struct json *v;
    struct err e = {0};

    json_write_str(&out, SV("a\xff\"\xc3\xa9\xe2\x82\x01"));
    CHECK_SV(buf_sv(&out), SV("\"a\xef\xbf\xbd\\\"\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\\u0001\""));
    CHECK_OK(json_read(buf_sv(&out), &a, &v, &e), &e);
    CHECK_SV(json_str(json_new_str(&a, SV("x\xc0\x80y")), SV("")),
             SV("x\xef\xbf\xbd\xef\xbf\xbdy"));
}

static struct json *read_back(struct sv text, struct arena *a)
{
    struct json *v = NULL;
    struct err e = {0};

    CHECK_OK(json_read(text, a, &v, &e), &e);
    return v;
}

static void whatever_is_written_reads_back(void)
{
    state = from_environment("FRONTDESK_SEED", 9);
    for (uint64_t i = from_environment("FRONTDESK_DRAWS", 2000); i; i--) {
        auto_arena a = {0};
        struct buf by_hand = buf_new(&a, 100000);
        struct json *v = drawn_value(&a, 4);
        struct sv text = drawn_text(&a, 100);

        CHECK(json_eq(read_back(json_text(&a, v), &a), v));
        CHECK_SV(json_text(&a, json_copy(&a, v)), json_text(&a, v));
        json_write_str(&by_hand, text);
        CHECK_SV(json_str(read_back(buf_sv(&by_hand), &a), SV("")), text);
    }
}

/* Outside of UTF-8, and NUL, which we do not read: in a value, in a name, by hand. */
static void bytes_that_are_no_text_read_back_as_the_replacement_character(void)
{
    static const char *const bytes[] = {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82", "\xf5"};
    auto_arena a = {0};

    for (size_t i = 0; i <= COUNT(bytes); i++) {
        struct sv nul = sv_of("x\0y", 3), raw = i ? sv_from(bytes[i - 1]) : nul, name, want;
        struct json *v = json_new_object(&a), *value;
        struct buf by_hand = buf_new(&a, 100);

        json_set_str(v, &a, raw, raw);
        v = read_back(json_text(&a, v), &a);
        NEED(json_member(v, 0, &name, &value));
        json_write_str(&by_hand, raw);
        want = json_str(read_back(buf_sv(&by_hand), &a), SV(""));
        CHECK(sv_contains(want, SV("\xef\xbf\xbd")) && sv_is_utf8(want));
        CHECK_SV(json_str(value, SV("")), want);
        CHECK_SV(name, want);
    }
}

static struct sv key_of(const char *text, struct arena *a)
{
    struct buf key = buf_new(a, 1000);
    struct json *v = NULL;
    struct err e = {0};

    NEED_OK(json_read(sv_from(text), a, &v, &e), &e);
    json_write_key(&key, v);
    return buf_sv(&key);
}

static void equal_values_have_one_key_and_others_have_others(void)
{
    static const char *const different[] = {"{\"a\":1,\"b\":[true,\"x\"]}",
                                            "{\"a\":1,\"b\":[true,\"y\"]}",
                                            "{\"a\":1.5,\"b\":[true,\"x\"]}",
                                            "{\"a\":\"1\",\"b\":[true,\"x\"]}",
                                            "[\"ab\",\"c\"]",
                                            "[\"a\",\"bc\"]",
                                            "[[1],2]",
                                            "[[1,2]]",
                                            "[12]",
                                            "[1,2]",
                                            "\"{}\"",
                                            "{}",
                                            "[]",
                                            "[null]",
                                            "[\"1:a\"]",
                                            "[{\"a\":{}}]",
                                            "[{\"a\":{}},{}]"};
    enum { N = sizeof(different) / sizeof(different[0]) };
    auto_arena a = {0};

    CHECK_SV(key_of("{\"b\":[true,\"x\"],\"c\":null,\"a\":1}", &a), key_of(different[0], &a));
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < i; j++)
            CHECK(!sv_eq(key_of(different[i], &a), key_of(different[j], &a)));
    }
}

static void a_flat_copy_is_changed_alone(void)
{
    auto_arena a = {0};
    struct json *v = NULL, *copy, *list;
    struct err e = {0};

    NEED_OK(json_read(SV("{\"a\":[1,2],\"b\":{\"c\":null}}"), &a, &v, &e), &e);
    copy = json_copy_flat(&a, v);
    list = json_copy_flat(&a, json_get(v, SV("a")));
    json_remove_at(list, 0);
    json_set(copy, SV("a"), list);
    json_remove(copy, SV("b"));
    CHECK_SV(json_text(&a, copy), SV("{\"a\":[2]}"));
    CHECK_SV(json_text(&a, v), SV("{\"a\":[1,2],\"b\":{\"c\":null}}"));
}

SUITE("wire/json", TEST(equal_values_have_one_key_and_others_have_others),
      TEST(a_flat_copy_is_changed_alone), TEST(members_are_found_by_name_and_by_path),
      TEST(integers_of_64_bits_and_fractions_keep_their_text), TEST(null_is_absent_but_still_there),
      TEST(what_is_not_strict_json_is_refused), TEST(a_repeated_name_is_refused),
      TEST(an_escaped_backslash_starts_no_escape), TEST(a_number_of_endless_digits_is_refused),
      TEST(a_walk_of_many_members_is_linear), TEST(members_are_found_at_any_index_in_any_order),
      TEST(members_are_found_between_changes), TEST(a_copy_of_what_is_being_walked_is_whole),
      TEST(every_prefix_fails_cleanly), TEST(depth_has_a_limit),
      TEST(a_built_tree_reads_back_equal), TEST(a_copy_may_be_changed_alone),
      TEST(a_string_by_hand_is_escaped),
      TEST(what_is_no_utf8_is_written_as_the_replacement_character),
      TEST(whatever_is_written_reads_back),
      TEST(bytes_that_are_no_text_read_back_as_the_replacement_character))
