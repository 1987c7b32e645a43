/* test_rename.c - a table under another name, in a real SQLite file. */
#include "unit/store/place.h"

static const struct table_name renamed = {SV_INIT("l/c"), SV_INIT("eu"), SV_INIT("renamed")};

static enum err_code move(struct place *p, struct table_name from, struct table_name to,
                          bool *no_namespace)
{
    struct renaming r = {.from = from, .to = to};
    struct err e = {0};
    bool ok = store_rename(p->store, &r, &p->arena, &e);

    *no_namespace = r.no_namespace;
    return ok ? ERR_NONE : e.code;
}

static void open_with_table(struct place *p)
{
    struct sv overlap;

    open_place(p);
    NEED_OK(store_namespace_create(p->store, &(struct ns_name){sales.catalog, SV("eu")}, SV("{}"),
                                   &p->e),
            &p->e);
    NEED(create(p, "t", "s3://b/t/", "s3://b/data/", &overlap) == ERR_NONE);
}

static void a_renamed_table_keeps_its_folders_and_its_pointer(void)
{
    struct place p = {0};
    struct table_row row = {0};
    struct sv overlap;
    bool no_namespace;

    open_with_table(&p);
    CHECK_INT(move(&p, t, renamed, &no_namespace), ERR_NONE);
    CHECK(!store_table_get(p.store, &t, &p.arena, &row, &p.e));
    NEED_OK(store_table_get(p.store, &renamed, &p.arena, &row, &p.e), &p.e);
    CHECK_SV(row.location, SV("s3://b/t/"));
    CHECK_SV(row.metadata_location, SV("s3://b/m.json"));
    CHECK_INT(row.extra_locations.n, 1);
    CHECK_INT(create(&p, "t", "s3://b/t/again/", NULL, &overlap), ERR_CONFLICT);
    CHECK_SV(overlap, SV("l/c/eu.renamed"));
    CHECK_INT(create(&p, "t", "s3://b/t2/", NULL, &overlap), ERR_NONE);
    close_place(&p);
}

static void a_name_that_is_taken_stays_with_its_table(void)
{
    struct place p = {0};
    struct table_row row = {0};
    struct sv overlap;
    bool no_namespace;

    open_with_table(&p);
    NEED(create(&p, "other", "s3://b/other/", NULL, &overlap) == ERR_NONE);
    CHECK_INT(move(&p, (struct table_name){sales.catalog, sales.ns, SV("other")}, t, &no_namespace),
              ERR_CONFLICT);
    CHECK_INT(move(&p, t, t, &no_namespace), ERR_CONFLICT);
    NEED_OK(store_table_get(p.store, &t, &p.arena, &row, &p.e), &p.e);
    CHECK_SV(row.location, SV("s3://b/t/"));
    close_place(&p);
}

static void what_is_missing_is_told_apart(void)
{
    const struct table_name none = {sales.catalog, sales.ns, SV("none")},
                            nowhere = {sales.catalog, SV("nowhere"), SV("t")};
    struct place p = {0};
    bool no_namespace;

    open_with_table(&p);
    CHECK_INT(move(&p, none, renamed, &no_namespace), ERR_NOT_FOUND);
    CHECK(!no_namespace);
    CHECK_INT(move(&p, t, nowhere, &no_namespace), ERR_NOT_FOUND);
    CHECK(no_namespace);
    close_place(&p);
}

SUITE("store/rename", TEST(a_renamed_table_keeps_its_folders_and_its_pointer),
      TEST(a_name_that_is_taken_stays_with_its_table), TEST(what_is_missing_is_told_apart))
