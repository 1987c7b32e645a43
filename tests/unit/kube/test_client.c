/* test_client.c - one request at a time, against a server that follows a script. */
#include "fakes/api_server.h"
#include "kube/client.h"
#include "kube/config.h"
#include "unit/suite.h"

struct bench {
    struct arena arena;
    struct world_test time;
    struct kube_config config;
    struct fake_server server;
    struct kube_client *client;
};

static void bench_start(struct bench *b, const struct fake_reply *replies, size_t n)
{
    world_test_init(&b->time, 1, 1000000);
    fake_start(&b->server, replies, n);
    b->config.world = &b->time.world;
    b->config.server = arena_printf(&b->arena, "http://127.0.0.1:%d", b->server.port);
    b->client = kube_client_new(&b->config, &b->arena);
}

static void bench_done(struct bench *b)
{
    arena_done(&b->arena);
    fake_stop(&b->server);
}

static void applying_is_a_forced_patch_under_the_managers_name(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_JSON("201 Created", "{\"metadata\":{\"resourceVersion\":\"7\"}}"), FAKE_CLOSE, 0}
    };
    struct kube_name n = {.group_version = SV("x.io/v1"),
                          .namespace_ = SV("ns"),
                          .resource = SV("things"),
                          .name = SV("a"),
                          .subresource = SV("status")};
    struct bench b = {0};
    struct kube_reply r = {0};
    struct err e = {0};
    struct json *o;

    bench_start(&b, replies, 1);
    o = json_new_object(&b.arena);
    json_set_str(o, &b.arena, SV("kind"), SV("Thing"));
    CHECK_OK(
        kube_apply(b.client, &(struct kube_patch){&n, SV("frontdesk-status"), o}, &b.arena, &r, &e),
        &e);
    CHECK_INT(r.status, 201);
    CHECK_SV(json_str(json_path(r.body, SV("metadata.resourceVersion")), SV("")), SV("7"));
    CHECK(sv_starts(sv_from(b.server.requests[0]),
                    SV("PATCH /apis/x.io/v1/namespaces/ns/things/a/status?fieldManager="
                       "frontdesk-status&force=true HTTP/1.1\r\n")));
    CHECK(strstr(b.server.requests[0], "Content-Type: application/apply-patch+yaml\r\n") != NULL);
    CHECK(sv_ends(sv_from(b.server.requests[0]), SV("\r\n\r\n{\"kind\":\"Thing\"}")));
    bench_done(&b);
}

static void a_401_is_tried_once_more_with_a_fresh_token(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_JSON("401 Unauthorized", "{}"),                             FAKE_CLOSE, 0},
        {FAKE_JSON("401 Unauthorized", "{\"message\":\"Unauthorized\"}"), FAKE_CLOSE, 0}
    };
    char path[] = "/tmp/frontdesk-token-XXXXXX";
    int fd = mkstemp(path);
    struct kube_request q = {.path = SV("/version")};
    struct bench b = {0};
    struct kube_reply r = {0};
    struct err e = {0};

    NEED(fd >= 0 && write(fd, "t1", 2) == 2);
    b.config.token.path = sv_from(path);
    bench_start(&b, replies, 2);
    CHECK(!kube_call(b.client, &q, &b.arena, &r, &e));
    CHECK_INT(e.code, ERR_DENIED);
    CHECK_INT(r.status, 401);
    CHECK_SV(sv_from(e.msg), SV("Unauthorized (HTTP 401)"));
    bench_done(&b);
    CHECK_INT(atomic_load(&b.server.served), 2);
    (void)close(fd);
    (void)unlink(path);
}

static void a_server_that_is_not_there_is_unavailable(void)
{
    struct kube_request q = {.path = SV("/version")};
    struct bench b = {0};
    struct kube_reply r = {.status = 200};
    struct err e = {0};

    bench_start(&b, NULL, 0);
    fake_stop(&b.server);
    CHECK(!kube_call(b.client, &q, &b.arena, &r, &e));
    CHECK_INT(e.code, ERR_UNAVAILABLE);
    CHECK(sv_starts(sv_from(e.msg), SV("GET /version: ")));
    arena_done(&b.arena);
}

static void an_answer_cut_in_its_body_is_none(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_HEAD("200 OK") "Content-Length: 50\r\n\r\n{\"a\":", FAKE_CLOSE, 0}
    };
    struct kube_request q = {.path = SV("/version")};
    struct bench b = {0};
    struct kube_reply r = {0};
    struct err e = {0};

    bench_start(&b, replies, 1);
    CHECK(!kube_call(b.client, &q, &b.arena, &r, &e));
    CHECK_INT(e.code, ERR_UNAVAILABLE);
    CHECK_INT(r.status, 0);
    bench_done(&b);
}

static void impersonation_and_type_are_sent(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_JSON("201 Created", "{}"), FAKE_CLOSE, 0}
    };
    struct kube_request q = {.method = HTTP_POST, .path = SV("/api/v1/x"), .body = SV("{}")};
    struct bench b = {0};
    struct kube_reply r = {0};
    struct err e = {0};

    http_header_add(&b.config.impersonate, &b.arena, SV("Impersonate-User"), SV("bob"));
    bench_start(&b, replies, 1);
    CHECK_OK(kube_call(b.client, &q, &b.arena, &r, &e), &e);
    CHECK(strstr(b.server.requests[0], "Impersonate-User: bob\r\n") != NULL);
    CHECK(strstr(b.server.requests[0], "Content-Type: application/json\r\n") != NULL);
    CHECK(strstr(b.server.requests[0], "Accept: application/json, */*;q=0.5\r\n") != NULL);
    bench_done(&b);
}

SUITE("kube/client", TEST(applying_is_a_forced_patch_under_the_managers_name),
      TEST(a_401_is_tried_once_more_with_a_fresh_token),
      TEST(a_server_that_is_not_there_is_unavailable), TEST(an_answer_cut_in_its_body_is_none),
      TEST(impersonation_and_type_are_sent))
