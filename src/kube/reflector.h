/*
 * reflector.h - what to ask next, and what an answer means, to follow one collection: no I/O.
 *
 *     due? -> reflector_begin (the request) -> reflector_bytes... -> reflector_end -> due? ...
 *
 * Source: client-go's reflector; "Efficient detection of changes" in the Kubernetes API concepts.
 * WatchList is asked for until the server refuses it once; then it is list and watch for all that
 * share `no_watchlist`. A stream that ends or breaks is resumed from the last version; only a
 * version that is too old (410), or an answer nobody understands, lists again.
 */
#ifndef KUBE_REFLECTOR_H
#define KUBE_REFLECTOR_H

#include "kube/names.h"
#include "kube/split.h"
#include "kube/watch.h"

enum reflect_phase {
    REFLECT_WATCHLIST, /* a watch that begins with all that exists, up to a bookmark */
    REFLECT_LIST,      /* page by page */
    REFLECT_WATCH,     /* from `version` on */
};

/* What a stream said that its end alone does not: why we break it off. */
enum reflect_break {
    BREAK_NONE,
    BREAK_EXPIRED,   /* our version is too old */
    BREAK_UNOFFERED, /* no WatchList here */
    BREAK_REFUSED,   /* an ERROR event that may pass */
    BREAK_NONSENSE,  /* a line that we do not understand */
};

struct reflector {
    struct watch_options options;
    const struct world *world;
    bool *no_watchlist;

    enum reflect_phase phase;
    struct arena arena;
    struct buf version, continue_token, kind, told; /* told: the failure that was reported */
    struct names names;
    struct split split;

    int64_t due_ms; /* when the next request may go */
    int64_t began_ms, failed_ms, expired_ms;
    unsigned failures, refusals;
    bool under_way, some_bytes, some_event, failing, muted;
    enum reflect_break broken;
    struct err why; /* of `broken` */
};

struct reflector_request {
    struct kube_request request;
    struct sv accept;
    bool streams; /* the body goes to reflector_bytes as it comes */
};

void reflector_init(struct reflector *r, const struct watch_options *o, const struct world *w,
                    bool *no_watchlist);
void reflector_done(struct reflector *r);
/* No event comes any more. */
void reflector_mute(struct reflector *r);

/* The next request, in `a`; call it when due. */
void reflector_begin(struct reflector *r, int64_t now_ms, struct arena *a,
                     struct reflector_request *out);
/* A piece of a 2xx body; false: break it off. */
bool reflector_bytes(struct reflector *r, struct sv piece);
/* The end of the request: an answer, or why there is none. The answer's body lives in `a`; it is
 * empty when it was streamed. */
void reflector_end(struct reflector *r, const struct kube_reply *reply, const struct err *why,
                   int64_t now_ms, struct arena *a);
/* The same request once more, as after a refused credential. */
void reflector_again(struct reflector *r, int64_t now_ms);
/* Lets time pass: a watch that was refused before and now stays open has recovered. */
void reflector_tick(struct reflector *r, int64_t now_ms);
/* When the reflector wants to be called next, by begin or tick; INT64_MAX: not by time. */
int64_t reflector_next_ms(const struct reflector *r);

enum {
    REFLECT_BACKOFF_MS = 800,
    REFLECT_BACKOFF_CAP_MS = 30 * 1000,
    REFLECT_BRIEF_CAP_MS = 2 * 1000, /* what is missing, or told us when to come back */
    REFLECT_FORGIVE_MS = 120 * 1000, /* without failure, until the back-off begins anew */
    REFLECT_SHORT_MS = 1000,         /* a watch that ends so soon without event is suspicious */
    REFLECT_SETTLED_MS = 12 * 1000,  /* past the time that connecting may take */
    REFLECT_PAGE = 500,
    REFLECT_REFUSALS = 3, /* of the same version, then it is listed again */
};

#endif
