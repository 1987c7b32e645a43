/*
 * services.h - the token services of integrations, and how many mints each may have under way.
 *
 * None has more than are free of LIMIT_MINTS_IN_FLIGHT, so no service takes them all. One that did
 * not answer has one for a minute, by which it is seen to answer again: it costs its own callers
 * only. One thread's; names are "NAMESPACE/NAME" of integrations, times monotonic.
 */
#ifndef SERVE_SERVICES_H
#define SERVE_SERVICES_H

#include "base/arena.h"
#include "base/err.h"

struct service {
    struct arena arena; /* holds this */
    struct sv name;
    unsigned in_flight;
    int64_t silent_until_ms; /* 0: it answers */
    struct service *next, **link;
};

struct services {
    struct service *first;
    unsigned in_flight; /* at all of them */
};

/* One more mint at that service, or why not: ERR_BUSY, ERR_UNAVAILABLE; then NULL. */
struct service *services_begin(struct services *all, struct sv name, int64_t now_ms, struct err *e);
/* That mint has ended. */
void services_end(struct services *all, struct service *s);
void service_answered(struct service *s);
void service_was_silent(struct service *s, int64_t now_ms);
void services_done(struct services *all);

#endif
