/* oauth.c - POST /v1/oauth/tokens: client credentials to a token of ours (RFC 6749, 4.4), and such
 * a token to the next one (RFC 8693). */
#include "base/limits.h"
#include "serve/loop.h"
#include "serve/route.h"
#include "wire/base64.h"

#define EXCHANGE     "urn:ietf:params:oauth:grant-type:token-exchange"
#define ACCESS_TOKEN "urn:ietf:params:oauth:token-type:access_token"
#define JWT          "urn:ietf:params:oauth:token-type:jwt"

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

/* What one request brought. */
struct asked {
    struct pairs form;
    struct caller who;
    bool is_client; /* `who` has proved itself by its secret */
};

static struct sv field(const struct asked *q, const char *name)
{
    const struct sv *v = form_get(&q->form, sv_from(name));

    return v ? *v : (struct sv){0};
}

/* ---- who asks ---- */

static bool log_in(struct call *c, struct asked *q, struct sv id, struct sv secret, struct err *e)
{
    q->is_client = rulebook_login(c->rules, id, secret_of(secret), c->now_ms, &q->who, e);
    return q->is_client;
}

/* "Basic base64(id:secret)": as it is, which curl and Iceberg's Java client send, or each
 * form-encoded, as RFC 6749, 2.3.1 has it. */
static bool login_basic(struct call *c, struct asked *q, struct sv value, struct err *e)
{
    struct sv secret, id, plain_id, plain_secret;
    struct err ignored = {0};

    if (!base64_decode(sv_trim(sv_skip(value, 6)), c->arena, &secret, &ignored) ||
        !sv_cut(&secret, ':', &id))
        return err_set(e, ERR_DENIED, "Authorization: Basic must be base64 of ID:SECRET");
    if (log_in(c, q, id, secret, e))
        return true;
    return uri_decode(id, true, c->arena, &plain_id, &ignored) &&
           uri_decode(secret, true, c->arena, &plain_secret, &ignored) &&
           log_in(c, q, plain_id, plain_secret, e);
}

/* The client by its secret, in the form or as Basic; `*how` stays NULL where it brought neither. */
static bool find_client(struct call *c, struct asked *q, const char **how, struct err *e)
{
    struct sv value = http_header_text(&c->in->headers, SV("Authorization"));
    struct sv secret = field(q, "client_secret"), id = field(q, "client_id");
    bool basic = sv_eq_nocase(sv_first(value, 6), SV("Basic "));

    *how = secret.n ? "form" : basic ? "Basic" : NULL;
    if (secret.n && basic)
        return err_set(e, ERR_INVALID,
                       "the client's secret is in the form and in the head: one only");
    if (secret.n)
        return log_in(c, q, id, secret, e);
    if (!basic)
        return true;
    if (!login_basic(c, q, value, e))
        return false;
    return !id.n || sv_eq(id, caller_client_id(&q->who)) ||
           err_set(e, ERR_INVALID, "client_id is not the one in the Authorization header");
}

/* ---- scopes ---- */

/* "catalog", "PRINCIPAL_ROLE:NAME", "PRINCIPAL_ROLE:ALL", separated by blanks; of several roles the
 * union. False: a role that the client is not in, or that it may not have by this token. */
static bool apply_scope(struct call *c, struct sv scope, struct caller *who, struct err *e)
{
    struct sv word, roles = {0};

    while (sv_cut(&scope, ' ', &word)) {
        struct sv role = sv_skip(word, sizeof("PRINCIPAL_ROLE:") - 1);

        if (!word.n || sv_eq(word, SV("catalog")) || sv_eq(word, SV("sign")))
            continue;
        if (!sv_starts(word, SV("PRINCIPAL_ROLE:")) || !role.n)
            return err_set(e, ERR_INVALID,
                           "scope " SV_FMT ": write catalog, PRINCIPAL_ROLE:ALL or "
                           "PRINCIPAL_ROLE:NAME",
                           SV_ARG(sv_first(word, 100)));
        roles = ARENA_JOIN(c->arena, roles, SV(" "), role);
    }
    return caller_narrow(who, roles, c->arena, e);
}

static bool answer(struct call *c, struct asked *q, struct err *e)
{
    struct json *body = json_new_object(c->arena);
    struct sv scope = field(q, "scope"), token;

    c->who = q->who;
    if (!apply_scope(c, scope, &q->who, e))
        return refuse(c, 400, "invalid_scope", e->msg);
    q->who.token_expires_ms = c->now_ms + serve_token_ms(c->loop->serve);
    if (!rulebook_issue(c->rules, &q->who, c->now_ms, c->arena, &token, e))
        return false;
    c->who = q->who;
    json_set_str(body, c->arena, SV("access_token"), token);
    json_set_str(body, c->arena, SV("token_type"), SV("bearer"));
    json_set_i64(body, c->arena, SV("expires_in"), (q->who.token_expires_ms - c->now_ms) / 1000);
    json_set_str(body, c->arena, SV("issued_token_type"), SV(ACCESS_TOKEN));
    if (scope.n)
        json_set_str(body, c->arena, SV("scope"), scope);
    http_header_add(&c->out.headers, c->arena, SV("Cache-Control"), SV("no-store"));
    return call_reply_json(c, 200, body);
}

/* ---- the two grants ---- */

static bool refuse_login(struct call *c, const struct err *e)
{
    loop_log_refusal(c, "login refused", e);
    return e->code == ERR_INVALID ? refuse(c, 400, "invalid_request", e->msg)
                                  : refuse(c, 401, "invalid_client", e->msg);
}

static bool client_credentials(struct call *c, struct asked *q, struct err *e)
{
    const char *how;

    if (!find_client(c, q, &how, e))
        return refuse_login(c, e);
    if (!how)
        return refuse(c, 401, "invalid_client", "no client credentials, in the form or as Basic");
    return answer(c, q, e);
}

static bool is_ours(struct sv type)
{
    return sv_eq(type, SV(ACCESS_TOKEN)) || sv_eq(type, SV(JWT));
}

static const char *wrong_exchange(const struct asked *q)
{
    struct sv wanted = field(q, "requested_token_type");

    if (!field(q, "subject_token").n)
        return "subject_token: required";
    if (!is_ours(field(q, "subject_token_type")))
        return "subject_token_type: write " ACCESS_TOKEN;
    if (wanted.n && !is_ours(wanted))
        return "requested_token_type: only access tokens are issued";
    if (field(q, "actor_token").n || field(q, "actor_token_type").n)
        return "actor_token: nobody acts for another here; leave it out";
    return NULL;
}

/* Without the client's secret: the head holds a token of the same principal, as Iceberg's Java
 * client sends it. */
static bool bearer_holds(struct call *c, const struct caller *subject, struct err *e)
{
    struct caller holder;
    struct sv token;

    if (!call_bearer(c, &token))
        return err_set(e, ERR_DENIED, "no client credentials and no bearer token");
    if (!rulebook_authenticate(c->rules, token, c->now_ms, c->arena, &holder, e))
        return false;
    return holder.principal == subject->principal ||
           err_set(e, ERR_DENIED, "the bearer token is another principal's");
}

/*
 * RFC 8693, for tokens of ours alone: by whoever holds one that is in force, or, beside the
 * client's secret, for one that has expired too. What the new one may do is never more, and it
 * follows from the same secret: it ends with it.
 */
static bool token_exchange(struct call *c, struct asked *q, struct err *e)
{
    const char *wrong = wrong_exchange(q), *how;
    struct json *details = json_new_object(c->arena);
    bool found;

    json_set_str(details, c->arena, SV("grantType"), SV("token-exchange"));
    c->details = details;
    if (wrong)
        return refuse(c, 400, "invalid_request", wrong);
    if (!find_client(c, q, &how, e))
        return refuse_login(c, e);
    c->who = q->who;
    found = q->is_client
                ? rulebook_subject_of(c->rules, field(q, "subject_token"), c->arena, &q->who, e)
                : rulebook_subject(c->rules, field(q, "subject_token"), c->now_ms, c->arena,
                                   &q->who, e);
    if (!found) {
        loop_log_refusal(c, "token exchange refused", e);
        return refuse(c, 400, "invalid_request", e->msg);
    }
    if (!q->is_client && !bearer_holds(c, &q->who, e))
        return refuse_login(c, e);
    return answer(c, q, e);
}

bool oauth_token(struct call *c, struct err *e)
{
    struct asked q = {0};
    struct sv grant;

    if (!form_read(c->in->body, c->arena, &q.form, e))
        return refuse(c, 400, "invalid_request", e->msg);
    form_drop_empty(&q.form);
    if (!form_has_no_twins(&q.form, e))
        return refuse(c, 400, "invalid_request", e->msg);
    grant = field(&q, "grant_type");
    if (sv_eq(grant, SV("client_credentials")))
        return client_credentials(c, &q, e);
    if (sv_eq(grant, SV(EXCHANGE)))
        return token_exchange(c, &q, e);
    return refuse(c, 400, "unsupported_grant_type",
                  "grant_type: write client_credentials or " EXCHANGE);
}
