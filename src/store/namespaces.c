/* namespaces.c - namespaces and their properties. */
#include "store/sql.h"

/* Levels are joined by 0x1F: all but the last are the parent. */
static struct sv parent_of(struct sv ns)
{
    ptrdiff_t at = sv_rfind(ns, '\x1f');

    return at < 0 ? (struct sv){0} : sv_first(ns, (size_t)at);
}

bool store_namespace_get(struct store *s, struct sv catalog, struct sv ns, struct arena *a,
                         struct sv *properties_json, struct err *e)
{
    struct sql q;
    bool row = false, ok;

    if (!sql_begin(s, "SELECT properties FROM namespaces WHERE catalog = ? AND ns = ?", &q, e))
        return false;
    sql_text(&q, catalog);
    sql_text(&q, ns);
    ok = sql_step(&q, &row, e);
    if (ok && row)
        *properties_json = sql_column(&q, 0, a);
    sql_end(&q);
    return ok && (row || err_set(e, ERR_NOT_FOUND, "no such namespace"));
}

struct creation {
    struct sv catalog, ns, properties;
};

static bool create(struct store *s, void *context, struct err *e)
{
    const struct creation *c = context;
    struct sv parent = parent_of(c->ns), ignored;
    auto_arena a = {0};

    if (parent.n && !store_namespace_get(s, c->catalog, parent, &a, &ignored, e))
        return false;
    return sql_run(s,
                   "INSERT INTO namespaces (catalog, ns, parent, properties) VALUES (?, ?, ?, ?)",
                   (const struct sv[]){c->catalog, c->ns, parent, c->properties}, 4, e);
}

bool store_namespace_create(struct store *s, struct sv catalog, struct sv ns,
                            struct sv properties_json, struct err *e)
{
    return sql_transaction(s, create, &(struct creation){catalog, ns, properties_json}, e);
}

bool store_namespace_list(struct store *s, struct sv catalog, struct sv parent, struct sv after,
                          int limit, struct arena *a, struct sv_vec *out, struct err *e)
{
    struct sql q;
    bool row = false, ok;

    if (!sql_begin(
            s,
            "SELECT ns FROM namespaces WHERE catalog = ? AND parent = ? AND ns > ? ORDER BY ns LIMIT ?",
            &q, e))
        return false;
    sql_text(&q, catalog);
    sql_text(&q, parent);
    sql_text(&q, after);
    sql_i64(&q, limit ? limit : -1);
    while ((ok = sql_step(&q, &row, e)) && row)
        vec_push(out, a, sql_column(&q, 0, a));
    sql_end(&q);
    return ok;
}

struct change {
    struct sv catalog, ns;
    properties_fn *fn;
    void *context;
    struct arena *arena;
};

static bool update(struct store *s, void *context, struct err *e)
{
    struct change *c = context;
    struct sv before, after;

    return store_namespace_get(s, c->catalog, c->ns, c->arena, &before, e) &&
           c->fn(before, c->arena, &after, c->context, e) &&
           sql_run(s, "UPDATE namespaces SET properties = ? WHERE catalog = ? AND ns = ?",
                   (const struct sv[]){after, c->catalog, c->ns}, 3, e);
}

bool store_namespace_update(struct store *s, struct sv catalog, struct sv ns, properties_fn *fn,
                            void *context, struct arena *a, struct err *e)
{
    return sql_transaction(s, update, &(struct change){catalog, ns, fn, context, a}, e);
}

static bool drop(struct store *s, void *context, struct err *e)
{
    const struct creation *c = context;
    const struct sv key[] = {c->catalog, c->ns, c->catalog, c->ns};
    struct sql q;
    bool row = false, ok;

    if (!sql_begin(s,
                   "SELECT 1 FROM tables WHERE catalog = ? AND ns = ? UNION ALL"
                   " SELECT 1 FROM namespaces WHERE catalog = ? AND parent = ? LIMIT 1",
                   &q, e))
        return false;
    for (size_t i = 0; i < 4; i++)
        sql_text(&q, key[i]);
    ok = sql_step(&q, &row, e);
    sql_end(&q);
    if (!ok)
        return false;
    if (row)
        return err_set(e, ERR_CONFLICT, "the namespace is not empty");
    if (!sql_run(s, "DELETE FROM namespaces WHERE catalog = ? AND ns = ?", key, 2, e))
        return false;
    return sqlite3_changes(s->db) > 0 || err_set(e, ERR_NOT_FOUND, "no such namespace");
}

bool store_namespace_drop(struct store *s, struct sv catalog, struct sv ns, struct err *e)
{
    return sql_transaction(s, drop, &(struct creation){.catalog = catalog, .ns = ns}, e);
}
