/* test_secret.c - bytes that must not leak. */
#include "base/secret.h"
#include "unit/suite.h"

static void only_equal_secrets_are_equal(void)
{
    CHECK(secret_eq(secret_of(SV("abc")), secret_of(SV("abc"))));
    CHECK(!secret_eq(secret_of(SV("abc")), secret_of(SV("abd"))));
    CHECK(!secret_eq(secret_of(SV("abc")), secret_of(SV("ab"))));
    CHECK(!secret_eq(secret_of(SV("")), secret_of(SV("a"))));
    CHECK(secret_eq(secret_of(SV("")), (struct secret){0}));
}

static void a_copy_outlives_the_original(void)
{
    auto_arena a = {.wipe = true};
    char text[] = "hidden";
    struct secret copy = secret_dup(&a, secret_of(sv_from(text)));

    text[0] = 'X';
    CHECK_SV(secret_reveal(copy), SV("hidden"));
    CHECK(secret_is_set(copy));
}

SUITE("base/secret", TEST(only_equal_secrets_are_equal), TEST(a_copy_outlives_the_original))
