/*
 * maintain.h - what is done by and by: the files of purged tables. One thread, which may block.
 *
 * Of all replicas on one store one works on a purge at a time, by a lease in its row; another takes
 * it over when that has ended. A purge that fails, or whose catalog cannot be reached now, waits
 * longer each time.
 */
#ifndef MAINTAIN_MAINTAIN_H
#define MAINTAIN_MAINTAIN_H

#include "base/world.h"
#include "policy/rulebook.h"

struct maintain;

struct maintain_options {
    const struct world *world;
    struct sv store_url; /* store_open's */
    void (*record)(int64_t now_ms, struct sv line,
                   void *context); /* an audit record; on our thread */
    void *context;
};

MUST_CHECK bool maintain_start(const struct maintain_options *o, struct maintain **out,
                               struct err *e);
/* Any thread. Takes over one reference. */
void maintain_publish(struct maintain *m, struct rulebook *r);
/* Any thread: a purge was asked for just now. */
void maintain_wake(struct maintain *m);
/* Breaks off what is under way; it goes on where it was when the program, or another, does. */
void maintain_stop(struct maintain *m);
/* After it has been stopped, and when nobody calls the others any more. NULL: nothing. */
void maintain_free(struct maintain *m);

#endif
