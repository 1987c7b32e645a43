/* test_texts.c - what is kept of metadata files: how much, for how long, and whose memory it is. */
#include "serve/texts.h"
#include "unit/suite.h"

enum { ROOM = 64 * 1024, TEXT_BYTES = 4000 };

static struct sv filled(struct arena *a, char with, size_t n)
{
    char *p = arena_alloc(a, n);

    memset(p, with, n);
    return sv_of(p, n);
}

static bool holds(struct texts *t, const char *name)
{
    auto_arena a = {0};
    struct sv ignored;

    return texts_get(t, sv_from(name), &a, &ignored);
}

static void what_was_put_is_got_by_its_name_alone(void)
{
    auto_arena a = {0};
    struct texts t = texts_of(ROOM);
    struct sv got = {0};

    texts_put(&t, SV("s3://b/one"), SV("{\"a\":1}"));
    texts_put(&t, SV("s3://b/two"), SV("{\"a\":2}"));
    CHECK(texts_get(&t, SV("s3://b/one"), &a, &got));
    CHECK_SV(got, SV("{\"a\":1}"));
    CHECK(!texts_get(&t, SV("s3://b/on"), &a, &got));
    arena_done(&a);
    texts_done(&t);
}

static void a_second_text_of_a_name_replaces_the_first(void)
{
    auto_arena a = {0};
    struct texts t = texts_of(ROOM);
    struct sv got = {0};

    texts_put(&t, SV("n"), SV("first"));
    texts_put(&t, SV("n"), SV("second"));
    CHECK(texts_get(&t, SV("n"), &a, &got));
    CHECK_SV(got, SV("second"));
    CHECK_INT(t.n, 1);
    arena_done(&a);
    texts_done(&t);
}

static void no_more_is_kept_than_there_is_room_for_however_many_come(void)
{
    auto_arena a = {0};
    struct texts t = texts_of(ROOM);
    struct sv text = filled(&a, 'x', TEXT_BYTES);

    for (int i = 0; i < 10000; i++) {
        texts_put(&t, arena_printf(&a, "s3://b/%d", i), text);
        CHECK(t.used_bytes <= ROOM);
    }
    CHECK(t.n <= ROOM / TEXT_BYTES && t.n >= ROOM / TEXT_BYTES / 2);
    CHECK(holds(&t, "s3://b/9999"));
    CHECK(!holds(&t, "s3://b/0"));
    texts_done(&t);
}

/* Many short names cost what it takes to keep them, not only their letters. */
static void empty_texts_are_counted_too(void)
{
    auto_arena a = {0};
    struct texts t = texts_of(ROOM);

    for (int i = 0; i < 10000; i++)
        texts_put(&t, arena_printf(&a, "%d", i), (struct sv){0});
    CHECK(t.n < ROOM / 128);
    texts_done(&t);
}

static void the_one_asked_for_longest_ago_goes_first(void)
{
    auto_arena a = {0};
    struct texts t = texts_of(ROOM);
    struct sv text = filled(&a, 'x', TEXT_BYTES);

    for (int i = 0; i < 10; i++)
        texts_put(&t, arena_printf(&a, "%d", i), text);
    CHECK(holds(&t, "0"));
    for (int i = 10; i < 20; i++)
        texts_put(&t, arena_printf(&a, "%d", i), text);
    CHECK(holds(&t, "0"));
    CHECK(!holds(&t, "1"));
    texts_done(&t);
}

static void a_text_too_large_for_the_room_is_not_kept_and_drives_nothing_out(void)
{
    auto_arena a = {0};
    struct texts t = texts_of(ROOM);

    texts_put(&t, SV("small"), SV("text"));
    texts_put(&t, SV("large"), filled(&a, 'x', ROOM / 4));
    CHECK(!holds(&t, "large"));
    CHECK(holds(&t, "small"));
    texts_done(&t);
}

/* The older text of a name must not answer for a newer one that there was no room for. */
static void a_text_that_is_not_kept_is_not_answered_by_the_one_before(void)
{
    auto_arena a = {0};
    struct texts t = texts_of(ROOM);

    texts_put(&t, SV("n"), SV("text"));
    texts_put(&t, SV("n"), filled(&a, 'x', ROOM));
    CHECK(!holds(&t, "n"));
    CHECK_INT(t.used_bytes, 0);
    texts_done(&t);
}

static void who_has_a_text_keeps_it_when_all_is_forgotten(void)
{
    auto_arena a = {0};
    struct texts t = texts_of(ROOM);
    struct sv got = {0};

    texts_put(&t, SV("n"), SV("still here"));
    CHECK(texts_get(&t, SV("n"), &a, &got));
    texts_done(&t);
    CHECK(!holds(&t, "n"));
    CHECK_SV(got, SV("still here"));
    CHECK_INT(t.used_bytes, 0);
    arena_done(&a);
}

static void what_was_forgotten_may_be_kept_again(void)
{
    struct texts t = texts_of(ROOM);

    texts_put(&t, SV("n"), SV("text"));
    texts_done(&t);
    texts_put(&t, SV("n"), SV("text"));
    CHECK(holds(&t, "n"));
    texts_done(&t);
}

SUITE("serve/texts", TEST(what_was_put_is_got_by_its_name_alone),
      TEST(a_second_text_of_a_name_replaces_the_first),
      TEST(no_more_is_kept_than_there_is_room_for_however_many_come),
      TEST(empty_texts_are_counted_too), TEST(the_one_asked_for_longest_ago_goes_first),
      TEST(a_text_too_large_for_the_room_is_not_kept_and_drives_nothing_out),
      TEST(a_text_that_is_not_kept_is_not_answered_by_the_one_before),
      TEST(who_has_a_text_keeps_it_when_all_is_forgotten),
      TEST(what_was_forgotten_may_be_kept_again))
