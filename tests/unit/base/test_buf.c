/* test_buf.c - bounded text. */
#include "base/buf.h"
#include "unit/suite.h"

static void text_up_to_the_maximum_fits(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 5);

    buf_add(&b, SV("abc"));
    buf_add(&b, SV("de"));
    CHECK(!b.over);
    CHECK_SV(buf_sv(&b), SV("abcde"));
}

static void one_byte_more_is_refused_and_so_is_all_that_follows(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 5);

    buf_add(&b, SV("abc"));
    buf_add(&b, SV("def"));
    buf_addc(&b, 'd');
    CHECK(b.over);
    CHECK_SV(buf_sv(&b), SV("abc"));
}

static void formatted_text_obeys_the_maximum_too(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 4);

    buf_addf(&b, "%d", 1234);
    CHECK_SV(buf_sv(&b), SV("1234"));
    buf_addf(&b, "%d", 5);
    CHECK(b.over);
    CHECK_SV(buf_sv(&b), SV("1234"));
}

static void growing_keeps_what_was_written(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 100000);

    for (int i = 0; i < 20000; i++)
        buf_addc(&b, (char)('a' + i % 26));
    CHECK_INT(b.n, 20000);
    for (int i = 0; i < 20000; i++) {
        if (b.p[i] != 'a' + i % 26)
            CHECK(0 && "a byte changed");
    }
}

static void dropping_keeps_the_rest(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 100);

    buf_add(&b, SV("headtail"));
    buf_drop(&b, 4);
    CHECK_SV(buf_sv(&b), SV("tail"));
    buf_drop(&b, 99);
    CHECK_SV(buf_sv(&b), SV(""));
}

SUITE("base/buf", TEST(text_up_to_the_maximum_fits),
      TEST(one_byte_more_is_refused_and_so_is_all_that_follows),
      TEST(formatted_text_obeys_the_maximum_too), TEST(growing_keeps_what_was_written),
      TEST(dropping_keeps_the_rest))
