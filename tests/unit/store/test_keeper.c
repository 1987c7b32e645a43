/* test_keeper.c - queries run on the keepers' threads, in order, and none is lost at the end. */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "store/keeper.h"
#include "unit/store/place.h"

struct ask {
    struct message message;
    int number;
    bool ok;
    pthread_t on;
    sem_t *done;
};

static _Atomic int told; /* the number of the last write */

static void write_one(struct message *m, void *receiver)
{
    struct ask *a = (struct ask *)(void *)m;
    auto_arena arena = {0};
    const struct ns_name n = {SV("l/c"), arena_printf(&arena, "n%03d", a->number)};
    struct err e = {0};

    a->ok = atomic_exchange(&told, a->number) == a->number - 1 &&
            store_namespace_create(receiver, &n, SV("{}"), &e);
    a->on = pthread_self();
    if (a->done)
        (void)sem_post(a->done);
}

static void read_all(struct message *m, void *receiver)
{
    struct ask *a = (struct ask *)(void *)m;
    const struct ns_name top = {SV("l/c"), {0}};
    auto_arena arena = {0};
    struct sv_vec found = {0};
    struct err e = {0};

    a->ok = store_namespace_list(receiver, &top, &(struct page){0}, &arena, &found, &e) &&
            found.n == (size_t)a->number;
    a->on = pthread_self();
    (void)sem_post(a->done);
}

static void writes_keep_their_order_and_readers_see_them(void)
{
    enum { WRITES = 50, READS = 8 };
    struct place p = {0};
    struct keepers *k;
    struct ask writes[WRITES] = {0}, reads[READS] = {0};
    sem_t done;

    make_folder(&p);
    NEED(sem_init(&done, 0, 0) == 0);
    NEED_OK(keepers_start(p.url, 2, &p.arena, &k, &p.e), &p.e);
    atomic_store(&told, 0);
    for (int i = 0; i < WRITES; i++) {
        writes[i] = (struct ask){.message.deliver = write_one, .number = i + 1, .done = &done};
        keepers_write(k, &writes[i].message);
    }
    for (int i = 0; i < WRITES; i++)
        NEED(sem_wait(&done) == 0);
    for (int i = 0; i < READS; i++) {
        reads[i] = (struct ask){.message.deliver = read_all, .number = WRITES, .done = &done};
        keepers_read(k, &reads[i].message);
    }
    for (int i = 0; i < READS; i++)
        NEED(sem_wait(&done) == 0);
    for (int i = 0; i < WRITES; i++)
        CHECK(writes[i].ok && pthread_equal(writes[i].on, writes[0].on));
    for (int i = 0; i < READS; i++)
        CHECK(reads[i].ok && !pthread_equal(reads[i].on, writes[0].on));
    keepers_stop(k);
    (void)sem_destroy(&done);
    close_place(&p);
}

static void what_was_posted_before_the_end_is_done(void)
{
    enum { WRITES = 100 };
    struct place p = {0};
    struct keepers *k;
    struct ask writes[WRITES] = {0};

    make_folder(&p);
    NEED_OK(keepers_start(p.url, 0, &p.arena, &k, &p.e), &p.e);
    atomic_store(&told, 0);
    for (int i = 0; i < WRITES; i++) {
        writes[i] = (struct ask){.message.deliver = write_one, .number = i + 1};
        keepers_write(k, &writes[i].message);
    }
    keepers_stop(k);
    for (int i = 0; i < WRITES; i++)
        CHECK(writes[i].ok);
    close_place(&p);
}

static void without_readers_the_writer_reads(void)
{
    struct place p = {0};
    struct keepers *k;
    sem_t done;
    struct ask read = {.message.deliver = read_all, .done = &done};

    make_folder(&p);
    NEED(sem_init(&done, 0, 0) == 0);
    NEED_OK(keepers_start(p.url, 0, &p.arena, &k, &p.e), &p.e);
    keepers_read(k, &read.message);
    NEED(sem_wait(&done) == 0);
    CHECK(read.ok);
    keepers_stop(k);
    (void)sem_destroy(&done);
    close_place(&p);
}

static void a_database_that_does_not_open_is_an_error(void)
{
    auto_arena a = {0};
    struct keepers *k;
    struct err e = {0};

    CHECK(!keepers_start(SV("sqlite:/nowhere/at/all/catalog.db"), 2, &a, &k, &e));
    CHECK_INT(e.code, ERR_UNAVAILABLE);
    CHECK(!keepers_start(SV("mysql:x"), 2, &a, &k, &e));
    CHECK_INT(e.code, ERR_INVALID);
}

struct failing {
    struct message message;
    struct err e;
    sem_t *done;
};

static void create_one(struct message *m, void *receiver)
{
    struct failing *f = (struct failing *)m;

    CHECK(!store_namespace_create(receiver, &sales, SV("{}"), &f->e));
    (void)sem_post(f->done);
}

/* A server that may come later is no reason not to start; what is asked meanwhile may be tried
 * again. */
static void a_server_that_is_away_is_told_and_asked_again(void)
{
    auto_arena a = {0};
    struct keepers *k;
    sem_t done;
    struct failing f = {.message.deliver = create_one, .done = &done};
    struct err e = {0};

    NEED(sem_init(&done, 0, 0) == 0);
    NEED_OK(keepers_start(SV("postgresql://fd@127.0.0.1:1/d"), 2, &a, &k, &e), &e);
    CHECK_INT(keepers_trouble(k)->code, ERR_UNAVAILABLE);
    CHECK(sv_contains(sv_from(keepers_trouble(k)->msg), SV("Connection refused")));
    keepers_write(k, &f.message);
    NEED(sem_wait(&done) == 0);
    CHECK_INT(f.e.code, ERR_UNAVAILABLE);
    keepers_stop(k);
    (void)sem_destroy(&done);
}

static void a_database_that_can_be_used_is_no_trouble(void)
{
    struct place p = {0};
    struct keepers *k;

    make_folder(&p);
    NEED_OK(keepers_start(p.url, 2, &p.arena, &k, &p.e), &p.e);
    CHECK_INT(keepers_trouble(k)->code, ERR_NONE);
    keepers_stop(k);
    close_place(&p);
}

/* Stacks that no machine has room for. */
static void a_thread_that_does_not_start_is_an_error(void)
{
    struct place p = {0};
    pthread_attr_t before, huge;
    struct keepers *k;

    make_folder(&p);
    NEED(pthread_getattr_default_np(&before) == 0 && pthread_attr_init(&huge) == 0);
    NEED(pthread_attr_setstacksize(&huge, (size_t)1 << 60) == 0);
    NEED(pthread_setattr_default_np(&huge) == 0);
    CHECK(!keepers_start(p.url, 2, &p.arena, &k, &p.e));
    CHECK_INT(p.e.code, ERR_UNAVAILABLE);
    NEED(pthread_setattr_default_np(&before) == 0);
    CHECK_OK(keepers_start(p.url, 2, &p.arena, &k, &p.e), &p.e);
    keepers_stop(k);
    (void)pthread_attr_destroy(&huge);
    (void)pthread_attr_destroy(&before);
    close_place(&p);
}

SUITE("store/keeper", TEST(writes_keep_their_order_and_readers_see_them),
      TEST(what_was_posted_before_the_end_is_done), TEST(without_readers_the_writer_reads),
      TEST(a_database_that_does_not_open_is_an_error),
      TEST(a_server_that_is_away_is_told_and_asked_again),
      TEST(a_database_that_can_be_used_is_no_trouble),
      TEST(a_thread_that_does_not_start_is_an_error))
