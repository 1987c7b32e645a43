/* test_arena.c - memory by lifetime. */
#include "base/arena.h"
#include "unit/suite.h"

static void memory_is_zeroed_and_aligned(void)
{
    auto_arena a = {0};

    for (size_t size = 1; size < 5000; size = size * 2 + 1) {
        const char *p = arena_alloc(&a, size);

        CHECK_INT((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++) {
            if (p[i] != 0)
                CHECK(0 && "memory is zeroed");
        }
    }
}

static void an_empty_arena_may_be_released_twice(void)
{
    struct arena a = {0};

    arena_done(&a);
    (void)arena_dup(&a, SV("x"));
    arena_done(&a);
    arena_done(&a);
    CHECK_INT(a.used_bytes, 0);
}

struct trail {
    int n;
    char text[4];
};
struct mark {
    struct trail *trail;
    char letter;
};

static void leave_mark(void *object)
{
    struct mark *m = object;

    m->trail->text[m->trail->n++] = m->letter;
}

static void clean_ups_run_last_first(void)
{
    struct trail trail = {0};
    struct mark first = {&trail, 'a'}, second = {&trail, 'b'};
    struct arena a = {0};

    arena_defer(&a, leave_mark, &first);
    arena_defer(&a, leave_mark, &second);
    arena_done(&a);
    CHECK_SV(sv_of(trail.text, 2), SV("ba"));
}

static void a_large_object_leaves_room_for_small_ones(void)
{
    auto_arena a = {0};
    char *small = arena_alloc(&a, 8);
    char *large = arena_alloc(&a, 1 << 20);
    char *next = arena_alloc(&a, 8);

    small[7] = large[(1 << 20) - 1] = next[7] = 1;
    CHECK_INT(a.used_bytes, 16 + (1 << 20));
}

static void a_reserved_block_is_used_before_another_is_made(void)
{
    auto_arena a = {0};
    char *first, *end;

    arena_reserve(&a, 40);
    end = a.end;
    first = arena_alloc(&a, 32);
    CHECK(a.end == end);
    (void)arena_alloc(&a, 4096);
    first[31] = 1;
    CHECK_INT(a.used_bytes, 32 + 4096);
}

static void text_is_copied_with_a_nul_behind_it(void)
{
    auto_arena a = {0};
    struct sv copy = arena_dup(&a, sv_of("ab\0cd", 5));

    CHECK_INT(copy.n, 5);
    CHECK_INT(copy.p[5], 0);
    CHECK_SV(arena_printf(&a, "%s-%d", "x", 7), SV("x-7"));
}

static void parts_are_joined_and_numbered(void)
{
    auto_arena a = {0};

    CHECK_SV(ARENA_JOIN(&a, SV("ns"), SV("/"), (struct sv){0}, SV("name")), SV("ns/name"));
    CHECK_SV(arena_indexed(&a, SV("spec.members"), 120, SV(".name")), SV("spec.members[120].name"));
    CHECK_SV(arena_indexed(&a, SV("grants"), 0, (struct sv){0}), SV("grants[0]"));
}

SUITE("base/arena", TEST(memory_is_zeroed_and_aligned), TEST(an_empty_arena_may_be_released_twice),
      TEST(clean_ups_run_last_first), TEST(a_large_object_leaves_room_for_small_ones),
      TEST(a_reserved_block_is_used_before_another_is_made),
      TEST(text_is_copied_with_a_nul_behind_it), TEST(parts_are_joined_and_numbered))
