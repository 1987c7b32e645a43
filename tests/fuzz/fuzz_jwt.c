/* fuzz_jwt.c - tokens: none that arrives from outside is ever valid. */
/* layer: sign */
#include <assert.h>
#include <stdint.h>

#include "sign/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key of RFC 7515, A.3. Its token is in the corpus and has expired. */
#define RFC_KEY                                                                                \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const int64_t now_ms = 1800000000000;
    auto_arena a = {0};
    struct sv token = sv_of((const char *)data, size);
    struct json *claims;
    struct token_keys ours = {0};
    struct jwks theirs = {0};
    struct jwt t;
    struct err e = {0};

    vec_push(&ours, &a,
             ((struct token_key){SV("k1"), secret_of(SV("0123456789abcdef0123456789abcdef"))}));
    if (!jwks_read(SV("{\"keys\":[" RFC_KEY "]}"), &a, &theirs, &e))
        assert(false && "the key set does not read");
    if (jwt_peek(token, &a, &claims, &e))
        assert(json_kind(claims) == JSON_OBJECT);
    if (token_verify(token, &ours, now_ms, &a, &t, &e))
        assert(false && "a forged token is valid");
    assert(e.code == ERR_DENIED);
    if (jwt_verify(token, &theirs, now_ms, &a, &t, &e))
        assert(false && "a forged token is valid");
    assert(e.code == ERR_DENIED || e.code == ERR_NOT_FOUND);
    return 0;
}
