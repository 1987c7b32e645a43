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

SUITE("base/sv", TEST(cut_takes_each_part_and_then_says_no),
      TEST(a_number_is_digits_and_nothing_else), TEST(case_is_ignored_for_ascii_only),
      TEST(a_shorter_view_sorts_before_a_longer_with_the_same_start),
      TEST(trimming_leaves_the_inside_alone))
