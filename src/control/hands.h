/*
 * hands.h - the threads that carry jobs out. One is started when there is more to do than those
 * that there are can take, and stays.
 */
#ifndef CONTROL_HANDS_H
#define CONTROL_HANDS_H

#include "control/job.h"
#include "control/lanes.h"

struct hands;
struct hands_options {
    struct backend *backend;
    const struct world *world;
    int resync_ms;
    struct mailbox *home; /* where outcomes go, and their receiver takes them from */
    void (*outcome)(struct message *job, void *receiver);
};

struct hands *hands_new(const struct hands_options *o, struct arena *a);
/* Lanes give no more jobs at once than they have workers. */
void hands_give(struct hands *all, enum lane lane, struct job *j);
/* What is under way comes to its end; then none runs. */
void hands_stop(struct hands *all);
void hands_done(struct hands *all);

#endif
