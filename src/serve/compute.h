/*
 * compute.h - long computations of calls: threads that ask no store, turn about by caller.
 *
 * Each caller has a line of its own and at most one of its computations runs at a time, so whatever
 * one asks for, the others wait for one step at most. A caller's line takes as many as are free, so
 * no caller takes all of LIMIT_COMPUTATIONS.
 */
#ifndef SERVE_COMPUTE_H
#define SERVE_COMPUTE_H

#include "base/arena.h"
#include "base/err.h"
#include "net/mailbox.h"

struct compute;

MUST_CHECK bool compute_start(unsigned threads, struct arena *a, struct compute **out,
                              struct err *e);
/* Ends after what was posted is done. */
void compute_stop(struct compute *c);
/* Any thread. `m`'s deliver runs on one of the threads, with NULL as receiver, and posts the
 * outcome home itself. False, ERR_BUSY: there is no room for another one of `owner`. */
MUST_CHECK bool compute_post(struct compute *c, struct sv owner, struct message *m, struct err *e);

#endif
