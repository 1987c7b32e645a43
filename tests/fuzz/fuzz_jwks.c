/* fuzz_jwks.c - key sets: every key that is taken can be asked about a signature. */
/* layer: sign */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "sign/jwt.h"
#include "wire/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A token with that algorithm and kid, and a signature of the right length that means nothing. */
static struct sv token_for(enum jwt_alg alg, struct sv kid, struct arena *a)
{
    static const char *const names[JWT_ALG_COUNT] = {"RS256", "RS384", "RS512", "PS256",
                                                     "ES256", "ES384", "EdDSA"};
    static const char signature[512] = {1};
    struct json *head = json_new_object(a);
    size_t n = alg == JWT_ES384 ? 96 : alg < JWT_ES256 ? 256 : 64;

    json_set_str(head, a, SV("alg"), sv_from(names[alg]));
    json_set_str(head, a, SV("kid"), kid);
    return arena_printf(a, SV_FMT ".e30." SV_FMT, SV_ARG(base64url_encode(a, json_text(a, head))),
                        SV_ARG(base64url_encode(a, sv_of(signature, n))));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena a = {0};
    struct jwks keys = {0};
    struct jwt t;
    struct err e = {0};

    if (!jwks_read(sv_of((const char *)data, size), &a, &keys, &e)) {
        assert(e.code == ERR_INVALID && keys.n == 0);
        return 0;
    }
    assert(keys.n <= LIMIT_JWKS_KEYS);
    for (size_t i = 0; i < keys.n; i++) {
        assert(keys.p[i].pkey && keys.p[i].alg < JWT_ALG_COUNT);
        if (jwt_verify(token_for(keys.p[i].alg, keys.p[i].kid, &a), &keys, 0, &a, &t, &e))
            assert(false && "a signature of zeros is valid");
    }
    return 0;
}
