/*
 * leader.h - a thread that holds the Lease: only its holder writes, to the API server and to the
 * stores.
 */
#ifndef CONTROL_LEADER_H
#define CONTROL_LEADER_H

#include "kube/client.h"

struct leader;

struct leader_options {
    const struct kube_config *config;
    const struct world *world;
    struct sv namespace_; /* where the Lease "frontdesk" is */
    int duration_ms;      /* 0: 15 s */
    /* The lease was won or lost; runs on the leader's thread. */
    void (*changed)(void *context);
    void *context;
};

struct leader *leader_start(const struct leader_options *o, struct arena *a);
/* Any thread, right before each write: it turns false by itself before anyone else may write. */
bool leader_may_write(const struct leader *l);
/* Gives the lease up; only after all writers have stopped. */
void leader_stop(struct leader *l);

#endif
