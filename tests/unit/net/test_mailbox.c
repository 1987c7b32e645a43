/* test_mailbox.c - threads give things to each other: in order, none lost, one bell for many. */
#include <semaphore.h>
#include <stdatomic.h>

#include "net/mailbox.h"
#include "unit/suite.h"

enum { POSTERS = 8, EACH = 5000 };

struct note {
    struct message message;
    int poster, number;
};

struct receiver {
    struct mailbox mailbox;
    sem_t bell;
    atomic_int rings;
    int got, next[POSTERS], out_of_order;
};

static void ring(void *bell)
{
    struct receiver *r = bell;

    (void)atomic_fetch_add(&r->rings, 1);
    (void)sem_post(&r->bell);
}

static void deliver(struct message *m, void *receiver)
{
    const struct note *n = (struct note *)m;
    struct receiver *r = receiver;

    r->out_of_order += n->number != r->next[n->poster];
    r->next[n->poster] = n->number + 1;
    r->got++;
}

static void receiver_init(struct receiver *r)
{
    (void)sem_init(&r->bell, 0, 0);
    mailbox_init(&r->mailbox, ring, r);
}

static void receiver_done(struct receiver *r)
{
    mailbox_done(&r->mailbox);
    (void)sem_destroy(&r->bell);
}

struct poster {
    pthread_t thread;
    struct receiver *to;
    struct note notes[EACH];
};

static void *post_all(void *argument)
{
    struct poster *p = argument;

    for (int i = 0; i < EACH; i++)
        mailbox_post(&p->to->mailbox, &p->notes[i].message);
    return NULL;
}

static void start_posters(struct poster *all, struct receiver *to)
{
    for (int i = 0; i < POSTERS; i++) {
        all[i].to = to;
        for (int j = 0; j < EACH; j++)
            all[i].notes[j] = (struct note){{.deliver = deliver}, i, j};
        NEED(pthread_create(&all[i].thread, NULL, post_all, &all[i]) == 0);
    }
}

/* The receiver sleeps whenever the bell is silent: were one ring missing, this would not end. */
static void many_posters_lose_nothing_and_each_keeps_its_order(void)
{
    static struct poster posters[POSTERS];
    struct receiver r = {0};

    receiver_init(&r);
    start_posters(posters, &r);
    while (r.got < POSTERS * EACH) {
        (void)sem_wait(&r.bell);
        mailbox_drain(&r.mailbox, &r);
    }
    for (int i = 0; i < POSTERS; i++)
        (void)pthread_join(posters[i].thread, NULL);
    mailbox_drain(&r.mailbox, &r);
    CHECK_INT(r.got, POSTERS * EACH);
    CHECK_INT(r.out_of_order, 0);
    receiver_done(&r);
}

static void the_bell_rings_once_for_all_that_is_posted_until_it_is_drained(void)
{
    struct note notes[4] = {
        {{.deliver = deliver}, 0, 0},
        {{.deliver = deliver}, 0, 1},
        {{.deliver = deliver}, 0, 2},
        {{.deliver = deliver}, 0, 3}
    };
    struct receiver r = {0};

    receiver_init(&r);
    for (int i = 0; i < 3; i++)
        mailbox_post(&r.mailbox, &notes[i].message);
    CHECK_INT(r.rings, 1);
    mailbox_drain(&r.mailbox, &r);
    mailbox_post(&r.mailbox, &notes[3].message);
    CHECK_INT(r.rings, 2);
    mailbox_drain(&r.mailbox, &r);
    CHECK_INT(r.got, 4);
    receiver_done(&r);
}

static void draining_an_empty_mailbox_delivers_nothing(void)
{
    struct receiver r = {0};

    receiver_init(&r);
    mailbox_drain(&r.mailbox, &r);
    CHECK_INT(r.got, 0);
    CHECK_INT(r.rings, 0);
    receiver_done(&r);
}

struct echo {
    struct message message;
    struct receiver *to;
    struct note answer;
};

static void post_back(struct message *m, void *receiver)
{
    struct echo *e = (struct echo *)m;

    (void)receiver;
    mailbox_post(&e->to->mailbox, &e->answer.message);
}

/* A receiver that posts to itself rings its own bell: the message waits for the next drain. */
static void what_is_posted_while_draining_comes_with_the_next_drain(void)
{
    struct receiver r = {0};
    struct echo e = {
        {.deliver = post_back},
        &r, { {.deliver = deliver}, 0, 0}
    };

    receiver_init(&r);
    mailbox_post(&r.mailbox, &e.message);
    mailbox_drain(&r.mailbox, &r);
    CHECK_INT(r.got, 0);
    CHECK_INT(r.rings, 2);
    mailbox_drain(&r.mailbox, &r);
    CHECK_INT(r.got, 1);
    receiver_done(&r);
}

/* The receiver's `deliver` disposes of a message; mailbox_drain must not look at it afterwards. */
static void free_it(struct message *m, void *receiver)
{
    ((struct receiver *)receiver)->got++;
    memset(m, 0xff, sizeof(struct note));
}

static void a_message_is_not_touched_after_it_was_delivered(void)
{
    struct note notes[3] = {
        {{.deliver = free_it}, 0, 0},
        {{.deliver = free_it}, 0, 1},
        {{.deliver = free_it}, 0, 2}
    };
    struct receiver r = {0};

    receiver_init(&r);
    for (int i = 0; i < 3; i++)
        mailbox_post(&r.mailbox, &notes[i].message);
    mailbox_drain(&r.mailbox, &r);
    CHECK_INT(r.got, 3);
    receiver_done(&r);
}

SUITE("net/mailbox", TEST(many_posters_lose_nothing_and_each_keeps_its_order),
      TEST(the_bell_rings_once_for_all_that_is_posted_until_it_is_drained),
      TEST(draining_an_empty_mailbox_delivers_nothing),
      TEST(what_is_posted_while_draining_comes_with_the_next_drain),
      TEST(a_message_is_not_touched_after_it_was_delivered))
