/*
 * once.h - a request that bears an Idempotency-Key is carried out once and answered alike each time
 * it comes.
 *
 * A handler asks for every right, and then leaves to call_once what it would have done. The record
 * of the answer is written by the transaction that makes the change; an answer that changed nothing
 * (a refusal, or what was so already) is recorded before it is given. 401, 403, 429 and 5xx never
 * are. Of several that come at once one is carried out, the others are answered as it was: whoever
 * finds the key taken ends like one whose database was away, and then repeats.
 *
 * A record names metadata files, and holds no credential: what a repetition hands out is minted
 * anew, for what the caller may do now.
 */
#ifndef SERVE_ONCE_H
#define SERVE_ONCE_H

#include "serve/call.h"

/*
 * Goes on with `go`, or, when this request was answered before, answers again: with `again` what
 * was a 200 (NULL: it was a 204), everything else as it was. Both find c->work as it is now.
 * ERR_INVALID: no UUID. 422: the key was another request's.
 */
MUST_CHECK bool call_once(struct call *c, call_fn *go, call_fn *again, struct err *e);
/* What an answer will be repeated from, said before the change is made: the metadata file of `row`
 * with its uuid, or a text. Nothing without a key. ERR_INVALID: too long a text. */
void once_file(struct call *c, const struct table_row *row);
MUST_CHECK bool once_body(struct call *c, struct sv body, struct err *e);
/* In `again`: what was answered. */
const struct answer *once_known(const struct call *c);
/* Of which request the answer is a repetition; empty: of none. */
struct sv once_repeats(const struct call *c);

/* ---- for loop.c and wait.c ---- */

/* Whether an answer is held back: it is recorded first, or another is given in its place. */
bool once_holds(struct call *c);
/* On a keeper: carries out what writes, with the record. */
bool once_write(struct call *c, struct store *s, query_fn *q, struct err *e);

#endif
