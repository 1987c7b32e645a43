/* client.c - one request at a time to a Kubernetes API server. */
#include "kube/client.h"

#include "base/limits.h"
#include "kube/exchange.h"

struct kube_client {
    const struct kube_config *config;
    struct credentials *credentials;
    struct http_client *http;
};

enum { PATH_BYTES = 16 * 1024 };

static void add_part(struct buf *path, struct sv part)
{
    if (!part.n)
        return;
    buf_addc(path, '/');
    uri_encode(path, part, SV(""));
}

struct sv kube_path(struct arena *a, const struct kube_name *n)
{
    struct buf path = buf_new(a, PATH_BYTES);

    if (n->group_version.n) {
        buf_add(&path, SV("/apis/"));
        uri_encode(&path, n->group_version, SV("/"));
    } else {
        buf_add(&path, SV("/api/v1"));
    }
    if (n->namespace_.n) {
        add_part(&path, SV("namespaces"));
        add_part(&path, n->namespace_);
    }
    add_part(&path, n->resource);
    add_part(&path, n->name);
    add_part(&path, n->subresource);
    return buf_sv(&path);
}

struct kube_client *kube_client_new(const struct kube_config *config, struct arena *a)
{
    struct kube_client *c = arena_new(a, struct kube_client);

    c->config = config;
    c->credentials = credentials_new(config, a);
    c->http = http_client_new(a);
    return c;
}

void kube_client_until(struct kube_client *c, bool (*over)(void *context), void *context)
{
    http_client_until(c->http, over, context);
}

static void release_arena(void *arena)
{
    arena_done(arena);
}

/* Lives as long as `a`, and is wiped at its end: the request holds the token. */
static struct arena *wiped_within(struct arena *a)
{
    struct arena *own = arena_new(a, struct arena);

    own->wipe = true;
    arena_defer(a, release_arena, own);
    return own;
}

static bool send_once(struct kube_client *c, const struct kube_request *r, struct arena *a,
                      struct kube_reply *out, struct err *e)
{
    struct kube_exchange x = {.arena = wiped_within(a)};
    struct http_response response = {0};

    if (!exchange_build(&x, c->credentials, c->config, r, (struct sv){0}, e))
        return false;
    x.options.timeout_ms = r->timeout_ms ? r->timeout_ms : LIMIT_KUBE_CALL_MS;
    if (!http_do(c->http, &x.request, &x.options, x.arena, &response, e))
        return false;
    exchange_read(&response, a, out);
    return true;
}

bool kube_call(struct kube_client *c, const struct kube_request *r, struct arena *a,
               struct kube_reply *out, struct err *e)
{
    struct kube_reply reply = {0};

    if (!send_once(c, r, a, &reply, e))
        return err_wrap(e, "%s " SV_FMT, http_method_text(r->method).p,
                        SV_ARG(sv_first(r->path, 100)));
    if (reply.status == 401 && credentials_refused(c->credentials) &&
        !send_once(c, r, a, &reply, e))
        return err_wrap(e, "after HTTP 401, with a fresh credential");
    *out = reply;
    return exchange_check(out, e);
}

bool kube_apply(struct kube_client *c, const struct kube_patch *p, struct arena *a,
                struct kube_reply *out, struct err *e)
{
    struct kube_request r = {.method = HTTP_PATCH,
                             .path = kube_path(a, p->name),
                             .content_type = SV("application/apply-patch+yaml"),
                             .body = json_text(a, p->object)};

    vec_push(&r.query, a, ((struct pair){SV("fieldManager"), p->manager}));
    vec_push(&r.query, a, ((struct pair){SV("force"), SV("true")}));
    return kube_call(c, &r, a, out, e);
}
