/* jwt_parts.h - a token taken apart, before anything is proved; shared by jwt.c and jwks.c. */
#ifndef SIGN_JWT_PARTS_H
#define SIGN_JWT_PARTS_H

#include "sign/jwt.h"

struct jwt_parts {
    struct json *head, *claims;
    struct sv signed_;   /* head and claims as they stand: what the signature is over */
    struct sv signature; /* decoded */
    struct sv alg, kid;
};

/* Compact serialisation of three parts (RFC 7515, 7.1). */
MUST_CHECK bool jwt_split(struct sv token, struct arena *a, struct jwt_parts *out, struct err *e);
/* Fills `out`. Call only when the signature has been verified. */
MUST_CHECK bool jwt_claims(const struct jwt_parts *p, struct arena *a, struct jwt *out,
                           struct err *e);
/* exp and nbf, with so much tolerance for clocks that differ. */
MUST_CHECK bool jwt_in_time(const struct jwt *t, int64_t now_ms, int64_t skew_ms, struct err *e);

#endif
