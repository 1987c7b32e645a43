/* test_obligations.c - a place is remembered until the latest time that anybody was promised, by
 * whatever way it is given up. */
#include "base/world.h"
#include "unit/store/place.h"

enum { WEEK = 100000, HOUR = 100, NOW = 10 };

static const struct table_name moved = {SV_INIT("l/c"), SV_INIT("sales"), SV_INIT("moved")};

static bool is_free(struct place *p, const char *location, int64_t now_ms)
{
    const struct table_row row = {.location = sv_from(location)};
    const struct table_name thief = {sales.catalog, sales.ns, SV("thief")};
    struct table_change c = {.row = &row, .principal = SV("l/thief"), .now_ms = now_ms};

    NEED_OK(store_table_overlap(p->store, &thief, &c, &p->arena, &p->e), &p->e);
    return !c.overlap.n;
}

static void check_kept_until(struct place *p, const char *location, int64_t until_ms)
{
    CHECK(!is_free(p, location, until_ms - 1));
    CHECK(is_free(p, location, until_ms));
}

static struct table_row row_at(struct place *p, const char *location, const char *extra)
{
    struct table_row row = {.uuid = SV("u"),
                            .metadata_location = arena_printf(&p->arena, "%s#", location),
                            .location = sv_from(location)};

    if (extra)
        vec_push(&row.extra_locations, &p->arena, sv_from(extra));
    return row;
}

static void make(struct place *p, const char *location, const char *extra, bool view)
{
    const struct table_row row = row_at(p, location, extra);
    struct table_change c = {.row = &row, .principal = SV("l/etl"), .now_ms = NOW};

    NEED_OK((view ? store_view_create : store_table_create)(p->store, &t, &c, &p->arena, &p->e),
            &p->e);
}

/* Its mark is fresh. */
static struct dropping giving_up(struct place *p, int64_t keep_ms)
{
    return (struct dropping){.mark = world_uuid(&world_os, &p->arena),
                             .principal = SV("l/etl"),
                             .now_ms = NOW,
                             .keep_ms = keep_ms};
}

/* By a move, a registration over it or a replacement. */
static void move(struct place *p, const char *location, const char *extra, bool view)
{
    const struct dropping leaves = giving_up(p, HOUR);
    const struct table_row row = row_at(p, location, extra);
    struct table_change c = {
        .row = &row, .principal = SV("l/etl"), .now_ms = NOW, .leaves = &leaves};
    struct table_row before;

    NEED_OK((view ? store_view_get : store_table_get)(p->store, &t, &p->arena, &before, &p->e),
            &p->e);
    c.old_metadata_location = before.metadata_location;
    NEED_OK((view ? store_view_swap : store_table_swap)(p->store, &t, &c, &p->arena, &p->e), &p->e);
}

static void drop_for(struct place *p, const struct table_name *name, int64_t keep_ms, bool view)
{
    const struct dropping d = giving_up(p, keep_ms);

    NEED_OK((view ? store_view_drop : store_table_drop)(p->store, name, &d, &p->e), &p->e);
}

/* A week of what was dropped at `location`, taken up again at `again`. */
static void take_up(struct place *p, const char *location, const char *again, bool view)
{
    open_place(p);
    make(p, location, NULL, view);
    drop_for(p, &t, WEEK, view);
    make(p, again, NULL, view);
}

static void a_place_that_was_taken_up_and_left_keeps_its_time(void)
{
    for (int view = 0; view < 2; view++) {
        struct place p = {0};

        take_up(&p, "s3://b/t/", "s3://b/t/", view);
        move(&p, "s3://b/away/", NULL, view);
        check_kept_until(&p, "s3://b/t/", NOW + WEEK);
        close_place(&p);
    }
}

static void a_drop_for_less_shortens_no_time(void)
{
    static const int64_t less[] = {0, HOUR};

    for (int i = 0; i < 4; i++) {
        struct place p = {0};

        take_up(&p, "s3://b/t/", "s3://b/t/", i % 2);
        drop_for(&p, &t, less[i / 2], i % 2);
        check_kept_until(&p, "s3://b/t/", NOW + WEEK);
        close_place(&p);
    }
}

static void another_name_shortens_no_time(void)
{
    struct renaming r = {.from = t, .to = moved};
    struct place p = {0};

    take_up(&p, "s3://b/t/", "s3://b/t/", false);
    NEED_OK(store_rename(p.store, &r, &p.arena, &p.e), &p.e);
    drop_for(&p, &moved, 0, false);
    check_kept_until(&p, "s3://b/t/", NOW + WEEK);
    close_place(&p);
}

static void a_folder_above_or_below_shortens_no_time(void)
{
    static const char *const places[] = {"s3://b/t/", "s3://b/t/in/"};

    for (int i = 0; i < 2; i++) {
        struct place p = {0};

        take_up(&p, places[i], places[1 - i], false);
        move(&p, "s3://b/away/", NULL, false);
        check_kept_until(&p, "s3://b/t/in/", NOW + WEEK);
        close_place(&p);
    }
}

static void a_folder_that_is_left_in_two_steps_keeps_its_time(void)
{
    struct place p = {0};

    take_up(&p, "s3://b/t/", "s3://b/t/", false);
    move(&p, "s3://b/away/", "s3://b/t/", false);
    move(&p, "s3://b/away/", "s3://b/data/", false);
    check_kept_until(&p, "s3://b/t/", NOW + WEEK);
    drop_for(&p, &t, HOUR, false);
    check_kept_until(&p, "s3://b/away/", NOW + HOUR);
    close_place(&p);
}

static void a_purge_shortens_no_time(void)
{
    const struct purge_lease l = {.holder = SV("h"), .now_ms = NOW + 1, .until_ms = NOW + 2};
    struct dropping d;
    struct purge_row row;
    struct place p = {0};

    take_up(&p, "s3://b/t/", "s3://b/t/", false);
    d = giving_up(&p, HOUR);
    d.purge = true;
    NEED_OK(store_table_drop(p.store, &t, &d, &p.e), &p.e);
    NEED_OK(store_purge_take(p.store, &l, &p.arena, &row, &p.e), &p.e);
    CHECK(!is_free(&p, "s3://b/t/", INT64_MAX - 1));
    NEED_OK(store_purge_end(p.store, row.id, &l, &p.e), &p.e);
    check_kept_until(&p, "s3://b/t/", NOW + WEEK);
    close_place(&p);
}

/* Credentials for what was promised may live until then. */
static void a_promise_that_was_taken_up_outlives_the_table(void)
{
    struct place p = {0};

    open_place(&p);
    NEED(stage(&p, "l/etl", "s3://b/t/", "u", NOW, NULL) == ERR_NONE);
    make(&p, "s3://b/t/", NULL, false);
    drop_for(&p, &t, 0, false);
    check_kept_until(&p, "s3://b/t/", NOW + ENDS);
    close_place(&p);
}

static void the_later_time_counts_when_it_is_the_last_one(void)
{
    struct place p = {0};

    open_place(&p);
    make(&p, "s3://b/t/", NULL, false);
    drop_for(&p, &t, HOUR, false);
    make(&p, "s3://b/t/", NULL, false);
    drop_for(&p, &t, WEEK, false);
    check_kept_until(&p, "s3://b/t/", NOW + WEEK);
    close_place(&p);
}

/* A folder that stays has no time of its own. */
static void a_move_promises_nothing_of_what_it_keeps(void)
{
    struct place p = {0};

    open_place(&p);
    make(&p, "s3://b/t/", "s3://b/data/", false);
    move(&p, "s3://b/t/", "s3://b/more/", false);
    drop_for(&p, &t, 0, false);
    CHECK(is_free(&p, "s3://b/t/", NOW));
    CHECK(is_free(&p, "s3://b/more/", NOW));
    check_kept_until(&p, "s3://b/data/", NOW + HOUR);
    close_place(&p);
}

SUITE("store/obligations", TEST(a_place_that_was_taken_up_and_left_keeps_its_time),
      TEST(a_drop_for_less_shortens_no_time), TEST(another_name_shortens_no_time),
      TEST(a_folder_above_or_below_shortens_no_time),
      TEST(a_folder_that_is_left_in_two_steps_keeps_its_time), TEST(a_purge_shortens_no_time),
      TEST(a_promise_that_was_taken_up_outlives_the_table),
      TEST(the_later_time_counts_when_it_is_the_last_one),
      TEST(a_move_promises_nothing_of_what_it_keeps))
