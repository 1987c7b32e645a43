/* test_effort.c - what a tenant sends is worked on in the steps and the memory that its length asks
 * for: no two lists of a request and of a file are multiplied. */
#include <stdatomic.h>

#include "base/buf.h"
#include "base/limits.h"
#include "iceberg/view.h"
#include "unit/iceberg/effort.h"
#include "unit/iceberg/table.h"

enum { SIZE = 250, BUF_BYTES = 64 << 20 };

/* ---- lists ---- */

/* "[" n times `form` with its number, as often as it takes one, "]". */
static const char *repeated(int n, const char *form, struct arena *a)
{
    struct buf b = buf_new(a, BUF_BYTES);
    struct sv rest, part;

    for (int i = 0; i < n; i++) {
        buf_add(&b, i ? SV(",") : SV("["));
        rest = sv_from(form);
        for (bool first = true; sv_cut(&rest, '#', &part); first = false) {
            if (!first)
                buf_add_i64(&b, i + 1);
            buf_add(&b, part);
        }
    }
    buf_add(&b, SV("]"));
    return buf_sv(&b).p;
}

static void set_list(struct json *m, const char *name, int n, const char *form, struct arena *a)
{
    json_set(m, sv_from(name), json(repeated(n, form, a), a));
}

#define SNAPSHOT_FORM                                                                       \
    "{\"snapshot-id\":#,\"parent-snapshot-id\":#,\"sequence-number\":1,\"timestamp-ms\":1," \
    "\"manifest-list\":\"s3://b/t/metadata/#.avro\",\"summary\":{\"operation\":\"append\"}}"

#define STATISTICS                                                           \
    "{\"snapshot-id\":#,\"statistics-path\":\"s\",\"file-size-in-bytes\":1," \
    "\"file-footer-size-in-bytes\":1,\"blob-metadata\":[]}"

/* `size` of everything: snapshots, refs, log entries, statistics, keys, schemas, specs, orders. */
static struct json *long_table(int size, struct arena *a)
{
    struct json *m = upgraded(table(a), "3", a), *refs = json_new_object(a);

    m = json_copy(a, m);
    set_list(m, "snapshots", size, SNAPSHOT_FORM, a);
    set_list(m, "snapshot-log", size, "{\"snapshot-id\":#,\"timestamp-ms\":1}", a);
    set_list(m, "metadata-log", size, "{\"metadata-file\":\"#\",\"timestamp-ms\":1}", a);
    set_list(m, "statistics", size, STATISTICS, a);
    set_list(m, "partition-statistics", size, STATISTICS, a);
    set_list(m, "encryption-keys", size, "{\"key-id\":\"#\",\"encrypted-key-metadata\":\"AAAA\"}",
             a);
    set_list(m, "schemas", size,
             "{\"type\":\"struct\",\"schema-id\":#,\"fields\":[{\"id\":1,\"name\":\"a\","
             "\"required\":true,\"type\":\"long\"},{\"id\":3,\"name\":\"b#\",\"required\":false,"
             "\"type\":\"string\"}]}",
             a);
    set_list(m, "partition-specs", size,
             "{\"spec-id\":#,\"fields\":[{\"field-id\":1000,\"name\":\"p#\",\"source-id\":1,"
             "\"transform\":\"bucket[4]\"}]}",
             a);
    set_list(m, "sort-orders", size,
             "{\"order-id\":#,\"fields\":[{\"source-id\":1,\"transform\":\"bucket[#]\","
             "\"direction\":\"asc\",\"null-order\":\"nulls-first\"}]}",
             a);
    json_set_i64(m, a, SV("last-sequence-number"), 1);
    json_set_i64(m, a, SV("current-schema-id"), 1);
    json_set_i64(m, a, SV("default-spec-id"), 1);
    json_set_i64(m, a, SV("default-sort-order-id"), 1);
    for (int i = 1; i <= size; i++)
        json_set(refs, arena_printf(a, "r%d", i),
                 json(arena_printf(a, "{\"snapshot-id\":%d,\"type\":\"tag\"}", i).p, a));
    json_set(m, SV("refs"), refs);
    json_set(m, SV("current-snapshot-id"), NULL);
    return m;
}

/* One commit of `size` updates of that form on a table with `size` of everything. */
static void commit_many(int size, const char *form)
{
    auto_arena a = {0};
    struct json *base = long_table(size, &a), *request = json_new_object(&a);
    const struct commit_options o = {.base_location = SV("s3://b/t/metadata/00000-x.metadata.json"),
                                     .now_ms = 5000};
    struct commit_result result;
    struct err e = {0};
    uint64_t before = steps;

    json_set(request, SV("requirements"), json_new_array(&a));
    json_set(request, SV("updates"), json(repeated(size, form, &a), &a));
    before = steps - before;
    CHECK_OK(metadata_commit(base, request, &o, &a, &result, &e), &e);
    steps -= before;
}

#define UPDATES(claim, form)             \
    static void claim##_run(int size)    \
    {                                    \
        commit_many(size, form);         \
    }                                    \
    static void claim(void)              \
    {                                    \
        check_linear(claim##_run, SIZE); \
    }

UPDATES(schemas_are_added,
        "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,"
        "\"name\":\"a\",\"required\":true,\"type\":\"long\"},{\"id\":4,\"name\":\"c#\","
        "\"required\":false,\"type\":\"string\"}]}}")
UPDATES(schemas_are_chosen, "{\"action\":\"set-current-schema\",\"schema-id\":#}")
UPDATES(schemas_that_are_there_are_added_and_chosen,
        "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,"
        "\"name\":\"a\",\"required\":true,\"type\":\"long\"},{\"id\":3,\"name\":\"b#\","
        "\"required\":false,\"type\":\"string\"}]}},"
        "{\"action\":\"set-current-schema\",\"schema-id\":-1}")
UPDATES(schemas_are_removed_one_by_one, "{\"action\":\"set-current-schema\",\"schema-id\":1},"
                                        "{\"action\":\"remove-schemas\",\"schema-ids\":[1#]}")
UPDATES(specs_are_added, "{\"action\":\"add-spec\",\"spec\":{\"fields\":[{\"name\":\"q#\","
                         "\"source-id\":1,\"transform\":\"bucket[5]\"}]}}")
UPDATES(specs_are_removed_one_by_one, "{\"action\":\"remove-partition-specs\",\"spec-ids\":[1#]}")
UPDATES(orders_are_added,
        "{\"action\":\"add-sort-order\",\"sort-order\":{\"fields\":[{\"source-id\":1,"
        "\"transform\":\"truncate[#]\",\"direction\":\"asc\",\"null-order\":\"nulls-first\"}]}},"
        "{\"action\":\"set-default-sort-order\",\"sort-order-id\":-1}")
UPDATES(snapshots_are_removed_one_by_one, "{\"action\":\"remove-snapshots\",\"snapshot-ids\":[#]}")
UPDATES(
    snapshots_are_added_and_removed_in_turn,
    "{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":1000#,\"sequence-number\":1000#,"
    "\"timestamp-ms\":1,\"manifest-list\":\"l\",\"first-row-id\":#,\"added-rows\":0,"
    "\"summary\":{\"operation\":\"append\"}}},"
    "{\"action\":\"remove-snapshots\",\"snapshot-ids\":[#]}")
UPDATES(refs_are_set_and_removed,
        "{\"action\":\"set-snapshot-ref\",\"ref-name\":\"b#\",\"type\":\"branch\","
        "\"snapshot-id\":#},{\"action\":\"remove-snapshot-ref\",\"ref-name\":\"r#\"}")
UPDATES(main_moves, "{\"action\":\"set-snapshot-ref\",\"ref-name\":\"main\",\"type\":\"branch\","
                    "\"snapshot-id\":#}")
UPDATES(schemas_are_added_while_snapshots_go,
        "{\"action\":\"remove-snapshots\",\"snapshot-ids\":[#]},"
        "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":[{\"id\":1,"
        "\"name\":\"a#\",\"required\":true,\"type\":\"long\"}]}}")
UPDATES(statistics_are_set_and_removed,
        "{\"action\":\"set-statistics\",\"statistics\":{\"snapshot-id\":#,"
        "\"statistics-path\":\"t\",\"file-size-in-bytes\":1,\"file-footer-size-in-bytes\":1,"
        "\"blob-metadata\":[]}},{\"action\":\"remove-partition-statistics\",\"snapshot-id\":#}")
UPDATES(keys_are_added_and_removed,
        "{\"action\":\"add-encryption-key\",\"encryption-key\":{\"key-id\":\"k#\","
        "\"encrypted-key-metadata\":\"AAAA\"}},{\"action\":\"remove-encryption-key\","
        "\"key-id\":\"#\"}")
UPDATES(properties_are_set_and_removed,
        "{\"action\":\"set-properties\",\"updates\":{\"p#\":\"v\"}},"
        "{\"action\":\"remove-properties\",\"removals\":[\"q#\"]}")

/* ---- wide ones ---- */

/* Columns that specs are made of become another type; each is looked for in the specs. */
static void promote_many(int size)
{
    auto_arena a = {0};
    struct json *base = long_table(size, &a), *m = NULL;

    json_set(base, SV("refs"), json("{\"b\":{\"snapshot-id\":1,\"type\":\"branch\"}}", &a));
    json_set(base, SV("schemas"),
             json(arena_printf(&a, "[{\"schema-id\":1,\"fields\":%s}]",
                               repeated(size,
                                        "{\"id\":#,\"name\":\"d#\",\"required\":false,"
                                        "\"type\":\"date\"}",
                                        &a))
                      .p,
                  &a));
    set_list(base, "partition-specs", size,
             "{\"spec-id\":#,\"fields\":[{\"field-id\":1#,\"name\":\"p#\",\"source-id\":#,"
             "\"transform\":\"day\"}]}",
             &a);
    json_set(base, SV("sort-orders"), json("[{\"order-id\":1,\"fields\":[]}]", &a));
    CHECK_INT(commit(base, "[]",
                     arena_printf(&a, "[{\"action\":\"add-schema\",\"schema\":{\"fields\":%s}}]",
                                  repeated(size,
                                           "{\"id\":#,\"name\":\"d#\",\"required\":false,"
                                           "\"type\":\"timestamp\"}",
                                           &a))
                         .p,
                     &a, &m),
              ERR_NONE);
}

static void days_become_moments_while_there_are_many_specs(void)
{
    check_linear(promote_many, SIZE);
}

static void refs_run(int size)
{
    auto_arena a = {0};

    CHECK_INT(json_count(json_get(metadata_refs_only(long_table(size, &a), &a), SV("snapshots"))),
              size);
}

static void snapshots_without_a_ref_are_left_out(void)
{
    check_linear(refs_run, SIZE);
}

static void check_run(int size)
{
    auto_arena a = {0};
    struct err e = {0};

    CHECK_OK(metadata_check(long_table(size, &a), &a, &e), &e);
}

static void a_file_of_others_is_checked(void)
{
    check_linear(check_run, SIZE);
}

/* Each of many branches has a long history of its own snapshots. */
static void applied_run(int size)
{
    auto_arena a = {0};
    struct json *base = long_table(size, &a), *request = json_new_object(&a);
    const struct json *snapshots = json_get(base, SV("snapshots"));
    struct buf b = buf_new(&a, BUF_BYTES);

    for (size_t i = 1; i < json_count(snapshots); i++)
        json_set_i64(json_at(snapshots, i), &a, SV("parent-snapshot-id"), (int64_t)i);
    buf_addf(&b, "[{\"action\":\"add-snapshot\",\"snapshot\":" SV_FMT "}",
             SV_ARG(json_text(&a, json_at(snapshots, 0))));
    for (int i = 1; i <= size; i++) {
        buf_addf(&b,
                 ",{\"action\":\"set-snapshot-ref\",\"ref-name\":\"b%d\",\"type\":\"branch\","
                 "\"snapshot-id\":1000000}",
                 i);
        json_set(json_get(base, SV("refs")), arena_printf(&a, "b%d", i),
                 json(arena_printf(&a, "{\"snapshot-id\":%d,\"type\":\"branch\"}", size).p, &a));
    }
    buf_addc(&b, ']');
    json_set(request, SV("requirements"), json_new_array(&a));
    json_set(request, SV("updates"), json(buf_sv(&b).p, &a));
    CHECK_INT(metadata_applied(base, request), APPLIED_UNCLEAR);
}

static void branches_that_may_have_moved_on_are_followed(void)
{
    check_linear(applied_run, SIZE);
}

/* ---- views ---- */

static struct json *view(struct arena *a)
{
    struct create_options o = {SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"), SV("s3://b/v"), 1000};
    struct json *m = NULL;
    struct err e = {0};

    NEED_OK(view_create(
                json("{\"schema\":{\"fields\":[]},\"view-version\":{\"version-id\":1,"
                     "\"timestamp-ms\":1,\"schema-id\":0,\"summary\":{},\"default-namespace\":[],"
                     "\"representations\":[{\"type\":\"sql\",\"sql\":\"s\",\"dialect\":\"d\"}]}}",
                     a),
                &o, a, &m, &e),
            &e);
    return m;
}

static void view_run(int size)
{
    auto_arena a = {0};
    struct json *base = view(&a), *request = json_new_object(&a);
    struct commit_result result;
    struct err e = {0};

    set_list(base, "schemas", size, "{\"schema-id\":#,\"fields\":[]}", &a);
    set_list(base, "version-log", 100 * size, "{\"version-id\":1,\"timestamp-ms\":1}", &a);
    json_set(request, SV("updates"),
             json(repeated(size,
                           "{\"action\":\"add-schema\",\"schema\":{\"fields\":[{\"id\":1,"
                           "\"name\":\"c#\",\"required\":false,\"type\":\"int\"}]}},"
                           "{\"action\":\"add-view-version\",\"view-version\":{\"version-id\":2,"
                           "\"timestamp-ms\":1,\"schema-id\":1,\"summary\":{},"
                           "\"default-namespace\":[],\"representations\":[{\"type\":\"sql\","
                           "\"sql\":\"t\",\"dialect\":\"d\"}]}},"
                           "{\"action\":\"set-current-view-version\",\"view-version-id\":2}",
                           &a),
                  &a));
    CHECK_OK(view_commit(base, request, 2000, &a, &result, &e), &e);
}

static void a_view_gets_schemas_and_versions(void)
{
    check_linear(view_run, SIZE / 2);
}

/* ---- memory ---- */

enum { MB = 1 << 20 };

/* What was kept at the end, and what it took beside that while it ran. */
static void commits_of_a_thousand_schemas_take_little_memory(void)
{
    auto_arena a = {0};
    struct json *m = upgraded(table(&a), "3", &a), *next = NULL;

    for (int round = 1; round <= 3; round++) {
        struct json *request = json_new_object(&a);
        const struct commit_options o = {
            .base_location = SV("s3://b/t/metadata/00000-x.metadata.json"), .now_ms = 5000};
        struct commit_result result;
        struct err e = {0};
        size_t before;

        json_set(request, SV("requirements"), json_new_array(&a));
        json_set(
            request, SV("updates"),
            json(repeated(LIMIT_COMMIT_UPDATES,
                          arena_printf(&a,
                                       "{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\","
                                       "\"fields\":[{\"id\":1,\"name\":\"c%d-#\","
                                       "\"required\":true,\"type\":\"long\"}]}}",
                                       round)
                              .p,
                          &a),
                 &a));
        before = heap_bytes();
        NEED_OK(metadata_commit(m, request, &o, &a, &result, &e), &e);
        next = result.metadata;
        /* A thousand schemas of one column: some 3 KB each as values. */
        if (heap_bytes() - before > 8 * MB)
            CHECK_INT(heap_bytes() - before, 8 * MB);
        m = next;
    }
    CHECK_INT(json_count(json_get(m, SV("schemas"))), 3 * LIMIT_COMMIT_UPDATES + 1);
}

static void a_removal_of_thousands_takes_little_memory(void)
{
    enum { MANY = 6000 };
    auto_arena a = {0};
    struct json *base = long_table(MANY, &a), *m = NULL;
    const char *updates =
        arena_printf(&a, "[{\"action\":\"remove-snapshots\",\"snapshot-ids\":%s}]",
                     repeated(MANY, "1#", &a))
            .p;
    size_t before = heap_bytes();

    CHECK_INT(commit(base, "[]", updates, &a, &m), ERR_NONE);
    if (heap_bytes() - before > 8 * MB)
        CHECK_INT(heap_bytes() - before, 8 * MB);
}

static enum err_code commit_with(const struct commit_options *o, struct err *e)
{
    auto_arena a = {0};
    struct json *base = long_table(SIZE, &a), *request = json_new_object(&a);
    struct commit_result result;

    *e = (struct err){0};
    json_set(request, SV("requirements"), json_new_array(&a));
    json_set(
        request, SV("updates"),
        json(repeated(SIZE, "{\"action\":\"remove-snapshots\",\"snapshot-ids\":[#]}", &a), &a));
    return metadata_commit(base, request, o, &a, &result, e) ? ERR_NONE : e->code;
}

static void a_commit_takes_no_more_memory_than_it_may(void)
{
    const struct commit_options enough = {.now_ms = 1, .memory_bytes = MB},
                                little = {.now_ms = 1, .memory_bytes = 10000};
    struct err e;

    CHECK_INT(commit_with(&enough, &e), ERR_NONE);
    CHECK_INT(commit_with(&little, &e), ERR_INVALID);
    CHECK_SV(sv_from(e.msg),
             SV("the updates take more than 10000 bytes of memory together; send fewer at once"));
}

static void a_commit_that_nobody_waits_for_ends(void)
{
    _Atomic bool gone = false;
    const struct commit_options o = {.now_ms = 1, .gone = &gone};
    struct err e;
    uint64_t whole, before = steps;

    CHECK_INT(commit_with(&o, &e), ERR_NONE);
    whole = steps - before;
    atomic_store(&gone, true);
    before = steps;
    CHECK_INT(commit_with(&o, &e), ERR_UNAVAILABLE);
    CHECK(steps - before < whole);
}

SUITE("iceberg/effort", TEST(a_commit_takes_no_more_memory_than_it_may),
      TEST(a_commit_that_nobody_waits_for_ends), TEST(schemas_are_added), TEST(schemas_are_chosen),
      TEST(schemas_that_are_there_are_added_and_chosen), TEST(schemas_are_removed_one_by_one),
      TEST(specs_are_added), TEST(specs_are_removed_one_by_one), TEST(orders_are_added),
      TEST(snapshots_are_removed_one_by_one), TEST(snapshots_are_added_and_removed_in_turn),
      TEST(refs_are_set_and_removed), TEST(main_moves), TEST(schemas_are_added_while_snapshots_go),
      TEST(statistics_are_set_and_removed), TEST(keys_are_added_and_removed),
      TEST(properties_are_set_and_removed), TEST(days_become_moments_while_there_are_many_specs),
      TEST(snapshots_without_a_ref_are_left_out), TEST(a_file_of_others_is_checked),
      TEST(branches_that_may_have_moved_on_are_followed), TEST(a_view_gets_schemas_and_versions),
      TEST(commits_of_a_thousand_schemas_take_little_memory),
      TEST(a_removal_of_thousands_takes_little_memory))
