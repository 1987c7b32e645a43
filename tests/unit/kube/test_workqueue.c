/* test_workqueue.c - each key once, never two at a time. */
#include "kube/workqueue.h"
#include "unit/suite.h"

static void a_key_added_twice_is_processed_once(void)
{
    auto_arena a = {0};
    struct world_test t;
    struct workqueue *q;
    struct sv key;

    world_test_init(&t, 1, 1000);
    q = workqueue_new(&a, &t.world);
    workqueue_add(q, SV("a"));
    workqueue_add(q, SV("a"));
    CHECK_INT(workqueue_depth(q), 1);
    NEED(workqueue_begin(q, 1000, &key));
    CHECK_SV(key, SV("a"));
    CHECK(!workqueue_begin(q, 1000, &key));
    workqueue_end(q, SV("a"), WORK_DONE, 1000);
    CHECK(!workqueue_begin(q, 1000, &key));
    CHECK_INT(workqueue_next_ms(q), INT64_MAX);
}

static void keys_come_in_the_order_they_were_added(void)
{
    auto_arena a = {0};
    struct world_test t;
    struct workqueue *q;
    struct sv key;

    world_test_init(&t, 1, 0);
    q = workqueue_new(&a, &t.world);
    workqueue_add(q, SV("b"));
    workqueue_add(q, SV("a"));
    workqueue_add(q, SV("c"));
    NEED(workqueue_begin(q, 5, &key));
    CHECK_SV(key, SV("b"));
    NEED(workqueue_begin(q, 5, &key));
    CHECK_SV(key, SV("a"));
    NEED(workqueue_begin(q, 5, &key));
    CHECK_SV(key, SV("c"));
}

static void a_key_added_while_processing_waits_for_the_end(void)
{
    auto_arena a = {0};
    struct world_test t;
    struct workqueue *q;
    struct sv key;

    world_test_init(&t, 1, 0);
    q = workqueue_new(&a, &t.world);
    workqueue_add(q, SV("a"));
    NEED(workqueue_begin(q, 10, &key));
    workqueue_add(q, SV("a"));
    CHECK(!workqueue_begin(q, 20, &key));
    workqueue_end(q, SV("a"), WORK_FAILED, 30);
    NEED(workqueue_begin(q, 30, &key));
    CHECK_SV(key, SV("a"));
}

static void the_earlier_of_two_times_holds(void)
{
    auto_arena a = {0};
    struct world_test t;
    struct workqueue *q;
    struct sv key;

    world_test_init(&t, 1, 0);
    q = workqueue_new(&a, &t.world);
    workqueue_add_at(q, SV("a"), 500);
    workqueue_add_at(q, SV("a"), 900);
    CHECK_INT(workqueue_next_ms(q), 500);
    workqueue_add_at(q, SV("a"), 300);
    CHECK_INT(workqueue_next_ms(q), 300);
    CHECK(!workqueue_begin(q, 299, &key));
    CHECK(workqueue_begin(q, 300, &key));
}

static void failures_double_the_wait_up_to_the_cap(void)
{
    auto_arena a = {0};
    struct world_test t;
    struct workqueue *q;
    int64_t now = 0, want = WORK_BACKOFF_MS;
    struct sv key;

    world_test_init(&t, 7, 0);
    q = workqueue_new(&a, &t.world);
    workqueue_add(q, SV("a"));
    for (int i = 0; i < 15; i++) {
        int64_t wait;

        NEED(workqueue_begin(q, now, &key));
        workqueue_end(q, SV("a"), WORK_FAILED, now);
        wait = workqueue_next_ms(q) - now;
        CHECK(wait >= want && wait <= want + want / 5);
        now += wait;
        want = want * 2 < WORK_BACKOFF_CAP_MS ? want * 2 : WORK_BACKOFF_CAP_MS;
    }
}

static void a_success_forgets_the_failures(void)
{
    auto_arena a = {0};
    struct world_test t;
    struct workqueue *q;
    struct sv key;

    world_test_init(&t, 7, 0);
    q = workqueue_new(&a, &t.world);
    workqueue_add(q, SV("a"));
    for (int i = 0; i < 5; i++) {
        NEED(workqueue_begin(q, 1000000 * i, &key));
        workqueue_end(q, SV("a"), WORK_FAILED, 1000000 * i);
    }
    NEED(workqueue_begin(q, 9000000, &key));
    workqueue_end(q, SV("a"), WORK_DONE, 9000000);
    workqueue_add(q, SV("a"));
    NEED(workqueue_begin(q, 9000000, &key));
    workqueue_end(q, SV("a"), WORK_FAILED, 9000000);
    CHECK(workqueue_next_ms(q) <= 9000000 + WORK_BACKOFF_MS + WORK_BACKOFF_MS / 5);
}

static void a_delayed_key_is_not_starved_by_new_ones(void)
{
    auto_arena a = {0};
    struct world_test t;
    struct workqueue *q;
    struct sv key;

    world_test_init(&t, 1, 0);
    q = workqueue_new(&a, &t.world);
    workqueue_add_at(q, SV("late"), 50);
    CHECK(!workqueue_begin(q, 40, &key));
    CHECK(!workqueue_begin(q, 49, &key));
    workqueue_add(q, SV("x"));
    NEED(workqueue_begin(q, 60, &key));
    CHECK_SV(key, SV("x"));
    workqueue_add(q, SV("y"));
    NEED(workqueue_begin(q, 61, &key));
    CHECK_SV(key, SV("late"));
}

static void many_keys_come_back_in_order_of_time(void)
{
    auto_arena a = {0};
    struct world_test t;
    struct workqueue *q;
    int64_t last = -1;
    struct sv key;

    world_test_init(&t, 3, 0);
    q = workqueue_new(&a, &t.world);
    for (int i = 0; i < 1000; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "k%d", i);
        workqueue_add_at(q, sv_from(name), (int64_t)world_below(&t.world, 10000));
    }
    CHECK_INT(workqueue_depth(q), 1000);
    for (int i = 0; i < 1000; i++) {
        int64_t due = workqueue_next_ms(q);

        CHECK(due >= last);
        last = due;
        NEED(workqueue_begin(q, due, &key));
        workqueue_end(q, key, WORK_DONE, due);
    }
    CHECK_INT(workqueue_depth(q), 0);
}

static void passing_keys_cost_no_more_than_one(void)
{
    auto_arena a = {0};
    struct world_test t;
    struct workqueue *q;
    size_t used = 0;
    struct sv key;

    world_test_init(&t, 3, 0);
    q = workqueue_new(&a, &t.world);
    for (int i = 0; i < 100000; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "k%d", i);
        workqueue_add(q, sv_from(name));
        NEED(workqueue_begin(q, i, &key));
        workqueue_end(q, key, WORK_DONE, i);
        if (i == 0)
            used = a.used_bytes;
    }
    CHECK_INT(a.used_bytes, used);
}

SUITE("kube/workqueue", TEST(a_key_added_twice_is_processed_once),
      TEST(keys_come_in_the_order_they_were_added),
      TEST(a_key_added_while_processing_waits_for_the_end), TEST(the_earlier_of_two_times_holds),
      TEST(failures_double_the_wait_up_to_the_cap), TEST(a_success_forgets_the_failures),
      TEST(a_delayed_key_is_not_starved_by_new_ones), TEST(many_keys_come_back_in_order_of_time),
      TEST(passing_keys_cost_no_more_than_one))
