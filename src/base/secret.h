/*
 * secret.h - bytes that must not leak.
 *
 * A secret has no format macro and no implicit way to a log or an error. Keep it in an arena with
 * `wipe` set. secret_reveal is the one way out; each use of it is a question in review.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/arena.h"
#include "base/sv.h"

struct secret {
    struct sv hidden;
};

struct secret secret_of(struct sv v);
struct secret secret_dup(struct arena *a, struct secret s);
struct sv secret_reveal(struct secret s);
/* In time that depends on the lengths only. */
bool secret_eq(struct secret a, struct secret b);
bool secret_is_set(struct secret s);

#endif
