/* test_views.c - view pointers beside those of tables, under the same names. */
#include "unit/store/place.h"

static const struct table_name v = {SV_INIT("l/c"), SV_INIT("sales"), SV_INIT("v")};

static enum err_code create_view(struct place *p, struct table_name name, const char *location)
{
    struct table_row row = {SV("u"), SV("s3://b/v.json"), sv_from(location), {0}, {0}};
    struct table_change c = {.row = &row, .principal = SV("l/etl")};
    struct err e = {0};

    return store_view_create(p->store, &name, &c, &p->arena, &e) ? ERR_NONE : e.code;
}

static void a_view_is_no_table_and_a_table_no_view(void)
{
    struct place p = {0};
    struct table_row row = {0};
    struct table_change c = {.row = &row, .old_metadata_location = SV("s3://b/v.json")};
    struct sv_vec names = {0};
    struct page all = {0};
    struct sv overlap;

    open_place(&p);
    NEED(create(&p, "t", "s3://b/t/", NULL, &overlap) == ERR_NONE);
    NEED(create_view(&p, v, "s3://b/v/") == ERR_NONE);
    CHECK(!store_table_get(p.store, &v, &p.arena, &row, &p.e));
    CHECK_INT(p.e.code, ERR_NOT_FOUND);
    CHECK(!store_view_get(p.store, &t, &p.arena, &row, &p.e));
    CHECK(!store_table_drop(p.store, &v, &forgotten, &p.e));
    CHECK(!store_view_drop(p.store, &t, &forgotten, &p.e));
    NEED_OK(store_view_get(p.store, &v, &p.arena, &row, &p.e), &p.e);
    CHECK(!store_table_swap(p.store, &v, &c, &p.arena, &p.e));
    CHECK_INT(p.e.code, ERR_NOT_FOUND);
    CHECK_OK(store_view_list(p.store, &sales, &all, &p.arena, &names, &p.e), &p.e);
    NEED(names.n == 1);
    CHECK_SV(names.p[0], SV("v"));
    CHECK_OK(store_table_list(p.store, &sales, &all, &p.arena, &names, &p.e), &p.e);
    NEED(names.n == 2);
    CHECK_SV(names.p[1], SV("t"));
    close_place(&p);
}

static void names_and_places_are_shared_with_tables(void)
{
    struct renaming onto =
                        {
                            .from = v, .to = t, .view = true
    },
                    as_table = {.from = v, .to = {SV("l/c"), SV("sales"), SV("free")}};
    struct staging g = {
        .row = {.principal = SV("l/etl"),
                .uuid = SV("u"),
                .location = SV("s3://b/staged/"),
                .expires_ms = 1000}
    };
    struct place p = {0};
    struct sv overlap;

    open_place(&p);
    NEED(create(&p, "t", "s3://b/t/", NULL, &overlap) == ERR_NONE);
    CHECK_INT(create_view(&p, t, "s3://b/x/"), ERR_CONFLICT);
    CHECK_INT(create_view(&p, v, "s3://b/t/inside/"), ERR_CONFLICT);
    CHECK_INT(create_view(&p, v, "s3://b/v/"), ERR_NONE);
    CHECK_INT(create(&p, "v", "s3://b/y/", NULL, &overlap), ERR_CONFLICT);
    CHECK_INT(create(&p, "w", "s3://b/v/metadata/", NULL, &overlap), ERR_CONFLICT);
    CHECK_SV(overlap, SV("l/c/sales.v"));
    CHECK(!store_stage(p.store, &v, &g, &p.arena, &p.e));
    CHECK_INT(p.e.code, ERR_CONFLICT);
    CHECK(!store_rename(p.store, &onto, &p.arena, &p.e));
    CHECK_INT(p.e.code, ERR_CONFLICT);
    CHECK(!store_rename(p.store, &as_table, &p.arena, &p.e));
    CHECK_INT(p.e.code, ERR_NOT_FOUND);
    as_table.view = true;
    CHECK_OK(store_rename(p.store, &as_table, &p.arena, &p.e), &p.e);
    CHECK(!store_namespace_drop(p.store, &sales, &p.e));
    close_place(&p);
}

static void a_promised_place_is_no_views_not_even_for_whom_it_was_promised(void)
{
    struct staging g = {
        .row = {.principal = SV("l/etl"),
                .uuid = SV("u"),
                .location = SV("s3://b/staged/"),
                .expires_ms = 1000}
    };
    struct place p = {0};

    open_place(&p);
    NEED_OK(store_stage(p.store, &v, &g, &p.arena, &p.e), &p.e);
    CHECK_INT(create_view(&p, v, "s3://b/staged/"), ERR_CONFLICT);
    CHECK_INT(create_view(&p, v, "s3://b/v/"), ERR_NONE);
    close_place(&p);
}

static void of_two_replacements_from_one_base_the_second_loses(void)
{
    struct table_row row = {SV("u"), SV("s3://b/2.json"), SV("s3://b/v/"), {0}, {0}};
    struct table_change c = {.row = &row, .old_metadata_location = SV("s3://b/v.json")};
    struct place p = {0};

    open_place(&p);
    NEED(create_view(&p, v, "s3://b/v/") == ERR_NONE);
    CHECK_OK(store_view_swap(p.store, &v, &c, &p.arena, &p.e), &p.e);
    CHECK(!store_view_swap(p.store, &v, &c, &p.arena, &p.e));
    CHECK_INT(p.e.code, ERR_CONFLICT);
    close_place(&p);
}

SUITE("store/views", TEST(a_view_is_no_table_and_a_table_no_view),
      TEST(names_and_places_are_shared_with_tables),
      TEST(a_promised_place_is_no_views_not_even_for_whom_it_was_promised),
      TEST(of_two_replacements_from_one_base_the_second_loses))
