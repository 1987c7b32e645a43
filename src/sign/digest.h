/* digest.h - SHA-256 and HMAC-SHA-256. Source: FIPS 180-4, RFC 2104; computed by OpenSSL. */
#ifndef SIGN_DIGEST_H
#define SIGN_DIGEST_H

#include "base/arena.h"
#include "base/secret.h"

enum { SHA256_BYTES = 32 };

struct sha256 {
    unsigned char b[SHA256_BYTES];
};

struct sha256 sha256_of(struct sv v);
struct sha256 hmac_sha256(struct sv key, struct sv v);
/* 64 lower-case digits. */
struct sv sha256_hex(struct arena *a, struct sv v);
bool sha256_eq(const struct sha256 *a, const struct sha256 *b); /* constant time */

#endif
