/* rename.c - POST .../tables/rename: another name for the same table; its files stay. */
#include "serve/routes.h"
#include "serve/table_steps.h"

struct rename_work {
    struct table_path from, to;
    struct renaming names;
};

static bool query_rename(struct call *c, struct store *s, struct err *e)
{
    struct rename_work *w = c->work;

    return store_table_rename(s, &w->names, c->arena, e);
}

static bool after_rename(struct call *c, const struct err *outcome, struct err *e)
{
    struct rename_work *w = c->work;

    if (!outcome)
        return call_reply_empty(c, 204);
    if (outcome->code == ERR_NOT_FOUND)
        return w->names.no_namespace ? call_no_namespace(c, &w->to.ns, e)
                                     : call_no_table(c, &w->from.ns, w->from.table, e);
    if (outcome->code == ERR_CONFLICT)
        return err_set(e, ERR_CONFLICT, "Table already exists: " SV_FMT "." SV_FMT,
                       SV_ARG(sv_first(w->to.ns.dotted, 100)), SV_ARG(sv_first(w->to.table, 100)));
    return false;
}

/*
 * Grants are by name, so a new name is a new set of rights. Nobody gains by its own rename: what it
 * may do with the data there it must be allowed to do here.
 */
static bool gains_nothing(struct call *c, const struct decision *here, const struct decision *there,
                          struct err *e)
{
    static const enum privilege data[] = {PRIVILEGE_TABLE_READ_DATA, PRIVILEGE_TABLE_WRITE_DATA,
                                          PRIVILEGE_TABLE_DELETE_DATA};

    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        if (!decision_allows(there, data[i]) || decision_allows(here, data[i]))
            continue;
        c->missing = privilege_name(data[i]);
        return err_set(e, ERR_DENIED,
                       SV_FMT " would gain " SV_FMT " by the new name; it lacks it on the old one",
                       SV_ARG(c->who.name), SV_ARG(c->missing));
    }
    return true;
}

static bool check_rights(struct call *c, const struct rename_work *w, struct err *e)
{
    struct decision here, there;

    return call_demand(c, &w->to.ns, w->to.table, PRIVILEGE_TABLE_LIST, NULL, e) &&
           call_demand(c, &w->to.ns, w->to.table, PRIVILEGE_TABLE_CREATE, &there, e) &&
           call_demand(c, &w->from.ns, w->from.table, PRIVILEGE_TABLE_DROP, &here, e) &&
           gains_nothing(c, &here, &there, e);
}

static struct json *destination(struct call *c, const struct rename_work *w)
{
    struct json *v = json_new_object(c->arena);

    json_set_str(v, c->arena, SV("toNamespace"), w->to.ns.dotted);
    json_set_str(v, c->arena, SV("toName"), w->to.table);
    return v;
}

bool table_rename(struct call *c, struct err *e)
{
    struct rename_work *w = arena_new(c->arena, struct rename_work);
    struct json *body;

    c->work = w;
    /* The source is read last: it is the subject of the record. */
    if (!call_catalog(c, e) || !call_body(c, &body, e) ||
        !table_identifier(c, json_get(body, SV("destination")), "destination", &w->to, e) ||
        !table_identifier(c, json_get(body, SV("source")), "source", &w->from, e))
        return false;
    c->details = destination(c, w);
    w->names = (struct renaming){.from = path_table(c, &w->from), .to = path_table(c, &w->to)};
    return check_rights(c, w, e) && call_write(c, query_rename, after_rename, e);
}
