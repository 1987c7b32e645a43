/* test_reflector_faults.c - the same loop, and servers that refuse, err or talk nonsense. */
#include "unit/kube/reflector_bench.h"

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

static void a_list_that_is_not_whole_deletes_nothing(void)
{
    static const char *const lists[] = {
        "{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"9\"}}",
        "{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"9\"},\"items\":null}",
        "{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"9\"},\"items\":{}}",
        "{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[{}]}",
        "{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"9\",\"continue\":7},\"items\":[]}",
        ("{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"9\",\"remainingItemCount\":2},"
         "\"items\":[]}")};
    static const char whole[] = "{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"5\"},"
                                "\"items\":[" OBJECT("a", "1") "]}";

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct bench b;

        bench_init(&b);
        b.no_watchlist = true;
        begin(&b);
        end_with(&b, 200, whole, NULL);
        CHECK_TOLD(&b, "+a.");
        begin(&b);
        end_with(&b, 410, "{\"kind\":\"Status\",\"code\":410}", NULL);
        begin(&b);
        end_with(&b, 200, lists[i], NULL);
        CHECK_TOLD(&b, "+a.!");
        CHECK(strstr(b.why, "the list of things is not whole") != NULL);
        bench_done(&b);
    }
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

SUITE("kube/reflector_faults", TEST(a_refused_connection_keeps_the_version_and_is_told_once),
      TEST(the_wait_never_passes_a_minute), TEST(a_watch_that_stays_open_has_recovered),
      TEST(versions_that_expire_at_once_are_not_asked_for_at_full_speed),
      TEST(a_server_without_progress_is_listed), TEST(a_server_that_ignores_watchlist_is_found_out),
      TEST(an_expired_page_lists_from_the_start),
      TEST(throttling_waits_as_told_and_keeps_the_version),
      TEST(a_kind_that_is_not_served_yet_is_asked_for_often_and_told_once),
      TEST(a_page_of_a_proxy_is_a_failure), TEST(a_list_that_is_not_whole_deletes_nothing),
      TEST(a_line_that_is_no_json_lists_anew),
      TEST(errors_that_may_pass_resume_thrice_and_then_list),
      TEST(a_version_from_the_future_lists_anew), TEST(odd_events_do_no_harm))
