/* test_seal.c - marks on what clients bring back. */
#include "policy/rulebook.h"
#include "unit/suite.h"

/* A rulebook of nothing but keys; `keys` are letters, the first signs. */
static struct rulebook *rules(struct arena *a, const char *keys)
{
    struct policy_input in = {.generation = 1};
    struct compile_result out;

    for (const char *k = keys; *k; k++) {
        struct buf b = buf_new(a, 64);

        for (int i = 0; i < 32; i++)
            buf_addc(&b, *k);
        vec_push(&in.token_keys, a,
                 ((struct token_key){arena_printf(a, "%c", *k), secret_of(buf_sv(&b))}));
    }
    policy_compile(&in, a, &out);
    return out.rulebook;
}

static void a_seal_holds_for_its_text_and_no_other(void)
{
    auto_arena a = {0};
    struct rulebook *r = rules(&a, "k");
    struct sha256 seal;
    struct err e = {0};

    NEED_OK(rulebook_seal(r, SV("text"), &seal, &e), &e);
    CHECK(rulebook_sealed(r, SV("text"), &seal));
    CHECK(!rulebook_sealed(r, SV("texu"), &seal));
    CHECK(!rulebook_sealed(r, SV(""), &seal));
    seal.b[31] ^= 1;
    CHECK(!rulebook_sealed(r, SV("text"), &seal));
    (void)rulebook_unref(r);
}

static void a_seal_outlives_the_turn_of_a_key_but_not_its_end(void)
{
    auto_arena a = {0};
    struct rulebook *before = rules(&a, "k"), *turned = rules(&a, "nk"), *after = rules(&a, "n");
    struct sha256 seal;
    struct err e = {0};

    NEED_OK(rulebook_seal(before, SV("text"), &seal, &e), &e);
    CHECK(rulebook_sealed(turned, SV("text"), &seal));
    CHECK(!rulebook_sealed(after, SV("text"), &seal));
    (void)rulebook_unref(before);
    (void)rulebook_unref(turned);
    (void)rulebook_unref(after);
}

static void without_a_key_nothing_is_sealed(void)
{
    auto_arena a = {0};
    struct rulebook *r = rules(&a, "");
    struct sha256 seal = {0};
    struct err e = {0};

    CHECK(!rulebook_seal(r, SV("text"), &seal, &e));
    CHECK_INT(e.code, ERR_UNAVAILABLE);
    CHECK(!rulebook_sealed(r, SV("text"), &seal));
    (void)rulebook_unref(r);
}

static void a_seal_is_of_the_text_to_its_last_byte(void)
{
    static const char text[] = {'a', '\0', 'b'};
    auto_arena a = {0};
    struct rulebook *r = rules(&a, "k");
    struct sha256 seal;
    struct err e = {0};

    NEED_OK(rulebook_seal(r, SV("a"), &seal, &e), &e);
    CHECK(!rulebook_sealed(r, sv_of(text, sizeof(text)), &seal));
    CHECK(!rulebook_sealed(r, sv_of(text, 2), &seal));
    (void)rulebook_unref(r);
}

/* A token's signature is an HMAC under the same key: it must be no seal of anything. */
static void a_tokens_signature_is_no_seal(void)
{
    auto_arena a = {0};
    struct rulebook *r = rules(&a, "k");
    struct sha256 signature =
        hmac_sha256(SV("kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"), SV("eyJhbGciOiJIUzI1NiJ9.e30"));

    CHECK(!rulebook_sealed(r, SV("eyJhbGciOiJIUzI1NiJ9.e30"), &signature));
    (void)rulebook_unref(r);
}

SUITE("policy/seal", TEST(a_seal_holds_for_its_text_and_no_other),
      TEST(a_seal_outlives_the_turn_of_a_key_but_not_its_end),
      TEST(without_a_key_nothing_is_sealed), TEST(a_seal_is_of_the_text_to_its_last_byte),
      TEST(a_tokens_signature_is_no_seal))
