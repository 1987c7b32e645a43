/* fuzz_page_token.c - where a list goes on: only by what we told this caller of this list. */
/* layer: catalog */
#include "page_scene.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEY "0123456789abcdef0123456789abcdef"

/* Whatever is sent: what goes on is the one text that we make for that name, and of no other list.
 */
static void check_sent(struct sv token, size_t list, struct rulebook *rules, struct arena *a)
{
    struct page_scene s;
    struct paging p;

    page_scene(&s, list, rules, a);
    if (!page_goes_on(&s, token, &p))
        return;
    assert(p.page.limit > 0);
    if (!token.n) {
        assert(!p.page.after.n);
        return;
    }
    assert(sv_eq(page_token(&s, p.page.after), token));
    for (size_t other = 0; other < PAGE_LISTS; other++) {
        page_scene(&s, other, rules, a);
        assert(page_goes_on(&s, token, &p) == (other == list));
    }
}

/* Whatever the name: what we tell is taken by whom it was told, and with one byte changed by none.
 */
static void check_told(struct sv last, size_t list, struct rulebook *rules, struct arena *a)
{
    struct page_scene s;
    struct paging p;
    struct sv token;
    char *changed;

    page_scene(&s, list, rules, a);
    token = page_token(&s, last);
    assert(page_goes_on(&s, token, &p) && sv_eq(p.page.after, last));
    check_sent(token, list, rules, a);
    page_scene(&s, list, rules, a);
    changed = arena_array(a, char, token.n);
    for (size_t i = 0; i < token.n; i++)
        changed[i] = token.p[i];
    changed[last.n % token.n] ^= 1;
    assert(!page_goes_on(&s, sv_of(changed, token.n), &p));
    assert(!page_goes_on(&s, sv_first(token, last.n % token.n), &p) || !(last.n % token.n));
}

static void check_query(struct sv text, struct rulebook *rules, struct arena *a)
{
    struct page_scene s;
    struct paging p;
    struct err e = {0};

    page_scene(&s, 0, rules, a);
    if (!form_read(text, a, &s.call.query, &e) || !page_begin(&s.call, s.scope, &p, &e)) {
        assert(e.code == ERR_INVALID);
        return;
    }
    assert(p.page.limit >= 0 && p.page.limit <= 1000);
    assert((p.page.limit > 0) == (form_get(&s.call.query, SV("pageToken")) != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena a = {0};
    struct rulebook *rules;
    struct sv text;

    if (size < 1)
        return 0;
    rules = page_rules(&a, KEY);
    text = sv_of((const char *)data + 1, size - 1);
    check_sent(text, (size_t)data[0] % PAGE_LISTS, rules, &a);
    check_told(text, (size_t)data[0] % PAGE_LISTS, rules, &a);
    check_query(text, rules, &a);
    (void)rulebook_unref(rules);
    return 0;
}
