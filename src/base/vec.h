/*
 * vec.h - typed, growing slices in an arena.
 *
 *     struct grant_vec VEC(struct grant);            declares the struct's members
 *     vec_push(&grants, a, ((struct grant){...}));   copies the value in
 *     for (size_t i = 0; i < grants.n; i++) use(&grants.p[i]);
 *
 * Growing moves the elements: keep an index, not a pointer, across a push.
 */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include "base/arena.h"

#define VEC(type)                                                            \
    {                                                                        \
        type *p; /* NOLINT(bugprone-macro-parentheses): a type takes none */ \
        size_t n, cap;                                                       \
    }

/* The common case. */
struct sv_vec VEC(struct sv);

/* Room for one more element of `size` bytes; returns the (possibly moved) elements. */
void *vec_grow(struct arena *a, void *p, size_t n, size_t *cap, size_t size);

/* Before the first push: room for exactly `count`. */
#define vec_reserve(v, a, count)                              \
    do {                                                      \
        (v)->p = arena_calloc((a), (count), sizeof(*(v)->p)); \
        (v)->cap = (count);                                   \
    } while (0)

#define vec_push(v, a, value)                                                   \
    do {                                                                        \
        if ((v)->n == (v)->cap)                                                 \
            (v)->p = vec_grow((a), (v)->p, (v)->n, &(v)->cap, sizeof(*(v)->p)); \
        (v)->p[(v)->n++] = (value);                                             \
    } while (0)

bool sv_vec_has(const struct sv_vec *v, struct sv item);

#endif
