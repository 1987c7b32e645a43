/*
 * workqueue.h - each key once, never two at a time, with back-off per key. One thread; no clock.
 *
 * Source: client-go's workqueue: dirty and processing sets, a heap of delayed keys.
 */
#ifndef KUBE_WORKQUEUE_H
#define KUBE_WORKQUEUE_H

#include "base/arena.h"
#include "base/world.h"

struct workqueue;
struct workqueue *workqueue_new(struct arena *a, const struct world *w);
void workqueue_add(struct workqueue *q, struct sv key);
/* Not before; the earlier of two times holds. */
void workqueue_add_at(struct workqueue *q, struct sv key, int64_t mono_ms);
/* The next key that is due and marks it as processing; false: none is due. The view is valid until
 * workqueue_end. */
bool workqueue_begin(struct workqueue *q, int64_t mono_ms, struct sv *key);
/* Ends processing. A failure comes back after base_ms * 2^n (at most cap_ms, jitter up to 20 %), a
 * success forgets the failures; a key added meanwhile comes back at once either way. */
enum work_result { WORK_DONE, WORK_FAILED };
void workqueue_end(struct workqueue *q, struct sv key, enum work_result r, int64_t mono_ms);
/* Ends processing before it began: the key waits until then, as if it had not been taken. */
void workqueue_defer(struct workqueue *q, struct sv key, int64_t mono_ms);
/* When the next key is due; INT64_MAX: none waits. */
int64_t workqueue_next_ms(const struct workqueue *q);
size_t workqueue_depth(const struct workqueue *q);
/* None waits, none is processed, and none has failures to remember. */
bool workqueue_is_empty(const struct workqueue *q);

enum { WORK_BACKOFF_MS = 1000, WORK_BACKOFF_CAP_MS = 300 * 1000 };

#endif
