/* cache.c - what is known of the world, and how it compiles. */
#include "control/cache.h"

#include "base/metric.h"
#include "wire/time.h"

void cache_init(struct cache *c)
{
    *c = (struct cache){0};
    c->objects = map_new(&c->arena);
    c->secrets = map_new(&c->arena);
    c->accounts = map_new(&c->arena);
    c->keys_arena.wipe = c->token_keys_arena.wipe = true;
}

static void drop_object(struct object *o)
{
    struct arena last = o->arena;

    if (o->kept_own)
        secret_object_done(o->kept_own);
    if (o->kept_admin)
        secret_object_done(o->kept_admin);
    arena_done(&o->complaints_arena);
    arena_done(&o->found_arena);
    arena_done(&last);
}

void cache_done(struct cache *c)
{
    for (const struct map_entry *i = NULL; (i = map_next(&c->objects, i));)
        drop_object(i->value);
    for (const struct map_entry *i = NULL; (i = map_next(&c->secrets, i));)
        secret_object_done(i->value);
    if (c->ambient)
        secret_object_done(c->ambient);
    arena_done(&c->unread_arena);
    arena_done(&c->keys_arena);
    arena_done(&c->token_keys_arena);
    arena_done(&c->arena);
}

/* ---- objects ---- */

/* What the compilation said. There is one for each object, so that the arena is cut to size. */
static void keep_complaints(struct object *o, const struct complaints *from, struct sv warehouse)
{
    struct arena *a = &o->complaints_arena;
    size_t room = warehouse.n + 16;

    o->complaints = (struct complaints){0};
    for (size_t i = 0; i < from->n; i++)
        room += sizeof(struct complaint) + from->p[i].text.n + from->p[i].field.n + 96;
    arena_reserve(a, room);
    vec_reserve(&o->complaints, a, from->n);
    for (size_t i = 0; i < from->n; i++)
        complain(&o->complaints, a, arena_cstr(a, from->p[i].reason), from->p[i].field, SV_FMT,
                 SV_ARG(from->p[i].text));
    o->warehouse = arena_dup(a, warehouse);
}

/* Of an object the rulebook is made of spec, labels of time and deletion; a new status alone
 * changes nothing in it. */
static bool matters(const struct object *was, const struct resource *now,
                    const struct json *spec_was, const struct json *spec)
{
    const struct meta *x = &was->resource->meta, *y = &now->meta;

    return !sv_eq(x->uid, y->uid) || x->deleting != y->deleting || x->generation != y->generation ||
           x->created_ms != y->created_ms || !json_eq(spec_was, spec);
}

/* What may be slow: both of its services together. */
static struct sv store_of(const struct storage_integration *w, struct arena *a)
{
    struct sv endpoint = w->internal_endpoint.n ? w->internal_endpoint : w->endpoint;

    if (w->storage_type == STORAGE_FILE)
        return (struct sv){0};
    return arena_printf(a, SV_FMT " " SV_FMT " " SV_FMT, SV_ARG(endpoint), SV_ARG(w->sts_endpoint),
                        SV_ARG(w->region));
}

/* By which people ask for a rotation, or let a role be adopted. */
static bool annotated_anew(const struct json *was, const struct json *now)
{
    return !json_eq(json_path(was, SV("metadata.annotations")),
                    json_path(now, SV("metadata.annotations")));
}

static bool put_object(struct cache *c, const struct json *v, struct object **changed)
{
    auto_arena scratch = {0};
    struct sv text = json_text(&scratch, v);
    struct arena own = {0};
    struct object *o, *was;
    struct err ignored = {0};
    struct json *before = NULL;
    bool differs = true;

    /* The text and what is decoded from it. */
    arena_reserve(&own, sizeof(struct object) + sizeof(struct resource) + text.n * 5 / 2);
    o = arena_new(&own, struct object);
    if (!resource_read(v, &own, &o->resource, &ignored)) {
        arena_done(&own);
        return false;
    }
    o->text = arena_dup(&own, text);
    o->key = arena_printf(&own, SV_FMT "/" SV_FMT "/" SV_FMT, SV_ARG(kind_name(o->resource->kind)),
                          SV_ARG(o->resource->meta.namespace_), SV_ARG(o->resource->meta.name));
    o->arena = own;
    if (o->resource->kind == KIND_STORAGE_INTEGRATION) {
        o->scope =
            arena_dup(&o->arena, integration_scope(&o->resource->storage_integration, &scratch));
        o->store = store_of(&o->resource->storage_integration, &o->arena);
    }
    was = map_put(&c->objects, o->key, o);
    if (was) {
        if (json_read(was->text, &scratch, &before, &ignored))
            differs =
                matters(was, o->resource, json_get(before, SV("spec")), json_get(v, SV("spec")));
        found_copy(&o->found_arena, &was->found, &o->found);
        o->found_version = was->found_version;
        o->seen = was->seen && !differs && !annotated_anew(before, v);
        o->served = was->served;
        keep_complaints(o, &was->complaints, was->warehouse);
        cache_hand_over_keys(was, o);
        drop_object(was);
    }
    *changed = o;
    return differs;
}

/* ---- accounts ---- */

static bool put_account(struct cache *c, const struct json *v)
{
    const struct json *m = json_get(v, SV("metadata"));
    auto_arena a = {0};
    struct sv key = cache_pair(&a, json_get_str(m, SV("namespace")), json_get_str(m, SV("name")));
    struct sv uid = json_get_str(m, SV("uid"));
    const struct sv *was = map_get(&c->accounts, key);
    struct sv *now;

    if (was && sv_eq(*was, uid))
        return false;
    now = arena_new(&c->arena, struct sv);
    *now = arena_dup(&c->arena, uid);
    (void)map_put(&c->accounts, key, now);
    return true;
}

bool cache_put(struct cache *c, const struct json *v, struct object **changed)
{
    struct sv kind = json_get_str(v, SV("kind"));

    *changed = NULL;
    if (sv_eq(kind, SV("Secret")))
        return cache_put_secret(c, v);
    if (sv_eq(kind, SV("ServiceAccount")))
        return put_account(c, v);
    return put_object(c, v, changed);
}

bool cache_remove(struct cache *c, struct sv kind, struct sv namespace_, struct sv name)
{
    auto_arena a = {0};
    struct sv pair = cache_pair(&a, namespace_, name);
    struct secret_object *s;
    struct object *o;

    if (sv_eq(kind, SV("ServiceAccount")))
        return map_remove(&c->accounts, pair) != NULL;
    if (sv_eq(kind, SV("Secret"))) {
        s = map_remove(&c->secrets, pair);
        if (s)
            secret_object_done(s);
        return s != NULL;
    }
    o = map_remove(&c->objects, arena_printf(&a, SV_FMT "/" SV_FMT, SV_ARG(kind), SV_ARG(pair)));
    if (o)
        drop_object(o);
    return o != NULL;
}

struct object *cache_object(struct cache *c, struct sv key)
{
    return map_get(&c->objects, key);
}

static bool same_keys(const struct token_keys *x, const struct token_keys *y)
{
    for (size_t i = 0; i < x->n && i < y->n; i++) {
        if (!sv_eq(x->p[i].kid, y->p[i].kid) || !secret_eq(x->p[i].key, y->p[i].key))
            return false;
    }
    return x->n == y->n;
}

bool cache_take_keys(struct cache *c, const struct token_keys *keys)
{
    struct arena fresh = {.wipe = true}, old = c->token_keys_arena;
    struct token_keys now = {0};

    if (same_keys(&c->token_keys, keys))
        return false;
    for (size_t i = 0; i < keys->n; i++)
        vec_push(&now, &fresh,
                 ((struct token_key){arena_dup(&fresh, keys->p[i].kid),
                                     secret_dup(&fresh, keys->p[i].key)}));
    c->token_keys_arena = fresh;
    c->token_keys = now;
    arena_done(&old);
    return true;
}

/* ---- for a pass ---- */

/* Another look at a principal who can log in now, or cannot any more. */
static void note_served(const struct cache *c, struct object *o)
{
    auto_arena a = {0};
    bool served = !cache_why_not_served(c, o, &a).n;

    o->seen = o->seen && served == o->served;
    o->served = served;
}

void cache_give(const struct cache *c, const struct object *o, struct job *j)
{
    const struct resource *r = o->resource;
    struct sv ns = r->meta.namespace_;

    if (r->kind == KIND_PRINCIPAL) {
        cache_give_secret(c, j, ns, r->principal.client_secret, &j->client);
        j->not_served = cache_why_not_served(c, o, &j->arena);
    }
    if (r->kind != KIND_STORAGE_INTEGRATION)
        return;
    cache_give_secret(c, j, ns, r->storage_integration.credentials_secret, &j->own);
    cache_give_secret(c, j, ns, r->storage_integration.admin_credentials_secret, &j->admin);
    if (r->meta.deleting)
        cache_give_kept_keys(o, j);
    cache_give_roles(c, o, j);
    j->ambient_why = arena_dup(&j->arena, sv_from(c->ambient_why));
    found_copy(&j->arena, &o->found, &j->found);
}

/* ---- compiling ---- */

static bool is_vendable(const struct object *o, bool has_keys, struct sv *why_not)
{
    bool file = o->resource->storage_integration.storage_type == STORAGE_FILE;

    if (!o->found.known)
        *why_not = SV("it has not been reconciled yet");
    else if (!o->found.vendable)
        *why_not = o->found.why_not;
    else if (!file && !sv_eq(o->found.scope, o->scope))
        *why_not = SV("its spec has changed, and its scope has not been verified since");
    else if (!file && !has_keys)
        *why_not = SV("its keys are not there");
    else
        return true;
    return false;
}

static void add_integration(struct cache *c, const struct object *o, struct policy_input *in,
                            struct arena *a)
{
    const struct storage_integration *w = &o->resource->storage_integration;
    const struct meta *m = &o->resource->meta;
    const struct secret_object *s = cache_secret(c, m->namespace_, w->credentials_secret);
    struct integration_facts f = {.namespace_ = m->namespace_, .name = m->name};
    struct err ignored = {0};

    if (!time_read(o->found.verified_since, &f.verified_ms, &ignored))
        f.verified_ms = 0;
    f.vendable = is_vendable(o, secret_has_keys(s), &f.why_not);
    f.role_arn = o->found.role_arn;
    f.bulk_delete = o->found.bulk_delete;
    f.session_tags = o->found.session_tags;
    f.own.access_key_id = cache_value(s, "access-key-id", "AWS_ACCESS_KEY_ID");
    f.own.secret_access_key =
        secret_of(cache_value(s, "secret-access-key", "AWS_SECRET_ACCESS_KEY"));
    f.own.session_token = secret_of(cache_value(s, "session-token", "AWS_SESSION_TOKEN"));
    /* A role made anew ends the sessions of the old one: keys of before must not be handed out
     * again. */
    f.secret_generation =
        (int64_t)(sv_hash(arena_printf(a, SV_FMT "\n" SV_FMT, SV_ARG(s ? s->version : SV("")),
                                       SV_ARG(o->found.role_created_at))) >>
                  1);
    vec_push(&in->integrations, a, f);
}

static void add_client(struct cache *c, const struct object *o, struct policy_input *in,
                       struct arena *a)
{
    const struct meta *m = &o->resource->meta;
    const struct secret_object *s =
        cache_secret(c, m->namespace_, o->resource->principal.client_secret);
    struct sv secret = cache_value(s, "client-secret", NULL),
              old = cache_value(s, "previous-client-secret", NULL);
    struct client_facts f = {.namespace_ = m->namespace_,
                             .principal = m->name,
                             .client_id = cache_value(s, "client-id", NULL)};
    struct err ignored = {0};

    if (!o->resource->principal.has_client || !f.client_id.n || !secret.n ||
        !secret_is_text(&(struct job_secret){.data = s->data}, &ignored))
        return;
    f.secret_hash = cache_client_hash(secret);
    if (old.n && time_read(cache_value(s, "previous-valid-until", NULL), &f.old_until_ms, &ignored))
        f.old_secret_hash = cache_client_hash(old);
    vec_push(&in->clients, a, f);
}

static void add_accounts(struct cache *c, struct policy_input *in, struct arena *a)
{
    for (const struct map_entry *i = NULL; (i = map_next(&c->accounts, i));) {
        struct sv name = i->key, ns;
        const struct sv *uid = i->value;

        (void)sv_cut(&name, '/', &ns);
        vec_push(&in->accounts, a, ((struct account_facts){ns, name, *uid}));
    }
}

/* What engines call this catalog; empty when it is not in force. */
static struct sv warehouse_of(const struct object *o, const struct rulebook *r)
{
    const struct rule_catalog *const *all;
    size_t n = rulebook_catalogs(r, &all);
    auto_arena a = {0};
    struct sv id = cache_pair(&a, o->resource->meta.namespace_, o->resource->meta.name);

    for (size_t i = 0; i < n; i++) {
        if (sv_eq(all[i]->id, id))
            return all[i]->name;
    }
    return (struct sv){0};
}

static void take_complaints(struct object *o, const struct complaints *from,
                            const struct rulebook *r)
{
    bool same = from->n == o->complaints.n;
    struct sv warehouse =
        o->resource->kind == KIND_POLARIS_CATALOG ? warehouse_of(o, r) : (struct sv){0};

    for (size_t i = 0; same && i < from->n; i++)
        same = sv_eq(from->p[i].text, o->complaints.p[i].text) &&
               sv_eq(from->p[i].field, o->complaints.p[i].field);
    if (same && sv_eq(warehouse, o->warehouse))
        return;
    arena_done(&o->complaints_arena);
    keep_complaints(o, from, warehouse);
    o->seen = false;
}

struct rulebook *cache_compile(struct cache *c)
{
    auto_arena a = {.wipe = true};
    struct policy_input in = {.token_keys = c->token_keys,
                              .cluster_issuer = c->issuer,
                              .cluster_audience = c->audience,
                              .cluster_jwks = c->jwks,
                              .file_storage = c->file_storage,
                              .unread = c->unread,
                              .generation = ++c->generation};
    const struct resource **resources = arena_array(&a, const struct resource *, c->objects.n + 1);
    struct object **objects = arena_array(&a, struct object *, c->objects.n + 1);
    struct compile_result result;
    size_t n = 0, wrong = 0;

    for (const struct map_entry *i = NULL; (i = map_next(&c->objects, i));) {
        struct object *o = i->value;

        objects[n] = o;
        resources[n++] = o->resource;
        if (o->resource->kind == KIND_STORAGE_INTEGRATION) {
            cache_keep_keys(c, o);
            add_integration(c, o, &in, &a);
        } else if (o->resource->kind == KIND_PRINCIPAL) {
            note_served(c, o);
            add_client(c, o, &in, &a);
        }
    }
    add_accounts(c, &in, &a);
    in.resources = resources;
    in.n_resources = n;
    policy_compile(&in, &a, &result);
    for (size_t i = 0; i < n; i++) {
        wrong += result.complaints[i].n > 0;
        take_complaints(objects[i], &result.complaints[i], result.rulebook);
    }
    metric_set(METRIC_OBJECTS, (int64_t)n);
    metric_set(METRIC_OBJECTS_NOT_READY, (int64_t)wrong);
    metric_set(METRIC_RULEBOOK_GENERATION, c->generation);
    metric_add(METRIC_RULEBOOKS, 1);
    return result.rulebook;
}
