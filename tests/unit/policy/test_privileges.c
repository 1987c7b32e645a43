/* test_privileges.c - which privilege carries which. */
#include "unit/policy/compiled.h"

/* Whether a grant of `privilege` gives `p` on a table. */
static bool gives(const char *privilege, enum privilege p)
{
    struct world_of w = {0};
    bool yes;

    compile_text(&w, arena_printf(&w.arena,
                                  STORE CATALOG ALICE ROLE("r", TO_ALICE, "{privileges: [%s]}"),
                                  privilege)
                         .p);
    yes = holds(&w, "alice", "n", "t", p);
    done(&w);
    return yes;
}

static void a_location_weighs_more_than_other_properties(void)
{
    static const char *const without[] = {"TABLE_WRITE_PROPERTIES", "TABLE_MANAGE_STRUCTURE",
                                          "TABLE_WRITE_DATA", "TABLE_SET_PROPERTIES"},
                             *const with[] = {"TABLE_SET_LOCATION", "TABLE_FULL_METADATA",
                                              "CATALOG_MANAGE_CONTENT"};

    for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
        CHECK(gives(without[i], PRIVILEGE_TABLE_SET_PROPERTIES));
        CHECK(!gives(without[i], PRIVILEGE_TABLE_SET_LOCATION));
    }
    for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++)
        CHECK(gives(with[i], PRIVILEGE_TABLE_SET_LOCATION));
    CHECK(!gives("TABLE_SET_LOCATION", PRIVILEGE_TABLE_SET_PROPERTIES));
}

static void what_readers_see_comes_with_the_right_to_write_data_only(void)
{
    for (int p = PRIVILEGE_TABLE_ADD_SNAPSHOT; p <= PRIVILEGE_TABLE_REMOVE_STATISTICS; p++) {
        CHECK(gives("TABLE_WRITE_DATA", (enum privilege)p));
        CHECK(!gives("TABLE_FULL_METADATA", (enum privilege)p));
        CHECK(!gives("TABLE_WRITE_PROPERTIES", (enum privilege)p));
        CHECK(!gives("TABLE_MANAGE_STRUCTURE", (enum privilege)p));
    }
    CHECK(!gives("TABLE_ADD_SNAPSHOT", PRIVILEGE_TABLE_SET_SNAPSHOT_REF));
    CHECK(!gives("TABLE_ADD_SNAPSHOT", PRIVILEGE_TABLE_READ_DATA));
}

static void the_right_to_one_kind_of_update_is_a_right_to_see_the_table_and_no_more(void)
{
    for (int p = PRIVILEGE_TABLE_ASSIGN_UUID; p <= PRIVILEGE_TABLE_REMOVE_STATISTICS; p++) {
        for (int q = 0; q < PRIVILEGE_COUNT; q++)
            CHECK(gives(privilege_name((enum privilege)p).p, (enum privilege)q) ==
                  (q == p || q == PRIVILEGE_TABLE_READ_PROPERTIES || q == PRIVILEGE_TABLE_LIST));
    }
}

SUITE("policy/privileges", TEST(a_location_weighs_more_than_other_properties),
      TEST(what_readers_see_comes_with_the_right_to_write_data_only),
      TEST(the_right_to_one_kind_of_update_is_a_right_to_see_the_table_and_no_more))
