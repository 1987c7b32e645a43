/* exchange.c - how requests are addressed and proved, and what answers mean. */
#include "kube/exchange.h"

#include "base/limits.h"

#if defined(__aarch64__)
#define MACHINE "linux/arm64"
#else
#define MACHINE "linux/amd64"
#endif

/* A name of our own: servers indent their answers for what looks like curl, and take what stands
 * before the slash as the field manager when none is given. */
#define USER_AGENT "frontdesk/" FRONTDESK_VERSION " (" MACHINE ")"

enum { URL_BYTES = 64 * 1024 };

static bool write_url(const struct kube_config *config, const struct kube_request *r,
                      struct arena *a, struct sv *out, struct err *e)
{
    struct buf url = buf_new(a, URL_BYTES);

    buf_add(&url, config->server);
    buf_add(&url, r->path);
    if (r->query.n)
        buf_addc(&url, '?');
    form_write(&url, &r->query);
    if (url.over)
        return err_set(e, ERR_INVALID, "a URL of more than %d bytes for " SV_FMT, URL_BYTES,
                       SV_ARG(sv_first(r->path, 100)));
    *out = buf_sv(&url);
    return true;
}

bool exchange_build(struct kube_exchange *x, struct credentials *c,
                    const struct kube_config *config, const struct kube_request *r,
                    struct sv accept, struct err *e)
{
    struct arena *a = x->arena;
    struct http_headers *h = &x->request.headers;
    struct sv type = r->content_type.n ? r->content_type : SV("application/json");

    x->request = (struct http_request){.method = r->method, .body = r->body};
    x->options = (struct http_options){
        .tls = &x->tls, .proxy = config->proxy, .compressed = !config->no_compression};
    http_header_add(h, a, SV("User-Agent"), SV(USER_AGENT));
    http_header_add(h, a, SV("Accept"), accept.n ? accept : SV("application/json, */*;q=0.5"));
    if (r->body.n)
        http_header_add(h, a, SV("Content-Type"), type);
    return write_url(config, r, a, &x->request.target, e) && credentials_use(c, a, h, &x->tls, e);
}

/* ---- answers ---- */

/* Whole seconds; a date, which API servers never send, counts as not said. */
static int retry_after_ms(const struct http_response *r, const struct json *body)
{
    int64_t seconds = 0, most = (int64_t)LIMIT_KUBE_CALL_MS / 1000 * 10;

    if (!sv_i64(sv_trim(http_header_text(&r->headers, SV("Retry-After"))), &seconds))
        seconds = json_i64(json_path(body, SV("details.retryAfterSeconds")), 0);
    if (seconds <= 0)
        return 0;
    return (int)(seconds < most ? seconds : most) * 1000;
}

void exchange_read(const struct http_response *r, struct arena *a, struct kube_reply *out)
{
    struct err ignored = {0};
    struct json *body = NULL;

    if (!json_read(r->body, a, &body, &ignored))
        body = NULL;
    *out = (struct kube_reply){.status = r->status,
                               .body = body,
                               .text = r->body,
                               .retry_after_ms = retry_after_ms(r, body)};
}

/* That something is not there is believed of an API server's Status alone: what stands before it,
 * or has taken its address, has a page of its own for what it does not know. */
static enum err_code code_of(const struct kube_reply *r)
{
    switch (r->status) {
    case 404:
        return sv_eq(json_get_str(r->body, SV("kind")), SV("Status")) ? ERR_NOT_FOUND
                                                                      : ERR_UNAVAILABLE;
    case 410:
        return ERR_NOT_FOUND;
    case 409:
        return ERR_CONFLICT;
    case 400:
    case 413:
    case 415:
    case 422:
        return ERR_INVALID;
    case 401:
    case 403:
        return ERR_DENIED;
    default:
        return ERR_UNAVAILABLE;
    }
}

/* A Status says it best; a proxy in front answers text or a page, of which one line is enough. */
static struct sv message_of(const struct kube_reply *r)
{
    struct sv message = json_get_str(r->body, SV("message")), line = {0}, rest = sv_trim(r->text);

    if (message.n)
        return message;
    if (r->body || sv_starts(rest, SV("<")) || !sv_cut(&rest, '\n', &line))
        return (struct sv){0};
    return sv_first(sv_trim(line), 120);
}

bool exchange_check(const struct kube_reply *r, struct err *e)
{
    struct sv message = message_of(r);

    if (r->status / 100 == 2)
        return true;
    if (message.n)
        return err_set(e, code_of(r), SV_FMT " (HTTP %d)", SV_ARG(message), r->status);
    return err_set(e, code_of(r), "the API server answered HTTP %d %s", r->status,
                   http_reason(r->status));
}
