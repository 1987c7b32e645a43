/* secret.c - bytes that must not leak. */
#include "base/secret.h"

struct secret secret_of(struct sv v)
{
    return (struct secret){v};
}

struct secret secret_dup(struct arena *a, struct secret s)
{
    return (struct secret){arena_dup(a, s.hidden)};
}

struct sv secret_reveal(struct secret s)
{
    return s.hidden;
}

bool secret_eq(struct secret a, struct secret b)
{
    unsigned char differs = a.hidden.n != b.hidden.n;
    size_t n = a.hidden.n < b.hidden.n ? a.hidden.n : b.hidden.n;

    for (size_t i = 0; i < n; i++)
        differs |= (unsigned char)(a.hidden.p[i] ^ b.hidden.p[i]);
    return differs == 0;
}

bool secret_is_set(struct secret s)
{
    return s.hidden.n != 0;
}
