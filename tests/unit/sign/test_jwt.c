/* test_jwt.c - tokens: what is taken, and every way to forge one. */
#include "base/limits.h"
#include "sign/jwt.h"
#include "unit/suite.h"
#include "wire/base64.h"

static const int64_t NOW_MS = 1800000000000;

static struct token_keys our_keys(struct arena *a)
{
    struct token_keys keys = {0};

    vec_push(&keys, a,
             ((struct token_key){SV("k1"), secret_of(SV("0123456789abcdef0123456789abcdef"))}));
    vec_push(&keys, a,
             ((struct token_key){SV("k0"), secret_of(SV("ffffffffffffffffffffffffffffffff"))}));
    return keys;
}

static struct json *claims_until(struct arena *a, int64_t expires_ms)
{
    struct json *c = json_new_object(a);

    json_set_str(c, a, SV("iss"), SV("frontdesk"));
    json_set_str(c, a, SV("sub"), SV("lakehouse/etl"));
    json_set_i64(c, a, SV("exp"), expires_ms / 1000);
    return c;
}

static bool verified(struct sv token)
{
    auto_arena a = {0};
    struct token_keys keys = our_keys(&a);
    struct jwt t;
    struct err e = {0};
    bool ok = token_verify(token, &keys, NOW_MS, &a, &t, &e);

    CHECK(ok || e.code == ERR_DENIED);
    return ok;
}

static struct sv good(struct arena *a)
{
    struct token_keys keys = our_keys(a);

    return token_sign(claims_until(a, NOW_MS + 1000), &keys.p[0], a);
}

static void our_token_reads_back(void)
{
    auto_arena a = {0};
    struct token_keys keys = our_keys(&a);
    struct jwt t;
    struct err e = {0};

    NEED_OK(token_verify(good(&a), &keys, NOW_MS, &a, &t, &e), &e);
    CHECK_SV(t.subject, SV("lakehouse/etl"));
    CHECK_INT(t.expires_ms, NOW_MS + 1000);
    CHECK(verified(token_sign(claims_until(&a, NOW_MS + 1000), &keys.p[1], &a)));
}

static void every_prefix_and_every_changed_byte_is_refused(void)
{
    auto_arena a = {0};
    struct sv token = good(&a);

    for (size_t n = 0; n < token.n; n++)
        CHECK(!verified(sv_first(token, n)));
    for (size_t i = 0; i < token.n; i++) {
        char *changed = arena_cstr(&a, token);

        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        CHECK(!verified(sv_of(changed, token.n)));
    }
}

static struct sv forged(struct arena *a, const char *head, struct sv signature)
{
    struct sv claims = base64url_encode(a, json_text(a, claims_until(a, NOW_MS + 1000)));

    return arena_printf(a, SV_FMT "." SV_FMT "." SV_FMT, SV_ARG(base64url_encode(a, sv_from(head))),
                        SV_ARG(claims), SV_ARG(signature));
}

static void no_algorithm_is_no_way_in(void)
{
    auto_arena a = {0};

    CHECK(!verified(forged(&a, "{\"alg\":\"none\",\"kid\":\"k1\"}", SV(""))));
    CHECK(!verified(forged(&a, "{\"alg\":\"None\",\"kid\":\"k1\"}", SV("AAAA"))));
    CHECK(!verified(forged(&a, "{\"kid\":\"k1\"}", SV(""))));
    CHECK(!verified(forged(&a, "{\"alg\":\"RS256\",\"kid\":\"k1\"}", SV("AAAA"))));
    CHECK(!verified(forged(&a, "{\"alg\":\"HS256\",\"kid\":\"other\"}", SV("AAAA"))));
    CHECK(
        !verified(forged(&a, "{\"alg\":\"HS256\",\"kid\":\"k1\",\"crit\":[\"b64\"]}", SV("AAAA"))));
}

static void time_is_checked_with_a_minute_of_skew(void)
{
    auto_arena a = {0};
    struct token_keys keys = our_keys(&a);
    struct json *early = claims_until(&a, NOW_MS + 600000), *never = json_new_object(&a);

    CHECK(verified(
        token_sign(claims_until(&a, NOW_MS - LIMIT_CLOCK_SKEW_MS + 1000), &keys.p[0], &a)));
    CHECK(!verified(token_sign(claims_until(&a, NOW_MS - LIMIT_CLOCK_SKEW_MS), &keys.p[0], &a)));
    json_set_i64(early, &a, SV("nbf"), (NOW_MS + LIMIT_CLOCK_SKEW_MS) / 1000 + 1);
    CHECK(!verified(token_sign(early, &keys.p[0], &a)));
    json_set_str(never, &a, SV("sub"), SV("x"));
    CHECK(!verified(token_sign(never, &keys.p[0], &a)));
}

static void a_token_has_a_limit(void)
{
    auto_arena a = {0};
    char *long_token = arena_alloc(&a, LIMIT_TOKEN_BYTES + 2);

    memset(long_token, 'a', LIMIT_TOKEN_BYTES + 1);
    CHECK(!verified(sv_of(long_token, LIMIT_TOKEN_BYTES + 1)));
}

/* The key and the token of RFC 7515, A.3 (ES256) with its claims: exp 1300819380. */
#define RFC_KEY                                                                                \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define RFC_TOKEN                                                                                                   \
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0" \
    "cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

static enum err_code foreign(const char *set, const char *token, int64_t now_ms)
{
    auto_arena a = {0};
    struct jwks keys = {0};
    struct jwt t;
    struct err e = {0};

    NEED_OK(jwks_read(sv_from(set), &a, &keys, &e), &e);
    return jwt_verify(sv_from(token), &keys, now_ms, &a, &t, &e) ? ERR_NONE : e.code;
}

static void an_es256_token_is_verified_as_in_rfc_7515(void)
{
    CHECK_INT(foreign("{\"keys\":[" RFC_KEY "]}", RFC_TOKEN, 1300819000000), ERR_NONE);
    CHECK_INT(foreign("{\"keys\":[" RFC_KEY "]}", RFC_TOKEN, 1300819380000 + LIMIT_CLOCK_SKEW_MS),
              ERR_DENIED);
    CHECK_INT(foreign("{\"keys\":[]}", RFC_TOKEN, 1300819000000), ERR_NOT_FOUND);
}

static void a_key_for_another_use_or_of_another_kind_is_left_out(void)
{
    auto_arena a = {0};
    struct jwks keys = {0};
    struct err e = {0};

    CHECK_OK(
        jwks_read(
            SV("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"},"
               "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"},"
               "{\"kty\":\"EC\",\"use\":\"enc\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
               "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},null,7]}"),
            &a, &keys, &e),
        &e);
    CHECK_INT(keys.n, 0);
    CHECK(!jwks_read(SV("{}"), &a, &keys, &e));
    CHECK(!jwks_read(SV("[1"), &a, &keys, &e));
}

static void peeking_proves_nothing_but_reads_the_issuer(void)
{
    auto_arena a = {0};
    struct sv issuer, kid;
    struct err e = {0};

    NEED_OK(jwt_peek(good(&a), &a, &issuer, &kid, &e), &e);
    CHECK_SV(issuer, SV("frontdesk"));
    CHECK_SV(kid, SV("k1"));
}

SUITE("sign/jwt", TEST(our_token_reads_back), TEST(every_prefix_and_every_changed_byte_is_refused),
      TEST(no_algorithm_is_no_way_in), TEST(time_is_checked_with_a_minute_of_skew),
      TEST(a_token_has_a_limit), TEST(an_es256_token_is_verified_as_in_rfc_7515),
      TEST(a_key_for_another_use_or_of_another_kind_is_left_out),
      TEST(peeking_proves_nothing_but_reads_the_issuer))
