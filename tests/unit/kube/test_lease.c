/* test_lease.c - leader election, fed by hand. */
#include "kube/lease.h"
#include "unit/suite.h"

struct bench {
    struct arena arena;
    struct world_test time;
    struct lease *lease;
    struct kube_request request;
};

static void bench_init(struct bench *b)
{
    struct lease_options o = {
        .namespace_ = SV("ns"), .name = SV("frontdesk"), .identity = SV("me"), .world = NULL};

    *b = (struct bench){0};
    world_test_init(&b->time, 1, 1795212355123);
    o.world = &b->time.world;
    b->lease = lease_new(&o, &b->arena);
}

static enum lease_act plan(struct bench *b)
{
    return lease_plan(b->lease, b->time.ms, b->time.ms, &b->arena, &b->request);
}

static void answer(struct bench *b, enum lease_act act, int status, const char *body)
{
    struct kube_reply reply = {.status = status, .text = sv_from(body)};
    struct err e = {0};

    if (body[0] && !json_read(reply.text, &b->arena, &reply.body, &e))
        CHECK_SV(sv_from(e.msg), SV("(JSON)"));
    lease_answer(b->lease, act, &reply, b->time.ms);
}

/* A record as others left it. */
static const char *record(struct bench *b, const char *holder, int seconds, int version)
{
    return arena_printf(
               &b->arena,
               "{\"metadata\":{\"name\":\"frontdesk\",\"resourceVersion\":\"%d\"},\"spec\":{"
               "\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":%d,\"renewTime\":"
               "\"1999-01-01T00:00:00.000000Z\",\"leaseTransitions\":4,\"strategy\":\"x\"}}",
               version, holder, seconds)
        .p;
}

static struct json *sent(struct bench *b)
{
    struct json *v = NULL;
    struct err e = {0};

    NEED_OK(json_read(b->request.body, &b->arena, &v, &e), &e);
    return v;
}

static bool held(const struct bench *b)
{
    return lease_is_held(b->lease, b->time.ms);
}

/* Looks, finds `body`, and says what is planned then. */
static enum lease_act look(struct bench *b, int status, const char *body)
{
    if (lease_next_ms(b->lease) > b->time.ms)
        b->time.ms = lease_next_ms(b->lease);
    NEED(plan(b) == LEASE_GET);
    answer(b, LEASE_GET, status, body);
    return plan(b);
}

static void become_leader(struct bench *b)
{
    NEED(look(b, 404, "") == LEASE_CREATE);
    answer(b, LEASE_CREATE, 201, b->request.body.p);
    CHECK(held(b));
}

static void a_missing_lease_is_created(void)
{
    struct bench b;
    struct json *v;

    bench_init(&b);
    CHECK(look(&b, 404, "") == LEASE_CREATE);
    CHECK_INT(b.request.method, HTTP_POST);
    CHECK_SV(b.request.path, SV("/apis/coordination.k8s.io/v1/namespaces/ns/leases"));
    v = sent(&b);
    CHECK_SV(json_str(json_path(v, SV("spec.holderIdentity")), SV("")), SV("me"));
    CHECK_SV(json_str(json_path(v, SV("spec.renewTime")), SV("")),
             SV("2026-11-20T22:05:55.123000Z"));
    CHECK_INT(json_i64(json_path(v, SV("spec.leaseTransitions")), -1), 0);
    CHECK_INT(json_i64(json_path(v, SV("spec.leaseDurationSeconds")), -1), 15);
    CHECK(!held(&b));
    answer(&b, LEASE_CREATE, 201, b.request.body.p);
    CHECK(held(&b));
    arena_done(&b.arena);
}

static void a_lease_of_another_is_waited_for_by_our_clock_alone(void)
{
    struct bench b;
    int64_t seen;

    bench_init(&b);
    CHECK(look(&b, 200, record(&b, "other", 15, 1)) == LEASE_REST);
    seen = b.time.ms;
    while (look(&b, 200, record(&b, "other", 15, 1)) == LEASE_REST)
        CHECK(b.time.ms < seen + 15000);
    CHECK_INT(b.time.ms, seen + 15000);
    CHECK_INT(json_i64(json_path(sent(&b), SV("spec.leaseTransitions")), -1), 5);
    CHECK_SV(json_str(json_path(sent(&b), SV("spec.strategy")), SV("")), SV("x"));
    CHECK_SV(json_str(json_path(sent(&b), SV("metadata.resourceVersion")), SV("")), SV("1"));
    arena_done(&b.arena);
}

static void a_renewed_lease_is_waited_for_anew(void)
{
    struct bench b;

    bench_init(&b);
    for (int i = 0; i < 100; i++)
        CHECK(look(&b, 200, record(&b, "other", 15, i)) == LEASE_REST);
    CHECK_SV(lease_holder(b.lease), SV("other"));
    arena_done(&b.arena);
}

static void a_lease_that_was_given_up_is_taken_at_the_next_look(void)
{
    struct bench b;

    bench_init(&b);
    CHECK(look(&b, 200, record(&b, "other", 15, 1)) == LEASE_REST);
    CHECK(lease_next_ms(b.lease) - b.time.ms <= 1200);
    CHECK(look(&b, 200, record(&b, "", 1, 2)) == LEASE_UPDATE);
    arena_done(&b.arena);
}

static void renewing_goes_straight_to_the_write(void)
{
    struct bench b;

    bench_init(&b);
    become_leader(&b);
    CHECK(plan(&b) == LEASE_REST);
    CHECK_INT(lease_next_ms(b.lease) - b.time.ms, 2000);
    b.time.ms += 2000;
    CHECK(plan(&b) == LEASE_UPDATE);
    answer(&b, LEASE_UPDATE, 200, record(&b, "me", 15, 8));
    b.time.ms += 9999;
    CHECK(held(&b));
    arena_done(&b.arena);
}

static void what_cannot_be_renewed_is_lost_before_others_may_have_it(void)
{
    struct bench b;

    bench_init(&b);
    become_leader(&b);
    b.time.ms += 9999;
    CHECK(plan(&b) == LEASE_UPDATE);
    answer(&b, LEASE_UPDATE, 0, "");
    CHECK(held(&b));
    b.time.ms += 1;
    CHECK(!held(&b));
    CHECK_INT(lease_held_until_ms(b.lease), b.time.ms);
    arena_done(&b.arena);
}

static void a_conflict_looks_again_and_learns_of_the_loss(void)
{
    struct bench b;

    bench_init(&b);
    become_leader(&b);
    b.time.ms += 2000;
    CHECK(plan(&b) == LEASE_UPDATE);
    answer(&b, LEASE_UPDATE, 409, "");
    CHECK(plan(&b) == LEASE_GET);
    answer(&b, LEASE_GET, 200, record(&b, "other", 15, 30));
    CHECK(!held(&b));
    CHECK(plan(&b) == LEASE_REST);
    arena_done(&b.arena);
}

static void a_conflict_while_still_the_holder_writes_again(void)
{
    struct bench b;

    bench_init(&b);
    become_leader(&b);
    b.time.ms += 2000;
    CHECK(plan(&b) == LEASE_UPDATE);
    answer(&b, LEASE_UPDATE, 409, "");
    CHECK(plan(&b) == LEASE_GET);
    answer(&b, LEASE_GET, 200, record(&b, "me", 15, 30));
    CHECK(held(&b));
    CHECK(plan(&b) == LEASE_UPDATE);
    CHECK_SV(json_str(json_path(sent(&b), SV("metadata.resourceVersion")), SV("")), SV("30"));
    arena_done(&b.arena);
}

static void losing_the_race_to_create_is_no_leadership(void)
{
    struct bench b;

    bench_init(&b);
    CHECK(look(&b, 404, "") == LEASE_CREATE);
    answer(&b, LEASE_CREATE, 409, "");
    CHECK(!held(&b));
    CHECK(plan(&b) == LEASE_GET);
    answer(&b, LEASE_GET, 200, record(&b, "other", 15, 1));
    CHECK(plan(&b) == LEASE_REST);
    arena_done(&b.arena);
}

static void a_record_without_spec_is_free(void)
{
    struct bench b;

    bench_init(&b);
    CHECK(look(&b, 200, "{\"metadata\":{\"resourceVersion\":\"3\"},\"spec\":null}") ==
          LEASE_UPDATE);
    CHECK_INT(json_i64(json_path(sent(&b), SV("spec.leaseTransitions")), -1), 1);
    arena_done(&b.arena);
}

static void a_round_before_its_time_sends_nothing(void)
{
    struct bench b;

    bench_init(&b);
    CHECK(look(&b, 200, record(&b, "other", 15, 1)) == LEASE_REST);
    CHECK(plan(&b) == LEASE_REST);
    arena_done(&b.arena);
}

SUITE("kube/lease", TEST(a_missing_lease_is_created),
      TEST(a_lease_of_another_is_waited_for_by_our_clock_alone),
      TEST(a_renewed_lease_is_waited_for_anew),
      TEST(a_lease_that_was_given_up_is_taken_at_the_next_look),
      TEST(renewing_goes_straight_to_the_write),
      TEST(what_cannot_be_renewed_is_lost_before_others_may_have_it),
      TEST(a_conflict_looks_again_and_learns_of_the_loss),
      TEST(a_conflict_while_still_the_holder_writes_again),
      TEST(losing_the_race_to_create_is_no_leadership), TEST(a_record_without_spec_is_free),
      TEST(a_round_before_its_time_sends_nothing))
