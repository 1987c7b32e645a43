/* namespaces.c - namespaces and their properties. */
#include "store/sql.h"

/* Levels are joined by 0x1F: all but the last are the parent. */
static struct sv parent_of(struct sv ns)
{
    ptrdiff_t at = sv_rfind(ns, '\x1f');

    return at < 0 ? (struct sv){0} : sv_first(ns, (size_t)at);
}

bool store_namespace_get(struct store *s, const struct ns_name *n, struct arena *a,
                         struct sv *properties_json, struct err *e)
{
    struct sql q;
    bool row = false, ok;

    if (!sql_begin(s, "SELECT properties FROM namespaces WHERE catalog = ? AND ns = ?", &q, e))
        return false;
    sql_text(&q, n->catalog);
    sql_text(&q, n->ns);
    ok = sql_step(&q, &row, e);
    if (ok && row)
        *properties_json = sql_column(&q, 0, a);
    sql_end(&q);
    return ok && (row || err_set(e, ERR_NOT_FOUND, "no such namespace"));
}

struct creation {
    const struct ns_name *name;
    struct sv properties;
};

static bool create(struct store *s, void *context, struct err *e)
{
    const struct creation *c = context;
    const struct ns_name parent = {c->name->catalog, parent_of(c->name->ns)};
    struct sv ignored;
    auto_arena a = {0};

    if (parent.ns.n && !store_namespace_get(s, &parent, &a, &ignored, e))
        return false;
    return sql_run(
        s, "INSERT INTO namespaces (catalog, ns, parent, properties) VALUES (?, ?, ?, ?)",
        (const struct sv[]){parent.catalog, c->name->ns, parent.ns, c->properties}, 4, e);
}

bool store_namespace_create(struct store *s, const struct ns_name *n, struct sv properties_json,
                            struct err *e)
{
    return sql_transaction(s, create, &(struct creation){n, properties_json}, e);
}

bool store_namespace_list(struct store *s, const struct ns_name *parent, const struct page *page,
                          struct arena *a, struct sv_vec *out, struct err *e)
{
    struct sql q;

    if (!sql_begin(
            s,
            "SELECT ns FROM namespaces WHERE catalog = ? AND parent = ? AND ns > ? ORDER BY ns LIMIT ?",
            &q, e))
        return false;
    sql_text(&q, parent->catalog);
    sql_text(&q, parent->ns);
    return sql_list(&q, page, a, out, e);
}

struct change {
    const struct ns_name *name;
    properties_fn *fn;
    void *context;
    struct arena *arena;
};

static bool update(struct store *s, void *context, struct err *e)
{
    struct change *c = context;
    struct sv before = {0}, after = {0};

    return store_namespace_get(s, c->name, c->arena, &before, e) &&
           c->fn(before, c->arena, &after, c->context, e) &&
           sql_run(s, "UPDATE namespaces SET properties = ? WHERE catalog = ? AND ns = ?",
                   (const struct sv[]){after, c->name->catalog, c->name->ns}, 3, e);
}

bool store_namespace_update(struct store *s, const struct ns_name *n, properties_fn *fn,
                            void *context, struct arena *a, struct err *e)
{
    return sql_transaction(s, update, &(struct change){n, fn, context, a}, e);
}

static bool is_empty(struct store *s, const struct ns_name *n, bool *empty, struct err *e)
{
    struct sql q;
    bool row = false, ok;

    if (!sql_begin(s,
                   "SELECT 1 FROM tables WHERE catalog = ?1 AND ns = ?2 UNION ALL"
                   " SELECT 1 FROM namespaces WHERE catalog = ?1 AND parent = ?2 LIMIT 1",
                   &q, e))
        return false;
    sql_text(&q, n->catalog);
    sql_text(&q, n->ns);
    ok = sql_step(&q, &row, e);
    sql_end(&q);
    *empty = !row;
    return ok;
}

static bool drop(struct store *s, void *context, struct err *e)
{
    const struct ns_name *n = context;
    bool empty;

    if (!is_empty(s, n, &empty, e))
        return false;
    if (!empty)
        return err_set(e, ERR_CONFLICT, "the namespace is not empty");
    if (!sql_run(s, "DELETE FROM namespaces WHERE catalog = ? AND ns = ?",
                 (const struct sv[]){n->catalog, n->ns}, 2, e))
        return false;
    return sql_changes(s) > 0 || err_set(e, ERR_NOT_FOUND, "no such namespace");
}

bool store_namespace_drop(struct store *s, const struct ns_name *n, struct err *e)
{
    struct ns_name name = *n;

    return sql_transaction(s, drop, &name, e);
}
