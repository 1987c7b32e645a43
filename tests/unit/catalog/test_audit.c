/* test_audit.c - one record per decision, whole, readable by machines, and never a secret. */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

#include "fakes/api_server.h"
#include "serve/audit.h"
#include "unit/catalog/serve_bench.h"

static struct bench b;

/* The last record but `back`, as JSON. */
static struct json *record(struct sv text, size_t back)
{
    struct json *v = NULL;
    struct sv line = {0};
    size_t n = count_of(text, "\n");

    NEED(n > back);
    for (size_t i = 0; i < n - back; i++)
        (void)sv_cut(&text, '\n', &line);
    NEED_OK(json_read(line, &b.arena, &v, &b.e), &b.e);
    return v;
}

static void check_field(const struct json *r, const char *name, const char *want)
{
    CHECK_SV(json_get_str(r, sv_from(name)), sv_from(want));
}

static void every_request_leaves_one_record(void)
{
    static const struct asking all[] = {
        {.path = "/v1/config"                  },
        {.path = "/v1/config?warehouse=nowhere"},
        {.path = "/v1/nothing"                 },
        {.method = HTTP_PUT,                     .path = "/v1/config"},
        {.path = "/v1/config",                                      .authorization = "none"},
        {.path = "/v1/config",.authorization = "Bearer a.b.c"},
        {.method = HTTP_POST,                   .path = "/v1/c/namespaces", .body = "{\"namespace\":[\"n\"]}"},
        {.method = HTTP_POST,                                      .path = "/v1/c/namespaces", .body = "{"},
        {.method = HTTP_HEAD,.path = "/v1/c/namespaces/n"},
        {.path = "/v1/c/namespaces/n/tables/none"                                     },
        {.method = HTTP_POST,.path = "/v1/oauth/tokens", .body = "grant_type=x"},
        {.path = "/v1/config?a=%zz"                                     },
    };
    enum { N = sizeof(all) / sizeof(all[0]) };
    int statuses[N];
    struct sv text;

    bench_start(&b, LAKE);
    for (size_t i = 0; i < N; i++)
        statuses[i] = bench_ask(&b, &all[i]).status;
    text = bench_records(&b);
    CHECK_INT(count_of(text, "\n"), N + 1);
    for (size_t i = 0; i < N; i++) {
        const struct json *r = record(text, N - 1 - i);

        CHECK_INT(json_i64(json_get(r, SV("status")), 0), statuses[i]);
        check_field(r, "decision", statuses[i] < 400 ? "allowed" : "denied");
        check_field(r, "peer", "127.0.0.1");
        check_field(r, "method", http_method_text(all[i].method).p);
        CHECK((json_get_str(r, SV("reason")).n != 0) == (statuses[i] >= 400));
        CHECK_INT(json_get_str(r, SV("requestId")).n, 16);
        CHECK(json_get_str(r, SV("operation")).n != 0);
    }
    bench_done(&b);
}

static void a_record_says_who_asked_for_what_and_why_not(void)
{
    const struct json *r;

    bench_start(
        &b,
        LAKE HEAD("CatalogRole",
                  "reader") "{catalogRef: {name: c}, principals: [{kind: Principal, name: bob}], "
                            "grants: [{privileges: [NAMESPACE_LIST], namespaces: [n]}]}\n");
    {
        struct http_response t = bench_form(
            &b, "grant_type=client_credentials&client_id=bob-id&client_secret=s3cr3t-of-bob", NULL);

        b.token = json_get_str(bench_json(&b, &t), SV("access_token"));
    }
    CHECK_INT(
        bench_ask(&b, &(struct asking){.path = "/v1/c/namespaces/n%1Fm/tables/t", .agent = "spark"})
            .status,
        403);
    r = record(bench_records(&b), 0);
    check_field(r, "time", "2023-11-14T22:13:20.000Z");
    check_field(r, "principal", "l/bob");
    check_field(r, "operation", "load-table");
    check_field(r, "catalog", "c");
    check_field(r, "namespace", "n.m");
    check_field(r, "table", "t");
    check_field(r, "missing", "TABLE_READ_PROPERTIES");
    check_field(r, "userAgent", "spark");
    bench_done(&b);
}

static void a_name_with_a_dot_is_not_two_names(void)
{
    static const char *const paths[] = {"/v1/c/namespaces/a%1Fb/tables/t",
                                        "/v1/c/namespaces/a.b/tables/t",
                                        "/v1/c/namespaces/a/tables/b.t"};
    static const char *const namespaces[] = {"a.b", "\"a.b\"", "a"}, *const said[] = {"a.b.t",
                                                                                      "\"a.b\".t",
                                                                                      "a.\"b.t\""};
    struct sv text;

    bench_start(&b, LAKE);
    for (size_t i = 0; i < 3; i++)
        CHECK_INT(bench_ask(&b, &(struct asking){.path = paths[i]}).status, 404);
    text = bench_records(&b);
    for (size_t i = 0; i < 3; i++) {
        const struct json *r = record(text, 2 - i);

        check_field(r, "namespace", namespaces[i]);
        CHECK(sv_ends(json_get_str(r, SV("reason")), sv_from(said[i])));
    }
    bench_done(&b);
}

static void a_commit_says_which_updates(void)
{
    static const char body[] =
        "{\"requirements\":[],\"updates\":["
        "{\"action\":\"set-properties\",\"updates\":{\"owner\":\"" SECRET "\",\"x\":\"1\"}},"
        "{\"action\":\"remove-properties\",\"removals\":[\"y\"]},"
        "{\"action\":\"set-location\",\"location\":\"s3://b/elsewhere\"},"
        "{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":7,\"summary\":{}}},"
        "{\"action\":\"set-snapshot-ref\",\"ref-name\":\"main\",\"type\":\"branch\","
        "\"snapshot-id\":7},"
        "{\"action\":\"remove-snapshots\",\"snapshot-ids\":[1,2]}]}";
    const struct json *r;

    bench_start(&b, LAKE);
    CHECK_INT(bench_ask(&b, &(struct asking){.method = HTTP_POST,
                                             .path = "/v1/c/namespaces/n/tables/t",
                                             .body = body})
                  .status,
              404);
    r = record(bench_records(&b), 0);
    CHECK_SV(json_text(&b.arena, json_path(r, SV("details.updates"))),
             SV("[{\"action\":\"set-properties\",\"properties\":[\"owner\",\"x\"]},"
                "{\"action\":\"remove-properties\",\"removals\":[\"y\"]},"
                "{\"action\":\"set-location\",\"location\":\"s3://b/elsewhere\"},"
                "{\"action\":\"add-snapshot\",\"snapshot-id\":7},"
                "{\"action\":\"set-snapshot-ref\",\"ref-name\":\"main\",\"type\":\"branch\","
                "\"snapshot-id\":7},"
                "{\"action\":\"remove-snapshots\",\"snapshot-ids\":[1,2]}]"));
    bench_done(&b);
}

/* However many there are, each is there or counted. */
static void no_update_of_a_long_commit_goes_unsaid(void)
{
    enum { MANY = 900 };
    const struct json *updates, *more;
    struct buf body;
    int64_t said;

    bench_start(&b, LAKE);
    body = buf_new(&b.arena, 1024 * 1024);
    buf_add(&body, SV("{\"updates\":["));
    for (int i = 0; i < MANY; i++)
        buf_addf(&body, "%s{\"action\":\"set-location\",\"location\":\"s3://b/%0200d\"}",
                 i ? "," : "", i);
    buf_add(&body, SV(",{\"action\":\"set-properties\",\"updates\":{}}]}"));
    (void)bench_ask(&b, &(struct asking){.method = HTTP_POST,
                                         .path = "/v1/c/namespaces/n/tables/t",
                                         .body = buf_sv(&body).p});
    updates = json_path(record(bench_records(&b), 0), SV("details.updates"));
    said = (int64_t)json_count(updates) - 1;
    CHECK(said > 20);
    more = json_get(json_at(updates, (size_t)said), SV("more"));
    CHECK_INT(json_i64(json_get(more, SV("set-location")), 0), MANY - said);
    CHECK_INT(json_i64(json_get(more, SV("set-properties")), 0), 1);
    bench_done(&b);
}

static void no_secret_is_in_any_record(void)
{
    struct sv text;

    bench_start(&b, LAKE);
    (void)bench_form(&b, "grant_type=client_credentials&client_id=" SECRET "&client_secret=x",
                     NULL);
    (void)bench_form(&b, "grant_type=" SECRET "&client_id=alice-id", NULL);
    (void)bench_form(
        &b, "grant_type=client_credentials&client_id=alice-id&client_secret=" SECRET "&scope=wrong",
        NULL);
    (void)bench_ask(&b, &(struct asking){.path = "/v1/config", .authorization = "Bearer " SECRET});
    (void)bench_ask(&b, &(struct asking){.path = "/v1/config", .authorization = "Basic " SECRET});
    (void)bench_ask(&b, &(struct asking){.path = "/v1/config?client_secret=" SECRET});
    text = bench_records(&b);
    CHECK_INT(count_of(text, "\n"), 7);
    CHECK_INT(count_of(text, SECRET), 0);
    CHECK_INT(count_of(text, arena_printf(&b.arena, SV_FMT, SV_ARG(b.token)).p), 0);
    bench_done(&b);
}

/* Names come from outside: they must not begin a record, nor end one's string, nor make a line that
 * a reader of JSON refuses. */
static void hostile_names_stay_inside_their_strings(void)
{
    static const struct asking all[] = {
        {.path = "/v1/c/namespaces/%22%2C%22decision%22%3A%22allowed"},
        {.path = "/v1/c/namespaces/n%0A%7B%22status%22%3A200%7D"     },
        {.path = "/v1/c/namespaces/a%5C/tables/b%5C%22"              },
        {.path = "/v1/c/namespaces/n%FF%C0%80/tables/%ED%A0%80"      },
        {.path = "/v1/%FF/namespaces"                                },
        {.path = "/v1/config",                                         .agent = "\xff\xfe \"x\\"},
        {.path = "/v1/config",                                                            .agent = "caf\xc3\xa9 \xe2\x82"},
        {.path = "/v1/c/namespaces/%7F%C2%85%E2%80%A8"},
    };
    enum { N = sizeof(all) / sizeof(all[0]) };
    struct sv text;

    bench_start(&b, LAKE);
    for (size_t i = 0; i < N; i++)
        (void)bench_ask(&b, &all[i]);
    text = bench_records(&b);
    CHECK_INT(count_of(text, "\n"), N + 1);
    for (size_t i = 0; i < N; i++)
        CHECK(json_get_str(record(text, i), SV("decision")).n != 0);
    CHECK_INT(count_of(text, "\"decision\":\"allowed\""), 3);
    bench_done(&b);
}

/* As long as a request can make it, a record is written, and whole. */
static void the_longest_record_is_written_whole(void)
{
    static const char *const fills[] = {"%22", "%FF", "%5C", "x"};
    struct sv text;

    bench_start(&b, LAKE);
    for (int f = 0; f < 4; f++) {
        struct buf path = buf_new(&b.arena, 1 << 20), agent = buf_new(&b.arena, 1 << 16);
        size_t each = strlen(fills[f]) == 3 ? 200 : 255;

        buf_add(&path, SV("/v1/c/namespaces/"));
        for (int i = 0; i < LIMIT_NAMESPACE_LEVELS; i++) {
            buf_add(&path, i ? SV("%1F") : SV(""));
            for (size_t j = 0; j < each; j++)
                buf_add(&path, sv_from(fills[f]));
        }
        buf_add(&path, SV("/tables/"));
        for (size_t j = 0; j < each; j++)
            buf_add(&path, sv_from(fills[f]));
        for (int i = 0; i < 3000; i++)
            buf_add(&agent, SV("\xff\""));
        (void)bench_ask(&b, &(struct asking){.path = path.p, .agent = agent.p});
    }
    text = bench_records(&b);
    CHECK_INT(count_of(text, "\n"), 5);
    for (size_t i = 0; i < 4; i++)
        CHECK(json_get_str(record(text, i), SV("decision")).n != 0);
    bench_done(&b);
}

static int send_raw(struct sv request)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_port = htons((uint16_t)atoi(strrchr(b.url.p, ':') + 1));
    NEED(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    NEED(send(fd, request.p, request.n, MSG_NOSIGNAL) == (ssize_t)request.n);
    return fd;
}

/* A client that does not wait for its answer is on record like one that does. */
static void a_client_that_hangs_up_is_on_record(void)
{
    struct sv request;

    bench_start(&b, LAKE);
    request = arena_printf(
        &b.arena,
        "GET /v1/c/namespaces HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " SV_FMT "\r\n\r\n",
        SV_ARG(b.token));
    for (int i = 0; i < 150; i++) {
        int fd = send_raw(request);

        /* A few leave before they are read, most while the keeper looks or later: on a busy machine
         * it takes longer until they are read. */
        if (i % 10)
            (void)poll(NULL, 0, 1 + i / 10);
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
        (void)close(fd);
    }
    CHECK_INT(bench_ask(&b, &(struct asking){.path = "/v1/c/namespaces"}).status, 200);
    CHECK(count_of(bench_records(&b), "\"operation\":\"list-namespaces\"") > 20);
    bench_done(&b);
}

/* The token service is silent, and there is no time left to wait for it: what was asked of it may
 * happen all the same. */
static void what_is_under_way_at_the_end_is_on_record(void)
{
    static const struct fake_reply silence = {"HTTP/1.1 200 OK\r\n", FAKE_HOLD, 0};
    static struct fake_server store;
    const struct json *r;
    struct sv request;
    int fd;

    fake_start(&store, &silence, 1);
    bench_start(&b, LAKE);
    bench_publish(&b,
                  arena_printf(&b.arena,
                               HEAD("StorageIntegration",
                                    "s") "{storageType: s3, provider: ceph-rgw, "
                                         "bucket: bkt, endpoint: 'http://127.0.0.1:%d'}\n---\n%s",
                               store.port, CATALOG("c") ALICE BOB TEAM ROLE("c"))
                      .p);
    bench_namespace(&b);
    request = sv_from("{\"name\":\"t\",\"schema\":{\"type\":\"struct\",\"fields\":[]}}");
    request = arena_printf(&b.arena,
                           "POST /v1/c/namespaces/n/tables HTTP/1.1\r\nHost: h\r\nContent-Length: "
                           "%zu\r\nAuthorization: Bearer " SV_FMT "\r\n\r\n" SV_FMT,
                           request.n, SV_ARG(b.token), SV_ARG(request));
    fd = send_raw(request);
    for (int i = 0; i < 1000 && atomic_load(&store.served) < 1; i++)
        (void)poll(NULL, 0, 5);
    CHECK_INT(atomic_load(&store.served), 1);
    r = record(bench_records_after(&b, 0), 0);
    check_field(r, "operation", "create-table");
    check_field(r, "decision", "denied");
    CHECK_INT(json_i64(json_get(r, SV("status")), 0), 503);
    (void)close(fd);
    bench_done(&b);
    fake_stop(&store);
}

/* ---- the sinks ---- */

enum { WRITERS = 4, EACH = 2000 };

static void *write_many(void *audit)
{
    for (int i = 0; i < EACH; i++)
        audit_write(audit, i, SV("{\"n\":\"0123456789012345678901234567890123456789\"}"));
    return NULL;
}

static void many_writers_lose_no_record_and_mix_no_lines(void)
{
    static const char path[] = "/tmp/fd-audit-test";
    pthread_t threads[WRITERS];
    struct audit_options o = {.world = &world_os};
    auto_arena a = {0};
    struct audit *audit;
    struct err e = {0};
    char line[200];
    int lines = 0;
    FILE *f;

    (void)unlink(path);
    vec_push(&o.sinks, &a, SV("file:/tmp/fd-audit-test"));
    NEED_OK(audit_start(&o, &a, &audit, &e), &e);
    for (int i = 0; i < WRITERS; i++)
        NEED(pthread_create(&threads[i], NULL, write_many, audit) == 0);
    for (int i = 0; i < WRITERS; i++)
        (void)pthread_join(threads[i], NULL);
    audit_stop(audit);
    f = fopen(path, "r");
    NEED(f != NULL);
    while (fgets(line, sizeof(line), f))
        lines += strcmp(line, "{\"n\":\"0123456789012345678901234567890123456789\"}\n") == 0;
    (void)fclose(f);
    (void)unlink(path);
    CHECK_INT(lines, WRITERS * EACH);
}

static struct sv line_of(struct arena *a, size_t n, char c)
{
    char *p = arena_alloc(a, n);

    memset(p, c, n);
    return sv_of(p, n);
}

/* Whoever makes its record as long as one may be must not drive out what stands beside it. */
static void the_longest_records_fit_behind_each_other(void)
{
    static const char path[] = "/tmp/fd-audit-long";
    struct audit_options o = {.world = &world_os};
    auto_arena a = {0};
    struct audit *audit;
    struct err e = {0};
    size_t lengths[4] = {1024 * 1024 - 1, AUDIT_RECORD_BYTES, AUDIT_RECORD_BYTES, 10};
    FILE *f;

    (void)unlink(path);
    vec_push(&o.sinks, &a, SV("file:/tmp/fd-audit-long"));
    NEED_OK(audit_start(&o, &a, &audit, &e), &e);
    for (size_t i = 0; i < 4; i++)
        audit_write(audit, 1, line_of(&a, lengths[i], (char)('a' + (int)i)));
    audit_stop(audit);
    f = fopen(path, "r");
    NEED(f != NULL);
    for (size_t i = 0; i < 4; i++) {
        size_t n = 0;
        int c;

        while ((c = fgetc(f)) == 'a' + (int)i)
            n++;
        CHECK_INT(n, lengths[i]);
        CHECK_INT(c, '\n');
    }
    (void)fclose(f);
    (void)unlink(path);
}

static void a_sink_that_cannot_be_is_an_error(void)
{
    static const char *const wrong[] = {"", "stderr", "file:", "file:/nowhere/at/all",
                                        "File:/tmp/x"};
    struct audit *audit;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct audit_options o = {.world = &world_os};
        auto_arena a = {0};
        struct err e = {0};

        vec_push(&o.sinks, &a, sv_from(wrong[i]));
        CHECK(!audit_start(&o, &a, &audit, &e));
        CHECK_INT(e.code, ERR_INVALID);
    }
}

SUITE("catalog/audit", TEST(every_request_leaves_one_record),
      TEST(a_record_says_who_asked_for_what_and_why_not), TEST(a_name_with_a_dot_is_not_two_names),
      TEST(a_commit_says_which_updates), TEST(no_update_of_a_long_commit_goes_unsaid),
      TEST(no_secret_is_in_any_record), TEST(hostile_names_stay_inside_their_strings),
      TEST(the_longest_record_is_written_whole), TEST(a_client_that_hangs_up_is_on_record),
      TEST(what_is_under_way_at_the_end_is_on_record),
      TEST(many_writers_lose_no_record_and_mix_no_lines),
      TEST(the_longest_records_fit_behind_each_other), TEST(a_sink_that_cannot_be_is_an_error))
