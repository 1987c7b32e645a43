/* vec.c - growing slices. */
#include "base/vec.h"

#include <string.h>

void *vec_grow(struct arena *a, void *p, size_t n, size_t *cap, size_t size)
{
    size_t more = *cap ? *cap * 2 : 4;
    void *grown = arena_calloc(a, more, size);

    if (n)
        memcpy(grown, p, n * size);
    *cap = more;
    return grown;
}

bool sv_vec_has(const struct sv_vec *v, struct sv item)
{
    for (size_t i = 0; i < v->n; i++) {
        if (sv_eq(v->p[i], item))
            return true;
    }
    return false;
}
