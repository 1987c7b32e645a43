/* compiled.h - manifests in, a rulebook out, and what it says of one table. */
#ifndef UNIT_POLICY_COMPILED_H
#define UNIT_POLICY_COMPILED_H

#include "policy/rulebook.h"
#include "unit/suite.h"
#include "wire/yaml.h"

#define HEAD(kind, name)                                                        \
    "apiVersion: polaris.apache.org/v1\nkind: " kind "\nmetadata: {name: " name \
    ", namespace: l}\nspec: "
#define STORE                       \
    HEAD("StorageIntegration", "s") \
    "{storageType: s3, provider: ceph-rgw, bucket: bkt, endpoint: 'http://rgw'}\n---\n"
#define CATALOG                 \
    HEAD("PolarisCatalog", "c") \
    "{storageIntegrationRef: {name: s}, defaultBaseLocation: 's3://bkt/c'}\n---\n"
#define ALICE HEAD("Principal", "alice") "{clientCredentials: {}}\n---\n"
#define BOB   HEAD("Principal", "bob") "{clientCredentials: {}}\n---\n"
#define ROLE(name, holder, grants) \
    HEAD("CatalogRole", name)      \
    "{catalogRef: {name: c}, principals: [" holder "], grants: [" grants "]}\n---\n"
#define TO_ALICE "{kind: Principal, name: alice}"

struct world_of {
    struct arena arena;
    struct compile_result result;
    const struct resource **resources;
    size_t n;
};

static inline void compile_text(struct world_of *w, const char *text)
{
    struct yaml_docs d = {0};
    struct policy_input in = {.generation = 1};
    struct err e = {0};

    NEED_OK(yaml_read(sv_from(text), &w->arena, &d, &e), &e);
    w->resources = arena_array(&w->arena, const struct resource *, d.n);
    for (size_t i = 0; i < d.n; i++) {
        struct resource *r;

        NEED_OK(resource_read(d.p[i].root, &w->arena, &r, &e), &e);
        w->resources[w->n++] = r;
    }
    in.resources = w->resources;
    in.n_resources = w->n;
    policy_compile(&in, &w->arena, &w->result);
}

static inline void done(struct world_of *w)
{
    (void)rulebook_unref(w->result.rulebook);
    arena_done(&w->arena);
}

/* Whether `who` holds `p` on "a/b" (levels by '/') and a table ("" is the namespace). */
static inline bool holds(struct world_of *w, const char *who, const char *ns, const char *table,
                         enum privilege p)
{
    struct caller c;
    struct subject s = {.table = sv_from(table)};
    struct sv_vec levels = {0};
    struct sv rest = sv_from(ns), level;
    struct decision d;
    struct err e = {0};

    NEED_OK(rulebook_find(w->result.rulebook, sv_from(who), &c, &e), &e);
    while (rest.n && sv_cut(&rest, '/', &level))
        vec_push(&levels, &w->arena, level);
    s.catalog = rulebook_catalog(w->result.rulebook, SV("c"));
    NEED(s.catalog);
    s.levels = levels.p;
    s.n_levels = levels.n;
    rulebook_decide(w->result.rulebook, &c, &s, &d);
    return decision_allows(&d, p);
}

#endif
