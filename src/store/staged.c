/* staged.c - staged creates: places that were promised. */
#include "store/sql.h"

struct stage_work {
    const struct table_name *name;
    struct staging *staging;
    struct arena *arena;
};

/* Places that were promised and never taken up are free again. */
static bool drop_expired(struct store *s, int64_t now_ms, struct err *e)
{
    struct sql q;

    if (!sql_begin(s, "DELETE FROM staged WHERE expires_ms <= ?", &q, e))
        return false;
    sql_i64(&q, now_ms);
    return sql_do(&q, e);
}

static bool insert(struct store *s, const struct table_name *t, const struct staged_row *row,
                   int64_t *id, struct err *e)
{
    struct sql q;

    if (!sql_begin(
            s,
            "INSERT INTO staged (catalog, ns, name, principal, uuid, location, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            &q, e))
        return false;
    sql_text(&q, t->catalog);
    sql_text(&q, t->ns);
    sql_text(&q, t->name);
    sql_text(&q, row->principal);
    sql_text(&q, row->uuid);
    sql_text(&q, row->location);
    sql_i64(&q, row->expires_ms);
    return sql_insert(&q, id, e);
}

static bool check_name(struct store *s, const struct stage_work *w, struct err *e)
{
    const struct ns_name ns = {w->name->catalog, w->name->ns};
    struct entry_found found;
    struct sv ignored;

    if (!store_namespace_get(s, &ns, w->arena, &ignored, e) ||
        !table_find_id(s, w->name, ENTRY_ANY, w->arena, &found, e))
        return false;
    return !found.id || err_set(e, ERR_CONFLICT, "the table exists already");
}

static bool prolong(struct store *s, int64_t id, int64_t expires_ms, struct err *e)
{
    struct sql q;

    if (!sql_begin(s, "UPDATE staged SET expires_ms = ?1 WHERE id = ?2 AND expires_ms < ?1", &q, e))
        return false;
    sql_i64(&q, expires_ms);
    sql_i64(&q, id);
    return sql_do(&q, e);
}

/* Calls for each folder of the promise. */
typedef bool folder_fn(struct store *s, const struct stage_work *w, int64_t id, struct sv folder,
                       struct err *e);
static bool each_folder(struct store *s, const struct stage_work *w, int64_t id, folder_fn *f,
                        struct err *e)
{
    const struct staged_row *row = &w->staging->row;

    for (size_t i = 0; i < row->extra_locations.n; i++) {
        if (!f(s, w, id, row->extra_locations.p[i], e))
            return false;
    }
    return f(s, w, id, row->location, e);
}

static bool is_free(struct store *s, const struct stage_work *w, int64_t id, struct sv folder,
                    struct err *e)
{
    const struct owner me = {
        .staged = id, .now_ms = w->staging->now_ms, .name = w->name, .kind = ENTRY_TABLE};

    return folder_free(s, folder, &me, w->arena, &w->staging->overlap, e);
}

/* Once, whether it was held before or not. */
static bool hold(struct store *s, UNUSED const struct stage_work *w, int64_t id, struct sv folder,
                 struct err *e)
{
    return folder_claim(s, "DELETE FROM folders WHERE folder = ? AND staged_id = ?", folder, id,
                        e) &&
           folder_claim(s, "INSERT INTO folders (folder, staged_id) VALUES (?, ?)", folder, id, e);
}

static bool stage(struct store *s, void *context, struct err *e)
{
    const struct stage_work *w = context;
    struct staging *g = w->staging;
    int64_t id, expires_ms = g->row.expires_ms;

    if (!check_name(s, w, e) || !drop_expired(s, g->now_ms, e) ||
        !staged_find(s, w->name, g, w->arena, &id, e) || !each_folder(s, w, id, is_free, e))
        return false;
    if (g->row.expires_ms < expires_ms)
        g->row.expires_ms = expires_ms;
    return (id ? prolong(s, id, g->row.expires_ms, e) : insert(s, w->name, &g->row, &id, e)) &&
           each_folder(s, w, id, hold, e);
}

bool store_stage(struct store *s, const struct table_name *t, struct staging *g, struct arena *a,
                 struct err *e)
{
    g->overlap = (struct sv){0};
    return sql_transaction(s, stage, &(struct stage_work){t, g, a}, e);
}

bool staged_find(struct store *s, const struct table_name *t, struct staging *g, struct arena *a,
                 int64_t *id, struct err *e)
{
    struct sql q;
    bool row = false, ok;

    *id = 0;
    if (!sql_begin(s,
                   "SELECT id, uuid, expires_ms FROM staged WHERE catalog = ? AND ns = ? AND"
                   " name = ? AND principal = ? AND location = ? AND expires_ms > ?",
                   &q, e))
        return false;
    sql_text(&q, t->catalog);
    sql_text(&q, t->ns);
    sql_text(&q, t->name);
    sql_text(&q, g->row.principal);
    sql_text(&q, g->row.location);
    sql_i64(&q, g->now_ms);
    ok = sql_step(&q, &row, e);
    if (ok && row) {
        *id = sql_column_i64(&q, 0);
        g->row.uuid = sql_column(&q, 1, a);
        g->row.expires_ms = sql_column_i64(&q, 2);
    }
    sql_end(&q);
    return ok;
}

static bool release(struct store *s, int64_t id, struct sv folder, struct arena *a, struct err *e)
{
    struct sv end = folder_end(folder, a);
    struct sql q;

    if (!sql_begin(s, "DELETE FROM folders WHERE staged_id = ? AND folder >= ? AND folder < ?", &q,
                   e))
        return false;
    sql_i64(&q, id);
    sql_text(&q, folder);
    sql_text(&q, end);
    return sql_do(&q, e);
}

bool staged_take_up(struct store *s, int64_t id, const struct table_row *row, struct arena *a,
                    struct err *e)
{
    struct sql q;

    for (size_t i = 0; i < row->extra_locations.n; i++) {
        if (!release(s, id, row->extra_locations.p[i], a, e))
            return false;
    }
    if (!release(s, id, row->location, a, e) ||
        !sql_begin(s,
                   "DELETE FROM staged WHERE id = ? AND NOT EXISTS"
                   " (SELECT 1 FROM folders f WHERE f.staged_id = staged.id)",
                   &q, e))
        return false;
    sql_i64(&q, id);
    return sql_do(&q, e);
}

bool store_staged_get(struct store *s, const struct table_name *t, int64_t now_ms, struct arena *a,
                      struct staged_row *out, struct err *e)
{
    struct staging g = {.row = *out, .now_ms = now_ms};
    int64_t id;

    if (!staged_find(s, t, &g, a, &id, e))
        return false;
    if (!id)
        return err_set(e, ERR_NOT_FOUND, "no staged create");
    *out = g.row;
    return true;
}
