/* demands.c - privileges that a request's path alone decides. */
#include "catalog/demands.h"

#include "catalog/table_steps.h"

bool demand_catalog(struct call *c, struct err *e)
{
    return call_catalog(c, e);
}

static bool demand_on_path(struct call *c, enum privilege p, struct err *e)
{
    struct table_path path;

    return table_path(c, &path, e) && call_demand(c, &path.ns, path.table, p, NULL, e);
}

bool demand_properties(struct call *c, struct err *e)
{
    return demand_on_path(c, PRIVILEGE_NAMESPACE_WRITE_PROPERTIES, e);
}

bool demand_report(struct call *c, struct err *e)
{
    return demand_on_path(c, PRIVILEGE_TABLE_READ_DATA, e);
}

bool demand_view(struct call *c, struct err *e)
{
    return demand_on_path(c, PRIVILEGE_VIEW_WRITE_PROPERTIES, e);
}

/* The name stands in the body, and grants may be on names: who holds nothing in the namespace holds
 * nothing on any. */
static bool demand_new(struct call *c, enum privilege p, struct err *e)
{
    struct table_path path;
    struct subject s;

    if (!table_path(c, &path, e))
        return false;
    s = (struct subject){.catalog = c->catalog, .levels = path.ns.p, .n_levels = path.ns.n};
    return rulebook_sees(c->rules, &c->who, &s) ||
           call_demand(c, &path.ns, (struct sv){0}, p, NULL, e);
}

bool demand_new_table(struct call *c, struct err *e)
{
    return demand_new(c, PRIVILEGE_TABLE_CREATE, e);
}

bool demand_new_view(struct call *c, struct err *e)
{
    return demand_new(c, PRIVILEGE_VIEW_CREATE, e);
}

bool demand_commit(struct call *c, struct err *e)
{
    struct table_path path;
    struct err lacks_create = {0};

    if (!table_path(c, &path, e))
        return false;
    if (!call_demand(c, &path.ns, path.table, PRIVILEGE_TABLE_CREATE, NULL, &lacks_create) &&
        !call_demand(c, &path.ns, path.table, PRIVILEGE_TABLE_READ_PROPERTIES, NULL, e))
        return false;
    c->grant = c->missing = (struct sv){0};
    return true;
}
