/* seal.c - marks on what clients bring back to us. */
#include "policy/inside.h"

/* Never the text that a token's signature is of: that holds no line break. To its last byte: a
 * format would end at the first NUL. */
static struct sha256 mark(const struct token_key *k, struct sv text, struct arena *a)
{
    return hmac_sha256(secret_reveal(k->key), ARENA_JOIN(a, SV("seal\n"), text));
}

bool rulebook_seal(const struct rulebook *r, struct sv text, struct sha256 *out, struct err *e)
{
    auto_arena a = {0};

    if (r->token_keys.n == 0)
        return err_set(e, ERR_UNAVAILABLE, "no key to sign with yet; try again");
    *out = mark(&r->token_keys.p[0], text, &a);
    return true;
}

bool rulebook_sealed(const struct rulebook *r, struct sv text, const struct sha256 *seal)
{
    auto_arena a = {0};
    bool ours = false;

    for (size_t i = 0; i < r->token_keys.n; i++) {
        const struct sha256 mine = mark(&r->token_keys.p[i], text, &a);

        ours = sha256_eq(&mine, seal) || ours;
    }
    return ours;
}
