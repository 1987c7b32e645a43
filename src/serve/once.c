/* once.c - requests that bear an Idempotency-Key: looked up, recorded, repeated. */
#include "serve/once.h"

#include <assert.h>

#include "base/limits.h"
#include "base/metric.h"
#include "serve/loop.h"
#include "sign/digest.h"

struct once {
    struct answer answer; /* of this request, as it would be kept */
    struct answer known;  /* what was kept of one before */
    call_fn *go, *again;
    void *work;
    enum {
        ONCE_ASKING, /* or settled otherwise: answers pass */
        ONCE_OPEN,   /* nobody was here before */
        ONCE_TAKEN,  /* somebody was first meanwhile: `known` */
        ONCE_REPEATS
    } state;
};

/* ---- reading the header ---- */

enum { UUID_CHARS = 36 };

/* 8-4-4-4-12 digits, of any version, in lower case. */
static bool uuid_read(struct sv text, struct arena *a, struct sv *out)
{
    struct buf b = buf_new(a, UUID_CHARS);

    if (text.n != UUID_CHARS)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = text.p[i];

        if (c >= 'A' && c <= 'F')
            c = (char)(c - 'A' + 'a');
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        buf_addc(&b, c);
    }
    *out = buf_sv(&b);
    return true;
}

/* `*out` stays empty when there is none. */
static bool key_read(const struct call *c, struct sv *out, struct err *e)
{
    const struct http_headers *h = &c->in->headers;

    for (size_t i = 0; i < h->n; i++) {
        if (!sv_eq_nocase(h->p[i].name, SV("Idempotency-Key")))
            continue;
        if (out->n || !uuid_read(h->p[i].value, c->arena, out))
            return err_set(e, ERR_INVALID, "Idempotency-Key must be one UUID");
    }
    return true;
}

/* All that makes it this request. The target as it was sent: who writes it another way asks
 * something else. */
static struct sv digest(const struct call *c)
{
    ptrdiff_t query = sv_find(c->in->target, '?');
    struct sv text =
        arena_printf(c->arena, SV_FMT "\n" SV_FMT "\n" SV_FMT "\n" SV_FMT "\n" SV_FMT,
                     SV_ARG(http_method_text(c->in->method)), SV_ARG(c->path),
                     SV_ARG(query < 0 ? SV("") : sv_skip(c->in->target, (size_t)query)),
                     SV_ARG(sha256_hex(c->arena, c->in->body)), SV_ARG(c->who.only_roles));

    return sha256_hex(c->arena, text);
}

/* ---- repeating ---- */

static bool refused_again(struct call *c, const struct answer *known)
{
    c->reason = SV("refused before, under the same Idempotency-Key");
    c->out.status = known->status;
    c->out.body = known->body;
    http_header_add(&c->out.headers, c->arena, SV("Content-Type"), SV("application/json"));
    return call_reply(c);
}

static bool repeat(struct call *c, struct err *e)
{
    struct once *o = c->once;

    o->state = ONCE_REPEATS;
    c->work = o->work;
    c->out = (struct http_response){0};
    c->error_type = NULL;
    c->error_status = 0;
    *e = (struct err){0};
    if (!sv_eq(o->known.request, o->answer.request)) {
        o->state = ONCE_ASKING;
        c->error_status = 422;
        c->error_type = "UnprocessableEntityException";
        return err_set(e, ERR_INVALID,
                       "this Idempotency-Key was used for another request; nothing was done");
    }
    metric_add(METRIC_REPLAYS, 1);
    if (o->known.status >= 400)
        return refused_again(c, &o->known);
    return o->again ? o->again(c, e) : call_reply_empty(c, 204);
}

/* ---- looking ---- */

static bool query_known(struct call *c, struct store *s, struct err *e)
{
    struct once *o = c->once;

    o->known = (struct answer){.principal = o->answer.principal, .key = o->answer.key};
    return store_answer_get(s, c->now_ms, c->arena, &o->known, e);
}

static bool after_known(struct call *c, const struct err *outcome, struct err *e)
{
    struct once *o = c->once;

    if (!outcome)
        return repeat(c, e);
    if (outcome->code != ERR_NOT_FOUND)
        return false;
    *e = (struct err){0};
    o->state = ONCE_OPEN;
    c->work = o->work;
    return o->go(c, e);
}

bool call_once(struct call *c, call_fn *go, call_fn *again, struct err *e)
{
    struct sv key = {0};
    struct once *o;

    if (!key_read(c, &key, e))
        return false;
    if (!key.n)
        return go(c, e);
    o = arena_new(c->arena, struct once);
    o->go = go;
    o->again = again;
    o->work = c->work;
    o->answer = (struct answer){.principal = c->who.name,
                                .key = key,
                                .request = digest(c),
                                .attempt = c->id,
                                .status = again ? 200 : 204,
                                .made_ms = c->now_ms};
    c->once = o;
    return call_read(c, query_known, after_known, e);
}

/* ---- recording ---- */

void once_file(struct call *c, const struct table_row *row)
{
    if (!c->once)
        return;
    c->once->answer.metadata_location = row->metadata_location;
    c->once->answer.metadata_sha256 = row->metadata_sha256;
    c->once->answer.uuid = row->uuid;
}

bool once_body(struct call *c, struct sv body, struct err *e)
{
    if (!c->once)
        return true;
    if (body.n > LIMIT_KEPT_ANSWER_BYTES)
        return err_set(e, ERR_INVALID,
                       "the answer would have %zu bytes, and under an Idempotency-Key at most %d "
                       "are kept; ask for less at once, or without",
                       body.n, LIMIT_KEPT_ANSWER_BYTES);
    c->once->answer.body = body;
    return true;
}

/* After a write that failed, or of which it is not known whether it did: the key tells. */
static bool ask_key(struct call *c, struct store *s, struct err *e)
{
    struct once *o = c->once;
    struct err why = {0};

    if (e->code == ERR_UNAVAILABLE)
        return false;
    if (!query_known(c, s, &why)) {
        if (why.code == ERR_NOT_FOUND && e->code == ERR_INTERNAL)
            return err_set(e, ERR_UNAVAILABLE, "nothing was changed; try again");
        return false;
    }
    o->answer.kept = sv_eq(o->known.attempt, o->answer.attempt);
    if (o->answer.kept)
        return true;
    o->state = ONCE_TAKEN;
    return err_set(e, ERR_UNAVAILABLE, "another request with this Idempotency-Key was first");
}

static bool write_with(struct call *c, struct store *s, query_fn *q, struct err *e)
{
    bool done;

    store_answer_with(s, &c->once->answer);
    done = q(c, s, e);
    store_answer_with(s, NULL);
    return done || ask_key(c, s, e);
}

bool once_write(struct call *c, struct store *s, query_fn *q, struct err *e)
{
    if (!c->once || c->once->state != ONCE_OPEN || c->once->answer.kept)
        return q(c, s, e);
    return write_with(c, s, q, e);
}

static bool query_keep(struct call *c, struct store *s, struct err *e)
{
    return store_answer_put(s, &c->once->answer, e);
}

/* Nothing was changed: it may be asked again as it is. */
static bool after_keep(struct call *c, const struct err *outcome, struct err *e)
{
    struct once *o = c->once;

    if (!outcome)
        return call_reply(c);
    if (o->state == ONCE_TAKEN)
        return repeat(c, e);
    o->state = ONCE_ASKING;
    c->error_type = NULL;
    c->error_status = 0;
    return err_set(e, ERR_UNAVAILABLE, "the answer could not be kept; try again");
}

/* What the same request would surely be answered again. */
static bool is_final(int status)
{
    return status < 500 && status != 401 && status != 403 && status != 429;
}

static bool keep(struct call *c, struct err *e)
{
    struct once *o = c->once;

    o->answer.status = c->out.status;
    if (c->out.status >= 400) {
        once_file(c, &(struct table_row){0});
        o->answer.body = c->out.body;
    }
    return call_write(c, query_keep, after_keep, e);
}

bool once_holds(struct call *c)
{
    struct once *o = c->once;
    struct err e = {0};

    if (!o || o->state == ONCE_ASKING || o->state == ONCE_REPEATS)
        return false;
    if (o->state == ONCE_TAKEN) {
        call_step(c, repeat(c, &e), &e);
        return true;
    }
    if (o->answer.kept || !is_final(c->out.status))
        return false;
    if (!keep(c, &e)) {
        o->state = ONCE_ASKING;
        call_fail(c, &e);
    }
    return true;
}

/* ---- for handlers ---- */

const struct answer *once_known(const struct call *c)
{
    assert(c->once && c->once->state == ONCE_REPEATS);
    return &c->once->known;
}

struct sv once_repeats(const struct call *c)
{
    return c->once && c->once->state == ONCE_REPEATS ? c->once->known.attempt : (struct sv){0};
}
