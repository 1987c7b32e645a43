/* keeper.c - threads with a connection each. */
#include "store/keeper.h"

#include <assert.h>
#include <semaphore.h>
#include <stdatomic.h>

struct keeper {
    struct arena arena;
    struct store *store;
    struct mailbox mailbox;
    sem_t bell;
    pthread_t thread;
    bool ending; /* touched by its own thread */
};

struct keepers {
    struct keeper *all; /* the first one writes */
    unsigned n;
    _Atomic unsigned next;
    struct err trouble; /* at the start */
};

struct end_message {
    struct message message;
    struct keeper *keeper;
};

static void ring(void *bell)
{
    (void)sem_post(bell);
}

static void *keep(void *argument)
{
    struct keeper *k = argument;

    while (!k->ending) {
        while (sem_wait(&k->bell) != 0)
            continue;
        mailbox_drain(&k->mailbox, k->store);
    }
    return NULL;
}

static void deliver_end(struct message *m, UNUSED void *receiver)
{
    ((struct end_message *)m)->keeper->ending = true;
}

static void finish(struct keeper *k)
{
    mailbox_done(&k->mailbox);
    (void)sem_destroy(&k->bell);
    arena_done(&k->arena);
}

/* The first one says how the database is: three would wait three times for one that is away. */
static bool open_store(struct keepers *all, struct keeper *k, struct sv url, struct err *e)
{
    struct err why = {0};

    if (!store_open(url, &k->arena, &k->store, e))
        return false;
    if (k != all->all || store_check(k->store, &why))
        return true;
    all->trouble = why;
    if (why.code == ERR_UNAVAILABLE)
        return true;
    *e = why;
    return err_wrap(e, "store");
}

static bool start(struct keepers *all, struct keeper *k, struct sv url, struct err *e)
{
    int failed;

    if (!open_store(all, k, url, e)) {
        arena_done(&k->arena);
        return false;
    }
    /* It fails only for a count beyond what a semaphore holds. */
    failed = sem_init(&k->bell, 0, 0);
    assert(!failed);
    mailbox_init(&k->mailbox, ring, &k->bell);
    failed = pthread_create(&k->thread, NULL, keep, k);
    if (!failed)
        return true;
    finish(k);
    return err_set(e, ERR_UNAVAILABLE, "no thread for the catalog's database: error %d", failed);
}

bool keepers_start(struct sv url, unsigned readers, struct arena *a, struct keepers **out,
                   struct err *e)
{
    struct keepers *k = arena_new(a, struct keepers);

    k->all = arena_array(a, struct keeper, readers + 1);
    for (; k->n <= readers; k->n++) {
        if (start(k, &k->all[k->n], url, e))
            continue;
        keepers_stop(k);
        return false;
    }
    *out = k;
    return true;
}

const struct err *keepers_trouble(const struct keepers *k)
{
    return &k->trouble;
}

void keepers_stop(struct keepers *k)
{
    auto_arena a = {0};

    for (unsigned i = 0; i < k->n; i++) {
        struct end_message *m = arena_new(&a, struct end_message);

        m->message.deliver = deliver_end;
        m->keeper = &k->all[i];
        mailbox_post(&k->all[i].mailbox, &m->message);
    }
    for (unsigned i = 0; i < k->n; i++) {
        (void)pthread_join(k->all[i].thread, NULL);
        finish(&k->all[i]);
    }
}

void keepers_write(struct keepers *k, struct message *m)
{
    mailbox_post(&k->all[0].mailbox, m);
}

void keepers_read(struct keepers *k, struct message *m)
{
    unsigned reader = k->n > 1 ? 1 + atomic_fetch_add(&k->next, 1) % (k->n - 1) : 0;

    mailbox_post(&k->all[reader].mailbox, m);
}
