/* test_races.c - two connections, two threads, one thing to be had: one gets it. */
#include <pthread.h>

#include "unit/store/place.h"

enum { ROUNDS = 40 };

struct racer {
    pthread_t thread;
    pthread_barrier_t *line;
    struct sv url;
    int number;
    /* One try in one round; ERR_NONE when it was won. */
    enum err_code (*try_it)(struct store *s, int round, int number, struct arena *a);
    enum err_code got[ROUNDS];
    bool opened;
};

static void *race(void *argument)
{
    struct racer *r = argument;
    struct arena a = {0};
    struct store *s = NULL;
    struct err e = {0};

    r->opened = store_open(r->url, &a, &s, &e);
    for (int i = 0; i < ROUNDS; i++) {
        (void)pthread_barrier_wait(r->line);
        r->got[i] = r->opened ? r->try_it(s, i, r->number, &a) : ERR_INTERNAL;
    }
    arena_done(&a);
    return NULL;
}

/* In each round one of the two won and the other was told of a conflict. */
static void check_race(struct place *p,
                       enum err_code (*try_it)(struct store *, int, int, struct arena *))
{
    struct racer racers[2] = {0};
    pthread_barrier_t line;

    NEED(pthread_barrier_init(&line, NULL, 2) == 0);
    for (int i = 0; i < 2; i++) {
        racers[i] = (struct racer){.line = &line, .url = p->url, .number = i, .try_it = try_it};
        NEED(pthread_create(&racers[i].thread, NULL, race, &racers[i]) == 0);
    }
    for (int i = 0; i < 2; i++)
        (void)pthread_join(racers[i].thread, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        bool first = racers[0].got[i] == ERR_NONE;

        CHECK_INT(racers[first ? 0 : 1].got[i], ERR_NONE);
        CHECK_INT(racers[first ? 1 : 0].got[i], ERR_CONFLICT);
    }
    (void)pthread_barrier_destroy(&line);
}

static enum err_code make(struct store *s, const char *name, const char *folder, struct arena *a)
{
    const struct table_name n = {sales.catalog, sales.ns, sv_from(name)};
    const struct table_row row = {SV("u"), SV("s3://b/m.json"), sv_from(folder), {0}, {0}};
    struct table_change c = {.row = &row};
    struct err e = {0};

    return store_table_create(s, &n, &c, a, &e) ? ERR_NONE : e.code;
}

static enum err_code same_name(struct store *s, int round, int number, struct arena *a)
{
    return make(s, arena_printf(a, "t%d", round).p,
                arena_printf(a, "s3://b/%d-%d/", round, number).p, a);
}

/* One asks for what lies below the other's. */
static enum err_code same_place(struct store *s, int round, int number, struct arena *a)
{
    return make(s, arena_printf(a, "t%d-%d", round, number).p,
                arena_printf(a, "s3://b/%d/%s", round, number ? "below/" : "").p, a);
}

static enum err_code promise_and_table(struct store *s, int round, int number, struct arena *a)
{
    struct staging g = {
        .row = {.principal = SV("l/etl"),
                .uuid = SV("u"),
                .location = arena_printf(a, "s3://b/%d/", round),
                .expires_ms = 1000}
    };
    const struct table_name n = {sales.catalog, sales.ns, arena_printf(a, "p%d", round)};
    struct err e = {0};

    if (number)
        return make(s, arena_printf(a, "t%d", round).p, arena_printf(a, "s3://b/%d/", round).p, a);
    return store_stage(s, &n, &g, a, &e) ? ERR_NONE : e.code;
}

/* Both have read the pointer that the round begins with. */
static enum err_code same_pointer(struct store *s, int round, int number, struct arena *a)
{
    const struct table_name n = {sales.catalog, sales.ns, arena_printf(a, "moving%d", round)};
    const struct table_row row = {SV("u"),
                                  arena_printf(a, "s3://b/by-%d.json", number),
                                  arena_printf(a, "s3://b/moving%d/", round),
                                  {0},
                                  {0}};
    struct table_change c = {.row = &row, .old_metadata_location = SV("s3://b/m.json")};
    struct err e = {0};

    return store_table_swap(s, &n, &c, a, &e) ? ERR_NONE : e.code;
}

static void one_name_is_given_to_one(void)
{
    struct place p = {0};

    open_place(&p);
    check_race(&p, same_name);
    close_place(&p);
}

static void one_place_is_given_to_one(void)
{
    struct place p = {0};

    open_place(&p);
    check_race(&p, same_place);
    close_place(&p);
}

static void a_place_is_promised_or_taken_never_both(void)
{
    struct place p = {0};

    open_place(&p);
    check_race(&p, promise_and_table);
    close_place(&p);
}

static void one_pointer_is_moved_by_one(void)
{
    struct place p = {0};

    open_place(&p);
    for (int i = 0; i < ROUNDS; i++)
        NEED(make(p.store, arena_printf(&p.arena, "moving%d", i).p,
                  arena_printf(&p.arena, "s3://b/moving%d/", i).p, &p.arena) == ERR_NONE);
    check_race(&p, same_pointer);
    close_place(&p);
}

/* ---- reading while it moves ---- */

enum { MOVES = 300 };

struct mover {
    struct sv url;
    bool ok;
    _Atomic bool done;
};

/* Between x.json with the folder x/ and y.json with y/. */
static void *move_to_and_fro(void *argument)
{
    struct mover *m = argument;
    struct arena a = {0};
    struct store *s;
    struct err e = {0};

    m->ok = store_open(m->url, &a, &s, &e);
    for (int i = 0; m->ok && i < MOVES; i++) {
        const char *const names[] = {"x", "y"};
        struct table_row row = {
            SV("u"), arena_printf(&a, "%s", names[(i + 1) % 2]), SV("s3://b/t/"), {0}, {0}};
        struct table_change c = {.row = &row, .old_metadata_location = sv_from(names[i % 2])};

        vec_push(&row.extra_locations, &a, arena_printf(&a, "s3://b/%s/", names[(i + 1) % 2]));
        m->ok = store_table_swap(s, &t, &c, &a, &e);
    }
    arena_done(&a);
    m->done = true;
    return NULL;
}

static void a_table_that_moves_is_seen_whole(void)
{
    struct place p = {0};
    struct table_row start = {SV("u"), SV("x"), SV("s3://b/t/"), {0}, {0}};
    struct table_change c = {.row = &start};
    struct mover m = {0};
    pthread_t thread;

    open_place(&p);
    vec_push(&start.extra_locations, &p.arena, SV("s3://b/x/"));
    NEED_OK(store_table_create(p.store, &t, &c, &p.arena, &p.e), &p.e);
    m.url = p.url;
    NEED(pthread_create(&thread, NULL, move_to_and_fro, &m) == 0);
    while (!m.done) {
        auto_arena a = {0};
        struct table_row row = {0};

        CHECK_OK(store_table_get(p.store, &t, &a, &row, &p.e), &p.e);
        CHECK_INT(row.extra_locations.n, 1);
        if (row.extra_locations.n)
            CHECK_SV(row.extra_locations.p[0],
                     arena_printf(&a, "s3://b/" SV_FMT "/", SV_ARG(row.metadata_location)));
    }
    (void)pthread_join(thread, NULL);
    CHECK(m.ok);
    close_place(&p);
}

SUITE("store/races", TEST(one_name_is_given_to_one), TEST(one_place_is_given_to_one),
      TEST(a_place_is_promised_or_taken_never_both), TEST(one_pointer_is_moved_by_one),
      TEST(a_table_that_moves_is_seen_whole))
