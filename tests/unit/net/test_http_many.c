/* test_http_many.c - more connections than usual, and more than there may be. */
#include <fcntl.h>
#include <sys/resource.h>

#include "unit/net/server_bench.h"

static struct bench b;
static struct client c, other;

static void all_loops_share_a_port(void)
{
    bench_start(&b, 4, 0);
    for (int i = 0; i < 64; i++) {
        client_open(&c, &b);
        client_send(&c, SV(GET("/now")));
        CHECK(client_sees(&c, "ok"));
        client_close(&c);
    }
    bench_stop(&b);
}

static void one_too_many_is_503_with_retry_after(void)
{
    static struct client some[4];

    bench_start(&b, 1, 4);
    for (int i = 0; i < 4; i++) {
        client_open(&some[i], &b);
        client_send(&some[i], SV(GET("/now")));
        CHECK(client_sees(&some[i], "ok"));
    }
    client_open(&c, &b);
    client_send(&c, SV(GET("/now")));
    CHECK(client_sees_end(&c));
    CHECK(strstr(c.text, "HTTP/1.1 503 ") == c.text && strstr(c.text, "Retry-After: 1\r\n"));
    client_close(&c);
    client_close(&some[0]);
    client_send(&some[1], SV(GET("/again")));
    CHECK(client_sees(&some[1], "/again\n"));
    client_open(&some[0], &b);
    client_send(&some[0], SV(GET("/room")));
    CHECK(client_sees(&some[0], "/room\n"));
    for (int i = 0; i < 4; i++)
        client_close(&some[i]);
    bench_stop(&b);
}

static int64_t cpu_ms_of_requests(int n)
{
    struct timespec from, to;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    for (int i = 0; i < n; i++) {
        c.n = 0;
        c.text[0] = '\0';
        client_send(&c, SV(GET("/now")));
        NEED(client_sees(&c, "ok"));
    }
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
}

/* An open descriptor at each end: as many as an ordinary limit lets one process hold. */
static void thousands_of_idle_connections_cost_nothing(void)
{
    enum { IDLE = 3000 };
    static int fds[IDLE];
    int64_t alone, beside;

    bench_start(&b, 1, 0);
    client_open(&c, &b);
    alone = cpu_ms_of_requests(2000);
    for (int i = 0; i < IDLE; i++) {
        client_open(&other, &b);
        fds[i] = other.fd;
    }
    beside = cpu_ms_of_requests(2000);
    /* A loop that looks at each of them would need many times as much. */
    CHECK(beside < alone * 3 + 50);
    for (int i = 0; i < IDLE; i++)
        (void)close(fds[i]);
    client_close(&c);
    bench_stop(&b);
}

/* As many as the process may have, and some more that wait in the kernel. */
static void out_of_descriptors_is_waited_out_without_spinning(void)
{
    enum { N = 24 };
    static struct client many[N];
    struct rlimit before, tight;
    int highest;

    bench_start(&b, 1, 0);
    for (int i = 0; i < N; i++)
        many[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    highest = fcntl(many[N - 1].fd, F_DUPFD, 0);
    NEED(highest >= 0 && close(highest) == 0);
    NEED(getrlimit(RLIMIT_NOFILE, &before) == 0);
    tight = before;
    tight.rlim_cur = (rlim_t)highest + 4;
    NEED(setrlimit(RLIMIT_NOFILE, &tight) == 0);
    for (int i = 0; i < N; i++)
        client_connect(&many[i], &b);
    client_send(&many[0], SV(GET("/now")));
    CHECK(client_sees(&many[0], "ok"));
    CHECK(cpu_ms_of_idling(300) < 50);
    CHECK(atomic_load(&b.troubles) > 0);
    NEED(setrlimit(RLIMIT_NOFILE, &before) == 0);
    for (int i = 0; i < N; i++) {
        client_send(&many[i], SV(GET("/after")));
        CHECK(client_sees(&many[i], "/after\n"));
        client_close(&many[i]);
    }
    bench_stop(&b);
}

SUITE("net/http_many", TEST(all_loops_share_a_port), TEST(one_too_many_is_503_with_retry_after),
      TEST(thousands_of_idle_connections_cost_nothing),
      TEST(out_of_descriptors_is_waited_out_without_spinning))
