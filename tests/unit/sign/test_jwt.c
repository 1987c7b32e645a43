/* test_jwt.c - tokens: what is taken, and every way to forge one. */
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/limits.h"
#include "sign/digest.h"
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

/* A token of five seconds that lives a minute longer would prove no renewal. */
static void a_short_life_is_stretched_by_half_of_it_at_most(void)
{
    auto_arena a = {0};
    struct token_keys keys = our_keys(&a);
    struct json *now = claims_until(&a, NOW_MS - 4000), *late = claims_until(&a, NOW_MS - 5000);

    json_set_i64(now, &a, SV("iat"), NOW_MS / 1000 - 14);
    json_set_i64(late, &a, SV("iat"), NOW_MS / 1000 - 15);
    CHECK(verified(token_sign(now, &keys.p[0], &a)));
    CHECK(!verified(token_sign(late, &keys.p[0], &a)));
    json_set_i64(now, &a, SV("iat"), NOW_MS / 1000);
    CHECK(!verified(token_sign(now, &keys.p[0], &a)));
}

static void an_expired_token_opens_by_its_key_alone(void)
{
    auto_arena a = {0};
    struct token_keys keys = our_keys(&a), none = {0};
    struct sv old = token_sign(claims_until(&a, 1000), &keys.p[1], &a);
    struct jwt t = {0};
    struct err e = {0};

    CHECK(!verified(old));
    NEED_OK(token_open(old, &keys, &a, &t, &e), &e);
    CHECK_SV(t.key->kid, SV("k0"));
    CHECK(!token_open(old, &none, &a, &t, &e));
    CHECK_INT(e.code, ERR_NOT_FOUND);
    CHECK(!token_open(forged(&a, "{\"alg\":\"HS256\",\"kid\":\"k1\"}", SV("AAAA")), &keys, &a, &t,
                      &e));
    CHECK_INT(e.code, ERR_DENIED);
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
    struct json *claims;
    struct err e = {0};

    NEED_OK(jwt_peek(good(&a), &a, &claims, &e), &e);
    CHECK_SV(json_get_str(claims, SV("iss")), SV("frontdesk"));
}

/* ---- foreign tokens, by keys that are made here ---- */

static void free_key(void *key)
{
    EVP_PKEY_free(key);
}

static EVP_PKEY *rsa_pair(struct arena *a)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);

    arena_defer(a, free_key, key);
    return key;
}

static EVP_PKEY *ec_pair(struct arena *a)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    arena_defer(a, free_key, key);
    return key;
}

/* A number of the key as JWK writes it, in at least `width` bytes. */
static struct sv number_of(EVP_PKEY *key, const char *name, int width, struct arena *a)
{
    unsigned char bytes[512];
    BIGNUM *n = NULL;
    int size;

    NEED(EVP_PKEY_get_bn_param(key, name, &n) == 1);
    size = BN_num_bytes(n) > width ? BN_num_bytes(n) : width;
    (void)BN_bn2binpad(n, bytes, size);
    BN_free(n);
    return base64url_encode(a, sv_of((char *)bytes, (size_t)size));
}

static struct json *rsa_jwk(EVP_PKEY *key, const char *alg, struct arena *a)
{
    struct json *jwk = json_new_object(a);

    json_set_str(jwk, a, SV("kty"), SV("RSA"));
    json_set_str(jwk, a, SV("kid"), SV("k"));
    json_set_str(jwk, a, SV("alg"), sv_from(alg));
    json_set_str(jwk, a, SV("n"), number_of(key, OSSL_PKEY_PARAM_RSA_N, 0, a));
    json_set_str(jwk, a, SV("e"), number_of(key, OSSL_PKEY_PARAM_RSA_E, 0, a));
    return jwk;
}

static struct json *ec_jwk(EVP_PKEY *key, struct arena *a)
{
    struct json *jwk = json_new_object(a);

    json_set_str(jwk, a, SV("kty"), SV("EC"));
    json_set_str(jwk, a, SV("kid"), SV("k"));
    json_set_str(jwk, a, SV("crv"), SV("P-256"));
    json_set_str(jwk, a, SV("x"), number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, 32, a));
    json_set_str(jwk, a, SV("y"), number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32, a));
    return jwk;
}

/* A set of one or two keys; NULL for no second one. */
static const char *set_of(struct json *first, struct json *second, struct arena *a)
{
    struct json *set = json_new_object(a), *keys = json_new_array(a);

    json_push(keys, first);
    if (second)
        json_push(keys, second);
    json_set(set, SV("keys"), keys);
    return arena_cstr(a, json_text(a, set));
}

static struct sv unsigned_part(const char *alg, struct arena *a)
{
    struct json *head = json_new_object(a);

    json_set_str(head, a, SV("alg"), sv_from(alg));
    json_set_str(head, a, SV("kid"), SV("k"));
    return arena_printf(a, SV_FMT "." SV_FMT, SV_ARG(base64url_encode(a, json_text(a, head))),
                        SV_ARG(base64url_encode(a, json_text(a, claims_until(a, NOW_MS + 60000)))));
}

/* The signature as OpenSSL makes it: of an EC key in DER. */
static struct sv openssl_signature(EVP_PKEY *key, struct sv text, struct arena *a)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char bytes[512];
    size_t n = sizeof(bytes);

    NEED(ctx && EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) > 0);
    NEED(EVP_DigestSign(ctx, bytes, &n, (const unsigned char *)text.p, text.n) > 0);
    EVP_MD_CTX_free(ctx);
    return arena_dup(a, sv_of((char *)bytes, n));
}

static const char *token_of(struct sv text, struct sv signature, struct arena *a)
{
    return arena_cstr(a, arena_printf(a, SV_FMT "." SV_FMT, SV_ARG(text),
                                      SV_ARG(base64url_encode(a, signature))));
}

static const char *rs256_token(EVP_PKEY *key, struct arena *a)
{
    struct sv text = unsigned_part("RS256", a);

    return token_of(text, openssl_signature(key, text, a), a);
}

/* r and s side by side, out of DER. */
static struct sv raw_signature(struct sv der, struct arena *a)
{
    const unsigned char *p = (const unsigned char *)der.p;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
    unsigned char bytes[64];

    NEED(sig);
    (void)BN_bn2binpad(ECDSA_SIG_get0_r(sig), bytes, 32);
    (void)BN_bn2binpad(ECDSA_SIG_get0_s(sig), bytes + 32, 32);
    ECDSA_SIG_free(sig);
    return arena_dup(a, sv_of((char *)bytes, sizeof(bytes)));
}

static void an_rs256_token_is_verified(void)
{
    auto_arena a = {0};
    EVP_PKEY *key = rsa_pair(&a);

    CHECK_INT(foreign(set_of(rsa_jwk(key, "RS256", &a), NULL, &a), rs256_token(key, &a), NOW_MS),
              ERR_NONE);
    CHECK_INT(
        foreign(set_of(rsa_jwk(rsa_pair(&a), "RS256", &a), NULL, &a), rs256_token(key, &a), NOW_MS),
        ERR_DENIED);
}

/* The classic forgery: what is public serves as the secret of a MAC. */
static void a_public_key_is_no_secret(void)
{
    auto_arena a = {0};
    EVP_PKEY *key = rsa_pair(&a);
    struct sv text = unsigned_part("HS256", &a);
    BIO *pem = BIO_new(BIO_s_mem());
    struct sha256 mac;
    char *bytes;
    long n;

    NEED(pem && PEM_write_bio_PUBKEY(pem, key) == 1);
    n = BIO_get_mem_data(pem, &bytes);
    mac = hmac_sha256(sv_of(bytes, (size_t)n), text);
    CHECK_INT(foreign(set_of(rsa_jwk(key, "RS256", &a), NULL, &a),
                      token_of(text, sv_of((char *)mac.b, SHA256_BYTES), &a), NOW_MS),
              ERR_DENIED);
    BIO_free(pem);
}

static void a_token_names_no_other_algorithm_than_its_key(void)
{
    auto_arena a = {0};
    EVP_PKEY *rsa = rsa_pair(&a), *ec = ec_pair(&a);

    CHECK_INT(foreign(set_of(ec_jwk(ec, &a), NULL, &a), rs256_token(rsa, &a), NOW_MS), ERR_DENIED);
    CHECK_INT(foreign(set_of(rsa_jwk(rsa, "PS256", &a), NULL, &a), rs256_token(rsa, &a), NOW_MS),
              ERR_DENIED);
}

static void an_es256_signature_is_raw_and_never_der(void)
{
    auto_arena a = {0};
    EVP_PKEY *key = ec_pair(&a);
    const char *set = set_of(ec_jwk(key, &a), NULL, &a);
    struct sv text = unsigned_part("ES256", &a);
    struct sv der = openssl_signature(key, text, &a);
    struct sv raw = raw_signature(der, &a);

    CHECK_INT(foreign(set, token_of(text, raw, &a), NOW_MS), ERR_NONE);
    CHECK_INT(foreign(set, token_of(text, der, &a), NOW_MS), ERR_DENIED);
    CHECK_INT(foreign(set, token_of(text, sv_first(raw, 63), &a), NOW_MS), ERR_DENIED);
    CHECK_INT(foreign(set, token_of(text, SV(""), &a), NOW_MS), ERR_DENIED);
}

static void of_two_keys_with_one_kid_either_verifies(void)
{
    auto_arena a = {0};
    EVP_PKEY *old = rsa_pair(&a), *new = rsa_pair(&a), *ec = ec_pair(&a);
    const char *rotating = set_of(rsa_jwk(old, "RS256", &a), rsa_jwk(new, "RS256", &a), &a);

    CHECK_INT(foreign(rotating, rs256_token(old, &a), NOW_MS), ERR_NONE);
    CHECK_INT(foreign(rotating, rs256_token(new, &a), NOW_MS), ERR_NONE);
    CHECK_INT(foreign(rotating, rs256_token(rsa_pair(&a), &a), NOW_MS), ERR_DENIED);
    CHECK_INT(foreign(set_of(ec_jwk(ec, &a), rsa_jwk(new, "RS256", &a), &a), rs256_token(new, &a),
                      NOW_MS),
              ERR_NONE);
}

/* ---- dates ---- */

static struct sv with_expiry(const char *exp, struct arena *a)
{
    struct token_keys keys = our_keys(a);
    struct json *claims;
    struct err e = {0};

    NEED_OK(json_read(arena_printf(a, "{\"sub\":\"x\",\"exp\":%s}", exp), a, &claims, &e), &e);
    return token_sign(claims, &keys.p[0], a);
}

static void a_date_may_have_a_fraction(void)
{
    auto_arena a = {0};
    struct token_keys keys = our_keys(&a);
    struct jwt t;
    struct err e = {0};

    NEED_OK(token_verify(with_expiry("1800000100.9", &a), &keys, NOW_MS, &a, &t, &e), &e);
    CHECK_INT(t.expires_ms, 1800000100000);
    CHECK(verified(with_expiry("1.8000001e9", &a)));
    CHECK(!verified(with_expiry("1700000000.5", &a)));
}

static void a_date_past_the_year_9999_is_no_date(void)
{
    auto_arena a = {0};

    CHECK(verified(with_expiry("253402300799", &a)));
    CHECK(!verified(with_expiry("253402300800", &a)));
    CHECK(!verified(with_expiry("9223372036854775", &a)));
    CHECK(!verified(with_expiry("9223372036854775807", &a)));
    CHECK(!verified(with_expiry("1e300", &a)));
    CHECK(!verified(with_expiry("-1", &a)));
    CHECK(!verified(with_expiry("\"1900000000\"", &a)));
    CHECK(!verified(with_expiry("true", &a)));
}

SUITE("sign/jwt", TEST(our_token_reads_back), TEST(every_prefix_and_every_changed_byte_is_refused),
      TEST(no_algorithm_is_no_way_in), TEST(time_is_checked_with_a_minute_of_skew),
      TEST(a_short_life_is_stretched_by_half_of_it_at_most),
      TEST(an_expired_token_opens_by_its_key_alone), TEST(a_token_has_a_limit),
      TEST(an_es256_token_is_verified_as_in_rfc_7515),
      TEST(a_key_for_another_use_or_of_another_kind_is_left_out),
      TEST(peeking_proves_nothing_but_reads_the_issuer), TEST(an_rs256_token_is_verified),
      TEST(a_public_key_is_no_secret), TEST(a_token_names_no_other_algorithm_than_its_key),
      TEST(an_es256_signature_is_raw_and_never_der), TEST(of_two_keys_with_one_kid_either_verifies),
      TEST(a_date_may_have_a_fraction), TEST(a_date_past_the_year_9999_is_no_date))
