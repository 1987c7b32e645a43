/*
 * secret_watches.h - which Secrets of a cluster are followed: those with our label by one watch,
 * and each other one that a resource names by a watch of its own, as long as it is named.
 *
 * A Secret that leaves the one watch (somebody took the label off, or a backup restored it without)
 * is looked for by its name before it counts as deleted: until that is answered, what was last told
 * of it stays in force.
 */
#ifndef CONTROL_SECRET_WATCHES_H
#define CONTROL_SECRET_WATCHES_H

#include "base/map.h"
#include "control/backend.h"
#include "kube/watch.h"

struct secret_watches;
struct secret_watches *secret_watches_new(struct kube_follower *f,
                                          const struct backend_events *events, struct arena *a);
void secret_watches_close(struct secret_watches *s);

/* What the watch of labelled Secrets tells; the object bears its kind. */
void secret_watches_hear(struct secret_watches *s, enum watch_event event,
                         const struct json *object);
/* Follows these ("ns/name" to const enum secret_need) and no others. True: all that exist of them
 * were told. */
bool secret_watches_keep(struct secret_watches *s, const struct map *names);
/* Once in each turn, when no event is being told. */
void secret_watches_sweep(struct secret_watches *s);

/* A copy as the cache takes it: a watch tells partial objects and deletions without a kind. */
struct json *watched_object(const struct json *object, struct sv kind, struct sv api_version,
                            struct arena *a);

#endif
