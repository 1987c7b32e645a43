/* test_memory.c - what the process may have, as it is told in different places. */
#include <stdint.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "unit/suite.h"

static void a_control_group_says_a_number_or_max(void)
{
    CHECK_INT(memory_limit_read(SV("268435456\n")), 268435456);
    CHECK(memory_limit_read(SV("max\n")) == SIZE_MAX);
    CHECK(memory_limit_read(SV("")) == SIZE_MAX);
    CHECK(memory_limit_read(SV("-1\n")) == SIZE_MAX);
}

static void the_least_limit_counts(void)
{
    struct rlimit before, now;

    NEED(getrlimit(RLIMIT_DATA, &before) == 0);
    now = before;
    now.rlim_cur = 64 * 1024 * 1024;
    CHECK(memory_limit() > 64 * 1024 * 1024);
    NEED(setrlimit(RLIMIT_DATA, &now) == 0);
    CHECK_INT(memory_limit(), 64 * 1024 * 1024);
    NEED(setrlimit(RLIMIT_DATA, &before) == 0);
}

static void a_part_has_a_largest_size(void)
{
    CHECK_INT(memory_part(1600, 6, 1000), 600);
    CHECK_INT(memory_part(1600, 6, 500), 500);
    CHECK_INT(memory_part(SIZE_MAX, 16, 500), 500);
}

SUITE("base/memory", TEST(a_control_group_says_a_number_or_max), TEST(the_least_limit_counts),
      TEST(a_part_has_a_largest_size))
