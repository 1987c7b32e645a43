/* ambient.c - keys from the environment, a web identity, a container or an instance. */
#include "provider/ambient.h"

#include <assert.h>

#include "provider/iam.h"
#include "wire/json.h"
#include "wire/time.h"

enum { MAX_FORM_BYTES = 256 * 1024 };

#define ECS_HOST  "169.254.170.2"
#define EKS_HOST  "169.254.170.23"
#define EKS_HOST6 "fd00:ec2::23"

const char *ambient_kind_name(enum ambient_kind k)
{
    static const char *const names[] = {"none", "environment", "web identity", "container",
                                        "instance"};
    static_assert(sizeof(names) / sizeof(names[0]) == AMBIENT_INSTANCE + 1, "a name each");

    return names[k];
}

enum ambient_kind ambient_choose(const struct ambient *m)
{
    if (m->key.access_key_id.n && secret_is_set(m->key.secret_access_key))
        return AMBIENT_ENVIRONMENT;
    if (m->role_arn.n && secret_is_set(m->identity_token))
        return AMBIENT_WEB_IDENTITY;
    if (m->container_uri.n || m->container_path.n)
        return AMBIENT_CONTAINER;
    return m->instance_endpoint.n ? AMBIENT_INSTANCE : AMBIENT_NONE;
}

static void ask(struct exchange *x, enum http_method method, struct sv url)
{
    x->out = (struct http_request){.method = method, .target = url};
}

static bool add_token(struct exchange *x, const char *header, struct secret token, struct err *e)
{
    struct sv text = secret_reveal(token);

    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return err_set(e, ERR_INVALID, "the token holds a control byte");
    }
    http_header_add(&x->out.headers, x->arena, sv_from(header), text);
    return true;
}

static bool finish(struct exchange *x, enum ambient_kind k, struct sv who)
{
    x->caller =
        arena_printf(x->arena, "%s " SV_FMT, ambient_kind_name(k), SV_ARG(sv_first(who, 300)));
    x->done = true;
    return true;
}

/* ---- web identity ---- */

#define ASSUME "AssumeRoleWithWebIdentity"

static bool ask_with_identity(const struct ambient *m, struct exchange *x, struct err *e)
{
    struct buf form = buf_new(x->arena, MAX_FORM_BYTES);
    struct sv name = m->role_session_name.n ? m->role_session_name : SV("frontdesk");
    struct sv region = m->region.n ? m->region : SV("us-east-1");
    struct sv endpoint = sv_trim_end(m->sts_endpoint, '/');
    struct pairs p = {0};

    if (!endpoint.n)
        endpoint = aws_endpoint("sts", region, x->arena);
    iam_add(&p, x->arena, "Action", SV(ASSUME));
    iam_add(&p, x->arena, "Version", SV("2011-06-15"));
    iam_add(&p, x->arena, "RoleArn", m->role_arn);
    iam_add(&p, x->arena, "RoleSessionName", name);
    iam_add(&p, x->arena, "WebIdentityToken", secret_reveal(m->identity_token));
    form_write(&form, &p);
    if (form.over)
        return err_set(e, ERR_INVALID, "the token is too long");
    ask(x, HTTP_POST, arena_printf(x->arena, SV_FMT "/", SV_ARG(endpoint)));
    x->out.body = buf_sv(&form);
    http_header_add(&x->out.headers, x->arena, SV("Content-Type"),
                    SV("application/x-www-form-urlencoded"));
    return true;
}

static bool web_identity(const struct ambient *m, struct exchange *x, struct err *e)
{
    if (x->round == 0)
        return ask_with_identity(m, x, e);
    return iam_read_token(x, ASSUME, e) && finish(x, AMBIENT_WEB_IDENTITY, m->role_arn);
}

/* ---- JSON, as containers and instances answer ---- */

static bool is_ok(const struct exchange *x, const char *what, struct err *e)
{
    if (x->in.status == 200)
        return true;
    return err_set(e, x->in.status / 100 == 4 && x->in.status != 429 ? ERR_DENIED : ERR_UNAVAILABLE,
                   "%s: the service answered %d", what, x->in.status);
}

static bool read_key(struct exchange *x, const char *what, struct err *e)
{
    struct credential got = {0};
    struct json *v;
    struct sv expiration;

    if (!is_ok(x, what, e))
        return false;
    if (!json_read(x->in.body, x->arena, &v, e))
        return err_set(e, ERR_UNAVAILABLE, "%s: the answer is no JSON", what);
    got.access_key_id = json_get_str(v, SV("AccessKeyId"));
    got.secret_access_key = secret_of(json_get_str(v, SV("SecretAccessKey")));
    got.session_token = secret_of(json_get_str(v, SV("Token")));
    expiration = json_get_str(v, SV("Expiration"));
    if (!got.access_key_id.n || !secret_is_set(got.secret_access_key))
        return err_set(e, ERR_UNAVAILABLE, "%s: the answer lacks a part of the credential", what);
    if (expiration.n && (!time_read(expiration, &got.expires_ms, e) || got.expires_ms <= x->now_ms))
        return err_set(e, ERR_UNAVAILABLE, "%s: the answer's expiry is no time to come", what);
    x->got = got;
    return true;
}

/* ---- containers ---- */

/* Without TLS the token and the key may go over this machine's own wires only. */
static bool container_url(const struct ambient *m, struct arena *a, struct sv *out, struct err *e)
{
    struct uri u;

    if (m->container_path.n) {
        if (!sv_starts(m->container_path, SV("/")))
            return err_set(e, ERR_INVALID,
                           "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin with /");
        *out = arena_printf(a, "http://" ECS_HOST SV_FMT, SV_ARG(m->container_path));
        return true;
    }
    *out = m->container_uri;
    if (!uri_read(m->container_uri, &u, e))
        return err_wrap(e, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (sv_eq_nocase(u.scheme, SV("https")))
        return true;
    if (sv_eq_nocase(u.scheme, SV("http")) &&
        (uri_is_loopback(u.host) || sv_eq(u.host, SV(ECS_HOST)) || sv_eq(u.host, SV(EKS_HOST)) ||
         sv_eq_nocase(u.host, SV(EKS_HOST6))))
        return true;
    return err_set(e, ERR_INVALID,
                   "AWS_CONTAINER_CREDENTIALS_FULL_URI: " SV_FMT
                   " is neither https nor an address of this machine, of ECS or of EKS",
                   SV_ARG(sv_first(u.host, 100)));
}

static bool container(const struct ambient *m, struct exchange *x, struct err *e)
{
    struct sv url = {0};

    if (!container_url(m, x->arena, &url, e))
        return false;
    if (x->round == 0) {
        ask(x, HTTP_GET, url);
        http_header_add(&x->out.headers, x->arena, SV("Accept"), SV("application/json"));
        return !secret_is_set(m->container_token) ||
               add_token(x, "Authorization", m->container_token, e);
    }
    return read_key(x, "container", e) && finish(x, AMBIENT_CONTAINER, url);
}

/* ---- instances ---- */

struct instance {
    struct secret token;
    struct sv role;
};

#define ROLES "/latest/meta-data/iam/security-credentials/"

static bool ask_instance(const struct ambient *m, struct exchange *x, struct err *e)
{
    const struct instance *i = x->scratch;

    ask(x, HTTP_GET,
        arena_printf(x->arena, SV_FMT ROLES SV_FMT, SV_ARG(sv_trim_end(m->instance_endpoint, '/')),
                     SV_ARG(uri_encoded(x->arena, i->role))));
    return add_token(x, "X-aws-ec2-metadata-token", i->token, e);
}

static bool ask_for_session(const struct ambient *m, struct exchange *x)
{
    x->scratch = arena_new(x->arena, struct instance);
    ask(x, HTTP_PUT,
        arena_printf(x->arena, SV_FMT "/latest/api/token",
                     SV_ARG(sv_trim_end(m->instance_endpoint, '/'))));
    http_header_add(&x->out.headers, x->arena, SV("X-aws-ec2-metadata-token-ttl-seconds"),
                    SV("300"));
    return true;
}

static bool read_role_name(struct exchange *x, struct err *e)
{
    struct instance *i = x->scratch;
    struct sv rest = x->in.body, name = {0};

    if (x->in.status == 404)
        return err_set(e, ERR_NOT_FOUND, "instance: it has no role; attach one to it");
    if (!is_ok(x, "instance", e))
        return false;
    (void)sv_cut(&rest, '\n', &name);
    i->role = arena_dup(x->arena, sv_trim(name));
    return i->role.n || err_set(e, ERR_NOT_FOUND, "instance: it has no role; attach one to it");
}

static bool instance(const struct ambient *m, struct exchange *x, struct err *e)
{
    struct instance *i = x->scratch;

    if (x->round == 0)
        return ask_for_session(m, x);
    if (x->round == 1) {
        if (!is_ok(x, "instance", e))
            return false;
        i->token = secret_of(arena_dup(x->arena, sv_trim(x->in.body)));
        return ask_instance(m, x, e);
    }
    if (x->round == 2)
        return read_role_name(x, e) && ask_instance(m, x, e);
    return read_key(x, "instance", e) && finish(x, AMBIENT_INSTANCE, i->role);
}

bool ambient_mint(const struct ambient *m, struct exchange *x, struct err *e)
{
    enum ambient_kind k = ambient_choose(m);

    switch (k) {
    case AMBIENT_ENVIRONMENT:
        x->got = credential_dup(x->arena, &m->key);
        return finish(x, k, m->key.access_key_id);
    case AMBIENT_WEB_IDENTITY:
        return web_identity(m, x, e);
    case AMBIENT_CONTAINER:
        return container(m, x, e);
    case AMBIENT_INSTANCE:
        return instance(m, x, e);
    case AMBIENT_NONE:
        break;
    }
    return err_set(
        e, ERR_NOT_FOUND,
        "the environment names no key, no web identity (AWS_ROLE_ARN and "
        "AWS_WEB_IDENTITY_TOKEN_FILE) and no container, and forbids to ask the instance");
}
