/* test_lanes.c - which work waits behind which. */
#include "control/lanes.h"
#include "unit/suite.h"

static void what_needs_no_store_waits_behind_no_store(void)
{
    static const char *const plain[] = {"Principal/n/a",     "PolarisCatalog/n/a",
                                        "PrincipalRole/n/a", "CatalogRole/n/a",
                                        TOKEN_KEYS,          CLUSTER_KEYS};
    auto_arena a = {0};
    struct world_test w;
    struct lanes l;
    struct sv key;

    world_test_init(&w, 1, 0);
    lanes_init(&l, &w.world, &a);
    lanes_add(&l, SV("StorageIntegration/n/frozen"));
    lanes_add(&l, SV(AMBIENT_KEYS));
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        lanes_add(&l, sv_from(plain[i]));
        NEED(workqueue_begin(l.queues[LANE_PLAIN], 0, &key));
        CHECK_SV(key, sv_from(plain[i]));
    }
    CHECK_INT(workqueue_depth(l.queues[LANE_STORES]), 2);
}

static void a_key_is_always_in_the_same_lane(void)
{
    auto_arena a = {0};
    struct world_test w;
    struct lanes l;
    struct sv key;

    world_test_init(&w, 1, 0);
    lanes_init(&l, &w.world, &a);
    lanes_add(&l, SV("StorageIntegration/n/a"));
    lanes_add(&l, SV("StorageIntegration/n/a"));
    NEED(workqueue_begin(lanes_queue(&l, SV("StorageIntegration/n/a")), 0, &key));
    CHECK(!workqueue_begin(lanes_queue(&l, key), 0, &key));
}

SUITE("control/lanes", TEST(what_needs_no_store_waits_behind_no_store),
      TEST(a_key_is_always_in_the_same_lane))
