/* test_digest.c - hashes against published vectors. */
#include "sign/digest.h"
#include "unit/suite.h"
#include "wire/hex.h"

static void sha256_of_abc_is_that_of_fips_180(void)
{
    auto_arena a = {0};

    CHECK_SV(sha256_hex(&a, SV("abc")),
             SV("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    CHECK_SV(sha256_hex(&a, SV("")),
             SV("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
}

static struct sv hmac_hex(struct arena *a, struct sv key, struct sv text)
{
    struct sha256 m = hmac_sha256(key, text);

    return hex_encode(a, sv_of((const char *)m.b, SHA256_BYTES));
}

static void hmac_is_that_of_rfc_4231(void)
{
    auto_arena a = {0};
    char long_key[131];

    memset(long_key, 0xaa, sizeof(long_key));
    CHECK_SV(hmac_hex(&a, SV("Jefe"), SV("what do ya want for nothing?")),
             SV("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
    CHECK_SV(hmac_hex(&a, sv_of(long_key, sizeof(long_key)),
                      SV("Test Using Larger Than Block-Size Key - Hash Key First")),
             SV("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"));
}

SUITE("sign/digest", TEST(sha256_of_abc_is_that_of_fips_180), TEST(hmac_is_that_of_rfc_4231))
