/* test_world.c - clocks and dice. */
#include "base/world.h"
#include "unit/suite.h"

static void the_test_world_repeats_itself(void)
{
    struct world_test x, y;
    uint64_t p, q;

    world_test_init(&x, 7, 1000);
    world_test_init(&y, 7, 1000);
    world_random(&x.world, &p, sizeof(p));
    world_random(&y.world, &q, sizeof(q));
    CHECK(p == q);
    CHECK_INT(world_wall_ms(&x.world), 1000);
    x.ms += 5;
    CHECK_INT(world_mono_ms(&x.world), 1005);
}

static void a_uuid_says_that_it_is_random(void)
{
    auto_arena a = {0};
    struct sv id = world_uuid(&world_os, &a);

    CHECK_INT(id.n, 36);
    CHECK_INT(id.p[14], '4');
    CHECK(sv_has_char(SV("89ab"), id.p[19]));
    CHECK(sv_only(id, SV("0123456789abcdef-")));
    CHECK(!sv_eq(id, world_uuid(&world_os, &a)));
}

static void the_real_clocks_go_forward(void)
{
    int64_t before = world_mono_ms(&world_os);

    CHECK(world_mono_ms(&world_os) >= before);
    CHECK(world_wall_ms(&world_os) > 1700000000000);
}

SUITE("base/world", TEST(the_test_world_repeats_itself), TEST(a_uuid_says_that_it_is_random),
      TEST(the_real_clocks_go_forward))
