/* identity.c - a client's credentials or a token to a caller. */
#include <stdlib.h>

#include "base/limits.h"
#include "policy/inside.h"

static bool deny(struct err *e, const char *why)
{
    return err_set(e, ERR_DENIED, "%s", why);
}

static void be(struct caller *out, const struct rule_principal *p, int64_t expires_ms)
{
    *out = (struct caller){.principal = p, .name = p->name, .token_expires_ms = expires_ms};
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
    be(out, p, 0);
    return true;
}

bool rulebook_narrow(UNUSED const struct rulebook *r, struct sv role, struct caller *c,
                     struct err *e)
{
    if (sv_eq(role, SV("ALL")))
        return true;
    if (!sv_vec_has(&c->principal->roles, role))
        return err_set(e, ERR_DENIED, "the client is not in the principal role " SV_FMT,
                       SV_ARG(sv_first(role, 100)));
    c->only_role = role;
    return true;
}

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
    be(out, found, 0);
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

        be(&c, i->value, 0);
        vec_push(out, a, c);
    }
    if (out->n)
        qsort(out->p, out->n, sizeof(*out->p), by_name);
}

/* ---- tokens ---- */

#define OUR_ISSUER "frontdesk"

static bool our_token(const struct rulebook *r, struct sv token, int64_t now_ms, struct arena *a,
                      struct caller *out, struct err *e)
{
    const struct rule_principal *p;
    struct jwt t;
    struct sv role;

    if (!token_verify(token, &r->token_keys, now_ms, a, &t, e))
        return false;
    p = map_get(&r->principals, t.subject);
    /* The client id changes when a principal is made anew: an old token is no token of the new one.
     */
    if (!p || !p->client_id.n || !sv_eq(p->client_id, json_get_str(t.claims, SV("client_id"))))
        return deny(e, "token refused: its principal does not exist any more");
    be(out, p, t.expires_ms);
    role = json_get_str(t.claims, SV("role"));
    return !role.n || rulebook_narrow(r, role, out, e);
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
    be(out, p, t.expires_ms);
    return true;
}

bool rulebook_authenticate(const struct rulebook *r, struct sv token, int64_t now_ms,
                           struct arena *a, struct caller *out, struct err *e)
{
    struct sv issuer, kid;

    if (!jwt_peek(token, a, &issuer, &kid, e))
        return false;
    if (sv_eq(issuer, SV(OUR_ISSUER)))
        return our_token(r, token, now_ms, a, out, e);
    if (r->cluster_issuer.n && sv_eq(issuer, r->cluster_issuer))
        return cluster_token(r, token, now_ms, a, out, e);
    return deny(e, "token refused: its issuer is not known");
}

bool rulebook_knows_tokens(const struct rulebook *r)
{
    return r->token_keys.n > 0;
}

bool rulebook_issue(const struct rulebook *r, const struct caller *c, int64_t now_ms,
                    struct arena *a, struct sv *token, struct err *e)
{
    struct json *claims = json_new_object(a);

    if (!rulebook_knows_tokens(r))
        return err_set(e, ERR_UNAVAILABLE, "there is no key to sign tokens with yet; try again");
    json_set_str(claims, a, SV("iss"), SV(OUR_ISSUER));
    json_set_str(claims, a, SV("sub"), c->principal->name);
    json_set_str(claims, a, SV("client_id"), c->principal->client_id);
    json_set_i64(claims, a, SV("iat"), now_ms / 1000);
    json_set_i64(claims, a, SV("exp"), (now_ms + LIMIT_OWN_TOKEN_TTL_MS) / 1000);
    if (c->only_role.n)
        json_set_str(claims, a, SV("role"), c->only_role);
    *token = token_sign(claims, &r->token_keys.p[0], a);
    return true;
}
