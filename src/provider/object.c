/* object.c - one object, S3's way. */
#include "provider/object.h"

#include "provider/iam.h"
#include "sign/sigv4.h"
#include "wire/uri.h"

/* "http://host/bucket/key" or "http://bucket.host/key", the key encoded once, its slashes kept. */
static struct sv object_url(const struct target *t, struct sv key, struct sv query, struct arena *a)
{
    size_t scheme = sv_starts(t->endpoint, SV("https://")) ? 8 : 7;
    struct sv host = sv_skip(t->endpoint, scheme);
    struct buf b = buf_new(a, 8192);

    buf_add(&b, sv_first(t->endpoint, scheme));
    buf_add(&b, t->path_style ? host : t->bucket);
    buf_add(&b, t->path_style ? SV("/") : SV("."));
    buf_add(&b, t->path_style ? t->bucket : host);
    buf_addc(&b, '/');
    uri_encode(&b, key, SV("/"));
    if (query.n) {
        buf_addc(&b, '?');
        buf_add(&b, query);
    }
    return b.over ? (struct sv){0} : buf_sv(&b);
}

bool object_request(struct exchange *x, enum http_method method, struct sv key, struct sv query,
                    struct sv body, struct err *e)
{
    struct sigv4_scope scope = {x->target->region, SV("s3")};

    x->out = (struct http_request){.method = method, .body = body};
    x->out.target = object_url(x->target, key, query, x->arena);
    if (!x->out.target.n)
        return err_set(e, ERR_INVALID, "the object's URL is too long");
    return sigv4_sign(&x->out, x->key, &scope, x->now_ms, x->arena, e);
}

bool object_copy(struct exchange *x, struct sv from, struct sv to, struct err *e)
{
    struct sigv4_scope scope = {x->target->region, SV("s3")};
    struct buf source = buf_new(x->arena, 8192);

    buf_addf(&source, "/" SV_FMT "/", SV_ARG(x->target->bucket));
    uri_encode(&source, from, SV("/"));
    x->out = (struct http_request){.method = HTTP_PUT};
    x->out.target = object_url(x->target, to, (struct sv){0}, x->arena);
    if (!x->out.target.n || source.over)
        return err_set(e, ERR_INVALID, "the object's URL is too long");
    http_header_add(&x->out.headers, x->arena, SV("x-amz-copy-source"), buf_sv(&source));
    return sigv4_sign(&x->out, x->key, &scope, x->now_ms, x->arena, e);
}

/* A 404 that says so of the key alone: one of the bucket, or of a proxy in front of no store, knows
 * nothing of the object. */
static bool is_gone(const struct exchange *x)
{
    return x->in.status == 404 && sv_eq(store_code(&x->in, x->arena), SV("NoSuchKey"));
}

static bool failed(const struct exchange *x, const char *what, struct err *e)
{
    (void)store_error(&x->in, what, x->arena, e);
    if (e->code == ERR_NOT_FOUND)
        e->code = ERR_UNAVAILABLE;
    return false;
}

bool object_get(struct exchange *x, struct err *e)
{
    if (x->round == 0)
        return object_request(x, HTTP_GET, x->place.key, (struct sv){0}, (struct sv){0}, e);
    x->missing = is_gone(x);
    if (x->in.status != 200 && !x->missing)
        return failed(x, "reading an object", e);
    x->content = x->missing ? (struct sv){0} : x->in.body;
    x->done = true;
    return true;
}

bool object_put(struct exchange *x, struct err *e)
{
    if (x->round == 0) {
        if (!object_request(x, HTTP_PUT, x->place.key, (struct sv){0}, x->body, e))
            return false;
        http_header_add(&x->out.headers, x->arena, SV("If-None-Match"), SV("*"));
        return true;
    }
    x->done = x->in.status / 100 == 2;
    return x->done || failed(x, "writing an object", e);
}

bool object_delete(struct exchange *x, struct err *e)
{
    if (x->round == 0)
        return object_request(x, HTTP_DELETE, x->place.key, (struct sv){0}, (struct sv){0}, e);
    x->done = x->in.status / 100 == 2 || is_gone(x);
    return x->done || failed(x, "deleting an object", e);
}
