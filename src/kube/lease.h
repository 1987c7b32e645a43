/*
 * lease.h - leader election with a coordination.k8s.io/v1 Lease.
 *
 * Source: client-go's leaderelection. The record's own times are never compared with our clock: a
 * lease is valid for others until its duration has passed since we saw it change, by our monotonic
 * clock. Fields that we do not know are kept.
 *
 * The election is a state machine without I/O (lease_plan, lease_answer); lease_step carries one
 * round out with a blocking client. Give it a client of its own, so that nothing queues before it.
 */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include "kube/client.h"

struct lease_options {
    struct sv namespace_, name;
    struct sv identity;    /* unique per process: HOST_UUID */
    int duration_ms;       /* 0: 15 s */
    int renew_deadline_ms; /* 0: two thirds of the duration */
    int retry_ms;          /* 0: 2 s */
    const struct world *world;
};

struct lease;
struct lease *lease_new(const struct lease_options *o, struct arena *a);

/* Whether we may act at this moment. Ask right before each write: it turns false by itself when the
 * lease could not be renewed in time, before anyone else may hold it. */
bool lease_is_held(const struct lease *l, int64_t mono_ms);
/* Until when it is held unless it is renewed. */
int64_t lease_held_until_ms(const struct lease *l);
/* When the next round is due. */
int64_t lease_next_ms(const struct lease *l);
/* Who holds it as far as we saw; empty: nobody. */
struct sv lease_holder(const struct lease *l);

/* One round: looks, and acquires or renews what can be. True when the API server answered; whether
 * we hold the lease is another question. */
MUST_CHECK bool lease_step(struct lease *l, struct kube_client *c, struct err *e);
/* Gives the lease up, so that a successor takes over at its next look. Only after all work that it
 * guards has stopped. Nothing to do, and true, when it is not ours. */
MUST_CHECK bool lease_release(struct lease *l, struct kube_client *c, struct err *e);

/* ---- the state machine ---- */

enum lease_act { LEASE_REST, LEASE_GET, LEASE_CREATE, LEASE_UPDATE };

/* What to send now; REST ends the round. `request` lives in `a`. */
enum lease_act lease_plan(struct lease *l, int64_t mono_ms, int64_t wall_ms, struct arena *a,
                          struct kube_request *request);
/* What came of it: `reply` has status 0 when there was no answer. `mono_ms` is the time of the
 * plan, not of the answer: a slow answer must not lengthen the lease. */
void lease_answer(struct lease *l, enum lease_act act, const struct kube_reply *reply,
                  int64_t mono_ms);

#endif
