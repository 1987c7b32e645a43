/* compile_roles.c - principals, the roles they are in, and the grants those give. */
#include "policy/compile.h"

/* ---- principals ---- */

static struct rule_principal *new_principal(struct compiling *c, struct sv name)
{
    struct rule_principal *p = arena_new(c->arena, struct rule_principal);

    p->name = arena_dup(c->arena, name);
    p->grants = arena_array(c->arena, struct rule_grants, c->book->n_catalogs);
    (void)map_put(&c->book->principals, p->name, p);
    return p;
}

/* The one principal of a service account, however many resources speak of it. */
static struct rule_principal *account(struct compiling *c, struct sv ns, struct sv name)
{
    struct sv key = compile_full_name(c->scratch, ns, name);
    struct rule_principal *p = map_get(&c->book->accounts, key);

    if (p)
        return p;
    p = new_principal(c, arena_printf(c->scratch, "system:serviceaccount:" SV_FMT ":" SV_FMT,
                                      SV_ARG(ns), SV_ARG(name)));
    for (size_t i = 0; i < c->in->accounts.n; i++) {
        const struct account_facts *f = &c->in->accounts.p[i];

        if (sv_eq(f->namespace_, ns) && sv_eq(f->name, name))
            p->account_uid = arena_dup(c->arena, f->uid);
    }
    (void)map_put(&c->book->accounts, key, p);
    return p;
}

static struct rule_principal *client(struct compiling *c, const struct meta *m)
{
    struct rule_principal *p =
        new_principal(c, compile_full_name(c->scratch, m->namespace_, m->name));

    p->uid = arena_dup(c->arena, m->uid);
    return p;
}

static void add_client(struct compiling *c, const struct client_facts *f)
{
    struct sv name = compile_full_name(c->scratch, f->namespace_, f->principal);
    struct rule_principal *p = map_get(&c->book->principals, name);

    if (!p || !f->client_id.n)
        return;
    p->client_id = arena_dup(c->arena, f->client_id);
    p->secret_hash = f->secret_hash;
    p->old_secret_hash = f->old_secret_hash;
    p->old_until_ms = f->old_until_ms;
    (void)map_put(&c->book->clients, p->client_id, p);
}

void compile_principals(struct compiling *c)
{
    compile_client_ids(c);
    for (size_t i = 0; i < c->in->n_resources; i++) {
        const struct resource *r = c->in->resources[i];

        if (r->kind != KIND_PRINCIPAL || c->out[i])
            continue;
        c->compiled[i] = r->principal.has_client
                             ? client(c, &r->meta)
                             : account(c, r->principal.service_account.namespace_,
                                       r->principal.service_account.name);
    }
    for (size_t i = 0; i < c->in->clients.n; i++)
        add_client(c, &c->in->clients.p[i]);
}

/* The principal that a member names, or NULL and a complaint. */
static struct rule_principal *member(struct compiling *c, size_t i, struct sv field,
                                     const struct ref *m)
{
    size_t at;

    if (sv_eq(m->kind, SV("ServiceAccount")))
        return account(c, m->namespace_, m->name);
    if (!compile_refer(c, i, field, KIND_PRINCIPAL, m, &at))
        return NULL;
    return c->compiled[at];
}

struct members VEC(struct rule_principal *);

void compile_principal_role(struct compiling *c, size_t i)
{
    const struct resource *r = c->in->resources[i];
    struct members *out = arena_new(c->scratch, struct members);

    for (size_t j = 0; j < r->principal_role.members.n; j++) {
        struct sv field = arena_indexed(c->scratch, SV("spec.members"), j, SV(".name"));
        struct rule_principal *p = member(c, i, field, &r->principal_role.members.p[j]);

        if (!p)
            continue;
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): the list is one of pointers. */
        vec_push(out, c->scratch, p);
    }
    for (size_t j = 0; !c->out[i] && j < out->n; j++)
        vec_push(&out->p[j]->roles, c->arena, arena_dup(c->arena, r->meta.name));
    c->compiled[i] = out;
}

/* ---- catalog roles ---- */

/* What the decoder has taken; a text that it has not names nothing. */
static struct pattern read_pattern(struct compiling *c, struct sv text, bool dotted)
{
    struct name_levels levels = {0};
    struct err ignored = {0};
    struct pattern p;

    if (!grant_names(text, dotted, c->scratch, &levels, &ignored))
        levels = (struct name_levels){0};
    p = (struct pattern){arena_array(c->arena, struct name_pattern, levels.n + 1), levels.n};
    for (size_t i = 0; i < levels.n; i++) {
        struct sv name = levels.p[i].text;
        bool open = !levels.p[i].quoted && sv_ends(name, SV("*"));

        p.levels[i] =
            (struct name_pattern){arena_dup(c->arena, sv_first(name, name.n - open)), open};
    }
    return p;
}

static struct name_pattern *read_names(struct compiling *c, const struct sv_vec *texts)
{
    struct name_pattern *out = arena_array(c->arena, struct name_pattern, texts->n);

    for (size_t i = 0; i < texts->n; i++)
        out[i] = read_pattern(c, texts->p[i], false).levels[0];
    return out;
}

static struct rule_grant compile_grant(struct compiling *c, const struct resource *r, size_t i)
{
    const struct grant *g = &r->catalog_role.grants.p[i];
    struct pattern *patterns = arena_array(c->arena, struct pattern, g->namespaces.n);

    for (size_t j = 0; j < g->namespaces.n; j++)
        patterns[j] = read_pattern(c, g->namespaces.p[j], true);
    return (struct rule_grant){
        .privileges = privileges_implied(g->privileges),
        .namespaces = patterns,
        .n_namespaces = g->namespaces.n,
        .tables = read_names(c, &g->tables),
        .n_tables = g->tables.n,
        .views = read_names(c, &g->views),
        .n_views = g->views.n,
        .max_ttl_seconds = r->catalog_role.max_credential_ttl_seconds,
        .label = arena_indexed(c->arena,
                               ARENA_JOIN(c->scratch, SV("CatalogRole "), r->meta.namespace_,
                                          SV("/"), r->meta.name, SV(" grants")),
                               i, (struct sv){0}),
    };
}

struct holder {
    struct rule_principal *principal;
    struct sv via;
};
struct holders VEC(struct holder);

static void add_role_members(struct compiling *c, size_t i, struct sv field, const struct ref *m,
                             struct holders *out)
{
    const struct members *in_role;
    size_t at;

    if (!compile_refer(c, i, field, KIND_PRINCIPAL_ROLE, m, &at))
        return;
    in_role = c->compiled[at];
    for (size_t k = 0; k < in_role->n; k++)
        vec_push(out, c->scratch, ((struct holder){in_role->p[k], arena_dup(c->arena, m->name)}));
}

static bool may_refer(const struct resource *role, const struct resource *catalog)
{
    const struct sv_vec *from = &catalog->catalog.allowed_namespaces;

    return sv_eq(role->meta.namespace_, catalog->meta.namespace_) || sv_vec_has(from, SV("*")) ||
           sv_vec_has(from, role->meta.namespace_);
}

static void give_grant(struct compiling *c, struct rule_grant grant, size_t catalog,
                       const struct holders *to)
{
    for (size_t h = 0; h < to->n; h++) {
        struct rule_grants *held = &to->p[h].principal->grants[catalog];

        grant.via = to->p[h].via;
        vec_push(held, c->arena, grant);
    }
}

static void find_holder(struct compiling *c, size_t i, size_t j, struct holders *out)
{
    const struct ref *m = &c->in->resources[i]->catalog_role.principals.p[j];
    struct sv field = arena_indexed(c->scratch, SV("spec.principals"), j, SV(".name"));
    struct rule_principal *p;

    if (sv_eq(m->kind, SV("PrincipalRole"))) {
        add_role_members(c, i, field, m, out);
        return;
    }
    p = member(c, i, field, m);
    if (p)
        vec_push(out, c->scratch, ((struct holder){p, {0}}));
}

void compile_catalog_role(struct compiling *c, size_t i)
{
    const struct resource *r = c->in->resources[i];
    const struct catalog_role *role = &r->catalog_role;
    struct holders holders = {0};
    size_t at, catalog;

    if (!compile_refer(c, i, SV("spec.catalogRef.name"), KIND_POLARIS_CATALOG, &role->catalog, &at))
        return;
    if (!may_refer(r, c->in->resources[at])) {
        compile_blame(c, i, "ReferenceDenied", SV("spec.catalogRef.namespace"),
                      arena_printf(c->scratch,
                                   "PolarisCatalog " SV_FMT "/" SV_FMT
                                   " does not list namespace " SV_FMT " in its allowedNamespaces",
                                   SV_ARG(role->catalog.namespace_), SV_ARG(role->catalog.name),
                                   SV_ARG(r->meta.namespace_)));
        return;
    }
    for (size_t j = 0; j < role->principals.n; j++)
        find_holder(c, i, j, &holders);
    catalog = ((const struct rule_catalog *)c->compiled[at])->index;
    for (size_t g = 0; !c->out[i] && g < role->grants.n; g++)
        give_grant(c, compile_grant(c, r, g), catalog, &holders);
}
