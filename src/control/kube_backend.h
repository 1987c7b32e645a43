/* kube_backend.h - the cluster backend from within; shared by backend_kube.c and kube_secrets.c
 * only. */
#ifndef CONTROL_KUBE_BACKEND_H
#define CONTROL_KUBE_BACKEND_H

#include "control/backend.h"
#include "control/leader.h"
#include "control/secret_watches.h"
#include "kube/event.h"

#define MANAGER        "frontdesk"
#define STATUS_MANAGER "frontdesk-status"

struct kube_backend {
    struct backend base;
    struct arena *arena;
    const struct control_options *options;
    struct backend_events events;
    struct kube_config *config;
    struct kube_follower *follower;
    struct leader *leader;
    struct secret_watches *secrets;
    size_t unsynced; /* kinds of which not all was told yet */
};

struct writer {
    struct kube_backend *backend;
    struct kube_client *client;
    struct event_recorder *recorder;
};

bool kube_may_lead(const struct writer *w, struct err *e);
struct sv kube_system_namespace(const struct kube_backend *k);
struct json *kube_skeleton(struct arena *a, struct sv api_version, struct sv kind,
                           struct sv namespace_, struct sv name);

/* ---- kube_secrets.c ---- */
bool kube_put_secret(struct writer *w, const struct secret_want *want, const struct secret_now *now,
                     struct err *e);
bool kube_get_secret(struct writer *w, const struct json *owner, struct sv name, struct arena *a,
                     struct secret_now *out, struct err *e);
bool kube_own_secret(struct writer *w, struct sv name, struct arena *a, struct secret_now *out,
                     struct err *e);
bool kube_make_secret(struct writer *w, struct sv name, const struct tags *data, struct arena *a,
                      struct secret_now *out, struct err *e);

#endif
