/*
 * event.h - events.k8s.io/v1 Events, built and bounded; sending them is the caller's.
 *
 * The same event again becomes a series: its second occurrence patches the first, and then at most
 * one patch each half hour tells the count. Beyond that, each regarded object has a bucket of 25
 * events that refills by one in five minutes: what does not fit is dropped, and counted.
 *
 * Source: the Event v1 API; client-go's events broadcaster (series) and event correlator (bucket).
 */
#ifndef KUBE_EVENT_H
#define KUBE_EVENT_H

#include "kube/client.h"

struct event_object {
    struct sv api_version, kind, namespace_, name, uid, resource_version;
};

struct event {
    struct event_object regarding;
    bool warning;
    struct sv reason; /* one specific situation: "RoleCreated", "DriftCorrected" */
    struct sv action; /* what was done or tried: "Reconcile"; empty: the reason */
    struct sv note;   /* for people; cut at 1,024 bytes. Never a secret */
};

struct event_recorder;
/* `controller` is a qualified name, "polaris.apache.org/frontdesk"; `instance` the pod's. */
struct event_recorder *event_recorder_new(struct arena *a, struct sv controller,
                                          struct sv instance);

/* What to send for `v`, in `a`; false: nothing, it is part of a series or was dropped. */
bool event_record(struct event_recorder *r, const struct event *v, int64_t mono_ms, int64_t wall_ms,
                  struct arena *a, struct kube_request *out);
/* The server did not know the event that a patch was for (it expires after an hour): the next
 * occurrence is sent as a new one. */
void event_forget(struct event_recorder *r, const struct event *v);
uint64_t event_dropped(const struct event_recorder *r);

enum {
    EVENT_BUCKET = 25,
    EVENT_REFILL_MS = 5 * 60 * 1000,
    EVENT_SERIES_PATCH_MS = 30 * 60 * 1000,
    EVENT_SERIES_ENDS_MS = 6 * 60 * 1000, /* without another occurrence */
    EVENT_NOTE_BYTES = 1024,
    EVENT_TEXT_BYTES = 128, /* of reason and action */
    EVENT_KEYS = 4096,      /* remembered at once; past that, all is forgotten */
    EVENT_MEMORY_BYTES = 4 * 1024 * 1024,
};

#endif
