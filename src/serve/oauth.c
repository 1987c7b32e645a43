/* oauth.c - POST /v1/oauth/tokens: client credentials to a token of ours (RFC 6749, 4.4). */
#include "base/limits.h"
#include "serve/loop.h"
#include "serve/route.h"
#include "wire/base64.h"

/* This endpoint alone answers errors in OAuth's own shape. */
static bool refuse(struct call *c, int status, const char *error, const char *why)
{
    struct json *body = json_new_object(c->arena);

    c->reason = arena_dup(c->arena, sv_from(why));
    json_set_str(body, c->arena, SV("error"), sv_from(error));
    json_set_str(body, c->arena, SV("error_description"), sv_from(why));
    http_header_add(&c->out.headers, c->arena, SV("Cache-Control"), SV("no-store"));
    if (status == 401)
        http_header_add(&c->out.headers, c->arena, SV("WWW-Authenticate"),
                        SV("Basic realm=\"frontdesk\""));
    return call_reply_json(c, status, body);
}

struct client {
    struct sv id;
    struct secret secret;
};

static struct sv field(const struct pairs *form, struct sv name)
{
    const struct sv *v = form_get(form, name);

    return v ? *v : (struct sv){0};
}

/* "Basic base64(id:secret)", each form-encoded (RFC 6749, 2.3.1). */
static bool from_basic(struct call *c, struct client *out)
{
    struct sv value = http_header_text(&c->in->headers, SV("Authorization")), text, id, secret;
    struct err ignored = {0};

    if (!sv_eq_nocase(sv_first(value, 6), SV("Basic ")) ||
        !base64_decode(sv_trim(sv_skip(value, 6)), c->arena, &text, &ignored) ||
        !sv_cut(&text, ':', &id) || !uri_decode(id, true, c->arena, &out->id, &ignored) ||
        !uri_decode(text, true, c->arena, &secret, &ignored))
        return false;
    out->secret = secret_of(secret);
    return true;
}

/* RFC 6749, 3.2: whoever checks the first of two and whoever uses the second would differ. */
static bool has_twins(const struct pairs *form)
{
    for (size_t i = 0; i < form->n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (sv_eq(form->p[i].name, form->p[j].name))
                return true;
        }
    }
    return false;
}

/* "catalog", "PRINCIPAL_ROLE:NAME", "PRINCIPAL_ROLE:ALL", separated by blanks. False: a role the
 * client is not in. */
static bool apply_scope(struct call *c, struct sv scope, struct caller *who, struct err *e)
{
    struct sv word;

    while (sv_cut(&scope, ' ', &word)) {
        if (!word.n || sv_eq(word, SV("catalog")) || sv_eq(word, SV("sign")))
            continue;
        if (!sv_starts(word, SV("PRINCIPAL_ROLE:")))
            return err_set(e, ERR_INVALID,
                           "scope: write catalog, PRINCIPAL_ROLE:ALL or PRINCIPAL_ROLE:NAME");
        if (!rulebook_narrow(c->rules, sv_skip(word, sizeof("PRINCIPAL_ROLE:") - 1), who, e))
            return false;
    }
    return true;
}

static bool answer(struct call *c, const struct caller *who, struct sv scope, struct err *e)
{
    struct json *body = json_new_object(c->arena);
    struct sv token;

    if (!rulebook_issue(c->rules, who, c->now_ms, c->arena, &token, e))
        return false;
    json_set_str(body, c->arena, SV("access_token"), token);
    json_set_str(body, c->arena, SV("token_type"), SV("bearer"));
    json_set_i64(body, c->arena, SV("expires_in"), LIMIT_OWN_TOKEN_TTL_MS / 1000);
    json_set_str(body, c->arena, SV("issued_token_type"),
                 SV("urn:ietf:params:oauth:token-type:access_token"));
    if (scope.n)
        json_set_str(body, c->arena, SV("scope"), scope);
    http_header_add(&c->out.headers, c->arena, SV("Cache-Control"), SV("no-store"));
    return call_reply_json(c, 200, body);
}

bool oauth_token(struct call *c, struct err *e)
{
    struct pairs form = {0};
    struct client client = {0};
    struct caller who;
    struct sv scope;

    if (!form_read(c->in->body, c->arena, &form, e))
        return refuse(c, 400, "invalid_request", e->msg);
    if (has_twins(&form))
        return refuse(c, 400, "invalid_request", "a field is given twice");
    if (!sv_eq(field(&form, SV("grant_type")), SV("client_credentials")))
        return refuse(c, 400, "unsupported_grant_type", "only client_credentials is served");
    client.id = field(&form, SV("client_id"));
    client.secret = secret_of(field(&form, SV("client_secret")));
    if (!secret_is_set(client.secret) && !from_basic(c, &client))
        return refuse(c, 401, "invalid_client", "no client credentials, in the form or as Basic");
    if (!rulebook_login(c->rules, client.id, client.secret, c->now_ms, &who, e)) {
        loop_log_refusal(c, "login refused", e);
        return refuse(c, 401, "invalid_client", e->msg);
    }
    c->who = who;
    scope = field(&form, SV("scope"));
    if (!apply_scope(c, scope, &who, e))
        return refuse(c, 400, "invalid_scope", e->msg);
    c->who = who;
    return answer(c, &who, scope, e);
}
