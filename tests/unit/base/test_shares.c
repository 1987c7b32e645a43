/* test_shares.c - no owner holds more than is free, and what is given back is free again. */
#include "base/shares.h"
#include "unit/suite.h"

static size_t take_all(struct shares *s, struct sv owner)
{
    size_t n = 0;

    while (shares_take(s, owner, 1))
        n++;
    return n;
}

static void one_owner_gets_half_and_each_newcomer_half_of_the_rest(void)
{
    auto_arena a = {0};
    struct shares s;

    shares_init(&s, 1200, &a);
    CHECK_INT(take_all(&s, SV("a")), 600);
    CHECK_INT(take_all(&s, SV("b")), 300);
    CHECK_INT(take_all(&s, SV("c")), 150);
    CHECK_INT(shares_used(&s), 1050);
    shares_give(&s, SV("a"), 600);
    CHECK(shares_take(&s, SV("c"), 1));
    shares_give(&s, SV("b"), 300);
    shares_give(&s, SV("c"), 151);
    CHECK_INT(take_all(&s, SV("c")), 600);
    shares_give(&s, SV("c"), 600);
    shares_done(&s);
}

static void what_is_refused_is_not_taken(void)
{
    auto_arena a = {0};
    struct shares s;

    shares_init(&s, 100, &a);
    CHECK(!shares_take(&s, SV("a"), 51));
    CHECK(!shares_take(&s, SV("a"), SIZE_MAX));
    CHECK_INT(shares_used(&s), 0);
    CHECK(shares_take(&s, SV("a"), 50));
    CHECK(!shares_take(&s, SV("a"), 1));
    CHECK(!shares_take(&s, SV("b"), SIZE_MAX));
    CHECK_INT(shares_used(&s), 50);
    CHECK(shares_take(&s, SV(""), 0));
    shares_give(&s, SV("a"), 50);
    shares_done(&s);
}

static void thousands_of_owners_are_told_apart(void)
{
    auto_arena a = {0};
    struct shares s;

    shares_init(&s, 1 << 20, &a);
    for (int i = 0; i < 5000; i++)
        CHECK(shares_take(&s, arena_printf(&a, "%d", i), (size_t)(i % 7 + 1)));
    for (int i = 4999; i >= 0; i--)
        shares_give(&s, arena_printf(&a, "%d", i), (size_t)(i % 7 + 1));
    CHECK_INT(shares_used(&s), 0);
    shares_done(&s);
}

SUITE("base/shares", TEST(one_owner_gets_half_and_each_newcomer_half_of_the_rest),
      TEST(what_is_refused_is_not_taken), TEST(thousands_of_owners_are_told_apart))
