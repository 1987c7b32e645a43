/*
 * names.h - which objects of a collection were told, and in which version; never the objects.
 *
 * Each list is a round. What a round has not seen by its end has vanished. A round that breaks is
 * simply followed by the next one, so nothing has to be undone.
 */
#ifndef KUBE_NAMES_H
#define KUBE_NAMES_H

#include "base/map.h"

struct names {
    struct arena arena;
    struct map map;      /* "namespace/name" to struct known */
    size_t compact_over; /* bytes in use at which dead keys are swept out */
    uint32_t round;
};

typedef void names_fn(struct sv key, void *context);

void names_done(struct names *n);
/* Notes that the object exists. False: it was told in this very version already. */
bool names_see(struct names *n, struct sv key, struct sv version);
/* False: it was not known. */
bool names_forget(struct names *n, struct sv key);
bool names_has(const struct names *n, struct sv key);
size_t names_count(const struct names *n);
/* Calls `fn` for each name that this round has not seen, and forgets it. */
void names_sweep(struct names *n, names_fn *fn, void *context);

#endif
