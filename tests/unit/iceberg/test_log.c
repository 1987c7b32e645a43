/* test_log.c - the logs of a table: which snapshots and which files of its past it names. */
#include "unit/iceberg/table.h"

#define FILE_0           "s3://b/t/metadata/00000-x.metadata.json"
#define SET(name, value) "{\"action\":\"set-properties\",\"updates\":{\"" name "\":\"" value "\"}}"
#define KEEPS(n)         SET("write.metadata.previous-versions-max", n)
#define REMOVES(is)      SET("write.metadata.delete-after-commit.enabled", is)

/* A table whose log names n files before the one that commit() says is the base's. */
static struct json *old_table(int n, struct arena *a)
{
    struct json *m = table(a), *log = json_new_array(a);

    for (int i = 0; i < n; i++) {
        struct json *entry = json_new_object(a);

        json_set_str(entry, a, SV("metadata-file"), arena_printf(a, "s3://b/t/metadata/%d", i));
        json_set_i64(entry, a, SV("timestamp-ms"), i);
        json_push(log, entry);
    }
    json_set(m, SV("metadata-log"), log);
    return m;
}

static size_t logged(const struct json *m)
{
    return json_count(json_get(m, SV("metadata-log")));
}

static struct sv logged_at(const struct json *m, size_t i)
{
    return json_get_str(json_at(json_get(m, SV("metadata-log")), i), SV("metadata-file"));
}

static void the_log_names_the_file_before_with_the_time_it_was_written(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(commit(table(&a), "[]", "[" SET("a", "b") "]", &a, &m) == ERR_NONE);
    CHECK_INT(logged(m), 1);
    CHECK_SV(logged_at(m, 0), SV(FILE_0));
    CHECK_INT(
        json_i64(json_get(json_at(json_get(m, SV("metadata-log")), 0), SV("timestamp-ms")), 0),
        1000);
}

static void the_log_keeps_a_hundred_where_nothing_else_is_said(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(commit(old_table(100, &a), "[]", "[" SET("a", "b") "]", &a, &m) == ERR_NONE);
    CHECK_INT(logged(m), 100);
    CHECK_SV(logged_at(m, 0), SV("s3://b/t/metadata/1"));
    CHECK_SV(logged_at(m, 99), SV(FILE_0));
}

static void the_log_keeps_as_many_as_the_table_says(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(commit(old_table(10, &a), "[]", "[" KEEPS("3") "]", &a, &m) == ERR_NONE);
    CHECK_INT(logged(m), 3);
    CHECK_SV(logged_at(m, 0), SV("s3://b/t/metadata/8"));
    NEED(commit(old_table(150, &a), "[]", "[" KEEPS("200") "]", &a, &m) == ERR_NONE);
    CHECK_INT(logged(m), 151);
}

/* What drops history must be meant. */
static void a_number_of_versions_that_is_none_is_refused_and_read_as_the_default(void)
{
    static const char *const wrong[] = {"[" KEEPS("") "]", "[" KEEPS("0") "]", "[" KEEPS("-1") "]",
                                        "[" KEEPS("many") "]", "[" KEEPS("3 ") "]"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        auto_arena a = {0};
        struct json *m = NULL;

        CHECK_INT(commit(old_table(5, &a), "[]", wrong[i], &a, &m), ERR_INVALID);
    }
    {
        auto_arena a = {0};
        struct json *base = old_table(5, &a), *m = NULL;

        json_set_str(json_get(base, SV("properties")), &a,
                     SV("write.metadata.previous-versions-max"), SV("many"));
        NEED(commit(base, "[]", "[" SET("a", "b") "]", &a, &m) == ERR_NONE);
        CHECK_INT(logged(m), 6);
    }
}

static void how_files_are_written_is_said_in_words_that_we_know(void)
{
    static const struct {
        const char *updates;
        enum err_code code;
    } rows[] = {
        {"[" SET("write.metadata.compression-codec", "gzip") "]",      ERR_NONE},
        {"[" SET("write.metadata.compression-codec",                                          "NONE") "]",                 ERR_NONE},
        {"[" SET("write.metadata.compression-codec",                                  "snappy") "]",                                  ERR_INVALID},
        {"[" REMOVES("TRUE") "]",ERR_NONE},
        {"[" REMOVES("yes") "]",                    ERR_INVALID                                },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena a = {0};
        struct json *m = NULL;

        CHECK_INT(commit(table(&a), "[]", rows[i].updates, &a, &m), rows[i].code);
    }
}

static struct sv_vec forgotten(struct json *base, const char *updates, struct arena *a)
{
    struct sv_vec out = {0};
    struct json *m = NULL;

    CHECK_INT(commit(base, "[]", updates, a, &m), ERR_NONE);
    metadata_forgotten(base, m, SV("s3://b/t/metadata/new"), a, &out);
    return out;
}

static void files_that_fall_off_the_log_go_where_the_table_wants_it(void)
{
    auto_arena a = {0};
    struct sv_vec gone = forgotten(old_table(4, &a), "[" KEEPS("3") "," REMOVES("true") "]", &a);

    CHECK_INT(gone.n, 2);
    CHECK_SV(gone.p[0], SV("s3://b/t/metadata/0"));
    CHECK_SV(gone.p[1], SV("s3://b/t/metadata/1"));
}

static void no_file_goes_where_the_table_does_not_say_so(void)
{
    auto_arena a = {0};

    CHECK_INT(forgotten(old_table(4, &a), "[" KEEPS("1") "]", &a).n, 0);
    CHECK_INT(forgotten(old_table(4, &a), "[" KEEPS("1") "," REMOVES("false") "]", &a).n, 0);
    CHECK_INT(forgotten(old_table(4, &a), "[" REMOVES("true") "]", &a).n, 0);
}

/* A log that was written by somebody else. */
static void a_file_that_is_named_still_or_is_in_force_stays(void)
{
    auto_arena a = {0};
    struct json *base = old_table(3, &a), *log = json_get(base, SV("metadata-log"));
    struct sv_vec gone;

    json_set_str(json_at(log, 0), &a, SV("metadata-file"), SV(FILE_0));
    json_set_str(json_at(log, 1), &a, SV("metadata-file"), SV("s3://b/t/metadata/new"));
    gone = forgotten(base, "[" KEEPS("1") "," REMOVES("true") "]", &a);
    CHECK_INT(gone.n, 1);
    CHECK_SV(gone.p[0], SV("s3://b/t/metadata/2"));
}

/* ---- snapshot-log ---- */

static const struct json *history(const struct json *m)
{
    return json_get(m, SV("snapshot-log"));
}

static int64_t history_at(const struct json *m, size_t i)
{
    return json_i64(json_get(json_at(history(m), i), SV("snapshot-id")), -1);
}

/* Snapshots 1 to 3, each in a commit of its own. */
static struct json *three_snapshots(struct arena *a)
{
    struct json *m = table(a);

    CHECK_INT(commit(m, "[]", "[" SNAPSHOT("1", "1", "") "," MAIN("1") "]", a, &m), ERR_NONE);
    CHECK_INT(commit(m, "[]", "[" SNAPSHOT("2", "2", ",\"parent-snapshot-id\":1") "," MAIN("2") "]",
                     a, &m),
              ERR_NONE);
    CHECK_INT(commit(m, "[]", "[" SNAPSHOT("3", "3", ",\"parent-snapshot-id\":2") "," MAIN("3") "]",
                     a, &m),
              ERR_NONE);
    return m;
}

static void history_up_to_a_removed_snapshot_is_dropped(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(commit(three_snapshots(&a), "[]",
                "[{\"action\":\"remove-snapshots\",\"snapshot-ids\":[2]}]", &a, &m) == ERR_NONE);
    CHECK_INT(json_count(history(m)), 1);
    CHECK_INT(history_at(m, 0), 3);
}

static void history_after_a_rollback_ends_with_the_current_snapshot(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(commit(three_snapshots(&a), "[]", "[" MAIN("1") "]", &a, &m) == ERR_NONE);
    CHECK_INT(json_count(history(m)), 4);
    CHECK_INT(history_at(m, 3), 1);
    NEED(commit(m, "[]", "[{\"action\":\"remove-snapshots\",\"snapshot-ids\":[2,3]}]", &a, &m) ==
         ERR_NONE);
    CHECK_INT(json_count(history(m)), 1);
    CHECK_INT(history_at(m, 0), 1);
}

static void a_snapshot_that_was_current_within_one_commit_only_is_not_history(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(commit(table(&a), "[]",
                "[" SNAPSHOT("1", "1", "") "," MAIN("1") "," SNAPSHOT(
                    "2", "2", ",\"parent-snapshot-id\":1") "," MAIN("2") "]",
                &a, &m) == ERR_NONE);
    CHECK_INT(json_count(history(m)), 1);
    CHECK_INT(history_at(m, 0), 2);
}

static void nothing_is_left_of_a_history_whose_last_snapshot_goes(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(commit(three_snapshots(&a), "[]",
                "[{\"action\":\"remove-snapshots\",\"snapshot-ids\":[3]}]", &a, &m) == ERR_NONE);
    CHECK_INT(json_count(history(m)), 0);
    CHECK(!json_has(json_get(m, SV("refs")), SV("main")));
    CHECK_INT(json_i64(json_get(m, SV("current-snapshot-id")), 0), -1);
}

static int64_t history_time(const struct json *m, size_t i)
{
    return json_i64(json_get(json_at(history(m), i), SV("timestamp-ms")), -1);
}

/* Readers in Java and Rust refuse a file whose log goes back by more than a minute. */
static void history_never_goes_back_in_time_whatever_the_writers_clocks_say(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    NEED(commit(table(&a), "[]",
                "[{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1,"
                "\"sequence-number\":1,\"timestamp-ms\":900000,\"manifest-list\":\"s3://b/t/l\","
                "\"summary\":{\"operation\":\"append\"}}}," MAIN("1") "]",
                &a, &m) == ERR_NONE);
    NEED(commit(m, "[]", "[" SNAPSHOT("2", "2", ",\"parent-snapshot-id\":1") "," MAIN("2") "]", &a,
                &m) == ERR_NONE);
    NEED(commit(m, "[]", "[" MAIN("1") "]", &a, &m) == ERR_NONE);
    NEED(json_count(history(m)) == 3);
    for (size_t i = 0; i < 3; i++)
        CHECK_INT(history_time(m, i), 900000);
    CHECK_INT(json_i64(json_get(m, SV("last-updated-ms")), 0), 900000);
}

SUITE("iceberg/log", TEST(the_log_names_the_file_before_with_the_time_it_was_written),
      TEST(the_log_keeps_a_hundred_where_nothing_else_is_said),
      TEST(the_log_keeps_as_many_as_the_table_says),
      TEST(a_number_of_versions_that_is_none_is_refused_and_read_as_the_default),
      TEST(how_files_are_written_is_said_in_words_that_we_know),
      TEST(files_that_fall_off_the_log_go_where_the_table_wants_it),
      TEST(no_file_goes_where_the_table_does_not_say_so),
      TEST(a_file_that_is_named_still_or_is_in_force_stays),
      TEST(history_up_to_a_removed_snapshot_is_dropped),
      TEST(history_after_a_rollback_ends_with_the_current_snapshot),
      TEST(a_snapshot_that_was_current_within_one_commit_only_is_not_history),
      TEST(nothing_is_left_of_a_history_whose_last_snapshot_goes),
      TEST(history_never_goes_back_in_time_whatever_the_writers_clocks_say))
