/*
 * lanes.h - work in lanes: who talks to stores may be held up by one that does not answer, and what
 * needs no store must not wait for that. A key is always in the same lane.
 */
#ifndef CONTROL_LANES_H
#define CONTROL_LANES_H

#include "kube/workqueue.h"

#define TOKEN_KEYS   "token-keys"
#define CLUSTER_KEYS "cluster-keys"
#define AMBIENT_KEYS "ambient-keys"

enum lane { LANE_PLAIN, LANE_STORES, LANES };

struct lanes {
    struct workqueue *queues[LANES];
};

void lanes_init(struct lanes *l, const struct world *w, struct arena *a);
/* The queue that a key is in. */
struct workqueue *lanes_queue(const struct lanes *l, struct sv key);
void lanes_add(struct lanes *l, struct sv key);

#endif
