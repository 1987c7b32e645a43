/* iam.c - the query protocol of IAM and STS: calls, answers, tokens. */
#include "provider/iam.h"

#include "base/limits.h"
#include "sign/sigv4.h"
#include "wire/time.h"

enum { MAX_FORM_BYTES = 64 * 1024 };

void iam_add(struct pairs *p, struct arena *a, const char *name, struct sv value)
{
    vec_push(p, a, ((struct pair){sv_from(name), value}));
}

bool iam_ask(struct exchange *x, enum iam_service service, const struct credential *key,
             const char *action, const struct pairs *parameters, struct err *e)
{
    const struct target *t = x->target;
    bool sts = service == SERVICE_STS;
    struct sigv4_scope scope = {sts ? t->sts_region : t->iam_region, sts ? SV("sts") : SV("iam")};
    struct buf form = buf_new(x->arena, MAX_FORM_BYTES);

    buf_addf(&form, "Action=%s&Version=%s&", action, sts ? "2011-06-15" : "2010-05-08");
    form_write(&form, parameters);
    if (form.over)
        return err_set(e, ERR_INVALID, "%s: the request is over %d bytes", action, MAX_FORM_BYTES);
    x->out = (struct http_request){
        .method = HTTP_POST,
        .target = ARENA_JOIN(x->arena, sts ? t->sts_endpoint : t->iam_endpoint, SV("/")),
        .body = buf_sv(&form),
    };
    http_header_add(&x->out.headers, x->arena, SV("Content-Type"),
                    SV("application/x-www-form-urlencoded"));
    return sigv4_sign(&x->out, key, &scope, x->now_ms, x->arena, e);
}

struct sv store_code(const struct http_response *in, struct arena *a)
{
    struct xml *root;
    struct err ignored = {0};

    if (!in->body.n || !xml_read(in->body, a, &root, &ignored))
        return (struct sv){0};
    if (sv_eq(root->name, SV("Error")))
        return xml_text(root, SV("Code"));
    return xml_text(root, SV("Error/Code"));
}

/* Of an error document, whether it can be read or not: a proxy in front of no store has its own. */
static bool is_stores(const struct http_response *in)
{
    return sv_contains(in->body, SV("<Code>"));
}

static enum err_code judge(const struct http_response *in, struct sv code)
{
    int status = in->status;

    if (sv_starts(code, SV("Throttl")) || sv_eq(code, SV("RequestLimitExceeded")) ||
        sv_eq(code, SV("SlowDown")) || sv_eq(code, SV("IDPCommunicationError")))
        return ERR_UNAVAILABLE;
    switch (status) {
    case 403:
        return ERR_DENIED;
    case 404:
        return is_stores(in) ? ERR_NOT_FOUND : ERR_UNAVAILABLE;
    case 409:
    case 412:
        return ERR_CONFLICT;
    case 408:
    case 429:
        return ERR_UNAVAILABLE;
    default:
        return status >= 400 && status < 500 ? ERR_INVALID : ERR_UNAVAILABLE;
    }
}

bool store_lacks(const struct http_response *in, struct arena *a)
{
    return judge(in, store_code(in, a)) == ERR_NOT_FOUND;
}

bool store_error(const struct http_response *in, const char *what, struct arena *a, struct err *e)
{
    struct sv code = store_code(in, a);

    return err_set(e, judge(in, code), "%s: the store answered %d%s" SV_FMT, what, in->status,
                   code.n ? " " : "", SV_ARG(sv_first(code, 80)));
}

bool iam_answer(const struct exchange *x, const char *what, const struct xml **out, struct err *e)
{
    struct xml *root;

    if (x->in.status / 100 != 2)
        return store_error(&x->in, what, x->arena, e);
    if (!xml_read(x->in.body, x->arena, &root, e)) {
        (void)err_wrap(e, "%s", what);
        e->code = ERR_UNAVAILABLE;
        return false;
    }
    *out = root;
    return true;
}

/* ---- tokens ---- */

static void add_session_tags(struct pairs *p, const struct exchange *x)
{
    struct arena *a = x->arena;

    for (size_t i = 0; i < x->tags.n; i++) {
        iam_add(p, a, arena_printf(a, "Tags.member.%zu.Key", i + 1).p, x->tags.p[i].key);
        iam_add(p, a, arena_printf(a, "Tags.member.%zu.Value", i + 1).p, x->tags.p[i].value);
    }
    for (size_t i = 0; x->target->transitive_tags && i < x->tags.n; i++)
        iam_add(p, a, arena_printf(a, "TransitiveTagKeys.member.%zu", i + 1).p, x->tags.p[i].key);
}

static bool ask_for_token(struct exchange *x, struct err *e)
{
    const struct target *t = x->target;
    struct pairs p = {0};

    /* An empty policy is no policy: the whole role. */
    if (!x->policy.n)
        return err_set(e, ERR_INTERNAL, "a credential without a session policy was asked for");
    iam_add(&p, x->arena, "RoleArn", t->role_arn);
    iam_add(&p, x->arena, "RoleSessionName", x->session_name);
    iam_add(&p, x->arena, "DurationSeconds", arena_printf(x->arena, "%d", x->ttl_seconds));
    iam_add(&p, x->arena, "Policy", x->policy);
    if (t->external_id.n)
        iam_add(&p, x->arena, "ExternalId", t->external_id);
    add_session_tags(&p, x);
    return iam_ask(x, SERVICE_STS, &t->own, "AssumeRole", &p, e);
}

bool iam_read_token(struct exchange *x, const char *action, struct err *e)
{
    const struct xml *root = NULL, *c;
    struct credential got = {0};

    if (!iam_answer(x, action, &root, e)) {
        /* A role that is gone is nothing that was asked for: whoever wants an object with the keys
         * would take it for gone too. */
        if (e->code == ERR_NOT_FOUND)
            e->code = ERR_UNAVAILABLE;
        return false;
    }
    c = xml_find(root, arena_printf(x->arena, "%sResult/Credentials", action));
    got.access_key_id = xml_text(c, SV("AccessKeyId"));
    got.secret_access_key = secret_of(xml_text(c, SV("SecretAccessKey")));
    got.session_token = secret_of(xml_text(c, SV("SessionToken")));
    if (!got.access_key_id.n || !secret_is_set(got.secret_access_key) ||
        !secret_is_set(got.session_token))
        return err_set(e, ERR_UNAVAILABLE, "%s: the answer lacks a part of the credential", action);
    if (!time_read(xml_text(c, SV("Expiration")), &got.expires_ms, e) ||
        got.expires_ms <= x->now_ms)
        return err_set(e, ERR_UNAVAILABLE, "%s: the answer's expiry is no time to come", action);
    x->got = got;
    x->done = true;
    return true;
}

/* Policy and tags share a space whose use nobody can foretell: it is told by the refusal. */
static bool is_too_large(const struct exchange *x)
{
    return x->in.status == 400 && sv_eq(store_code(&x->in, x->arena), SV("PackedPolicyTooLarge"));
}

bool iam_mint(struct exchange *x, struct err *e)
{
    if (x->round > 0 && x->tags.n && is_too_large(x)) {
        x->tags.n /= 2;
        return ask_for_token(x, e);
    }
    return x->round == 0 ? ask_for_token(x, e) : iam_read_token(x, "AssumeRole", e);
}
