/* test_describe.c - a load's answer to documents and to text. */
#include "client/describe.h"
#include "client/print.h"
#include "unit/suite.h"

#define SNAPSHOT(id, parent, more)                                               \
    "{\"snapshot-id\": " id ", \"timestamp-ms\": 1763676355123" parent ", " more \
    "\"summary\": {\"operation\": \"append\", \"added-records\": \"2\", \"total-records\": \"x\"}}"

static const char answer[] =
    "{\"metadata-location\": \"s3://b/t/metadata/2.json\", \"config\": {\"s3.secret-access-key\": \"hidden\"},"
    " \"metadata\": {\"format-version\": 2, \"table-uuid\": \"u\", \"location\": \"s3://b/t\","
    " \"last-updated-ms\": 1763676355123, \"current-schema-id\": 1, \"default-spec-id\": 3,"
    " \"default-sort-order-id\": 1, \"current-snapshot-id\": 9007199254740993,"
    " \"schemas\": [{\"schema-id\": 0, \"fields\": []}, {\"schema-id\": 1, \"type\": \"struct\","
    "  \"identifier-field-ids\": [1], \"fields\": ["
    "  {\"id\": 1, \"name\": \"id\", \"type\": \"long\", \"required\": true},"
    "  {\"id\": 2, \"name\": \"m\", \"required\": false, \"type\": {\"type\": \"map\", \"key-id\": 3, \"key\": \"string\","
    "   \"value-id\": 4, \"value\": {\"type\": \"list\", \"element-id\": 5, \"element\": {\"type\": \"struct\","
    "   \"fields\": [{\"id\": 6, \"name\": \"deep\", \"type\": \"int\"}]}}}},"
    "  {\"id\": 7, \"name\": \"odd\", \"type\": 5}]}],"
    " \"partition-specs\": [{\"spec-id\": 3, \"fields\": ["
    "  {\"name\": \"p\", \"source-id\": 6, \"transform\": \"bucket[4]\"},"
    "  {\"name\": \"q\", \"source-ids\": [1, 3], \"transform\": \"new\"}]}],"
    " \"sort-orders\": [{\"order-id\": 1, \"fields\": [{\"source-id\": 99, \"transform\": \"identity\","
    "  \"direction\": \"asc\", \"null-order\": \"nulls-first\"}]}],"
    " \"properties\": {\"write.data.path\": \"s3://b/data\", \"k\": \"v\\u001b[2J\"},"
    " \"refs\": {\"main\": {\"snapshot-id\": 9007199254740993, \"type\": \"branch\"},"
    "  \"v1\": {\"snapshot-id\": 11, \"type\": \"tag\"}},"
    " \"snapshots\": [" SNAPSHOT("11", "", "") ", " SNAPSHOT(
        "9007199254740993", ", \"parent-snapshot-id\": 11",
        "\"schema-id\": 1, ") "],"
                              " \"metadata-log\": [{\"timestamp-ms\": 1000, \"metadata-file\": "
                              "\"s3://b/t/metadata/1.json\"}]}}";

struct bench {
    struct arena arena;
    struct table_id id;
    struct json *answer, *out;
    struct err e;
};

static void start(struct bench *b, const char *text)
{
    *b = (struct bench){
        .id = {.catalog = SV("c"), .name = SV("t")}
    };
    vec_push(&b->id.ns, &b->arena, SV("a.b"));
    NEED_OK(json_read(sv_from(text), &b->arena, &b->answer, &b->e), &b->e);
}

static struct sv member(struct bench *b, const char *path)
{
    const struct json *v = json_path(b->out, sv_from(path));

    return v ? json_text(&b->arena, v) : SV("(absent)");
}

static void a_table_is_described(void)
{
    static const struct {
        const char *path, *text;
    } all[] = {
        {"namespace",     "[\"a.b\"]"                                                                    },
        {"uuid",          "\"u\""                                                                        },
        {"formatVersion", "2"                                                                            },
        {"updated",       "\"2025-11-20T22:05:55.123Z\""                                                 },
        {"snapshotCount", "2"                                                                            },
        {"locations",     "[{\"what\":\"table\",\"location\":\"s3://b/t\"},"
                      "{\"what\":\"metadata\",\"location\":\"s3://b/t/metadata/2.json\"},"
                      "{\"what\":\"write.data.path\",\"location\":\"s3://b/data\"}]"},
        {"partitioning",
         "[{\"name\":\"p\",\"column\":\"m.value.element.deep\",\"transform\":\"bucket[4]\"},"
         "{\"name\":\"q\",\"column\":\"id, m.key\",\"transform\":\"new\"}]"                              },
        {"sortOrder",
         "[{\"transform\":\"identity\",\"direction\":\"asc\",\"nullOrder\":\"nulls-first\"}]"            },
        {"columns",
         "[{\"id\":1,\"name\":\"id\",\"type\":\"long\",\"required\":true,\"identifier\":true},"
         "{\"id\":2,\"name\":\"m\",\"type\":\"map<string, list<struct<deep: int>>>\",\"required\":false,"
         "\"identifier\":false},"
         "{\"id\":7,\"name\":\"odd\",\"type\":\"?\",\"required\":false,\"identifier\":false}]"           },
        {"refs",          "[{\"name\":\"main\",\"type\":\"branch\",\"snapshot\":\"9007199254740993\"},"
                 "{\"name\":\"v1\",\"type\":\"tag\",\"snapshot\":\"11\"}]"               },
    };
    struct bench b;

    start(&b, answer);
    NEED_OK(describe_table(&b.id, b.answer, &b.arena, &b.out, &b.e), &b.e);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        CHECK_SV(member(&b, all[i].path), sv_from(all[i].text));
    arena_done(&b.arena);
}

/* 2^53 + 1: what reads numbers as doubles would take it for its neighbour. */
static void ids_are_exact_and_the_newest_comes_first(void)
{
    struct bench b;

    start(&b, answer);
    NEED_OK(describe_history(&b.id, b.answer, &b.arena, &b.out, &b.e), &b.e);
    CHECK_SV(
        member(&b, "snapshots"),
        SV("[{\"id\":\"9007199254740993\",\"parent\":\"11\",\"time\":\"2025-11-20T22:05:55.123Z\","
           "\"operation\":\"append\",\"current\":true,\"schemaId\":1,\"addedRows\":2,\"refs\":[\"main\"]},"
           "{\"id\":\"11\",\"time\":\"2025-11-20T22:05:55.123Z\",\"operation\":\"append\",\"current\":false,"
           "\"addedRows\":2,\"refs\":[\"v1\"]}]"));
    CHECK_SV(
        member(&b, "metadataLog"),
        SV("[{\"time\":\"2025-11-20T22:05:55.123Z\",\"file\":\"s3://b/t/metadata/2.json\",\"current\":true},"
           "{\"time\":\"1970-01-01T00:00:01.000Z\",\"file\":\"s3://b/t/metadata/1.json\",\"current\":false}]"));
    arena_done(&b.arena);
}

static void an_answer_without_metadata_is_refused(void)
{
    static const char *const all[] = {"{}", "[]", "7", "{\"metadata\": []}",
                                      "{\"metadata\": null}"};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct bench b;

        start(&b, all[i]);
        CHECK(!describe_table(&b.id, b.answer, &b.arena, &b.out, &b.e));
        CHECK_INT(b.e.code, ERR_INVALID);
        CHECK(!describe_history(&b.id, b.answer, &b.arena, &b.out, &b.e));
        arena_done(&b.arena);
    }
}

/* A server that sends other kinds of values than it should. */
static void values_of_the_wrong_kind_are_left_out(void)
{
    struct bench b;
    struct buf out;

    start(
        &b,
        "{\"metadata-location\": 7, \"metadata\": {\"schemas\": {\"a\": 1}, \"current-schema-id\": \"x\","
        " \"snapshots\": [1, \"x\", {\"snapshot-id\": \"y\", \"summary\": []}], \"refs\": [1],"
        " \"properties\": [1, 2], \"metadata-log\": [null, {}], \"partition-specs\": [{\"spec-id\": 0,"
        " \"fields\": [{\"source-id\": 1.5}, 7]}], \"last-updated-ms\": \"now\"}}");
    out = buf_new(&b.arena, 1 << 16);
    NEED_OK(describe_table(&b.id, b.answer, &b.arena, &b.out, &b.e), &b.e);
    CHECK_SV(member(&b, "locations"), SV("[]"));
    CHECK_SV(member(&b, "updated"), SV("(absent)"));
    print_table(&out, b.out, &b.arena);
    NEED_OK(describe_history(&b.id, b.answer, &b.arena, &b.out, &b.e), &b.e);
    print_history(&out, b.out, &b.arena);
    CHECK(!out.over);
    arena_done(&b.arena);
}

static void a_table_is_printed_without_what_a_terminal_obeys_and_without_keys(void)
{
    struct bench b;
    struct buf out;

    start(&b, answer);
    out = buf_new(&b.arena, 1 << 16);
    NEED_OK(describe_table(&b.id, b.answer, &b.arena, &b.out, &b.e), &b.e);
    print_table(&out, b.out, &b.arena);
    CHECK(sv_starts(buf_sv(&out), SV("c.\"a.b\".t\n  uuid     u\n  format   2\n")));
    CHECK(sv_contains(buf_sv(&out), SV("\n  k                v\\x1b[2J\n")));
    CHECK(sv_contains(buf_sv(&out), SV("\nSNAPSHOTS (last 2 of 2)\n")));
    CHECK(sv_contains(buf_sv(&out), SV("who may do what: add --resources")));
    CHECK(!sv_has_char(buf_sv(&out), '\x1b'));
    CHECK(!sv_contains(buf_sv(&out), SV("hidden")));
    CHECK(!sv_contains(json_text(&b.arena, b.out), SV("hidden")));
    arena_done(&b.arena);
}

/* What is held in part says so, and a grant is named once. */
static void rights_are_told_in_words(void)
{
    static const char text[] =
        "[{\"principal\": \"l/etl\", \"privileges\": {\"TABLE_READ_DATA\": \"g1\","
        " \"TABLE_DELETE_DATA\": \"g2\", \"TABLE_LIST\": \"g1\", \"TABLE_CREATE\": \"g3\","
        " \"TABLE_SET_LOCATION\": \"g2\", \"TABLE_ADD_SCHEMA\": \"g2\","
        " \"TABLE_SET_PROPERTIES\": \"g3\", \"TABLE_REMOVE_PROPERTIES\": \"g3\"}}]";
    static const char shown[] =
        "\nWHO MAY DO WHAT\n"
        "  PRINCIPAL  DATA          METADATA      CHANGES                                  BY\n"
        "  l/etl      read, delete  list, create  structure in part, properties, location  "
        "g1, g2, g3\n";
    struct bench b;
    struct buf out;
    struct json *access;

    start(&b, answer);
    out = buf_new(&b.arena, 1 << 16);
    NEED_OK(describe_table(&b.id, b.answer, &b.arena, &b.out, &b.e), &b.e);
    NEED_OK(json_read(sv_from(text), &b.arena, &access, &b.e), &b.e);
    json_set(b.out, SV("access"), access);
    print_table(&out, b.out, &b.arena);
    CHECK(sv_ends(buf_sv(&out), sv_from(shown)));
    arena_done(&b.arena);
}

SUITE("client/describe", TEST(a_table_is_described), TEST(ids_are_exact_and_the_newest_comes_first),
      TEST(an_answer_without_metadata_is_refused), TEST(values_of_the_wrong_kind_are_left_out),
      TEST(a_table_is_printed_without_what_a_terminal_obeys_and_without_keys),
      TEST(rights_are_told_in_words))
