/* transaction.h - several tables on their way together; shared by transaction.c and
 * transaction_end.c only. */
#ifndef CATALOG_TRANSACTION_H
#define CATALOG_TRANSACTION_H

#include "catalog/commit_steps.h"

struct transaction;

struct part {
    struct commit_one one; /* first: table_steps.h */
    struct transaction *all;
    bool written; /* its file has been, or may have been */
    bool missing; /* there is no table, after a write of unknown outcome */
};

struct transaction {
    struct part *parts;
    struct table_step *steps;
    size_t n, at, failed;
    int tries;
    struct err refusal; /* while files are tidied, or the store is asked */
    bool made_before;   /* a new table is there, and it is this request's */
};

/* transaction.c: from the start, with what is in force now. */
MUST_CHECK bool transaction_try(struct call *c, struct transaction *t, struct err *e);

/* ---- transaction_end.c ---- */

bool transaction_done(struct call *c, const struct transaction *t); /* 204. Always true */
bool transaction_unknown(struct call *c, struct err *e);            /* always false */
bool transaction_about(const struct call *c, const struct part *p,
                       struct err *e); /* names the table. Always false */
/* Ends with `refusal` of the part `failed`; nothing was written. */
MUST_CHECK bool transaction_refuse(struct call *c, struct transaction *t, struct err *e);
/* Ends with `e`, unless a new table of it is there already. */
MUST_CHECK bool transaction_failed(struct call *c, struct transaction *t, struct err *e);
/* Takes away what was written, then refuses with `why` or tries again. */
MUST_CHECK bool transaction_tidy(struct call *c, struct transaction *t, const struct err *why,
                                 struct err *e);
/* After the store has moved all pointers, or has not. */
MUST_CHECK bool transaction_swapped(struct call *c, const struct err *outcome, struct err *e);

#endif
