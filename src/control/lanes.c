/* lanes.c - work in lanes. */
#include "control/lanes.h"

void lanes_init(struct lanes *l, const struct world *w, struct arena *a)
{
    for (int i = 0; i < LANES; i++)
        l->queues[i] = workqueue_new(a, w);
}

struct workqueue *lanes_queue(const struct lanes *l, struct sv key)
{
    bool store = sv_starts(key, SV("StorageIntegration/")) || sv_eq(key, SV(AMBIENT_KEYS));

    return l->queues[store ? LANE_STORES : LANE_PLAIN];
}

void lanes_add(struct lanes *l, struct sv key)
{
    workqueue_add(lanes_queue(l, key), key);
}
