/* compile.c - resources to a rulebook. What is wrong is left out and complained about; nothing else
 * stops. */
#include "policy/compile.h"

#include "api/endpoint.h"
#include "base/limits.h"

static struct sv key_text(struct arena *a, struct sv kind, struct sv ns, struct sv name)
{
    return ARENA_JOIN(a, kind, SV("/"), ns, SV("/"), name);
}

struct sv compile_full_name(struct arena *a, struct sv ns, struct sv name)
{
    return ARENA_JOIN(a, ns, SV("/"), name);
}

void compile_warn(struct compiling *c, size_t i, const char *reason, struct sv field,
                  struct sv text)
{
    complain(&c->complaints[i], c->scratch, reason, field, SV_FMT, SV_ARG(text));
}

void compile_blame(struct compiling *c, size_t i, const char *reason, struct sv field,
                   struct sv text)
{
    compile_warn(c, i, reason, field, text);
    c->out[i] = true;
}

static void begin(struct compiling *c)
{
    size_t n = c->in->n_resources;

    c->index = map_new(c->scratch);
    c->numbers = arena_array(c->scratch, size_t, n + 1);
    c->out = arena_array(c->scratch, bool, n + 1);
    c->compiled = arena_array(c->scratch, void *, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct resource *r = c->in->resources[i];

        c->numbers[i] = i;
        (void)map_put(&c->index,
                      key_text(c->scratch, kind_name(r->kind), r->meta.namespace_, r->meta.name),
                      &c->numbers[i]);
        for (size_t j = 0; j < r->complaints.n; j++)
            vec_push(&c->complaints[i], c->scratch, r->complaints.p[j]);
        c->out[i] = r->complaints.n > 0 || r->meta.deleting;
    }
}

/* ---- references ---- */

static void look_for(struct compiling *c, size_t i, struct sv field, enum kind kind, struct sv ns,
                     struct sv name)
{
    if (name.n && !map_get(&c->index, key_text(c->scratch, kind_name(kind), ns, name)))
        compile_blame(c, i, "ReferenceNotFound", field,
                      arena_printf(c->scratch,
                                   "there is no " SV_FMT " " SV_FMT "/" SV_FMT
                                   "; create it or mend the name",
                                   SV_ARG(kind_name(kind)), SV_ARG(ns), SV_ARG(name)));
}

static void look_for_members(struct compiling *c, size_t i, const char *field,
                             const struct refs *members)
{
    for (size_t j = 0; j < members->n; j++) {
        const struct ref *m = &members->p[j];
        struct sv path = arena_printf(c->scratch, "spec.%s[%zu].name", field, j);

        if (sv_eq(m->kind, SV("Principal")))
            look_for(c, i, path, KIND_PRINCIPAL, m->namespace_, m->name);
        else if (sv_eq(m->kind, SV("PrincipalRole")))
            look_for(c, i, path, KIND_PRINCIPAL_ROLE, m->namespace_, m->name);
    }
}

/* All that lead nowhere are told at once, whatever else is wrong with the object. */
static void check_references(struct compiling *c, size_t i)
{
    const struct resource *r = c->in->resources[i];

    switch (r->kind) {
    case KIND_POLARIS_CATALOG:
        look_for(c, i, SV("spec.storageIntegrationRef.name"), KIND_STORAGE_INTEGRATION,
                 r->meta.namespace_, r->catalog.storage_integration);
        break;
    case KIND_PRINCIPAL_ROLE:
        look_for_members(c, i, "members", &r->principal_role.members);
        break;
    case KIND_CATALOG_ROLE:
        look_for(c, i, SV("spec.catalogRef.name"), KIND_POLARIS_CATALOG,
                 r->catalog_role.catalog.namespace_, r->catalog_role.catalog.name);
        look_for_members(c, i, "principals", &r->catalog_role.principals);
        break;
    case KIND_STORAGE_INTEGRATION:
    case KIND_PRINCIPAL:
    case KIND_COUNT:
        break;
    }
}

/* The resource that `field` of resource `i` refers to, when it is in the rulebook; else a complaint
 * and false. */
bool compile_refer(struct compiling *c, size_t i, struct sv field, enum kind kind,
                   const struct ref *to, size_t *out)
{
    const size_t *found =
        map_get(&c->index, key_text(c->scratch, kind_name(kind), to->namespace_, to->name));

    if (!found)
        return false;
    *out = *found;
    if (c->out[*found]) {
        compile_blame(c, i, "DependencyNotReady", field,
                      arena_printf(c->scratch, SV_FMT " " SV_FMT "/" SV_FMT " is not ready",
                                   SV_ARG(kind_name(kind)), SV_ARG(to->namespace_),
                                   SV_ARG(to->name)));
        return false;
    }
    return true;
}

/* ---- integrations ---- */

static const struct integration_facts *facts_of(const struct compiling *c, const struct meta *m)
{
    for (size_t i = 0; i < c->in->integrations.n; i++) {
        const struct integration_facts *f = &c->in->integrations.p[i];

        if (sv_eq(f->namespace_, m->namespace_) && sv_eq(f->name, m->name))
            return f;
    }
    return NULL;
}

static struct sv or_default(struct arena *a, struct sv v, struct sv fallback)
{
    return arena_dup(a, sv_trim_end(v.n ? v : fallback, '/'));
}

void policy_target(const struct storage_integration *w, struct arena *a, struct target *t)
{
    struct sv sts_region = w->sts_region.n ? w->sts_region : w->region;
    bool own_endpoint = w->internal_endpoint.n != 0;
    struct sv partition;

    t->provider = provider_find(w->provider);
    partition = arn_partition(t->provider, w->role_arn);
    t->bucket = arena_dup(a, w->bucket);
    t->region = arena_dup(a, w->region);
    t->endpoint = or_default(a, w->internal_endpoint, aws_endpoint("s3", w->region, a));
    t->public_endpoint = arena_dup(a, sv_trim_end(w->endpoint, '/'));
    t->sts_endpoint = or_default(a, w->sts_endpoint,
                                 own_endpoint ? t->endpoint : aws_endpoint("sts", sts_region, a));
    t->sts_region = arena_dup(a, sts_region);
    t->iam_endpoint = own_endpoint ? t->endpoint : aws_iam_endpoint(partition);
    t->iam_region = aws_iam_region(partition);
    t->path_style = w->path_style_access;
    t->external_id = arena_dup(a, w->external_id);
    t->tag_sessions = w->tag_sessions;
    t->transitive_tags = w->transitive_tags;
    t->trace_tag = w->trace_tag;
    for (size_t i = 0; i < w->kms_key_arns.n; i++)
        vec_push(&t->kms_key_arns, a, arena_dup(a, w->kms_key_arns.p[i]));
}

/* "file:/DIR/BUCKET/", or false and a complaint. */
static bool file_root(struct compiling *c, size_t i, struct location *out)
{
    struct sv bucket = c->in->resources[i]->storage_integration.bucket;
    struct sv text = arena_printf(c->scratch, "file:" SV_FMT "/" SV_FMT,
                                  SV_ARG(sv_trim_end(c->in->file_storage, '/')), SV_ARG(bucket));
    struct err e = {0};

    if (!c->in->file_storage.n)
        (void)err_set(&e, ERR_DENIED,
                      "file is refused: frontdesk run was not given --file-storage DIR");
    else if (location_read(text, false, c->scratch, out, &e))
        return true;
    compile_blame(c, i, "InvalidSpec", SV("spec.storageType"), sv_from(e.msg));
    return false;
}

/* Allowed locations, of which a folder's must lie below the one that was opened to us. */
static void compile_allowed(struct compiling *c, size_t i, struct rule_integration *out)
{
    const struct storage_integration *w = &c->in->resources[i]->storage_integration;
    struct location root = {0}, l;
    struct err ignored = {0};

    if (w->storage_type == STORAGE_FILE && !file_root(c, i, &root))
        return;
    out->allowed = arena_array(c->arena, struct location, w->allowed_locations.n + 1);
    for (size_t j = 0; j < w->allowed_locations.n; j++) {
        if (!location_read(w->allowed_locations.p[j], false, c->arena, &l, &ignored))
            continue;
        if (root.key.n && !location_contains(&root, &l))
            compile_blame(c, i, "LocationOutside",
                          arena_indexed(c->scratch, SV("spec.allowedLocations"), j, (struct sv){0}),
                          arena_printf(c->scratch, "does not lie below " SV_FMT,
                                       SV_ARG(location_text(&root, c->scratch))));
        out->allowed[out->n_allowed++] = l;
    }
    if (!out->n_allowed)
        out->allowed[out->n_allowed++] = (struct location){.key = arena_dup(c->arena, root.key)};
}

/* AWS ends a session that was begun by a session after an hour at the latest. */
static int longest_session(const struct storage_integration *w, const struct credential *own)
{
    bool chained = w->provider == PROVIDER_AWS && secret_is_set(own->session_token);

    return chained && w->max_session_seconds > LIMIT_CHAINED_TTL_SECONDS ? LIMIT_CHAINED_TTL_SECONDS
                                                                         : w->max_session_seconds;
}

static void take_facts(struct compiling *c, const struct storage_integration *w,
                       const struct integration_facts *f, struct rule_integration *out)
{
    out->vendable = f->vendable;
    out->why_not = arena_dup(c->arena, f->why_not);
    if (f->role_arn.n)
        out->target.role_arn = arena_dup(c->arena, f->role_arn);
    out->target.own = credential_dup(c->arena, &f->own);
    out->target.tag_sessions = out->target.tag_sessions && f->session_tags;
    out->max_session_seconds = longest_session(w, &f->own);
    out->verified_ms = f->verified_ms;
    out->secret_generation = f->secret_generation;
    out->bulk_delete = f->bulk_delete;
}

static void check_provider(struct compiling *c, size_t i)
{
    const struct storage_integration *w = &c->in->resources[i]->storage_integration;
    struct complaints found = {0};

    provider_find(w->provider)->check(w, c->scratch, &found);
    for (size_t j = 0; j < found.n; j++)
        compile_blame(c, i, "InvalidSpec", found.p[j].field, found.p[j].text);
}

/* Where we reach it, and where clients do: a store may have both addresses. */
static void name_store(struct compiling *c, const struct storage_integration *w,
                       struct rule_integration *out)
{
    bool file = w->storage_type == STORAGE_FILE;

    out->stores[0] = file ? SV("file") : endpoint_identity(out->target.endpoint, c->arena);
    out->stores[1] = w->endpoint.n ? endpoint_identity(w->endpoint, c->arena) : out->stores[0];
}

static void compile_integration(struct compiling *c, size_t i)
{
    const struct resource *r = c->in->resources[i];
    const struct storage_integration *w = &r->storage_integration;
    const struct integration_facts *f = facts_of(c, &r->meta);
    struct rule_integration *out = arena_new(c->arena, struct rule_integration);

    check_provider(c, i);
    if (!c->out[i])
        compile_allowed(c, i, out);
    if (c->out[i])
        return;
    out->namespace_ = arena_dup(c->arena, r->meta.namespace_);
    out->name = arena_dup(c->arena, r->meta.name);
    policy_target(w, c->arena, &out->target);
    name_store(c, w, out);
    out->target.role_arn = arena_dup(c->arena, w->role_arn);
    out->ttl_seconds = w->credential_ttl_seconds;
    out->max_session_seconds = w->max_session_seconds;
    out->session_name = arena_dup(c->arena, w->session_name);
    out->template_read = arena_dup(c->arena, w->policy_template_read);
    out->template_write = arena_dup(c->arena, w->policy_template_write);
    out->why_not = SV("it has not been reconciled yet");
    if (f)
        take_facts(c, w, f, out);
    else
        out->target.tag_sessions = false;
    c->compiled[i] = out;
}

/* ---- catalogs ---- */

static void compile_catalog(struct compiling *c, size_t i)
{
    const struct resource *r = c->in->resources[i];
    const struct polaris_catalog *p = &r->catalog;
    struct rule_catalog *out = arena_new(c->arena, struct rule_catalog);
    const struct ref to = {.namespace_ = r->meta.namespace_, .name = p->storage_integration};
    struct tag *properties;
    struct err e = {0};
    size_t at;

    if (c->out[i] || !compile_refer(c, i, SV("spec.storageIntegrationRef.name"),
                                    KIND_STORAGE_INTEGRATION, &to, &at))
        return;
    out->integration = c->compiled[at];
    out->base = out->integration->allowed[0];
    if (p->default_base_location.n &&
        !location_read(p->default_base_location, false, c->arena, &out->base, &e)) {
        compile_blame(c, i, "InvalidSpec", SV("spec.defaultBaseLocation"), sv_from(e.msg));
        return;
    }
    if (location_which(out->integration->allowed, out->integration->n_allowed, &out->base) < 0) {
        compile_blame(
            c, i, "LocationOutside", SV("spec.defaultBaseLocation"),
            arena_printf(
                c->scratch, SV_FMT " is outside the allowedLocations of StorageIntegration " SV_FMT,
                SV_ARG(location_text(&out->base, c->scratch)), SV_ARG(p->storage_integration)));
        return;
    }
    out->id = compile_full_name(c->arena, r->meta.namespace_, r->meta.name);
    properties = arena_array(c->arena, struct tag, p->properties.n);
    for (size_t j = 0; j < p->properties.n; j++)
        properties[j] = (struct tag){arena_dup(c->arena, p->properties.p[j].key),
                                     arena_dup(c->arena, p->properties.p[j].value)};
    out->properties = properties;
    out->n_properties = p->properties.n;
    out->retention_seconds = p->dropped_table_retention_seconds;
    c->compiled[i] = out;
}

/* ---- all of it ---- */

static void each(struct compiling *c, enum kind kind,
                 void (*compile)(struct compiling *c, size_t i))
{
    for (size_t i = 0; i < c->in->n_resources; i++) {
        if (c->in->resources[i]->kind == kind && !c->out[i])
            compile(c, i);
    }
}

static void copy_keys(struct compiling *c)
{
    struct rulebook *b = c->book;
    struct err ignored = {0};

    for (size_t i = 0; i < c->in->token_keys.n; i++)
        vec_push(&b->token_keys, c->arena,
                 ((struct token_key){arena_dup(c->arena, c->in->token_keys.p[i].kid),
                                     secret_dup(c->arena, c->in->token_keys.p[i].key)}));
    b->unread = arena_dup(c->arena, c->in->unread);
    b->cluster_issuer = arena_dup(c->arena, c->in->cluster_issuer);
    b->cluster_audience = arena_dup(c->arena, c->in->cluster_audience);
    if (c->in->cluster_jwks.n &&
        !jwks_read(arena_dup(c->arena, c->in->cluster_jwks), c->arena, &b->cluster_keys, &ignored))
        b->cluster_keys = (struct jwks){0};
}

static struct rulebook *new_book(int64_t generation)
{
    struct arena a = {.wipe = true};
    struct rulebook *b = arena_new(&a, struct rulebook);

    b->arena = a;
    atomic_init(&b->refs, 1);
    b->generation = generation;
    b->catalogs = map_new(&b->arena);
    b->clients = map_new(&b->arena);
    b->accounts = map_new(&b->arena);
    b->principals = map_new(&b->arena);
    return b;
}

void policy_compile(const struct policy_input *in, struct arena *a, struct compile_result *out)
{
    struct compiling c = {.in = in, .scratch = a, .book = new_book(in->generation)};

    c.arena = &c.book->arena;
    c.complaints = arena_array(a, struct complaints, in->n_resources + 1);
    begin(&c);
    for (size_t i = 0; i < in->n_resources; i++) {
        if (!in->resources[i]->meta.deleting)
            check_references(&c, i);
    }
    each(&c, KIND_STORAGE_INTEGRATION, compile_integration);
    each(&c, KIND_POLARIS_CATALOG, compile_catalog);
    compile_claims(&c);
    compile_principals(&c);
    each(&c, KIND_PRINCIPAL_ROLE, compile_principal_role);
    each(&c, KIND_CATALOG_ROLE, compile_catalog_role);
    copy_keys(&c);
    out->rulebook = c.book;
    out->complaints = c.complaints;
}
