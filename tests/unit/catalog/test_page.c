/* test_page.c - where a list goes on, and for whom. */
#include "fuzz/page_scene.h"
#include "unit/suite.h"
#include "unit/wire/drawn.h"
#include "wire/base64.h"

#define KEY   "0123456789abcdef0123456789abcdef"
#define OTHER "another-key-another-key-another-"

static void a_list_goes_on_after_what_was_told(void)
{
    auto_arena a = {0};
    struct rulebook *rules = page_rules(&a, KEY);
    struct page_scene s;
    struct paging p;

    page_scene(&s, 0, rules, &a);
    CHECK(page_goes_on(&s, page_token(&s, SV("t1")), &p));
    CHECK_SV(p.page.after, SV("t1"));
    CHECK_INT(p.page.limit, 1000);
    (void)rulebook_unref(rules);
}

static void a_token_is_of_its_caller_and_its_list_only(void)
{
    auto_arena a = {0};
    struct rulebook *rules = page_rules(&a, KEY);
    struct page_scene s;
    struct paging p;
    struct sv token;

    page_scene(&s, 0, rules, &a);
    token = page_token(&s, SV("t1"));
    for (size_t other = 1; other < PAGE_LISTS; other++) {
        page_scene(&s, other, rules, &a);
        CHECK(!page_goes_on(&s, token, &p));
    }
    (void)rulebook_unref(rules);
}

static void a_token_of_another_key_is_none(void)
{
    auto_arena a = {0};
    struct rulebook *rules = page_rules(&a, KEY), *others = page_rules(&a, OTHER);
    struct page_scene s, foreign;
    struct paging p;

    page_scene(&s, 0, rules, &a);
    page_scene(&foreign, 0, others, &a);
    CHECK(!page_goes_on(&s, page_token(&foreign, SV("t1")), &p));
    (void)rulebook_unref(rules);
    (void)rulebook_unref(others);
}

static void a_token_that_was_cut_or_lengthened_is_none(void)
{
    auto_arena a = {0};
    struct rulebook *rules = page_rules(&a, KEY);
    struct page_scene s;
    struct paging p;
    struct sv token;

    page_scene(&s, 0, rules, &a);
    token = page_token(&s, SV("t1"));
    for (size_t n = 1; n < token.n; n++) {
        CHECK(!page_goes_on(&s, sv_first(token, n), &p));
        CHECK(!page_goes_on(&s, sv_skip(token, n), &p));
    }
    CHECK(!page_goes_on(&s, arena_printf(&a, SV_FMT "A", SV_ARG(token)), &p));
    CHECK(!page_goes_on(&s, arena_printf(&a, SV_FMT "=", SV_ARG(token)), &p));
    CHECK(!page_goes_on(&s, arena_printf(&a, "." SV_FMT, SV_ARG(token)), &p));
    CHECK(!page_goes_on(&s, arena_printf(&a, SV_FMT "." SV_FMT, SV_ARG(token), SV_ARG(token)), &p));
    (void)rulebook_unref(rules);
}

static void a_token_with_any_bit_changed_is_none(void)
{
    auto_arena a = {0};
    struct rulebook *rules = page_rules(&a, KEY);
    struct page_scene s;
    struct paging p;
    struct sv token;
    char text[80];

    page_scene(&s, 0, rules, &a);
    token = page_token(&s, SV("t1"));
    NEED(token.n < sizeof(text));
    for (size_t i = 0; i < token.n * 8; i++) {
        memcpy(text, token.p, token.n);
        text[i / 8] = (char)(text[i / 8] ^ (1 << i % 8));
        CHECK(!page_goes_on(&s, sv_of(text, token.n), &p));
    }
    (void)rulebook_unref(rules);
}

/* What is behind a NUL is as much of the name as what is before it. */
static void a_name_is_sealed_to_its_last_byte(void)
{
    static const char longer[] = {'t', '1', '\0', 'x'};
    auto_arena a = {0};
    struct rulebook *rules = page_rules(&a, KEY);
    struct page_scene s;
    struct paging p;
    struct sv token, seal;

    page_scene(&s, 0, rules, &a);
    token = page_token(&s, SV("t1"));
    seal = sv_skip(token, (size_t)sv_find(token, '.'));
    CHECK(!page_goes_on(&s,
                        arena_printf(&a, SV_FMT SV_FMT,
                                     SV_ARG(base64url_encode(&a, sv_of(longer, sizeof(longer)))),
                                     SV_ARG(seal)),
                        &p));
    (void)rulebook_unref(rules);
}

static void a_list_goes_on_after_whatever_name_was_told(void)
{
    auto_arena a = {0};
    struct rulebook *rules = page_rules(&a, KEY);
    struct page_scene s;
    struct paging p;

    state = from_environment("FRONTDESK_SEED", 9);
    page_scene(&s, 0, rules, &a);
    for (uint64_t i = from_environment("FRONTDESK_DRAWS", 300); i; i--) {
        struct sv name = drawn_text(&a, 20);

        CHECK(page_goes_on(&s, page_token(&s, name), &p));
        CHECK_SV(p.page.after, name);
    }
    (void)rulebook_unref(rules);
}

SUITE("catalog/page", TEST(a_list_goes_on_after_what_was_told),
      TEST(a_token_is_of_its_caller_and_its_list_only), TEST(a_token_of_another_key_is_none),
      TEST(a_token_that_was_cut_or_lengthened_is_none), TEST(a_token_with_any_bit_changed_is_none),
      TEST(a_name_is_sealed_to_its_last_byte), TEST(a_list_goes_on_after_whatever_name_was_told))
