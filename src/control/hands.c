/* hands.c - the threads that carry jobs out. */
#include "control/hands.h"

#include <assert.h>
#include <pthread.h>
#include <semaphore.h>

struct hand {
    struct arena arena;
    struct hands *all;
    struct mailbox mailbox;
    sem_t bell;
    pthread_t thread;
    struct worker worker;
    enum lane lane;
    bool busy;   /* the control thread's */
    bool ending; /* the worker's own */
};

enum { MOST = LANE_PLAIN_WORKERS + LANE_STORE_WORKERS };

struct hands {
    struct hands_options options;
    struct hand hands[MOST];
    size_t n; /* that were started */
};

struct hands *hands_new(const struct hands_options *o, struct arena *a)
{
    struct hands *h = arena_new(a, struct hands);

    h->options = *o;
    return h;
}

/* ---- the threads ---- */

/* Workers tell which of them is free by the message's path: each outcome frees one hand. */
struct free_hand {
    struct message message;
    struct hand *hand;
};

static void on_free(struct message *m, UNUSED void *receiver)
{
    ((struct free_hand *)m)->hand->busy = false;
}

static void carry_out(struct message *m, void *receiver)
{
    struct job *j = (struct job *)m;
    struct hand *h = receiver;
    const struct hands_options *o = &h->all->options;
    struct free_hand *f = arena_new(&j->arena, struct free_hand);

    job_run(&h->worker, j);
    f->message.deliver = on_free;
    f->hand = h;
    mailbox_post(o->home, &f->message);
    j->message.deliver = o->outcome;
    mailbox_post(o->home, &j->message);
}

static void *work(void *argument)
{
    struct hand *h = argument;

    while (!h->ending) {
        while (sem_wait(&h->bell) != 0)
            continue;
        mailbox_drain(&h->mailbox, h);
    }
    return NULL;
}

static void ring(void *bell)
{
    (void)sem_post(bell);
}

static struct hand *start(struct hands *all, enum lane lane)
{
    const struct hands_options *o = &all->options;
    struct hand *h = &all->hands[all->n];
    int failed = sem_init(&h->bell, 0, 0);

    assert(all->n < MOST);
    all->n++;
    h->all = all;
    h->lane = lane;
    mailbox_init(&h->mailbox, ring, &h->bell);
    h->worker = (struct worker){.writer = o->backend->ops->open_writer(o->backend, &h->arena),
                                .ops = o->backend->ops,
                                .backend = o->backend,
                                .http = http_client_new(&h->arena),
                                .world = o->world,
                                .resync_ms = o->resync_ms};
    failed = failed || pthread_create(&h->thread, NULL, work, h);
    assert(!failed);
    return h;
}

/* ---- the control thread ---- */

void hands_give(struct hands *all, enum lane lane, struct job *j)
{
    struct hand *h = NULL;

    for (size_t i = 0; i < all->n && !h; i++) {
        if (!all->hands[i].busy && all->hands[i].lane == lane)
            h = &all->hands[i];
    }
    h = h ? h : start(all, lane);
    h->busy = true;
    j->message.deliver = carry_out;
    mailbox_post(&h->mailbox, &j->message);
}

static void end_hand(UNUSED struct message *m, void *receiver)
{
    ((struct hand *)receiver)->ending = true;
}

void hands_stop(struct hands *all)
{
    struct message ends[MOST];

    for (size_t i = 0; i < all->n; i++) {
        ends[i] = (struct message){.deliver = end_hand};
        mailbox_post(&all->hands[i].mailbox, &ends[i]);
    }
    for (size_t i = 0; i < all->n; i++)
        (void)pthread_join(all->hands[i].thread, NULL);
}

void hands_done(struct hands *all)
{
    for (size_t i = 0; i < all->n; i++) {
        mailbox_done(&all->hands[i].mailbox);
        (void)sem_destroy(&all->hands[i].bell);
        arena_done(&all->hands[i].arena);
    }
}
