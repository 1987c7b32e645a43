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
                   struct err *e)
{
    struct sql q;

    if (!sql_begin(
            s,
            "INSERT INTO staged (catalog, ns, name, principal, uuid, location, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
            &q, e))
        return false;
    sql_text(&q, t->catalog);
    sql_text(&q, t->ns);
    sql_text(&q, t->name);
    sql_text(&q, row->principal);
    sql_text(&q, row->uuid);
    sql_text(&q, row->location);
    sql_i64(&q, row->expires_ms);
    return sql_do(&q, e) && folder_claim(s, "INSERT INTO folders (folder, staged_id) VALUES (?, ?)",
                                         row->location, sqlite3_last_insert_rowid(s->db), e);
}

static bool check_name(struct store *s, const struct stage_work *w, struct err *e)
{
    const struct ns_name ns = {w->name->catalog, w->name->ns};
    struct sv ignored;
    int64_t id;

    if (!store_namespace_get(s, &ns, w->arena, &ignored, e) ||
        !table_find_id(s, w->name, w->arena, &id, &ignored, e))
        return false;
    return !id || err_set(e, ERR_CONFLICT, "the table exists already");
}

static bool stage(struct store *s, void *context, struct err *e)
{
    const struct stage_work *w = context;
    const struct table_name *t = w->name;
    struct staging *g = w->staging;
    const struct owner nobody = {.now_ms = g->now_ms};

    return check_name(s, w, e) && drop_expired(s, g->now_ms, e) &&
           sql_run(s,
                   "DELETE FROM staged WHERE catalog = ? AND ns = ? AND name = ? AND principal = ?",
                   (const struct sv[]){t->catalog, t->ns, t->name, g->row.principal}, 4, e) &&
           folder_free(s, g->row.location, &nobody, w->arena, &g->overlap, e) &&
           insert(s, t, &g->row, e);
}

bool store_stage(struct store *s, const struct table_name *t, struct staging *g, struct arena *a,
                 struct err *e)
{
    g->overlap = (struct sv){0};
    return sql_transaction(s, stage, &(struct stage_work){t, g, a}, e);
}

bool store_staged_get(struct store *s, const struct table_name *t, int64_t now_ms, struct arena *a,
                      struct staged_row *out, struct err *e)
{
    struct sql q;
    bool row = false, ok;

    if (!sql_begin(
            s,
            "SELECT uuid, location, expires_ms FROM staged WHERE catalog = ? AND ns = ? AND name = ?"
            " AND principal = ? AND expires_ms > ?",
            &q, e))
        return false;
    sql_text(&q, t->catalog);
    sql_text(&q, t->ns);
    sql_text(&q, t->name);
    sql_text(&q, out->principal);
    sql_i64(&q, now_ms);
    ok = sql_step(&q, &row, e);
    if (ok && row) {
        out->uuid = sql_column(&q, 0, a);
        out->location = sql_column(&q, 1, a);
        out->expires_ms = sql_column_i64(&q, 2);
    }
    sql_end(&q);
    return ok && (row || err_set(e, ERR_NOT_FOUND, "no staged create"));
}
