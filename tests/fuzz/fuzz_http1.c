/* fuzz_http1.c - requests in any pieces: what is read must not depend on how the bytes arrive. */
/* layer: wire */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "wire/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_waiting(enum http1_result r)
{
    return r == HTTP1_MORE || r == HTTP1_HEAD;
}

/* Pieces of 1 to 64 bytes; their sizes follow from the data, so that a find replays. */
static enum http1_result read_in_pieces(struct http1 *h, struct sv bytes, struct arena *a)
{
    uint64_t random = sv_hash(bytes) | 1;
    enum http1_result r = HTTP1_MORE;
    size_t n = 0;

    while (is_waiting(r) && n < bytes.n) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        n += 1 + (random >> 33) % (random >> 63 ? 64 : 4);
        r = http1_read(h, sv_first(bytes, n), a);
        if (r == HTTP1_HEAD)
            h->max_body = LIMIT_HTTP_BODY_BYTES;
        h->admitted |= r == HTTP1_HEAD;
    }
    return r;
}

static void check_same(const struct http1 *once, const struct http1 *pieces)
{
    assert(once->used == pieces->used);
    assert(once->keep_alive == pieces->keep_alive);
    assert(once->request.method == pieces->request.method);
    assert(sv_eq(once->request.target, pieces->request.target));
    assert(sv_eq(once->request.body, pieces->request.body));
    assert(once->request.headers.n == pieces->request.headers.n);
    for (size_t i = 0; i < once->request.headers.n; i++) {
        assert(sv_eq(once->request.headers.p[i].name, pieces->request.headers.p[i].name));
        assert(sv_eq(once->request.headers.p[i].value, pieces->request.headers.p[i].value));
    }
}

/* A reply that passes these bytes on has as many lines as one that does not. */
static void check_reply(struct sv bytes, struct arena *a)
{
    struct http_response r = {.status = 200};
    struct buf out = buf_new(a, bytes.n + 1000);
    size_t lines = 0;

    http_header_add(&r.headers, a, SV("X"), bytes);
    http1_write(&out, &r, SV("now"), true, false);
    for (size_t i = 0; i < out.n; i++)
        lines += out.p[i] == '\n';
    assert(!out.over && lines == 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena a = {0};
    struct sv rest = sv_of((const char *)data, size);
    enum http1_result r = HTTP1_REQUEST;

    check_reply(rest, &a);
    while (r == HTTP1_REQUEST && rest.n) {
        struct http1 once = {0}, pieces = {0};
        enum http1_result piecewise = read_in_pieces(&pieces, rest, &a);

        r = http1_read(&once, rest, &a);
        assert(r == piecewise || (is_waiting(r) && is_waiting(piecewise)));
        if (r == HTTP1_REFUSED)
            assert(once.status == pieces.status && once.why == pieces.why);
        if (r == HTTP1_REQUEST) {
            check_same(&once, &pieces);
            assert(once.used > 0 && once.used <= rest.n);
            rest = sv_skip(rest, once.used);
        }
    }
    return 0;
}
