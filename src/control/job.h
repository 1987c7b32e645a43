/*
 * job.h - one object's pass, handed whole to a worker and back.
 */
#ifndef CONTROL_JOB_H
#define CONTROL_JOB_H

#include "control/backend.h"
#include "net/http_client.h"
#include "net/mailbox.h"

enum job_kind { JOB_OBJECT, JOB_TOKEN_KEYS, JOB_CLUSTER_KEYS, JOB_AMBIENT };

/* A Secret that the object uses, as raw values. */
struct job_secret {
    bool found;
    struct sv version;
    struct tags data;
};

/* What control remembers of an integration between passes: facts for the rulebook. */
struct integration_found {
    bool known, vendable;
    struct sv why_not, role_arn, role_created_at;
    struct sv scope; /* integration_scope of what was verified */
    bool bulk_delete, session_tags;
    bool metadata_guard;      /* who writes data cannot write metadata files */
    struct sv verified_since; /* when it was first seen to work at its store; empty: not yet */
};

/* Since when the status knows that the integration works at the store and bucket that it names now:
 * a time, or empty. What an earlier version verified counts from the object's creation. */
struct sv integration_verified_since(const struct resource *r, struct arena *a);
/* Store and bucket in one spelling. */
struct sv integration_store(const struct storage_integration *w, struct arena *a);
/* A digest of what a narrowed credential's reach depends on, templates among it. What is vended
 * must have the digest that was verified. */
struct sv integration_scope(const struct storage_integration *w, struct arena *a);
/* The same as the status remembers it: the first part of probedHash. */
struct sv integration_scope_of_status(const struct json *status);

struct job {
    struct message message; /* first: it is what travels */
    struct arena arena;     /* holds this; wipes */
    enum job_kind kind;
    struct control *control;
    struct sv key;
    struct sv object_text;
    struct json *object; /* parsed by the worker, in this arena */
    struct resource *resource;
    struct complaints complaints;         /* of the compilation */
    struct job_secret own, admin, client; /* own: the ambient keys where none is named */
    struct sv ambient_why;                /* why there are no ambient keys */
    struct integration_found found;       /* before, and after */
    struct sv_vec other_roles; /* that other integrations at such a store trust and do not manage */
    struct sv warehouse;       /* a catalog's name among engines */
    struct sv store;           /* which an integration is about; empty: none */
    struct sv not_served; /* why nobody can log in as this principal, by the rulebook in force */

    struct err err;            /* ERR_NONE: done */
    bool timed_out;            /* the store let a request wait in vain, or nearly so */
    int again_ms;              /* look again after so long; 0: not by itself */
    struct token_keys keys;    /* JOB_TOKEN_KEYS: the first signs; none: there is no Secret */
    struct sv issuer, jwks;    /* JOB_CLUSTER_KEYS */
    struct credential ambient; /* JOB_AMBIENT */
    struct sv ambient_from;
};

/* A worker's own things. */
struct worker {
    struct writer *writer;
    const struct backend_ops *ops;
    struct backend *backend;
    struct http_client *http;
    const struct world *world;
    int resync_ms;
};

/* Carries a job out: everything blocking happens here. */
void job_run(struct worker *w, struct job *j);

/* ---- status.c ---- */

struct outcome {
    struct conditions conditions;
    struct json *extra; /* other members of the status; may be NULL */
};
/* Ready, and Reconciling or Stalled as kstatus reads them. `reason` "Reconciled" is true. */
void set_ready(struct outcome *o, struct job *j, enum condition_status s, const char *reason,
               struct sv message);
/* The first complaint as a condition; false when there is none. */
bool set_complaints(struct outcome *o, struct job *j);
/* Writes the status, when it differs from what the object has. */
MUST_CHECK bool put_outcome(struct worker *w, struct job *j, const struct outcome *o,
                            struct err *e);

/* JOB_TOKEN_KEYS: j->keys as they are now; made, where there are none, and turned, where somebody
 * asked for it, by the leader. */
#define TOKEN_KEYS_SECRET "frontdesk-token-keys"
MUST_CHECK bool token_keys_look(struct worker *w, struct job *j, struct err *e);
/* JOB_AMBIENT: the keys that the place we run in gives us, and when to ask again. */
MUST_CHECK bool ambient_obtain(struct worker *w, struct job *j, struct err *e);

/* ---- one reconciler per kind ---- */
MUST_CHECK bool reconcile_integration(struct worker *w, struct job *j, struct err *e);
MUST_CHECK bool reconcile_principal(struct worker *w, struct job *j, struct err *e);
MUST_CHECK bool reconcile_plain(struct worker *w, struct job *j, struct err *e);

/* A value of a Secret under either of two names, without a line feed at its end. */
struct sv secret_value(const struct job_secret *s, const char *name, const char *other);
/* Whether the values that are sent as credentials can be. ERR_INVALID names the first key and byte.
 */
MUST_CHECK bool secret_is_text(const struct job_secret *s, struct err *e);

#endif
