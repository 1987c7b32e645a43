/*
 * lanes.h - work in lanes, and in turns: who talks to stores may be held up by one that does not
 * answer, and what needs no store must not wait for that. A key is always in the same lane.
 *
 * In a lane the namespaces take turns, whatever each of them has waiting; and one has at most one
 * worker more than an eighth of those that are idle. A store that let a request time out has one
 * worker at most, and all such stores have half of them.
 */
#ifndef CONTROL_LANES_H
#define CONTROL_LANES_H

#include "base/map.h"
#include "kube/workqueue.h"

#define TOKEN_KEYS   "token-keys"
#define CLUSTER_KEYS "cluster-keys"
#define AMBIENT_KEYS "ambient-keys"

enum lane { LANE_PLAIN, LANE_STORES, LANES };
enum { LANE_PLAIN_WORKERS = 1, LANE_STORE_WORKERS = 32, LANE_SLOW_WORKERS = 16 };

struct lane_state {
    int workers, idle;
    struct arena arena;
    struct map spaces;       /* by namespace */
    struct lane_space *turn; /* a ring; NULL: nobody waits */
    size_t sweep_over;
};

struct lanes {
    const struct world *world;
    struct lane_state all[LANES];
    /* Stores, by name. */
    struct arena arena;
    struct map stores;
    size_t sweep_over;
    int slow; /* workers that are at stores which timed out */
};

void lanes_init(struct lanes *l, const struct world *w);
void lanes_done(struct lanes *l);
enum lane lanes_of(struct sv key);
void lanes_add(struct lanes *l, struct sv key);
/* Not before; the earlier of two times holds. */
void lanes_add_at(struct lanes *l, struct sv key, int64_t mono_ms);

/* The store that a key is about; empty: none that could be slow. */
typedef struct sv lane_store_fn(void *context, struct sv key);
/* The next key that is due and may take one of the lane's workers now; false: there is none. The
 * view is valid until lanes_end, to which the same store is given. */
bool lanes_begin(struct lanes *l, enum lane lane, lane_store_fn *store_of, void *context,
                 int64_t mono_ms, struct sv *key);
struct lane_end {
    struct sv store;
    bool timed_out; /* the store let us wait in vain */
    enum work_result result;
};
void lanes_end(struct lanes *l, struct sv key, const struct lane_end *end, int64_t mono_ms);
/* When lanes_begin may have something; INT64_MAX: not by time. */
int64_t lanes_next_ms(const struct lanes *l);

enum { LANE_AGAIN_MS = 250 }; /* until what has to wait for a worker at its store asks again */

#endif
