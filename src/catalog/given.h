/*
 * given.h - answers that were given before, so that they need not be made again.
 *
 * What led to one is the rulebook, what the store holds, who asks and for what: it goes when either
 * of the first two changes, so a right that was taken away or a table that moved is never answered
 * from here. Neither are keys past a part of their life, nor keys that outlive the caller's token
 * by more than fresh ones would.
 */
#ifndef CATALOG_GIVEN_H
#define CATALOG_GIVEN_H

#include "serve/call.h"

struct given {
    struct sv variant;           /* what of the request counts, beside its path */
    struct sv text;              /* the answer, or what goes into it */
    struct sv file, sha256, tag; /* of a load */

    /* Filled by given_remember, for given_tell. */
    struct sv levels_text, table_text, grant, key_id;
    const struct rule_catalog *catalog; /* of this rulebook */
    int64_t use_until_ms, expires_ms;   /* Unix time; without keys never and 0 */
};

/* What the same caller was given by the same rulebook and store for this path, or NULL. It lives
 * until the call replies, which must be now. */
const struct given *given_find(struct call *c, struct sv variant);
/* The call is about to answer with it; `asked_epoch` is the store's when it was asked. */
void given_remember(struct call *c, const struct given *g, uint64_t asked_epoch);
/* What the record and the metrics must say of it. */
void given_tell(struct call *c, const struct given *g);

#endif
