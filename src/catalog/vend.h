/* vend.h - keys for one table, and what they follow from. */
#ifndef CATALOG_VEND_H
#define CATALOG_VEND_H

#include "serve/call.h"

/*
 * Adds what the client may use of a table to a LoadTableResult (or to the answer of /credentials):
 * config and storage-credentials for all kinds of clients, complete or not at all. Asks the minter;
 * `then` goes on. When the client asked for no delegation, or may not read data, adds nothing and
 * goes on.
 */
struct vend_ask {
    struct levels ns;
    struct sv table;
    struct location
        folders[8]; /* the table's, checked in allowedLocations and in nobody else's place */
    size_t n_folders;
    struct json *result; /* gets "config" and "storage-credentials" */
    bool required;       /* /credentials: a caller without data rights has been refused */
    bool made;           /* what they go with is in force: without keys its outcome is unknown */
};
MUST_CHECK bool call_vend(struct call *c, const struct vend_ask *ask, call_then_fn *then,
                          struct err *e);
bool call_asks_for_keys(const struct call *c); /* the client takes part */
/* All that the keys which call_vend would add follow from, beside the caller and the table; nothing
 * when it would add none. Fails when it would fail for sure. */
MUST_CHECK bool call_vend_terms(struct call *c, const struct vend_ask *ask,
                                const struct decision *d, struct buf *out, struct err *e);

#endif
