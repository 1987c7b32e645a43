/* digest.c - SHA-256 and HMAC, by OpenSSL. */
#include "sign/digest.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "wire/hex.h"

static EVP_MD *md;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

/* OpenSSL 3 looks an algorithm up at each use of EVP_sha256(); fetched once it costs half. */
static void fetch(void)
{
    md = EVP_MD_fetch(NULL, "SHA256", NULL);
    assert(md);
}

static struct sha256 hash(struct sv first, struct sv second)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct sha256 out = {0};
    bool ok;

    (void)pthread_once(&fetched, fetch);
    ok = ctx && EVP_DigestInit_ex2(ctx, md, NULL) && EVP_DigestUpdate(ctx, first.p, first.n) &&
         EVP_DigestUpdate(ctx, second.p, second.n) && EVP_DigestFinal_ex(ctx, out.b, NULL);
    EVP_MD_CTX_free(ctx);
    assert(ok);
    return out;
}

struct sha256 sha256_of(struct sv v)
{
    return hash(v, (struct sv){0});
}

static struct sv bytes_of(const struct sha256 *d)
{
    return sv_of((const char *)d->b, SHA256_BYTES);
}

struct sha256 hmac_sha256(struct sv key, struct sv v)
{
    enum { BLOCK = 64 };
    char inner[BLOCK] = {0}, outer[BLOCK] = {0};
    struct sha256 digest;

    if (key.n > BLOCK) {
        digest = sha256_of(key);
        key = bytes_of(&digest);
    }
    for (size_t i = 0; i < BLOCK; i++) {
        char k = '\0';

        if (i < key.n)
            k = key.p[i];
        inner[i] = (char)(k ^ 0x36);
        outer[i] = (char)(k ^ 0x5c);
    }
    digest = hash(sv_of(inner, BLOCK), v);
    digest = hash(sv_of(outer, BLOCK), bytes_of(&digest));
    OPENSSL_cleanse(inner, sizeof(inner));
    OPENSSL_cleanse(outer, sizeof(outer));
    return digest;
}

struct sv sha256_hex(struct arena *a, struct sv v)
{
    struct sha256 digest = sha256_of(v);

    return hex_encode(a, bytes_of(&digest));
}

bool sha256_eq(const struct sha256 *a, const struct sha256 *b)
{
    return CRYPTO_memcmp(a->b, b->b, SHA256_BYTES) == 0;
}
