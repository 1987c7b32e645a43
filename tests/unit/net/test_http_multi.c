/* test_http_multi.c - many requests on one thread: answers, cancelling, waking. */
#include <time.h>

#include "fakes/api_server.h"
#include "net/http_client.h"
#include "unit/suite.h"

struct bench {
    struct arena arena;
    struct fake_server server;
    struct http_multi *multi;
    struct http_request request;
    struct http_options options;
};

struct answer {
    int times, status;
    enum err_code code;
    struct bench *bench;
    struct http_transfer *other;
    struct answer *next; /* asked for by the first one's answer */
};

static void bench_start(struct bench *b, const struct fake_reply *replies, size_t n)
{
    *b = (struct bench){.options = {.timeout_ms = 5000}};
    fake_start(&b->server, replies, n);
    b->multi = http_multi_new(&b->arena);
    b->request.target = arena_printf(&b->arena, "http://127.0.0.1:%d/", b->server.port);
}

static void bench_done(struct bench *b)
{
    arena_done(&b->arena);
    fake_stop(&b->server);
}

static void on_done(struct http_response *r, const struct err *e, void *context)
{
    struct answer *a = context;

    a->times++;
    a->status = r ? r->status : 0;
    a->code = e ? e->code : ERR_NONE;
    if (a->other)
        http_multi_cancel(a->bench->multi, a->other);
    if (a->next)
        (void)http_multi_start(a->bench->multi, &a->bench->request, &a->bench->options,
                               &a->bench->arena, on_done, a->next);
}

static struct http_transfer *start(struct bench *b, struct answer *a)
{
    return http_multi_start(b->multi, &b->request, &b->options, &b->arena, on_done, a);
}

static void poll_until(struct bench *b, const struct answer *a, int n)
{
    for (int i = 0; i < 1000 && a->times < n; i++)
        http_multi_poll(b->multi, 10);
    CHECK_INT(a->times, n);
}

static void each_answer_comes_once_and_while_polling(void)
{
    enum { N = 8 };
    static struct fake_reply replies[N];
    static struct bench b;
    struct answer answers[N] = {0};

    for (int i = 0; i < N; i++)
        replies[i] = (struct fake_reply){FAKE_JSON("200 OK", "{}"), FAKE_CLOSE, 0};
    bench_start(&b, replies, N);
    for (int i = 0; i < N; i++) {
        (void)start(&b, &answers[i]);
        CHECK_INT(answers[i].times, 0);
    }
    for (int i = 0; i < N; i++) {
        poll_until(&b, &answers[i], 1);
        CHECK_INT(answers[i].status, 200);
    }
    http_multi_poll(b.multi, 10);
    for (int i = 0; i < N; i++)
        CHECK_INT(answers[i].times, 1);
    bench_done(&b);
}

static void a_failure_is_told_while_polling_too(void)
{
    static struct bench b;
    struct answer a = {0};

    bench_start(&b, NULL, 0);
    b.request.target = SV("http://127.0.0.1:1/");
    (void)start(&b, &a);
    CHECK_INT(a.times, 0);
    poll_until(&b, &a, 1);
    CHECK_INT(a.code, ERR_UNAVAILABLE);
    b.request.target = SV("no url at all\r\n");
    (void)start(&b, &a);
    CHECK_INT(a.times, 1);
    poll_until(&b, &a, 2);
    CHECK_INT(a.code, ERR_UNAVAILABLE);
    bench_done(&b);
}

static void one_that_is_silent_does_not_hold_up_the_others(void)
{
    static const struct fake_reply replies[] = {
        {"HTTP/1.1 200 OK\r\n", FAKE_HOLD,  0},
        { FAKE_JSON("503 Service Unavailable",                  ""), FAKE_CLOSE, 0}
    };
    static struct bench b;
    struct answer silent = {0}, other = {0};

    bench_start(&b, replies, 2);
    b.options.timeout_ms = 400;
    (void)start(&b, &silent);
    while (atomic_load(&b.server.served) < 1)
        http_multi_poll(b.multi, 10);
    b.options.timeout_ms = 5000;
    (void)start(&b, &other);
    poll_until(&b, &other, 1);
    CHECK_INT(other.status, 503);
    CHECK_INT(silent.times, 0);
    poll_until(&b, &silent, 1);
    CHECK_INT(silent.code, ERR_UNAVAILABLE);
    bench_done(&b);
}

static void what_was_cancelled_calls_back_no_more(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_JSON("200 OK", "{}"), FAKE_CLOSE, 0},
        {FAKE_JSON("200 OK", "{}"), FAKE_CLOSE, 0}
    };
    static struct bench b;
    struct answer gone = {0}, kept = {0};

    bench_start(&b, replies, 2);
    http_multi_cancel(b.multi, start(&b, &gone));
    (void)start(&b, &kept);
    poll_until(&b, &kept, 1);
    CHECK_INT(gone.times, 0);
    bench_done(&b);
}

/* Both answers may be there already when the first one's reader cancels the second. */
static void an_answers_reader_may_cancel_another(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_JSON("200 OK", "{}"), FAKE_CLOSE, 0},
        {FAKE_JSON("200 OK", "{}"), FAKE_CLOSE, 0}
    };
    static struct bench b;
    struct answer first = {0}, second = {0};

    bench_start(&b, replies, 2);
    first.bench = &b;
    (void)start(&b, &first);
    first.other = start(&b, &second);
    for (int i = 0; i < 1000 && !first.times && !second.times; i++)
        http_multi_poll(b.multi, 10);
    for (int i = 0; i < 5; i++)
        http_multi_poll(b.multi, 10);
    CHECK_INT(first.times + second.times <= 2, true);
    if (first.times)
        CHECK_INT(first.status, 200);
    bench_done(&b);
}

static void an_answers_reader_may_ask_again(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_JSON("200 OK",      "{}"), FAKE_CLOSE, 0},
        {FAKE_JSON("201 Created", "{}"), FAKE_CLOSE, 0}
    };
    static struct bench b;
    struct answer second = {0}, first = {.next = &second};

    bench_start(&b, replies, 2);
    first.bench = &b;
    (void)start(&b, &first);
    poll_until(&b, &second, 1);
    CHECK_INT(first.times, 1);
    CHECK_INT(second.status, 201);
    bench_done(&b);
}

static void transfers_under_way_end_with_the_multi(void)
{
    static const struct fake_reply replies[] = {
        {"HTTP/1.1 200 OK\r\n", FAKE_HOLD, 0}
    };
    static struct bench b;
    struct answer a = {0};

    bench_start(&b, replies, 1);
    (void)start(&b, &a);
    while (atomic_load(&b.server.served) < 1)
        http_multi_poll(b.multi, 10);
    bench_done(&b);
    CHECK_INT(a.times, 0);
}

static void *wake(void *multi)
{
    http_multi_wake(multi);
    return NULL;
}

static void a_sleep_is_ended_from_another_thread(void)
{
    static struct bench b;
    struct timespec from, to;
    pthread_t waker;

    bench_start(&b, NULL, 0);
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    NEED(pthread_create(&waker, NULL, wake, b.multi) == 0);
    http_multi_poll(b.multi, 20000);
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    (void)pthread_join(waker, NULL);
    CHECK(to.tv_sec - from.tv_sec < 10);
    bench_done(&b);
}

SUITE("net/http_multi", TEST(each_answer_comes_once_and_while_polling),
      TEST(a_failure_is_told_while_polling_too),
      TEST(one_that_is_silent_does_not_hold_up_the_others),
      TEST(what_was_cancelled_calls_back_no_more), TEST(an_answers_reader_may_cancel_another),
      TEST(an_answers_reader_may_ask_again), TEST(transfers_under_way_end_with_the_multi),
      TEST(a_sleep_is_ended_from_another_thread))
