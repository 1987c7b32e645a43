/* test_made.c - what is in force is never called refused, and nothing is made that cannot be told.
 */
#include "fakes/api_server.h"
#include "unit/catalog/serve_bench.h"

#define KEY        "01890a5d-ac96-774b-bcce-b302099a8057"
#define DELEGATION "vended-credentials"
#define OK         "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define BUSY       "HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
#define CREDENTIALS                                                                                 \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"                                                  \
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>"    \
    "<Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>sk</SecretAccessKey>"            \
    "<SessionToken>token</SessionToken><Expiration>2023-11-14T23:00:00Z</Expiration></Credentials>" \
    "</AssumeRoleResult></AssumeRoleResponse>"

static struct bench b;
static struct fake_server store;

/* A store that gives these answers, one after the other. */
static void begin(const struct fake_reply *replies, size_t n, const char *privileges)
{
    auto_arena a = {0};

    fake_start(&store, replies, n);
    bench_start(
        &b,
        arena_printf(&a,
                     HEAD("StorageIntegration",
                          "s") "{storageType: s3, provider: ceph-rgw, "
                               "bucket: bkt, endpoint: 'http://127.0.0.1:%d'}\n---\n%s" HEAD(
                                   "CatalogRole", "r") "{catalogRef: {name: c}, principals: "
                                                       "[{kind: Principal, name: alice}], grants: "
                                                       "[{privileges: [%s]}]}\n---\n",
                     store.port, CATALOG("c") ALICE BOB, privileges)
            .p);
    bench_namespace(&b);
}

static void end(void)
{
    bench_done(&b);
    fake_stop(&store);
}

static struct http_response make(const char *more, const char *key)
{
    return bench_ask(
        &b, &(struct asking){.method = HTTP_POST,
                             .path = "/v1/c/namespaces/n/tables",
                             .body = arena_printf(&b.arena,
                                                  "{\"name\":\"t\",\"schema\":{\"type\":\"struct\","
                                                  "\"fields\":[]}%s}",
                                                  more)
                                         .p,
                             .key = key,
                             .delegation = DELEGATION});
}

static int exists(void)
{
    return bench_ask(&b,
                     &(struct asking){.method = HTTP_HEAD, .path = "/v1/c/namespaces/n/tables/t"})
        .status;
}

/* 503 with Retry-After would promise that nothing was done: who asks again is told 409. */
static void a_table_that_was_made_and_got_no_keys_is_of_unknown_outcome(void)
{
    static const struct fake_reply replies[] = {
        {CREDENTIALS, FAKE_CLOSE, 0},
        {OK,          FAKE_CLOSE, 0},
        {BUSY,        FAKE_CLOSE, 0}
    };
    struct http_response r;

    begin(replies, 3, "CATALOG_MANAGE_CONTENT");
    r = make("", NULL);
    check_error(&b, &r, 500, "CommitStateUnknownException");
    CHECK(!http_header(&r.headers, SV("Retry-After")));
    CHECK_INT(exists(), 204);
    end();
}

/* Who bears a key may ask again, and is answered when there are keys. */
static void under_a_key_it_is_answered_when_it_is_asked_for_again(void)
{
    static const struct fake_reply replies[] = {
        {CREDENTIALS, FAKE_CLOSE, 0},
        {OK,          FAKE_CLOSE, 0},
        {BUSY,        FAKE_CLOSE, 0},
        {CREDENTIALS, FAKE_CLOSE, 0}
    };
    struct http_response r;

    begin(replies, 4, "CATALOG_MANAGE_CONTENT");
    r = make("", KEY);
    check_error(&b, &r, 503, "SlowDownException");
    CHECK(http_header(&r.headers, SV("Retry-After")));
    (void)atomic_fetch_add(&b.ms, 60 * 1000);
    r = make("", KEY);
    CHECK_INT(r.status, 200);
    CHECK(json_get(bench_json(&b, &r), SV("storage-credentials")));
    end();
}

static void a_table_for_which_no_policy_can_be_written_is_not_made(void)
{
    static const struct fake_reply replies[] = {
        {CREDENTIALS, FAKE_CLOSE, 0},
        {OK,          FAKE_CLOSE, 0}
    };
    auto_arena a = {0};
    struct buf more = buf_new(&a, 4096);
    struct http_response r;

    buf_add(&more, SV(",\"properties\":{\"write.data.path\":\"s3://bkt/c/"));
    for (int i = 0; i < 900; i++)
        buf_addc(&more, 'x');
    buf_add(&more, SV("\"}"));
    begin(replies, 2, "CATALOG_MANAGE_CONTENT");
    r = make(arena_cstr(&a, buf_sv(&more)), NULL);
    check_error(&b, &r, 400, "BadRequestException");
    CHECK_INT(exists(), 404);
    CHECK_INT(atomic_load(&store.served), 0);
    end();
}

/* It may delete what it is told of, and read nothing. */
static void who_may_delete_data_and_not_read_it_is_given_no_keys_and_told_the_rest(void)
{
    static const struct fake_reply replies[] = {
        {CREDENTIALS, FAKE_CLOSE, 0},
        {OK,          FAKE_CLOSE, 0}
    };
    struct http_response r;

    begin(replies, 2, "NAMESPACE_CREATE, TABLE_CREATE, TABLE_READ_PROPERTIES, TABLE_DELETE_DATA");
    r = make("", NULL);
    CHECK_INT(r.status, 200);
    CHECK(!json_has(bench_json(&b, &r), SV("storage-credentials")));
    r = bench_ask(
        &b, &(struct asking){.path = "/v1/c/namespaces/n/tables/t", .delegation = DELEGATION});
    CHECK_INT(r.status, 200);
    CHECK(!json_has(bench_json(&b, &r), SV("storage-credentials")));
    r = bench_ask(&b, &(struct asking){.path = "/v1/c/namespaces/n/tables/t/credentials"});
    check_error(&b, &r, 403, "ForbiddenException");
    end();
}

static int status_of_load(void)
{
    return bench_ask(&b, &(struct asking){.path = "/v1/c/namespaces/n/tables/t"}).status;
}

/* Nothing of it is shown; but clients delete the files of what they are told was refused. */
static void a_repetition_whose_place_is_not_allowed_any_more_is_not_called_refused(void)
{
    static const struct fake_reply replies[] = {
        {CREDENTIALS, FAKE_CLOSE, 0},
        {OK,          FAKE_CLOSE, 0}
    };
    struct http_response r;

    begin(replies, 2, "TABLE_READ_PROPERTIES, TABLE_CREATE, NAMESPACE_CREATE");
    CHECK_INT(make("", KEY).status, 200);
    bench_publish(
        &b, HEAD("StorageIntegration",
                 "s") "{storageType: s3, provider: ceph-rgw, bucket: bkt, endpoint: "
                      "'http://127.0.0.1:1', allowedLocations: ['s3://bkt/other/*']}\n---\n" HEAD(
                          "PolarisCatalog",
                          "c") "{storageIntegrationRef: {name: s}}\n---\n" ALICE BOB ROLE("c"));
    for (int i = 0; i < 1000 && status_of_load() != 403; i++)
        ;
    CHECK_INT(status_of_load(), 403);
    r = make("", KEY);
    check_error(&b, &r, 500, "CommitStateUnknownException");
    CHECK(!sv_contains(r.body, SV("schema")));
    end();
}

SUITE("catalog/made", TEST(a_table_that_was_made_and_got_no_keys_is_of_unknown_outcome),
      TEST(under_a_key_it_is_answered_when_it_is_asked_for_again),
      TEST(a_table_for_which_no_policy_can_be_written_is_not_made),
      TEST(who_may_delete_data_and_not_read_it_is_given_no_keys_and_told_the_rest),
      TEST(a_repetition_whose_place_is_not_allowed_any_more_is_not_called_refused))
