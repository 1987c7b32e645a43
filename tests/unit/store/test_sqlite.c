/* test_sqlite.c - a disk that is full, a file that may not be written, one of an older program. */
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include "store/sql.h"
#include "unit/store/place.h"

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

static mode_t mode_of(struct place *p, const char *suffix)
{
    struct sv file = arena_printf(&p->arena, "%s/catalog.db%s", p->folder, suffix);
    struct stat s;

    return stat(file.p, &s) == 0 ? s.st_mode & 07777 : 0;
}

static void close_store(struct place *p)
{
    arena_done(&p->arena);
    p->url = arena_printf(&p->arena, "sqlite:%s/catalog.db", p->folder);
}

static void the_catalog_is_its_own_users_alone(void)
{
    struct place p = {0};
    mode_t before = umask(0);

    open_place(&p);
    CHECK_INT(mode_of(&p, ""), 0600);
    CHECK_INT(mode_of(&p, "-wal"), 0600);
    CHECK_INT(mode_of(&p, "-shm"), 0600);
    close_store(&p);
    /* As older versions made it. */
    NEED(chmod(arena_cstr(&p.arena, sv_skip(p.url, 7)), 0644) == 0);
    NEED_OK(store_open(p.url, &p.arena, &p.store, &p.e), &p.e);
    CHECK_INT(mode_of(&p, ""), 0600);
    CHECK_INT(mode_of(&p, "-wal"), 0600);
    close_place(&p);
    (void)umask(before);
}

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

/* ---- of an older program ---- */

/* The first version of the database, as it was written before a name could have several places. */
static const char first_version[] =
    "CREATE TABLE namespaces (catalog TEXT NOT NULL, ns TEXT NOT NULL, parent TEXT NOT NULL,"
    " properties TEXT NOT NULL, PRIMARY KEY (catalog, ns)) WITHOUT ROWID;"
    "CREATE TABLE tables (id INTEGER PRIMARY KEY, catalog TEXT NOT NULL, ns TEXT NOT NULL,"
    " name TEXT NOT NULL, uuid TEXT NOT NULL, metadata_location TEXT NOT NULL, location TEXT NOT NULL,"
    " UNIQUE (catalog, ns, name), FOREIGN KEY (catalog, ns) REFERENCES namespaces (catalog, ns));"
    "CREATE TABLE folders (folder TEXT NOT NULL, table_id INTEGER REFERENCES tables (id) ON DELETE CASCADE,"
    " staged_id INTEGER REFERENCES staged (id) ON DELETE CASCADE);"
    "CREATE TABLE staged (id INTEGER PRIMARY KEY, catalog TEXT NOT NULL, ns TEXT NOT NULL,"
    " name TEXT NOT NULL, principal TEXT NOT NULL, uuid TEXT NOT NULL, location TEXT NOT NULL,"
    " expires_ms INTEGER NOT NULL, UNIQUE (catalog, ns, name, principal));"
    "INSERT INTO namespaces VALUES ('l/c', 'sales', '', '{}');"
    "INSERT INTO tables VALUES (7, 'l/c', 'sales', 'kept', 'u', 's3://b/m.json', 's3://b/kept/');"
    "INSERT INTO staged VALUES (9, 'l/c', 'sales', 't', 'l/bob', 'u1', 's3://b/bobs/', 1000);"
    "INSERT INTO folders VALUES ('s3://b/kept/', 7, NULL), ('s3://b/bobs/', NULL, 9);"
    "PRAGMA user_version = 1";

static void a_database_of_the_first_version_keeps_tables_and_promises(void)
{
    struct place p = {0};
    const struct table_name kept = {sales.catalog, sales.ns, SV("kept")};
    struct table_row row = {0};
    sqlite3 *db = NULL;
    struct sv overlap;

    make_folder(&p);
    NEED(sqlite3_open(arena_cstr(&p.arena, sv_skip(p.url, 7)), &db) == SQLITE_OK);
    NEED(sqlite3_exec(db, first_version, NULL, NULL, NULL) == SQLITE_OK);
    CHECK_INT(sqlite3_close(db), SQLITE_OK);
    NEED_OK(store_open(p.url, &p.arena, &p.store, &p.e), &p.e);
    NEED_OK(store_table_get(p.store, &kept, &p.arena, &row, &p.e), &p.e);
    CHECK_SV(row.metadata_sha256, SV(""));
    CHECK(holds(&p, "l/bob", "s3://b/bobs/", 10));
    CHECK_INT(create(&p, "x", "s3://b/kept/x/", NULL, &overlap), ERR_CONFLICT);
    CHECK_SV(overlap, SV("l/c/sales.kept"));
    CHECK_INT(create(&p, "x", "s3://b/bobs/", NULL, &overlap), ERR_CONFLICT);
    CHECK_INT(stage(&p, "l/bob", "s3://b/more/", "u2", 10, NULL), ERR_NONE);
    close_place(&p);
}

SUITE("store/sqlite", TEST(no_room_is_told_loses_nothing_and_is_survived),
      TEST(the_catalog_is_its_own_users_alone), TEST(a_file_that_may_not_be_written_is_told),
      TEST(a_file_that_is_no_database_is_told), TEST(a_database_of_a_newer_program_is_told),
      TEST(a_transaction_that_was_left_open_is_given_up),
      TEST(a_database_of_the_first_version_keeps_tables_and_promises))
