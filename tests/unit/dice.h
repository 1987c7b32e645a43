/* dice.h - numbers by chance, the same for the same seed. */
#ifndef UNIT_DICE_H
#define UNIT_DICE_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define PICK(list)  ((list)[below(COUNT(list))])

static uint64_t state; /* the seed, at first */

/* Source: Vigna, SplitMix64. */
static inline uint64_t dice(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15U;

    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
}

static inline size_t below(size_t n)
{
    return (size_t)(dice() % n);
}

static inline bool one_in(size_t n)
{
    return below(n) == 0;
}

/* $FRONTDESK_SEED draws others, $FRONTDESK_DRAWS more. */
static inline uint64_t from_environment(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : fallback;
}

#endif
