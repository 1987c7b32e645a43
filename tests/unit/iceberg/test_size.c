/* test_size.c - what is long is handled in the time that its length asks for, or refused: a commit
 * may be many times larger than one that a person makes. What it costs is counted in test_effort.c.
 */
#include "base/limits.h"
#include "unit/iceberg/table.h"

enum { MANY = 4000 };

/* A list of n objects that each begin with {"snapshot-id":i, and go on with `more`. */
static struct json *entries(int n, const char *more, struct arena *a)
{
    struct buf b = buf_new(a, (size_t)64 << 20);
    struct json *list = NULL;
    struct err e = {0};

    for (int i = 0; i < n; i++)
        buf_addf(&b, "%s{\"snapshot-id\":%d%s}", i ? "," : "[", i, more);
    buf_addc(&b, ']');
    NEED_OK(json_read(buf_sv(&b), a, &list, &e), &e);
    return list;
}

static void every_second_of_many_snapshots_goes_with_what_names_it(void)
{
    auto_arena a = {0};
    struct json *base = table(&a), *update = json_new_object(&a), *ids = json_new_array(&a),
                *updates = json_new_array(&a), *m = NULL;

    json_set(base, SV("snapshots"), entries(MANY, ",\"sequence-number\":1", &a));
    json_set(base, SV("snapshot-log"), entries(MANY, ",\"timestamp-ms\":1", &a));
    json_set(base, SV("statistics"), entries(MANY, "", &a));
    json_set(base, SV("partition-statistics"), entries(MANY, "", &a));
    for (int i = 1; i < MANY; i += 2)
        json_push(ids, json_new_i64(&a, i));
    json_set_str(update, &a, SV("action"), SV("remove-snapshots"));
    json_set(update, SV("snapshot-ids"), ids);
    json_push(updates, update);
    CHECK_INT(commit(base, "[]", arena_cstr(&a, json_text(&a, updates)), &a, &m), ERR_NONE);
    CHECK_INT(json_count(json_get(m, SV("snapshots"))), MANY / 2);
    CHECK_INT(json_count(json_get(m, SV("statistics"))), MANY / 2);
    CHECK_INT(json_count(json_get(m, SV("partition-statistics"))), MANY / 2);
    /* The last entry is of one that went: no history is left. */
    CHECK_INT(json_count(json_get(m, SV("snapshot-log"))), 0);
}

static void many_schemas_and_specs_go_at_once(void)
{
    auto_arena a = {0};
    struct json *base = table(&a), *m = NULL;
    struct buf b = buf_new(&a, (size_t)64 << 20), ids = buf_new(&a, (size_t)64 << 20);

    for (int i = 0; i < MANY - 1; i++) {
        buf_addf(&b, "%s{\"schema-id\":%d,\"spec-id\":%d,\"fields\":[]}", i ? "," : "[", i + 1,
                 i + 1);
        buf_addf(&ids, "%s%d", i ? "," : "", i + 1);
    }
    buf_addc(&b, ']');
    for (int i = 0; i < 2; i++) {
        const char *name = i ? "schemas" : "partition-specs";
        struct json *list = json(arena_cstr(&a, buf_sv(&b)), &a);

        json_push(list, json_at(json_get(base, sv_from(name)), 0));
        json_set(base, sv_from(name), list);
    }
    CHECK_INT(
        commit(base, "[]",
               arena_printf(&a,
                            "[{\"action\":\"remove-schemas\",\"schema-ids\":[" SV_FMT
                            "]},{\"action\":\"remove-partition-specs\",\"spec-ids\":[" SV_FMT "]}]",
                            SV_ARG(buf_sv(&ids)), SV_ARG(buf_sv(&ids)))
                   .p,
               &a, &m),
        ERR_NONE);
    CHECK_INT(json_count(json_get(m, SV("schemas"))), 1);
    CHECK_INT(json_count(json_get(m, SV("partition-specs"))), 1);
}

static void a_long_log_is_cut_to_what_is_kept(void)
{
    auto_arena a = {0};
    struct json *base = table(&a), *m = NULL, *log;

    json_set(base, SV("metadata-log"), entries(MANY, "", &a));
    CHECK_INT(
        commit(
            base, "[]",
            "[{\"action\":\"set-properties\",\"updates\":{\"write.metadata.previous-versions-max\":\"3\"}}]",
            &a, &m),
        ERR_NONE);
    log = json_get(m, SV("metadata-log"));
    CHECK_INT(json_count(log), 3);
    CHECK_INT(json_i64(json_get(json_at(log, 0), SV("snapshot-id")), 0), MANY - 2);
    CHECK_SV(json_get_str(json_at(log, 2), SV("metadata-file")),
             SV("s3://b/t/metadata/00000-x.metadata.json"));
}

/* A spec or an order of n fields on column 1. */
static const char *layout(const char *action, const char *member, int n, struct arena *a)
{
    struct buf b = buf_new(a, (size_t)64 << 20);

    buf_addf(&b, "[{\"action\":\"%s\",\"%s\":{\"fields\":[", action, member);
    for (int i = 0; i < n; i++)
        buf_addf(&b, "%s{\"source-id\":1,\"name\":\"p%d\",\"transform\":\"identity\"}",
                 i ? "," : "", i);
    buf_add(&b, SV("]}}]"));
    return arena_cstr(a, buf_sv(&b));
}

static void a_layout_has_only_so_many_fields(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    CHECK_INT(commit(table(&a), "[]", layout("add-spec", "spec", LIMIT_LAYOUT_FIELDS, &a), &a, &m),
              ERR_NONE);
    CHECK_INT(
        commit(table(&a), "[]", layout("add-spec", "spec", LIMIT_LAYOUT_FIELDS + 1, &a), &a, &m),
        ERR_INVALID);
    CHECK_INT(commit(table(&a), "[]", layout("add-spec", "spec", 100000, &a), &a, &m), ERR_INVALID);
    CHECK_INT(commit(table(&a), "[]",
                     layout("add-sort-order", "sort-order", LIMIT_LAYOUT_FIELDS + 1, &a), &a, &m),
              ERR_INVALID);
}

static void a_file_has_only_so_many_entries_a_list(void)
{
    for (int more = 0; more < 2; more++) {
        auto_arena a = {0};
        struct json *base = table(&a), *list = entries(LIMIT_METADATA_ENTRIES, "", &a), *m;
        struct err e = {0};

        if (more)
            json_push(list, json_new_object(&a));
        json_set(base, SV("snapshot-log"), list);
        CHECK_INT(metadata_read(json_text(&a, base), &a, &m, &e), !more);
    }
}

/* A type of `structs` structs within each other, and of `lists` lists within those. */
static struct sv nested(int structs, int lists, struct arena *a)
{
    struct buf b = buf_new(a, 100000);

    for (int i = 0; i < structs; i++)
        buf_addf(&b,
                 "{\"type\":\"struct\",\"fields\":[{\"id\":%d,\"name\":\"c\","
                 "\"required\":false,\"type\":",
                 i + 1);
    for (int i = 0; i < lists; i++)
        buf_addf(&b,
                 "{\"type\":\"list\",\"element-id\":%d,\"element-required\":false,"
                 "\"element\":",
                 i + 100);
    buf_add(&b, SV("\"long\""));
    for (int i = 0; i < lists; i++)
        buf_addc(&b, '}');
    for (int i = 0; i < structs; i++)
        buf_add(&b, SV("}]}"));
    return buf_sv(&b);
}

/* A schema stands one level deeper in a file than in the request that brings it. */
static void a_file_is_written_only_as_deep_as_it_can_be_read(void)
{
    struct create_options o = {SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"), SV("s3://b/t"), 1000};
    int unreadable = 0;

    for (int lists = 0; 20 * 3 + lists + 1 <= LIMIT_JSON_DEPTH; lists++) {
        auto_arena a = {0};
        struct sv type = nested(20, lists, &a);
        struct json *request =
            json(arena_printf(&a, "{\"name\":\"t\",\"schema\":" SV_FMT "}", SV_ARG(type)).p, &a);
        struct json *m = NULL, *again;
        struct err e = {0}, why = {0};
        struct sv text;

        NEED_OK(metadata_create(request, &o, &a, &m, &e), &e);
        text = json_text(&a, m);
        CHECK_INT(metadata_fits(text, &e), metadata_read(text, &a, &again, &why));
        unreadable += !metadata_fits(text, &e);
    }
    CHECK_INT(unreadable, 1);
}

/* Every update asks what each of many columns was. */
static void a_thousand_schemas_on_many_columns_are_compared(void)
{
    auto_arena a = {0};
    struct json *base = NULL, *m = NULL;
    struct buf fields = buf_new(&a, (size_t)64 << 20), b = buf_new(&a, (size_t)64 << 20);

    NEED(commit(table(&a), "[]", "[" SNAPSHOT("1", "1", "") "," MAIN("1") "]", &a, &base) ==
         ERR_NONE);
    for (int i = 0; i < LIMIT_SCHEMA_FIELDS; i++)
        buf_addf(&fields, "%s{\"id\":%d,\"name\":\"c%d\",\"required\":false,\"type\":\"string\"}",
                 i ? "," : "", i + 3, i);
    buf_add(&b, SV("["));
    for (int i = 0; i < LIMIT_COMMIT_UPDATES; i++)
        buf_addf(&b, "%s{\"schema-id\":%d,\"fields\":[" SV_FMT "]}", i ? "," : "", i + 1,
                 SV_ARG(i < 5 ? buf_sv(&fields) : SV("")));
    buf_addc(&b, ']');
    json_set(base, SV("schemas"), json(arena_cstr(&a, buf_sv(&b)), &a));
    json_set_i64(base, &a, SV("current-schema-id"), 1);
    json_set(base, SV("default-spec-id"), NULL);
    buf_clear(&b);
    for (int i = 0; i < LIMIT_COMMIT_UPDATES; i++)
        buf_addf(&b, "%s{\"action\":\"set-current-schema\",\"schema-id\":%d}", i ? "," : "[",
                 i % 5 + 1);
    buf_addc(&b, ']');
    CHECK_INT(commit(base, "[]", arena_cstr(&a, buf_sv(&b)), &a, &m), ERR_INVALID);
}

/* As many fields as a body holds, each on the last of many columns. */
static void many_layouts_on_many_columns_are_bound(void)
{
    enum { LAYOUTS = 15 };
    auto_arena a = {0};
    struct json *m = NULL;
    struct buf b = buf_new(&a, (size_t)64 << 20);

    buf_add(&b, SV("[{\"action\":\"add-schema\",\"schema\":{\"type\":\"struct\",\"fields\":["));
    for (int i = 1; i <= LIMIT_SCHEMA_FIELDS; i++)
        buf_addf(&b, "%s{\"id\":%d,\"name\":\"c%d\",\"required\":false,\"type\":\"long\"}",
                 i > 1 ? "," : "", i, i);
    buf_add(&b, SV("]}},{\"action\":\"add-spec\",\"spec\":{\"fields\":[]}},"
                   "{\"action\":\"set-default-spec\",\"spec-id\":-1},"
                   "{\"action\":\"set-current-schema\",\"schema-id\":-1}"));
    for (int n = 0; n < LAYOUTS; n++) {
        buf_add(&b, SV(",{\"action\":\"add-spec\",\"spec\":{\"fields\":["));
        for (int i = 0; i < LIMIT_LAYOUT_FIELDS; i++)
            buf_addf(&b, "%s{\"source-id\":%d,\"name\":\"p%d-%d\",\"transform\":\"bucket[%d]\"}",
                     i ? "," : "", LIMIT_SCHEMA_FIELDS, n, i, n * LIMIT_LAYOUT_FIELDS + i + 1);
        buf_add(&b, SV("]}}"));
    }
    buf_addc(&b, ']');
    CHECK_INT(commit(table(&a), "[]", buf_sv(&b).p, &a, &m), ERR_NONE);
    CHECK_INT(json_count(json_get(m, SV("partition-specs"))), LAYOUTS + 2);
}

SUITE("iceberg/size", TEST(every_second_of_many_snapshots_goes_with_what_names_it),
      TEST(many_schemas_and_specs_go_at_once), TEST(a_long_log_is_cut_to_what_is_kept),
      TEST(a_layout_has_only_so_many_fields), TEST(a_file_has_only_so_many_entries_a_list),
      TEST(a_file_is_written_only_as_deep_as_it_can_be_read),
      TEST(a_thousand_schemas_on_many_columns_are_compared),
      TEST(many_layouts_on_many_columns_are_bound))
