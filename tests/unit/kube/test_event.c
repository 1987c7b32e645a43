/* test_event.c - Events, built and bounded. */
#include "kube/event.h"
#include "unit/suite.h"
#include "unit/wire/drawn.h"

static const struct event drift = {
    .regarding = {SV_INIT("polaris.apache.org/v1"), SV_INIT("StorageIntegration"), SV_INIT("lake"),
                  SV_INIT("prod"), SV_INIT("u-1"), SV_INIT("77")},
    .warning = true,
    .reason = SV_INIT("DriftDetected"),
    .action = SV_INIT("Reconcile"),
    .note = SV_INIT("the trust policy of role r was changed"),
};

enum { NOW = 1000000 };
static const int64_t wall = 1795212355123;

static struct event_recorder *recorder(struct arena *a)
{
    return event_recorder_new(a, SV("polaris.apache.org/frontdesk"), SV("pod-0"));
}

static struct sv text_at(struct arena *a, struct sv body, const char *path)
{
    struct json *v = NULL;
    struct err e = {0};

    NEED_OK(json_read(body, a, &v, &e), &e);
    return json_str(json_path(v, sv_from(path)), SV(""));
}

static void an_event_has_all_that_validation_asks_for(void)
{
    auto_arena a = {0};
    struct kube_request q;

    NEED(event_record(recorder(&a), &drift, NOW, wall, &a, &q));
    CHECK_INT(q.method, HTTP_POST);
    CHECK_SV(q.path, SV("/apis/events.k8s.io/v1/namespaces/lake/events"));
    CHECK_SV(text_at(&a, q.body, "eventTime"), SV("2026-11-20T22:05:55.123000Z"));
    CHECK_SV(text_at(&a, q.body, "reportingController"), SV("polaris.apache.org/frontdesk"));
    CHECK_SV(text_at(&a, q.body, "reportingInstance"), SV("pod-0"));
    CHECK_SV(text_at(&a, q.body, "action"), SV("Reconcile"));
    CHECK_SV(text_at(&a, q.body, "reason"), SV("DriftDetected"));
    CHECK_SV(text_at(&a, q.body, "type"), SV("Warning"));
    CHECK_SV(text_at(&a, q.body, "metadata.namespace"), SV("lake"));
    CHECK(sv_starts(text_at(&a, q.body, "metadata.name"), SV("prod.")));
    CHECK_SV(text_at(&a, q.body, "regarding.uid"), SV("u-1"));
}

static void what_has_no_namespace_is_told_of_in_default(void)
{
    auto_arena a = {0};
    struct event v = drift;
    struct kube_request q;

    v.regarding.namespace_ = (struct sv){0};
    NEED(event_record(recorder(&a), &v, NOW, wall, &a, &q));
    CHECK_SV(q.path, SV("/apis/events.k8s.io/v1/namespaces/default/events"));
}

static void the_second_is_a_patch_and_the_third_waits_half_an_hour(void)
{
    auto_arena a = {0};
    struct event_recorder *r = recorder(&a);
    struct kube_request first, q;
    int64_t now = NOW;

    NEED(event_record(r, &drift, now, wall, &a, &first));
    NEED(event_record(r, &drift, ++now, wall, &a, &q));
    CHECK_INT(q.method, HTTP_PATCH);
    CHECK_SV(q.content_type, SV("application/merge-patch+json"));
    CHECK(sv_ends(q.path, text_at(&a, first.body, "metadata.name")));
    CHECK_SV(q.body, SV("{\"series\":{\"count\":2,\"lastObservedTime\":"
                        "\"2026-11-20T22:05:55.123000Z\"}}"));
    for (int minutes = 5; minutes < 30; minutes += 5) {
        now += 5 * 60 * 1000;
        CHECK(!event_record(r, &drift, now, wall, &a, &q));
    }
    now += 5 * 60 * 1000;
    NEED(event_record(r, &drift, now, wall, &a, &q));
    CHECK(sv_starts(q.body, SV("{\"series\":{\"count\":8,")));
}

static void a_series_that_ended_begins_anew(void)
{
    auto_arena a = {0};
    struct event_recorder *r = recorder(&a);
    struct kube_request q;

    NEED(event_record(r, &drift, NOW, wall, &a, &q));
    NEED(event_record(r, &drift, NOW + EVENT_SERIES_ENDS_MS, wall, &a, &q));
    CHECK_INT(q.method, HTTP_POST);
}

static void a_forgotten_event_is_sent_as_new(void)
{
    auto_arena a = {0};
    struct event_recorder *r = recorder(&a);
    struct kube_request q;

    NEED(event_record(r, &drift, NOW, wall, &a, &q));
    event_forget(r, &drift);
    NEED(event_record(r, &drift, NOW + 1, wall, &a, &q));
    CHECK_INT(q.method, HTTP_POST);
}

static void an_object_has_25_events_and_then_one_in_five_minutes(void)
{
    auto_arena a = {0};
    struct event_recorder *r = recorder(&a);
    struct event v = drift;
    struct kube_request q;

    for (int i = 0; i < EVENT_BUCKET; i++) {
        v.reason = arena_printf(&a, "Reason%d", i);
        NEED(event_record(r, &v, NOW, wall, &a, &q));
    }
    v.reason = SV("OneMore");
    CHECK(!event_record(r, &v, NOW + EVENT_REFILL_MS - 1, wall, &a, &q));
    CHECK_INT(event_dropped(r), 1);
    CHECK(event_record(r, &v, NOW + EVENT_REFILL_MS, wall, &a, &q));
    v.reason = SV("YetOneMore");
    CHECK(!event_record(r, &v, NOW + EVENT_REFILL_MS, wall, &a, &q));
    v.regarding.name = SV("other");
    CHECK(event_record(r, &v, NOW, wall, &a, &q));
}

static void a_long_note_is_cut_between_characters(void)
{
    auto_arena a = {0};
    struct event v = drift;
    struct kube_request q;
    struct buf note = buf_new(&a, 4096);

    buf_addc(&note, 'x');
    for (int i = 0; i < 600; i++)
        buf_add(&note, SV("\xc3\xa4"));
    v.note = buf_sv(&note);
    NEED(event_record(recorder(&a), &v, NOW, wall, &a, &q));
    CHECK_INT(text_at(&a, q.body, "note").n, 1023);
}

static void memory_has_an_end(void)
{
    auto_arena a = {0};
    struct event_recorder *r = recorder(&a);

    for (int i = 0; i < 3 * EVENT_KEYS; i++) {
        auto_arena each = {0};
        struct event v = drift;
        struct kube_request q;

        v.regarding.name = arena_printf(&each, "o%d", i);
        NEED(event_record(r, &v, NOW, wall, &each, &q));
    }
    CHECK_INT(event_dropped(r), 0);
}

static void a_note_is_read_as_it_was_told(void)
{
    state = from_environment("FRONTDESK_SEED", 9);
    for (uint64_t i = from_environment("FRONTDESK_DRAWS", 1000); i; i--) {
        auto_arena a = {0};
        struct event v = drift;
        struct kube_request q;

        v.note = drawn_text(&a, 100);
        NEED(event_record(recorder(&a), &v, NOW, wall, &a, &q));
        CHECK_SV(text_at(&a, q.body, "note"), v.note);
    }
}

SUITE("kube/event", TEST(an_event_has_all_that_validation_asks_for),
      TEST(what_has_no_namespace_is_told_of_in_default),
      TEST(the_second_is_a_patch_and_the_third_waits_half_an_hour),
      TEST(a_series_that_ended_begins_anew), TEST(a_forgotten_event_is_sent_as_new),
      TEST(an_object_has_25_events_and_then_one_in_five_minutes),
      TEST(a_long_note_is_cut_between_characters), TEST(memory_has_an_end),
      TEST(a_note_is_read_as_it_was_told))
