/*
 * minter.h - credentials on demand, and our own reads and writes in buckets: one thread that never
 * blocks.
 *
 * An integration has at most as many mints in flight as are free, and one at a time while its token
 * service does not answer: a silent one costs its own callers only (services.h).
 *
 * Equal mints share a flight; a credential is reused until half its life or 30 minutes are left,
 * whichever is less; failures are shared and remembered for a moment. What led to a credential is
 * in its key: the caller, its role, the policy, the target and the generation of its Secret. A
 * change of any gives another key.
 */
#ifndef SERVE_MINTER_H
#define SERVE_MINTER_H

#include "base/world.h"
#include "net/mailbox.h"
#include "policy/rulebook.h"

struct minter;

/* What is asked. The memory it points to is handed over until the answer. */
struct mint_job {
    struct message message;
    struct mailbox *home;                              /* where the answer goes */
    void (*answer)(struct message *m, void *receiver); /* its deliver */
    void *context;
    struct arena *arena;    /* for what comes back */
    struct rulebook *rules; /* held by the asker until the answer */
    const struct rule_integration *integration;
    struct sv principal, only_roles;
    struct sv policy, session_name;
    struct tags tags;
    int ttl_seconds;

    /* An object instead of the credential itself; key empty: none. */
    struct location file;
    enum http_method method;
    struct sv body;

    struct err err; /* ERR_NONE: it went well */
    struct credential got;
    struct sv content;
    bool too_large; /* a GET: the object is there, and larger than LIMIT_METADATA_BYTES */

    struct mint_job *next; /* the minter's */
};

/* The credentials that it keeps take about `cache_bytes` at most. */
MUST_CHECK bool minter_start(const struct world *w, size_t cache_bytes, struct arena *a,
                             struct minter **out, struct err *e);
void minter_stop(struct minter *m);
/* Any thread. The answer always comes by message, later. */
void minter_ask(struct minter *m, struct mint_job *job);

#endif
