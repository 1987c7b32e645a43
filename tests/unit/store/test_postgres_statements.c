/* test_postgres_statements.c - how much is said to the server for a commit, counted on the wire. */
#include <stdatomic.h>

#include "unit/store/middle.h"

/* Passes everything on, and counts what a server answers one by one: statements that are sent as
 * text, and prepared ones that are run. */
struct counter {
    struct middle middle;
    atomic_int asked;
    size_t skip;    /* of what the client says: the rest of a message */
    bool has_begun; /* its first message has no type */
};

static size_t length_of(const unsigned char *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* What a client says comes whole here: each of its messages is short and written at once. */
static void count_messages(struct counter *c, const char *text, size_t n)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t at = c->has_begun ? 0 : length_of(p);

    c->has_begun = true;
    while (at + 5 <= n) {
        if (p[at] == 'Q' || p[at] == 'E')
            (void)atomic_fetch_add(&c->asked, 1);
        at += 1 + length_of(p + at + 1);
    }
}

static void *stand_between(void *argument)
{
    struct counter *c = argument;
    struct pair pair;
    char text[65536];
    ssize_t n;
    int side;

    if (!take_client(&c->middle, &pair))
        return NULL;
    while (hear(&pair, text, sizeof(text), &n, &side)) {
        if (side == 0)
            count_messages(c, text, (size_t)n);
        if (!pass_on(&pair, text, n, side))
            break;
    }
    close_pair(&pair);
    return NULL;
}

/* A place with a table, and a store that is listened to; it has said all that it says once. */
static void listen_to(struct place *p, struct counter *c, const char *extra, struct arena *a,
                      struct store **through)
{
    struct sv overlap;
    struct table_row row;
    struct err e = {0};

    open_place(p);
    NEED(create(p, "t", "s3://b/t/", extra, &overlap) == ERR_NONE);
    middle_start(&c->middle, p, stand_between, c);
    NEED_OK(store_open(middle_url(&c->middle, p, a), a, through, &e), &e);
    NEED_OK(store_table_get(*through, &t, a, &row, &e), &e);
}

/* The second of two: the first one has prepared what it needs. */
static int said_for_a_commit(struct counter *c, struct store *s, struct table_row *row,
                             struct answer *answer)
{
    auto_arena a = {0};
    int before = 0;

    for (int i = 0; i < 2; i++) {
        struct table_change change = {.row = row, .old_metadata_location = row->metadata_location};
        struct err e = {0};

        if (answer)
            answer->key = arena_printf(&a, "k%d", i);
        if (answer)
            answer->kept = false;
        row->metadata_location = arena_printf(&a, "s3://b/t/%d.json", i);
        before = atomic_load(&c->asked);
        store_answer_with(s, answer);
        CHECK_OK(store_table_swap(s, &t, &change, &a, &e), &e);
        store_answer_with(s, NULL);
        change.old_metadata_location = row->metadata_location;
    }
    return atomic_load(&c->asked) - before;
}

/* How much is said for a commit of a table that may have a second folder, maybe under a key. */
static int said(const char *extra, struct answer *answer)
{
    struct place p = {0};
    struct counter c = {0};
    struct arena other = {0};
    struct store *through;
    struct table_row row = {SV("u"), SV("s3://b/m.json"), SV("s3://b/t/"), {0}, {0}};
    int n;

    listen_to(&p, &c, extra, &other, &through);
    if (extra)
        vec_push(&row.extra_locations, &other, sv_from(extra));
    n = said_for_a_commit(&c, through, &row, answer);
    arena_done(&other);
    middle_end(&c.middle);
    close_place(&p);
    return n;
}

static void a_commit_takes_three_statements_with_the_turn_and_its_end(void)
{
    CHECK_INT(said(NULL, NULL), 3);
}

static void one_of_a_table_with_several_folders_takes_no_more(void)
{
    CHECK_INT(said("s3://b/data/", NULL), 3);
}

static void one_under_a_key_takes_one_more(void)
{
    CHECK_INT(said(NULL, &(struct answer){.principal = SV("l/etl"), .status = 200}), 4);
}

SUITE("store/postgres_statements", TEST(a_commit_takes_three_statements_with_the_turn_and_its_end),
      TEST(one_of_a_table_with_several_folders_takes_no_more), TEST(one_under_a_key_takes_one_more))
