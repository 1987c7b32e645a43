/* mailbox.c - how threads give things to each other. */
#include "net/mailbox.h"

#include <assert.h>

void mailbox_init(struct mailbox *m, void (*ring)(void *bell), void *bell)
{
    int failed = pthread_mutex_init(&m->lock, NULL);

    assert(!failed);
    m->first = NULL;
    m->last = &m->first;
    m->rung = false;
    m->ring = ring;
    m->bell = bell;
}

void mailbox_done(struct mailbox *m)
{
    (void)pthread_mutex_destroy(&m->lock);
}

void mailbox_post(struct mailbox *m, struct message *message)
{
    bool ring;

    message->next = NULL;
    (void)pthread_mutex_lock(&m->lock);
    *m->last = message;
    m->last = &message->next;
    ring = !m->rung;
    m->rung = true;
    (void)pthread_mutex_unlock(&m->lock);
    /* One ring wakes the receiver for all that is posted until it drains. */
    if (ring)
        m->ring(m->bell);
}

void mailbox_drain(struct mailbox *m, void *receiver)
{
    struct message *all;

    (void)pthread_mutex_lock(&m->lock);
    all = m->first;
    m->first = NULL;
    m->last = &m->first;
    m->rung = false;
    (void)pthread_mutex_unlock(&m->lock);
    while (all) {
        struct message *next = all->next;

        all->deliver(all, receiver);
        all = next;
    }
}
