/* sigv4.c - Signature Version 4. */
#include "sign/sigv4.h"

#include <stdlib.h>
#include <string.h>

#include "sign/digest.h"
#include "wire/hex.h"
#include "wire/time.h"
#include "wire/uri.h"

enum { MAX_CANONICAL_BYTES = 128 * 1024, MAX_SIGNED = 64 };

static struct sv lower(struct arena *a, struct sv v)
{
    char *copy = arena_cstr(a, v);

    for (size_t i = 0; i < v.n; i++) {
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] - 'A' + 'a');
    }
    return sv_of(copy, v.n);
}

static int by_name(const void *x, const void *y)
{
    const struct http_header *a = x, *b = y;

    return sv_cmp(a->name, b->name);
}

static bool is_signed(struct sv name)
{
    return sv_eq(name, SV("host")) || sv_eq(name, SV("content-type")) ||
           sv_eq(name, SV("content-md5")) || sv_starts(name, SV("x-amz-"));
}

static bool is_clean(struct sv value)
{
    for (size_t i = 0; i < value.n; i++) {
        if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
            return false;
    }
    return true;
}

/* The headers that are signed, names in lower case, sorted. */
static bool signed_headers(const struct http_headers *all, struct arena *a,
                           struct http_headers *out, struct err *e)
{
    for (size_t i = 0; i < all->n; i++) {
        struct http_header h = {lower(a, all->p[i].name), sv_trim(all->p[i].value)};

        if (!is_clean(h.value))
            return err_set(e, ERR_INVALID, "header " SV_FMT " holds a control byte",
                           SV_ARG(h.name));
        if (is_signed(h.name))
            vec_push(out, a, h);
    }
    if (out->n > MAX_SIGNED)
        return err_set(e, ERR_INVALID, "%zu headers to sign, at most %d", out->n, MAX_SIGNED);
    if (out->n > 1)
        qsort(out->p, out->n, sizeof(out->p[0]), by_name);
    return true;
}

static int by_bytes(const void *x, const void *y)
{
    const struct sv *a = x, *b = y;

    return sv_cmp(*a, *b);
}

/* Parameters sorted as they stand, encoded; one without a value gets its '='. */
static void add_query(struct buf *out, struct sv query, struct arena *a)
{
    struct sv_vec parts = {0};
    struct sv part;

    while (query.n && sv_cut(&query, '&', &part)) {
        if (part.n)
            vec_push(&parts, a, part);
    }
    if (parts.n)
        qsort(parts.p, parts.n, sizeof(parts.p[0]), by_bytes);
    for (size_t i = 0; i < parts.n; i++) {
        if (i)
            buf_addc(out, '&');
        buf_add(out, parts.p[i]);
        if (!sv_has_char(parts.p[i], '='))
            buf_addc(out, '=');
    }
}

static void add_names(struct buf *out, const struct http_headers *h)
{
    for (size_t i = 0; i < h->n; i++) {
        if (i)
            buf_addc(out, ';');
        buf_add(out, h->p[i].name);
    }
}

static struct sv canonical_request(const struct http_request *req, const struct uri *u,
                                   const struct http_headers *h, struct sv payload_hash,
                                   struct arena *a)
{
    struct buf b = buf_new(a, MAX_CANONICAL_BYTES);

    buf_add(&b, http_method_text(req->method));
    buf_addc(&b, '\n');
    buf_add(&b, u->path.n ? u->path : SV("/"));
    buf_addc(&b, '\n');
    add_query(&b, u->query, a);
    buf_addc(&b, '\n');
    for (size_t i = 0; i < h->n; i++) {
        buf_add(&b, h->p[i].name);
        buf_addc(&b, ':');
        buf_add(&b, h->p[i].value);
        buf_addc(&b, '\n');
    }
    buf_addc(&b, '\n');
    add_names(&b, h);
    buf_addc(&b, '\n');
    buf_add(&b, payload_hash);
    return b.over ? (struct sv){0} : buf_sv(&b);
}

static struct sv digest_sv(const struct sha256 *d)
{
    return sv_of((const char *)d->b, SHA256_BYTES);
}

static struct sv signature(const struct credential *key, struct sv date,
                           const struct sigv4_scope *scope, struct sv to_sign, struct arena *a)
{
    struct arena hidden = {.wipe = true};
    struct sv seed =
        arena_printf(&hidden, "AWS4" SV_FMT, SV_ARG(secret_reveal(key->secret_access_key)));
    struct sha256 k = hmac_sha256(seed, date);

    k = hmac_sha256(digest_sv(&k), scope->region);
    k = hmac_sha256(digest_sv(&k), scope->service);
    k = hmac_sha256(digest_sv(&k), SV("aws4_request"));
    k = hmac_sha256(digest_sv(&k), to_sign);
    arena_done(&hidden);
    return hex_encode(a, digest_sv(&k));
}

/* What stands in the header beside the key. */
struct signing {
    const struct sigv4_scope *scope;
    struct http_headers headers;
    struct sv canonical, stamp;
};

static struct sv authorization(const struct signing *s, const struct credential *key,
                               struct arena *a)
{
    struct sv date = sv_first(s->stamp, 8);
    struct sv path = arena_printf(a, SV_FMT "/" SV_FMT "/" SV_FMT "/aws4_request", SV_ARG(date),
                                  SV_ARG(s->scope->region), SV_ARG(s->scope->service));
    struct sv to_sign =
        arena_printf(a, "AWS4-HMAC-SHA256\n" SV_FMT "\n" SV_FMT "\n" SV_FMT, SV_ARG(s->stamp),
                     SV_ARG(path), SV_ARG(sha256_hex(a, s->canonical)));
    struct buf b = buf_new(a, MAX_CANONICAL_BYTES);

    buf_addf(&b, "AWS4-HMAC-SHA256 Credential=" SV_FMT "/" SV_FMT ",SignedHeaders=",
             SV_ARG(key->access_key_id), SV_ARG(path));
    add_names(&b, &s->headers);
    buf_add(&b, SV(",Signature="));
    buf_add(&b, signature(key, date, s->scope, to_sign, a));
    return buf_sv(&b);
}

bool sigv4_sign(struct http_request *req, const struct credential *key,
                const struct sigv4_scope *scope, int64_t now_ms, struct arena *a, struct err *e)
{
    struct signing s = {.scope = scope, .stamp = time_text(a, now_ms, TIME_BASIC)};
    struct sv payload_hash = sha256_hex(a, req->body);
    struct uri u;

    if (!uri_read(req->target, &u, e))
        return err_wrap(e, "URL to sign");
    http_header_set(&req->headers, a, SV("Host"), u.authority);
    http_header_set(&req->headers, a, SV("x-amz-date"), s.stamp);
    http_header_set(&req->headers, a, SV("x-amz-content-sha256"), payload_hash);
    if (secret_is_set(key->session_token))
        http_header_set(&req->headers, a, SV("x-amz-security-token"),
                        secret_reveal(key->session_token));
    if (!signed_headers(&req->headers, a, &s.headers, e))
        return false;
    s.canonical = canonical_request(req, &u, &s.headers, payload_hash, a);
    if (!s.canonical.n)
        return err_set(e, ERR_INVALID, "the request to sign is over %d bytes", MAX_CANONICAL_BYTES);
    http_header_set(&req->headers, a, SV("Authorization"), authorization(&s, key, a));
    return true;
}
