/* rename.c - POST .../tables/rename and .../views/rename: another name for the same thing; its
 * files stay. */
#include "catalog/routes.h"
#include "catalog/view_steps.h"
#include "serve/once.h"

struct rename_work {
    struct table_path from, to;
    struct renaming names;
};

static bool query_rename(struct call *c, struct store *s, struct err *e)
{
    struct rename_work *w = c->work;

    return store_rename(s, &w->names, c->arena, e);
}

static bool not_found(struct call *c, const struct rename_work *w, struct err *e)
{
    if (w->names.no_namespace)
        return call_no_namespace(c, &w->to.ns, e);
    return w->names.view ? view_missing(c, &w->from, e)
                         : call_no_table(c, &w->from.ns, w->from.table, e);
}

static bool after_rename(struct call *c, const struct err *outcome, struct err *e)
{
    const struct rename_work *w = c->work;

    if (!outcome)
        return call_reply_empty(c, 204);
    if (outcome->code == ERR_NOT_FOUND)
        return not_found(c, w, e);
    if (outcome->code == ERR_CONFLICT)
        return err_set(e, ERR_CONFLICT, "Cannot rename " SV_FMT " to " SV_FMT ". %s already exists",
                       SV_ARG(sv_first(path_text(c, &w->from), 80)),
                       SV_ARG(sv_first(path_text(c, &w->to), 80)),
                       w->names.onto_view ? "View" : "Table");
    return false;
}

/*
 * Grants are by name, so a new name is a new set of rights. Nobody gains by its own rename: what it
 * may do with the thing there, it must be allowed to do here.
 */
static bool gains_nothing(struct call *c, const struct rename_work *w, const struct decision *here,
                          const struct decision *there, struct err *e)
{
    privilege_set gain = decision_gain(here, there, w->names.view);

    if (!gain)
        return true;
    c->missing = privilege_name((enum privilege)__builtin_ctzll(gain));
    return err_set(e, ERR_DENIED,
                   SV_FMT " would gain " SV_FMT " by the new name; it lacks it on the old one",
                   SV_ARG(c->who.name), SV_ARG(c->missing));
}

/* A limit on the life of keys goes by name too. */
static bool keys_end_as_soon(struct call *c, const struct rename_work *w,
                             const struct decision *here, const struct decision *there,
                             struct err *e)
{
    int before = here->max_ttl_seconds, after = there->max_ttl_seconds;

    if (w->names.view || !decision_access(there) || !before || (after && after <= before))
        return true;
    return err_set(e, ERR_DENIED,
                   SV_FMT " would be given keys that live longer by the new name: on the old one "
                          "maxCredentialTtlSeconds is %d",
                   SV_ARG(c->who.name), before);
}

static bool check_rights(struct call *c, const struct rename_work *w, struct err *e)
{
    const bool view = w->names.view;
    struct decision here, there;

    return call_demand(c, &w->to.ns, w->to.table, view ? PRIVILEGE_VIEW_LIST : PRIVILEGE_TABLE_LIST,
                       NULL, e) &&
           call_demand(c, &w->to.ns, w->to.table,
                       view ? PRIVILEGE_VIEW_CREATE : PRIVILEGE_TABLE_CREATE, &there, e) &&
           call_demand(c, &w->from.ns, w->from.table,
                       view ? PRIVILEGE_VIEW_DROP : PRIVILEGE_TABLE_DROP, &here, e) &&
           gains_nothing(c, w, &here, &there, e) && keys_end_as_soon(c, w, &here, &there, e);
}

static struct json *destination(struct call *c, const struct rename_work *w)
{
    struct json *v = json_new_object(c->arena);

    json_set_str(v, c->arena, SV("toNamespace"), w->to.ns.dotted);
    json_set_str(v, c->arena, SV("toName"), w->to.table);
    return v;
}

static bool begin(struct call *c, struct err *e)
{
    return call_write(c, query_rename, after_rename, e);
}

static bool rename_one(struct call *c, bool view, struct err *e)
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
    w->names = (struct renaming){
        .from = path_table(c, &w->from), .to = path_table(c, &w->to), .view = view};
    return check_rights(c, w, e) && call_once(c, begin, NULL, e);
}

bool table_rename(struct call *c, struct err *e)
{
    return rename_one(c, false, e);
}

bool view_rename(struct call *c, struct err *e)
{
    return rename_one(c, true, e);
}
