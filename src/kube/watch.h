/*
 * watch.h - list a collection, then follow it, then resume: one thread, any number of collections.
 *
 * WatchList where the server offers it, else list and watch; bookmarks; 410 lists again; 429 waits
 * as told; a clean end is resumed at once; silence past LIMIT_WATCH_SILENCE_MS is broken off. Knows
 * no kinds; keeps no objects, only their names and versions, to tell what vanished while it was not
 * looking.
 */
#ifndef KUBE_WATCH_H
#define KUBE_WATCH_H

#include "kube/client.h"

enum watch_event {
    WATCH_APPLIED, /* added or changed */
    WATCH_DELETED, /* `object` is the last state known, maybe only its name */
    WATCH_SYNCED,  /* all that existed was told; once at first, and again after each fresh list */
    WATCH_FAILED,  /* could not list or watch; will try again; `why` says it. SYNCED follows a
                      recovery */
};

/* `object` is valid during the call. It has metadata.namespace and metadata.name at least. */
typedef void watch_fn(enum watch_event event, const struct json *object, const struct err *why,
                      void *context);

struct watch_options {
    struct kube_name collection; /* name and subresource empty */
    struct sv label_selector, field_selector;
    bool metadata_only; /* PartialObjectMetadata: all but the metadata stays at the server */
    watch_fn *event;
    void *context;
};

struct kube_follower; /* the watches of one thread */
struct kube_watch;
struct kube_follower *kube_follower_new(const struct kube_config *c, const struct world *w,
                                        struct arena *a);
struct kube_watch *kube_follow(struct kube_follower *f, const struct watch_options *o);
void kube_unfollow(struct kube_follower *f, struct kube_watch *w); /* no event comes any more */
/* Delivers what came; sleeps at most `timeout_ms`. */
void kube_follower_poll(struct kube_follower *f, int timeout_ms);
void kube_follower_wake(struct kube_follower *f); /* any thread */

#endif
