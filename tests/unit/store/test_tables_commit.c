/* test_tables_commit.c - several tables change together, or none does. */
#include "unit/store/place.h"

static const struct table_name u = {SV_INIT("l/c"), SV_INIT("sales"), SV_INIT("u")};

static struct table_change change(const struct table_row *row, const char *old)
{
    return (struct table_change){
        .row = row, .old_metadata_location = sv_from(old), .principal = SV("l/etl")};
}

static struct sv pointer(struct place *p, const struct table_name *name)
{
    struct table_row row = {0};
    struct err e = {0};

    return store_table_get(p->store, name, &p->arena, &row, &e) ? row.metadata_location
                                                                : SV("none");
}

static void open_with_two(struct place *p)
{
    struct sv overlap;

    open_place(p);
    NEED(create(p, "t", "s3://b/t/", NULL, &overlap) == ERR_NONE);
    NEED(create(p, "u", "s3://b/u/", NULL, &overlap) == ERR_NONE);
}

static void all_pointers_move_and_a_new_table_appears(void)
{
    const struct table_name fresh = {sales.catalog, sales.ns, SV("fresh")};
    struct table_row rows[] = {
        {SV("u"), SV("s3://b/t/2"), SV("s3://b/t/"), {0}, {0}},
        {SV("u"), SV("s3://b/f/1"), SV("s3://b/f/"), {0}, {0}}
    };
    struct table_change c[] = {change(&rows[0], "s3://b/m.json"), change(NULL, "s3://b/m.json"),
                               change(&rows[1], "")};
    const struct table_step steps[] = {
        {t,     &c[0], STEP_SWAP  },
        {u,     &c[1], STEP_KEEP  },
        {fresh, &c[2], STEP_CREATE}
    };
    struct place p = {0};
    size_t failed;

    open_with_two(&p);
    NEED_OK(store_tables_commit(p.store, steps, 3, &p.arena, &failed, &p.e), &p.e);
    CHECK_SV(pointer(&p, &t), SV("s3://b/t/2"));
    CHECK_SV(pointer(&p, &u), SV("s3://b/m.json"));
    CHECK_SV(pointer(&p, &fresh), SV("s3://b/f/1"));
    close_place(&p);
}

/* t moves, then the second step fails: t has not moved. */
static void expect_none(const struct table_step *second, enum err_code want, struct sv overlap_want)
{
    struct table_row row = {SV("u"), SV("s3://b/t/2"), SV("s3://b/moved/"), {0}, {0}};
    struct table_change c = change(&row, "s3://b/m.json");
    const struct table_step steps[] = {
        {t, &c, STEP_SWAP},
        *second
    };
    struct place p = {0};
    struct sv overlap;
    size_t failed = 9;

    open_with_two(&p);
    CHECK(!store_tables_commit(p.store, steps, 2, &p.arena, &failed, &p.e));
    CHECK_INT(p.e.code, want);
    CHECK_INT(failed, 1);
    CHECK_SV(second->change->overlap, overlap_want);
    CHECK_SV(pointer(&p, &t), SV("s3://b/m.json"));
    CHECK_INT(create(&p, "squatter", "s3://b/t/", NULL, &overlap), ERR_CONFLICT);
    CHECK_INT(create(&p, "free", "s3://b/moved/", NULL, &overlap), ERR_NONE);
    close_place(&p);
}

static void one_that_fails_keeps_all_where_they_were(void)
{
    static const struct table_name none = {SV_INIT("l/c"), SV_INIT("sales"), SV_INIT("none")},
                                   nowhere = {SV_INIT("l/c"), SV_INIT("nowhere"), SV_INIT("t")};
    struct table_row own = {SV("u"), SV("s3://b/u/2"), SV("s3://b/u/"), {0}, {0}},
                     same = {SV("u"), SV("s3://b/u/2"), SV("s3://b/moved/x/"), {0}, {0}},
                     far = {SV("u"), SV("s3://b/f/1"), SV("s3://b/f/"), {0}, {0}};
    struct table_change stale = change(&own, "s3://b/old.json"),
                        taken = change(&same, "s3://b/m.json"), fresh = change(&far, "");

    expect_none(&(struct table_step){u, &stale, STEP_SWAP}, ERR_CONFLICT, SV(""));
    expect_none(&(struct table_step){u, &stale, STEP_KEEP}, ERR_CONFLICT, SV(""));
    expect_none(&(struct table_step){none, &stale, STEP_KEEP}, ERR_NOT_FOUND, SV(""));
    expect_none(&(struct table_step){none, &stale, STEP_SWAP}, ERR_NOT_FOUND, SV(""));
    expect_none(&(struct table_step){u, &fresh, STEP_CREATE}, ERR_CONFLICT, SV(""));
    expect_none(&(struct table_step){nowhere, &fresh, STEP_CREATE}, ERR_NOT_FOUND, SV(""));
    /* Where the first of the same transaction has just moved to. */
    expect_none(&(struct table_step){u, &taken, STEP_SWAP}, ERR_CONFLICT, SV("l/c/sales.t"));
}

SUITE("store/tables_commit", TEST(all_pointers_move_and_a_new_table_appears),
      TEST(one_that_fails_keeps_all_where_they_were))
