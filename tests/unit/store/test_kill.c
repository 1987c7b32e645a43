/* test_kill.c - a program that is killed loses nothing that it was told is done. */
#include <signal.h>
#include <sys/wait.h>

#include "unit/store/place.h"

/* In a child: tables t0, t1, ... and after each the pointer of t0 moved; the number goes into the
 * pipe when both are acknowledged. */
static void write_for_ever(struct sv url, int to)
{
    struct arena a = {0};
    struct store *s;
    struct err e = {0};

    if (!store_open(url, &a, &s, &e))
        _exit(3);
    for (int i = 0;; i++) {
        const struct table_name n = {sales.catalog, sales.ns, arena_printf(&a, "t%d", i)};
        const struct table_name first = {sales.catalog, sales.ns, SV("t0")};
        const struct table_row row = {SV("u"),
                                      arena_printf(&a, "s3://b/%d.json", 0),
                                      arena_printf(&a, "s3://b/t%d/", i),
                                      {0},
                                      {0}};
        const struct table_row moved = {
            SV("u"), arena_printf(&a, "s3://b/%d.json", i + 1), SV("s3://b/t0/"), {0}, {0}};
        struct table_change create_it = {.row = &row};
        struct table_change move_it = {
            .row = &moved, .old_metadata_location = arena_printf(&a, "s3://b/%d.json", i)};

        if (!store_table_create(s, &n, &create_it, &a, &e) ||
            !store_table_swap(s, &first, &move_it, &a, &e) || write(to, &i, sizeof(i)) != sizeof(i))
            _exit(4);
    }
}

/* The last number that came through the pipe before and until the kill. */
static int kill_after(pid_t child, int from, int acknowledged)
{
    int last = -1, status = 0, n;

    while (last < acknowledged && read(from, &n, sizeof(n)) == sizeof(n))
        last = n;
    NEED(kill(child, SIGKILL) == 0);
    NEED(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    while (read(from, &n, sizeof(n)) == sizeof(n))
        last = n;
    return last;
}

static void check_kept(struct place *p, int last)
{
    struct table_row row = {0};

    NEED_OK(store_open(p->url, &p->arena, &p->store, &p->e), &p->e);
    for (int i = 0; i <= last; i++) {
        const struct table_name n = {sales.catalog, sales.ns, arena_printf(&p->arena, "t%d", i)};

        CHECK_OK(store_table_get(p->store, &n, &p->arena, &row, &p->e), &p->e);
        CHECK_SV(row.location, arena_printf(&p->arena, "s3://b/t%d/", i));
        /* The pointer stands where the last acknowledged write left it, or one further. */
        if (i == 0)
            CHECK(
                sv_eq(row.metadata_location, arena_printf(&p->arena, "s3://b/%d.json", last + 1)) ||
                sv_eq(row.metadata_location, arena_printf(&p->arena, "s3://b/%d.json", last + 2)));
    }
}

static void what_was_acknowledged_is_there_after_a_kill(void)
{
    static const unsigned seeds[] = {1, 7, 42, 1234, 99999, 20261};

    for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
        struct place p = {0};
        int ends[2];
        pid_t child;

        open_place(&p);
        NEED(pipe(ends) == 0);
        child = fork();
        NEED(child >= 0);
        if (child == 0)
            write_for_ever(p.url, ends[1]);
        (void)close(ends[1]);
        check_kept(&p, kill_after(child, ends[0], (int)(seeds[i] * 2654435761U >> 27)));
        (void)close(ends[0]);
        close_place(&p);
    }
}

SUITE("store/kill", TEST(what_was_acknowledged_is_there_after_a_kill))
