/* rename.c - a table or a view under another name. */
#include "store/sql.h"

struct moving {
    struct renaming *names;
    struct arena *arena;
};

static bool find_both(struct store *s, const struct moving *m, int64_t *id, struct err *e)
{
    struct renaming *r = m->names;
    struct entry_found from, to;
    struct sv ignored;

    if (!table_find_id(s, &r->from, r->view ? ENTRY_VIEW : ENTRY_TABLE, m->arena, &from, e))
        return false;
    *id = from.id;
    if (!from.id)
        return err_set(e, ERR_NOT_FOUND, "no such entry");
    if (!store_namespace_get(s, &(struct ns_name){r->to.catalog, r->to.ns}, m->arena, &ignored,
                             e)) {
        r->no_namespace = e->code == ERR_NOT_FOUND;
        return false;
    }
    if (!table_find_id(s, &r->to, ENTRY_VIEW, m->arena, &to, e))
        return false;
    r->onto_view = to.id != 0;
    return table_find_id(s, &r->to, ENTRY_ANY, m->arena, &to, e) &&
           (!to.id || err_set(e, ERR_CONFLICT, "the name is taken"));
}

static bool rename_it(struct store *s, void *context, struct err *e)
{
    const struct moving *m = context;
    struct sql q;
    int64_t id;

    if (!find_both(s, m, &id, e) ||
        !sql_begin(s, "UPDATE tables SET ns = ?, name = ? WHERE id = ?", &q, e))
        return false;
    sql_text(&q, m->names->to.ns);
    sql_text(&q, m->names->to.name);
    sql_i64(&q, id);
    return sql_do(&q, e);
}

bool store_rename(struct store *s, struct renaming *r, struct arena *a, struct err *e)
{
    r->no_namespace = false;
    return sql_transaction(s, rename_it, &(struct moving){r, a}, e);
}
