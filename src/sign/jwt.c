/* jwt.c - the parts of a token, and what must hold of every token. */
#include <stdlib.h>

#include "base/limits.h"
#include "sign/digest.h"
#include "sign/jwt_parts.h"
#include "wire/base64.h"

static bool deny(struct err *e, const char *why)
{
    return err_set(e, ERR_DENIED, "token refused: %s", why);
}

static bool decode_json(struct sv part, struct arena *a, struct json **out, struct err *e)
{
    struct sv text;

    if (!base64url_decode(part, a, &text, e) || !json_read(text, a, out, e) ||
        json_kind(*out) != JSON_OBJECT)
        return deny(e, "it is malformed");
    return true;
}

bool jwt_split(struct sv token, struct arena *a, struct jwt_parts *out, struct err *e)
{
    struct sv rest = token, head, claims, signature;

    if (token.n == 0 || token.n > LIMIT_TOKEN_BYTES)
        return deny(e, token.n ? "it is too long" : "there is none");
    if (!sv_cut(&rest, '.', &head) || !sv_cut(&rest, '.', &claims) ||
        !sv_cut(&rest, '.', &signature) || rest.p)
        return deny(e, "it is malformed");
    if (!decode_json(head, a, &out->head, e) || !decode_json(claims, a, &out->claims, e))
        return false;
    if (!base64url_decode(signature, a, &out->signature, e))
        return deny(e, "it is malformed");
    /* RFC 7515, 4.1.11: what is marked critical must be understood, and we understand none. */
    if (json_has(out->head, SV("crit")))
        return deny(e, "it has a critical extension");
    out->signed_ = sv_of(token.p, head.n + 1 + claims.n);
    out->alg = json_get_str(out->head, SV("alg"));
    out->kid = json_get_str(out->head, SV("kid"));
    return true;
}

static void read_audiences(const struct json *aud, struct arena *a, struct sv_vec *out)
{
    if (json_kind(aud) == JSON_STRING)
        vec_push(out, a, json_str(aud, (struct sv){0}));
    for (size_t i = 0; i < json_count(aud); i++) {
        if (json_kind(json_at(aud, i)) == JSON_STRING)
            vec_push(out, a, json_str(json_at(aud, i), (struct sv){0}));
    }
}

/* NumericDate (RFC 7519, 2): seconds, a fraction allowed and dropped. 0 when absent, -1 when it is
 * no date up to the year 9999: a sum with it does not overflow then. */
static int64_t read_date(const struct json *claims, struct sv name, struct arena *a)
{
    const double last = 253402300799;
    const struct json *v = json_get(claims, name);
    double seconds = -1;

    if (!v)
        return 0;
    if (json_kind(v) == JSON_INT || json_kind(v) == JSON_DOUBLE)
        seconds = strtod(json_text(a, v).p, NULL);
    return seconds >= 0 && seconds <= last ? (int64_t)seconds * 1000 : -1;
}

bool jwt_claims(const struct jwt_parts *p, struct arena *a, struct jwt *out, struct err *e)
{
    struct jwt t = {.claims = p->claims};

    t.issuer = json_get_str(p->claims, SV("iss"));
    t.subject = json_get_str(p->claims, SV("sub"));
    t.id = json_get_str(p->claims, SV("jti"));
    t.expires_ms = read_date(p->claims, SV("exp"), a);
    t.not_before_ms = read_date(p->claims, SV("nbf"), a);
    t.issued_ms = read_date(p->claims, SV("iat"), a);
    read_audiences(json_get(p->claims, SV("aud")), a, &t.audiences);
    if (t.expires_ms <= 0)
        return deny(e, "it has no expiry");
    if (t.not_before_ms < 0 || t.issued_ms < 0)
        return deny(e, "a date in it is no date");
    *out = t;
    return true;
}

bool jwt_in_time(const struct jwt *t, int64_t now_ms, int64_t skew_ms, struct err *e)
{
    if (now_ms >= t->expires_ms + skew_ms)
        return deny(e, "it has expired");
    if (t->not_before_ms > now_ms + skew_ms)
        return deny(e, "it is not valid yet");
    return true;
}

bool jwt_peek(struct sv token, struct arena *a, struct json **claims, struct err *e)
{
    struct jwt_parts p = {0};

    if (!jwt_split(token, a, &p, e))
        return false;
    *claims = p.claims;
    return true;
}

/* ---- our own tokens ---- */

static struct sv mac(struct sv text, const struct token_key *key, struct arena *a)
{
    struct sha256 m = hmac_sha256(secret_reveal(key->key), text);

    return arena_dup(a, sv_of((const char *)m.b, SHA256_BYTES));
}

struct sv token_sign(const struct json *claims, const struct token_key *key, struct arena *a)
{
    struct json *head = json_new_object(a);
    struct sv text;

    json_set_str(head, a, SV("alg"), SV("HS256"));
    json_set_str(head, a, SV("typ"), SV("JWT"));
    json_set_str(head, a, SV("kid"), key->kid);
    text = arena_printf(a, SV_FMT "." SV_FMT, SV_ARG(base64url_encode(a, json_text(a, head))),
                        SV_ARG(base64url_encode(a, json_text(a, claims))));
    return arena_printf(a, SV_FMT "." SV_FMT, SV_ARG(text),
                        SV_ARG(base64url_encode(a, mac(text, key, a))));
}

bool token_open(struct sv token, const struct token_keys *keys, struct arena *a, struct jwt *out,
                struct err *e)
{
    struct jwt_parts p = {0};

    if (!jwt_split(token, a, &p, e))
        return false;
    if (!sv_eq(p.alg, SV("HS256")))
        return deny(e, "its algorithm is not the key's");
    for (size_t i = 0; i < keys->n; i++) {
        struct secret want;

        if (!sv_eq(keys->p[i].kid, p.kid))
            continue;
        want = secret_of(mac(p.signed_, &keys->p[i], a));
        if (!secret_eq(want, secret_of(p.signature)))
            return deny(e, "its signature is wrong");
        if (!jwt_claims(&p, a, out, e))
            return false;
        out->key = &keys->p[i];
        return true;
    }
    return err_set(e, ERR_NOT_FOUND, "token refused: its key is not known");
}

int64_t token_skew_ms(const struct jwt *t)
{
    int64_t half = (t->expires_ms - t->issued_ms) / 2;

    if (half < 0)
        return 0;
    return half < LIMIT_CLOCK_SKEW_MS ? half : LIMIT_CLOCK_SKEW_MS;
}

bool token_verify(struct sv token, const struct token_keys *keys, int64_t now_ms, struct arena *a,
                  struct jwt *out, struct err *e)
{
    struct jwt t = {0};

    if (!token_open(token, keys, a, &t, e) || !jwt_in_time(&t, now_ms, token_skew_ms(&t), e)) {
        e->code = ERR_DENIED;
        return false;
    }
    *out = t;
    return true;
}
