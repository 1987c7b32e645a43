/* cache_secrets.c - Secrets as the watches tell them: what is served from, and what passes get. */
#include <string.h>

#include "control/cache.h"
#include "wire/base64.h"
#include "wire/hex.h"

struct sv cache_pair(struct arena *a, struct sv ns, struct sv name)
{
    return ARENA_JOIN(a, ns, SV("/"), name);
}

void secret_object_done(struct secret_object *s)
{
    struct arena last = s->arena;

    arena_done(&last);
}

/* Of a client's secret nobody needs more than the hash: the rulebook is made of it, and the pass
 * that rotates a secret reads the Secret again. What cannot be sent as a secret is none, and stays
 * for the complaint about it. */
static struct sv kept(struct sv name, struct sv value, struct arena *a)
{
    const struct tag one = {SV("client-secret"), value};
    const struct job_secret view = {
        .data = {(struct tag[]){one}, 1, 1}
    };
    struct err ignored = {0};
    struct sha256 h;

    if ((!sv_eq(name, SV("client-secret")) && !sv_eq(name, SV("previous-client-secret"))) ||
        !value.n || !secret_is_text(&view, &ignored))
        return arena_dup(a, value);
    h = sha256_of(secret_value(&view, "client-secret", NULL));
    return hex_encode(a, sv_of((const char *)h.b, sizeof(h.b)));
}

struct sha256 cache_client_hash(struct sv kept_secret)
{
    static const char digits[] = "0123456789abcdef";
    struct sha256 h = {0};

    for (size_t i = 0; kept_secret.n == 2 * sizeof(h.b) && i < kept_secret.n; i++) {
        const char *digit = strchr(digits, kept_secret.p[i]);

        h.b[i / 2] = (unsigned char)(h.b[i / 2] << 4 | (digit ? digit - digits : 0));
    }
    return h;
}

bool cache_put_secret(struct cache *c, const struct json *v)
{
    auto_arena scratch = {.wipe = true};
    struct arena own = {.wipe = true};
    struct secret_object *s = arena_new(&own, struct secret_object), *was;
    const struct json *m = json_get(v, SV("metadata")), *data = json_get(v, SV("data"));
    struct json *value;
    struct sv name;

    for (size_t i = 0; json_member(data, i, &name, &value); i++) {
        struct err ignored = {0};
        struct sv raw;

        if (base64_decode(json_str(value, (struct sv){0}), &scratch, &raw, &ignored))
            vec_push(&s->data, &own, ((struct tag){arena_dup(&own, name), kept(name, raw, &own)}));
    }
    /* A digest of the values would tell something about them; the server's version does not. In a
     * folder there is none. */
    s->version = arena_dup(&own, json_get_str(m, SV("resourceVersion")));
    if (!s->version.n) {
        struct sha256 h = hmac_sha256(SV("frontdesk secret version"), json_text(&scratch, data));

        s->version = arena_printf(&own, "%02x%02x%02x%02x", h.b[0], h.b[1], h.b[2], h.b[3]);
    }
    s->arena = own;
    was = map_put(
        &c->secrets,
        cache_pair(&s->arena, json_get_str(m, SV("namespace")), json_get_str(m, SV("name"))), s);
    if (was)
        secret_object_done(was);
    return true;
}

const struct secret_object *cache_secret(const struct cache *c, struct sv namespace_,
                                         struct sv name)
{
    auto_arena a = {0};

    return name.n ? map_get(&c->secrets, cache_pair(&a, namespace_, name)) : c->ambient;
}

struct sv cache_value(const struct secret_object *s, const char *name, const char *other)
{
    struct job_secret view = {.data = s ? s->data : (struct tags){0}};

    return secret_value(&view, name, other);
}

bool secret_has_keys(const struct secret_object *s)
{
    return cache_value(s, "access-key-id", "AWS_ACCESS_KEY_ID").n &&
           cache_value(s, "secret-access-key", "AWS_SECRET_ACCESS_KEY").n;
}

/* ---- which are followed ---- */

static void name_secret(const struct object *o, struct sv name, enum secret_need need,
                        struct map *out)
{
    auto_arena a = {0};
    struct sv key = cache_pair(&a, o->resource->meta.namespace_, name);
    enum secret_need *known = map_get(out, key);

    if (!name.n)
        return;
    if (!known) {
        known = arena_new(out->arena, enum secret_need);
        *known = need;
        (void)map_put(out, key, known);
    }
    if (need == SECRET_WANTED)
        *known = need;
}

void cache_name_secrets(const struct cache *c, struct map *out)
{
    for (const struct map_entry *i = NULL; (i = map_next(&c->objects, i));) {
        const struct object *o = i->value;
        const struct resource *r = o->resource;
        const struct storage_integration *w = &r->storage_integration;

        if (r->kind == KIND_STORAGE_INTEGRATION && w->storage_type != STORAGE_FILE) {
            name_secret(o, w->credentials_secret, SECRET_WANTED, out);
            name_secret(o, w->admin_credentials_secret, SECRET_WANTED, out);
        } else if (r->kind == KIND_PRINCIPAL && r->principal.has_client) {
            /* A pass has been made over it, and what it found or wrote should be seen. */
            bool made = json_get_str(r->status, SV("secretName")).n != 0;

            name_secret(o, r->principal.client_secret, made ? SECRET_WANTED : SECRET_EXPECTED, out);
        }
    }
}

/* ---- for a pass ---- */

static void copy_data(const struct secret_object *s, struct arena *a, struct tags *out)
{
    for (size_t i = 0; i < s->data.n; i++)
        vec_push(out, a,
                 ((struct tag){arena_dup(a, s->data.p[i].key), arena_dup(a, s->data.p[i].value)}));
}

static void give(const struct secret_object *s, struct arena *a, struct job_secret *out)
{
    *out = (struct job_secret){.found = true, .version = arena_dup(a, s->version)};
    copy_data(s, a, &out->data);
}

void cache_give_secret(const struct cache *c, struct job *j, struct sv ns, struct sv name,
                       struct job_secret *out)
{
    const struct secret_object *s = cache_secret(c, ns, name);

    if (s)
        give(s, &j->arena, out);
}

/* ---- whether a principal can log in ---- */

static struct sv why_no_client(const struct cache *c, const struct object *o, struct arena *a)
{
    struct sv name = o->resource->principal.client_secret;
    const struct secret_object *s = cache_secret(c, o->resource->meta.namespace_, name);

    if (!s)
        return arena_printf(
            a, "spec.clientCredentials.secretName: no watch has told Secret " SV_FMT, SV_ARG(name));
    if (!cache_value(s, "client-id", NULL).n || !cache_value(s, "client-secret", NULL).n)
        return arena_printf(a,
                            "spec.clientCredentials.secretName: Secret " SV_FMT
                            " lacks client-id or client-secret",
                            SV_ARG(name));
    return (struct sv){0};
}

static struct sv why_no_account(const struct cache *c, const struct object *o, struct arena *a)
{
    const struct ref *account = &o->resource->principal.service_account;

    if (!c->jwks.n)
        return SV("spec.serviceAccount: no key of the cluster is known to verify its tokens with");
    if (map_get(&c->accounts, cache_pair(a, account->namespace_, account->name)))
        return (struct sv){0};
    return arena_printf(
        a, "spec.serviceAccount: there is no ServiceAccount " SV_FMT " in namespace " SV_FMT,
        SV_ARG(account->name), SV_ARG(account->namespace_));
}

struct sv cache_why_not_served(const struct cache *c, const struct object *o, struct arena *a)
{
    return o->resource->principal.has_client ? why_no_client(c, o, a) : why_no_account(c, o, a);
}

/* ---- what a deletion needs ---- */

static void keep(const struct secret_object *now, struct secret_object **kept)
{
    struct arena own = {.wipe = true};
    struct secret_object *copy;

    if (!secret_has_keys(now) || (*kept && sv_eq((*kept)->version, now->version)))
        return;
    copy = arena_new(&own, struct secret_object);
    copy->version = arena_dup(&own, now->version);
    copy_data(now, &own, &copy->data);
    copy->arena = own;
    if (*kept)
        secret_object_done(*kept);
    *kept = copy;
}

void cache_keep_keys(const struct cache *c, struct object *o)
{
    const struct storage_integration *w = &o->resource->storage_integration;
    struct sv ns = o->resource->meta.namespace_;

    if (w->credentials_secret.n)
        keep(cache_secret(c, ns, w->credentials_secret), &o->kept_own);
    if (w->admin_credentials_secret.n)
        keep(cache_secret(c, ns, w->admin_credentials_secret), &o->kept_admin);
}

void cache_hand_over_keys(struct object *from, struct object *to)
{
    to->kept_own = from->kept_own;
    to->kept_admin = from->kept_admin;
    from->kept_own = from->kept_admin = NULL;
}

static bool lacks_keys(const struct job_secret *s)
{
    return !secret_value(s, "access-key-id", "AWS_ACCESS_KEY_ID").n ||
           !secret_value(s, "secret-access-key", "AWS_SECRET_ACCESS_KEY").n;
}

void cache_give_kept_keys(const struct object *o, struct job *j)
{
    const struct storage_integration *w = &o->resource->storage_integration;

    if (w->credentials_secret.n && o->kept_own && lacks_keys(&j->own))
        give(o->kept_own, &j->arena, &j->own);
    if (w->admin_credentials_secret.n && o->kept_admin && lacks_keys(&j->admin))
        give(o->kept_admin, &j->arena, &j->admin);
}
