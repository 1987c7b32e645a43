/*
 * bench_store.c - how fast the store commits, for hack/bench: our own way, and the same statements
 * bare, in the same file. Prints commits a second.
 *
 *   bench_store fill URL CATALOG NAMESPACE N     N tables, named t1000000 and so on
 *   bench_store keeper URL WRITERS SECONDS       writers that wait for one keeper, as calls do
 *   bench_store keyed URL WRITERS SECONDS        the same, each commit under a key of its own
 *   bench_store bare FILE WRITERS SECONDS        SQLite alone: BEGIN IMMEDIATE, UPDATE, COMMIT
 *   bench_store connections URL WRITERS SECONDS  each writer on a connection of its own
 *   bench_store statement                        the UPDATE of a commit
 */
#include <semaphore.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/world.h"
#include "store/keeper.h"
#include "store/sql.h"

enum { MAX_WRITERS = 64 };

static const struct ns_name place = {SV_INIT("bench/c"), SV_INIT("bench")};

_Noreturn static void give_up(const char *what, const struct err *e)
{
    (void)fprintf(stderr, "bench_store: %s: %s\n", what, e ? e->msg : "failed");
    exit(1);
}

static int64_t now_ms(void)
{
    return world_mono_ms(&world_os);
}

/* ---- tables ---- */

/* All of them have seven digits. */
static struct sv table_text(int i, struct arena *a)
{
    return arena_printf(a, "t%d", 1000000 + i);
}

struct filling {
    const struct ns_name *ns;
    int n;
};

static bool make_table(struct store *s, const struct ns_name *ns, int i, struct err *e)
{
    auto_arena a = {0};
    const struct table_name name = {ns->catalog, ns->ns, table_text(i, &a)};
    struct table_row row = {.uuid = world_uuid(&world_os, &a),
                            .location = arena_printf(&a, "s3://bkt/" SV_FMT "/" SV_FMT "/",
                                                     SV_ARG(ns->ns), SV_ARG(name.name))};
    struct table_change c = {.row = &row, .principal = SV("bench")};
    struct entry_found found;

    row.metadata_location =
        arena_printf(&a, SV_FMT "metadata/0.metadata.json", SV_ARG(row.location));
    return table_find_id(s, &name, ENTRY_TABLE, &a, &found, e) &&
           (found.id ||
            entry_create(s, &(struct entry_change){&name, &c, &a, ENTRY_TABLE, NULL}, e));
}

static bool make_tables(struct store *s, void *context, struct err *e)
{
    const struct filling *f = context;

    for (int i = 0; i < f->n; i++) {
        if (!make_table(s, f->ns, i, e))
            return false;
    }
    return true;
}

static void make_namespace(struct store *s, const struct ns_name *ns)
{
    struct err e = {0};

    if (!store_namespace_create(s, ns, SV("{}"), &e) && e.code != ERR_CONFLICT)
        give_up("namespace", &e);
}

static struct store *open_store(const char *url, struct arena *a)
{
    struct store *s;
    struct err e = {0};

    if (!store_open(sv_from(url), a, &s, &e))
        give_up("open", &e);
    return s;
}

static void make_all(const char *url, const struct ns_name *ns, int n)
{
    auto_arena a = {0};
    struct store *s = open_store(url, &a);
    struct err e = {0};

    make_namespace(s, ns);
    if (!sql_transaction(s, make_tables, &(struct filling){ns, n}, &e))
        give_up("tables", &e);
}

/* ---- one writer ---- */

struct writer {
    struct message message; /* first */
    struct mailbox *home;
    struct store *store; /* of its own connection */
    pthread_t thread;
    struct sv name, base, location, uuid;
    char file[2][160]; /* what is in force, what comes next */
    int64_t n, until_ms;
    unsigned run; /* no file has the name of one before */
    bool keyed;
};

static void read_writer(struct writer *w, struct store *s, int i, struct arena *a)
{
    const struct table_name name = {place.catalog, place.ns, table_text(i, a)};
    struct table_row row = {0};
    struct err e = {0};

    if (!store_table_get(s, &name, a, &row, &e))
        give_up("get", &e);
    w->name = name.name;
    w->run = (unsigned)world_below(&world_os, UINT32_MAX);
    w->location = row.location;
    w->uuid = row.uuid;
    (void)snprintf(w->file[0], sizeof(w->file[0]), SV_FMT, SV_ARG(row.metadata_location));
}

static void next_file(struct writer *w)
{
    (void)snprintf(w->file[1], sizeof(w->file[1]), SV_FMT "metadata/%05d-%08x.metadata.json",
                   SV_ARG(w->location), (int)(w->n % 100000), w->run);
}

static void commit_once(struct writer *w, struct store *s)
{
    auto_arena a = {0};
    const struct table_name name = {place.catalog, place.ns, w->name};
    struct table_row row = {w->uuid, sv_from(w->file[1]), w->location, {0}, {0}};
    struct table_change c = {
        .row = &row, .old_metadata_location = sv_from(w->file[0]), .principal = SV("bench")};
    struct answer answer = {.principal = SV("bench"), .status = 200, .uuid = w->uuid};
    struct err e = {0};

    next_file(w);
    row.metadata_location = sv_from(w->file[1]);
    if (w->keyed) {
        answer.key = world_uuid(&world_os, &a);
        answer.request = SV("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
        answer.attempt = SV("0123456789abcdef");
        answer.metadata_location = row.metadata_location;
        answer.made_ms = world_wall_ms(&world_os);
        store_answer_with(s, &answer);
    }
    if (!store_table_swap(s, &name, &c, &a, &e))
        give_up("swap", &e);
    store_answer_with(s, NULL);
    memcpy(w->file[0], w->file[1], sizeof(w->file[0]));
    w->n++;
}

static int64_t sum(const struct writer *all, int n)
{
    int64_t total = 0;

    for (int i = 0; i < n; i++)
        total += all[i].n;
    return total;
}

/* ---- through a keeper ---- */

struct desk {
    struct keepers *keepers;
    struct mailbox home;
    sem_t bell;
    int left; /* writers that go on */
};

static void on_keeper(struct message *m, void *receiver);

static void come_home(struct message *m, void *receiver)
{
    struct writer *w = (struct writer *)(void *)m;
    struct desk *d = receiver;

    m->deliver = on_keeper;
    if (now_ms() < w->until_ms)
        keepers_write(d->keepers, m);
    else
        d->left--;
}

static void on_keeper(struct message *m, void *receiver)
{
    struct writer *w = (struct writer *)(void *)m;

    commit_once(w, receiver);
    m->deliver = come_home;
    mailbox_post(w->home, m);
}

static void ring(void *bell)
{
    (void)sem_post(bell);
}

static void run_keeper(struct writer *all, const char *url, int n)
{
    auto_arena a = {0};
    struct desk d = {.left = n};
    struct err e = {0};

    if (sem_init(&d.bell, 0, 0) != 0 || !keepers_start(sv_from(url), 0, &a, &d.keepers, &e))
        give_up("keeper", &e);
    mailbox_init(&d.home, ring, &d.bell);
    for (int i = 0; i < n; i++) {
        all[i].home = &d.home;
        all[i].message.deliver = on_keeper;
        keepers_write(d.keepers, &all[i].message);
    }
    while (d.left > 0) {
        (void)sem_wait(&d.bell);
        mailbox_drain(&d.home, &d);
    }
    keepers_stop(d.keepers);
    mailbox_done(&d.home);
}

/* ---- each on its own connection ---- */

static void *write_alone(void *writer)
{
    struct writer *w = writer;

    while (now_ms() < w->until_ms)
        commit_once(w, w->store);
    return NULL;
}

static void run_connections(struct writer *all, const char *url, int n)
{
    auto_arena a = {0};

    for (int i = 0; i < n; i++)
        all[i].store = open_store(url, &a);
    for (int i = 0; i < n; i++) {
        if (pthread_create(&all[i].thread, NULL, write_alone, &all[i]) != 0)
            give_up("thread", NULL);
    }
    for (int i = 0; i < n; i++)
        (void)pthread_join(all[i].thread, NULL);
}

/* ---- SQLite alone ---- */

static void check(sqlite3 *db, int code)
{
    if (code == SQLITE_OK || code == SQLITE_DONE)
        return;
    (void)fprintf(stderr, "bench_store: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *text)
{
    sqlite3_stmt *stmt = NULL;

    check(db, sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL));
    return stmt;
}

static void run_once(sqlite3 *db, sqlite3_stmt *stmt)
{
    check(db, sqlite3_step(stmt));
    check(db, sqlite3_reset(stmt));
}

static void bind(sqlite3_stmt *stmt, int at, struct sv v)
{
    (void)sqlite3_bind_text64(stmt, at, v.p, v.n, SQLITE_STATIC, SQLITE_UTF8);
}

static void bind_commit(sqlite3_stmt *stmt, struct writer *w)
{
    const struct sv texts[] = {sv_from(w->file[1]), w->uuid, place.catalog, place.ns, w->name};

    for (int i = 0; i < 5; i++)
        bind(stmt, i + 1, texts[i]);
    (void)sqlite3_bind_int64(stmt, 6, 0);
    bind(stmt, 7, sv_from(w->file[0]));
    bind(stmt, 8, w->location);
    (void)sqlite3_bind_int64(stmt, 9, 1);
    for (int i = 10; i <= 16; i++)
        bind(stmt, i, SV(""));
}

static void run_bare(struct writer *all, const char *path, int n)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *begin, *update, *commit;

    check(db, sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
    check(db, sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", NULL, NULL,
                           NULL));
    begin = prepare(db, "BEGIN IMMEDIATE");
    update = prepare(db, entry_swap_text);
    commit = prepare(db, "COMMIT");
    for (int i = 0; now_ms() < all[0].until_ms; i = (i + 1) % n) {
        struct writer *w = &all[i];

        next_file(w);
        run_once(db, begin);
        bind_commit(update, w);
        run_once(db, update);
        if (sqlite3_changes(db) != 1)
            give_up("an UPDATE that changed nothing", NULL);
        run_once(db, commit);
        memcpy(w->file[0], w->file[1], sizeof(w->file[0]));
        w->n++;
    }
    (void)sqlite3_finalize(begin);
    (void)sqlite3_finalize(update);
    (void)sqlite3_finalize(commit);
    (void)sqlite3_close(db);
}

/* ---- which ---- */

static const struct way {
    const char *name;
    void (*run)(struct writer *all, const char *where, int n);
    const char *scheme; /* what makes a URL of the argument */
    bool keyed;
} ways[] = {
    {"keeper",      run_keeper,      "",        false},
    {"keyed",       run_keeper,      "",        true },
    {"bare",        run_bare,        "sqlite:", false},
    {"connections", run_connections, "",        false},
};

static void measure(const struct way *way, const char *where, int n, int seconds)
{
    auto_arena a = {0};
    static struct writer all[MAX_WRITERS];
    const char *url = arena_printf(&a, "%s%s", way->scheme, where).p;
    int64_t began;

    make_all(url, &place, n);
    for (int i = 0; i < n; i++) {
        struct arena for_a_while = {0};

        all[i].keyed = way->keyed;
        read_writer(&all[i], open_store(url, &for_a_while), i, &a);
        arena_done(&for_a_while);
    }
    began = now_ms();
    for (int i = 0; i < n; i++)
        all[i].until_ms = began + (int64_t)seconds * 1000;
    way->run(all, where, n);
    (void)printf("%.1f\n", (double)sum(all, n) * 1000 / (double)(now_ms() - began));
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "statement") == 0)
        return puts(entry_swap_text) < 0;
    if (argc == 6 && strcmp(argv[1], "fill") == 0) {
        make_all(argv[2], &(struct ns_name){sv_from(argv[3]), sv_from(argv[4])},
                 (int)strtol(argv[5], NULL, 10));
        return 0;
    }
    for (size_t i = 0; argc == 5 && i < sizeof(ways) / sizeof(ways[0]); i++) {
        int n = (int)strtol(argv[3], NULL, 10);

        if (strcmp(argv[1], ways[i].name) != 0 || n < 1 || n > MAX_WRITERS)
            continue;
        measure(&ways[i], argv[2], n, (int)strtol(argv[4], NULL, 10));
        return 0;
    }
    (void)fputs("bench_store: see the head of tests/bench/bench_store.c\n", stderr);
    return 2;
}
