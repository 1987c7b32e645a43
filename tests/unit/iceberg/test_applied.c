/* test_applied.c - commits that come again, and writes whose answer was lost. */
#include "unit/iceberg/table.h"

#define UUID "[{\"type\":\"assert-table-uuid\",\"uuid\":\"9c12d441-03fe-4693-9a96-a0705ddf69c1\"}]"
#define OTHER_UUID \
    "[{\"type\":\"assert-table-uuid\",\"uuid\":\"00000000-0000-0000-0000-000000000000\"}]"
#define PROPERTY(v) "{\"action\":\"set-properties\",\"updates\":{\"k\":\"" v "\"}}"

/* Snapshot 1, then 2 on top of it, both made main; a property set with the first. */
static struct json *history(struct arena *a)
{
    struct json *m = NULL, *next = NULL;

    NEED(commit(table(a), UUID, "[" SNAPSHOT("1", "1", "") "," MAIN("1") "," PROPERTY("v") "]", a,
                &m) == ERR_NONE);
    NEED(commit(m, UUID, "[" SNAPSHOT("2", "2", ",\"parent-snapshot-id\":1") "," MAIN("2") "]", a,
                &next) == ERR_NONE);
    return next;
}

static enum applied applied(const char *requirements, const char *updates)
{
    auto_arena a = {0};
    struct json *request = json_new_object(&a);

    json_set(request, SV("requirements"), json(requirements, &a));
    json_set(request, SV("updates"), json(updates, &a));
    return metadata_applied(history(&a), request);
}

static void a_commit_whose_every_part_is_in_force_was_applied(void)
{
    CHECK_INT(applied(UUID, "[" SNAPSHOT("2", "2", ",\"parent-snapshot-id\":1") "," MAIN("2") "]"),
              APPLIED_YES);
    CHECK_INT(applied("[{\"type\":\"assert-ref-snapshot-id\",\"ref\":\"main\",\"snapshot-id\":1}]",
                      "[" SNAPSHOT("2", "2", ",\"parent-snapshot-id\":1") "," MAIN("2") "]"),
              APPLIED_YES);
}

static void a_branch_that_moved_on_is_no_reason_to_doubt(void)
{
    CHECK_INT(applied(UUID, "[" SNAPSHOT("1", "1", "") "," MAIN("1") "," PROPERTY("v") "]"),
              APPLIED_YES);
}

static void new_files_or_another_table_mean_no(void)
{
    CHECK_INT(applied(UUID, "[" SNAPSHOT("3", "2", "") "," MAIN("3") "]"), APPLIED_NO);
    CHECK_INT(applied(UUID, "[" PROPERTY("v") "]"), APPLIED_NO);
    CHECK_INT(applied(UUID, "[]"), APPLIED_NO);
    /* The same id, and another content. */
    CHECK_INT(applied(UUID, "[" SNAPSHOT("1", "1", ",\"schema-id\":0") "]"), APPLIED_NO);
    CHECK_INT(applied(OTHER_UUID, "[" SNAPSHOT("1", "1", "") "," MAIN("1") "]"), APPLIED_NO);
    CHECK_INT(applied("[{\"type\":\"assert-create\"}]", "[" SNAPSHOT("1", "1", "") "]"),
              APPLIED_NO);
}

#define ASSIGN(uuid) "{\"action\":\"assign-uuid\",\"uuid\":\"" uuid "\"}"

static void a_create_is_known_by_the_uuid_that_it_assigns(void)
{
    static const char creates[] = "[{\"type\":\"assert-create\"}]";

    CHECK_INT(
        applied(creates, "[" ASSIGN("9C12D441-03fe-4693-9a96-a0705ddf69c1") "," PROPERTY("v") "]"),
        APPLIED_YES);
    CHECK_INT(
        applied(creates, "[" ASSIGN("9c12d441-03fe-4693-9a96-a0705ddf69c1") "," PROPERTY("w") "]"),
        APPLIED_UNCLEAR);
    CHECK_INT(
        applied(creates, "[" ASSIGN("00000000-03fe-4693-9a96-a0705ddf69c1") "," PROPERTY("v") "]"),
        APPLIED_NO);
    CHECK_INT(applied(creates, "[" PROPERTY("v") "]"), APPLIED_NO);
}

static void what_was_refused_for_its_form_was_never_applied(void)
{
    CHECK_INT(applied("[{\"type\":\"assert-nothing\"}]", "[" SNAPSHOT("1", "1", "") "]"),
              APPLIED_NO);
    CHECK_INT(applied(UUID, "[" SNAPSHOT("1", "1", "") ",{\"action\":\"no-such\"}]"), APPLIED_NO);
}

static void files_in_use_with_the_rest_not_in_force_are_unclear(void)
{
    CHECK_INT(applied(UUID, "[" SNAPSHOT("1", "1", "") "," PROPERTY("w") "]"), APPLIED_UNCLEAR);
    CHECK_INT(applied(UUID, "[" SNAPSHOT("1", "1", "") "," SNAPSHOT("3", "3", "") "]"),
              APPLIED_UNCLEAR);
    CHECK_INT(
        applied(
            UUID,
            "[" SNAPSHOT(
                "1", "1",
                "") ",{\"action\":\"set-snapshot-ref\",\"ref-name\":\"side\",\"type\":\"branch\",\"snapshot-id\":1}]"),
        APPLIED_UNCLEAR);
}

static void parents_that_go_in_a_circle_end_the_walk(void)
{
    auto_arena a = {0};
    struct json *m = history(&a), *request = json_new_object(&a);

    json_set_i64(json_at(json_get(m, SV("snapshots")), 0), &a, SV("parent-snapshot-id"), 2);
    json_set(request, SV("requirements"), json("[]", &a));
    json_set(request, SV("updates"),
             json("[" SNAPSHOT("2", "2", ",\"parent-snapshot-id\":1") "," MAIN("7") "]", &a));
    CHECK_INT(metadata_applied(m, request), APPLIED_UNCLEAR);
}

static void a_write_is_told_by_the_log(void)
{
    auto_arena a = {0};
    const struct json *m = json("{\"metadata-log\":[{\"metadata-file\":\"s3://b/1\"},"
                                "{\"metadata-file\":\"s3://b/2\"}]}",
                                &a);
    static const struct {
        struct metadata_write write;
        enum applied want;
    } rows[] = {
        {{SV_INIT("s3://b/2"), SV_INIT("s3://b/3"), SV_INIT("s3://b/3")},  APPLIED_YES    },
        {{SV_INIT("s3://b/1"), SV_INIT("s3://b/2"), SV_INIT("s3://b/3")},  APPLIED_YES    },
        {{SV_INIT("s3://b/0"), SV_INIT("s3://b/1"), SV_INIT("s3://b/3")},  APPLIED_YES    },
        {{SV_INIT("s3://b/2"), SV_INIT("s3://b/3x"), SV_INIT("s3://b/3")}, APPLIED_NO     },
        {{SV_INIT("s3://b/1"), SV_INIT("s3://b/2x"), SV_INIT("s3://b/3")}, APPLIED_NO     },
        {{SV_INIT("s3://b/3"), SV_INIT("s3://b/4"), SV_INIT("s3://b/3")},  APPLIED_NO     },
 /* Both have fallen out of the log. */
        {{SV_INIT("s3://b/0"), SV_INIT("s3://b/0x"), SV_INIT("s3://b/3")}, APPLIED_UNCLEAR},
        {{{0}, SV_INIT("s3://b/0"), SV_INIT("s3://b/3")},                  APPLIED_UNCLEAR},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_INT(metadata_write_applied(m, &rows[i].write), rows[i].want);
}

SUITE("iceberg/applied", TEST(a_commit_whose_every_part_is_in_force_was_applied),
      TEST(a_branch_that_moved_on_is_no_reason_to_doubt), TEST(new_files_or_another_table_mean_no),
      TEST(a_create_is_known_by_the_uuid_that_it_assigns),
      TEST(what_was_refused_for_its_form_was_never_applied),
      TEST(files_in_use_with_the_rest_not_in_force_are_unclear),
      TEST(parents_that_go_in_a_circle_end_the_walk), TEST(a_write_is_told_by_the_log))
