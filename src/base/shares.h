/*
 * shares.h - an amount that many owners share, of which no owner holds more than is free.
 *
 * One owner alone gets half, two a third each, and whoever comes next always finds room: no owner
 * can take all, and nothing has to be divided beforehand. Any thread.
 */
#ifndef BASE_SHARES_H
#define BASE_SHARES_H

#include <pthread.h>

#include "base/arena.h"
#include "base/sv.h"

struct owner_share;

struct shares {
    pthread_mutex_t lock;
    size_t max, used;           /* `used` guarded by lock */
    struct owner_share **slots; /* guarded by lock: those who hold something */
};

void shares_init(struct shares *s, size_t max, struct arena *a);
/* Nobody holds anything any more. */
void shares_done(struct shares *s);
/* `n` more for `owner`; false, and nothing is taken, when it would then hold more than is free. */
MUST_CHECK bool shares_take(struct shares *s, struct sv owner, size_t n);
/* What shares_take gave. */
void shares_give(struct shares *s, struct sv owner, size_t n);
size_t shares_used(struct shares *s);

#endif
