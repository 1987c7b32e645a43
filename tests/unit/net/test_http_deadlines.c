/* test_http_deadlines.c - what takes too long is ended, what is under way is not, and stopping. */
#include "base/limits.h"
#include "base/metric.h"
#include "unit/net/server_bench.h"

static struct bench b;
static struct client c, other;

/* The server looks once a second; the clock is turned by hand. */
static void turn_clock(int64_t ms)
{
    (void)atomic_fetch_add(&b.ms, ms);
}

/* Until the server has no more than `n`. */
static void wait_connections(int64_t n)
{
    for (int i = 0; i < PATIENCE_MS / 10 && metric_read(METRIC_CONNECTIONS) > n; i++)
        (void)poll(NULL, 0, 10);
    CHECK_INT(metric_read(METRIC_CONNECTIONS), n);
}

/* ---- deadlines ---- */

static void a_slow_head_is_408(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_open(&other, &b);
    client_send(&other, SV(GET("/now")));
    CHECK(client_sees(&other, "ok"));
    client_send(&c, SV("GET /now HTTP/1.1\r\nHo"));
    client_send(&other, SV(GET("/again")));
    CHECK(client_sees(&other, "/again\n"));
    turn_clock(LIMIT_HTTP_HEAD_MS);
    CHECK(client_sees(&c, "HTTP/1.1 408 "));
    CHECK(client_sees_end(&c));
    client_close(&c);
    client_close(&other);
    bench_stop(&b);
}

/* A byte now and then does not buy time. */
static void a_head_in_drips_has_one_deadline(void)
{
    struct sv head = SV("GET /now HTTP/1.1\r\nHost: h\r\nX: ");

    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_open(&other, &b);
    client_send(&c, sv_first(head, 1));
    client_send(&other, SV(GET("/now")));
    CHECK(client_sees(&other, "ok"));
    for (size_t i = 1; i < head.n; i++) {
        turn_clock(LIMIT_HTTP_HEAD_MS / 20);
        client_send(&c, sv_of(head.p + i, 1));
    }
    CHECK(client_sees(&c, "HTTP/1.1 408 "));
    CHECK(client_sees_end(&c));
    client_close(&c);
    client_close(&other);
    bench_stop(&b);
}

static void a_slow_body_is_408(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_open(&other, &b);
    client_send(&c, SV("POST /now HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nbod"));
    client_send(&other, SV(GET("/now")));
    CHECK(client_sees(&other, "ok"));
    turn_clock(LIMIT_HTTP_BODY_MS);
    CHECK(client_sees(&c, "HTTP/1.1 408 "));
    CHECK(client_sees_end(&c));
    client_close(&c);
    client_close(&other);
    bench_stop(&b);
}

static void a_connection_that_says_nothing_is_closed(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_open(&other, &b);
    client_send(&other, SV(GET("/now")));
    CHECK(client_sees(&other, "ok"));
    turn_clock(LIMIT_HTTP_HEAD_MS);
    CHECK(client_sees_end(&c));
    CHECK_INT(c.n, 0);
    client_close(&c);
    client_close(&other);
    bench_stop(&b);
}

static void an_idle_connection_is_closed(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, SV(GET("/now")));
    CHECK(client_sees(&c, "ok"));
    turn_clock(LIMIT_HTTP_IDLE_MS);
    CHECK(client_sees_end(&c));
    client_close(&c);
    bench_stop(&b);
}

static void a_client_that_does_not_read_is_closed(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_send(&c, SV(GET("/big") GET("/later") "GET /half"));
    CHECK(client_swallow(&c, 1) > 0);
    client_open(&other, &b);
    client_send(&other, SV(GET("/now")));
    CHECK(client_sees(&other, "ok"));
    turn_clock(LIMIT_HTTP_BODY_MS);
    wait_connections(1);
    CHECK(client_swallow(&c, SIZE_MAX) < BIG_BYTES);
    CHECK_INT(b.requests, 2);
    client_close(&other);
    client_close(&c);
    bench_stop(&b);
}

/* The handler has deadlines of its own; a connection waits for it. */
static void a_slow_answer_is_waited_for(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_open(&other, &b);
    client_send(&c, SV(GET("/later")));
    bench_wait_held(&b);
    turn_clock(LIMIT_HTTP_IDLE_MS);
    CHECK(client_sees_end(&other));
    bench_release(&b);
    CHECK(client_sees(&c, "late"));
    client_close(&c);
    client_close(&other);
    bench_stop(&b);
}

/* ---- stopping ---- */

static void *stop_entry(void *argument)
{
    (void)argument;
    http_server_stop(b.server, PATIENCE_MS);
    return NULL;
}

/* The clock stands still: were anything counted that has gone, this would not end. */
static void stopping_does_not_wait_for_halves_of_heads(void)
{
    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_open(&other, &b);
    client_send(&c, SV("GET /half"));
    client_send(&other, SV(GET("/now") "GET /half"));
    CHECK(client_sees(&other, "ok"));
    bench_stop(&b);
    CHECK(client_sees_end(&c));
    CHECK(client_sees_end(&other));
    client_close(&c);
    client_close(&other);
}

/* The client has every reason to think that its commit is under way. */
static void stopping_lets_a_body_come_to_its_end(void)
{
    pthread_t stopper;

    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_open(&other, &b);
    client_send(&c, SV("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbo"));
    client_send(&other, SV(GET("/now")));
    CHECK(client_sees(&other, "ok"));
    NEED(pthread_create(&stopper, NULL, stop_entry, NULL) == 0);
    CHECK(client_sees_end(&other));
    client_send(&c, SV("dy"));
    CHECK(client_sees(&c, "/x\nbody"));
    CHECK(strstr(c.text, "Connection: close") != NULL);
    (void)pthread_join(stopper, NULL);
    client_close(&c);
    client_close(&other);
    bench_free(&b);
}

static void stopping_waits_for_answers_that_are_due(void)
{
    pthread_t stopper;

    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_open(&other, &b);
    client_send(&c, SV(GET("/later")));
    bench_wait_held(&b);
    NEED(pthread_create(&stopper, NULL, stop_entry, NULL) == 0);
    CHECK(client_sees_end(&other));
    bench_release(&b);
    CHECK(client_sees(&c, "late"));
    CHECK(strstr(c.text, "Connection: close") != NULL);
    CHECK(client_sees_end(&c));
    (void)pthread_join(stopper, NULL);
    client_close(&c);
    client_close(&other);
    bench_free(&b);
}

/* A handler that never answers is not waited for beyond the grace, and its turns are let go. */
static void stopping_ends_when_the_grace_is_over(void)
{
    pthread_t stopper;

    bench_start(&b, 1, 0);
    client_open(&c, &b);
    client_open(&other, &b);
    client_send(&c, SV(GET("/later")));
    bench_wait_held(&b);
    NEED(pthread_create(&stopper, NULL, stop_entry, NULL) == 0);
    CHECK(client_sees_end(&other));
    turn_clock(PATIENCE_MS);
    (void)pthread_join(stopper, NULL);
    bench_free(&b);
    CHECK(client_sees_end(&c));
    client_close(&c);
    client_close(&other);
}

SUITE("net/http_deadlines", TEST(a_slow_head_is_408), TEST(a_head_in_drips_has_one_deadline),
      TEST(a_slow_body_is_408), TEST(a_connection_that_says_nothing_is_closed),
      TEST(an_idle_connection_is_closed), TEST(a_client_that_does_not_read_is_closed),
      TEST(a_slow_answer_is_waited_for), TEST(stopping_does_not_wait_for_halves_of_heads),
      TEST(stopping_lets_a_body_come_to_its_end), TEST(stopping_waits_for_answers_that_are_due),
      TEST(stopping_ends_when_the_grace_is_over))
