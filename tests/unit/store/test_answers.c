/* test_answers.c - what was answered under a key: with the change or not at all, once, for a time.
 */
#include "store/sql.h"
#include "unit/store/place.h"

enum { NOW = 10 * STORE_ANSWER_MS };

static struct answer answer_at(const char *principal, const char *attempt, int64_t made_ms)
{
    return (struct answer){.principal = sv_from(principal),
                           .key = SV("k1"),
                           .request = SV("digest"),
                           .attempt = sv_from(attempt),
                           .metadata_location = SV("s3://b/t/m.json"),
                           .uuid = SV("u"),
                           .body = SV("{\"a\":\"'\"}"),
                           .status = 200,
                           .made_ms = made_ms};
}

/* The attempt whose answer is found. */
static struct sv kept(struct place *p, const char *principal, int64_t now_ms)
{
    struct answer a = {.principal = sv_from(principal), .key = SV("k1")};

    if (store_answer_get(p->store, now_ms, &p->arena, &a, &p->e))
        return a.attempt;
    CHECK_INT(p->e.code, ERR_NOT_FOUND);
    return SV("");
}

static enum err_code create_with(struct place *p, struct answer *a)
{
    struct sv overlap;
    enum err_code code;

    store_answer_with(p->store, a);
    code = create(p, "t", "s3://b/t/", NULL, &overlap);
    store_answer_with(p->store, NULL);
    return code;
}

static void an_answer_is_found_as_it_was_entered(void)
{
    struct place p = {0};
    struct answer a = answer_at("l/etl", "first", NOW),
                  got = {.principal = a.principal, .key = a.key};

    open_place(&p);
    CHECK_INT(create_with(&p, &a), ERR_NONE);
    CHECK(a.kept);
    NEED_OK(store_answer_get(p.store, NOW, &p.arena, &got, &p.e), &p.e);
    CHECK_SV(got.request, a.request);
    CHECK_SV(got.attempt, a.attempt);
    CHECK_SV(got.metadata_location, a.metadata_location);
    CHECK_SV(got.uuid, a.uuid);
    CHECK_SV(got.body, a.body);
    CHECK_INT(got.status, 200);
    CHECK_INT(got.made_ms, NOW);
    close_place(&p);
}

static void a_change_that_fails_leaves_no_answer(void)
{
    struct place p = {0};
    struct answer a = answer_at("l/etl", "second", NOW);
    struct sv overlap;

    open_place(&p);
    NEED(create(&p, "t", "s3://b/t/", NULL, &overlap) == ERR_NONE);
    CHECK_INT(create_with(&p, &a), ERR_CONFLICT);
    CHECK(!a.kept);
    CHECK_SV(kept(&p, "l/etl", NOW), SV(""));
    close_place(&p);
}

static void a_change_whose_key_has_an_answer_is_not_made(void)
{
    struct place p = {0};
    struct answer first = answer_at("l/etl", "first", NOW), a = answer_at("l/etl", "second", NOW);
    struct table_row row = {0};

    open_place(&p);
    NEED_OK(store_answer_put(p.store, &first, &p.e), &p.e);
    CHECK_INT(create_with(&p, &a), ERR_CONFLICT);
    CHECK(!store_table_get(p.store, &t, &p.arena, &row, &p.e));
    CHECK_INT(p.e.code, ERR_NOT_FOUND);
    CHECK(!store_answer_put(p.store, &a, &p.e));
    CHECK_INT(p.e.code, ERR_CONFLICT);
    CHECK_SV(kept(&p, "l/etl", NOW), SV("first"));
    close_place(&p);
}

static void the_keys_of_two_principals_are_not_each_others(void)
{
    struct place p = {0};
    struct answer one = answer_at("l/etl", "first", NOW), other = answer_at("m/etl", "theirs", NOW);

    open_place(&p);
    NEED_OK(store_answer_put(p.store, &one, &p.e), &p.e);
    CHECK_SV(kept(&p, "m/etl", NOW), SV(""));
    CHECK_OK(store_answer_put(p.store, &other, &p.e), &p.e);
    CHECK_SV(kept(&p, "m/etl", NOW), SV("theirs"));
    CHECK_SV(kept(&p, "l/etl", NOW), SV("first"));
    close_place(&p);
}

static void only_the_next_change_enters_it(void)
{
    struct place p = {0};
    struct answer a = answer_at("l/etl", "first", NOW);

    open_place(&p);
    store_answer_with(p.store, &a);
    CHECK_OK(
        store_namespace_create(p.store, &(struct ns_name){sales.catalog, SV("x")}, SV("{}"), &p.e),
        &p.e);
    a.attempt = SV("again");
    CHECK_OK(
        store_namespace_create(p.store, &(struct ns_name){sales.catalog, SV("y")}, SV("{}"), &p.e),
        &p.e);
    store_answer_with(p.store, NULL);
    CHECK_SV(kept(&p, "l/etl", NOW), SV("first"));
    close_place(&p);
}

static void one_that_is_too_old_is_not_found_and_gives_way(void)
{
    struct place p = {0};
    struct answer a = answer_at("l/etl", "first", NOW);
    struct answer later = answer_at("l/etl", "second", NOW + STORE_ANSWER_MS);

    open_place(&p);
    NEED_OK(store_answer_put(p.store, &a, &p.e), &p.e);
    CHECK_SV(kept(&p, "l/etl", NOW + STORE_ANSWER_MS - 1), SV("first"));
    CHECK_SV(kept(&p, "l/etl", NOW + STORE_ANSWER_MS), SV(""));
    CHECK_OK(store_answer_put(p.store, &later, &p.e), &p.e);
    CHECK_SV(kept(&p, "l/etl", NOW + STORE_ANSWER_MS), SV("second"));
    close_place(&p);
}

static int64_t rows(struct place *p)
{
    struct sql q;
    int64_t n = -1;
    bool row;

    NEED_OK(sql_begin(p->store, "SELECT count(*) FROM answers", &q, &p->e), &p->e);
    if (sql_step(&q, &row, &p->e) && row)
        n = sql_column_i64(&q, 0);
    sql_end(&q);
    return n;
}

static void put_many(struct place *p, const char *prefix, int n, int64_t made_ms)
{
    for (int i = 0; i < n; i++) {
        struct answer a = answer_at("l/etl", "first", made_ms);

        a.key = arena_printf(&p->arena, "%s%d", prefix, i);
        NEED_OK(store_answer_put(p->store, &a, &p->e), &p->e);
    }
}

/* Each 64th that comes takes up to 256 along: what is left is what came since. */
static void old_ones_are_forgotten_in_bounded_steps_and_young_ones_never(void)
{
    struct place p = {0};

    open_place(&p);
    put_many(&p, "old", 320, NOW);
    put_many(&p, "young", 1, NOW + STORE_ANSWER_MS);
    CHECK_INT(rows(&p), 320 + 1 - 256);
    put_many(&p, "more", 63, NOW + STORE_ANSWER_MS);
    CHECK_INT(rows(&p), 320 + 64 - 256);
    put_many(&p, "last", 1, NOW + STORE_ANSWER_MS);
    CHECK_INT(rows(&p), 65);
    close_place(&p);
}

SUITE("store/answers", TEST(an_answer_is_found_as_it_was_entered),
      TEST(a_change_that_fails_leaves_no_answer),
      TEST(a_change_whose_key_has_an_answer_is_not_made),
      TEST(the_keys_of_two_principals_are_not_each_others), TEST(only_the_next_change_enters_it),
      TEST(one_that_is_too_old_is_not_found_and_gives_way),
      TEST(old_ones_are_forgotten_in_bounded_steps_and_young_ones_never))
