/*
 * world.h - everything that makes two runs differ: the clocks and the dice.
 *
 * Only loops and threads' main functions read a clock, once per event; everything else is told
 * `now_ms`. Two readings in one decision are two different truths.
 */
#ifndef BASE_WORLD_H
#define BASE_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/sv.h"

struct world {
    int64_t (*wall_ms)(void *context); /* Unix time, may jump: expiry dates, signatures */
    int64_t (*mono_ms)(void *context); /* never goes back: timeouts, ages, back-off */
    void (*random)(void *context, void *out, size_t n);
    void *context;
};

/* The real one. The random bytes are the kernel's, fit for keys. */
extern const struct world world_os;

/* Turned by hand: tests add to `ms`; both clocks show it. Repeatable dice from `seed`. */
struct world_test {
    struct world world;
    int64_t ms;
    uint64_t seed;
};
void world_test_init(struct world_test *t, uint64_t seed, int64_t start_ms);

int64_t world_wall_ms(const struct world *w);
int64_t world_mono_ms(const struct world *w);
void world_random(const struct world *w, void *out, size_t n);
/* A number in [0, below). */
uint64_t world_below(const struct world *w, uint64_t below);
/* A random (version 4) UUID, lower-case, 36 characters. Source: RFC 9562, 5.4. */
struct sv world_uuid(const struct world *w, struct arena *a);

#endif
