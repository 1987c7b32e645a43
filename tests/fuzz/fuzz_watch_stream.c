/* fuzz_watch_stream.c - a watch's bytes, cut at random. */
/* layer: kube */
#include <stdint.h>
#include <stdlib.h>

#include "base/world.h"
#include "kube/reflector.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was told, folded into one number, so that two ways of cutting can be compared. */
struct listener {
    uint64_t told;
    uint64_t count;
};

static void note(enum watch_event event, const struct json *object, const struct err *why,
                 void *context)
{
    struct listener *l = context;
    struct sv name = json_str(json_path(object, SV("metadata.name")), SV(""));

    (void)why;
    l->told = l->told * 31 + sv_hash(name) + (uint64_t)event;
    l->count++;
}

/* Feeds the bytes in pieces of `most` at most; the sizes come from `t`'s dice. */
static struct listener feed(struct sv bytes, struct world_test *t, uint64_t most, bool watchlist)
{
    struct listener l = {0};
    bool no_watchlist = !watchlist;
    struct watch_options o = {.collection.resource = SV("things"), .event = note, .context = &l};
    struct reflector r;
    struct reflector_request q;
    auto_arena a = {0};

    reflector_init(&r, &o, &t->world, &no_watchlist);
    if (!watchlist)
        r.phase = REFLECT_WATCH;
    reflector_begin(&r, 0, &a, &q);
    while (bytes.n) {
        struct sv piece = sv_first(bytes, 1 + (size_t)world_below(&t->world, most));

        if (!reflector_bytes(&r, piece))
            break;
        bytes = sv_skip(bytes, piece.n);
    }
    reflector_done(&r);
    return l;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sv bytes = sv_of((const char *)data, size);
    struct world_test t;

    world_test_init(&t, sv_hash(bytes), 0);
    for (int watchlist = 0; watchlist < 2; watchlist++) {
        struct listener whole = feed(bytes, &t, size + 1, watchlist);
        struct listener dripped = feed(bytes, &t, 1, watchlist);
        struct listener chunked = feed(bytes, &t, 97, watchlist);

        if (whole.told != dripped.told || whole.count != dripped.count ||
            whole.told != chunked.told)
            abort();
    }
    return 0;
}
