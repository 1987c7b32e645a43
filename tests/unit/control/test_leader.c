/* test_leader.c - who may write, by the answers of an API server that follows a script. */
#include <semaphore.h>
#include <time.h>

#include "control/leader.h"
#include "fakes/api_server.h"
#include "kube/config.h"
#include "unit/suite.h"

/* A second is the shortest lease there is: others wait for whole seconds. */
enum { LEASE_MS = 1000 };

struct bench {
    struct arena arena;
    struct kube_config config;
    struct fake_server server;
    struct leader *leader;
    struct fake_reply replies[FAKE_REPLIES];
    sem_t changed;
};

/* The system's clocks, and dice that always fall the same way: the identity is known. */
static void roll_ones(UNUSED void *context, void *out, size_t n)
{
    memset(out, 1, n);
}

static struct world fixed_world(void)
{
    struct world w = world_os;

    w.random = roll_ones;
    return w;
}

static struct world fixed;

static struct sv identity(struct arena *a)
{
    char host[256] = "frontdesk";

    (void)gethostname(host, sizeof(host) - 1);
    return arena_printf(a, "%s_" SV_FMT, host, SV_ARG(world_uuid(&fixed, a)));
}

static void on_changed(void *context)
{
    (void)sem_post(&((struct bench *)context)->changed);
}

static void begin(struct bench *b, size_t n)
{
    struct leader_options o = {.config = &b->config,
                               .world = &fixed,
                               .namespace_ = SV("ns"),
                               .duration_ms = LEASE_MS,
                               .changed = on_changed,
                               .context = b};

    NEED(sem_init(&b->changed, 0, 0) == 0);
    fixed = fixed_world();
    fake_start(&b->server, b->replies, n);
    b->config.world = &fixed;
    b->config.server = arena_printf(&b->arena, "http://127.0.0.1:%d", b->server.port);
    b->leader = leader_start(&o, &b->arena);
}

static void end(struct bench *b)
{
    leader_stop(b->leader);
    fake_stop(&b->server);
    (void)sem_destroy(&b->changed);
    arena_done(&b->arena);
}

/* Ends the test when the leader says nothing for so long. */
static void await_change(struct bench *b)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    NEED(sem_timedwait(&b->changed, &until) == 0);
}

#define ABSENT FAKE_JSON("404 Not Found", "{\"kind\":\"Status\",\"code\":404}")

/* The lease as a server shows it; "us" is who we are. */
static const char *lease(struct bench *b, const char *status, const char *holder, int version)
{
    struct sv us = identity(&b->arena);

    return arena_printf(
               &b->arena,
               FAKE_HEAD("%s") "\r\n{\"metadata\":{\"name\":\"frontdesk\","
                               "\"resourceVersion\":\"%d\"},\"spec\":{\"holderIdentity\":"
                               "\"%s\",\"leaseDurationSeconds\":1,\"leaseTransitions\":0}}",
               status, version, strcmp(holder, "us") ? holder : arena_cstr(&b->arena, us))
        .p;
}

static void reply(struct bench *b, size_t i, const char *bytes)
{
    b->replies[i] = (struct fake_reply){bytes, FAKE_CLOSE, 0};
}

static void nobody_may_write_before_the_lease_is_held(void)
{
    struct bench b = {.replies = {{"", FAKE_HOLD, 0}}};

    begin(&b, 1);
    CHECK(!leader_may_write(b.leader));
    end(&b);
}

static void who_finds_another_holder_may_not_write(void)
{
    struct bench b = {0};

    for (int i = 0; i < 3; i++)
        reply(&b, (size_t)i, lease(&b, "200 OK", "somebody", i + 1));
    begin(&b, 3);
    while (atomic_load(&b.server.served) < 3)
        CHECK(!leader_may_write(b.leader));
    CHECK(!leader_may_write(b.leader));
    end(&b);
}

static void who_wins_the_lease_may_write_until_it_is_given_up(void)
{
    struct bench b = {0};
    const char *last;

    reply(&b, 0, ABSENT);
    reply(&b, 1, lease(&b, "201 Created", "us", 1));
    for (int i = 2; i < FAKE_REPLIES; i++)
        reply(&b, (size_t)i, lease(&b, "200 OK", "us", i));
    begin(&b, FAKE_REPLIES);
    await_change(&b);
    CHECK(leader_may_write(b.leader));
    leader_stop(b.leader);
    last = b.server.requests[atomic_load(&b.server.served) - 1];
    CHECK(strstr(last, "PUT /apis/coordination.k8s.io/v1/namespaces/ns/leases/frontdesk ") == last);
    CHECK(strstr(last, "\"holderIdentity\":\"\"") != NULL);
    fake_stop(&b.server);
    (void)sem_destroy(&b.changed);
    arena_done(&b.arena);
}

/* The API server falls silent: others wait a second from the last renewal, we two thirds. */
static void a_lease_that_cannot_be_renewed_ends_before_anyone_else_may_start(void)
{
    struct bench b = {0};
    int64_t began;

    reply(&b, 0, ABSENT);
    reply(&b, 1, lease(&b, "201 Created", "us", 1));
    for (int i = 2; i < FAKE_REPLIES; i++)
        b.replies[i] = (struct fake_reply){"", FAKE_HOLD, 0};
    began = world_mono_ms(&world_os);
    begin(&b, FAKE_REPLIES);
    await_change(&b);
    CHECK(leader_may_write(b.leader));
    while (leader_may_write(b.leader))
        continue;
    CHECK(world_mono_ms(&world_os) - began < LEASE_MS);
    await_change(&b);
    CHECK(!leader_may_write(b.leader));
    end(&b);
}

static void a_lease_that_somebody_took_is_lost_at_once(void)
{
    struct bench b = {0};

    reply(&b, 0, ABSENT);
    reply(&b, 1, lease(&b, "201 Created", "us", 1));
    reply(&b, 2, FAKE_JSON("409 Conflict", "{\"kind\":\"Status\",\"code\":409}"));
    for (int i = 3; i < FAKE_REPLIES; i++)
        reply(&b, (size_t)i, lease(&b, "200 OK", "somebody", i));
    begin(&b, FAKE_REPLIES);
    await_change(&b);
    await_change(&b);
    CHECK(!leader_may_write(b.leader));
    end(&b);
}

SUITE("control/leader", TEST(nobody_may_write_before_the_lease_is_held),
      TEST(who_finds_another_holder_may_not_write),
      TEST(who_wins_the_lease_may_write_until_it_is_given_up),
      TEST(a_lease_that_cannot_be_renewed_ends_before_anyone_else_may_start),
      TEST(a_lease_that_somebody_took_is_lost_at_once))
