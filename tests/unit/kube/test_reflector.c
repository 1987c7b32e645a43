/* test_reflector.c - the loop that follows one collection, fed by hand. */
#include "unit/kube/reflector_bench.h"

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
      TEST(a_short_watch_without_event_waits), TEST(an_event_cut_in_the_middle_comes_again),
      TEST(an_expired_version_in_the_stream_lists_anew),
      TEST(an_expired_version_by_status_lists_anew),
      TEST(a_break_before_the_bookmark_deletes_nothing),
      TEST(without_watchlist_it_is_pages_then_a_watch), TEST(nothing_is_told_after_mute),
      TEST(metadata_only_is_asked_for_by_accept),
      TEST(names_that_come_and_go_leave_no_memory_behind))
