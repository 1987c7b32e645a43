/* test_postgres_commit.c - a COMMIT whose answer is lost. */
#include "unit/store/middle.h"

/*
 * The first connection is passed on until its COMMIT; its answer goes to nobody. With `late`, the
 * COMMIT reaches the server only after a second connection has asked for the turn.
 */
struct loser {
    struct middle middle;
    bool late;
    char commit[4096];
    size_t n_commit;
};

/* Passes on what comes until the client sends `word`, which stays in l->commit; false when one of
 * them hung up. */
static bool pass_until(struct loser *l, const struct pair *p, const char *word, size_t n_word)
{
    char text[sizeof(l->commit)];
    ssize_t n;
    int side;

    while (hear(p, text, sizeof(text), &n, &side)) {
        if (side == 0 && memmem(text, (size_t)n, word, n_word)) {
            memcpy(l->commit, text, (size_t)n);
            l->n_commit = (size_t)n;
            return true;
        }
        if (!pass_on(p, text, n, side))
            return false;
    }
    return false;
}

/* The server has been told, and has answered. */
static bool deliver(const struct loser *l, int server)
{
    char answer[4096];

    return write(server, l->commit, l->n_commit) == (ssize_t)l->n_commit &&
           read(server, answer, sizeof(answer)) > 0;
}

static void *stand_between(void *argument)
{
    struct loser *l = argument, turn = *l;
    struct pair first, second = {-1, -1};
    bool ok = take_client(&l->middle, &first) && pass_until(l, &first, "COMMIT", sizeof("COMMIT"));

    if (l->late) {
        (void)close(first.client);
        first.client = -1;
        ok = ok && take_client(&l->middle, &second) && pass_until(&turn, &second, "SET turn", 8) &&
             write(second.server, turn.commit, turn.n_commit) == (ssize_t)turn.n_commit;
    }
    ok = ok && deliver(l, first.server);
    close_pair(&first);
    while (ok && l->late && pass_until(l, &second, "no such word", 12))
        continue;
    close_pair(&second);
    return NULL;
}

/* A namespace is made through `l`, and it is not known whether it was. */
static void lose_commit(struct place *p, struct loser *l, struct arena *a, struct store **through)
{
    struct err e = {0};

    open_place(p);
    middle_start(&l->middle, p, stand_between, l);
    NEED_OK(store_open(middle_url(&l->middle, p, a), a, through, &e), &e);
    CHECK(!store_namespace_create(*through, &(struct ns_name){sales.catalog, SV("lost")}, SV("{}"),
                                  &e));
    CHECK_INT(e.code, ERR_INTERNAL);
}

static void a_commit_whose_answer_is_lost_is_of_unknown_outcome(void)
{
    struct place p = {0};
    struct loser l = {0};
    struct arena other = {0};
    struct store *through;
    struct sv found;

    lose_commit(&p, &l, &other, &through);
    CHECK_OK(store_namespace_get(p.store, &(struct ns_name){sales.catalog, SV("lost")}, &p.arena,
                                 &found, &p.e),
             &p.e);
    arena_done(&other);
    middle_end(&l.middle);
    close_place(&p);
}

static void the_next_answer_waits_until_such_a_commit_has_ended(void)
{
    struct place p = {0};
    struct loser l = {.late = true};
    struct arena other = {0};
    struct store *through;
    struct sv found;

    lose_commit(&p, &l, &other, &through);
    CHECK_OK(store_namespace_get(through, &(struct ns_name){sales.catalog, SV("lost")}, &p.arena,
                                 &found, &p.e),
             &p.e);
    arena_done(&other);
    middle_end(&l.middle);
    close_place(&p);
}

SUITE("store/postgres_commit", TEST(a_commit_whose_answer_is_lost_is_of_unknown_outcome),
      TEST(the_next_answer_waits_until_such_a_commit_has_ended))
