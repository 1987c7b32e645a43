/* credentials.c - how one client proves itself now. */
#include "kube/credentials.h"

#include "base/limits.h"
#include "kube/exec_plugin.h"
#include "kube/file.h"
#include "wire/base64.h"

/* A file's content with an arena of its own, so that a new one frees the old one. */
struct reread {
    struct arena own;
    struct sv text;
    int64_t read_ms; /* monotonic */
    bool is_read;
};

struct credentials {
    const struct kube_config *config;
    struct reread ca, cert, key, token;
    struct arena exec_arena;
    struct exec_credential from_exec;
    bool has_exec;
};

static void release(void *object)
{
    struct credentials *c = object;

    arena_done(&c->ca.own);
    arena_done(&c->cert.own);
    arena_done(&c->key.own);
    arena_done(&c->token.own);
    arena_done(&c->exec_arena);
}

struct credentials *credentials_new(const struct kube_config *config, struct arena *a)
{
    struct credentials *c = arena_new(a, struct credentials);

    c->config = config;
    c->ca.own.wipe = c->cert.own.wipe = c->key.own.wipe = c->token.own.wipe = true;
    c->exec_arena.wipe = true;
    arena_defer(a, release, c);
    return c;
}

/* An hour-long token is replaced at four fifths of its life: a failed reading has time to heal. */
static bool refresh(struct reread *r, struct sv path, int64_t mono_ms, struct err *e)
{
    struct arena fresh = {.wipe = true};
    struct sv text = {0};

    if (r->is_read && mono_ms - r->read_ms < CREDENTIALS_FILE_MS - CREDENTIALS_LEEWAY_MS)
        return true;
    if (file_read(path, LIMIT_CREDENTIAL_BYTES, &fresh, &text, e) && !sv_trim(text).n)
        (void)err_set(e, ERR_INVALID, SV_FMT " is empty", SV_ARG(path));
    if (!sv_trim(text).n) {
        arena_done(&fresh);
        r->read_ms = mono_ms;
        return r->is_read;
    }
    arena_done(&r->own);
    *r = (struct reread){.own = fresh, .text = text, .read_ms = mono_ms, .is_read = true};
    return true;
}

static bool material(struct reread *r, const struct kube_material *m, int64_t mono_ms,
                     struct sv *out, struct err *e)
{
    if (m->path.n && !refresh(r, m->path, mono_ms, e))
        return false;
    *out = m->path.n ? r->text : secret_reveal(m->text);
    return true;
}

static bool run_plugin(struct credentials *c, struct sv ca_pem, struct err *e)
{
    int64_t now_ms = world_wall_ms(c->config->world);

    if (c->has_exec && now_ms < c->from_exec.expires_ms)
        return true;
    c->has_exec = false;
    arena_done(&c->exec_arena);
    c->has_exec =
        exec_plugin_run(c->config, ca_pem, LIMIT_EXEC_PLUGIN_MS, &c->exec_arena, &c->from_exec, e);
    return c->has_exec;
}

static struct sv basic(const struct kube_config *k, struct arena *a)
{
    struct sv pair =
        arena_printf(a, SV_FMT ":" SV_FMT, SV_ARG(k->username), SV_ARG(secret_reveal(k->password)));

    return arena_printf(a, "Basic " SV_FMT, SV_ARG(base64_encode(a, pair)));
}

static void add_headers(const struct kube_config *k, struct sv token, struct arena *a,
                        struct http_headers *h)
{
    struct sv name = SV("Authorization");

    token = sv_trim(token);
    if (token.n)
        http_header_add(h, a, name, arena_printf(a, "Bearer " SV_FMT, SV_ARG(token)));
    else if (k->username.n)
        http_header_add(h, a, name, basic(k, a));
    for (size_t i = 0; i < k->impersonate.n; i++)
        http_header_add(h, a, k->impersonate.p[i].name, k->impersonate.p[i].value);
}

bool credentials_use(struct credentials *c, struct arena *a, struct http_headers *h,
                     struct http_tls *tls, struct err *e)
{
    const struct kube_config *k = c->config;
    int64_t now_ms = world_mono_ms(k->world);
    struct sv ca, cert, key, token;

    if (!material(&c->ca, &k->ca, now_ms, &ca, e) ||
        !material(&c->cert, &k->cert, now_ms, &cert, e) ||
        !material(&c->key, &k->key, now_ms, &key, e) ||
        !material(&c->token, &k->token, now_ms, &token, e) || (k->exec && !run_plugin(c, ca, e)))
        return false;
    if (k->exec && secret_is_set(c->from_exec.token))
        token = secret_reveal(c->from_exec.token);
    if (k->exec && c->from_exec.cert_pem.n) {
        cert = c->from_exec.cert_pem;
        key = secret_reveal(c->from_exec.key_pem);
    }
    add_headers(k, token, a, h);
    *tls = (struct http_tls){.ca_pem = arena_dup(a, ca),
                             .client_cert_pem = arena_dup(a, cert),
                             .client_key_pem = secret_dup(a, secret_of(key)),
                             .server_name = k->server_name,
                             .insecure = k->insecure};
    return true;
}

static bool make_stale(struct reread *r)
{
    r->read_ms -= CREDENTIALS_FILE_MS;
    return r->is_read;
}

bool credentials_refused(struct credentials *c)
{
    bool has_file = make_stale(&c->token);

    has_file = make_stale(&c->cert) || has_file;
    has_file = make_stale(&c->key) || has_file;
    c->has_exec = false;
    return has_file || c->config->exec;
}
