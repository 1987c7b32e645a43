/* jwks.c - public keys from a JSON Web Key Set, and signatures by them (RFC 7517, RFC 7518). */
#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/limits.h"
#include "sign/jwt_parts.h"
#include "wire/base64.h"

/* What each algorithm is, and the size of its raw signature where that is fixed. */
static const struct alg {
    struct sv name;
    const char *digest; /* NULL: the algorithm's own */
    int padding;        /* of RSA */
    size_t raw_bytes;   /* ECDSA: r and s */
    const char *curve;
} algs[] = {
    [JWT_RS256] = {SV_INIT("RS256"), "SHA256", RSA_PKCS1_PADDING,     0,  NULL   },
    [JWT_RS384] = {SV_INIT("RS384"), "SHA384", RSA_PKCS1_PADDING,     0,  NULL   },
    [JWT_RS512] = {SV_INIT("RS512"), "SHA512", RSA_PKCS1_PADDING,     0,  NULL   },
    [JWT_PS256] = {SV_INIT("PS256"), "SHA256", RSA_PKCS1_PSS_PADDING, 0,  NULL   },
    [JWT_ES256] = {SV_INIT("ES256"), "SHA256", 0,                     64, "P-256"},
    [JWT_ES384] = {SV_INIT("ES384"), "SHA384", 0,                     96, "P-384"},
    [JWT_EDDSA] = {SV_INIT("EdDSA"), NULL,     0,                     0,  NULL   },
};
static_assert(sizeof(algs) / sizeof(algs[0]) == JWT_ALG_COUNT, "a row for each algorithm");

static bool is_rsa(enum jwt_alg alg)
{
    return algs[alg].padding != 0;
}

static void free_pkey(void *key)
{
    EVP_PKEY_free(key);
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (ctx && EVP_PKEY_fromdata_init(ctx) > 0 &&
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static bool member(const struct json *jwk, struct sv name, struct arena *a, struct sv *out)
{
    struct err ignored = {0};
    struct sv text = json_get_str(jwk, name);

    return text.n && base64url_decode(text, a, out, &ignored) && out->n;
}

static BIGNUM *number(struct sv v)
{
    return BN_bin2bn((const unsigned char *)v.p, (int)v.n, NULL);
}

static EVP_PKEY *rsa_key(const struct json *jwk, struct arena *a)
{
    struct sv n, x;
    OSSL_PARAM_BLD *build;
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;
    BIGNUM *modulus, *exponent;

    /* Under 2,048 bits is no protection, over 8,192 is a way to keep us busy. */
    if (!member(jwk, SV("n"), a, &n) || !member(jwk, SV("e"), a, &x) || n.n < 256 || n.n > 1024 ||
        x.n > 8)
        return NULL;
    build = OSSL_PARAM_BLD_new();
    modulus = number(n);
    exponent = number(x);
    if (build && modulus && exponent && BN_num_bits(modulus) >= 2048 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent))
        params = OSSL_PARAM_BLD_to_param(build);
    if (params)
        key = from_params("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(modulus);
    BN_free(exponent);
    return key;
}

static EVP_PKEY *ec_key(const struct json *jwk, const char *curve, size_t half, struct arena *a)
{
    char group[8];
    struct sv x, y;
    unsigned char point[1 + 2 * 48];

    if (!member(jwk, SV("x"), a, &x) || !member(jwk, SV("y"), a, &y) || x.n != half || y.n != half)
        return NULL;
    point[0] = 4; /* uncompressed (SEC 1, 2.3.3); OpenSSL refuses one that is not on the curve */
    memcpy(point + 1, x.p, half);
    memcpy(point + 1 + half, y.p, half);
    (void)snprintf(group, sizeof(group), "%s", curve);
    return from_params(
        "EC", (OSSL_PARAM[]){
                  OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
                  OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * half),
                  OSSL_PARAM_construct_end()});
}

static EVP_PKEY *ed_key(const struct json *jwk, struct arena *a)
{
    struct sv x;

    if (!member(jwk, SV("x"), a, &x) || x.n != 32)
        return NULL;
    return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, (const unsigned char *)x.p, x.n);
}

/* The algorithm a key is for: what it says, or what its type and curve mean. */
static bool alg_of(const struct json *jwk, enum jwt_alg *out)
{
    struct sv kty = json_get_str(jwk, SV("kty")), crv = json_get_str(jwk, SV("crv"));
    struct sv said = json_get_str(jwk, SV("alg"));
    enum jwt_alg alg;

    if (sv_eq(kty, SV("RSA")))
        alg = JWT_RS256;
    else if (sv_eq(kty, SV("EC")) && sv_eq(crv, SV("P-256")))
        alg = JWT_ES256;
    else if (sv_eq(kty, SV("EC")) && sv_eq(crv, SV("P-384")))
        alg = JWT_ES384;
    else if (sv_eq(kty, SV("OKP")) && sv_eq(crv, SV("Ed25519")))
        alg = JWT_EDDSA;
    else
        return false;
    for (int i = 0; said.n && is_rsa(alg) && i < JWT_ALG_COUNT; i++) {
        if (is_rsa((enum jwt_alg)i) && sv_eq(algs[i].name, said))
            alg = (enum jwt_alg)i;
    }
    *out = alg;
    return !said.n || sv_eq(said, algs[alg].name);
}

static EVP_PKEY *make_key(const struct json *jwk, enum jwt_alg alg, struct arena *a)
{
    if (is_rsa(alg))
        return rsa_key(jwk, a);
    if (algs[alg].curve)
        return ec_key(jwk, algs[alg].curve, algs[alg].raw_bytes / 2, a);
    return ed_key(jwk, a);
}

bool jwks_read(struct sv text, struct arena *a, struct jwks *out, struct err *e)
{
    const struct json *keys;
    struct json *set;

    if (!json_read(text, a, &set, e))
        return err_wrap(e, "key set");
    keys = json_get(set, SV("keys"));
    if (json_kind(keys) != JSON_ARRAY || json_count(keys) > LIMIT_JWKS_KEYS)
        return err_set(e, ERR_INVALID, "key set: no list of at most %d keys", LIMIT_JWKS_KEYS);
    for (size_t i = 0; i < json_count(keys); i++) {
        const struct json *jwk = json_at(keys, i);
        struct sv use = json_get_str(jwk, SV("use"));
        struct jwt_key key = {.kid = arena_dup(a, json_get_str(jwk, SV("kid")))};

        if ((use.n && !sv_eq(use, SV("sig"))) || !alg_of(jwk, &key.alg))
            continue;
        key.pkey = make_key(jwk, key.alg, a);
        if (!key.pkey)
            continue;
        arena_defer(a, free_pkey, key.pkey);
        vec_push(out, a, key);
    }
    return true;
}

/* JWS carries r and s side by side, OpenSSL wants them in DER. False when the size is wrong. */
static bool to_der(struct sv raw, size_t want, struct arena *a, struct sv *out)
{
    ECDSA_SIG *sig;
    BIGNUM *r, *s;
    unsigned char *der = NULL;
    int n = -1;

    if (raw.n != want)
        return false;
    sig = ECDSA_SIG_new();
    r = number(sv_first(raw, want / 2));
    s = number(sv_skip(raw, want / 2));
    if (sig && r && s && ECDSA_SIG_set0(sig, r, s)) {
        n = i2d_ECDSA_SIG(sig, &der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    if (n > 0)
        *out = arena_dup(a, sv_of((const char *)der, (size_t)n));
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    return n > 0;
}

static bool signature_holds(const struct jwt_key *key, struct sv text, struct sv signature,
                            struct arena *a)
{
    const struct alg *alg = &algs[key->alg];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    bool ok;

    ok = ctx && (!alg->raw_bytes || to_der(signature, alg->raw_bytes, a, &signature)) &&
         EVP_DigestVerifyInit_ex(ctx, &pctx, alg->digest, NULL, NULL, key->pkey, NULL) > 0;
    if (ok && alg->padding)
        ok = EVP_PKEY_CTX_set_rsa_padding(pctx, alg->padding) > 0;
    if (ok && alg->padding == RSA_PKCS1_PSS_PADDING)
        ok = EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0;
    ok = ok && EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
                                (const unsigned char *)text.p, text.n) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

bool jwt_verify(struct sv token, const struct jwks *keys, int64_t now_ms, struct arena *a,
                struct jwt *out, struct err *e)
{
    struct jwt_parts p = {0};
    bool known = false, fits = false;

    if (!jwt_split(token, a, &p, e))
        return false;
    /* RFC 7517, 4.5: keys of different kinds may share a kid, and while they rotate some do. */
    for (size_t i = 0; i < keys->n; i++) {
        const struct jwt_key *key = &keys->p[i];
        bool same_kid = sv_eq(key->kid, p.kid), same_alg = sv_eq(p.alg, algs[key->alg].name);

        if (same_kid && same_alg && signature_holds(key, p.signed_, p.signature, a))
            return jwt_claims(&p, a, out, e) && jwt_in_time(out, now_ms, LIMIT_CLOCK_SKEW_MS, e);
        known |= same_kid;
        fits |= same_kid && same_alg;
    }
    if (!known)
        return err_set(e, ERR_NOT_FOUND, "token refused: its key is not known");
    return err_set(e, ERR_DENIED, "token refused: its %s",
                   fits ? "signature is wrong" : "algorithm is not the key's");
}
