/* test_heads.c - what a request's head decides, before its body has come; and large bodies. */
#include <arpa/inet.h>
#include <sys/socket.h>

#include "unit/catalog/serve_bench.h"

enum { PATIENCE_MS = 20000, ANSWER_BYTES = 4096 };

static struct bench b;

/* ---- on the wire ---- */

static int wire_open(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_port = htons((uint16_t)atoi(strrchr(arena_cstr(&b.arena, b.url), ':') + 1));
    NEED(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    return fd;
}

static void wire_send(int fd, struct sv bytes)
{
    while (bytes.n) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        bytes = sv_skip(bytes, (size_t)n);
    }
}

/* The answer's status, once its head is there; 0: the connection ended, or nothing came. */
static int wire_status(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char text[ANSWER_BYTES] = {0};
    size_t n = 0;

    while (!strstr(text, "\r\n\r\n")) {
        ssize_t got;

        if (n + 1 >= sizeof(text) || poll(&p, 1, PATIENCE_MS) != 1 ||
            (got = recv(fd, text + n, sizeof(text) - 1 - n, 0)) <= 0)
            return 0;
        n += (size_t)got;
    }
    return atoi(text + strlen("HTTP/1.1 "));
}

static struct sv head_of(const char *line, struct sv token, size_t length)
{
    return arena_printf(&b.arena, "%s HTTP/1.1\r\nHost: h\r\n" SV_FMT "Content-Length: %zu\r\n\r\n",
                        line, SV_ARG(token), length);
}

static struct sv bearer(struct sv token)
{
    return arena_printf(&b.arena, "Authorization: Bearer " SV_FMT "\r\n", SV_ARG(token));
}

static struct sv token_of_bob(void)
{
    struct http_response t = bench_form(
        &b, "grant_type=client_credentials&client_id=bob-id&client_secret=s3cr3t-of-bob", NULL);

    return json_get_str(bench_json(&b, &t), SV("access_token"));
}

/* ---- the head decides ---- */

#define TABLE_T "/v1/c/namespaces/n/tables/t"
#define BOB_SEES_N                                                         \
    HEAD("CatalogRole", "reader")                                          \
    "{catalogRef: {name: c}, principals: [{kind: Principal, name: bob}], " \
    "grants: [{privileges: [NAMESPACE_LIST], namespaces: [n]}]}\n"

/* Not one byte of a body is sent, and each is answered. */
static void no_body_is_waited_for_that_would_be_refused(void)
{
    enum { NOBODY, WRONG, BOB_ASKS, ALICE_ASKS };
    static const struct {
        const char *line;
        int who;
        size_t length;
        int status;
    } all[] = {
        {"POST " TABLE_T,                      NOBODY,     1000000,                       401},
        {"POST " TABLE_T,                      WRONG,      1000000,                       401},
        {"POST " TABLE_T,                      BOB_ASKS,   1000000,                       403},
        {"POST /v1/c/namespaces/other/tables", BOB_ASKS,   1000000,                       403},
        {"POST /v1/c/namespaces/other/views",  BOB_ASKS,   1000000,                       403},
        {"POST /v1/c/namespaces/n/views/v",    BOB_ASKS,   1000000,                       403},
        {"POST /v1/c/namespaces/n/properties", BOB_ASKS,   1000000,                       403},
        {"POST " TABLE_T "/metrics",           BOB_ASKS,   400000,                        403},
        {"POST /v1/d/namespaces",              BOB_ASKS,   1000000,                       404},
        {"POST /v1/d/transactions/commit",     BOB_ASKS,   1000000,                       404},
        {"POST /v1/nothing",                   ALICE_ASKS, 1000000,                       404},
        {"PUT " TABLE_T,                       ALICE_ASKS, 1000000,                       405},
        {"POST /v1/oauth/tokens",              NOBODY,     LIMIT_TOKEN_REQUEST_BYTES + 1, 413},
        {"GET /v1/config",                     ALICE_ASKS, LIMIT_HTTP_UNREAD_BYTES + 1,   413},
        {"POST " TABLE_T "/metrics",           ALICE_ASKS, LIMIT_REPORT_BYTES + 1,        413},
        {"POST " TABLE_T,                      ALICE_ASKS, LIMIT_HTTP_BODY_BYTES + 1,     413},
    };
    struct sv tokens[4] = {{0}};

    bench_start(&b, LAKE BOB_SEES_N);
    tokens[WRONG] = bearer(SV("a.b.c"));
    tokens[BOB_ASKS] = bearer(token_of_bob());
    tokens[ALICE_ASKS] = bearer(b.token);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        int fd = wire_open();

        wire_send(fd, head_of(all[i].line, tokens[all[i].who], all[i].length));
        CHECK_INT(wire_status(fd), all[i].status);
        (void)close(fd);
    }
    bench_done(&b);
}

static void a_refusal_by_the_head_is_on_record(void)
{
    struct sv text;
    int fd;

    bench_start(&b, LAKE BOB_SEES_N);
    fd = wire_open();
    wire_send(fd, head_of("POST " TABLE_T, bearer(token_of_bob()), 1000000));
    CHECK_INT(wire_status(fd), 403);
    (void)close(fd);
    text = bench_records(&b);
    CHECK_INT(count_of(text, "\n"), 3);
    CHECK_INT(count_of(text, "\"principal\":\"l/bob\",\"operation\":\"commit-table\""), 1);
    CHECK_INT(count_of(text, "\"missing\":\"TABLE_READ_PROPERTIES\""), 1);
    bench_done(&b);
}

/* What is malformed is no way round what is not allowed, nor a way to cost us its reading. */
static void a_privilege_is_asked_for_before_the_body_is_read(void)
{
    bench_start(&b, LAKE BOB_SEES_N);
    b.token = token_of_bob();
    CHECK_INT(
        bench_ask(&b, &(struct asking){.method = HTTP_POST, .path = TABLE_T, .body = "{"}).status,
        403);
    bench_done(&b);
}

/* The rulebook of the head is not the one that decides. */
static void who_loses_its_privileges_while_its_body_comes_is_refused(void)
{
    struct sv body = SV("{\"namespace\":[\"m\"]}");
    int fd;

    bench_start(&b, LAKE);
    fd = wire_open();
    wire_send(fd, head_of("POST /v1/c/namespaces", bearer(b.token), body.n));
    wire_send(fd, sv_first(body, 5));
    /* Its loop has seen that much when it has answered another. */
    CHECK_INT(bench_ask(&b, &(struct asking){.path = "/v1/config?warehouse=c"}).status, 200);
    bench_publish(&b, STORE CATALOG("c") BOB);
    while (bench_ask(&b, &(struct asking){.path = "/v1/config?warehouse=c"}).status == 200)
        continue;
    wire_send(fd, sv_skip(body, 5));
    CHECK_INT(wire_status(fd), 401);
    (void)close(fd);
    bench_done(&b);
}

/* ---- large bodies ---- */

static const char *namespace_of(size_t properties, const char *tail)
{
    struct buf body = buf_new(&b.arena, 1 << 22);

    buf_add(&body, SV("{\"namespace\":[\"n\"],\"properties\":{\"a\":\"b\""));
    for (size_t i = 0; i < properties; i++)
        buf_addf(&body, ",\"%zu\":\"%0500zu\"", i, i);
    buf_add(&body, sv_from(tail));
    return arena_cstr(&b.arena, buf_sv(&body));
}

static void a_large_body_is_read_like_a_small_one(void)
{
    static const struct {
        const char *tail;
        int status;
    } all[] = {
        {"",               400},
        {"}}}",            400},
        {",\"a\":\"c\"}}", 400},
        {"}}",             200},
        {"}}",             409}
    };

    bench_start(&b, LAKE);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const struct asking q = {.method = HTTP_POST,
                                 .path = "/v1/c/namespaces",
                                 .body = namespace_of(500, all[i].tail)};

        CHECK_INT(bench_ask(&b, &q).status, all[i].status);
    }
    bench_done(&b);
}

static void values_that_would_take_too_much_memory_are_refused(void)
{
    struct http_response r;
    struct buf body;

    bench_start(&b, LAKE);
    body = buf_new(&b.arena, LIMIT_HTTP_BODY_BYTES);
    buf_add(&body, SV("{\"namespace\":["));
    while (body.n < 3 * 1024 * 1024)
        buf_add(&body, SV("{},"));
    buf_add(&body, SV("{}]}"));
    r = bench_ask(&b, &(struct asking){.method = HTTP_POST,
                                       .path = "/v1/c/namespaces",
                                       .body = arena_cstr(&b.arena, buf_sv(&body))});
    check_error(&b, &r, 400, "BadRequestException");
    CHECK(sv_contains(r.body, SV("bytes")));
    bench_done(&b);
}

SUITE("catalog/heads", TEST(no_body_is_waited_for_that_would_be_refused),
      TEST(a_refusal_by_the_head_is_on_record),
      TEST(a_privilege_is_asked_for_before_the_body_is_read),
      TEST(who_loses_its_privileges_while_its_body_comes_is_refused),
      TEST(a_large_body_is_read_like_a_small_one),
      TEST(values_that_would_take_too_much_memory_are_refused))
