/*
 * backend.h - where resources live: a Kubernetes API server, or a folder of manifests. Two
 * implementations.
 *
 * Watching belongs to the control thread, which is told through backend_events. Writing belongs to
 * the workers: each opens a writer of its own. An object is whole JSON with metadata (uid,
 * generation, finalizers) and status, in both.
 */
#ifndef CONTROL_BACKEND_H
#define CONTROL_BACKEND_H

#include "api/resource.h"
#include "base/map.h"
#include "control/control.h"

struct backend;
struct writer;

/* Told on the control thread. `object` is valid during the call. */
struct backend_events {
    void (*applied)(void *context,
                    const struct json *object); /* one of our kinds, a Secret, a ServiceAccount */
    void (*deleted)(void *context, struct sv kind, struct sv namespace_, struct sv name);
    /* Everything that existed has been told. */
    void (*synced)(void *context);
    void (*failed)(void *context, struct sv what, const struct err *why);
    /* So many files cannot be used, "PATH: why" a line; what they named last stays in force. */
    void (*unread)(void *context, size_t n, struct sv text);
    void *context;
};

/* What a named Secret is followed for. */
enum secret_need {
    SECRET_WANTED,  /* follow it */
    SECRET_EXPECTED /* we may be the ones who write it: look for it when it is seen no more */
};

/* A Secret as it is at this moment. */
struct secret_now {
    bool found, ours;       /* ours: the object that was named owns it */
    struct sv version;      /* in a cluster */
    struct tags data;       /* raw values */
    struct sv rotate_asked; /* of own_secret: its annotation */
};

/* A Secret as it should be. */
struct secret_want {
    struct sv namespace_, name;
    const struct json *owner; /* the object that owns it; NULL: none */
    const struct tags *data;  /* raw values */
};

struct backend_ops {
    /* What lets an integration go whose deletion is blocked, as a clause for people. */
    const char *way_out;
    /* Follow these Secrets ("ns/name" to const enum secret_need), and no others that we did not
     * write. True: all that exist of them were told; else `synced` says when. */
    bool (*keep_secrets)(struct backend *b, const struct map *names);
    /* Delivers what came; sleeps at most so long. */
    void (*poll)(struct backend *b, int timeout_ms);
    /* Any thread: ends a sleep. */
    void (*wake)(struct backend *b);
    void (*close)(struct backend *b);
    /* Any thread, right before each write: whether this replica leads. */
    bool (*may_write)(struct backend *b);

    struct writer *(*open_writer)(struct backend *b, struct arena *a);
    /* Replaces the status of an object. `object` is the object as the caller knows it. */
    bool (*put_status)(struct writer *w, const struct json *object, const struct json *status,
                       struct err *e);
    bool (*put_finalizer)(struct writer *w, const struct json *object, struct sv finalizer,
                          bool present, struct err *e);
    /* Creates or replaces a Secret; `now` is what was read. Where the Secret has changed since,
     * nothing is written: ERR_CONFLICT. */
    bool (*put_secret)(struct writer *w, const struct secret_want *want,
                       const struct secret_now *now, struct err *e);
    /* Reads past every cache: what is written next builds on it. `owner` gives the namespace. */
    bool (*get_secret)(struct writer *w, const struct json *owner, struct sv name, struct arena *a,
                       struct secret_now *out, struct err *e);
    /* Where our own Secrets are, and how often to look at them beside what is followed. */
    struct sv (*own_namespace)(const struct backend *b);
    int own_secret_ms;
    /* Our own Secret of that name, past every cache. */
    bool (*own_secret)(struct writer *w, struct sv name, struct arena *a, struct secret_now *out,
                       struct err *e);
    /* Makes it; another replica may be first: `out` is what is there then. */
    bool (*make_secret)(struct writer *w, struct sv name, const struct tags *data, struct arena *a,
                        struct secret_now *out, struct err *e);
    /* For people; failing to write one is no failure. */
    void (*tell)(struct writer *w, const struct json *object, bool warning, const char *reason,
                 struct sv note);
    /* What service account tokens are verified with; empty where there are none. */
    bool (*cluster_keys)(struct writer *w, struct arena *a, struct sv *issuer, struct sv *jwks,
                         struct err *e);
};

struct backend {
    const struct backend_ops *ops;
    const struct world *world;
    _Atomic int64_t ending_ms; /* monotonic: since when the program ends; 0: it does not */
};

/* Any thread: the program ends; what has begun may go on for END_GRACE_MS. */
enum { END_GRACE_MS = 1000 };
void backend_end(struct backend *b);
bool backend_is_ending(const struct backend *b);
/* Whether a request that is under way is broken off, as http_client asks; `backend` is a struct
 * backend. Any request: when the grace is over. One that changes something: when the lease is lost,
 * too. */
bool backend_is_late(void *backend);
bool backend_is_over(void *backend);

MUST_CHECK bool backend_kube(const struct control_options *o, const struct backend_events *events,
                             struct arena *a, struct backend **out, struct err *e);
MUST_CHECK bool backend_folder(const struct control_options *o, const struct backend_events *events,
                               struct arena *a, struct backend **out, struct err *e);

#define FINALIZER        "polaris.apache.org/frontdesk"
#define MANAGED_BY_LABEL "app.kubernetes.io/managed-by"
/* Who asks for a rotation sets the one to a new value; the Secret that came of it bears that value.
 */
#define ROTATE_ANNOTATION API_GROUP "/rotate-requested-at"
#define ROTATION_HANDLED  "rotation-requested-at"
/* Of a Secret: the first; empty: it has none. */
struct sv secret_rotation_asked(const struct json *secret);
/* Its data, decoded. The names are copied. */
MUST_CHECK bool secret_data(const struct json *secret, struct arena *a, struct tags *out,
                            struct err *e);

#endif
