/*
 * rights_model.h - a second opinion on who may do what, made from the documents: docs/REST.md,
 * which it reads, and the texts of the resources. It walks the resources anew for each question and
 * knows neither rulebook nor bits; names are compared by fnmatch.
 */
#ifndef UNIT_CATALOG_RIGHTS_MODEL_H
#define UNIT_CATALOG_RIGHTS_MODEL_H

#include <fnmatch.h>

#include "unit/catalog/rights_documents.h"

struct lake {
    struct arena arena;
    const struct resource *all[64];
    struct sv texts[64];
    bool gone[64], counts[64];
    size_t n;
};
enum verdict { HIDDEN, REFUSED, ALLOWED };

/* ---- which resources count ---- */

static inline const struct resource *find(const struct lake *l, enum kind kind, struct sv ns,
                                          struct sv name)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct meta *m = &l->all[i]->meta;

        if (l->counts[i] && l->all[i]->kind == kind && sv_eq(m->name, name) &&
            sv_eq(m->namespace_, ns))
            return l->all[i];
    }
    return NULL;
}

static inline bool all_there(const struct lake *l, const struct refs *members)
{
    bool there = true;

    for (size_t i = 0; i < members->n; i++) {
        const struct ref *m = &members->p[i];
        enum kind kind = sv_eq(m->kind, SV("PrincipalRole")) ? KIND_PRINCIPAL_ROLE : KIND_PRINCIPAL;

        there = there &&
                (sv_eq(m->kind, SV("ServiceAccount")) || find(l, kind, m->namespace_, m->name));
    }
    return there;
}

static inline bool stars_end(const struct sv_vec *patterns)
{
    for (size_t i = 0; i < patterns->n; i++) {
        ptrdiff_t star = sv_find(patterns->p[i], '*');

        if (star >= 0 && (size_t)star + 1 != patterns->p[i].n)
            return false;
    }
    return true;
}

static inline bool may_count(const struct lake *l, const struct resource *r)
{
    const struct catalog_role *role = &r->catalog_role;
    const struct resource *catalog;
    bool fine = true;

    if (r->kind == KIND_PRINCIPAL_ROLE)
        return all_there(l, &r->principal_role.members);
    if (r->kind == KIND_POLARIS_CATALOG)
        return find(l, KIND_STORAGE_INTEGRATION, r->meta.namespace_,
                    r->catalog.storage_integration);
    if (r->kind != KIND_CATALOG_ROLE)
        return true;
    catalog = find(l, KIND_POLARIS_CATALOG, role->catalog.namespace_, role->catalog.name);
    for (size_t i = 0; i < role->grants.n; i++) {
        const struct grant *g = &role->grants.p[i];

        fine = fine && stars_end(&g->namespaces) && stars_end(&g->tables) && stars_end(&g->views);
    }
    return fine && catalog && all_there(l, &role->principals) &&
           (sv_eq(catalog->meta.namespace_, r->meta.namespace_) ||
            sv_vec_has(&catalog->catalog.allowed_namespaces, SV("*")) ||
            sv_vec_has(&catalog->catalog.allowed_namespaces, r->meta.namespace_));
}

/* A resource that is wrong is left out, and so is what refers to it. */
static inline void take_stock(struct lake *l)
{
    for (size_t i = 0; i < l->n; i++)
        l->counts[i] = !l->gone[i];
    for (int again = 0; again < 4; again++) {
        for (size_t i = 0; i < l->n; i++)
            l->counts[i] = l->counts[i] && may_count(l, l->all[i]);
    }
}

/* Engines say NAMESPACE.NAME, or the bare name, which is the elder's; of these here, all of one
 * age, the one whose namespace comes first. */
static inline const struct resource *catalog_called(const struct lake *l, struct sv said)
{
    const struct resource *elder = NULL;
    struct sv rest = said, ns;

    for (size_t i = 0; i < l->n; i++) {
        const struct resource *r = l->all[i];

        if (l->counts[i] && r->kind == KIND_POLARIS_CATALOG && sv_eq(r->meta.name, said) &&
            (!elder || sv_cmp(r->meta.namespace_, elder->meta.namespace_) < 0))
            elder = r;
    }
    if (elder)
        return elder;
    return sv_cut(&rest, '.', &ns) ? find(l, KIND_POLARIS_CATALOG, ns, rest) : NULL;
}

/* ---- who holds what ---- */

static inline bool is_account(struct sv who, const struct ref *account)
{
    struct sv rest = who, part;

    return sv_cut(&rest, ':', &part) && sv_eq(part, SV("system")) && sv_cut(&rest, ':', &part) &&
           sv_cut(&rest, ':', &part) && sv_eq(part, account->namespace_) &&
           sv_eq(rest, account->name);
}

static inline bool is_member(const struct lake *l, const struct ref *m, struct sv who)
{
    const struct resource *r = find(l, KIND_PRINCIPAL, m->namespace_, m->name);
    struct sv name = who, ns;

    if (sv_eq(m->kind, SV("ServiceAccount")))
        return is_account(who, m);
    if (!r || !sv_eq(m->kind, SV("Principal")))
        return false;
    if (!r->principal.has_client)
        return is_account(who, &r->principal.service_account);
    return sv_has_char(who, '/') && sv_cut(&name, '/', &ns) && sv_eq(ns, m->namespace_) &&
           sv_eq(name, m->name);
}

static inline bool in_principal_role(const struct lake *l, const struct resource *role,
                                     struct sv who)
{
    for (size_t i = 0; role && i < role->principal_role.members.n; i++) {
        if (is_member(l, &role->principal_role.members.p[i], who))
            return true;
    }
    return false;
}

static inline bool has_role(const struct lake *l, const struct resource *role, struct sv who,
                            const char *only)
{
    for (size_t i = 0; i < role->catalog_role.principals.n; i++) {
        const struct ref *m = &role->catalog_role.principals.p[i];

        if (!sv_eq(m->kind, SV("PrincipalRole"))) {
            if (!only && is_member(l, m, who))
                return true;
        } else if ((!only || sv_eq(m->name, sv_from(only))) &&
                   in_principal_role(l, find(l, KIND_PRINCIPAL_ROLE, m->namespace_, m->name),
                                     who)) {
            return true;
        }
    }
    return false;
}

static inline bool fits(struct sv pattern, const char *text)
{
    char p[80];

    (void)snprintf(p, sizeof(p), SV_FMT, SV_ARG(pattern));
    return fnmatch(p, text, 0) == 0;
}

static inline bool any_fits(const struct sv_vec *patterns, const char *text)
{
    bool any = false;

    for (size_t i = 0; i < patterns->n; i++)
        any = any || fits(patterns->p[i], text);
    return any;
}

/* The first levels of the name, as many as the pattern has, fit it one by one. */
static inline bool is_within(const struct name *x, struct sv pattern)
{
    struct sv one;
    size_t k = 0;

    for (; sv_cut(&pattern, '.', &one); k++) {
        if (k == x->n || !fits(one, x->ns[k]))
            return false;
    }
    return true;
}

static inline bool covers(const struct grant *g, const struct name *x)
{
    bool within = g->namespaces.n == 0;

    for (size_t i = 0; i < g->namespaces.n; i++)
        within = within || is_within(x, g->namespaces.p[i]);
    if (!within || (!g->tables.n && !g->views.n))
        return within;
    return x->leaf && any_fits(x->view ? &g->views : &g->tables, x->leaf);
}

struct asked {
    const struct lake *lake;
    const struct resource *catalog;
    struct sv who;
    const char *role;
};

/* Whether any line that the asker holds in the catalog is as `is` says. */
typedef bool line_fn(const struct grant *g, const struct resource *role, void *context);
static inline bool any_line(const struct asked *q, line_fn *is, void *context)
{
    for (size_t i = 0; i < q->lake->n; i++) {
        const struct resource *r = q->lake->all[i];

        if (!q->lake->counts[i] || r->kind != KIND_CATALOG_ROLE ||
            !sv_eq(r->catalog_role.catalog.name, q->catalog->meta.name) ||
            !sv_eq(r->catalog_role.catalog.namespace_, q->catalog->meta.namespace_) ||
            !has_role(q->lake, r, q->who, q->role))
            continue;
        for (size_t j = 0; j < r->catalog_role.grants.n; j++) {
            if (is(&r->catalog_role.grants.p[j], r, context))
                return true;
        }
    }
    return false;
}

struct right_on {
    bool any_of[PRIVILEGE_COUNT];
    const struct name *name;
    int least_ttl;
};

static inline bool is_right(struct sv name, struct sv right)
{
    return sv_ends(right, SV("*")) ? sv_starts(name, sv_trim_end(right, '*')) : sv_eq(name, right);
}

static inline bool gives(const struct grant *g, UNUSED const struct resource *role, void *context)
{
    const struct right_on *r = context;

    if (!covers(g, r->name))
        return false;
    for (int of = 0; of < PRIVILEGE_COUNT; of++) {
        for (int p = 0; r->any_of[of] && p < PRIVILEGE_COUNT; p++) {
            if ((g->privileges >> p & 1) && carry[p][of])
                return true;
        }
    }
    return false;
}

/* "TABLE_*" is any of those. */
static inline bool holds(const struct asked *q, const char *right, const struct name *name)
{
    struct right_on r = {.name = name};

    for (int p = 0; p < PRIVILEGE_COUNT; p++)
        r.any_of[p] = is_right(privilege_name((enum privilege)p), sv_from(right));
    return any_line(q, gives, &r);
}

/* Something at or below the namespace is covered: the line's own names are tried there. */
static inline bool shows(const struct grant *g, UNUSED const struct resource *role, void *context)
{
    const struct name *x = context;

    for (size_t i = 0; i < g->namespaces.n; i++) {
        struct name below = *x;
        struct sv pattern = g->namespaces.p[i], one;
        char text[LEVELS][40];

        for (size_t k = 0; sv_cut(&pattern, '.', &one); k++) {
            if (k < x->n || k >= LEVELS)
                continue;
            (void)snprintf(text[k], sizeof(text[k]), SV_FMT "z", SV_ARG(sv_trim_end(one, '*')));
            if (!sv_ends(one, SV("*")))
                text[k][one.n] = '\0';
            below.ns[below.n++] = text[k];
        }
        if (is_within(&below, g->namespaces.p[i]))
            return true;
    }
    return g->namespaces.n == 0;
}

static inline bool limits(const struct grant *g, const struct resource *role, void *context)
{
    struct right_on *r = context;
    int ttl = role->catalog_role.max_credential_ttl_seconds;

    if (covers(g, r->name) && ttl && (!r->least_ttl || ttl < r->least_ttl))
        r->least_ttl = ttl;
    return false;
}

static inline int least_ttl(const struct asked *q, const struct name *name)
{
    struct right_on r = {.name = name};

    (void)any_line(q, limits, &r);
    return r.least_ttl;
}

/* ---- what a request takes ---- */

static inline bool may_commit(const struct asked *q, const struct request *r, size_t part,
                              struct arena *a)
{
    const struct name *at = part ? &r->to : &r->at;
    bool yes = holds(q, r->creates ? "TABLE_CREATE" : "TABLE_READ_PROPERTIES", at);

    for (size_t i = 0; i < r->n_updates[part]; i++) {
        const struct update *u = r->updates[part][i];
        struct sv right = update_takes(u->action, a);

        if (r->creates && !has_word(of_data, right))
            continue;
        yes = yes && holds(q, arena_cstr(a, right), at) &&
              (!u->place || r->creates || holds(q, "TABLE_SET_LOCATION", at));
    }
    return yes;
}

/* A limit that holds here holds there. */
static inline bool keys_stay_as_short(const struct asked *q, const struct request *r)
{
    int here = least_ttl(q, &r->at), there = least_ttl(q, &r->to);

    return r->at.view || !here || (there && there <= here) ||
           !(holds(q, "TABLE_READ_DATA", &r->to) || holds(q, "TABLE_DELETE_DATA", &r->to));
}

static inline bool may_rename(const struct asked *q, const struct request *r, struct arena *a)
{
    const char *kind = r->at.view ? "VIEW" : "TABLE";
    bool yes = true;

    for (int p = 0; p < PRIVILEGE_COUNT; p++) {
        const char *right = privilege_name((enum privilege)p).p;
        bool here = holds(q, right, &r->at), there = holds(q, right, &r->to);

        if (!sv_starts(sv_from(right), sv_from(kind)))
            continue;
        if (fits(SV("*_CREATE"), right) || fits(SV("*_LIST"), right))
            yes = yes && there;
        else if (sv_eq(sv_from(right), arena_printf(a, "%s_DROP", kind)))
            yes = yes && here;
        else if (!fits(SV("*_FULL_METADATA"), right))
            yes = yes && (here || !there);
    }
    return yes && keys_stay_as_short(q, r);
}

static inline bool may(const struct asked *q, const struct request *r, struct arena *a)
{
    struct sv op = sv_from(r->operation);

    if (sv_eq(op, SV("list-tables")) || sv_eq(op, SV("list-views")) ||
        sv_eq(op, SV("namespace-exists")))
        return any_line(q, shows, (void *)(uintptr_t)&r->at);
    if (sv_eq(op, SV("commit-table")) || sv_eq(op, SV("commit-transaction")))
        return may_commit(q, r, 0, a) && (r->parts < 2 || may_commit(q, r, 1, a));
    if (sv_starts(op, SV("rename-")))
        return may_rename(q, r, a);
    if (sv_eq(op, SV("report-metrics")))
        return holds(q, r->of_commit ? "TABLE_WRITE_DATA" : "TABLE_READ_DATA", &r->at);
    return holds(q, arena_cstr(a, endpoint_takes(r, a)), &r->at) &&
           (!r->overwrite ||
            (holds(q, "TABLE_DROP", &r->at) && holds(q, "TABLE_WRITE_DATA", &r->at)));
}

/* Whether there is somebody of that name, in that role: a principal, or an account that a resource
 * in force speaks of. */
static inline bool may_be(const struct lake *l, const struct asked *q)
{
    bool there = false, in_role = !q->role;

    for (size_t i = 0; i < l->n; i++) {
        const struct resource *r = l->all[i];
        const struct ref self = {
            .kind = SV("Principal"), .namespace_ = r->meta.namespace_, .name = r->meta.name};

        if (!l->counts[i])
            continue;
        if (r->kind == KIND_PRINCIPAL)
            there = there || is_member(l, &self, q->who);
        if (r->kind == KIND_PRINCIPAL_ROLE && in_principal_role(l, r, q->who)) {
            there = true;
            in_role = in_role || sv_eq(r->meta.name, sv_from(q->role));
        }
        if (r->kind == KIND_CATALOG_ROLE)
            there = there || has_role(l, r, q->who, NULL);
    }
    return there && in_role;
}

static inline bool is_any(UNUSED const struct grant *g, UNUSED const struct resource *role,
                          UNUSED void *context)
{
    return true;
}

static inline enum verdict judge(const struct asked *q, const struct request *r, struct arena *a)
{
    if (!q->catalog || !any_line(q, is_any, NULL))
        return HIDDEN;
    return may(q, r, a) ? ALLOWED : REFUSED;
}

#endif
