/*
 * mailbox.h - how threads give things to each other.
 *
 * A mailbox is a lock, a list and a bell. Posting never blocks for long and never fails; what may
 * be in flight was capped at the door. Messages are intrusive: the poster gives the memory away and
 * the receiver's `deliver` disposes of it.
 */
#ifndef NET_MAILBOX_H
#define NET_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>

struct message {
    struct message *next;
    /* Runs on the receiving thread. `receiver` is what mailbox_drain was given. */
    void (*deliver)(struct message *m, void *receiver);
};

struct mailbox {
    pthread_mutex_t lock;
    struct message *first, **last; /* guarded by lock */
    bool rung;                     /* guarded by lock: the bell rang and nobody drained since */
    void (*ring)(void *bell);      /* any thread; wakes the receiver */
    void *bell;
};

void mailbox_init(struct mailbox *m, void (*ring)(void *bell), void *bell);
void mailbox_done(struct mailbox *m);
void mailbox_post(struct mailbox *m, struct message *message);
/* Takes the whole list and delivers each, in the order of posting. */
void mailbox_drain(struct mailbox *m, void *receiver);

#endif
