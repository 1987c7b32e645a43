/* test_view.c - view metadata: what requests make of it. */
#include "base/limits.h"
#include "iceberg/view.h"
#include "unit/iceberg/table.h"

#define UUID "9c12d441-03fe-4693-9a96-a0705ddf69c1"
#define SCHEMA(name)                                              \
    "{\"type\":\"struct\",\"fields\":[{\"id\":1,\"name\":\"" name \
    "\",\"required\":false,\"type\":\"long\"}]}"
#define QUERY(sql, dialect) "{\"type\":\"sql\",\"sql\":\"" sql "\",\"dialect\":\"" dialect "\"}"
#define VERSION(id, schema, queries)                                                                       \
    "{\"version-id\":" id ",\"timestamp-ms\":77,\"schema-id\":" schema                                     \
    ",\"summary\":{\"engine-name\":\"spark\"},\"default-namespace\":[\"n\"],\"representations\":[" queries \
    "]}"
#define ADD(id, schema, queries) \
    "{\"action\":\"add-view-version\",\"view-version\":" VERSION(id, schema, queries) "}"
#define SET(id) "{\"action\":\"set-current-view-version\",\"view-version-id\":" id "}"

static enum err_code make(const char *schema, const char *version, struct arena *a,
                          struct json **out)
{
    struct create_options o = {SV(UUID), SV("s3://b/v/"), 1000};
    struct json *request = json_new_object(a), *ignored;
    struct err e = {0};

    json_set_str(request, a, SV("name"), SV("v"));
    json_set(request, SV("schema"), json(schema, a));
    json_set(request, SV("view-version"), json(version, a));
    json_set(request, SV("properties"), json("{\"k\":\"v\"}", a));
    return view_create(request, &o, a, out ? out : &ignored, &e) ? ERR_NONE : e.code;
}

static struct json *view(struct arena *a)
{
    struct json *m = NULL;

    NEED(make(SCHEMA("a"), VERSION("1", "0", QUERY("select 1", "spark")), a, &m) == ERR_NONE);
    return m;
}

static enum err_code change(const struct json *base, const char *requirements, const char *updates,
                            struct arena *a, struct commit_result *out)
{
    struct json *request = json_new_object(a);
    struct commit_result ignored;
    struct err e = {0};

    json_set(request, SV("requirements"), json(requirements, a));
    json_set(request, SV("updates"), json(updates, a));
    return view_commit(base, request, 5000, a, out ? out : &ignored, &e) ? ERR_NONE : e.code;
}

static void a_new_view_has_one_schema_one_version_and_one_line_of_history(void)
{
    auto_arena a = {0};

    CHECK_SV(
        json_text(&a, view(&a)),
        SV("{\"view-uuid\":\"" UUID "\",\"format-version\":1,\"location\":\"s3://b/v\","
           "\"properties\":{\"k\":\"v\"},\"schemas\":[{\"type\":\"struct\",\"fields\":[{\"id\":1,"
           "\"name\":\"a\",\"required\":false,\"type\":\"long\"}],\"schema-id\":0}],\"versions\":["
           "{\"version-id\":1,\"timestamp-ms\":77,\"schema-id\":0,\"summary\":{\"engine-name\":"
           "\"spark\"},\"default-namespace\":[\"n\"],\"representations\":[{\"type\":\"sql\","
           "\"sql\":\"select 1\",\"dialect\":\"spark\"}]}],\"current-version-id\":1,"
           "\"version-log\":[{\"timestamp-ms\":77,\"version-id\":1}]}"));
}

/* As Spark counts them. They are kept: nothing but the view refers to them. */
static void the_fields_of_a_view_may_be_counted_from_0(void)
{
    auto_arena a = {0};
    struct json *m = NULL;

    CHECK_INT(make("{\"type\":\"struct\",\"fields\":[{\"id\":0,\"name\":\"a\",\"required\":false,"
                   "\"type\":\"long\"}]}",
                   VERSION("1", "0", QUERY("select 1", "spark")), &a, &m),
              ERR_NONE);
    CHECK(sv_contains(json_text(&a, json_get(m, SV("schemas"))), SV("\"id\":0")));
}

static void what_is_no_view_is_refused(void)
{
    static const char *const wrong[] = {
        "{}",
        "null",
        VERSION("0", "0", QUERY("q", "d")),
        VERSION("\"1\"", "0", QUERY("q", "d")),
        VERSION("1", "null", QUERY("q", "d")),
        VERSION("1", "0", ""),
        VERSION("1", "0", QUERY("", "d")),
        VERSION("1", "0", QUERY("q", "")),
        VERSION("1", "0", "{\"type\":\"other\",\"sql\":\"q\",\"dialect\":\"d\"}"),
        VERSION("1", "0", QUERY("q", "d") "," QUERY("r", "D")),
        "{\"version-id\":1,\"timestamp-ms\":-1,\"schema-id\":0,\"summary\":{},"
        "\"default-namespace\":[],\"representations\":[" QUERY("q", "d") "]}",
        "{\"version-id\":1,\"timestamp-ms\":1,\"schema-id\":0,\"summary\":{},"
        "\"default-catalog\":1,\"default-namespace\":[],\"representations\":[" QUERY("q", "d") "]}",
        "{\"version-id\":1,\"timestamp-ms\":1,\"schema-id\":0,\"summary\":{\"a\":1},"
        "\"default-namespace\":[],\"representations\":[" QUERY("q", "d") "]}",
        "{\"version-id\":1,\"timestamp-ms\":1,\"schema-id\":0,\"summary\":{},"
        "\"default-namespace\":[1],\"representations\":[" QUERY("q", "d") "]}",
        NULL};
    auto_arena a = {0};

    for (const char *const *w = wrong; *w; w++)
        CHECK_INT(make(SCHEMA("a"), *w, &a, NULL), ERR_INVALID);
    CHECK_INT(make("{}", VERSION("1", "0", QUERY("q", "d")), &a, NULL), ERR_INVALID);
}

static void a_place_that_is_no_text_is_refused(void)
{
    auto_arena a = {0};
    struct create_options o = {SV(UUID), SV("s3://b/v/"), 1000};
    struct json *request = json_new_object(&a), *m;
    struct err e = {0};

    json_set(request, SV("schema"), json(SCHEMA("a"), &a));
    json_set(request, SV("view-version"), json(VERSION("1", "0", QUERY("q", "d")), &a));
    CHECK_OK(view_create(request, &o, &a, &m, &e), &e);
    json_set_i64(request, &a, SV("location"), 5);
    CHECK(!view_create(request, &o, &a, &m, &e));
    CHECK_INT(e.code, ERR_INVALID);
}

static void text_and_queries_are_limited(void)
{
    auto_arena a = {0};
    struct json *version = json(VERSION("1", "0", QUERY("q", "d")), &a),
                *list = json_get(version, SV("representations"));
    char *sql = arena_alloc(&a, LIMIT_VIEW_SQL_BYTES + 1);

    memset(sql, 'x', LIMIT_VIEW_SQL_BYTES + 1);
    json_set_str(json_at(list, 0), &a, SV("sql"), sv_of(sql, LIMIT_VIEW_SQL_BYTES));
    CHECK_INT(make(SCHEMA("a"), arena_cstr(&a, json_text(&a, version)), &a, NULL), ERR_NONE);
    json_set_str(json_at(list, 0), &a, SV("sql"), sv_of(sql, LIMIT_VIEW_SQL_BYTES + 1));
    CHECK_INT(make(SCHEMA("a"), arena_cstr(&a, json_text(&a, version)), &a, NULL), ERR_INVALID);
    json_set_str(json_at(list, 0), &a, SV("sql"), SV("q"));
    for (int i = 1; i < LIMIT_VIEW_REPRESENTATIONS; i++) {
        struct json *more = json_copy(&a, json_at(list, 0));

        json_set_str(more, &a, SV("dialect"), arena_printf(&a, "d%d", i));
        json_push(list, more);
    }
    CHECK_INT(make(SCHEMA("a"), arena_cstr(&a, json_text(&a, version)), &a, NULL), ERR_NONE);
    json_push(list, json(QUERY("q", "one-more"), &a));
    CHECK_INT(make(SCHEMA("a"), arena_cstr(&a, json_text(&a, version)), &a, NULL), ERR_INVALID);
}

static void a_replacement_is_current_and_in_the_log(void)
{
    auto_arena a = {0};
    struct commit_result r;

    NEED(change(view(&a), "[{\"type\":\"assert-view-uuid\",\"uuid\":\"" UUID "\"}]",
                "[{\"action\":\"add-schema\",\"schema\":" SCHEMA("b") "}," ADD(
                    "1", "-1", QUERY("select 2", "SPARK")) "," SET("-1") "]",
                &a, &r) == ERR_NONE);
    CHECK(r.changed);
    CHECK_INT(json_i64(json_get(r.metadata, SV("current-version-id")), 0), 2);
    CHECK_INT(
        json_i64(json_get(json_at(json_get(r.metadata, SV("versions")), 1), SV("schema-id")), 9),
        1);
    CHECK_SV(json_text(&a, json_get(r.metadata, SV("version-log"))),
             SV("[{\"timestamp-ms\":77,\"version-id\":1},{\"timestamp-ms\":77,\"version-id\":2}]"));
    /* Back to one that was there: at the time of the request. */
    NEED(change(r.metadata, "[]", "[" SET("1") "]", &a, &r) == ERR_NONE);
    CHECK_INT(
        json_i64(json_get(json_at(json_get(r.metadata, SV("version-log")), 2), SV("timestamp-ms")),
                 0),
        5000);
}

static void what_says_the_same_changes_nothing(void)
{
    auto_arena a = {0};
    struct commit_result r;

    NEED(change(view(&a), "[]",
                "[" ADD("9", "0", QUERY("select 1", "spark")) "," SET(
                    "-1") ",{\"action\":\"assign-uuid\",\"uuid\":\"" UUID
                          "\"},{\"action\":\"upgrade-format-version\",\"format-version\":1}]",
                &a, &r) == ERR_NONE);
    CHECK(!r.changed);
}

static void a_wrong_update_is_refused(void)
{
    static const char *const wrong[] = {
        "[{\"action\":\"add-snapshot\"}]", "[{\"action\":\"add-spec\"}]", "[{}]", "{}",
        "[" SET("2") "]", "[" SET("-1") "]", "[" ADD("2", "4", QUERY("q", "spark")) "]",
        "[" ADD("2", "-1", QUERY("q", "spark")) "]",
        "[{\"action\":\"assign-uuid\",\"uuid\":\"11111111-2222-3333-4444-555555555555\"}]",
        "[{\"action\":\"upgrade-format-version\",\"format-version\":2}]",
        "[{\"action\":\"set-location\"}]",
        /* spark would be lost */
        "[" ADD("2", "0", QUERY("q", "trino")) "," SET("-1") "]", NULL};
    auto_arena a = {0};

    for (const char *const *w = wrong; *w; w++)
        CHECK_INT(change(view(&a), "[]", *w, &a, NULL), ERR_INVALID);
    CHECK_INT(change(view(&a), "[]",
                     "[" ADD("2", "0", QUERY("q", "trino")) "," SET(
                         "-1") ",{\"action\":\"set-properties\",\"updates\":{"
                               "\"replace.drop-dialect.allowed\":\"true\"}}]",
                     &a, NULL),
              ERR_NONE);
}

static void requirements_are_those_of_views(void)
{
    auto_arena a = {0};

    CHECK_INT(
        change(
            view(&a),
            "[{\"type\":\"assert-view-uuid\",\"uuid\":\"11111111-2222-3333-4444-555555555555\"}]",
            "[]", &a, NULL),
        ERR_CONFLICT);
    CHECK_INT(change(view(&a), "[{\"type\":\"assert-table-uuid\",\"uuid\":\"" UUID "\"}]", "[]", &a,
                     NULL),
              ERR_INVALID);
    CHECK_INT(change(view(&a), "[{\"type\":\"assert-create\"}]", "[]", &a, NULL), ERR_INVALID);
    CHECK_INT(change(view(&a), "null", "[]", &a, NULL), ERR_NONE);
}

static void history_is_kept_as_far_as_asked_and_without_holes(void)
{
    auto_arena a = {0};
    struct json *m = view(&a);
    struct commit_result r;

    for (int i = 2; i <= 5; i++) {
        const char *updates =
            arena_cstr(&a, arena_printf(&a,
                                        "[" ADD("1", "0", QUERY("select %d", "spark")) "," SET(
                                            "-1") ",{\"action\":\"set-properties\",\"updates\":{"
                                                  "\"version.history.num-entries\":\"2\"}}]",
                                        i));

        NEED(change(m, "[]", updates, &a, &r) == ERR_NONE);
        m = r.metadata;
    }
    CHECK_INT(json_count(json_get(m, SV("versions"))), 2);
    CHECK_SV(json_text(&a, json_get(m, SV("version-log"))),
             SV("[{\"timestamp-ms\":77,\"version-id\":4},{\"timestamp-ms\":77,\"version-id\":5}]"));
    /* The current one stays however old. */
    NEED(change(m, "[]", "[" SET("4") "]", &a, &r) == ERR_NONE);
    NEED(change(r.metadata, "[]", "[" ADD("1", "0", QUERY("x", "spark")) "]", &a, &r) == ERR_NONE);
    CHECK_INT(json_i64(json_get(r.metadata, SV("current-version-id")), 0), 4);
    CHECK_INT(json_count(json_get(r.metadata, SV("versions"))), 2);
}

static void a_file_is_read_again_and_a_wrong_one_is_not(void)
{
    static const char *const members[] = {"view-uuid",      "location",    "schemas",
                                          "versions",       "version-log", "current-version-id",
                                          "format-version", NULL};
    auto_arena a = {0};
    struct json *read;
    struct err e = {0};

    CHECK_OK(view_read(json_text(&a, view(&a)), &a, &read, &e), &e);
    for (const char *const *m = members; *m; m++) {
        struct json *v = view(&a);

        json_remove(v, sv_from(*m));
        CHECK(!view_read(json_text(&a, v), &a, &read, &e));
        json_set_bool(v, &a, sv_from(*m), true);
        CHECK(!view_read(json_text(&a, v), &a, &read, &e));
    }
    CHECK(!view_read(SV("{\"format-version\":1"), &a, &read, &e));
}

static enum err_code checked(struct json *m, struct arena *a)
{
    struct json *read = NULL;
    struct err e = {0};

    NEED(view_read(json_text(a, m), a, &read, &e));
    return view_check(read, a, &e) ? ERR_NONE : e.code;
}

static void a_file_that_somebody_else_wrote_is_held_to_what_holds_of_ours(void)
{
    static const struct {
        const char *member, *value;
    } wrong[] = {
        {"view-uuid",         "\"x\""                                                          },
        {"view-uuid",         "\"9c12d441-03fe-4693-9a96-a0705ddf69c?\""                       },
        {"properties",        "{\"k\":1}"                                                      },
        {"schemas",           "[]"                                                             },
        {"schemas",           "[{\"type\":\"struct\",\"schema-id\":0,\"fields\":[{\"id\":1}]}]"},
        {"schemas",           "[{\"type\":\"struct\",\"fields\":[]}]"                          },
        {"versions",          "[]"                                                             },
        {"versions",          "[" VERSION("1",                                                   "7", QUERY("q", "spark")) "]"},
        {"versions",          "[" VERSION("1",                                                              "0", "") "]"},
        {"versions",          "[" VERSION("1",                                                   "0", QUERY("q", "s") "," QUERY("q", "S")) "]"},
        {"versions",
         "[" VERSION("1",                                                                             "0", QUERY("q", "spark")) "," VERSION("1", "0", QUERY("r", "spark")) "]"},
        {"version-log","[{}]"      },
        {"version-log", "[{\"version-id\":1}]"                                                        },
        {"current-version-id",          "2"                                                                       },
    };
    auto_arena a = {0};

    CHECK_INT(checked(view(&a), &a), ERR_NONE);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct json *m = view(&a);

        json_set(m, sv_from(wrong[i].member), json(wrong[i].value, &a));
        CHECK_INT(checked(m, &a), ERR_INVALID);
    }
}

static void a_foreign_file_has_no_more_versions_than_we_keep(void)
{
    for (int n = LIMIT_VIEW_VERSIONS; n <= LIMIT_VIEW_VERSIONS + 1; n++) {
        auto_arena a = {0};
        struct json *m = view(&a), *versions = json_new_array(&a);

        for (int i = 1; i <= n; i++) {
            struct json *v = json(VERSION("1", "0", QUERY("q", "spark")), &a);

            json_set_i64(v, &a, SV("version-id"), i);
            json_push(versions, v);
        }
        json_set(m, SV("versions"), versions);
        CHECK_INT(checked(m, &a), n > LIMIT_VIEW_VERSIONS ? ERR_INVALID : ERR_NONE);
    }
}

SUITE("iceberg/view", TEST(a_new_view_has_one_schema_one_version_and_one_line_of_history),
      TEST(the_fields_of_a_view_may_be_counted_from_0), TEST(what_is_no_view_is_refused),
      TEST(a_place_that_is_no_text_is_refused), TEST(text_and_queries_are_limited),
      TEST(a_replacement_is_current_and_in_the_log), TEST(what_says_the_same_changes_nothing),
      TEST(a_wrong_update_is_refused), TEST(requirements_are_those_of_views),
      TEST(history_is_kept_as_far_as_asked_and_without_holes),
      TEST(a_file_is_read_again_and_a_wrong_one_is_not),
      TEST(a_file_that_somebody_else_wrote_is_held_to_what_holds_of_ours),
      TEST(a_foreign_file_has_no_more_versions_than_we_keep))
