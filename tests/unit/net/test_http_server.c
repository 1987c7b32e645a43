/*
 * test_http_server.c - what hangs, spins or misleads other servers, on the wire against ours.
 *
 * Each row is an input that libwebsockets' own HTTP role or raw role gets wrong. Where a rule is
 * one of reading alone, its whole table of cases stands in tests/unit/wire/test_http1.c.
 *
 * | input                                       | test                                        |
 * |---------------------------------------------|---------------------------------------------|
 * | two requests in one piece, second a POST    | two_pipelined_posts_are_both_answered       |
 * | bytes after a POST whose answer is deferred | bytes_sent_ahead_wait_without_spinning      |
 * | the same beyond what is kept                | a_flood_ahead_of_an_answer_is_held_back     |
 * | GET deferred, client half-closes            | a_half_close_costs_neither_answers_nor_cpu, |
 * | ... while it does not read                  | a_blocked_client_may_half_close             |
 * | GET deferred, client is gone                | an_answer_for_a_client_that_left_is_dropped,|
 * |                                             | a_client_that_left_is_let_go_when_answered  |
 * | client pipelines and does not read          | a_client_that_never_reads_costs_no_cpu      |
 * | ... and a deferred answer stands behind     | requests_behind_a_big_answer_wait_for_it,   |
 * |                                             | test_http_memory.c,                         |
 * |                                             | a_blocked_client_that_leaves_leaves_nothing |
 * | POST without Content-Length                 | a_post_without_a_length_has_no_body         |
 * | chunked request                             | a_chunked_body_arrives_joined               |
 * | Content-Length + Transfer-Encoding          | smuggling_is_refused_and_nothing_follows    |
 * | repeated Content-Length                     | smuggling_is_refused_and_nothing_follows    |
 * | bare LF                                     | smuggling_is_refused_and_nothing_follows    |
 * | Expect: 100-continue                        | a_body_is_invited_when_asked                |
 * | %2F, %1F, +, //, /../, ;, &, %00 in a path  | the_path_arrives_as_it_was_sent             |
 * | head too long, too many headers             | an_oversized_head_is_431_with_a_body        |
 * | body too long                               | an_oversized_body_is_413_and_seen           |
 * | unknown method, absolute-form, garbage,     |                                             |
 * | CONNECT                                     | what_is_no_request_is_answered_and_closed   |
 * | Upgrade: websocket, Upgrade: h2c            | an_upgrade_is_not_taken                     |
 * | HEAD                                        | a_head_has_no_body                          |
 * | partial head, then silence                  | test_http_deadlines.c                       |
 * | returning -1 drops what is buffered         | a_big_last_answer_arrives_whole             |
 * | a second context on the port fails to bind  | test_http_many.c                            |
 * | EVENT_WAIT_CANCELLED is only a hint         | test_mailbox.c                              |
 * | too many connections                        | test_http_many.c                            |
 * | no descriptors are left                     | test_http_many.c                            |
 * | thousands of idle connections               | test_http_many.c                            |
 * | tickets of one loop, resumed at another     | e2e: sessions_are_resumed_at_any_thread     |
 */
#include "base/buf.h"
#include "base/limits.h"
#include "base/metric.h"
#include "unit/net/server_bench.h"

static struct bench b;
static struct client c, other;

/* ---- pipelining, deferred answers ---- */

static void two_pipelined_posts_are_both_answered(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_open(&other, &b);
    client_send(&c, SV(POST("/first") POST("/second")));
    CHECK(client_sees(&c, "/first\nbody"));
    CHECK(client_sees(&c, "/second\nbody"));
    CHECK_INT(client_count(&c, "HTTP/1.1 200"), 2);
    client_send(&other, SV(GET("/now")));
    CHECK(client_sees(&other, "ok"));
    CHECK(cpu_ms_of_idling(200) < 50);
    client_close(&c);
    client_close(&other);
    bench_stop(&b);
}

static void hundreds_of_pipelined_requests_are_answered_in_order(void)
{
    auto_arena a = {0};
    struct buf all = buf_new(&a, 1 << 20);

    for (int i = 0; i < 300; i++)
        buf_addf(&all, "GET /n%03d HTTP/1.1\r\nHost: h\r\n\r\n", i);
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, buf_sv(&all));
    CHECK(client_sees(&c, "/n299\n"));
    CHECK_INT(client_count(&c, "HTTP/1.1 200"), 300);
    for (int i = 0, at = 0; i < 300; i++) {
        const char *found = strstr(c.text + at, arena_printf(&a, "/n%03d\n", i).p);

        NEED(found != NULL);
        at = (int)(found - c.text);
    }
    client_close(&c);
    bench_stop(&b);
}

static void bytes_sent_ahead_wait_without_spinning(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, SV(POST("/later")));
    bench_wait_held(&b);
    client_send(&c, SV(GET("/now") "GET /half"));
    CHECK(cpu_ms_of_idling(300) < 50);
    CHECK_INT(b.requests, 1);
    bench_release(&b);
    CHECK(client_sees(&c, "ok"));
    client_send(&c, SV(" HTTP/1.1\r\nHost: h\r\n\r\n"));
    CHECK(client_sees(&c, "/half\n"));
    CHECK_INT(client_count(&c, "HTTP/1.1 200"), 3);
    client_close(&c);
    bench_stop(&b);
}

/* More than is kept ahead: it stays with the kernel, and is read when the answer is out. */
static void a_flood_ahead_of_an_answer_is_held_back(void)
{
    auto_arena a = {0};
    struct buf flood = buf_new(&a, 1 << 20);

    for (int i = 0; i < 6000; i++)
        buf_add(&flood, SV(GET("/now")));
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, SV(GET("/later")));
    bench_wait_held(&b);
    client_send(&c, buf_sv(&flood));
    CHECK(cpu_ms_of_idling(300) < 50);
    bench_release(&b);
    CHECK_INT(client_swallow(&c, 6000 * 98) >= (size_t)6000 * 98, true);
    CHECK_INT(b.requests, 6001);
    client_close(&c);
    bench_stop(&b);
}

/* Before the first of the two turns, and between them. */
static void a_half_close_costs_neither_answers_nor_cpu(void)
{
    for (int late = 0; late < 2; late++) {
        bench_start(&b, 1, 0);
        client_open(&c, &b);
        client_send(&c, SV(GET("/now") POST("/later") GET("/third") POST("/later")));
        if (!late)
            (void)shutdown(c.fd, SHUT_WR);
        bench_wait_held(&b);
        CHECK(cpu_ms_of_idling(200) < 50);
        bench_release(&b);
        bench_wait_held(&b);
        (void)shutdown(c.fd, SHUT_WR);
        CHECK(cpu_ms_of_idling(200) < 50);
        bench_release(&b);
        CHECK(client_sees_end(&c));
        CHECK_INT(client_count(&c, "HTTP/1.1 200"), 4);
        CHECK_INT(client_count(&c, "late"), 2);
        CHECK(strstr(c.text, "/third\n") != NULL);
        client_close(&c);
        bench_stop(&b);
    }
}

static void a_client_that_left_is_let_go_when_answered(void)
{
    int64_t before = metric_read(METRIC_CONNECTIONS);

    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_open(&other, &b);
    client_send(&c, SV(GET("/later")));
    bench_wait_held(&b);
    client_close(&c);
    bench_release(&b);
    /* Each answer is a turn of the loop, in which it looks at its other connections. */
    for (int i = 1; i <= 100 && metric_read(METRIC_CONNECTIONS) > before + 1; i++) {
        client_send(&other, SV(GET("/now")));
        CHECK(client_sees_answers(&other, i));
    }
    CHECK_INT(metric_read(METRIC_CONNECTIONS), before + 1);
    client_close(&other);
    bench_stop(&b);
}

static void an_answer_for_a_client_that_left_is_dropped(void)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_open(&other, &b);
    client_send(&c, SV(GET("/later")));
    bench_wait_held(&b);
    (void)setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    client_close(&c);
    client_send(&other, SV(GET("/now")));
    CHECK(client_sees(&other, "ok"));
    bench_release(&b);
    client_send(&other, SV(GET("/again")));
    CHECK(client_sees(&other, "/again\n"));
    client_close(&other);
    bench_stop(&b);
}

/* ---- clients that do not read ---- */

static void a_client_that_never_reads_costs_no_cpu(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_open(&other, &b);
    client_send(&c, SV(GET("/big") GET("/big") GET("/now")));
    client_send(&other, SV(GET("/now")));
    CHECK(client_sees(&other, "ok"));
    CHECK(cpu_ms_of_idling(300) < 50);
    CHECK(client_swallow(&c, 2 * (size_t)BIG_BYTES) == 2 * (size_t)BIG_BYTES);
    CHECK(client_sees(&c, "ok"));
    client_close(&c);
    client_close(&other);
    bench_stop(&b);
}

/* Nothing is begun behind an answer that the client does not read yet; then each request is handed
 * over once and answered once, in order. */
static void requests_behind_a_big_answer_wait_for_it(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, SV(GET("/big") GET("/later") GET("/third")));
    CHECK_INT(client_swallow(&c, 1), 1);
    CHECK(cpu_ms_of_idling(100) < 50);
    CHECK_INT(b.requests, 1);
    CHECK(client_swallow(&c, BIG_BYTES) == BIG_BYTES);
    bench_wait_held(&b);
    CHECK_INT(b.requests, 2);
    bench_release(&b);
    CHECK(client_sees(&c, "/third\n"));
    CHECK(strstr(c.text, "late") && strstr(c.text, "late") < strstr(c.text, "/third\n"));
    CHECK_INT(b.requests, 3);
    client_close(&c);
    bench_stop(&b);
}

static void a_blocked_client_may_half_close(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, SV(GET("/big") GET("/later")));
    CHECK_INT(client_swallow(&c, 1), 1);
    (void)shutdown(c.fd, SHUT_WR);
    CHECK(client_swallow(&c, BIG_BYTES) == BIG_BYTES);
    bench_wait_held(&b);
    CHECK(cpu_ms_of_idling(100) < 50);
    bench_release(&b);
    CHECK(client_sees(&c, "late"));
    CHECK(client_sees_end(&c));
    client_close(&c);
    bench_stop(&b);
}

static void a_blocked_client_that_leaves_leaves_nothing(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_open(&other, &b);
    client_send(&c, SV(GET("/big") GET("/later") "GET /half"));
    CHECK_INT(client_swallow(&c, 1), 1);
    client_close(&c);
    client_send(&other, SV(GET("/now")));
    CHECK(client_sees(&other, "ok"));
    client_close(&other);
    bench_stop(&b);
}

static void a_big_last_answer_arrives_whole(void)
{
    size_t got;

    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, SV("GET /big HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    (void)poll(NULL, 0, 50);
    got = client_swallow(&c, SIZE_MAX);
    CHECK(got > BIG_BYTES && got < BIG_BYTES + 300);
    client_close(&c);
    bench_stop(&b);
}

/* ---- what is read, and what is refused ---- */

static void a_post_without_a_length_has_no_body(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, SV("POST /empty HTTP/1.1\r\nHost: h\r\n\r\n" GET("/next")));
    CHECK(client_sees(&c, "Content-Length: 7\r\n\r\n/empty\n"));
    CHECK(client_sees(&c, "/next\n"));
    client_close(&c);
    bench_stop(&b);
}

static void a_chunked_body_arrives_joined(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, SV("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n" GET("/next")));
    CHECK(client_sees(&c, "/c\nabcde"));
    CHECK(client_sees(&c, "/next\n"));
    client_close(&c);
    bench_stop(&b);
}

#define SMUGGLED "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"

static void smuggling_is_refused_and_nothing_follows(void)
{
    static const char *const attacks[] = {
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n" SMUGGLED,
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
        "0\r\n\r\n" SMUGGLED,
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" SMUGGLED,
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nabcde" SMUGGLED,
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 7\r\n\r\nabcde" SMUGGLED,
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nabcde" SMUGGLED,
        "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0x5\r\n\r\nabcde" SMUGGLED,
        "POST /a HTTP/1.1\nHost: h\nContent-Length: 5\n\nabcde" SMUGGLED,
        "POST /a HTTP/1.1\r\nHost: h\r\nX: y\nContent-Length: 5\r\n\r\nabcde" SMUGGLED,
        "POST /a HTTP/1.1\r\nHost: h\r\n Content-Length: 5\r\n\r\nabcde" SMUGGLED,
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\nabcde\r\n0\r\n\r\n" SMUGGLED,
    };

    bench_start(&b, 1, 0);
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        client_open(&c, &b);
        client_send(&c, sv_from(attacks[i]));
        CHECK(client_sees_end(&c));
        CHECK_INT(client_count(&c, "HTTP/1.1 4") + client_count(&c, "HTTP/1.1 501"), 1);
        CHECK_INT(client_count(&c, "HTTP/1.1 "), 1);
        CHECK(strstr(c.text, "Connection: close") != NULL);
        client_close(&c);
    }
    CHECK_INT(b.requests, 0);
    bench_stop(&b);
}

static void a_body_is_invited_when_asked(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, SV("POST /e HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"
                       "Expect: 100-continue\r\n\r\n"));
    CHECK(client_sees(&c, "HTTP/1.1 100 Continue\r\n\r\n"));
    client_send(&c, SV("body"));
    CHECK(client_sees(&c, "/e\nbody"));
    CHECK_INT(client_count(&c, "HTTP/1.1 100"), 1);
    client_close(&c);
    bench_stop(&b);
}

static void the_path_arrives_as_it_was_sent(void)
{
    static const char *const targets[] = {"/a%2Fb%1Fc%00d", "/a+b//c/../d/./e", "/a;b&c=d?e=%2f",
                                          "/%E2%82%AC%zz"};
    auto_arena a = {0};

    bench_start(&b, 1, 0);
    client_open(&c, &b);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        client_send(&c, arena_printf(&a, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", targets[i]));
        CHECK(client_sees(&c, arena_printf(&a, "\r\n\r\n%s\n", targets[i]).p));
    }
    client_close(&c);
    bench_stop(&b);
}

static int64_t count_of_refusals(void)
{
    return metric_read(METRIC_REQUESTS_4XX) + metric_read(METRIC_REQUESTS_5XX);
}

/* Answered, counted among the answers, and told. */
static void check_refused(struct sv request, const char *status)
{
    int64_t refusals = b.refusals, counted = count_of_refusals();

    client_open(&c, &b);
    client_send(&c, request);
    CHECK(client_sees_end(&c));
    CHECK_SV(sv_first(sv_from(c.text), strlen(status)), sv_from(status));
    CHECK(strstr(c.text, "\r\n\r\n{\"error\":{") != NULL);
    CHECK_INT(b.refusals, refusals + 1);
    CHECK_INT(b.last_refusal, atoi(status + strlen("HTTP/1.1 ")));
    CHECK_INT(count_of_refusals(), counted + 1);
    client_close(&c);
}

static void an_oversized_head_is_431_with_a_body(void)
{
    auto_arena a = {0};
    struct buf many = buf_new(&a, 1 << 20), endless = buf_new(&a, 1 << 20);

    buf_add(&many, SV("GET / HTTP/1.1\r\nHost: h\r\n"));
    for (int i = 0; i < LIMIT_HTTP_HEADERS; i++)
        buf_addf(&many, "X-%d: y\r\n", i);
    buf_add(&many, SV("\r\n"));
    buf_add(&endless, SV("GET / HTTP/1.1\r\nHost: h\r\nX: "));
    while (endless.n <= 4 * (size_t)LIMIT_HTTP_HEAD_BYTES)
        buf_add(&endless, SV("0123456789abcdef"));
    bench_start(&b, 1, 0);
    check_refused(buf_sv(&many), "HTTP/1.1 431 ");
    check_refused(buf_sv(&endless), "HTTP/1.1 431 ");
    bench_stop(&b);
}

/* The client is still sending when it is refused: it must see the answer all the same. */
static void an_oversized_body_is_413_and_seen(void)
{
    auto_arena a = {0};
    struct buf huge = buf_new(&a, 1 << 23);

    buf_addf(&huge, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n",
             LIMIT_HTTP_BODY_BYTES + 1);
    for (int i = 0; i < 1 << 18; i++)
        buf_add(&huge, SV("0123456789abcdef"));
    bench_start(&b, 1, 0);
    check_refused(buf_sv(&huge), "HTTP/1.1 413 ");
    bench_stop(&b);
}

static void what_is_no_request_is_answered_and_closed(void)
{
    bench_start(&b, 1, 0);
    check_refused(SV("BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 501 ");
    check_refused(SV("GET http://elsewhere/ HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 400 ");
    check_refused(SV("CONNECT elsewhere:443 HTTP/1.1\r\nHost: h\r\n\r\n"), "HTTP/1.1 501 ");
    check_refused(SV("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), "HTTP/1.1 505 ");
    check_refused(SV("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "HTTP/1.1 505 ");
    check_refused(SV("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), "HTTP/1.1 400 ");
    check_refused(SV("\r\n\r\n\r\n"), "HTTP/1.1 400 ");
    CHECK_INT(b.requests, 0);
    bench_stop(&b);
}

static void an_upgrade_is_not_taken(void)
{
    static const char *const offers[] = {"websocket", "h2c"};
    auto_arena a = {0};

    bench_start(&b, 1, 0);
    for (int i = 0; i < 2; i++) {
        client_open(&c, &b);
        client_send(&c, arena_printf(&a,
                                     "GET /now HTTP/1.1\r\nHost: h\r\nUpgrade: %s\r\n"
                                     "Connection: Upgrade\r\n\r\n" GET("/next"),
                                     offers[i]));
        CHECK(client_sees(&c, "/next\n"));
        CHECK_INT(client_count(&c, "HTTP/1.1 200"), 2);
        client_close(&c);
    }
    bench_stop(&b);
}

static void a_head_has_no_body(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, SV("HEAD /now HTTP/1.1\r\nHost: h\r\n\r\n" GET("/next")));
    CHECK(client_sees(&c, "/next\n"));
    CHECK(strstr(c.text, "Content-Length: 2\r\n\r\nHTTP/1.1 200 OK") != NULL);
    client_close(&c);
    bench_stop(&b);
}

SUITE("net/http_server", TEST(two_pipelined_posts_are_both_answered),
      TEST(hundreds_of_pipelined_requests_are_answered_in_order),
      TEST(bytes_sent_ahead_wait_without_spinning), TEST(a_flood_ahead_of_an_answer_is_held_back),
      TEST(a_half_close_costs_neither_answers_nor_cpu),
      TEST(an_answer_for_a_client_that_left_is_dropped),
      TEST(a_client_that_left_is_let_go_when_answered), TEST(a_blocked_client_may_half_close),
      TEST(a_client_that_never_reads_costs_no_cpu), TEST(requests_behind_a_big_answer_wait_for_it),
      TEST(a_blocked_client_that_leaves_leaves_nothing), TEST(a_big_last_answer_arrives_whole),
      TEST(a_post_without_a_length_has_no_body), TEST(a_chunked_body_arrives_joined),
      TEST(smuggling_is_refused_and_nothing_follows), TEST(a_body_is_invited_when_asked),
      TEST(the_path_arrives_as_it_was_sent), TEST(an_oversized_head_is_431_with_a_body),
      TEST(an_oversized_body_is_413_and_seen), TEST(what_is_no_request_is_answered_and_closed),
      TEST(an_upgrade_is_not_taken), TEST(a_head_has_no_body))
