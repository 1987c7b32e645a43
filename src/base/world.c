/* world.c - clocks and dice, the real ones and those of tests. */
#include "base/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;

    if (clock_gettime(id, &t) != 0)
        abort();
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t os_wall_ms(UNUSED void *context)
{
    return read_clock(CLOCK_REALTIME);
}

static int64_t os_mono_ms(UNUSED void *context)
{
    return read_clock(CLOCK_BOOTTIME);
}

static void os_random(UNUSED void *context, void *out, size_t n)
{
    char *p = out;

    while (n) {
        ssize_t got = getrandom(p, n, 0);

        if (got < 0)
            abort();
        p += got;
        n -= (size_t)got;
    }
}

const struct world world_os = {os_wall_ms, os_mono_ms, os_random, NULL};

static int64_t test_ms(void *context)
{
    return ((const struct world_test *)context)->ms;
}

/* SplitMix64 (Steele, Lea, Flood 2014): repeatable, and not for keys. */
static uint64_t test_next(struct world_test *t)
{
    uint64_t z = (t->seed += 0x9e3779b97f4a7c15U);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static void test_random(void *context, void *out, size_t n)
{
    unsigned char *p = out;

    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)test_next(context);
}

void world_test_init(struct world_test *t, uint64_t seed, int64_t start_ms)
{
    t->world = (struct world){test_ms, test_ms, test_random, t};
    t->ms = start_ms;
    t->seed = seed;
}

int64_t world_wall_ms(const struct world *w)
{
    return w->wall_ms(w->context);
}

int64_t world_mono_ms(const struct world *w)
{
    return w->mono_ms(w->context);
}

void world_random(const struct world *w, void *out, size_t n)
{
    w->random(w->context, out, n);
}

uint64_t world_below(const struct world *w, uint64_t below)
{
    uint64_t r;

    world_random(w, &r, sizeof(r));
    return below ? r % below : 0;
}

struct sv world_uuid(const struct world *w, struct arena *a)
{
    unsigned char b[16];

    world_random(w, b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0fU) | 0x40U);
    b[8] = (unsigned char)((b[8] & 0x3fU) | 0x80U);
    return arena_printf(a, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
                        b[12], b[13], b[14], b[15]);
}
