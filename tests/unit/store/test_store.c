/* test_store.c - namespaces, pointers and places, in a real SQLite file. */
#include "unit/store/place.h"

static void a_table_is_found_with_its_folders_again(void)
{
    struct place p = {0};
    struct table_row row = {0};
    struct sv overlap;

    open_place(&p);
    CHECK_INT(create(&p, "t", "s3://b/t/", "s3://b/data/", &overlap), ERR_NONE);
    NEED_OK(store_table_get(p.store, &t, &p.arena, &row, &p.e), &p.e);
    CHECK_SV(row.location, SV("s3://b/t/"));
    CHECK_INT(row.extra_locations.n, 1);
    CHECK(!store_table_get(p.store, &(struct table_name){sales.catalog, sales.ns, SV("none")},
                           &p.arena, &row, &p.e));
    CHECK_INT(p.e.code, ERR_NOT_FOUND);
    close_place(&p);
}

static void anothers_place_is_refused_whether_above_below_or_the_same(void)
{
    static const char *const taken[] = {"s3://b/a/t/", "s3://b/a/t/x/",  "s3://b/a/",
                                        "s3://b/",     "s3://b/data/t/", NULL};
    static const char *const freed[] = {"s3://b/a/t2/", "s3://b/a/t-1/", "s3://b/a/T/",
                                        "s3://c/a/t/", NULL};
    struct place p = {0};
    struct sv overlap;

    open_place(&p);
    NEED(create(&p, "host", "s3://b/a/t/", "s3://b/data/", &overlap) == ERR_NONE);
    for (const char *const *l = taken; *l; l++) {
        CHECK_INT(create(&p, "parasite", *l, NULL, &overlap), ERR_CONFLICT);
        CHECK_SV(overlap, SV("l/c/sales.host"));
    }
    for (const char *const *l = freed; *l; l++)
        CHECK_INT(create(&p, *l, *l, NULL, &overlap), ERR_NONE);
    close_place(&p);
}

/* Whatever the order of the database's language is: there "t" and "T" stand together. */
static void places_and_names_are_ordered_by_their_bytes(void)
{
    static const char *const names[] = {"B", "_", "a", "\xc3\xa9"};
    struct place p = {0};
    struct sv_vec found = {0};
    struct page rest = {.after = SV("B"), .limit = 3};
    struct sv overlap;

    open_place(&p);
    CHECK_INT(create(&p, "upper", "s3://b/T/x/", NULL, &overlap), ERR_NONE);
    CHECK_INT(create(&p, "lower", "s3://b/t/", NULL, &overlap), ERR_NONE);
    for (size_t i = 4; i-- > 0;)
        CHECK_INT(create(&p, names[i], arena_printf(&p.arena, "s3://b/names/%s/", names[i]).p, NULL,
                         &overlap),
                  ERR_NONE);
    NEED_OK(store_table_list(p.store, &sales, &rest, &p.arena, &found, &p.e), &p.e);
    NEED(found.n == 3);
    CHECK_SV(found.p[0], SV("_"));
    CHECK_SV(found.p[1], SV("a"));
    CHECK_SV(found.p[2], SV("lower"));
    close_place(&p);
}

/* Bytes that are no text, or that end it for C, find nothing and cut nothing off. */
static void a_name_that_is_no_text_is_not_anothers(void)
{
    static const struct sv odd[] = {SV_INIT("t\0x"), SV_INIT("t\0"), SV_INIT("t\xff")};
    struct place p = {0};
    struct table_row row = {0};
    struct sv overlap;

    open_place(&p);
    NEED(create(&p, "t", "s3://b/t/", NULL, &overlap) == ERR_NONE);
    for (size_t i = 0; i < 3; i++) {
        const struct table_name n = {sales.catalog, sales.ns, odd[i]};

        CHECK(!store_table_get(p.store, &n, &p.arena, &row, &p.e));
        CHECK(p.e.code == ERR_NOT_FOUND || p.e.code == ERR_INVALID);
        CHECK(!store_table_drop(p.store, &n, &forgotten, &p.e));
        CHECK(p.e.code == ERR_NOT_FOUND || p.e.code == ERR_INVALID);
    }
    CHECK_OK(store_table_get(p.store, &t, &p.arena, &row, &p.e), &p.e);
    close_place(&p);
}

static void a_name_is_taken_once(void)
{
    struct place p = {0};
    struct sv overlap;

    open_place(&p);
    CHECK_INT(create(&p, "t", "s3://b/1/", NULL, &overlap), ERR_NONE);
    CHECK_INT(create(&p, "t", "s3://b/2/", NULL, &overlap), ERR_CONFLICT);
    CHECK_SV(overlap, SV(""));
    close_place(&p);
}

static void of_two_swaps_from_one_base_the_second_loses(void)
{
    struct place p = {0};
    struct arena other_arena = {0};
    struct store *other;
    struct table_row row = {SV("u"), SV("s3://b/2.json"), SV("s3://b/t/"), {0}, {0}};
    struct table_change c = {.row = &row, .old_metadata_location = SV("s3://b/m.json")};
    struct sv overlap;

    open_place(&p);
    NEED(create(&p, "t", "s3://b/t/", NULL, &overlap) == ERR_NONE);
    NEED_OK(store_open(p.url, &other_arena, &other, &p.e), &p.e);
    CHECK_OK(store_table_swap(p.store, &t, &c, &p.arena, &p.e), &p.e);
    row.metadata_location = SV("s3://b/3.json");
    CHECK(!store_table_swap(other, &t, &c, &p.arena, &p.e));
    CHECK_INT(p.e.code, ERR_CONFLICT);
    NEED_OK(store_table_get(other, &t, &p.arena, &row, &p.e), &p.e);
    CHECK_SV(row.metadata_location, SV("s3://b/2.json"));
    arena_done(&other_arena);
    close_place(&p);
}

/* Swaps t to these folders; extra may be NULL. */
static enum err_code move(struct place *p, const char *from, const char *to, const char *location,
                          const char *extra)
{
    struct table_row row = {SV("u"), sv_from(to), sv_from(location), {0}, {0}};
    struct table_change c = {.row = &row, .old_metadata_location = sv_from(from)};
    struct err e = {0};

    if (extra)
        vec_push(&row.extra_locations, &p->arena, sv_from(extra));
    return store_table_swap(p->store, &t, &c, &p->arena, &e) ? ERR_NONE : e.code;
}

static void a_swap_gives_up_the_folders_that_it_does_not_name_and_no_other(void)
{
    struct place p = {0};
    struct sv overlap;

    open_place(&p);
    NEED(create(&p, "t", "s3://b/t/", "s3://b/data/", &overlap) == ERR_NONE);
    CHECK_INT(move(&p, "s3://b/m.json", "s3://b/1", "s3://b/t/", "s3://b/data/"), ERR_NONE);
    CHECK_INT(create(&p, "x", "s3://b/data/", NULL, &overlap), ERR_CONFLICT);
    CHECK_INT(create(&p, "x", "s3://b/t/", NULL, &overlap), ERR_CONFLICT);
    CHECK_INT(move(&p, "s3://b/1", "s3://b/2", "s3://b/t/", "s3://b/other/"), ERR_NONE);
    CHECK_INT(create(&p, "x", "s3://b/data/", NULL, &overlap), ERR_NONE);
    CHECK_INT(create(&p, "y", "s3://b/other/", NULL, &overlap), ERR_CONFLICT);
    CHECK_INT(move(&p, "s3://b/2", "s3://b/3", "s3://b/t/", "s3://b/data/"), ERR_CONFLICT);
    CHECK_INT(move(&p, "s3://b/2", "s3://b/3", "s3://b/other/", "s3://b/t/"), ERR_NONE);
    CHECK_INT(move(&p, "s3://b/3", "s3://b/4", "s3://b/other/", NULL), ERR_NONE);
    CHECK_INT(create(&p, "y", "s3://b/t/", NULL, &overlap), ERR_NONE);
    close_place(&p);
}

static void a_namespace_with_something_in_it_stays(void)
{
    struct place p = {0};
    struct sv overlap;

    const struct ns_name below = {sales.catalog, SV("sales\x1f"
                                                    "eu")};
    const struct ns_name orphan = {sales.catalog, SV("none\x1f"
                                                     "below")};

    open_place(&p);
    NEED_OK(store_namespace_create(p.store, &below, SV("{}"), &p.e), &p.e);
    CHECK(!store_namespace_drop(p.store, &sales, &p.e));
    CHECK_INT(p.e.code, ERR_CONFLICT);
    CHECK_OK(store_namespace_drop(p.store, &below, &p.e), &p.e);
    NEED(create(&p, "t", "s3://b/t/", NULL, &overlap) == ERR_NONE);
    CHECK(!store_namespace_drop(p.store, &sales, &p.e));
    CHECK_OK(store_table_drop(p.store, &t, &forgotten, &p.e), &p.e);
    CHECK_OK(store_namespace_drop(p.store, &sales, &p.e), &p.e);
    CHECK(!store_namespace_create(p.store, &orphan, SV("{}"), &p.e));
    CHECK_INT(p.e.code, ERR_NOT_FOUND);
    close_place(&p);
}

SUITE("store/store", TEST(a_table_is_found_with_its_folders_again),
      TEST(anothers_place_is_refused_whether_above_below_or_the_same),
      TEST(places_and_names_are_ordered_by_their_bytes),
      TEST(a_name_that_is_no_text_is_not_anothers), TEST(a_name_is_taken_once),
      TEST(of_two_swaps_from_one_base_the_second_loses),
      TEST(a_swap_gives_up_the_folders_that_it_does_not_name_and_no_other),
      TEST(a_namespace_with_something_in_it_stays))
