/* test_golden.c - whole files of each format, with members that we do not know and the largest ids:
 * what is not asked to change does not change, to the byte. */
#include <stdio.h>

#include "unit/iceberg/table.h"

#define LARGEST "9223372036854775807"

static struct sv golden(int format, struct arena *a)
{
    struct sv path = arena_printf(a, TEST_DATA "/iceberg/v%d.metadata.json", format);
    FILE *f = fopen(path.p, "r");
    char *text = arena_alloc(a, 65536);
    size_t n;

    NEED(f != NULL);
    n = fread(text, 1, 65536, f);
    NEED(fclose(f) == 0);
    return sv_trim(sv_of(text, n));
}

static struct json *read_golden(int format, struct arena *a)
{
    struct json *m = NULL;
    struct err e = {0};

    NEED_OK(metadata_read(golden(format, a), a, &m, &e), &e);
    return m;
}

static void a_file_is_read_and_passed_on_as_it_lies(void)
{
    for (int format = 1; format <= 3; format++) {
        auto_arena a = {0};
        struct sv text = golden(format, &a), as_text;
        struct json *m = NULL;
        struct err e = {0};

        CHECK_OK(metadata_read_text(text, &a, &m, &as_text, &e), &e);
        CHECK(as_text.p == text.p && as_text.n == text.n);
        CHECK_OK(metadata_check(m, &a, &e), &e);
    }
}

static void what_was_read_is_written_again_to_the_byte(void)
{
    for (int format = 1; format <= 3; format++) {
        auto_arena a = {0};

        CHECK_SV(json_text(&a, read_golden(format, &a)), golden(format, &a));
    }
}

/* The commit's own traces are taken back: what is left is what was there. */
static void a_commit_changes_what_it_says_and_nothing_else(void)
{
    for (int format = 1; format <= 3; format++) {
        auto_arena a = {0};
        struct json *m = NULL, *base = read_golden(format, &a);
        int64_t updated = json_i64(json_get(base, SV("last-updated-ms")), 0);

        NEED(commit(base, "[]", "[{\"action\":\"set-properties\",\"updates\":{\"zz\":\"new\"}}]",
                    &a, &m) == ERR_NONE);
        CHECK_SV(json_get_str(json_get(m, SV("properties")), SV("zz")), SV("new"));
        CHECK_INT(json_count(json_get(m, SV("metadata-log"))), 3);
        json_remove(json_get(m, SV("properties")), SV("zz"));
        json_remove_at(json_get(m, SV("metadata-log")), 2);
        json_set_i64(m, &a, SV("last-updated-ms"), updated);
        CHECK_SV(json_text(&a, m), golden(format, &a));
    }
}

static void the_largest_id_is_told_from_its_neighbours(void)
{
    for (int format = 1; format <= 3; format++) {
        auto_arena a = {0};
        struct json *m = NULL;
        static const char *const holds =
            "[{\"type\":\"assert-ref-snapshot-id\",\"ref\":\"main\",\"snapshot-id\":" LARGEST "}]";
        static const char *const fails = "[{\"type\":\"assert-ref-snapshot-id\",\"ref\":\"main\","
                                         "\"snapshot-id\":9223372036854775806}]";

        CHECK_INT(commit(read_golden(format, &a), holds, "[]", &a, &m), ERR_NONE);
        CHECK_INT(commit(read_golden(format, &a), fails, "[]", &a, &m), ERR_CONFLICT);
        NEED(commit(read_golden(format, &a), "[]",
                    "[{\"action\":\"remove-snapshots\",\"snapshot-ids\":[" LARGEST "]}]", &a,
                    &m) == ERR_NONE);
        CHECK_INT(json_count(json_get(m, SV("snapshots"))), 1);
        CHECK_INT(json_count(json_get(m, SV("statistics"))), 0);
        CHECK_INT(json_count(json_get(m, SV("partition-statistics"))), 0);
        CHECK_INT(json_count(json_get(m, SV("snapshot-log"))), 0);
        CHECK_INT(json_count(json_get(m, SV("refs"))), 1);
    }
}

static void an_id_past_the_largest_is_no_id(void)
{
    auto_arena a = {0};
    struct json *m = NULL;
    struct err e = {0};
    struct sv text = golden(2, &a);
    ptrdiff_t at = sv_find(text, '{');
    struct sv wrong = arena_printf(&a, "{\"next\":9223372036854775808," SV_FMT,
                                   SV_ARG(sv_skip(text, (size_t)at + 1)));

    CHECK(!metadata_read(wrong, &a, &m, &e));
    CHECK_INT(e.code, ERR_INVALID);
}

SUITE("iceberg/golden", TEST(a_file_is_read_and_passed_on_as_it_lies),
      TEST(what_was_read_is_written_again_to_the_byte),
      TEST(a_commit_changes_what_it_says_and_nothing_else),
      TEST(the_largest_id_is_told_from_its_neighbours), TEST(an_id_past_the_largest_is_no_id))
