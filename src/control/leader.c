/* leader.c - a thread that holds the Lease. */
#include "control/leader.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "kube/lease.h"

struct leader {
    struct leader_options options;
    struct arena arena; /* the thread's own */
    struct kube_client *client;
    struct lease *lease;
    pthread_t thread;
    int bell; /* rings once: the end */
    _Atomic int64_t held_until_ms;
    bool held, failing; /* the thread's own: what was told last */
};

static int64_t now_ms(const struct leader *l)
{
    return world_mono_ms(l->options.world);
}

bool leader_may_write(const struct leader *l)
{
    return now_ms(l) < atomic_load(&l->held_until_ms);
}

static void tell(struct leader *l, bool answered, const struct err *e)
{
    bool held = lease_is_held(l->lease, now_ms(l));

    atomic_store(&l->held_until_ms, held ? lease_held_until_ms(l->lease) : 0);
    if (!answered && !l->failing)
        log_line(LOG_WARNING, "control", "the lease cannot be renewed", LOG_ERR(e));
    l->failing = !answered;
    if (held == l->held)
        return;
    l->held = held;
    log_line(LOG_INFO, "control", held ? "leading" : "following",
             LOG_SV("holder", lease_holder(l->lease)));
    l->options.changed(l->options.context);
}

/* False: the end has come. */
static bool rest(const struct leader *l)
{
    struct pollfd bell = {.fd = l->bell, .events = POLLIN};
    int64_t left = lease_next_ms(l->lease) - now_ms(l);

    return poll(&bell, 1, left < 0 ? 0 : left > 60000 ? 60000 : (int)left) <= 0;
}

static void *lead(void *argument)
{
    struct leader *l = argument;
    struct err ignored = {0};

    while (rest(l)) {
        struct err e = {0};
        bool answered = lease_step(l->lease, l->client, &e);

        tell(l, answered, &e);
    }
    atomic_store(&l->held_until_ms, 0);
    /* When it cannot be given up, it runs out. */
    if (!lease_release(l->lease, l->client, &ignored))
        log_line(LOG_INFO, "control", "the lease was not given up", LOG_ERR(&ignored));
    return NULL;
}

struct leader *leader_start(const struct leader_options *o, struct arena *a)
{
    struct leader *l = arena_new(a, struct leader);
    /* Renewed and looked at so often that five failures in a row lose it: client-go's proportions.
     */
    struct lease_options lease = {.namespace_ = o->namespace_,
                                  .name = SV("frontdesk"),
                                  .duration_ms = o->duration_ms,
                                  .retry_ms = o->duration_ms * 2 / 15,
                                  .world = o->world};
    char host[256] = "frontdesk";
    int failed;

    l->options = *o;
    l->arena.wipe = true;
    (void)gethostname(host, sizeof(host) - 1);
    lease.identity = arena_printf(a, "%s_" SV_FMT, host, SV_ARG(world_uuid(o->world, a)));
    l->lease = lease_new(&lease, &l->arena);
    l->client = kube_client_new(o->config, &l->arena);
    l->bell = eventfd(0, EFD_CLOEXEC);
    failed = pthread_create(&l->thread, NULL, lead, l);
    assert(l->bell >= 0 && !failed);
    return l;
}

void leader_stop(struct leader *l)
{
    uint64_t one = 1;
    ssize_t written = write(l->bell, &one, sizeof(one));

    assert(written == sizeof(one));
    (void)pthread_join(l->thread, NULL);
    (void)close(l->bell);
    arena_done(&l->arena);
}
