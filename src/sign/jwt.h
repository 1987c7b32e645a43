/*
 * jwt.h - JSON Web Tokens (RFC 7519, RFC 7515, RFC 8725): verify foreign ones, make and verify
 * ours.
 *
 * The algorithm is the key's, never the token's: a token whose `alg` is not the one its key is for
 * is refused, "none" always. Every failure of a token is ERR_DENIED with a reason that names no
 * part of the token.
 */
#ifndef SIGN_JWT_H
#define SIGN_JWT_H

#include "base/err.h"
#include "base/secret.h"
#include "base/vec.h"
#include "wire/json.h"

enum jwt_alg {
    JWT_RS256,
    JWT_RS384,
    JWT_RS512,
    JWT_PS256,
    JWT_ES256,
    JWT_ES384,
    JWT_EDDSA,
    JWT_ALG_COUNT
};

struct jwt_key {
    struct sv kid;
    enum jwt_alg alg;
    void *pkey; /* EVP_PKEY, released with its arena; read by all threads */
};
struct jwks VEC(struct jwt_key);

/* One of our own keys: HS256, shared by the replicas. */
struct token_key {
    struct sv kid;
    struct secret key; /* at least 32 bytes */
};
struct token_keys VEC(struct token_key);

/* A JSON Web Key Set (RFC 7517), at most LIMIT_JWKS_KEYS. Keys for encryption, of unknown types and
 * symmetric ones are left out; RSA under 2,048 bits too. A key without `alg` serves RS256, ES256,
 * ES384 or EdDSA by its type and curve. */
MUST_CHECK bool jwks_read(struct sv text, struct arena *a, struct jwks *out, struct err *e);

struct jwt {
    struct sv issuer, subject, id; /* iss, sub, jti */
    struct sv_vec audiences;
    int64_t expires_ms, not_before_ms, issued_ms; /* 0: absent */
    struct json *claims;
    const struct token_key *key; /* of one of ours: the key that signed it */
};

/* What the token claims before anything is proved: the issuer, to choose keys by. */
MUST_CHECK bool jwt_peek(struct sv token, struct arena *a, struct json **claims, struct err *e);
/* Signature by a key of that kid and algorithm, then exp (required) and nbf with
 * LIMIT_CLOCK_SKEW_MS. Issuer and audience are the caller's to check. ERR_NOT_FOUND when no key has
 * the token's kid: fetch the set again. */
MUST_CHECK bool jwt_verify(struct sv token, const struct jwks *keys, int64_t now_ms,
                           struct arena *a, struct jwt *out, struct err *e);

/* Our own tokens: the first key signs, all verify. */
struct sv token_sign(const struct json *claims, const struct token_key *key, struct arena *a);
/* The signature and the form alone: whether it has expired is not asked. ERR_NOT_FOUND: no key has
 * the token's kid. */
MUST_CHECK bool token_open(struct sv token, const struct token_keys *keys, struct arena *a,
                           struct jwt *out, struct err *e);
/* How far a client's clock may be off: LIMIT_CLOCK_SKEW_MS, at most half of the token's life. */
int64_t token_skew_ms(const struct jwt *t);
/* Both: the signature, and the time with token_skew_ms. */
MUST_CHECK bool token_verify(struct sv token, const struct token_keys *keys, int64_t now_ms,
                             struct arena *a, struct jwt *out, struct err *e);

#endif
