/* read_rights.c - what a caller is told that asks on the way to something else. */
#include "catalog/table_steps.h"
#include "catalog/view_steps.h"

/* A look at a name that the caller may not read, but could learn of by taking it. */
struct look {
    struct table_path path;
    bool is_view; /* what was asked for */
    struct err denial;
};

static bool may_load(const struct call *c, const struct sv *levels, size_t n, struct sv name,
                     bool is_view)
{
    const struct subject s = {c->catalog, levels, n, name, is_view};
    struct decision d;

    rulebook_decide(c->rules, &c->who, &s, &d);
    return decision_allows(&d, is_view ? PRIVILEGE_VIEW_READ_PROPERTIES
                                       : PRIVILEGE_TABLE_READ_PROPERTIES);
}

bool lies_below_a_table(const struct call *c, const struct levels *ns)
{
    for (size_t i = 1; i < ns->n; i++) {
        if (may_load(c, ns->p, i, ns->p[i], false))
            return true;
    }
    return false;
}

bool within_demand(struct call *c, const struct levels *ns, enum privilege p, struct err *e)
{
    const struct subject s = {c->catalog, ns->p, ns->n, {0}, false};

    if (rulebook_sees(c->rules, &c->who, &s) || call_demand(c, ns, (struct sv){0}, p, NULL, e))
        return true;
    return lies_below_a_table(c, ns) && call_no_namespace(c, ns, e);
}

static bool is_absent(struct call *c, const struct look *l, struct err *e)
{
    return l->is_view ? view_missing(c, &l->path, e)
                      : call_no_table(c, &l->path.ns, l->path.table, e);
}

static bool query_taken(struct call *c, struct store *s, struct err *e)
{
    const struct look *l = c->work;
    const struct table_name name = path_table(c, &l->path);
    struct table_row there;

    if (store_table_get(s, &name, c->arena, &there, e))
        return true;
    if (e->code != ERR_NOT_FOUND)
        return false;
    *e = (struct err){0};
    return store_view_get(s, &name, c->arena, &there, e);
}

static bool after_taken(struct call *c, const struct err *outcome, struct err *e)
{
    const struct look *l = c->work;

    if (outcome && outcome->code == ERR_NOT_FOUND)
        return is_absent(c, l, e);
    if (!outcome)
        *e = l->denial;
    return false;
}

bool read_demand(struct call *c, const struct table_path *path, enum privilege p, call_fn *go,
                 struct err *e)
{
    struct look *l;
    struct subject s = {c->catalog, path->ns.p, path->ns.n, path->table, false};
    struct decision d;

    if (call_demand(c, &path->ns, path->table, p, NULL, e))
        return go(c, e);
    l = arena_new(c->arena, struct look);
    *l = (struct look){.path = *path,
                       .is_view = p == PRIVILEGE_VIEW_LIST || p == PRIVILEGE_VIEW_READ_PROPERTIES,
                       .denial = *e};
    if (lies_below_a_table(c, &path->ns) ||
        may_load(c, path->ns.p, path->ns.n, path->table, !l->is_view))
        return is_absent(c, l, e);
    s.is_view = l->is_view;
    rulebook_decide(c->rules, &c->who, &s, &d);
    if (!decision_allows(&d, l->is_view ? PRIVILEGE_VIEW_CREATE : PRIVILEGE_TABLE_CREATE))
        return false;
    c->work = l;
    return call_read(c, query_taken, after_taken, e);
}
