/* test_faults.c - a program that is killed, a disk that is full, a file that may not be written. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "store/sql.h"
#include "unit/store/place.h"

/* ---- killed ---- */

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
                                      {0}};
        const struct table_row moved = {
            SV("u"), arena_printf(&a, "s3://b/%d.json", i + 1), SV("s3://b/t0/"), {0}};
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

/* ---- full ---- */

static bool fill(struct place *p, int *made)
{
    char *text = arena_array(&p->arena, char, 4000);

    memset(text, 'x', 4000);
    for (*made = 0; *made < 1000; ++*made) {
        const struct ns_name n = {sales.catalog, arena_printf(&p->arena, "n%d", *made)};
        auto_arena a = {0};

        if (!store_namespace_create(
                p->store, &n, arena_printf(&a, "{\"k\":\"" SV_FMT "\"}", SV_ARG(sv_of(text, 4000))),
                &p->e))
            return false;
    }
    return true;
}

/* A file that may not grow is what a disk without room is: the write fails, the program goes on. */
static void no_room_is_told_loses_nothing_and_is_survived(void)
{
    struct place p = {0};
    struct rlimit before = {0}, small;
    struct sv_vec found = {0};
    int made = 0;

    open_place(&p);
    NEED(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && getrlimit(RLIMIT_FSIZE, &before) == 0);
    small = before;
    small.rlim_cur = 524288;
    NEED(setrlimit(RLIMIT_FSIZE, &small) == 0);
    CHECK(!fill(&p, &made));
    CHECK_INT(p.e.code, ERR_UNAVAILABLE);
    NEED(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(made > 20);
    NEED_OK(store_namespace_list(p.store, &(struct ns_name){sales.catalog, {0}}, &(struct page){0},
                                 &p.arena, &found, &p.e),
            &p.e);
    CHECK_INT(found.n, made + 1);
    CHECK_OK(store_namespace_create(p.store, &(struct ns_name){sales.catalog, SV("after")},
                                    SV("{}"), &p.e),
             &p.e);
    close_place(&p);
}

/* ---- not to be written, not to be read ---- */

static void a_file_that_may_not_be_written_is_told(void)
{
    struct place p = {0};
    struct arena other = {0};
    struct store *s;
    uid_t me = geteuid();

    open_place(&p);
    arena_done(&p.arena);
    p.url = arena_printf(&p.arena, "sqlite:%s/catalog.db", p.folder);
    NEED(chmod(arena_cstr(&p.arena, sv_skip(p.url, 7)), 0444) == 0 && chmod(p.folder, 0555) == 0);
    /* Root may write whatever the modes say. */
    if (me == 0)
        NEED(seteuid(65534) == 0);
    CHECK(!store_open(p.url, &other, &s, &p.e));
    CHECK_INT(p.e.code, ERR_UNAVAILABLE);
    CHECK(sv_starts(sv_from(p.e.msg), arena_printf(&p.arena, "store %s/catalog.db: ", p.folder)));
    arena_done(&other);
    NEED(seteuid(me) == 0 && chmod(p.folder, 0755) == 0);
    close_place(&p);
}

static void a_file_that_is_no_database_is_told(void)
{
    struct place p = {0};
    FILE *f;

    make_folder(&p);
    f = fopen(arena_cstr(&p.arena, sv_skip(p.url, 7)), "w");
    NEED(f);
    for (int i = 0; i < 1000; i++)
        (void)fputs("this is no database ", f);
    (void)fclose(f);
    CHECK(!store_open(p.url, &p.arena, &p.store, &p.e));
    CHECK(sv_contains(sv_from(p.e.msg), SV("file is not a database")));
    close_place(&p);
}

static void a_database_of_a_newer_program_is_told(void)
{
    struct place p = {0};
    struct arena other = {0};
    struct store *s;

    open_place(&p);
    NEED_OK(sql_run(p.store, "PRAGMA user_version = 99", NULL, 0, &p.e), &p.e);
    CHECK(!store_open(p.url, &other, &s, &p.e));
    CHECK_INT(p.e.code, ERR_INVALID);
    CHECK(sv_contains(sv_from(p.e.msg), SV("of version 99, newer than this program's")));
    arena_done(&other);
    close_place(&p);
}

static void a_transaction_that_was_left_open_is_given_up(void)
{
    struct place p = {0};
    const struct ns_name half = {sales.catalog, SV("half")}, whole = {sales.catalog, SV("whole")};
    struct sv ignored;

    open_place(&p);
    NEED_OK(sql_run(p.store, "BEGIN", NULL, 0, &p.e), &p.e);
    NEED_OK(
        sql_run(p.store, "INSERT INTO namespaces VALUES ('l/c', 'half', '', '{}')", NULL, 0, &p.e),
        &p.e);
    CHECK_OK(store_namespace_create(p.store, &whole, SV("{}"), &p.e), &p.e);
    CHECK(store_namespace_get(p.store, &whole, &p.arena, &ignored, &p.e));
    CHECK(!store_namespace_get(p.store, &half, &p.arena, &ignored, &p.e));
    close_place(&p);
}

SUITE("store/faults", TEST(what_was_acknowledged_is_there_after_a_kill),
      TEST(no_room_is_told_loses_nothing_and_is_survived),
      TEST(a_file_that_may_not_be_written_is_told), TEST(a_file_that_is_no_database_is_told),
      TEST(a_database_of_a_newer_program_is_told),
      TEST(a_transaction_that_was_left_open_is_given_up))
