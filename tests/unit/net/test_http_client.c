/* test_http_client.c - what we send, and what we make of servers that misbehave. */
#include "base/buf.h"
#include "base/limits.h"
#include "fakes/api_server.h"
#include "net/http_client.h"
#include "unit/suite.h"

struct bench {
    struct arena arena;
    struct fake_server server;
    struct http_client *client;
    struct http_request request;
    struct http_options options;
    struct http_response response;
    struct err err;
};

static void bench_start(struct bench *b, const struct fake_reply *replies, size_t n)
{
    *b = (struct bench){.options = {.timeout_ms = 5000}};
    fake_start(&b->server, replies, n);
    b->client = http_client_new(&b->arena);
    b->request.target = arena_printf(&b->arena, "http://127.0.0.1:%d/path?q=%%2F", b->server.port);
}

static bool ask(struct bench *b)
{
    b->err = (struct err){0};
    return http_do(b->client, &b->request, &b->options, &b->arena, &b->response, &b->err);
}

static void bench_done(struct bench *b)
{
    arena_done(&b->arena);
    fake_stop(&b->server);
}

static void check_unavailable(struct bench *b)
{
    CHECK(!ask(b));
    CHECK_INT(b->err.code, ERR_UNAVAILABLE);
    CHECK(b->err.msg[0] != '\0');
}

/* ---- what is sent ---- */

static void a_request_is_sent_as_it_stands(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_HEAD("200 OK") "ETag: \"x\"\r\n\r\nyes", FAKE_CLOSE, 0}
    };
    static struct bench b;

    bench_start(&b, replies, 1);
    b.request.method = HTTP_PUT;
    b.request.body = SV("content");
    http_header_add(&b.request.headers, &b.arena, SV("X-One"), SV("1"));
    http_header_add(&b.request.headers, &b.arena, SV("X-Empty"), SV(""));
    NEED_OK(ask(&b), &b.err);
    CHECK_INT(b.response.status, 200);
    CHECK_SV(b.response.body, SV("yes"));
    CHECK_SV(http_header_text(&b.response.headers, SV("etag")), SV("\"x\""));
    CHECK(strncmp(b.server.requests[0], "PUT /path?q=%2F HTTP/1.1\r\n", 26) == 0);
    CHECK(strstr(b.server.requests[0], "\r\nX-One: 1\r\n") != NULL);
    CHECK(strstr(b.server.requests[0], "\r\nX-Empty:\r\n") != NULL);
    CHECK(strstr(b.server.requests[0], "\r\nContent-Type:") == NULL);
    CHECK(strstr(b.server.requests[0], "\r\nExpect:") == NULL);
    CHECK_SV(sv_from(strstr(b.server.requests[0], "\r\n\r\n") + 4), SV("content"));
    bench_done(&b);
}

static void a_value_from_outside_cannot_begin_a_header(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_JSON("200 OK", "{}"), FAKE_CLOSE, 0}
    };
    static struct bench b;

    bench_start(&b, replies, 1);
    http_header_add(&b.request.headers, &b.arena, SV("Authorization"),
                    SV("Bearer x\r\nX-Admin: yes\r\n\r\nGET /second HTTP/1.1\n"));
    http_header_add(&b.request.headers, &b.arena, SV("X-Na\r\nX-Admin"), SV("yes"));
    NEED_OK(ask(&b), &b.err);
    CHECK(strstr(b.server.requests[0], "\nX-Admin") == NULL);
    CHECK(strstr(b.server.requests[0], "\nGET /second") == NULL);
    CHECK(strstr(b.server.requests[0], "Authorization: Bearer x") != NULL);
    bench_done(&b);
}

static void a_url_with_a_control_byte_is_not_sent(void)
{
    static struct bench b;

    bench_start(&b, NULL, 0);
    b.request.target =
        arena_printf(&b.arena, "http://127.0.0.1:%d/a\r\nX-Admin: yes\r\n", b.server.port);
    check_unavailable(&b);
    bench_done(&b);
}

static void only_http_is_spoken(void)
{
    static struct bench b;

    bench_start(&b, NULL, 0);
    b.request.target = SV("file:///etc/hostname");
    check_unavailable(&b);
    b.request.target = arena_printf(&b.arena, "gopher://127.0.0.1:%d/", b.server.port);
    check_unavailable(&b);
    bench_done(&b);
}

static void the_environment_names_no_proxy(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_JSON("200 OK", "{}"), FAKE_CLOSE, 0}
    };
    static struct bench b;

    (void)setenv("http_proxy", "http://127.0.0.1:1", 1);
    (void)setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    bench_start(&b, replies, 1);
    CHECK_OK(ask(&b), &b.err);
    (void)unsetenv("http_proxy");
    (void)unsetenv("ALL_PROXY");
    bench_done(&b);
}

/* What we carry is for the host that was named: the secret must not follow a redirect. */
static void a_redirect_is_an_answer_and_not_followed(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_HEAD("307 Temporary Redirect") "Location: /elsewhere\r\nContent-Length: 0\r\n\r\n",
         FAKE_CLOSE,                                                                                          0},
        { FAKE_JSON("200 OK",                                                                                  "{}"), FAKE_CLOSE, 0}
    };
    static struct bench b;

    bench_start(&b, replies, 2);
    http_header_add(&b.request.headers, &b.arena, SV("Authorization"), SV("Bearer secret"));
    NEED_OK(ask(&b), &b.err);
    CHECK_INT(b.response.status, 307);
    CHECK_INT(atomic_load(&b.server.served), 1);
    bench_done(&b);
}

/* ---- answers that are none ---- */

#define TEN FAKE_HEAD("200 OK") "Content-Length: 10\r\n\r\n0123456789"

static void an_answer_cut_anywhere_is_none(void)
{
    static struct fake_reply reply;
    static struct bench b;
    size_t whole = strlen(TEN);

    for (size_t only = 1; only < whole; only += 7) {
        reply = (struct fake_reply){TEN, only % 2 ? FAKE_CLOSE : FAKE_RESET, only};
        bench_start(&b, &reply, 1);
        check_unavailable(&b);
        bench_done(&b);
    }
}

static void a_chunked_answer_without_its_end_is_none(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_CHUNKED "5\r\nabcde\r\n", FAKE_CLOSE, 0},
        {FAKE_CHUNKED "5\r\nabc",       FAKE_RESET, 0},
        {FAKE_CHUNKED "zz\r\nabc",      FAKE_CLOSE, 0}
    };
    static struct bench b;

    bench_start(&b, replies, 3);
    for (int i = 0; i < 3; i++)
        check_unavailable(&b);
    bench_done(&b);
}

static void silence_ends_with_the_deadline(void)
{
    static const struct fake_reply replies[] = {
        {TEN, FAKE_HOLD, 1              },
        {TEN, FAKE_HOLD, sizeof(TEN) - 5},
    };
    static struct bench b;

    bench_start(&b, replies, 2);
    b.options.timeout_ms = 200;
    check_unavailable(&b);
    check_unavailable(&b);
    bench_done(&b);
}

/* A watch has no deadline, but it has a pulse. */
static void silence_in_a_stream_is_noticed(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_CHUNKED "2\r\n{}\r\n", FAKE_HOLD, 0}
    };
    static struct bench b;

    bench_start(&b, replies, 1);
    b.options.timeout_ms = 0;
    b.options.silence_timeout_ms = 200;
    check_unavailable(&b);
    CHECK(strstr(b.err.msg, "no byte came") != NULL);
    bench_done(&b);
}

static void nobody_listening_is_unavailable(void)
{
    static struct bench b;

    bench_start(&b, NULL, 0);
    b.request.target = SV("http://127.0.0.1:1/");
    check_unavailable(&b);
    bench_done(&b);
}

static void what_is_no_http_is_none(void)
{
    static const struct fake_reply replies[] = {
        {"220 smtp.example ESMTP\r\n",   FAKE_CLOSE, 0},
        {"HTTP/1.1 2x0 OK\r\n\r\n",      FAKE_CLOSE, 0},
        {"\x16\x03\x01\x02\x03\x04\x05", FAKE_CLOSE, 0}
    };
    static struct bench b;

    bench_start(&b, replies, 3);
    for (int i = 0; i < 3; i++)
        check_unavailable(&b);
    bench_done(&b);
}

/* ---- answers that are too much ---- */

static void a_body_at_the_limit_passes_and_one_past_it_is_refused(void)
{
    static const struct fake_reply replies[] = {
        {TEN,                                   FAKE_CLOSE, 0},
        {TEN,                                   FAKE_CLOSE, 0},
        {FAKE_HEAD("200 OK") "\r\n01234567890", FAKE_CLOSE, 0},
        {TEN,                                   FAKE_CLOSE, 0},
        {FAKE_HEAD("503 No") "\r\n01234567890", FAKE_CLOSE, 0}
    };
    static struct bench b;

    bench_start(&b, replies, 5);
    b.options.max_bytes = 10;
    CHECK_OK(ask(&b), &b.err);
    CHECK_SV(b.response.body, SV("0123456789"));
    b.options.max_bytes = 9;
    check_unavailable(&b);
    CHECK(strstr(b.err.msg, "too large") != NULL);
    b.options.max_bytes = 10;
    check_unavailable(&b);
    b.options.max_bytes = 9;
    b.options.larger_is_invalid = true;
    CHECK(!ask(&b));
    CHECK_INT(b.err.code, ERR_INVALID);
    /* A store that is away does not become a file that is too large by what it says. */
    check_unavailable(&b);
    bench_done(&b);
}

/* 256 KB of zero bytes, as gzip. */
static const unsigned char bomb[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0x31, 0x01, 0x00, 0x00,
    0x00, 0xc2, 0xa0, 0xf5, 0x4f, 0xed, 0x6d, 0x07, 0xa0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xde, 0x00, 0x22, 0xea, 0x0e, 0xe2, 0x00, 0x00, 0x04,
    0x00};

static void the_limit_is_of_what_is_unpacked(void)
{
    static struct fake_reply replies[2];
    static struct bench b;
    struct sv head = SV(FAKE_HEAD("200 OK") "Content-Encoding: gzip\r\n\r\n");
    char bytes[sizeof(bomb) + 200];

    memcpy(bytes, head.p, head.n);
    memcpy(bytes + head.n, bomb, sizeof(bomb));
    for (int i = 0; i < 2; i++)
        replies[i] = (struct fake_reply){bytes, FAKE_CLOSE, head.n + sizeof(bomb)};
    bench_start(&b, replies, 2);
    b.options.compressed = true;
    b.options.max_bytes = 262144;
    CHECK_OK(ask(&b), &b.err);
    CHECK_INT(b.response.body.n, 262144);
    b.options.max_bytes = 262143;
    check_unavailable(&b);
    bench_done(&b);
}

static void a_flood_of_headers_is_refused(void)
{
    static struct bench b;
    struct fake_reply reply = {.end = FAKE_CLOSE};
    auto_arena a = {0};
    struct buf flood = buf_new(&a, 1 << 24);

    buf_add(&flood, SV("HTTP/1.1 200 OK\r\nConnection: close\r\n"));
    for (int i = 0; i < 4000; i++)
        buf_addf(&flood, "X-%d: %060d\r\n", i, i);
    buf_add(&flood, SV("\r\n{}"));
    reply.bytes = flood.p;
    bench_start(&b, &reply, 1);
    check_unavailable(&b);
    CHECK(strstr(b.err.msg, "head is too large") != NULL);
    bench_done(&b);
}

static void more_headers_than_are_kept_cost_only_themselves(void)
{
    static struct bench b;
    struct fake_reply reply = {.end = FAKE_CLOSE};
    auto_arena a = {0};
    struct buf many = buf_new(&a, 1 << 20);

    buf_add(&many, SV("HTTP/1.1 200 OK\r\nConnection: close\r\n"));
    for (int i = 0; i < LIMIT_HTTP_HEADERS + 50; i++)
        buf_addf(&many, "X-%d: y\r\n", i);
    buf_add(&many, SV("\r\n{}"));
    reply.bytes = many.p;
    bench_start(&b, &reply, 1);
    NEED_OK(ask(&b), &b.err);
    CHECK_INT(b.response.headers.n, LIMIT_HTTP_HEADERS);
    CHECK_SV(b.response.body, SV("{}"));
    bench_done(&b);
}

static void interim_answers_are_passed_over(void)
{
    static const struct fake_reply replies[] = {
        {"HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" FAKE_HEAD(
             "200 OK") "X-Late: 1\r\n\r\nyes",
         FAKE_CLOSE, 0}
    };
    static struct bench b;

    bench_start(&b, replies, 1);
    NEED_OK(ask(&b), &b.err);
    CHECK_INT(b.response.status, 200);
    CHECK(!http_header(&b.response.headers, SV("X-Early")));
    CHECK(http_header(&b.response.headers, SV("X-Late")) != NULL);
    bench_done(&b);
}

static void an_answer_to_head_has_no_body_whatever_its_length(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_HEAD("200 OK") "Content-Length: 1000\r\n\r\n", FAKE_CLOSE, 0}
    };
    static struct bench b;

    bench_start(&b, replies, 1);
    b.request.method = HTTP_HEAD;
    NEED_OK(ask(&b), &b.err);
    CHECK_INT(b.response.body.n, 0);
    bench_done(&b);
}

/* ---- streams ---- */

struct pieces {
    size_t bytes, most;
};

static bool take_piece(struct sv piece, void *context)
{
    struct pieces *p = context;

    p->bytes += piece.n;
    return p->bytes <= p->most;
}

static void a_stream_is_handed_on_until_its_reader_has_enough(void)
{
    static const struct fake_reply replies[] = {
        {TEN, FAKE_CLOSE, 0},
        {TEN, FAKE_CLOSE, 0}
    };
    struct pieces all = {.most = 10}, some = {.most = 5};
    static struct bench b;

    bench_start(&b, replies, 2);
    b.options.chunk = take_piece;
    b.options.context = &all;
    CHECK_OK(ask(&b), &b.err);
    CHECK_INT(all.bytes, 10);
    CHECK_INT(b.response.body.n, 0);
    b.options.context = &some;
    check_unavailable(&b);
    bench_done(&b);
}

/* An error's body is no part of the stream: it is read whole, to be told. */
static void an_errors_body_is_not_streamed(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_JSON("410 Gone", "{\"kind\":\"Status\"}"), FAKE_CLOSE, 0}
    };
    struct pieces none = {0};
    static struct bench b;

    bench_start(&b, replies, 1);
    b.options.chunk = take_piece;
    b.options.context = &none;
    NEED_OK(ask(&b), &b.err);
    CHECK_INT(none.bytes, 0);
    CHECK_SV(b.response.body, SV("{\"kind\":\"Status\"}"));
    bench_done(&b);
}

SUITE("net/http_client", TEST(a_request_is_sent_as_it_stands),
      TEST(a_value_from_outside_cannot_begin_a_header), TEST(a_url_with_a_control_byte_is_not_sent),
      TEST(only_http_is_spoken), TEST(the_environment_names_no_proxy),
      TEST(a_redirect_is_an_answer_and_not_followed), TEST(an_answer_cut_anywhere_is_none),
      TEST(a_chunked_answer_without_its_end_is_none), TEST(silence_ends_with_the_deadline),
      TEST(silence_in_a_stream_is_noticed), TEST(nobody_listening_is_unavailable),
      TEST(what_is_no_http_is_none), TEST(a_body_at_the_limit_passes_and_one_past_it_is_refused),
      TEST(the_limit_is_of_what_is_unpacked), TEST(a_flood_of_headers_is_refused),
      TEST(more_headers_than_are_kept_cost_only_themselves), TEST(interim_answers_are_passed_over),
      TEST(an_answer_to_head_has_no_body_whatever_its_length),
      TEST(a_stream_is_handed_on_until_its_reader_has_enough), TEST(an_errors_body_is_not_streamed))
