/* test_http_memory.c - what is decided by the head alone, and what clients can make us hold. */
#include "base/buf.h"
#include "unit/net/server_bench.h"

enum { MB = 1024 * 1024, FLOOD = 24 };

static struct bench b;
static struct client c, flood[FLOOD];

/* ---- the head decides ---- */

#define DENIED "POST /denied HTTP/1.1\r\nHost: h\r\nContent-Length: 16000000\r\n"

static void a_body_that_is_not_wanted_is_refused_by_its_head(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, SV(DENIED "\r\n"));
    CHECK(client_sees(&c, "who are you?"));
    CHECK(strstr(c.text, "HTTP/1.1 401 ") && strstr(c.text, "Connection: close"));
    CHECK(client_sees_end(&c));
    CHECK_INT(b.requests, 0);
    client_close(&c);
    bench_stop(&b);
}

/* The client is sending still: it must see the answer all the same, and none of it is kept. */
static void a_refusal_is_seen_by_who_sends_on(void)
{
    auto_arena a = {0};
    char *body = arena_alloc(&a, 16000000);

    bench_start_bounded(&b, 1, 0, MB);
    client_open(&c, &b);
    client_send(&c, SV(DENIED "\r\n"));
    client_send(&c, sv_of(body, 16000000));
    CHECK(client_sees(&c, "who are you?"));
    CHECK(client_sees_end(&c));
    CHECK_INT(b.requests, 0);
    client_close(&c);
    bench_stop(&b);
}

static void no_body_is_asked_for_that_is_not_wanted(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, SV(DENIED "Expect: 100-continue\r\n\r\n"));
    CHECK(client_sees(&c, "who are you?"));
    CHECK_INT(client_count(&c, "100 Continue"), 0);
    client_close(&c);
    bench_stop(&b);
}

static void each_path_has_its_own_largest_body(void)
{
    static const char *const rests[] = {"Content-Length: 11\r\n\r\n",
                                        "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\n"};

    bench_start(&b, 1, 0);
    for (size_t i = 0; i < sizeof(rests) / sizeof(rests[0]); i++) {
        client_open(&c, &b);
        client_send(&c, SV("POST /small HTTP/1.1\r\nHost: h\r\n"));
        client_send(&c, sv_from(rests[i]));
        CHECK(client_sees(&c, "HTTP/1.1 413 "));
        CHECK(client_sees_end(&c));
        client_close(&c);
    }
    client_open(&c, &b);
    client_send(&c, SV("POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n"));
    client_send(&c, SV("0123456789" GET("/next")));
    CHECK(client_sees(&c, "/small\n0123456789"));
    CHECK(client_sees(&c, "/next\n"));
    client_close(&c);
    bench_stop(&b);
}

/* ---- all bodies together ---- */

/* The head and `sent` bytes of a body of 2 MB. */
static void send_part(struct client *to, const char *path, size_t sent)
{
    auto_arena a = {0};

    client_open(to, &b);
    client_send(to, arena_printf(&a, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n",
                                 path, 2 * MB));
    client_send(to, sv_of(arena_alloc(&a, sent), sent));
}

static void small_body_is_taken(const char *path)
{
    auto_arena a = {0};

    client_open(&c, &b);
    client_send(
        &c, arena_printf(&a, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 20000\r\n\r\n", path));
    client_send(&c, sv_of(arena_alloc(&a, 20000), 20000));
    CHECK(client_sees(&c, "HTTP/1.1 200 "));
    client_close(&c);
}

/* One caller takes half at most, whatever the number of its connections. */
static void unfinished_bodies_of_one_caller_leave_room_for_another(void)
{
    int refused = 0;

    bench_start_bounded(&b, 1, 0, 16 * MB);
    for (int i = 0; i < FLOOD; i++)
        send_part(&flood[i], "/of-a/x", MB + MB / 2);
    for (int i = 0; i < FLOOD; i++) {
        while (client_more(&flood[i], i < 8 ? 50 : 1000) && !client_count(&flood[i], "\r\n\r\n"))
            continue;
        refused += client_count(&flood[i], "HTTP/1.1 503 ");
        CHECK_INT(client_count(&flood[i], "Retry-After: 1"),
                  client_count(&flood[i], "HTTP/1.1 503"));
    }
    CHECK(refused >= FLOOD - 8);
    CHECK(shares_used(&b.memory) <= 8 * MB);
    small_body_is_taken("/of-b/x");
    small_body_is_taken("/echo");
    for (int i = 0; i < FLOOD; i++)
        client_close(&flood[i]);
    bench_stop(&b);
}

/* A body is not given what it says that it will have. */
static void a_length_without_a_body_costs_nothing(void)
{
    bench_start_bounded(&b, 1, 0, MB);
    for (int i = 0; i < FLOOD; i++)
        send_part(&flood[i], "/of-a/x", 1);
    small_body_is_taken("/of-a/x");
    CHECK(shares_used(&b.memory) < (size_t)FLOOD * 8192);
    for (int i = 0; i < FLOOD; i++)
        client_close(&flood[i]);
    bench_stop(&b);
}

static void heads_that_do_not_end_are_charged_to_their_peer(void)
{
    auto_arena a = {0};
    struct buf head = buf_new(&a, 64 * 1024);
    int refused = 0;

    buf_add(&head, SV("GET / HTTP/1.1\r\nHost: h\r\nX: "));
    while (head.n < 30000)
        buf_add(&head, SV("0123456789abcdef"));
    bench_start_bounded(&b, 1, 0, 512 * 1024);
    for (int i = 0; i < FLOOD; i++) {
        client_open(&flood[i], &b);
        client_send(&flood[i], buf_sv(&head));
    }
    for (int i = FLOOD - 1; i >= 0; i--) {
        (void)client_more(&flood[i], i >= 8 ? 1000 : 10);
        refused += client_count(&flood[i], "HTTP/1.1 503 ");
    }
    CHECK(refused >= FLOOD - 8);
    CHECK(shares_used(&b.memory) <= 256 * 1024);
    small_body_is_taken("/of-b/x");
    for (int i = 0; i < FLOOD; i++)
        client_close(&flood[i]);
    bench_stop(&b);
}

/* ---- all replies together ---- */

static void replies_that_nobody_reads_are_bounded_together(void)
{
    int whole = 0, refused = 0;

    bench_start_bounded(&b, 1, 0, 5 * (size_t)BIG_BYTES);
    for (int i = 0; i < FLOOD; i++) {
        client_open(&flood[i], &b);
        client_send(&flood[i], SV(GET("/big")));
        CHECK(client_more(&flood[i], PATIENCE_MS));
        whole += client_count(&flood[i], "HTTP/1.1 200 ");
        refused += client_count(&flood[i], "HTTP/1.1 503 ");
    }
    CHECK_INT(whole, 2);
    CHECK_INT(refused, FLOOD - 2);
    CHECK_INT(shares_used(&b.memory), 2 * (size_t)BIG_BYTES);
    client_open(&c, &b);
    client_send(&c, SV(GET("/now")));
    CHECK(client_sees(&c, "ok"));
    client_close(&c);
    for (int i = 0; i < FLOOD; i++)
        client_close(&flood[i]);
    bench_stop(&b);
}

/* Whoever sends many small requests and reads nothing has a few of the answers kept, not all. */
static void small_replies_that_nobody_reads_are_bounded_too(void)
{
    auto_arena a = {0};
    struct buf all = buf_new(&a, 1 << 20);

    for (int i = 0; i < 1000; i++)
        buf_add(&all, SV(GET("/mid")));
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, buf_sv(&all));
    client_open(&flood[0], &b);
    client_send(&flood[0], SV(GET("/now")));
    CHECK(client_sees(&flood[0], "ok"));
    CHECK_INT(client_swallow(&c, 1), 1);
    CHECK(cpu_ms_of_idling(100) < 50);
    CHECK(b.requests < 300);
    CHECK(shares_used(&b.memory) <= MB);
    CHECK(client_swallow(&c, 1000 * (size_t)MID_BYTES) == 1000 * (size_t)MID_BYTES);
    client_close(&c);
    client_close(&flood[0]);
    bench_stop(&b);
}

/* Somewhere among these the kernel takes no more, with a deferred answer before it or behind it. */
static void turns_stay_in_order_wherever_a_client_stops_reading(void)
{
    for (int n = 20; n < 50; n++) {
        auto_arena a = {0};
        struct buf all = buf_new(&a, 1 << 20);

        for (int i = 0; i < n; i++)
            buf_add(&all, SV(GET("/mid")));
        buf_add(&all, SV(GET("/later") GET("/third")));
        bench_start(&b, 1, 0);
        client_open(&c, &b);
        client_send(&c, buf_sv(&all));
        CHECK_INT(client_swallow(&c, 1), 1);
        CHECK(client_swallow(&c, (size_t)n * MID_BYTES) == (size_t)n * MID_BYTES);
        bench_wait_held(&b);
        bench_release(&b);
        CHECK(client_sees(&c, "/third\n"));
        CHECK(strstr(c.text, "late") && strstr(c.text, "late") < strstr(c.text, "/third\n"));
        CHECK_INT(b.requests, n + 2);
        client_close(&c);
        bench_stop(&b);
    }
}

SUITE("net/http_memory", TEST(a_body_that_is_not_wanted_is_refused_by_its_head),
      TEST(a_refusal_is_seen_by_who_sends_on), TEST(no_body_is_asked_for_that_is_not_wanted),
      TEST(each_path_has_its_own_largest_body),
      TEST(unfinished_bodies_of_one_caller_leave_room_for_another),
      TEST(a_length_without_a_body_costs_nothing),
      TEST(heads_that_do_not_end_are_charged_to_their_peer),
      TEST(replies_that_nobody_reads_are_bounded_together),
      TEST(small_replies_that_nobody_reads_are_bounded_too),
      TEST(turns_stay_in_order_wherever_a_client_stops_reading))
