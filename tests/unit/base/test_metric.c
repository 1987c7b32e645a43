/* test_metric.c - counters of many threads, read as one. */
#include <pthread.h>

#include "base/metric.h"
#include "unit/suite.h"

static void *count_to_1000(UNUSED void *argument)
{
    for (int i = 0; i < 1000; i++)
        metric_add(METRIC_MINTS, 1);
    return NULL;
}

static void counts_of_all_threads_are_summed(void)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        NEED(pthread_create(&threads[i], NULL, count_to_1000, NULL) == 0);
    for (int i = 0; i < 4; i++)
        NEED(pthread_join(threads[i], NULL) == 0);
    CHECK_INT(metric_read(METRIC_MINTS), 4000);
}

static void the_text_names_each_metric_once(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 1 << 16);
    struct sv text, first = SV("# TYPE frontdesk_http_requests_total counter\n");

    metric_write(&b);
    text = buf_sv(&b);
    CHECK(!b.over);
    CHECK(sv_contains(text, first));
    CHECK(sv_contains(text, SV("frontdesk_http_requests_total{code=\"5xx\"} 0\n")));
    text = sv_skip(text, (size_t)((const char *)memmem(text.p, text.n, first.p, first.n) - text.p) +
                             first.n);
    CHECK(!sv_contains(text, first));
}

SUITE("base/metric", TEST(counts_of_all_threads_are_summed), TEST(the_text_names_each_metric_once))
