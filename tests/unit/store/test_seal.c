/* test_seal.c - the row knows the bytes of its metadata file, and nothing but a change of the
 * pointer changes that. */
#include "unit/store/place.h"

#define FIRST  "s3://b/t/metadata/1.metadata.json"
#define SECOND "s3://b/t/metadata/2.metadata.json"

static struct table_row row_of(const char *file, const char *sha256)
{
    return (struct table_row){.uuid = SV("u"),
                              .metadata_location = sv_from(file),
                              .location = SV("s3://b/t/"),
                              .metadata_sha256 = sv_from(sha256)};
}

static enum err_code make(struct place *p, const char *sha256, bool view)
{
    const struct table_row row = row_of(FIRST, sha256);
    struct table_change c = {.row = &row, .principal = SV("l/etl")};
    struct err e = {0};

    return (view ? store_view_create(p->store, &t, &c, &p->arena, &e)
                 : store_table_create(p->store, &t, &c, &p->arena, &e))
               ? ERR_NONE
               : e.code;
}

static enum err_code swap(struct place *p, const char *old_sha256, const char *file,
                          const char *sha256, const char *location)
{
    struct table_row row = row_of(file, sha256);
    struct table_change c = {.row = &row,
                             .old_metadata_location = SV(FIRST),
                             .old_metadata_sha256 = sv_from(old_sha256)};
    struct err e = {0};

    row.location = sv_from(location);
    return store_table_swap(p->store, &t, &c, &p->arena, &e) ? ERR_NONE : e.code;
}

static enum err_code seal(struct place *p, const char *file, const char *sha256, bool view)
{
    const struct table_row row = row_of(file, sha256);
    struct err e = {0};

    return store_seal(p->store, &t, view, &row, &e) ? ERR_NONE : e.code;
}

static struct sv known(struct place *p, bool view)
{
    struct table_row row = {0};

    NEED_OK((view ? store_view_get : store_table_get)(p->store, &t, &p->arena, &row, &p->e), &p->e);
    return row.metadata_sha256;
}

static void every_change_of_the_pointer_brings_the_bytes_of_its_file(void)
{
    static const char *const locations[] = {"s3://b/t/", "s3://b/moved/"};

    for (int i = 0; i < 2; i++) {
        struct place p = {0};

        open_place(&p);
        CHECK_INT(make(&p, "aa", false), ERR_NONE);
        CHECK_SV(known(&p, false), SV("aa"));
        CHECK_INT(swap(&p, "aa", SECOND, "bb", locations[i]), ERR_NONE);
        CHECK_SV(known(&p, false), SV("bb"));
        close_place(&p);
    }
}

/* A file that was registered again under its own name is another base, though the name is equal. */
static void a_swap_from_other_bytes_than_those_in_force_loses(void)
{
    struct place p = {0};

    open_place(&p);
    NEED(make(&p, "aa", false) == ERR_NONE);
    CHECK_INT(swap(&p, "aa", FIRST, "bb", "s3://b/t/"), ERR_NONE);
    CHECK_INT(swap(&p, "aa", SECOND, "cc", "s3://b/t/"), ERR_CONFLICT);
    CHECK_INT(swap(&p, "aa", SECOND, "cc", "s3://b/moved/"), ERR_CONFLICT);
    CHECK_INT(swap(&p, "", SECOND, "cc", "s3://b/t/"), ERR_CONFLICT);
    CHECK_SV(known(&p, false), SV("bb"));
    CHECK_INT(swap(&p, "bb", SECOND, "cc", "s3://b/t/"), ERR_NONE);
    close_place(&p);
}

static void a_transaction_that_keeps_a_table_compares_its_bytes_too(void)
{
    const struct table_row row = row_of(FIRST, "aa");
    struct table_change c = {
        .row = &row, .old_metadata_location = SV(FIRST), .old_metadata_sha256 = SV("bb")};
    const struct table_step step = {t, &c, STEP_KEEP};
    struct place p = {0};
    size_t failed;

    open_place(&p);
    NEED(make(&p, "aa", false) == ERR_NONE);
    CHECK(!store_tables_commit(p.store, &step, 1, &p.arena, &failed, &p.e));
    CHECK_INT(p.e.code, ERR_CONFLICT);
    c.old_metadata_sha256 = SV("aa");
    CHECK_OK(store_tables_commit(p.store, &step, 1, &p.arena, &failed, &p.e), &p.e);
    close_place(&p);
}

static void bytes_are_entered_once_and_only_for_the_file_that_is_in_force(void)
{
    for (int view = 0; view < 2; view++) {
        struct place p = {0};

        open_place(&p);
        NEED(make(&p, "", view) == ERR_NONE);
        CHECK_INT(seal(&p, SECOND, "aa", view), ERR_CONFLICT);
        CHECK_INT(seal(&p, FIRST, "aa", !view), ERR_CONFLICT);
        CHECK_SV(known(&p, view), SV(""));
        CHECK_INT(seal(&p, FIRST, "aa", view), ERR_NONE);
        CHECK_INT(seal(&p, FIRST, "aa", view), ERR_NONE);
        CHECK_INT(seal(&p, FIRST, "bb", view), ERR_CONFLICT);
        CHECK_SV(known(&p, view), SV("aa"));
        close_place(&p);
    }
}

/* One that does not know its bytes yet has nothing to compare. */
static void a_row_without_them_can_be_swapped(void)
{
    static const char *const locations[] = {"s3://b/t/", "s3://b/moved/"};

    for (int i = 0; i < 2; i++) {
        struct place p = {0};

        open_place(&p);
        NEED(make(&p, "", false) == ERR_NONE);
        CHECK_INT(swap(&p, "aa", SECOND, "bb", locations[i]), ERR_NONE);
        CHECK_SV(known(&p, false), SV("bb"));
        close_place(&p);
    }
}

static void they_go_with_a_new_name_and_with_a_purge(void)
{
    const struct dropping d = {.mark = SV("m"), .principal = SV("p"), .keep_ms = 1, .purge = true};
    const struct purge_lease l = {.holder = SV("h"), .now_ms = 1, .until_ms = 2};
    struct renaming r = {
        .from = t, .to = {SV("l/c"), SV("sales"), SV("moved")}
    };
    struct purge_row purge = {0};
    struct table_row row = {0};
    struct place p = {0};

    open_place(&p);
    NEED(make(&p, "aa", false) == ERR_NONE);
    NEED_OK(store_rename(p.store, &r, &p.arena, &p.e), &p.e);
    NEED_OK(store_table_get(p.store, &r.to, &p.arena, &row, &p.e), &p.e);
    CHECK_SV(row.metadata_sha256, SV("aa"));
    NEED_OK(store_table_drop(p.store, &r.to, &d, &p.e), &p.e);
    NEED_OK(store_purge_take(p.store, &l, &p.arena, &purge, &p.e), &p.e);
    CHECK_SV(purge.row.metadata_sha256, SV("aa"));
    close_place(&p);
}

static void an_answer_under_a_key_knows_the_bytes_of_its_file(void)
{
    struct answer w = {.principal = SV("p"),
                       .key = SV("k"),
                       .metadata_location = SV(FIRST),
                       .metadata_sha256 = SV("aa"),
                       .status = 200,
                       .made_ms = 1};
    struct answer got = {.principal = SV("p"), .key = SV("k")};
    struct place p = {0};

    open_place(&p);
    NEED_OK(store_answer_put(p.store, &w, &p.e), &p.e);
    NEED_OK(store_answer_get(p.store, 1, &p.arena, &got, &p.e), &p.e);
    CHECK_SV(got.metadata_sha256, SV("aa"));
    close_place(&p);
}

SUITE("store/seal", TEST(every_change_of_the_pointer_brings_the_bytes_of_its_file),
      TEST(a_swap_from_other_bytes_than_those_in_force_loses),
      TEST(a_transaction_that_keeps_a_table_compares_its_bytes_too),
      TEST(bytes_are_entered_once_and_only_for_the_file_that_is_in_force),
      TEST(a_row_without_them_can_be_swapped), TEST(they_go_with_a_new_name_and_with_a_purge),
      TEST(an_answer_under_a_key_knows_the_bytes_of_its_file))
