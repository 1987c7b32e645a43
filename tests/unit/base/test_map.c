/* test_map.c - the table from strings to pointers. */
#include "base/map.h"
#include "unit/suite.h"

static char values[1000];

static struct map numbers(struct arena *a, int n)
{
    struct map m = map_new(a);

    for (int i = 0; i < n; i++)
        (void)map_put(&m, arena_printf(a, "key%d", i), &values[i]);
    return m;
}

static void every_key_is_found_again(void)
{
    auto_arena a = {0};
    struct map m = numbers(&a, 1000);

    CHECK_INT(m.n, 1000);
    for (int i = 0; i < 1000; i++) {
        if (map_get(&m, arena_printf(&a, "key%d", i)) != &values[i])
            CHECK(0 && "a key was lost");
    }
    CHECK(map_get(&m, SV("key1000")) == NULL);
}

static void putting_twice_replaces(void)
{
    auto_arena a = {0};
    struct map m = map_new(&a);

    CHECK(map_put(&m, SV("k"), &values[1]) == NULL);
    CHECK(map_put(&m, SV("k"), &values[2]) == &values[1]);
    CHECK(map_get(&m, SV("k")) == &values[2]);
    CHECK_INT(m.n, 1);
}

static void a_removed_key_is_gone_and_may_come_back(void)
{
    auto_arena a = {0};
    struct map m = numbers(&a, 50);

    CHECK(map_remove(&m, SV("key7")) == &values[7]);
    CHECK(map_remove(&m, SV("key7")) == NULL);
    CHECK(map_get(&m, SV("key7")) == NULL);
    CHECK_INT(m.n, 49);
    (void)map_put(&m, SV("key7"), &values[8]);
    CHECK(map_get(&m, SV("key7")) == &values[8]);
    CHECK_INT(m.n, 50);
}

static void putting_and_removing_for_ever_does_not_lose_keys(void)
{
    auto_arena a = {0};
    struct map m = numbers(&a, 10);

    for (int i = 0; i < 1000; i++) {
        (void)map_put(&m, arena_printf(&a, "passing%d", i), &values[i]);
        (void)map_remove(&m, arena_printf(&a, "passing%d", i));
    }
    CHECK_INT(m.n, 10);
    CHECK(map_get(&m, SV("key9")) == &values[9]);
}

static void iteration_is_in_the_order_of_insertion(void)
{
    auto_arena a = {0};
    struct map m = numbers(&a, 3);
    const struct map_entry *e = NULL;

    (void)map_remove(&m, SV("key1"));
    e = map_next(&m, e);
    NEED(e);
    CHECK_SV(e->key, SV("key0"));
    e = map_next(&m, e);
    NEED(e);
    CHECK_SV(e->key, SV("key2"));
    CHECK(map_next(&m, e) == NULL);
}

static void numbers_are_keys_as_they_are(void)
{
    auto_arena a = {0};
    struct map m = map_new(&a);
    CHECK(map_put_id(&m, INT64_MIN, &values[0]) == NULL);
    CHECK(map_put_id(&m, -1, &values[1]) == NULL);
    CHECK(map_put_id(&m, -1, &values[2]) == &values[1]);
    CHECK(map_get_id(&m, INT64_MIN) == &values[0]);
    CHECK(map_get_id(&m, 1) == NULL);
    CHECK(map_remove_id(&m, -1) == &values[2]);
    CHECK(map_get_id(&m, -1) == NULL);
}

/* sv_hash of eight bytes, undone: the number whose hash is `hash`. */
static int64_t number_of(uint64_t hash)
{
    const uint64_t multiplier = 0x9e3779b97f4a7c15U;
    uint64_t inverse = multiplier;

    hash ^= hash >> 29 ^ hash >> 58;
    hash ^= hash >> 32;
    for (int i = 0; i < 6; i++)
        inverse *= 2 - multiplier * inverse;
    return (int64_t)(hash * inverse ^ 0xcbf29ce484222325U ^ 8);
}

static void keys_chosen_to_collide_are_spread_nevertheless(void)
{
    enum { KEYS = 4096 };
    auto_arena a = {0};
    char *taken = arena_alloc(&a, KEYS);
    unsigned slots = 0;

    for (uint64_t i = 0; i < KEYS; i++) {
        int64_t n = number_of(i << 32);
        struct sv key = sv_of((const char *)&n, sizeof(n));
        size_t at = sv_hash_keyed(key) % KEYS;

        CHECK_INT(sv_hash(key) % KEYS, 0);
        slots += !taken[at];
        taken[at] = 1;
    }
    /* By dice it is 63 of a hundred. */
    CHECK(slots > KEYS / 2);
}

SUITE("base/map", TEST(numbers_are_keys_as_they_are),
      TEST(keys_chosen_to_collide_are_spread_nevertheless), TEST(every_key_is_found_again),
      TEST(putting_twice_replaces), TEST(a_removed_key_is_gone_and_may_come_back),
      TEST(putting_and_removing_for_ever_does_not_lose_keys),
      TEST(iteration_is_in_the_order_of_insertion))
