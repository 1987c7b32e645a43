/* test_sv.c - string views. */
#include "base/sv.h"
#include "unit/suite.h"

static void cut_takes_each_part_and_then_says_no(void)
{
    struct sv rest = SV("a,,b"), part;

    NEED(sv_cut(&rest, ',', &part));
    CHECK_SV(part, SV("a"));
    NEED(sv_cut(&rest, ',', &part));
    CHECK_SV(part, SV(""));
    NEED(sv_cut(&rest, ',', &part));
    CHECK_SV(part, SV("b"));
    CHECK(!sv_cut(&rest, ',', &part));
    /* Many ask for a first part that need not be there, and look at it all the same. */
    CHECK(part.p == NULL && part.n == 0);
}

static void a_number_is_digits_and_nothing_else(void)
{
    int64_t n = 7;

    CHECK(sv_i64(SV("-9223372036854775808"), &n));
    CHECK_INT(n, INT64_MIN);
    CHECK(sv_i64(SV("9223372036854775807"), &n));
    CHECK_INT(n, INT64_MAX);
    CHECK(!sv_i64(SV("9223372036854775808"), &n));
    CHECK(!sv_i64(SV(""), &n));
    CHECK(!sv_i64(SV("-"), &n));
    CHECK(!sv_i64(SV("+1"), &n));
    CHECK(!sv_i64(SV("1 "), &n));
    CHECK_INT(n, INT64_MAX);
}

static void case_is_ignored_for_ascii_only(void)
{
    CHECK(sv_eq_nocase(SV("Content-Type"), SV("content-type")));
    CHECK(!sv_eq_nocase(SV("\xc3\x84"), SV("\xc3\xa4")));
}

static void a_shorter_view_sorts_before_a_longer_with_the_same_start(void)
{
    CHECK(sv_cmp(SV("t"), SV("t2")) < 0);
    CHECK(sv_cmp(SV("b"), SV("a")) > 0);
    CHECK_INT(sv_cmp(SV("a"), SV("a")), 0);
}

static void trimming_leaves_the_inside_alone(void)
{
    CHECK_SV(sv_trim(SV(" \t a b \r\n")), SV("a b"));
    CHECK_SV(sv_trim_end(SV("s3://b/t//"), '/'), SV("s3://b/t"));
}

static size_t utf8(const char *text, uint32_t *code)
{
    *code = 0;
    return sv_utf8(sv_from(text), code);
}

static void a_character_is_read_in_its_shortest_form_only(void)
{
    uint32_t code;

    CHECK_INT(utf8("a", &code), 1);
    CHECK_INT(code, 'a');
    CHECK_INT(utf8("\xc3\xa9x", &code), 2);
    CHECK_INT(code, 0xe9);
    CHECK_INT(utf8("\xe2\x82\xac", &code), 3);
    CHECK_INT(code, 0x20ac);
    CHECK_INT(utf8("\xf0\x9f\x98\x80", &code), 4);
    CHECK_INT(code, 0x1f600);
    CHECK_INT(utf8("\xf4\x8f\xbf\xbf", &code), 4);
    CHECK_INT(sv_utf8((struct sv){0}, &code), 0);
}

static void what_is_no_character_is_told(void)
{
    static const char *const wrong[] = {"\x80",
                                        "\xbf",
                                        "\xc0\x80",
                                        "\xc1\xbf",
                                        "\xc3",
                                        "\xc3(",
                                        "\xe0\x9f\xbf",
                                        "\xe2\x82",
                                        "\xed\xa0\x80",
                                        "\xed\xbf\xbf",
                                        "\xf0\x8f\xbf\xbf",
                                        "\xf4\x90\x80\x80",
                                        "\xf5\x80\x80\x80",
                                        "\xff"};
    uint32_t code;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        CHECK_INT(utf8(wrong[i], &code), 0);
        CHECK(!sv_is_utf8(sv_from(wrong[i])));
    }
    CHECK(sv_is_utf8(SV("a\xc3\xa9\0z")));
    CHECK(!sv_is_utf8(SV("a\xc3\xa9\xc3")));
    CHECK(sv_is_utf8((struct sv){0}));
}

SUITE("base/sv", TEST(cut_takes_each_part_and_then_says_no),
      TEST(a_number_is_digits_and_nothing_else), TEST(case_is_ignored_for_ascii_only),
      TEST(a_shorter_view_sorts_before_a_longer_with_the_same_start),
      TEST(trimming_leaves_the_inside_alone), TEST(a_character_is_read_in_its_shortest_form_only),
      TEST(what_is_no_character_is_told))
