/* commit_steps.c - what every change of a table's pointer does before anything is written. */
#include "serve/commit_steps.h"

/* ---- rights ---- */

static enum privilege needed(struct sv action)
{
    static const struct sv data[] = {SV_INIT("add-snapshot"),
                                     SV_INIT("set-snapshot-ref"),
                                     SV_INIT("remove-snapshots"),
                                     SV_INIT("remove-snapshot-ref"),
                                     SV_INIT("set-statistics"),
                                     SV_INIT("remove-statistics"),
                                     SV_INIT("set-partition-statistics"),
                                     SV_INIT("remove-partition-statistics")};

    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        if (sv_eq_nocase(action, data[i]))
            return PRIVILEGE_TABLE_WRITE_DATA;
    }
    return PRIVILEGE_TABLE_WRITE_PROPERTIES;
}

bool commit_rights(struct call *c, struct commit_one *o, struct err *e)
{
    const struct json *requirements = json_get(o->request, SV("requirements")),
                      *updates = json_get(o->request, SV("updates"));

    for (size_t i = 0; i < json_count(requirements); i++)
        o->creates |=
            sv_eq_nocase(json_get_str(json_at(requirements, i), SV("type")), SV("assert-create"));
    if (!call_demand(c, &o->at.path.ns, o->at.path.table,
                     o->creates ? PRIVILEGE_TABLE_CREATE : PRIVILEGE_TABLE_READ_PROPERTIES, NULL,
                     e))
        return false;
    for (size_t i = 0; i < json_count(updates); i++) {
        enum privilege p = needed(json_get_str(json_at(updates, i), SV("action")));

        if (!(o->creates && p == PRIVILEGE_TABLE_WRITE_PROPERTIES) &&
            !call_demand(c, &o->at.path.ns, o->at.path.table, p, NULL, e))
            return false;
    }
    return true;
}

/* ---- claims ---- */

static bool is_inside(const struct location *file, const struct location *folders, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (location_contains(&folders[i], file))
            return true;
    }
    return false;
}

/*
 * A table that holds data keeps every folder that it has used: files stay where they were written
 * when its location or a write path changes, and only their manifests know which are still needed.
 * Without snapshots there are none.
 */
static bool keep_folders(struct call *c, struct commit_one *o, struct err *e)
{
    if (!json_count(json_get(o->after, SV("snapshots"))))
        return true;
    for (size_t i = 0; i < o->at.n_folders; i++) {
        if (!folder_add(&o->at.folders[i], o->folders, &o->n_folders, e))
            return false;
    }
    folders_row(c, o->folders, o->n_folders, &o->row);
    return true;
}

/* Every place that the result names lies in the table's own folders, which are allowed and nobody
 * else's. */
bool commit_claims(struct call *c, struct commit_one *o, struct err *e)
{
    struct claimed_locations claims = {0};

    if (!folders_of(c, o->after, &o->row, o->folders, &o->n_folders, e) || !keep_folders(c, o, e))
        return false;
    metadata_claims(o->after, c->arena, &claims);
    for (size_t i = 0; i < claims.n; i++) {
        struct location file;

        if (!claims.p[i].is_file)
            continue;
        if (!location_read_file(claims.p[i].text, c->arena, &file, e))
            return false;
        if (!is_inside(&file, o->folders, o->n_folders))
            return err_set(e, ERR_DENIED, "%s " SV_FMT " is outside the table's own folders",
                           claims.p[i].what, SV_ARG(sv_first(claims.p[i].text, 120)));
    }
    return true;
}

/* ---- places ---- */

bool commit_keeps_places(const struct commit_one *o)
{
    for (size_t i = 0; i < o->n_folders; i++) {
        bool known = false;

        for (size_t j = 0; j < o->at.n_folders; j++)
            known = known || location_contains(&o->at.folders[j], &o->folders[i]);
        if (!known)
            return false;
    }
    return !o->creates;
}

void commit_change(const struct call *c, struct commit_one *o)
{
    o->change = (struct table_change){.row = &o->row,
                                      .old_metadata_location = o->old_file,
                                      .principal = c->who.name,
                                      .now_ms = c->now_ms};
}

/* A table that does not exist yet may only be where its place was promised: any other would be a
 * way to choose one unchecked. */
static bool check_promise(struct call *c, struct store *s, const struct commit_one *o,
                          const struct table_name *name, struct err *e)
{
    struct staged_row row = {.principal = c->who.name, .location = o->row.location};

    if (!table_is_new(s, name, c->arena, e))
        return false;
    if (store_staged_get(s, name, c->now_ms, c->arena, &row, e))
        return true;
    return e->code == ERR_NOT_FOUND
               ? err_set(e, ERR_DENIED,
                         "the location is not one that was staged for this table; stage it again")
               : false;
}

bool commit_places(struct call *c, struct store *s, struct commit_one *o, struct err *e)
{
    const struct table_name name = path_table(c, &o->at.path);

    return (!o->creates || check_promise(c, s, o, &name, e)) &&
           store_table_overlap(s, &name, &o->change, c->arena, e);
}
