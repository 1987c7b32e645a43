/* test_services.c - token services that do not answer, and what is left for those that do. */
#include "base/limits.h"
#include "serve/services.h"
#include "unit/suite.h"

static unsigned begin_all(struct services *all, struct sv name, int64_t now_ms,
                          struct service **last)
{
    struct err e = {0};
    struct service *s;
    unsigned n = 0;

    while ((s = services_begin(all, name, now_ms, &e))) {
        *last = s;
        n++;
    }
    CHECK(e.code == ERR_BUSY || e.code == ERR_UNAVAILABLE);
    return n;
}

static void no_service_takes_more_mints_than_are_free(void)
{
    struct services all = {0};
    struct service *a = NULL, *b = NULL;

    CHECK_INT(begin_all(&all, SV("n/a"), 1, &a), LIMIT_MINTS_IN_FLIGHT / 2);
    CHECK_INT(begin_all(&all, SV("n/b"), 1, &b), LIMIT_MINTS_IN_FLIGHT / 4);
    CHECK(a != b);
    services_done(&all);
}

/* Forty of them, each with all that it can have: when they have been silent once they hold one
 * each, and another has room. */
static void silent_services_have_one_mint_each(void)
{
    struct services all = {0};
    struct service *of[40], *last = NULL;
    auto_arena a = {0};
    unsigned n;

    for (int i = 0; i < 40; i++) {
        struct sv name = arena_printf(&a, "n/%d", i);

        n = begin_all(&all, name, 1, &of[i]);
        for (; n; n--) {
            service_was_silent(of[i], 3000);
            services_end(&all, of[i]);
        }
        CHECK_INT(begin_all(&all, name, 3001, &of[i]), 1);
    }
    CHECK_INT(all.in_flight, 40);
    CHECK_INT(begin_all(&all, SV("n/good"), 3002, &last), (LIMIT_MINTS_IN_FLIGHT - 40) / 2);
    services_done(&all);
}

static void a_service_that_answers_again_has_its_share_again(void)
{
    struct services all = {0};
    struct service *s = NULL;
    struct err e = {0};

    s = services_begin(&all, SV("n/a"), 1, &e);
    NEED(s != NULL);
    service_was_silent(s, 1);
    CHECK(!services_begin(&all, SV("n/a"), 2, &e));
    CHECK_INT(e.code, ERR_UNAVAILABLE);
    service_answered(s);
    CHECK(services_begin(&all, SV("n/a"), 2, &e) == s);
    services_done(&all);
}

static void what_was_silent_long_ago_is_forgotten(void)
{
    struct services all = {0};
    struct err e = {0};
    struct service *s = services_begin(&all, SV("n/a"), 1, &e);

    NEED(s != NULL);
    service_was_silent(s, 1);
    services_end(&all, s);
    NEED(services_begin(&all, SV("n/b"), 60000, &e) != NULL);
    CHECK(all.first->next == s);
    NEED(services_begin(&all, SV("n/b"), 60001, &e) != NULL);
    CHECK(all.first->next == NULL);
    services_done(&all);
}

SUITE("serve/services", TEST(no_service_takes_more_mints_than_are_free),
      TEST(silent_services_have_one_mint_each),
      TEST(a_service_that_answers_again_has_its_share_again),
      TEST(what_was_silent_long_ago_is_forgotten))
