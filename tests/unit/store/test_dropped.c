/* test_dropped.c - whose place it is after a drop. */
#include "unit/store/place.h"

enum { KEPT = 5000 };

static enum err_code enter(struct place *p, const char *name, const char *location, int64_t now_ms,
                           bool view)
{
    struct table_row row = {SV("u"), SV("s3://b/m.json"), sv_from(location), {0}, {0}};
    const struct table_name n = {sales.catalog, sales.ns, sv_from(name)};
    struct table_change c = {.row = &row, .principal = SV("l/mallory"), .now_ms = now_ms};
    struct err e = {0};

    return (view ? store_view_create(p->store, &n, &c, &p->arena, &e)
                 : store_table_create(p->store, &n, &c, &p->arena, &e))
               ? ERR_NONE
               : e.code;
}

/* What registering asks before it reads a file there. */
static bool would_overlap(struct place *p, const char *name, const char *location, int64_t now_ms)
{
    const struct table_row row = {.location = sv_from(location)};
    const struct table_name n = {sales.catalog, sales.ns, sv_from(name)};
    struct table_change c = {.row = &row, .principal = SV("l/mallory"), .now_ms = now_ms};

    NEED_OK(store_table_overlap(p->store, &n, &c, &p->arena, &p->e), &p->e);
    return c.overlap.n != 0;
}

/* A drop at `now_ms`, which forgets what has expired. */
static void another_drop(struct place *p, int64_t now_ms)
{
    const struct dropping d = {.now_ms = now_ms};
    const struct table_name n = {sales.catalog, sales.ns, SV("another")};
    struct sv overlap;

    NEED(create(p, "another", "s3://b/another/", NULL, &overlap) == ERR_NONE);
    NEED_OK(store_table_drop(p->store, &n, &d, &p->e), &p->e);
}

static void gone(struct place *p, const char *location, const char *extra)
{
    struct sv overlap;

    open_place(p);
    NEED(create(p, "t", location, extra, &overlap) == ERR_NONE);
    NEED_OK(drop(p, "t", KEPT, false), &p->e);
}

static void nobody_else_reads_what_was_dropped(void)
{
    static const char *const places[] = {"s3://b/t/", "s3://b/t/metadata/", "s3://b/",
                                         "s3://b/data/x/", NULL};
    struct place p = {0};

    gone(&p, "s3://b/t/", "s3://b/data/");
    for (const char *const *l = places; *l; l++) {
        CHECK(would_overlap(&p, "thief", *l, KEPT - 1));
        CHECK_INT(enter(&p, "thief", *l, KEPT - 1, false), ERR_CONFLICT);
        CHECK_INT(enter(&p, "thief", *l, KEPT - 1, true), ERR_CONFLICT);
    }
    CHECK_INT(enter(&p, "neighbour", "s3://b/t2/", KEPT - 1, false), ERR_NONE);
    CHECK(!would_overlap(&p, "thief", "s3://b/t/", KEPT));
    CHECK_INT(enter(&p, "thief", "s3://b/t/", KEPT, false), ERR_NONE);
    close_place(&p);
}

static void nor_by_staging_moving_or_renaming_something_there(void)
{
    struct table_row row = {SV("u"), SV("s3://b/2.json"), SV("s3://b/t/"), {0}, {0}};
    const struct table_name other = {sales.catalog, sales.ns, SV("other")};
    struct table_change c = {.row = &row, .old_metadata_location = SV("s3://b/m.json")};
    struct staging g = {
        .row = {.principal = SV("l/mallory"),
                .uuid = SV("u"),
                .location = SV("s3://b/t/in/"),
                .expires_ms = KEPT}
    };
    struct place p = {0};

    gone(&p, "s3://b/t/", NULL);
    NEED(enter(&p, "other", "s3://b/other/", 1, false) == ERR_NONE);
    CHECK(!store_stage(p.store, &(struct table_name){sales.catalog, sales.ns, SV("x")}, &g,
                       &p.arena, &p.e));
    CHECK_INT(p.e.code, ERR_CONFLICT);
    CHECK(!store_table_swap(p.store, &other, &c, &p.arena, &p.e));
    CHECK_SV(c.overlap, SV("l/c/sales.t"));
    close_place(&p);
}

static void its_own_name_takes_its_place_up_again(void)
{
    struct renaming r = {
        .from = t, .to = {SV("l/c"), SV("sales"), SV("moved")}
    };
    struct place p = {0};

    gone(&p, "s3://b/t/", NULL);
    CHECK(!would_overlap(&p, "t", "s3://b/t/", 1));
    CHECK_INT(stage(&p, "l/etl", "s3://b/t/", "u", 1, NULL), ERR_NONE);
    CHECK_INT(enter(&p, "t", "s3://b/t/", ENDS + 1, false), ERR_NONE);
    /* It is that table's now, whatever its name, and is remembered as long as it would have been.
     */
    NEED_OK(store_rename(p.store, &r, &p.arena, &p.e), &p.e);
    CHECK_INT(enter(&p, "t", "s3://b/t/", 1, false), ERR_CONFLICT);
    NEED_OK(store_table_drop(p.store, &r.to, &forgotten, &p.e), &p.e);
    CHECK_INT(enter(&p, "thief", "s3://b/t/", KEPT - 1, false), ERR_CONFLICT);
    CHECK_INT(enter(&p, "thief", "s3://b/t/", KEPT, false), ERR_NONE);
    close_place(&p);
}

/* Keys that were handed out for a table may live, and none may reach a view's text; and a view is
 * not a table's to read. */
static void a_view_does_not_take_up_a_tables_place_nor_a_table_a_views(void)
{
    const struct dropping d = {.mark = SV("v"), .principal = SV("p"), .keep_ms = KEPT};
    const struct table_name v = {sales.catalog, sales.ns, SV("v")};
    struct place p = {0};

    gone(&p, "s3://b/t/", NULL);
    CHECK_INT(enter(&p, "t", "s3://b/t/", 1, true), ERR_CONFLICT);
    NEED(enter(&p, "v", "s3://b/v/", 1, true) == ERR_NONE);
    NEED_OK(store_view_drop(p.store, &v, &d, &p.e), &p.e);
    CHECK_INT(enter(&p, "v", "s3://b/v/", 1, false), ERR_CONFLICT);
    CHECK_INT(enter(&p, "v", "s3://b/v/", 1, true), ERR_NONE);
    close_place(&p);
}

static void what_is_not_taken_up_stays_guarded(void)
{
    struct place p = {0};

    gone(&p, "s3://b/t/", "s3://b/data/");
    NEED(enter(&p, "t", "s3://b/data/", 1, false) == ERR_NONE);
    CHECK_INT(enter(&p, "thief", "s3://b/t/", 1, false), ERR_CONFLICT);
    NEED_OK(drop(&p, "t", 0, false), &p.e);
    CHECK_INT(enter(&p, "thief", "s3://b/data/", KEPT, false), ERR_NONE);
    another_drop(&p, KEPT);
    CHECK_INT(enter(&p, "late", "s3://b/t/", 1, false), ERR_NONE);
    close_place(&p);
}

static void what_has_expired_is_forgotten_with_the_drops_that_follow_some_of_it_with_each(void)
{
    enum { MANY = 20, AT_ONCE = 16 };
    struct place p = {0};
    struct sv overlap;

    open_place(&p);
    for (int i = 0; i <= MANY; i++) {
        const char *name = arena_printf(&p.arena, "t%d", i).p;

        NEED(create(&p, name, arena_printf(&p.arena, "s3://b/%d/", i).p, NULL, &overlap) ==
             ERR_NONE);
        NEED_OK(drop(&p, name, KEPT + i, false), &p.e);
    }
    another_drop(&p, KEPT + MANY - 1);
    CHECK(!would_overlap(&p, "x", arena_printf(&p.arena, "s3://b/%d/", AT_ONCE - 1).p, 1));
    CHECK(would_overlap(&p, "x", arena_printf(&p.arena, "s3://b/%d/", AT_ONCE).p, 1));
    another_drop(&p, KEPT + MANY - 1);
    CHECK(!would_overlap(&p, "x", arena_printf(&p.arena, "s3://b/%d/", MANY - 1).p, 1));
    CHECK(would_overlap(&p, "x", arena_printf(&p.arena, "s3://b/%d/", MANY).p, 1));
    close_place(&p);
}

static void a_namespace_can_go_although_something_was_dropped_in_it(void)
{
    struct place p = {0};

    gone(&p, "s3://b/t/", NULL);
    CHECK_OK(store_namespace_drop(p.store, &sales, &p.e), &p.e);
    NEED_OK(store_namespace_create(p.store, &sales, SV("{}"), &p.e), &p.e);
    CHECK_INT(enter(&p, "thief", "s3://b/t/", 1, false), ERR_CONFLICT);
    CHECK_INT(enter(&p, "t", "s3://b/t/", 1, false), ERR_NONE);
    close_place(&p);
}

/* The table t moves at `now_ms`; what it leaves is remembered for KEPT. */
static enum err_code move_to(struct place *p, const char *location, int64_t now_ms)
{
    const struct table_row row = {SV("u"), SV("s3://b/n.json"), sv_from(location), {0}, {0}};
    const struct table_name n = {sales.catalog, sales.ns, SV("t")};
    const struct dropping leaves = {
        .mark = sv_from(location), .principal = SV("l/etl"), .now_ms = now_ms, .keep_ms = KEPT};
    struct table_change c = {
        .row = &row, .principal = SV("l/etl"), .now_ms = now_ms, .leaves = &leaves};
    struct table_row before;
    struct err e = {0};

    NEED_OK(store_table_get(p->store, &n, &p->arena, &before, &p->e), &p->e);
    c.old_metadata_location = before.metadata_location;
    return store_table_swap(p->store, &n, &c, &p->arena, &e) ? ERR_NONE : e.code;
}

static void a_place_that_a_table_left_is_its_own_for_a_while(void)
{
    struct place p = {0};
    struct sv overlap;

    open_place(&p);
    NEED(create(&p, "t", "s3://b/t/", "s3://b/data/", &overlap) == ERR_NONE);
    CHECK_INT(move_to(&p, "s3://b/t/deeper/", 0), ERR_NONE);
    CHECK_INT(enter(&p, "thief", "s3://b/t/", KEPT - 1, false), ERR_CONFLICT);
    CHECK_INT(enter(&p, "thief", "s3://b/t/other/", KEPT - 1, false), ERR_CONFLICT);
    CHECK_INT(enter(&p, "thief", "s3://b/data/", KEPT - 1, false), ERR_CONFLICT);
    CHECK_INT(move_to(&p, "s3://b/data/", 1), ERR_NONE);
    CHECK_INT(move_to(&p, "s3://b/t/", 2), ERR_NONE);
    CHECK_INT(enter(&p, "thief", "s3://b/data/", KEPT, false), ERR_CONFLICT);
    CHECK_INT(enter(&p, "late", "s3://b/data/", KEPT + 2, false), ERR_NONE);
    CHECK_INT(enter(&p, "thief", "s3://b/t/deeper/", KEPT + 2, false), ERR_CONFLICT);
    close_place(&p);
}

SUITE("store/dropped", TEST(a_place_that_a_table_left_is_its_own_for_a_while),
      TEST(nobody_else_reads_what_was_dropped),
      TEST(nor_by_staging_moving_or_renaming_something_there),
      TEST(its_own_name_takes_its_place_up_again),
      TEST(a_view_does_not_take_up_a_tables_place_nor_a_table_a_views),
      TEST(what_is_not_taken_up_stays_guarded),
      TEST(what_has_expired_is_forgotten_with_the_drops_that_follow_some_of_it_with_each),
      TEST(a_namespace_can_go_although_something_was_dropped_in_it))
