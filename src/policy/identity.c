/* identity.c - a client's credentials or a token to a caller. */
#include <stdlib.h>

#include "base/limits.h"
#include "policy/inside.h"
#include "wire/base64.h"

static bool deny(struct err *e, const char *why)
{
    return err_set(e, ERR_DENIED, "%s", why);
}

static void be(struct caller *out, const struct rule_principal *p)
{
    *out = (struct caller){.principal = p, .name = p->name};
}

static void be_until(struct caller *out, const struct rule_principal *p, int64_t expires_ms,
                     int64_t skew_ms)
{
    be(out, p);
    out->token_expires_ms = expires_ms;
    out->valid_until_ms = expires_ms + skew_ms;
}

bool rulebook_login(const struct rulebook *r, struct sv client_id, struct secret secret,
                    int64_t now_ms, struct caller *out, struct err *e)
{
    static const struct rule_principal nobody;
    const struct rule_principal *p = map_get(&r->clients, client_id);
    struct sha256 hash = sha256_of(secret_reveal(secret));
    /* The same work is done for a client that does not exist. */
    const struct rule_principal *against = p ? p : &nobody;
    bool current = sha256_eq(&hash, &against->secret_hash);
    bool old = sha256_eq(&hash, &against->old_secret_hash) && now_ms < against->old_until_ms;

    if (!p || !(current || old))
        return deny(e, "the client id or the client secret is wrong");
    be(out, p);
    out->by_old_secret = !current;
    return true;
}

struct sv caller_client_id(const struct caller *c)
{
    return c->principal->client_id;
}

/* ---- roles ---- */

bool words_have(struct sv words, struct sv word)
{
    struct sv w;

    while (sv_cut(&words, ' ', &w)) {
        if (w.n && sv_eq(w, word))
            return true;
    }
    return false;
}

static bool may_act_as(const struct caller *c, struct sv role)
{
    if (c->only_roles.n)
        return words_have(c->only_roles, role);
    return sv_eq(role, SV("ALL")) || sv_vec_has(&c->principal->roles, role);
}

static int by_text(const void *x, const void *y)
{
    return sv_cmp(*(const struct sv *)x, *(const struct sv *)y);
}

/* In one order, each once: what is compared as text says the same set. */
static struct sv join_words(struct sv_vec *words, struct arena *a)
{
    struct sv all = {0};

    if (words->n)
        qsort(words->p, words->n, sizeof(*words->p), by_text);
    for (size_t i = 0; i < words->n; i++)
        all = i ? ARENA_JOIN(a, all, SV(" "), words->p[i]) : words->p[i];
    return arena_dup(a, all);
}

static bool choose(const struct caller *c, struct sv role, struct arena *a, struct sv_vec *chosen,
                   struct err *e)
{
    if (!may_act_as(c, role))
        return err_set(e, ERR_DENIED, "principal role " SV_FMT ": %s", SV_ARG(sv_first(role, 100)),
                       c->only_roles.n ? "the token does not carry it" : "the client is not in it");
    if (!sv_vec_has(chosen, role))
        vec_push(chosen, a, role);
    return true;
}

bool caller_narrow(struct caller *c, struct sv roles, struct arena *a, struct err *e)
{
    struct sv_vec chosen = {0};
    struct sv role;

    while (sv_cut(&roles, ' ', &role)) {
        if (role.n && !choose(c, role, a, &chosen, e))
            return false;
    }
    /* A caller that is narrowed already has no "ALL" to choose. */
    if (chosen.n && (c->only_roles.n || !sv_vec_has(&chosen, SV("ALL"))))
        c->only_roles = join_words(&chosen, a);
    return true;
}

/* ---- by name ---- */

/* The principals whose names end so, "NAMESPACE/name"; the last of them. */
static size_t find_bare(const struct rulebook *r, struct sv name, const struct rule_principal **out)
{
    size_t n = 0;

    for (const struct map_entry *i = NULL; (i = map_next(&r->principals, i));) {
        if (!sv_eq(sv_skip(i->key, (size_t)(sv_find(i->key, '/') + 1)), name))
            continue;
        *out = i->value;
        n++;
    }
    return n;
}

bool rulebook_find(const struct rulebook *r, struct sv name, struct caller *out, struct err *e)
{
    const struct rule_principal *found = map_get(&r->principals, name);
    size_t n = found ? 1 : find_bare(r, name, &found);

    if (n > 1)
        return err_set(e, ERR_INVALID, "principal " SV_FMT ": more than one; write NAMESPACE/NAME",
                       SV_ARG(sv_first(name, 100)));
    if (!found)
        return err_set(e, ERR_INVALID, "principal " SV_FMT ": there is none of that name in force",
                       SV_ARG(sv_first(name, 100)));
    be(out, found);
    return true;
}

static int by_name(const void *x, const void *y)
{
    const struct caller *a = x, *b = y;

    return sv_cmp(a->name, b->name);
}

void rulebook_callers(const struct rulebook *r, struct arena *a, struct caller_vec *out)
{
    for (const struct map_entry *i = NULL; (i = map_next(&r->principals, i));) {
        struct caller c;

        be(&c, i->value);
        vec_push(out, a, c);
    }
    if (out->n)
        qsort(out->p, out->n, sizeof(*out->p), by_name);
}

/* ---- tokens ---- */

#define OUR_ISSUER "frontdesk"

/* What a token of ours follows from: a principal made anew, another client id and another secret
 * each end it. Keyed, since it is read by whoever holds the token. */
static struct secret binding(const struct rule_principal *p, bool old_secret,
                             const struct token_key *key, struct arena *a)
{
    const struct sha256 *secret = old_secret ? &p->old_secret_hash : &p->secret_hash;
    struct sv text = ARENA_JOIN(a, SV("bound\n"), p->uid, SV("\n"), p->client_id, SV("\n"),
                                sv_of((const char *)secret->b, SHA256_BYTES));
    struct sha256 m = hmac_sha256(secret_reveal(key->key), text);

    return secret_of(base64url_encode(a, sv_of((const char *)m.b, SHA256_BYTES / 2)));
}

/* The secret that led to the token is in force, or is the one before and has not expired. */
static bool is_bound(const struct rule_principal *p, const struct jwt *t, int64_t now_ms,
                     struct arena *a, bool *by_old)
{
    const struct secret bound = secret_of(json_get_str(t->claims, SV("bound")));

    *by_old = false;
    if (secret_eq(binding(p, false, t->key, a), bound))
        return true;
    *by_old = now_ms < p->old_until_ms && secret_eq(binding(p, true, t->key, a), bound);
    return *by_old;
}

static bool our_token(const struct rulebook *r, struct sv token, int64_t now_ms, struct arena *a,
                      struct caller *out, struct err *e)
{
    const struct rule_principal *p;
    struct jwt t;
    bool by_old;

    if (!token_verify(token, &r->token_keys, now_ms, a, &t, e))
        return false;
    p = map_get(&r->principals, t.subject);
    if (!p || !p->client_id.n || !sv_eq(p->client_id, json_get_str(t.claims, SV("client_id"))))
        return deny(e, "token refused: its principal does not exist any more");
    if (!is_bound(p, &t, now_ms, a, &by_old))
        return deny(e, "token refused: its principal was made anew, or its secret was rotated");
    be_until(out, p, t.expires_ms, token_skew_ms(&t));
    out->by_old_secret = by_old;
    if (by_old && p->old_until_ms < out->valid_until_ms)
        out->valid_until_ms = p->old_until_ms;
    if (by_old && p->old_until_ms < out->token_expires_ms)
        out->token_expires_ms = p->old_until_ms;
    return caller_narrow(out, json_get_str(t.claims, SV("role")), a, e);
}

/* "system:serviceaccount:NS:NAME" to "NS/NAME". */
static bool account_key(struct sv subject, struct arena *a, struct sv *out)
{
    struct sv rest = sv_skip(subject, sizeof("system:serviceaccount:") - 1), ns;

    if (!sv_starts(subject, SV("system:serviceaccount:")) || !sv_cut(&rest, ':', &ns) || !ns.n ||
        !rest.n)
        return false;
    *out = arena_printf(a, SV_FMT "/" SV_FMT, SV_ARG(ns), SV_ARG(rest));
    return true;
}

static bool cluster_token(const struct rulebook *r, struct sv token, int64_t now_ms,
                          struct arena *a, struct caller *out, struct err *e)
{
    const struct rule_principal *p;
    const struct json *account;
    struct sv key, uid;
    struct jwt t;

    if (!jwt_verify(token, &r->cluster_keys, now_ms, a, &t, e))
        return false;
    if (!sv_eq(t.issuer, r->cluster_issuer) || !sv_vec_has(&t.audiences, r->cluster_audience))
        return deny(e, "token refused: it is not meant for us; ask for our audience");
    if (!account_key(t.subject, a, &key))
        return deny(e, "token refused: its subject is no service account");
    p = map_get(&r->accounts, key);
    if (!p)
        return deny(e, "token refused: no role names its service account");
    account = json_path(json_get(t.claims, SV("kubernetes.io")), SV("serviceaccount"));
    uid = json_get_str(account, SV("uid"));
    if (!uid.n || !sv_eq(uid, p->account_uid))
        return deny(e, "token refused: its service account does not exist any more");
    be_until(out, p, t.expires_ms, LIMIT_CLOCK_SKEW_MS);
    return true;
}

bool rulebook_authenticate(const struct rulebook *r, struct sv token, int64_t now_ms,
                           struct arena *a, struct caller *out, struct err *e)
{
    struct json *claims;
    struct sv issuer;

    if (!jwt_peek(token, a, &claims, e))
        return false;
    issuer = json_get_str(claims, SV("iss"));
    if (sv_eq(issuer, SV(OUR_ISSUER)))
        return our_token(r, token, now_ms, a, out, e);
    if (r->cluster_issuer.n && sv_eq(issuer, r->cluster_issuer))
        return cluster_token(r, token, now_ms, a, out, e);
    return deny(e, "token refused: its issuer is not known");
}

/* Its claims, not verified. */
static bool read_ours(struct sv token, struct arena *a, struct json **claims, struct err *e)
{
    return jwt_peek(token, a, claims, e) &&
           (sv_eq(json_get_str(*claims, SV("iss")), SV(OUR_ISSUER)) ||
            deny(e, "token refused: only tokens of this server are exchanged"));
}

bool rulebook_subject(const struct rulebook *r, struct sv token, int64_t now_ms, struct arena *a,
                      struct caller *out, struct err *e)
{
    struct json *claims;

    return read_ours(token, a, &claims, e) && our_token(r, token, now_ms, a, out, e);
}

bool rulebook_subject_of(const struct rulebook *r, struct sv token, struct arena *a,
                         struct caller *client, struct err *e)
{
    struct json *claims;
    struct jwt t;

    if (!read_ours(token, a, &claims, e))
        return false;
    /* Without its key nothing of it is proved; but all it can do here is to narrow its client. */
    if (!token_open(token, &r->token_keys, a, &t, e) && e->code != ERR_NOT_FOUND)
        return false;
    *e = (struct err){0};
    if (!sv_eq(json_get_str(claims, SV("sub")), client->name))
        return deny(e, "token refused: it is another principal's");
    return caller_narrow(client, json_get_str(claims, SV("role")), a, e);
}

bool rulebook_knows_tokens(const struct rulebook *r)
{
    return r->token_keys.n > 0;
}

bool rulebook_issue(const struct rulebook *r, struct caller *c, int64_t now_ms, struct arena *a,
                    struct sv *token, struct err *e)
{
    struct json *claims = json_new_object(a);
    const struct rule_principal *p = c->principal;

    if (!rulebook_knows_tokens(r))
        return err_set(e, ERR_UNAVAILABLE, "there is no key to sign tokens with yet; try again");
    if (c->by_old_secret && p->old_until_ms < c->token_expires_ms)
        c->token_expires_ms = p->old_until_ms;
    json_set_str(claims, a, SV("iss"), SV(OUR_ISSUER));
    json_set_str(claims, a, SV("sub"), p->name);
    json_set_str(claims, a, SV("client_id"), p->client_id);
    json_set_str(claims, a, SV("bound"),
                 secret_reveal(binding(p, c->by_old_secret, &r->token_keys.p[0], a)));
    json_set_i64(claims, a, SV("iat"), now_ms / 1000);
    json_set_i64(claims, a, SV("exp"), c->token_expires_ms / 1000);
    if (c->only_roles.n)
        json_set_str(claims, a, SV("role"), c->only_roles);
    *token = token_sign(claims, &r->token_keys.p[0], a);
    return true;
}
