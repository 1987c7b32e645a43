/* test_trail.c - the audit trail: nothing twice, nothing lost, by time. */
#include "unit/store/place.h"

static void put(struct place *p, const char *mark, int64_t from_ms, int64_t to_ms,
                const char *lines)
{
    const struct trail_page page = {sv_from(mark), from_ms, to_ms, 1, sv_from(lines)};

    NEED_OK(store_trail_put(p->store, &page, &p->e), &p->e);
}

/* The marks of what is found between two times, one behind the other. */
static struct sv between(struct place *p, int64_t from_ms, int64_t to_ms)
{
    struct trail_reading r = {.from_ms = from_ms, .to_ms = to_ms};
    struct trail_page page;
    struct sv marks = {0};
    bool found = true;

    while (found) {
        NEED_OK(store_trail_read(p->store, &r, &p->arena, &page, &found, &p->e), &p->e);
        if (found)
            marks = ARENA_JOIN(&p->arena, marks, page.mark);
    }
    return marks;
}

static void pages_are_found_by_their_time_the_newest_first(void)
{
    struct place p = {0};

    open_place(&p);
    put(&p, "a", 10, 20, "x");
    put(&p, "c", 15, 30, "x");
    put(&p, "b", 25, 30, "x");
    put(&p, "d", 40, 50, "x");
    CHECK_SV(between(&p, 0, INT64_MAX), SV("dcba"));
    CHECK_SV(between(&p, 21, 39), SV("cb"));
    CHECK_SV(between(&p, 20, 24), SV("ca"));
    CHECK_SV(between(&p, 30, 40), SV("dcb"));
    CHECK_SV(between(&p, 31, 39), SV(""));
    CHECK_SV(between(&p, 51, 60), SV(""));
    close_place(&p);
}

/* The answer to the first was lost: it comes again. */
static void a_page_that_comes_again_is_there_once(void)
{
    struct place p = {0};

    open_place(&p);
    put(&p, "a", 10, 20, "first");
    put(&p, "a", 10, 20, "first");
    CHECK_SV(between(&p, 0, 100), SV("a"));
    close_place(&p);
}

static void lines_come_back_as_they_were(void)
{
    static const char lines[] =
        "{\"reason\":\"'; DROP TABLE audit; --\"}\n{\"a\":\"\\u0000 \xc3\xa9 ?\"}\n";
    struct place p = {0};
    struct trail_reading r = {.to_ms = 100};
    struct trail_page page;
    bool found;

    open_place(&p);
    put(&p, "a", 10, 20, lines);
    NEED_OK(store_trail_read(p.store, &r, &p.arena, &page, &found, &p.e), &p.e);
    CHECK(found);
    CHECK_SV(page.lines, sv_from(lines));
    CHECK_INT(page.from_ms, 10);
    CHECK_INT(page.to_ms, 20);
    CHECK_INT(page.records, 1);
    close_place(&p);
}

static void what_is_old_is_forgotten_and_nothing_else(void)
{
    enum { OLD = 70 };
    struct place p = {0};
    bool more = true;
    int rounds = 0;

    open_place(&p);
    for (int i = 0; i < OLD; i++)
        put(&p, arena_printf(&p.arena, "old%d", i).p, i, i + 1, "x");
    put(&p, "new", 0, 1000, "x");
    for (; more && rounds < 10; rounds++)
        NEED_OK(store_trail_forget(p.store, 1000, &more, &p.e), &p.e);
    CHECK_INT(rounds, 3);
    CHECK_SV(between(&p, 0, INT64_MAX), SV("new"));
    close_place(&p);
}

SUITE("store/trail", TEST(pages_are_found_by_their_time_the_newest_first),
      TEST(a_page_that_comes_again_is_there_once), TEST(lines_come_back_as_they_were),
      TEST(what_is_old_is_forgotten_and_nothing_else))
