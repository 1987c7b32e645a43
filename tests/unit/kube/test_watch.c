/* test_watch.c - the follower against a server that misbehaves. */
#include "fakes/api_server.h"
#include "kube/config.h"
#include "kube/watch.h"
#include "unit/suite.h"

#define OBJECT(name, version) \
    "{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version "\"}}"
#define EVENT(type, name, version) "{\"type\":\"" type "\",\"object\":" OBJECT(name, version) "}\n"
#define INITIAL_END(version)                                             \
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"annotations\":{" \
    "\"k8s.io/initial-events-end\":\"true\"},\"resourceVersion\":\"" version "\"}}}\n"
#define STREAM(lines) FAKE_JSON("200 OK", lines)

struct bench {
    struct arena arena;
    struct world_test time;
    struct kube_config config;
    struct fake_server server;
    struct kube_follower *follower;
    struct kube_watch *watch;
    char told[512];
    size_t n;
    char why[256];
    bool unfollow_at_first;
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
    if (b->unfollow_at_first)
        kube_unfollow(b->follower, b->watch);
}

static void bench_start(struct bench *b, const struct fake_reply *replies, size_t n)
{
    struct watch_options o = {
        .collection = {.group_version = SV("x.io/v1"), .resource = SV("things")},
        .event = note,
        .context = b
    };

    world_test_init(&b->time, 1, 1000000);
    fake_start(&b->server, replies, n);
    b->config.world = &b->time.world;
    b->config.server = arena_printf(&b->arena, "http://127.0.0.1:%d", b->server.port);
    b->follower = kube_follower_new(&b->config, &b->time.world, &b->arena);
    b->watch = kube_follow(b->follower, &o);
}

/* Lets the follower work, and the clock go, until `want` was told and all replies were used. */
static void run(struct bench *b, const char *want)
{
    for (int i = 0; i < 5000; i++) {
        if (strcmp(b->told, want) == 0 && atomic_load(&b->server.served) == b->server.n_replies)
            break;
        kube_follower_poll(b->follower, 1);
        b->time.ms += 20;
    }
    CHECK_SV(sv_from(b->told), sv_from(want));
}

static void bench_done(struct bench *b)
{
    arena_done(&b->arena);
    fake_stop(&b->server);
}

#define START(b, ...)                                         \
    static const struct fake_reply replies[] = {__VA_ARGS__}; \
    bench_start((b), replies, sizeof(replies) / sizeof(replies[0]))

static bool was_asked(const struct bench *b, size_t i, const char *part)
{
    return strstr(b->server.requests[i], part) != NULL;
}

static void a_cut_event_is_asked_for_again(void)
{
    struct bench b = {0};

    START(&b,
          {STREAM(EVENT("ADDED", "a", "1") INITIAL_END("5")
                      EVENT("ADDED", "b", "6") "{\"type\":\"ADDED\",\"obj"),
           FAKE_CLOSE, 0},
          {STREAM(EVENT("ADDED", "c", "7")), FAKE_HOLD, 0});
    run(&b, "+a.+b+c");
    CHECK(was_asked(&b, 0, "sendInitialEvents=true"));
    CHECK(was_asked(&b, 1, "resourceVersion=6&") || was_asked(&b, 1, "resourceVersion=6 "));
    bench_done(&b);
}

static void a_reset_after_any_number_of_bytes_loses_nothing(void)
{
    static const char *const text = STREAM(EVENT("ADDED", "a", "1") EVENT("ADDED", "b", "2"));

    for (size_t k = 1; k < strlen(text); k += 29) {
        struct bench b = {0};
        const struct fake_reply replies[] = {
            {text,                    FAKE_RESET, k},
            { STREAM(EVENT("ADDED", "a", "1") EVENT("ADDED", "b", "2") INITIAL_END("5")), FAKE_HOLD,
             0},
        };
        int count = 0;

        bench_start(&b, replies, 2);
        for (int i = 0; i < 5000 && !strchr(b.told, '.'); i++) {
            kube_follower_poll(b.follower, 1);
            b.time.ms += 20;
        }
        for (const char *p = b.told; *p; p++)
            count += *p == '+';
        CHECK_INT(count, 2);
        CHECK(strchr(b.told, '-') == NULL);
        bench_done(&b);
    }
}

static void a_chunked_stream_without_its_end_is_resumed(void)
{
    struct bench b = {0};

    START(&b, {STREAM(INITIAL_END("5")), FAKE_CLOSE, 0},
          {FAKE_CHUNKED
           "3c\r\n{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n     "
           "       \r\n",
           FAKE_CLOSE, 0},
          {STREAM(EVENT("ADDED", "b", "9")), FAKE_HOLD, 0});
    run(&b, ".+a+b");
    bench_done(&b);
}

static void gone_by_status_lists_anew_and_tells_what_vanished(void)
{
    struct bench b = {0};

    START(
        &b,
        {STREAM(EVENT("ADDED", "a", "1") EVENT("ADDED", "b", "2") INITIAL_END("5")), FAKE_CLOSE, 0},
        {FAKE_JSON("410 Gone", "{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}"),
         FAKE_CLOSE, 0},
        {STREAM(EVENT("ADDED", "b", "2") INITIAL_END("9")), FAKE_HOLD, 0});
    run(&b, "+a+b.-a.");
    CHECK_SV(sv_from(b.why), SV(""));
    bench_done(&b);
}

static void throttled_by_plain_text_it_waits_as_told(void)
{
    struct bench b = {0};
    int64_t began;

    START(&b,
          {"HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain\r\nRetry-After: "
           "10\r\nConnection: close\r\n\r\nToo many requests, please try again later.\n",
           FAKE_CLOSE, 0},
          {STREAM(INITIAL_END("5")), FAKE_HOLD, 0});
    began = b.time.ms;
    run(&b, "!.");
    CHECK(b.time.ms - began >= 10000);
    CHECK_SV(sv_from(b.why), SV("Too many requests, please try again later. (HTTP 429)"));
    bench_done(&b);
}

static void a_server_without_watchlist_is_listed_page_by_page(void)
{
    struct bench b = {0};

    START(&b,
          {FAKE_JSON("422 Unprocessable Entity",
                     "{\"kind\":\"Status\",\"code\":422,\"reason\":\"Invalid\"}"),
           FAKE_CLOSE, 0},
          {FAKE_JSON("200 OK", "{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"5\","
                               "\"continue\":\"next\"},\"items\":[" OBJECT("a", "1") "]}"),
           FAKE_CLOSE, 0},
          {FAKE_JSON("200 OK", "{\"kind\":\"ThingList\",\"metadata\":{\"resourceVersion\":\"5\"},"
                               "\"items\":[" OBJECT("b", "2") "]}"),
           FAKE_CLOSE, 0},
          {STREAM(EVENT("DELETED", "a", "6")), FAKE_HOLD, 0});
    run(&b, "+a+b.-a");
    CHECK(was_asked(&b, 2, "continue=next"));
    CHECK(was_asked(&b, 3, "resourceVersion=5"));
    bench_done(&b);
}

static void a_page_of_a_proxy_is_told_without_the_page(void)
{
    struct bench b = {0};

    START(&b,
          {"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nConnection: "
           "close\r\n\r\n<html><h1>Bad gateway</h1></html>",
           FAKE_CLOSE, 0},
          {STREAM(INITIAL_END("5")), FAKE_HOLD, 0});
    run(&b, "!.");
    CHECK(strstr(b.why, "HTTP 502") && !strstr(b.why, "html"));
    bench_done(&b);
}

static void a_refused_token_is_read_again_before_anyone_hears_of_it(void)
{
    struct bench b = {0};
    char path[] = "/tmp/frontdesk-token-XXXXXX";
    int fd = mkstemp(path);

    NEED(fd >= 0 && write(fd, "t1", 2) == 2);
    b.config.token.path = sv_from(path);
    START(&b, {FAKE_JSON("401 Unauthorized", "{\"kind\":\"Status\",\"code\":401}"), FAKE_CLOSE, 0},
          {STREAM(INITIAL_END("5")), FAKE_HOLD, 0});
    run(&b, ".");
    CHECK(was_asked(&b, 1, "Authorization: Bearer t1\r\n"));
    CHECK(was_asked(&b, 1, "User-Agent: frontdesk/"));
    bench_done(&b);
    (void)close(fd);
    (void)unlink(path);
}

static void who_unfollows_in_the_middle_hears_nothing_more(void)
{
    struct bench b = {.unfollow_at_first = true};

    START(&b, {STREAM(EVENT("ADDED", "a", "1") EVENT("ADDED", "b", "2") INITIAL_END("5")),
               FAKE_HOLD, 0});
    run(&b, "+a");
    kube_follower_poll(b.follower, 0);
    kube_follower_poll(b.follower, 0);
    CHECK_SV(sv_from(b.told), SV("+a"));
    bench_done(&b);
}

SUITE("kube/watch", TEST(a_cut_event_is_asked_for_again),
      TEST(a_reset_after_any_number_of_bytes_loses_nothing),
      TEST(a_chunked_stream_without_its_end_is_resumed),
      TEST(gone_by_status_lists_anew_and_tells_what_vanished),
      TEST(throttled_by_plain_text_it_waits_as_told),
      TEST(a_server_without_watchlist_is_listed_page_by_page),
      TEST(a_page_of_a_proxy_is_told_without_the_page),
      TEST(a_refused_token_is_read_again_before_anyone_hears_of_it),
      TEST(who_unfollows_in_the_middle_hears_nothing_more))
