/* test_lanes.c - which work waits behind which. */
#include "base/vec.h"
#include "control/lanes.h"
#include "unit/suite.h"

struct scene {
    struct world_test world;
    struct lanes lanes;
};

static void begin(struct scene *s)
{
    world_test_init(&s->world, 1, 0);
    lanes_init(&s->lanes, &s->world.world);
}

/* "StorageIntegration/NS/STORE.i": its store is what stands before the dot, if anything does. */
static struct sv store_of(void *context, struct sv key)
{
    struct sv store = sv_skip(key, (size_t)sv_rfind(key, '/') + 1);

    (void)context;
    return sv_has_char(store, '.') ? sv_first(store, (size_t)sv_rfind(store, '.')) : (struct sv){0};
}

static bool next(struct scene *s, enum lane lane, int64_t now_ms, struct sv *key)
{
    return lanes_begin(&s->lanes, lane, store_of, NULL, now_ms, key);
}

static void end(struct scene *s, struct sv key, bool timed_out, int64_t now_ms)
{
    lanes_end(
        &s->lanes, key,
        &(struct lane_end){store_of(NULL, key), timed_out, timed_out ? WORK_FAILED : WORK_DONE},
        now_ms);
}

static void add(struct scene *s, const char *ns, const char *store, int n)
{
    auto_arena a = {0};

    for (int i = 0; i < n; i++)
        lanes_add(&s->lanes, arena_printf(&a, "StorageIntegration/%s/%s.%d", ns, store, i));
}

/* How many of the lane's workers the waiting work takes now. */
static int take_all(struct scene *s, struct sv_vec *taken, struct arena *a, int64_t now_ms)
{
    struct sv key;
    int n = 0;

    for (; next(s, LANE_STORES, now_ms, &key); n++)
        vec_push(taken, a, arena_dup(a, key));
    return n;
}

static void what_needs_no_store_waits_behind_no_store(void)
{
    static const char *const plain[] = {"Principal/n/a",     "PolarisCatalog/n/a",
                                        "PrincipalRole/n/a", "CatalogRole/n/a",
                                        TOKEN_KEYS,          CLUSTER_KEYS};
    struct scene s;
    struct sv key;

    begin(&s);
    lanes_add(&s.lanes, SV("StorageIntegration/n/frozen"));
    lanes_add(&s.lanes, SV(AMBIENT_KEYS));
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        lanes_add(&s.lanes, sv_from(plain[i]));
        NEED(next(&s, LANE_PLAIN, 0, &key));
        CHECK_SV(key, sv_from(plain[i]));
        end(&s, sv_from(plain[i]), false, 0);
    }
    NEED(next(&s, LANE_STORES, 0, &key));
    NEED(next(&s, LANE_STORES, 0, &key));
    CHECK(!next(&s, LANE_STORES, 0, &key));
    lanes_done(&s.lanes);
}

static void a_key_is_at_one_worker_at_a_time(void)
{
    struct scene s;
    struct sv key;

    begin(&s);
    lanes_add(&s.lanes, SV("StorageIntegration/n/a"));
    lanes_add(&s.lanes, SV("StorageIntegration/n/a"));
    NEED(next(&s, LANE_STORES, 0, &key));
    lanes_add(&s.lanes, SV("StorageIntegration/n/a"));
    CHECK(!next(&s, LANE_STORES, 0, &key));
    end(&s, SV("StorageIntegration/n/a"), false, 0);
    CHECK(next(&s, LANE_STORES, 0, &key));
    lanes_done(&s.lanes);
}

static void namespaces_take_turns_however_much_one_has_waiting(void)
{
    auto_arena a = {0};
    struct scene s;
    struct sv key;

    begin(&s);
    for (int i = 0; i < 1000; i++)
        lanes_add(&s.lanes, arena_printf(&a, "Principal/flood/p%d", i));
    NEED(next(&s, LANE_PLAIN, 0, &key));
    lanes_add(&s.lanes, SV("Principal/other/p"));
    end(&s, arena_dup(&a, key), false, 0);
    /* The flood has the turn that was its own already. */
    NEED(next(&s, LANE_PLAIN, 0, &key));
    end(&s, arena_dup(&a, key), false, 0);
    NEED(next(&s, LANE_PLAIN, 0, &key));
    CHECK_SV(key, SV("Principal/other/p"));
    lanes_done(&s.lanes);
}

static void a_namespace_never_takes_all_the_workers(void)
{
    auto_arena a = {0};
    struct sv_vec taken = {0};
    struct scene s;
    int spaces = 0;

    begin(&s);
    for (int took = 1; took; spaces++) {
        add(&s, arena_printf(&a, "n%d", spaces).p, "silent", 100);
        took = take_all(&s, &taken, &a, 0);
        CHECK(took <= LANE_STORE_WORKERS / 8);
    }
    /* As many had a share before the last got none. */
    CHECK(spaces - 1 >= LANE_STORE_WORKERS / 2);
    CHECK_INT(taken.n, LANE_STORE_WORKERS);
    lanes_done(&s.lanes);
}

static void a_store_that_timed_out_has_one_worker_and_holds_up_no_other_of_its_namespace(void)
{
    auto_arena a = {0};
    struct sv_vec first = {0}, then = {0};
    struct scene s;

    begin(&s);
    add(&s, "n", "silent", 40);
    (void)take_all(&s, &first, &a, 0);
    for (size_t i = 0; i < first.n; i++)
        end(&s, first.p[i], true, 10000);
    add(&s, "n", "good", 3);
    (void)take_all(&s, &then, &a, 10000);
    CHECK_INT(then.n, 4);
    for (int rounds = 0; rounds < 100; rounds++)
        CHECK_INT(take_all(&s, &then, &a, 10000 + rounds * LANE_AGAIN_MS), 0);
    for (size_t i = 0, silent = 0; i < then.n; i++) {
        silent += sv_contains(then.p[i], SV("silent"));
        CHECK(silent <= 1);
        end(&s, then.p[i], false, 40000);
    }
    /* It answered again: it has its share again. */
    CHECK_INT(take_all(&s, &then, &a, 60000), 4);
    lanes_done(&s.lanes);
}

static void stores_that_timed_out_leave_half_of_the_workers_to_the_others(void)
{
    auto_arena a = {0};
    struct scene s;
    struct sv key;
    int silent = 0;

    begin(&s);
    for (int i = 0; i < 100; i++) {
        key = arena_printf(&a, "StorageIntegration/n%d/store%d.0", i, i);
        lanes_add(&s.lanes, key);
        NEED(next(&s, LANE_STORES, 0, &key));
        end(&s, arena_dup(&a, key), true, 0);
    }
    for (; next(&s, LANE_STORES, 2000, &key); silent++)
        continue;
    CHECK_INT(silent, LANE_SLOW_WORKERS);
    add(&s, "fresh", "good", 1);
    CHECK(next(&s, LANE_STORES, 2000, &key));
    lanes_done(&s.lanes);
}

static void namespaces_and_stores_that_are_gone_take_no_memory(void)
{
    auto_arena a = {0};
    struct scene s;
    struct sv key;

    begin(&s);
    for (int i = 0; i < 20000; i++) {
        key = arena_printf(&a, "StorageIntegration/n%d/store%d.0", i, i);
        lanes_add(&s.lanes, key);
        NEED(next(&s, LANE_STORES, i, &key));
        end(&s, arena_dup(&a, key), false, i);
    }
    CHECK(s.lanes.all[LANE_STORES].spaces.n <= 64);
    CHECK(s.lanes.stores.n <= 64);
    CHECK(s.lanes.arena.used_bytes + s.lanes.all[LANE_STORES].arena.used_bytes < 64 * 1024);
    lanes_done(&s.lanes);
}

static void what_waits_for_its_store_wakes_nobody_before_it_may_have_it(void)
{
    struct scene s;
    struct sv key;

    begin(&s);
    add(&s, "n", "silent", 2);
    NEED(next(&s, LANE_STORES, 0, &key));
    end(&s, SV("StorageIntegration/n/silent.0"), true, 0);
    NEED(next(&s, LANE_STORES, 0, &key));
    CHECK_SV(key, SV("StorageIntegration/n/silent.1"));
    CHECK(!next(&s, LANE_STORES, 5000, &key));
    CHECK_INT(lanes_next_ms(&s.lanes), 5000 + LANE_AGAIN_MS);
    lanes_done(&s.lanes);
}

SUITE("control/lanes", TEST(what_needs_no_store_waits_behind_no_store),
      TEST(a_key_is_at_one_worker_at_a_time),
      TEST(namespaces_take_turns_however_much_one_has_waiting),
      TEST(a_namespace_never_takes_all_the_workers),
      TEST(a_store_that_timed_out_has_one_worker_and_holds_up_no_other_of_its_namespace),
      TEST(stores_that_timed_out_leave_half_of_the_workers_to_the_others),
      TEST(namespaces_and_stores_that_are_gone_take_no_memory),
      TEST(what_waits_for_its_store_wakes_nobody_before_it_may_have_it))
