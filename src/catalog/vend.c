/* vend.c - keys for one table, in the form that every client understands. */
#include "catalog/vend.h"

#include <inttypes.h>

#include "base/limits.h"
#include "base/metric.h"
#include "catalog/etag.h"
#include "catalog/given.h"
#include "catalog/routes.h"
#include "catalog/table_steps.h"
#include "serve/loop.h"

/* "vended-credentials" among the words of X-Iceberg-Access-Delegation; unknown words mean nothing.
 */
bool call_asks_for_keys(const struct call *c)
{
    struct sv value =
        http_header_list(&c->in->headers, SV("X-Iceberg-Access-Delegation"), c->arena);
    struct sv word;

    while (sv_cut(&value, ',', &word)) {
        if (sv_eq_nocase(sv_trim(word), SV("vended-credentials")))
            return true;
    }
    return false;
}

struct vending {
    struct vend_ask ask;
    call_then_fn *then;
    void *work; /* the asker's */
};

static void set(struct json *to, struct call *c, const char *name, struct sv v)
{
    json_set_str(to, c->arena, sv_from(name), v);
}

/* "v1/prefix/namespaces/a%1Fb/tables/t/credentials", relative to the catalog's uri. */
static struct sv refresh_endpoint(struct call *c, const struct vend_ask *ask)
{
    struct buf b = buf_new(c->arena, 16384);

    buf_add(&b, SV("v1/"));
    uri_encode(&b, c->catalog->name, (struct sv){0});
    buf_add(&b, SV("/namespaces/"));
    uri_encode(&b, ask->ns.joined, (struct sv){0});
    buf_add(&b, SV("/tables/"));
    uri_encode(&b, ask->table, (struct sv){0});
    buf_add(&b, SV("/credentials"));
    return buf_sv(&b);
}

/* What clients read, whichever they are: region under both names, the store's address, what the
 * store cannot do. */
static void describe(struct json *to, struct call *c, const struct vending *v,
                     const struct credential *key)
{
    const struct target *t = &c->catalog->integration->target;

    set(to, c, "s3.access-key-id", key->access_key_id);
    set(to, c, "s3.secret-access-key", secret_reveal(key->secret_access_key));
    set(to, c, "s3.session-token", secret_reveal(key->session_token));
    set(to, c, "s3.session-token-expires-at-ms",
        arena_printf(c->arena, "%" PRId64, key->expires_ms));
    set(to, c, "client.region", t->region);
    set(to, c, "s3.region", t->region);
    if (t->public_endpoint.n) {
        set(to, c, "s3.endpoint", t->public_endpoint);
        set(to, c, "s3.path-style-access", t->path_style ? SV("true") : SV("false"));
    }
    /* RGW refuses the checksum trailers that come with chunked encoding. */
    if (sv_eq(t->provider->name, SV("ceph-rgw")))
        set(to, c, "s3.chunked-encoding-enabled", SV("false"));
    set(to, c, "client.refresh-credentials-endpoint", refresh_endpoint(c, &v->ask));
}

/* One entry for all folders: clients refuse more than one on refresh, and a prefix wider than the
 * policy does no harm. */
static struct sv prefix_of(struct call *c, const struct vend_ask *ask)
{
    struct location bucket = {.bucket = ask->folders[0].bucket};

    return location_text(ask->n_folders == 1 ? &ask->folders[0] : &bucket, c->arena);
}

/*
 * A table that was made a moment ago is not refused for the want of keys, and 503 would promise
 * that nothing was done. Who bears an Idempotency-Key may ask again all the same: it is known.
 */
static bool no_keys(struct call *c, const struct vend_ask *ask, struct err *e)
{
    bool known = c->once && (e->code == ERR_BUSY || e->code == ERR_UNAVAILABLE);

    if (!ask->made || known)
        return false;
    c->error_status = 500;
    c->error_type = "CommitStateUnknownException";
    e->code = ERR_CONFLICT;
    return err_wrap(e, "the table was made, but there are no keys for it; load it");
}

static bool after_mint(struct call *c, const struct err *outcome, struct err *e)
{
    struct vending *v = c->work;
    const struct credential *key;
    struct json *entry, *config, *list;

    if (outcome) {
        metric_add(METRIC_VENDS_FAILED, 1);
        /* The store's refusal of us is not the client's doing. */
        if (outcome->code != ERR_BUSY)
            e->code = ERR_UNAVAILABLE;
        return no_keys(c, &v->ask, e);
    }
    key = call_minted(c);
    entry = json_new_object(c->arena);
    config = json_new_object(c->arena);
    list = json_new_array(c->arena);
    describe(config, c, v, key);
    set(entry, c, "prefix", prefix_of(c, &v->ask));
    json_set(entry, SV("config"), config);
    json_push(list, entry);
    json_set(v->ask.result, SV("storage-credentials"), list);
    if (!v->ask.required)
        json_set(v->ask.result, SV("config"), config);
    c->vended_key_id = key->access_key_id;
    c->vended_expires_ms = key->expires_ms;
    metric_add(METRIC_VENDS_GRANTED, 1);
    c->work = v->work;
    return v->then(c, NULL, e);
}

/* Nobody asked, or there is nothing to give and no need to. */
static bool goes_without(const struct call *c, const struct vend_ask *ask, unsigned access)
{
    bool files = rule_is_folder(c->catalog->integration);

    return !ask->required && (!call_asks_for_keys(c) || !(access & ACCESS_READ) || files);
}

static void add_target(struct buf *b, const struct target *t)
{
    const struct sv parts[] = {t->provider->name, t->region,   t->public_endpoint,  t->sts_endpoint,
                               t->external_id,    t->role_arn, t->own.access_key_id};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        etag_add(b, parts[i]);
    buf_addf(b, "%d %d %d\n", t->path_style, t->tag_sessions, t->transitive_tags);
}

bool call_vend_terms(struct call *c, const struct vend_ask *ask, const struct decision *d,
                     struct buf *out, struct err *e)
{
    const struct rule_integration *w = c->catalog->integration;
    struct session_ask session = {ask->folders, ask->n_folders, decision_access(d),
                                  rule_template(w, decision_access(d)), false};
    struct sv policy;

    if (goes_without(c, ask, session.access))
        return true;
    if (!w->vendable)
        return err_set(e, ERR_UNAVAILABLE, "nothing is vended from this store now");
    if (!session_policy(&w->target, &session, c->arena, &policy, e))
        return false;
    etag_add(out, w->namespace_);
    etag_add(out, w->name);
    add_target(out, &w->target);
    buf_addf(out, "%d %d %d %" PRId64 "\n", w->ttl_seconds, w->max_session_seconds,
             d->max_ttl_seconds, w->secret_generation);
    etag_add(out, policy);
    return true;
}

bool call_vend(struct call *c, const struct vend_ask *ask, call_then_fn *then, struct err *e)
{
    struct subject s = {
        .catalog = c->catalog, .levels = ask->ns.p, .n_levels = ask->ns.n, .table = ask->table};
    struct vending *v = arena_new(c->arena, struct vending);
    struct mint_ask mint = {
        .catalog = c->catalog, .levels_text = ask->ns.dotted, .table = ask->table};
    struct decision d;

    rulebook_decide(c->rules, &c->who, &s, &d);
    mint.access = decision_access(&d);
    if (goes_without(c, ask, mint.access))
        return then(c, NULL, e);
    if (rule_is_folder(c->catalog->integration))
        return err_set(e, ERR_INVALID,
                       "the tables of catalog " SV_FMT
                       " are files: there is no key to vend for them",
                       SV_ARG(c->catalog->name));
    c->grant = d.grants[mint.access & ACCESS_WRITE ? PRIVILEGE_TABLE_WRITE_DATA
                                                   : PRIVILEGE_TABLE_READ_DATA];
    *v = (struct vending){.ask = *ask, .then = then, .work = c->work};
    mint.folders = v->ask.folders;
    mint.n_folders = ask->n_folders;
    mint.max_ttl_seconds = d.max_ttl_seconds;
    c->work = v;
    return call_mint(c, &mint, after_mint, e) || no_keys(c, ask, e);
}

/* ---- GET .../credentials ---- */

struct showing {
    struct json *body;
    uint64_t epoch; /* of the store, when it was asked */
};

static bool reply_keys(struct call *c, struct sv body)
{
    c->out.status = 200;
    c->out.body = body;
    http_header_add(&c->out.headers, c->arena, SV("Cache-Control"), SV("no-store"));
    http_header_add(&c->out.headers, c->arena, SV("Content-Type"), SV("application/json"));
    return call_reply(c);
}

static bool show(struct call *c, UNUSED const struct err *outcome, UNUSED struct err *e)
{
    const struct showing *s = c->work;
    const struct given g = {.text = json_text(c->arena, s->body)};

    given_remember(c, &g, s->epoch);
    return reply_keys(c, g.text);
}

static bool show_again(struct call *c, const struct given *g)
{
    given_tell(c, g);
    return reply_keys(c, g->text);
}

/* A table whose metadata was tampered with is not vended for, though the folders are the row's. */
static bool vend_checked(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct table_at *t = c->work;
    struct showing *s = arena_new(c->arena, struct showing);
    struct vend_ask ask = {.ns = t->path.ns,
                           .table = t->path.table,
                           .n_folders = t->n_folders,
                           .required = true,
                           .result = json_new_object(c->arena)};

    for (size_t i = 0; i < t->n_folders; i++)
        ask.folders[i] = t->folders[i];
    *s = (struct showing){ask.result, t->asked_epoch};
    c->work = s;
    return call_vend(c, &ask, show, e);
}

static bool vend_found(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    return table_text(c, c->work, vend_checked, e);
}

/* Before anything is looked up: an answer would tell whether the table exists. */
static bool demand_data(struct call *c, const struct table_path *p, struct err *e)
{
    if (call_demand(c, &p->ns, p->table, PRIVILEGE_TABLE_READ_DATA, NULL, e))
        return true;
    metric_add(METRIC_VENDS_DENIED, 1);
    return false;
}

bool credentials_show(struct call *c, struct err *e)
{
    const struct given *g = given_find(c, (struct sv){0});
    struct table_at *t;

    if (g)
        return show_again(c, g);
    t = arena_new(c->arena, struct table_at);
    return table_path(c, &t->path, e) && demand_data(c, &t->path, e) &&
           table_find(c, t, vend_found, e);
}
