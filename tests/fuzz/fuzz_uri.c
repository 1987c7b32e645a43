/* fuzz_uri.c - URIs, their escapes, base64 and times: all that is read out of small texts. */
/* layer: wire */
#include <assert.h>
#include <stdint.h>

#include "wire/base64.h"
#include "wire/time.h"
#include "wire/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_uri(struct sv text)
{
    struct uri u = {0};
    struct err e = {0};

    if (!uri_read(text, &u, &e)) {
        assert(e.code == ERR_INVALID);
        return;
    }
    assert(u.port >= 0 && u.port <= 65535);
    assert(u.scheme.n + u.authority.n + u.path.n + u.query.n + 3 <= text.n);
    assert(!u.path.n || u.path.p[0] == '/');
    assert(!sv_has_char(u.authority, '@') && !sv_has_char(u.authority, '/'));
}

static void check_escapes(struct sv text, struct arena *a)
{
    struct sv back = {0};
    struct err e = {0};

    (void)!uri_decode(text, true, a, &back, &e);
    if (!sv_has_char(text, '\0')) {
        if (!uri_decode(uri_encoded(a, text), false, a, &back, &e))
            assert(false && "what was encoded does not decode");
        assert(sv_eq(back, text));
    }
    if (!base64_decode(base64_encode(a, text), a, &back, &e))
        assert(false && "what was encoded does not decode");
    assert(sv_eq(back, text));
}

/* One value has one text: what decodes encodes back to itself. */
static void check_base64(struct sv text, struct arena *a)
{
    struct sv bytes = {0};
    struct err e = {0};

    if (base64url_decode(text, a, &bytes, &e))
        assert(sv_eq(base64url_encode(a, bytes), text));
    if (base64_decode(text, a, &bytes, &e))
        assert(sv_eq(base64_encode(a, bytes), text));
}

static void check_time(struct sv text, struct arena *a)
{
    int64_t ms, again;
    struct err e = {0};

    if (!time_read(text, &ms, &e))
        return;
    /* An offset may carry the first and the last day out of the four digits of a year. */
    if (ms < -62135596800000 || ms > 253402300799999)
        return;
    if (!time_read(time_text(a, ms, TIME_MILLISECONDS), &again, &e))
        assert(false && "what was written does not read");
    assert(again == ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena a = {0};
    struct sv text = sv_of((const char *)data, size);

    check_uri(text);
    check_escapes(text, &a);
    check_base64(text, &a);
    check_time(text, &a);
    return 0;
}
