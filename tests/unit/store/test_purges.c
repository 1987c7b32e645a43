/* test_purges.c - tables whose files are to be deleted: one at work on each, and whose place it is
 * meanwhile. */
#include "unit/store/place.h"

enum { KEPT = 5000 };

static struct purge_lease lease(const char *holder, int64_t now_ms)
{
    return (struct purge_lease){
        .holder = sv_from(holder), .now_ms = now_ms, .until_ms = now_ms + 100};
}

static enum err_code take(struct place *p, struct purge_lease l, struct purge_row *out)
{
    struct purge_row ignored;

    p->e = (struct err){0};
    return store_purge_take(p->store, &l, &p->arena, out ? out : &ignored, &p->e) ? ERR_NONE
                                                                                  : p->e.code;
}

static void purged(struct place *p, const char *name)
{
    const char *at = arena_printf(&p->arena, "s3://b/%s/", name).p;
    const char *more = arena_printf(&p->arena, "s3://c/%s/", name).p;
    struct sv overlap;

    NEED(create(p, name, at, more, &overlap) == ERR_NONE);
    NEED_OK(drop(p, name, KEPT, true), &p->e);
}

static enum err_code enter(struct place *p, const char *name, const char *location, int64_t now_ms)
{
    struct table_row row = {SV("u"), SV("s3://b/m.json"), sv_from(location), {0}, {0}};
    const struct table_name n = {sales.catalog, sales.ns, sv_from(name)};
    struct table_change c = {.row = &row, .principal = SV("l/etl"), .now_ms = now_ms};
    struct err e = {0};

    return store_table_create(p->store, &n, &c, &p->arena, &e) ? ERR_NONE : e.code;
}

static void the_name_is_free_at_once_and_the_place_is_nobodys_until_the_end(void)
{
    struct place p = {0};
    struct purge_row row;

    open_place(&p);
    purged(&p, "t");
    CHECK_INT(enter(&p, "t", "s3://b/t/", INT64_MAX - 1), ERR_CONFLICT);
    CHECK_INT(enter(&p, "x", "s3://c/t/in/", INT64_MAX - 1), ERR_CONFLICT);
    CHECK_INT(enter(&p, "t", "s3://b/t-again/", 1), ERR_NONE);
    NEED(take(&p, lease("me", 10), &row) == ERR_NONE);
    CHECK_INT(enter(&p, "x", "s3://b/t/", 11), ERR_CONFLICT);
    NEED_OK(store_purge_end(p.store, row.id,
                            &(struct purge_lease){.holder = SV("me"), .now_ms = 20}, &p.e),
            &p.e);
    /* Keys that reach it may live for a while yet. */
    CHECK_INT(enter(&p, "x", "s3://b/t/", KEPT + 19), ERR_CONFLICT);
    CHECK_INT(enter(&p, "x", "s3://b/t/", KEPT + 20), ERR_NONE);
    close_place(&p);
}

static void all_that_the_work_needs_is_in_the_row(void)
{
    struct place p = {0};
    struct purge_row row;

    open_place(&p);
    purged(&p, "t");
    NEED(take(&p, lease("me", 10), &row) == ERR_NONE);
    CHECK_SV(row.table.catalog, SV("l/c"));
    CHECK_SV(row.table.ns, SV("sales"));
    CHECK_SV(row.table.name, SV("t"));
    CHECK_SV(row.row.uuid, SV("u"));
    CHECK_SV(row.row.metadata_location, SV("s3://b/m.json"));
    CHECK_SV(row.row.location, SV("s3://b/t/"));
    NEED(row.row.extra_locations.n == 1);
    CHECK_SV(row.row.extra_locations.p[0], SV("s3://c/t/"));
    CHECK_SV(row.principal, SV("l/etl"));
    CHECK_SV(row.request, SV("request"));
    CHECK_INT(row.attempts, 1);
    close_place(&p);
}

static void one_is_at_work_until_its_lease_ends(void)
{
    struct purge_lease other = lease("other", 109), alone = lease("reborn", 111);
    struct place p = {0};
    struct purge_row row;

    open_place(&p);
    purged(&p, "t");
    NEED(take(&p, lease("me", 10), &row) == ERR_NONE);
    CHECK_INT(take(&p, lease("other", 109), NULL), ERR_NOT_FOUND);
    NEED_OK(store_purge_hold(p.store, row.id,
                             &(struct purge_lease){.holder = SV("me"), .until_ms = 150}, &p.e),
            &p.e);
    CHECK_INT(take(&p, lease("other", 149), NULL), ERR_NOT_FOUND);
    CHECK_INT(take(&p, lease("other", 150), &row), ERR_NONE);
    CHECK_INT(row.attempts, 2);
    /* The first one wakes up: it is told. */
    CHECK(!store_purge_hold(p.store, row.id, &(struct purge_lease){.holder = SV("me")}, &p.e));
    CHECK_INT(p.e.code, ERR_CONFLICT);
    CHECK(!store_purge_end(p.store, row.id, &(struct purge_lease){.holder = SV("me")}, &p.e));
    CHECK(
        !store_purge_postpone(p.store, row.id, &(struct purge_lease){.holder = SV("me")}, 5, &p.e));
    CHECK_OK(store_purge_hold(p.store, row.id, &other, &p.e), &p.e);
    /* Where no other program has the store, whoever held it is gone. */
    CHECK_INT(take(&p, alone, NULL), ERR_NOT_FOUND);
    alone.alone = true;
    CHECK_INT(take(&p, alone, NULL), ERR_NONE);
    close_place(&p);
}

static void what_is_postponed_is_nobodys_and_not_due(void)
{
    struct purge_lease me = lease("me", 10);
    struct place p = {0};
    struct purge_row row;
    int64_t n;

    open_place(&p);
    purged(&p, "t");
    purged(&p, "v");
    NEED(take(&p, me, &row) == ERR_NONE);
    CHECK_SV(row.table.name, SV("t"));
    NEED_OK(store_purge_postpone(p.store, row.id, &me, 50, &p.e), &p.e);
    NEED(take(&p, me, &row) == ERR_NONE);
    CHECK_SV(row.table.name, SV("v"));
    NEED_OK(store_purge_end(p.store, row.id, &me, &p.e), &p.e);
    CHECK_INT(take(&p, lease("other", 49), NULL), ERR_NOT_FOUND);
    NEED_OK(store_purges(p.store, &n, &p.e), &p.e);
    CHECK_INT(n, 1);
    CHECK_INT(take(&p, lease("other", 50), &row), ERR_NONE);
    CHECK_SV(row.table.name, SV("t"));
    close_place(&p);
}

static void a_purge_is_not_forgotten_while_it_lasts(void)
{
    const struct dropping late = {.now_ms = INT64_MAX - 1};
    struct place p = {0};
    struct sv overlap;

    open_place(&p);
    purged(&p, "t");
    NEED(create(&p, "u", "s3://b/u/", NULL, &overlap) == ERR_NONE);
    NEED_OK(store_table_drop(p.store, &(struct table_name){sales.catalog, sales.ns, SV("u")}, &late,
                             &p.e),
            &p.e);
    CHECK_INT(take(&p, lease("me", 10), NULL), ERR_NONE);
    close_place(&p);
}

SUITE("store/purges", TEST(the_name_is_free_at_once_and_the_place_is_nobodys_until_the_end),
      TEST(all_that_the_work_needs_is_in_the_row), TEST(one_is_at_work_until_its_lease_ends),
      TEST(what_is_postponed_is_nobodys_and_not_due), TEST(a_purge_is_not_forgotten_while_it_lasts))
