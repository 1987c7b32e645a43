/* test_reflector.c - the loop that follows one collection, fed by hand. */
#include "kube/exchange.h"
#include "kube/reflector.h"
#include "unit/suite.h"

#define OBJECT(name, version)                                                \
    "{\"kind\":\"Thing\",\"metadata\":{\"namespace\":\"n\",\"name\":\"" name \
    "\",\"resourceVersion\":\"" version "\"}}"
#define EVENT(type, name, version) "{\"type\":\"" type "\",\"object\":" OBJECT(name, version) "}\n"
#define BOOKMARK(version)                                                                                \
    "{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Thing\",\"metadata\":{\"resourceVersion\":\"" version \
    "\"}}}\n"
#define INITIAL_END(version)                                                                      \
    "{\"type\":\"BOOKMARK\",\"object\":{\"apiVersion\":\"G/V\",\"kind\":\"Thing\",\"metadata\":{" \
    "\"annotations\":{\"k8s.io/initial-events-end\":\"true\"},\"resourceVersion\":\"" version     \
    "\"}}}\n"
#define EXPIRED                                                                                  \
    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{}," \
    "\"status\":\"Failure\",\"message\":\"too old resource version: 1 (5)\",\"reason\":"         \
    "\"Expired\",\"code\":410}}\n"

/* What was told, as text: "+a" applied, "-a" deleted, "." synced, "!" failed. */
struct bench {
    struct arena arena;
    struct world_test time;
    struct reflector r;
    struct reflector_request q;
    char told[1024];
    size_t n;
    char why[256];
    bool no_watchlist;
};

static void note(enum watch_event event, const struct json *object, const struct err *why,
                 void *context)
{
    static const char *const marks[] = {"+", "-", ".", "!"};
    struct bench *b = context;
    struct sv name = json_str(json_path(object, SV("metadata.name")), SV(""));

    b->n += (size_t)snprintf(b->told + b->n, sizeof(b->told) - b->n, "%s" SV_FMT, marks[event],
                             SV_ARG(name));
    if (why)
        (void)snprintf(b->why, sizeof(b->why), "%s", why->msg);
}

static void bench_init(struct bench *b)
{
    struct watch_options o = {
        .collection = {.group_version = SV("x.io/v1"), .resource = SV("things")},
        .event = note,
        .context = b
    };

    *b = (struct bench){0};
    world_test_init(&b->time, 1, 1000000);
    reflector_init(&b->r, &o, &b->time.world, &b->no_watchlist);
}

static void bench_done(struct bench *b)
{
    reflector_done(&b->r);
    arena_done(&b->arena);
}

/* Turns the clock to when the next request is due, and begins it. */
static void begin(struct bench *b)
{
    if (reflector_next_ms(&b->r) > b->time.ms)
        b->time.ms = reflector_next_ms(&b->r);
    reflector_begin(&b->r, b->time.ms, &b->arena, &b->q);
}

static int64_t wait_ms(const struct bench *b)
{
    return reflector_next_ms(&b->r) > b->time.ms ? reflector_next_ms(&b->r) - b->time.ms : 0;
}

static bool bytes(struct bench *b, const char *text)
{
    return reflector_bytes(&b->r, sv_from(text));
}

static void end_with(struct bench *b, int status, const char *body, const char *retry_after)
{
    struct http_response r = {.status = status, .body = sv_from(body)};
    struct kube_reply reply;

    if (retry_after)
        http_header_add(&r.headers, &b->arena, SV("Retry-After"), sv_from(retry_after));
    exchange_read(&r, &b->arena, &reply);
    reflector_end(&b->r, &reply, NULL, b->time.ms, &b->arena);
}

static void end_clean(struct bench *b)
{
    end_with(b, 200, "", NULL);
}

static void end_cut(struct bench *b)
{
    struct err e = {0};

    (void)err_set(&e, ERR_UNAVAILABLE, "no answer: reset after %d ms", (int)(b->time.ms % 1000));
    reflector_end(&b->r, NULL, &e, b->time.ms, &b->arena);
}

static struct sv asked(const struct bench *b, const char *name)
{
    const struct sv *v = form_get(&b->q.request.query, sv_from(name));

    return v ? *v : (struct sv){0};
}

#define CHECK_TOLD(b, want) CHECK_SV(sv_from((b)->told), SV(want))

/* Up to a watch from version 9, with a and b known. */
static void sync_by_watchlist(struct bench *b)
{
    begin(b);
    CHECK(bytes(b, EVENT("ADDED", "a", "7") EVENT("ADDED", "b", "3") INITIAL_END("9")));
    CHECK_TOLD(b, "+a+b.");
    b->n = 0;
    b->told[0] = '\0';
}

static void a_watchlist_is_synced_by_its_bookmark(void)
{
    struct bench b;

    bench_init(&b);
    begin(&b);
    CHECK(b.q.streams);
    CHECK_SV(b.q.request.path, SV("/apis/x.io/v1/things"));
    CHECK_SV(asked(&b, "sendInitialEvents"), SV("true"));
    CHECK_SV(asked(&b, "resourceVersionMatch"), SV("NotOlderThan"));
    CHECK_SV(asked(&b, "allowWatchBookmarks"), SV("true"));
    CHECK(bytes(&b, EVENT("ADDED", "a", "7")));
    CHECK_TOLD(&b, "+a");
    CHECK(bytes(&b, INITIAL_END("9") EVENT("MODIFIED", "a", "10")));
    CHECK_TOLD(&b, "+a.+a");
    bench_done(&b);
}

static void a_clean_end_is_resumed_at_once_from_the_last_version(void)
{
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    CHECK(bytes(&b, EVENT("MODIFIED", "a", "12") BOOKMARK("15")));
    end_clean(&b);
    CHECK_INT(wait_ms(&b), 0);
    begin(&b);
    CHECK_SV(asked(&b, "resourceVersion"), SV("15"));
    CHECK_SV(asked(&b, "sendInitialEvents"), SV(""));
    CHECK_TOLD(&b, "+a");
    bench_done(&b);
}

static void a_short_watch_without_event_waits(void)
{
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    end_clean(&b);
    begin(&b);
    b.time.ms += REFLECT_SHORT_MS - 1;
    end_clean(&b);
    CHECK(wait_ms(&b) >= REFLECT_BACKOFF_MS);
    CHECK_TOLD(&b, "");
    begin(&b);
    b.time.ms += REFLECT_SHORT_MS;
    end_clean(&b);
    CHECK_INT(wait_ms(&b), 0);
    bench_done(&b);
}

static void a_refused_connection_keeps_the_version_and_is_told_once(void)
{
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    end_clean(&b);
    for (int i = 0; i < 3; i++) {
        begin(&b);
        CHECK_SV(asked(&b, "resourceVersion"), SV("9"));
        end_cut(&b);
        CHECK(wait_ms(&b) >= REFLECT_BACKOFF_MS << i);
    }
    CHECK_TOLD(&b, "!");
    begin(&b);
    CHECK(bytes(&b, EVENT("ADDED", "c", "20")));
    CHECK_TOLD(&b, "!+c.");
    bench_done(&b);
}

static void the_wait_never_passes_a_minute(void)
{
    struct bench b;

    bench_init(&b);
    for (int i = 0; i < 30; i++) {
        begin(&b);
        end_cut(&b);
        CHECK(wait_ms(&b) <= 2 * REFLECT_BACKOFF_CAP_MS);
    }
    CHECK(wait_ms(&b) >= REFLECT_BACKOFF_CAP_MS);
    bench_done(&b);
}

static void a_watch_that_stays_open_has_recovered(void)
{
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    end_clean(&b);
    begin(&b);
    end_cut(&b);
    begin(&b);
    CHECK_INT(wait_ms(&b), REFLECT_SETTLED_MS);
    b.time.ms += REFLECT_SETTLED_MS;
    reflector_tick(&b.r, b.time.ms);
    CHECK_TOLD(&b, "!.");
    CHECK_INT(reflector_next_ms(&b.r), INT64_MAX);
    bench_done(&b);
}

static void an_event_cut_in_the_middle_comes_again(void)
{
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    CHECK(bytes(&b, EVENT("ADDED", "c", "11") "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Thi"));
    end_cut(&b);
    CHECK_INT(wait_ms(&b), 0);
    begin(&b);
    CHECK_SV(asked(&b, "resourceVersion"), SV("11"));
    CHECK(bytes(&b, EVENT("ADDED", "d", "12")));
    CHECK_TOLD(&b, "+c+d");
    bench_done(&b);
}

static void check_lists_anew_and_tells_what_vanished(struct bench *b)
{
    CHECK_INT(wait_ms(b), 0);
    begin(b);
    CHECK_SV(asked(b, "sendInitialEvents"), SV("true"));
    CHECK_SV(asked(b, "resourceVersion"), SV(""));
    CHECK(bytes(b, EVENT("ADDED", "b", "3") EVENT("ADDED", "c", "30")));
    CHECK_TOLD(b, "+c");
    CHECK(bytes(b, INITIAL_END("31")));
    CHECK_TOLD(b, "+c-a.");
}

static void an_expired_version_in_the_stream_lists_anew(void)
{
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    CHECK(!bytes(&b, EXPIRED));
    end_cut(&b);
    check_lists_anew_and_tells_what_vanished(&b);
    bench_done(&b);
}

static void an_expired_version_by_status_lists_anew(void)
{
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    end_clean(&b);
    begin(&b);
    end_with(&b, 410, "{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}", NULL);
    check_lists_anew_and_tells_what_vanished(&b);
    bench_done(&b);
}

static void versions_that_expire_at_once_are_not_asked_for_at_full_speed(void)
{
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    CHECK(!bytes(&b, EXPIRED));
    end_cut(&b);
    begin(&b);
    CHECK(!bytes(&b, EXPIRED));
    end_cut(&b);
    CHECK(wait_ms(&b) >= REFLECT_BACKOFF_MS);
    bench_done(&b);
}

static void a_break_before_the_bookmark_deletes_nothing(void)
{
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    CHECK(!bytes(&b, EXPIRED));
    end_cut(&b);
    begin(&b);
    CHECK(bytes(&b, EVENT("ADDED", "new", "40")));
    end_cut(&b);
    CHECK_TOLD(&b, "+new!");
    begin(&b);
    CHECK(bytes(&b, EVENT("ADDED", "a", "7") EVENT("ADDED", "b", "3") INITIAL_END("41")));
    CHECK_TOLD(&b, "+new!-new.");
    bench_done(&b);
}

static void without_watchlist_it_is_pages_then_a_watch(void)
{
    struct bench b;

    bench_init(&b);
    begin(&b);
    end_with(&b, 422,
             "{\"kind\":\"Status\",\"code\":422,\"message\":\"sendInitialEvents: Forbidden\"}",
             NULL);
    CHECK(b.no_watchlist);
    CHECK_INT(wait_ms(&b), 0);
    begin(&b);
    CHECK(!b.q.streams);
    CHECK_SV(asked(&b, "limit"), SV("500"));
    end_with(
        &b, 200,
        "{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"50\",\"continue\":\"x+/=\"},"
        "\"items\":[" OBJECT("a", "7") "]}",
        NULL);
    CHECK_TOLD(&b, "+a");
    begin(&b);
    CHECK_SV(asked(&b, "continue"), SV("x+/="));
    CHECK_SV(asked(&b, "resourceVersion"), SV(""));
    end_with(&b, 200,
             "{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"51\"},"
             "\"items\":[" OBJECT("b", "3") "]}",
             NULL);
    CHECK_TOLD(&b, "+a+b.");
    begin(&b);
    CHECK(b.q.streams);
    CHECK_SV(asked(&b, "resourceVersion"), SV("51"));
    bench_done(&b);
}

static void a_server_without_progress_is_listed(void)
{
    struct bench b;

    bench_init(&b);
    begin(&b);
    CHECK(!bytes(&b, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":500,\"message\":"
                     "\"a watch stream was requested by the client but the required storage "
                     "feature RequestWatchProgress is disabled\"}}\n"));
    end_cut(&b);
    CHECK(b.no_watchlist);
    begin(&b);
    CHECK(!b.q.streams);
    CHECK_TOLD(&b, "");
    bench_done(&b);
}

static void a_server_that_ignores_watchlist_is_found_out(void)
{
    struct bench b;

    bench_init(&b);
    begin(&b);
    CHECK(!bytes(&b, EVENT("ADDED", "a", "7") BOOKMARK("9")));
    end_cut(&b);
    CHECK(b.no_watchlist);
    bench_done(&b);
}

static void an_expired_page_lists_from_the_start(void)
{
    struct bench b;

    bench_init(&b);
    b.no_watchlist = true;
    begin(&b);
    end_with(&b, 200,
             "{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"5\",\"continue\":\"t\"},"
             "\"items\":[" OBJECT("a", "7") "]}",
             NULL);
    begin(&b);
    end_with(&b, 410, "{\"kind\":\"Status\",\"code\":410,\"metadata\":{\"continue\":\"other\"}}",
             NULL);
    begin(&b);
    CHECK_SV(asked(&b, "continue"), SV(""));
    bench_done(&b);
}

static void throttling_waits_as_told_and_keeps_the_version(void)
{
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    end_clean(&b);
    begin(&b);
    end_with(&b, 429, "Too many requests, please try again later.\n", "17");
    CHECK(wait_ms(&b) >= 17000);
    begin(&b);
    CHECK_SV(asked(&b, "resourceVersion"), SV("9"));
    bench_done(&b);
}

static void a_kind_that_is_not_served_yet_is_asked_for_often_and_told_once(void)
{
    struct bench b;

    bench_init(&b);
    for (int i = 0; i < 20; i++) {
        begin(&b);
        end_with(&b, 404, "404 page not found\n", NULL);
        CHECK(wait_ms(&b) <= 2 * REFLECT_BRIEF_CAP_MS);
    }
    CHECK_TOLD(&b, "!");
    begin(&b);
    end_with(&b, 429, "{\"kind\":\"Status\",\"message\":\"storage is (re)initializing\"}", "1");
    CHECK_TOLD(&b, "!!");
    begin(&b);
    CHECK(bytes(&b, INITIAL_END("1")));
    CHECK_TOLD(&b, "!!.");
    bench_done(&b);
}

static void a_page_of_a_proxy_is_a_failure(void)
{
    struct bench b;

    bench_init(&b);
    b.no_watchlist = true;
    begin(&b);
    end_with(&b, 200, "<html>Welcome</html>", NULL);
    CHECK_TOLD(&b, "!");
    CHECK(strstr(b.why, "no list of things") != NULL);
    begin(&b);
    end_with(&b, 502, "<html>Bad gateway</html>", NULL);
    CHECK_TOLD(&b, "!!");
    bench_done(&b);
}

static void a_line_that_is_no_json_lists_anew(void)
{
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    CHECK(!bytes(&b, "<html>\n"));
    end_cut(&b);
    CHECK(wait_ms(&b) >= REFLECT_BACKOFF_MS);
    begin(&b);
    CHECK_SV(asked(&b, "sendInitialEvents"), SV("true"));
    bench_done(&b);
}

static void errors_that_may_pass_resume_thrice_and_then_list(void)
{
    static const char *const error =
        "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":500,\"message\":\"etcd\"}}\n";
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    for (int i = 1; i <= REFLECT_REFUSALS; i++) {
        CHECK(!bytes(&b, error));
        end_cut(&b);
        begin(&b);
        CHECK_SV(asked(&b, "resourceVersion"), i < REFLECT_REFUSALS ? SV("9") : SV(""));
    }
    CHECK_TOLD(&b, "!");
    bench_done(&b);
}

static void a_version_from_the_future_lists_anew(void)
{
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    end_clean(&b);
    begin(&b);
    end_with(
        &b, 504,
        "{\"kind\":\"Status\",\"reason\":\"Timeout\",\"code\":504,\"message\":\"Timeout: Too large "
        "resource version: 99999999, current: 6\",\"details\":{\"retryAfterSeconds\":1}}",
        NULL);
    begin(&b);
    CHECK_SV(asked(&b, "resourceVersion"), SV(""));
    bench_done(&b);
}

static void odd_events_do_no_harm(void)
{
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    CHECK(bytes(
        &b,
        EVENT("DELETED", "unknown", "11") EVENT("MODIFIED", "new", "12") EVENT("ADDED", "new", "12")
            EVENT(
                "SURPRISE", "x",
                "13") "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Other\",\"metadata\":{\"name\":\"o\"}}}\n"
                      "{\"type\":\"ADDED\",\"object\":null}\n{}\nnull\n" EVENT("DELETED", "new",
                                                                               "14")));
    CHECK_TOLD(&b, "+new-new");
    end_clean(&b);
    begin(&b);
    CHECK_SV(asked(&b, "resourceVersion"), SV("14"));
    bench_done(&b);
}

static void nothing_is_told_after_mute(void)
{
    struct bench b;

    bench_init(&b);
    begin(&b);
    CHECK(bytes(&b, EVENT("ADDED", "a", "7")));
    reflector_mute(&b.r);
    CHECK(!bytes(&b, EVENT("ADDED", "b", "8")));
    end_cut(&b);
    CHECK_TOLD(&b, "+a");
    bench_done(&b);
}

static void metadata_only_is_asked_for_by_accept(void)
{
    struct bench b;

    bench_init(&b);
    b.r.options.metadata_only = true;
    b.r.options.label_selector = SV("a in (b,c)");
    begin(&b);
    CHECK_SV(b.q.accept, SV("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"));
    CHECK_SV(asked(&b, "labelSelector"), SV("a in (b,c)"));
    bench_done(&b);
}

static void names_that_come_and_go_leave_no_memory_behind(void)
{
    struct bench b;

    bench_init(&b);
    sync_by_watchlist(&b);
    for (int i = 0; i < 4000; i++) {
        char text[512];

        (void)snprintf(
            text, sizeof(text),
            "{\"type\":\"ADDED\",\"object\":{\"kind\":\"Thing\",\"metadata\":{\"name\":"
            "\"n%d\",\"resourceVersion\":\"%d\"}}}\n"
            "{\"type\":\"DELETED\",\"object\":{\"kind\":\"Thing\",\"metadata\":{\"name\":"
            "\"n%d\",\"resourceVersion\":\"%d\"}}}\n",
            i, 100 + 2 * i, i, 101 + 2 * i);
        b.n = 0;
        NEED(bytes(&b, text));
    }
    CHECK_INT(names_count(&b.r.names), 2);
    CHECK(b.r.names.arena.used_bytes < 256 * 1024);
    bench_done(&b);
}

SUITE("kube/reflector", TEST(a_watchlist_is_synced_by_its_bookmark),
      TEST(a_clean_end_is_resumed_at_once_from_the_last_version),
      TEST(a_short_watch_without_event_waits),
      TEST(a_refused_connection_keeps_the_version_and_is_told_once),
      TEST(the_wait_never_passes_a_minute), TEST(a_watch_that_stays_open_has_recovered),
      TEST(an_event_cut_in_the_middle_comes_again),
      TEST(an_expired_version_in_the_stream_lists_anew),
      TEST(an_expired_version_by_status_lists_anew),
      TEST(versions_that_expire_at_once_are_not_asked_for_at_full_speed),
      TEST(a_break_before_the_bookmark_deletes_nothing),
      TEST(without_watchlist_it_is_pages_then_a_watch), TEST(a_server_without_progress_is_listed),
      TEST(a_server_that_ignores_watchlist_is_found_out),
      TEST(an_expired_page_lists_from_the_start),
      TEST(throttling_waits_as_told_and_keeps_the_version),
      TEST(a_kind_that_is_not_served_yet_is_asked_for_often_and_told_once),
      TEST(a_page_of_a_proxy_is_a_failure), TEST(a_line_that_is_no_json_lists_anew),
      TEST(errors_that_may_pass_resume_thrice_and_then_list),
      TEST(a_version_from_the_future_lists_anew), TEST(odd_events_do_no_harm),
      TEST(nothing_is_told_after_mute), TEST(metadata_only_is_asked_for_by_accept),
      TEST(names_that_come_and_go_leave_no_memory_behind))
