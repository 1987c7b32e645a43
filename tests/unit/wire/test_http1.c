/* test_http1.c - the strict reader of requests: what is taken, what is refused, in any pieces. */
#include <stdlib.h>

#include "base/limits.h"
#include "unit/suite.h"
#include "wire/http1.h"

#define HEAD "GET /v1/config HTTP/1.1\r\nHost: h\r\n"

static enum http1_result read_all(struct http1 *h, struct sv bytes, struct arena *a)
{
    *h = (struct http1){0};
    return http1_read(h, bytes, a);
}

/* A body of at most that is read. */
static void admit(struct http1 *h, enum http1_result r, size_t max_body)
{
    if (r != HTTP1_HEAD)
        return;
    h->admitted = true;
    h->max_body = max_body;
}

/* The status it is refused with; 0 when it is not refused. */
static int refusal(struct sv bytes)
{
    auto_arena a = {0};
    struct http1 h;

    return read_all(&h, bytes, &a) == HTTP1_REFUSED ? h.status : 0;
}

static void a_plain_request_is_read(void)
{
    auto_arena a = {0};
    struct http1 h;
    struct sv bytes =
        SV("GET /v1/a%2Fb%1Fc/x?y=1 HTTP/1.1\r\nHost: h:1\r\nAuthorization:  Bearer t \r\n\r\n");

    CHECK_INT(read_all(&h, bytes, &a), HTTP1_REQUEST);
    CHECK_INT(h.request.method, HTTP_GET);
    CHECK_SV(h.request.target, SV("/v1/a%2Fb%1Fc/x?y=1"));
    CHECK_SV(http_header_text(&h.request.headers, SV("authorization")), SV("Bearer t"));
    CHECK_INT(h.used, bytes.n);
    CHECK(h.keep_alive);
    CHECK(!h.is_head);
}

static void of_two_requests_in_one_piece_the_first_is_read_exactly(void)
{
    auto_arena a = {0};
    struct http1 h;
    struct sv first = SV(HEAD "\r\n");
    struct sv second = SV("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    struct sv both = arena_printf(&a, SV_FMT SV_FMT, SV_ARG(first), SV_ARG(second));

    CHECK_INT(read_all(&h, both, &a), HTTP1_REQUEST);
    CHECK_INT(h.used, first.n);
    CHECK_SV(h.request.body, SV(""));
    CHECK_INT(read_all(&h, sv_skip(both, h.used), &a), HTTP1_REQUEST);
    CHECK_INT(h.request.method, HTTP_POST);
    CHECK_SV(h.request.body, SV("abc"));
    CHECK_INT(h.used, second.n);
}

static void every_prefix_asks_for_more(void)
{
    auto_arena a = {0};
    struct http1 h;
    struct sv bytes = SV("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");

    for (size_t n = 0; n < bytes.n; n++)
        CHECK_INT(read_all(&h, sv_first(bytes, n), &a), n < bytes.n - 5 ? HTTP1_MORE : HTTP1_HEAD);
    CHECK_INT(read_all(&h, bytes, &a), HTTP1_REQUEST);
}

static void byte_by_byte_gives_the_same_chunked_body(void)
{
    auto_arena a = {0};
    struct http1 h = {0};
    int heads = 0;
    struct sv bytes = SV("POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "4;x=y\r\nWiki\r\n6\r\npedia \r\n00\r\nTrailer: t\r\n\r\nNEXT");

    for (size_t n = 1; n < bytes.n - 4; n++) {
        enum http1_result r = http1_read(&h, sv_first(bytes, n), &a);

        heads += r == HTTP1_HEAD;
        CHECK(r == HTTP1_MORE || r == HTTP1_HEAD);
        admit(&h, r, 10);
    }
    CHECK_INT(heads, 1);
    CHECK_INT(http1_read(&h, bytes, &a), HTTP1_REQUEST);
    CHECK_SV(h.request.body, SV("Wikipedia "));
    CHECK_SV(sv_skip(bytes, h.used), SV("NEXT"));
    CHECK(!http_header(&h.request.headers, SV("trailer")));
}

static void ambiguous_lengths_are_refused(void)
{
    CHECK_INT(refusal(SV(HEAD "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(HEAD "Content-Length: 5\r\nContent-Length: 7\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(HEAD "Content-Length: +5\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(HEAD "Content-Length: 5, 5\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(HEAD "Content-Length: 0x5\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(HEAD "Content-Length:\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n")), 501);
    CHECK_INT(refusal(SV("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")), 400);
}

static void a_malformed_head_is_refused(void)
{
    CHECK_INT(refusal(SV("GET / HTTP/1.1\nHost: h\n\n")), 400);
    CHECK_INT(refusal(SV("GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(HEAD "A: b\r\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(HEAD "A:\rb\r\n\r\n")), 400);
    CHECK_INT(refusal(SV("GET / HTTP/1.1\r\r\nHost: h\r\n\r\n")), 400);
    CHECK_INT(refusal(SV("GET\r / HTTP/1.1\r\nHost: h\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(HEAD "Name : v\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(HEAD "A: b\r\n folded\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(HEAD ": v\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(HEAD "no colon\r\n\r\n")), 400);
    CHECK_INT(refusal(sv_of(HEAD "A: b\0c\r\n\r\n", sizeof(HEAD "A: b\0c\r\n\r\n") - 1)), 400);
    CHECK_INT(refusal(SV("GET  / HTTP/1.1\r\nHost: h\r\n\r\n")), 400);
    CHECK_INT(refusal(SV("GET / \r\nHost: h\r\n\r\n")), 400);
    CHECK_INT(refusal(SV("\r\n\r\n")), 400);
    CHECK_INT(refusal(SV("\x16\x03\x01\x02\r\n\r\n")), 400);
}

static void the_host_is_named_once(void)
{
    CHECK_INT(refusal(SV("GET / HTTP/1.1\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(HEAD "Host: other\r\n\r\n")), 400);
    CHECK_INT(refusal(SV("GET / HTTP/1.0\r\n\r\n")), 0);
}

static void the_host_is_a_name_or_an_address(void)
{
    auto_arena a = {0};
    static const char *const wrong[] = {"",    "a b",      "a,b", "a/b",  "u@h", ":80",  "a\tb",
                                        "a?b", "\xc3\xa4", "a#b", "a\\b", "<h>", "\"h\""};
    static const char *const right[] = {"h", "h:80", "[::1]:8181", "127.0.0.1", "a-b.svc.local"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CHECK_INT(refusal(arena_printf(&a, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", wrong[i])), 400);
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
        CHECK_INT(refusal(arena_printf(&a, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", right[i])), 0);
    CHECK_INT(refusal(SV("GET / HTTP/1.0\r\nHost:\r\n\r\n")), 400);
}

/* Every byte at every place of a value: a word's check must miss none and bend none. */
static void a_control_byte_is_refused_wherever_it_stands(void)
{
    for (int c = 0; c < 256; c++) {
        bool control = (c < 0x20 && c != '\t') || c == 0x7f;

        for (size_t at = 0; at < 19; at++) {
            char head[] = HEAD "A: \x80\tbcdefghijklmnop\xffq\r\n\r\n";

            head[sizeof(HEAD "A: ") - 1 + at] = (char)c;
            CHECK_INT(refusal(sv_of(head, sizeof(head) - 1)), control ? 400 : 0);
        }
    }
}

static void only_paths_are_targets(void)
{
    CHECK_INT(refusal(SV("GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n")), 400);
    CHECK_INT(refusal(SV("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n")), 501);
    CHECK_INT(refusal(SV("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n")), 400);
    CHECK_INT(refusal(SV("GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n")), 400);
    CHECK_INT(refusal(SV("BREW / HTTP/1.1\r\nHost: h\r\n\r\n")), 501);
    CHECK_INT(refusal(SV("GET / HTTP/2.0\r\nHost: h\r\n\r\n")), 505);
    CHECK_INT(refusal(SV("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")), 0);
    CHECK_INT(refusal(SV("GET * HTTP/1.1\r\nHost: h\r\n\r\n")), 400);
    CHECK_INT(refusal(SV("OPTIONS *x HTTP/1.1\r\nHost: h\r\n\r\n")), 400);
    CHECK_INT(refusal(SV("GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n")), 0);
}

static void bad_chunks_are_refused(void)
{
#define CHUNKED "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    CHECK_INT(refusal(SV(CHUNKED "x\r\n")), 400);
    CHECK_INT(refusal(SV(CHUNKED "3\nabc\r\n")), 400);
    CHECK_INT(refusal(SV(CHUNKED "3\r\nabcd\r\n")), 400);
    CHECK_INT(refusal(SV(CHUNKED "-1\r\n")), 400);
    CHECK_INT(refusal(SV(CHUNKED "1;\r\r\na\r\n")), 400);
    CHECK_INT(refusal(SV(CHUNKED "0\r\nA: b\rc\r\n\r\n")), 400);
    CHECK_INT(refusal(SV(CHUNKED "fffffffff\r\n")), 400);
    CHECK_INT(refusal(SV(CHUNKED "ffffffff\r\n")), 413);
    CHECK_INT(refusal(SV(CHUNKED " 3\r\nabc\r\n")), 400);
}

static void a_body_is_asked_for_once(void)
{
    auto_arena a = {0};
    struct http1 h = {0};
    struct sv bytes =
        SV("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok");

    CHECK_INT(http1_read(&h, sv_first(bytes, bytes.n - 2), &a), HTTP1_HEAD);
    CHECK(h.expects);
    CHECK_INT(h.whole, bytes.n);
    CHECK_SV(h.request.target, SV("/"));
    admit(&h, HTTP1_HEAD, 2);
    CHECK_INT(http1_read(&h, sv_first(bytes, bytes.n - 1), &a), HTTP1_MORE);
    CHECK_INT(http1_read(&h, bytes, &a), HTTP1_REQUEST);
    CHECK_SV(h.request.body, SV("ok"));
    CHECK_INT(refusal(SV(HEAD "Expect: something\r\n\r\n")), 417);
}

/* By its length at once, by its chunks when they come to it. */
static void a_body_past_what_was_admitted_is_413(void)
{
    static const char *const bodies[] = {
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n",
        CHUNKED "3\r\nabc\r\n2\r\n",
    };

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        for (size_t max = 4; max <= 5; max++) {
            auto_arena a = {0};
            struct http1 h = {0};
            struct sv bytes = sv_from(bodies[i]);

            CHECK_INT(http1_read(&h, bytes, &a), HTTP1_HEAD);
            admit(&h, HTTP1_HEAD, max);
            CHECK_INT(http1_read(&h, bytes, &a), max == 4 ? HTTP1_REFUSED : HTTP1_MORE);
            CHECK_INT(h.status, max == 4 ? 413 : 0);
        }
    }
}

static void an_expectation_of_http_1_0_is_ignored(void)
{
    auto_arena a = {0};
    struct http1 h;

    CHECK_INT(read_all(&h,
                       SV("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
                       &a),
              HTTP1_HEAD);
    CHECK(!h.expects);
    CHECK_INT(refusal(SV("GET / HTTP/1.0\r\nExpect: something\r\n\r\n")), 0);
}

static void a_size_line_has_a_limit_whether_it_ends_or_not(void)
{
    auto_arena a = {0};

    for (size_t n = 255; n <= 256; n++) {
        struct buf b = buf_new(&a, 1000);
        int want = n == 255 ? 0 : 400;

        buf_add(&b, SV(CHUNKED "1;"));
        for (size_t i = 2; i < n; i++)
            buf_addc(&b, 'x');
        buf_add(&b, SV("\r"));
        CHECK_INT(refusal(buf_sv(&b)), want);
        buf_add(&b, SV("\na\r\n0\r\n\r\n"));
        CHECK_INT(refusal(buf_sv(&b)), want);
    }
}

/* Ever more chunks of one byte, as they arrive. */
static void chunks_that_are_mostly_framing_are_refused(void)
{
    auto_arena a = {0};
    struct http1 h = {0};
    enum http1_result r = HTTP1_HEAD;
    struct buf b = buf_new(&a, 3 * LIMIT_HTTP_BODY_BYTES);

    buf_add(&b, SV(CHUNKED));
    while (r != HTTP1_REFUSED && !b.over) {
        admit(&h, r, LIMIT_HTTP_BODY_BYTES);
        for (int i = 0; i < 50000; i++)
            buf_add(&b, SV("1\r\nx\r\n"));
        r = http1_read(&h, buf_sv(&b), &a);
    }
    CHECK_INT(r, HTTP1_REFUSED);
    CHECK_INT(h.status, 413);
    CHECK(b.n < 2 * LIMIT_HTTP_BODY_BYTES + 400000);
    CHECK_INT(refusal(buf_sv(&b)), 413);
}

static void trailers_have_a_limit_whether_they_end_or_not(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 2 * LIMIT_HTTP_HEAD_BYTES);

    buf_add(&b, SV(CHUNKED "0\r\n"));
    while (b.n < sizeof(CHUNKED "0\r\n") + LIMIT_HTTP_HEAD_BYTES)
        buf_add(&b, SV("a: b\r\n"));
    CHECK_INT(refusal(sv_of(b.p, LIMIT_HTTP_HEAD_BYTES)), 0);
    CHECK_INT(refusal(buf_sv(&b)), 431);
    buf_add(&b, SV("\r\n"));
    CHECK_INT(refusal(buf_sv(&b)), 431);
}

static void connections_are_kept_as_the_version_says(void)
{
    auto_arena a = {0};
    struct http1 h;

    CHECK_INT(read_all(&h, SV(HEAD "Connection: foo, close\r\n\r\n"), &a), HTTP1_REQUEST);
    CHECK(!h.keep_alive);
    CHECK_INT(read_all(&h, SV("GET / HTTP/1.0\r\n\r\n"), &a), HTTP1_REQUEST);
    CHECK(!h.keep_alive);
    CHECK_INT(read_all(&h, SV("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), &a),
              HTTP1_REQUEST);
    CHECK(h.keep_alive);
}

/* A request with a header that makes its head `n` bytes long. */
static struct sv head_of(struct arena *a, size_t n)
{
    struct buf b = buf_new(a, n + 10);

    buf_add(&b, SV(HEAD "X: "));
    while (b.n < n - 4)
        buf_addc(&b, 'x');
    buf_add(&b, SV("\r\n\r\n"));
    return buf_sv(&b);
}

static void the_head_has_a_limit_whether_it_ends_or_not(void)
{
    auto_arena a = {0};
    struct sv longest = head_of(&a, LIMIT_HTTP_HEAD_BYTES);
    struct sv longer = head_of(&a, LIMIT_HTTP_HEAD_BYTES + 1);

    CHECK_INT(refusal(longest), 0);
    CHECK_INT(refusal(longer), 431);
    CHECK_INT(refusal(sv_first(head_of(&a, LIMIT_HTTP_HEAD_BYTES + 10), LIMIT_HTTP_HEAD_BYTES + 1)),
              431);
}

static void headers_and_target_have_limits(void)
{
    auto_arena a = {0};

    for (int extra = 0; extra < 2; extra++) {
        struct buf many = buf_new(&a, 10000), target = buf_new(&a, 40000);

        buf_add(&many, SV(HEAD));
        for (int i = 1; i < LIMIT_HTTP_HEADERS + extra; i++)
            buf_add(&many, SV("a: b\r\n"));
        buf_add(&many, SV("\r\n"));
        CHECK_INT(refusal(buf_sv(&many)), extra ? 431 : 0);
        buf_add(&target, SV("GET /"));
        for (int i = 1; i < LIMIT_HTTP_TARGET_BYTES + extra; i++)
            buf_addc(&target, 'a');
        buf_add(&target, SV(" HTTP/1.1\r\nHost: h\r\n\r\n"));
        CHECK_INT(refusal(buf_sv(&target)), extra ? 414 : 0);
    }
}

static void the_body_has_a_limit(void)
{
    auto_arena a = {0};

    CHECK_INT(refusal(arena_printf(&a, HEAD "Content-Length: %d\r\n\r\n", LIMIT_HTTP_BODY_BYTES)),
              0);
    CHECK_INT(
        refusal(arena_printf(&a, HEAD "Content-Length: %d\r\n\r\n", LIMIT_HTTP_BODY_BYTES + 1)),
        413);
}

static struct sv written(struct arena *a, int status, bool keep, bool head)
{
    struct http_response r = {.status = status, .body = SV("{}")};
    struct buf b = buf_new(a, 1000);

    http_header_add(&r.headers, a, SV("Content-Type"), SV("application/json"));
    http1_write(&b, &r, SV("Fri, 20 Nov 2026 22:05:55 GMT"), keep, head);
    return buf_sv(&b);
}

static void a_reply_is_written_in_one_piece(void)
{
    auto_arena a = {0};

    CHECK_SV(
        written(&a, 200, true, false),
        SV("HTTP/1.1 200 OK\r\nDate: Fri, 20 Nov 2026 22:05:55 GMT\r\nContent-Type: application/json\r\n"
           "Content-Length: 2\r\n\r\n{}"));
    CHECK(sv_ends(written(&a, 200, true, true), SV("Content-Length: 2\r\n\r\n")));
    CHECK(sv_ends(written(&a, 404, false, false), SV("\r\nConnection: close\r\n\r\n{}")));
    CHECK(!sv_contains(written(&a, 204, true, false), SV("Content-Length")));
    CHECK(sv_ends(written(&a, 204, true, false), SV("json\r\n\r\n")));
}

static void a_reply_cannot_be_split_by_a_header(void)
{
    auto_arena a = {0};
    struct http_response r = {.status = 302};
    struct buf b = buf_new(&a, 1000);

    http_header_add(&r.headers, &a, SV("Location"), SV("/a\r\nSet-Cookie: x\0\ty"));
    http_header_add(&r.headers, &a, SV("X\r\n\r\nY"), SV("\n"));
    http1_write(&b, &r, SV("now"), true, false);
    CHECK_SV(buf_sv(&b), SV("HTTP/1.1 302 Found\r\nDate: now\r\nLocation: /a  Set-Cookie: x \ty\r\n"
                            "X    Y:  \r\nContent-Length: 0\r\n\r\n"));
}

SUITE("wire/http1", TEST(a_plain_request_is_read),
      TEST(of_two_requests_in_one_piece_the_first_is_read_exactly),
      TEST(every_prefix_asks_for_more), TEST(byte_by_byte_gives_the_same_chunked_body),
      TEST(ambiguous_lengths_are_refused), TEST(a_malformed_head_is_refused),
      TEST(the_host_is_named_once), TEST(only_paths_are_targets), TEST(bad_chunks_are_refused),
      TEST(a_body_is_asked_for_once), TEST(a_body_past_what_was_admitted_is_413),
      TEST(connections_are_kept_as_the_version_says),
      TEST(the_head_has_a_limit_whether_it_ends_or_not), TEST(headers_and_target_have_limits),
      TEST(the_body_has_a_limit), TEST(a_reply_is_written_in_one_piece),
      TEST(the_host_is_a_name_or_an_address), TEST(a_control_byte_is_refused_wherever_it_stands),
      TEST(an_expectation_of_http_1_0_is_ignored),
      TEST(a_size_line_has_a_limit_whether_it_ends_or_not),
      TEST(chunks_that_are_mostly_framing_are_refused),
      TEST(trailers_have_a_limit_whether_they_end_or_not),
      TEST(a_reply_cannot_be_split_by_a_header))
