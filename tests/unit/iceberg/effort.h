/*
 * effort.h - how much work and memory a computation takes, counted and not timed: a busy machine
 * changes neither.
 *
 * A step is a look at a JSON value: json-c's json_object_get_type, which every look begins with, is
 * counted on its way.
 */
#ifndef UNIT_ICEBERG_EFFORT_H
#define UNIT_ICEBERG_EFFORT_H

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "unit/suite.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* Of the sanitizer's own header, which Debian's gcc does not bring along. */
size_t __sanitizer_get_current_allocated_bytes(void);
#else
#include <malloc.h>
#endif

static uint64_t steps;

/* The tests' own, in front of json-c's. */
int json_object_get_type(const void *object);
int json_object_get_type(const void *object)
{
    static int (*real)(const void *);

    if (!real) {
        union {
            void *in;
            int (*out)(const void *);
        } found = {.in = dlsym(RTLD_NEXT, "json_object_get_type")};

        real = found.out;
    }
    steps++;
    return real(object);
}

static inline size_t heap_bytes(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return __sanitizer_get_current_allocated_bytes();
#else
    return mallinfo2().uordblks + mallinfo2().hblkhd;
#endif
}

typedef void effort_fn(int size);

/* Twice the size takes at most 2.3 times the steps: the work grows with what was sent, not with a
 * product of two parts of it. */
static inline void check_linear(effort_fn *run, int size)
{
    uint64_t once, twice;

    steps = 0;
    run(size);
    once = steps;
    steps = 0;
    run(2 * size);
    twice = steps;
    CHECK(once > 0);
    if (twice * 10 > once * 23)
        CHECK_INT(twice, once * 2);
}

#endif
