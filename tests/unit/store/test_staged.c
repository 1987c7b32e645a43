/* test_staged.c - places that were promised before the table exists. */
#include "unit/store/place.h"

/* A table of `name` for `principal` at `now_ms`. */
static enum err_code create_for(struct place *p, const char *principal, const char *name,
                                const char *location, int64_t now_ms)
{
    const struct table_name n = {sales.catalog, sales.ns, sv_from(name)};
    struct table_row row = {SV("u"), SV("s3://b/m.json"), sv_from(location), {0}, {0}};
    struct table_change c = {.row = &row, .principal = sv_from(principal), .now_ms = now_ms};
    struct err e = {0};

    return store_table_create(p->store, &n, &c, &p->arena, &e) ? ERR_NONE : e.code;
}

static void a_promise_holds_until_it_expires(void)
{
    struct place p = {0};

    open_place(&p);
    CHECK_INT(stage(&p, "l/etl", "s3://b/staged/", "u", 0, NULL), ERR_NONE);
    CHECK_INT(create_for(&p, "l/bob", "other", "s3://b/staged/x/", ENDS - 1), ERR_CONFLICT);
    CHECK(holds(&p, "l/etl", "s3://b/staged/", ENDS - 1));
    CHECK(!holds(&p, "l/bob", "s3://b/staged/", ENDS - 1));
    CHECK(!holds(&p, "l/etl", "s3://b/elsewhere/", ENDS - 1));
    CHECK(!holds(&p, "l/etl", "s3://b/staged/", ENDS));
    close_place(&p);
}

static void staging_again_elsewhere_keeps_the_first_place(void)
{
    struct place p = {0};

    open_place(&p);
    CHECK_INT(stage(&p, "l/etl", "s3://b/one/", "u1", 0, NULL), ERR_NONE);
    CHECK_INT(stage(&p, "l/etl", "s3://b/two/", "u2", 10, NULL), ERR_NONE);
    CHECK(holds(&p, "l/etl", "s3://b/one/", ENDS - 1));
    CHECK(holds(&p, "l/etl", "s3://b/two/", ENDS - 1));
    CHECK_INT(create_for(&p, "l/bob", "thief", "s3://b/one/", ENDS - 1), ERR_CONFLICT);
    close_place(&p);
}

static void staging_again_at_the_same_place_prolongs_it_and_keeps_its_uuid(void)
{
    struct place p = {0};
    struct sv uuid = {0};

    open_place(&p);
    CHECK_INT(stage(&p, "l/etl", "s3://b/one/", "u1", 0, NULL), ERR_NONE);
    CHECK_INT(stage(&p, "l/etl", "s3://b/one/", "u2", 500, &uuid), ERR_NONE);
    CHECK_SV(uuid, SV("u1"));
    CHECK(holds(&p, "l/etl", "s3://b/one/", ENDS + 499));
    CHECK_INT(stage(&p, "l/bob", "s3://b/one/", "u3", 600, NULL), ERR_CONFLICT);
    close_place(&p);
}

static void taking_up_a_place_keeps_the_others(void)
{
    struct place p = {0};

    open_place(&p);
    CHECK_INT(stage(&p, "l/etl", "s3://b/one/", "u1", 0, NULL), ERR_NONE);
    CHECK_INT(stage(&p, "l/etl", "s3://b/two/", "u2", 0, NULL), ERR_NONE);
    CHECK_INT(stage(&p, "l/bob", "s3://b/bobs/", "u3", 0, NULL), ERR_NONE);
    CHECK_INT(create_for(&p, "l/etl", "t", "s3://b/two/", 10), ERR_NONE);
    CHECK(!holds(&p, "l/etl", "s3://b/two/", 10));
    CHECK(holds(&p, "l/etl", "s3://b/one/", 10));
    CHECK(holds(&p, "l/bob", "s3://b/bobs/", 10));
    CHECK_INT(create_for(&p, "l/etl", "thief", "s3://b/bobs/", 10), ERR_CONFLICT);
    CHECK_INT(create_for(&p, "l/etl", "careless", "s3://b/one/", 10), ERR_CONFLICT);
    close_place(&p);
}

static void a_place_promised_to_another_is_not_taken_up(void)
{
    struct place p = {0};

    open_place(&p);
    CHECK_INT(stage(&p, "l/bob", "s3://b/bobs/", "u", 0, NULL), ERR_NONE);
    CHECK_INT(create_for(&p, "l/etl", "t", "s3://b/bobs/", 10), ERR_CONFLICT);
    CHECK(holds(&p, "l/bob", "s3://b/bobs/", 10));
    close_place(&p);
}

static void an_expired_promise_blocks_neither_create_nor_commit_nor_stage(void)
{
    struct place p = {0};
    struct table_row row = {SV("u"), SV("s3://b/2.json"), SV("s3://b/two/"), {0}, {0}};
    struct table_change c = {
        .row = &row, .old_metadata_location = SV("s3://b/m.json"), .now_ms = ENDS};
    const struct table_name other = {sales.catalog, sales.ns, SV("other")};

    open_place(&p);
    CHECK_INT(stage(&p, "l/bob", "s3://b/one/", "u1", 0, NULL), ERR_NONE);
    CHECK_INT(stage(&p, "l/bob", "s3://b/two/", "u2", 0, NULL), ERR_NONE);
    CHECK_INT(stage(&p, "l/bob", "s3://b/three/", "u3", 0, NULL), ERR_NONE);
    CHECK_INT(create_for(&p, "l/etl", "other", "s3://b/one/", ENDS - 1), ERR_CONFLICT);
    CHECK_INT(create_for(&p, "l/etl", "other", "s3://b/one/", ENDS), ERR_NONE);
    CHECK_OK(store_table_swap(p.store, &other, &c, &p.arena, &p.e), &p.e);
    CHECK_INT(stage(&p, "l/etl", "s3://b/three/", "u4", ENDS, NULL), ERR_NONE);
    close_place(&p);
}

static void a_place_in_anothers_table_is_not_promised(void)
{
    struct place p = {0};
    struct sv overlap;

    open_place(&p);
    NEED(create(&p, "host", "s3://b/host/", NULL, &overlap) == ERR_NONE);
    CHECK_INT(stage(&p, "l/bob", "s3://b/host/below/", "u", 0, NULL), ERR_CONFLICT);
    CHECK_INT(stage(&p, "l/bob", "s3://b/", "u", 0, NULL), ERR_CONFLICT);
    close_place(&p);
}

static void what_is_looked_at_is_what_a_create_would_be_told(void)
{
    struct place p = {0};
    struct table_row row = {SV("u"), SV("s3://b/m.json"), SV("s3://b/one/x/"), {0}, {0}};
    struct table_change c = {.row = &row, .principal = SV("l/etl"), .now_ms = 10};

    open_place(&p);
    CHECK_INT(stage(&p, "l/etl", "s3://b/one/", "u1", 0, NULL), ERR_NONE);
    CHECK_OK(store_table_overlap(p.store, &t, &c, &p.arena, &p.e), &p.e);
    CHECK_SV(c.overlap, SV("l/c/sales.t"));
    row.location = SV("s3://b/one/");
    CHECK_OK(store_table_overlap(p.store, &t, &c, &p.arena, &p.e), &p.e);
    CHECK_SV(c.overlap, SV(""));
    c.now_ms = ENDS;
    row.location = SV("s3://b/one/x/");
    CHECK_OK(store_table_overlap(p.store, &t, &c, &p.arena, &p.e), &p.e);
    CHECK_SV(c.overlap, SV(""));
    close_place(&p);
}

/* Stages the table at `location`, with `extra` beside it. */
static enum err_code stage_with(struct place *p, const char *location, const char *extra,
                                int64_t now_ms)
{
    struct staging g = {
        .row = {.principal = SV("l/etl"),
                .uuid = SV("u"),
                .location = sv_from(location),
                .expires_ms = now_ms + ENDS},
        .now_ms = now_ms,
    };
    struct err e = {0};

    vec_push(&g.row.extra_locations, &p->arena, sv_from(extra));
    return store_stage(p->store, &t, &g, &p->arena, &e) ? ERR_NONE : e.code;
}

static void no_folder_is_promised_that_is_anothers(void)
{
    struct place p = {0};

    open_place(&p);
    CHECK_INT(create_for(&p, "l/bob", "victim", "s3://b/victim/", 0), ERR_NONE);
    CHECK_INT(stage_with(&p, "s3://b/one/", "s3://b/victim/", 0), ERR_CONFLICT);
    CHECK_INT(stage_with(&p, "s3://b/one/", "s3://b/victim/data/", 0), ERR_CONFLICT);
    CHECK_INT(stage_with(&p, "s3://b/one/", "s3://b/", 0), ERR_CONFLICT);
    CHECK(!holds(&p, "l/etl", "s3://b/one/", 0));
    /* Nor by a promise that is made already. */
    CHECK_INT(stage(&p, "l/etl", "s3://b/one/", "u", 0, NULL), ERR_NONE);
    CHECK_INT(stage_with(&p, "s3://b/one/", "s3://b/victim/", 10), ERR_CONFLICT);
    close_place(&p);
}

static void a_promise_is_of_every_folder_and_grows(void)
{
    struct place p = {0};

    open_place(&p);
    CHECK_INT(stage_with(&p, "s3://b/one/", "s3://b/data/", 0), ERR_NONE);
    CHECK_INT(stage_with(&p, "s3://b/one/", "s3://b/data/", 5), ERR_NONE);
    CHECK_INT(stage_with(&p, "s3://b/one/", "s3://b/more/", 10), ERR_NONE);
    CHECK_INT(create_for(&p, "l/bob", "thief", "s3://b/data/x/", 20), ERR_CONFLICT);
    CHECK_INT(create_for(&p, "l/bob", "thief", "s3://b/more/", 20), ERR_CONFLICT);
    CHECK_INT(create_for(&p, "l/bob", "late", "s3://b/data/", ENDS + 10), ERR_NONE);
    close_place(&p);
}

static void folders_that_the_table_does_not_use_stay_promised(void)
{
    struct place p = {0};

    open_place(&p);
    CHECK_INT(stage_with(&p, "s3://b/one/", "s3://b/data/", 0), ERR_NONE);
    CHECK_INT(create_for(&p, "l/etl", "t", "s3://b/one/", 10), ERR_NONE);
    CHECK_INT(create_for(&p, "l/bob", "thief", "s3://b/data/", 20), ERR_CONFLICT);
    CHECK_INT(create_for(&p, "l/bob", "late", "s3://b/data/", ENDS), ERR_NONE);
    close_place(&p);
}

static void a_table_may_lie_within_what_was_promised_for_it(void)
{
    struct place p = {0};
    struct table_row row = {SV("u"), SV("s3://b/m.json"), SV("s3://b/one/"), {0}, {0}};
    struct table_change c = {.row = &row, .principal = SV("l/etl"), .now_ms = 10};

    open_place(&p);
    CHECK_INT(stage_with(&p, "s3://b/one/", "s3://b/data/", 0), ERR_NONE);
    vec_push(&row.extra_locations, &p.arena, SV("s3://b/data/t/"));
    NEED_OK(store_table_create(p.store, &t, &c, &p.arena, &p.e), &p.e);
    CHECK_INT(create_for(&p, "l/bob", "thief", "s3://b/data/other/", 20), ERR_CONFLICT);
    close_place(&p);
}

SUITE("store/staged", TEST(no_folder_is_promised_that_is_anothers),
      TEST(a_promise_is_of_every_folder_and_grows),
      TEST(folders_that_the_table_does_not_use_stay_promised),
      TEST(a_table_may_lie_within_what_was_promised_for_it), TEST(a_promise_holds_until_it_expires),
      TEST(staging_again_elsewhere_keeps_the_first_place),
      TEST(staging_again_at_the_same_place_prolongs_it_and_keeps_its_uuid),
      TEST(taking_up_a_place_keeps_the_others), TEST(a_place_promised_to_another_is_not_taken_up),
      TEST(an_expired_promise_blocks_neither_create_nor_commit_nor_stage),
      TEST(a_place_in_anothers_table_is_not_promised),
      TEST(what_is_looked_at_is_what_a_create_would_be_told))
