/* dropped.c - tables and views that were dropped: whose place it still is. */
#include "store/sql.h"

enum { FORGOTTEN_AT_ONCE = 16 };

static void bind_name(struct sql *q, const struct table_name *t, enum entry kind)
{
    sql_text(q, t->catalog);
    sql_text(q, t->ns);
    sql_text(q, t->name);
    sql_i64(q, kind);
}

/* ---- dropping ---- */

struct drop_work {
    const struct table_name *name;
    enum entry kind;
    const struct dropping *how;
};

static bool delete_row(struct store *s, int64_t id, struct err *e)
{
    struct sql q;

    if (!sql_begin(s, "DELETE FROM tables WHERE id = ?", &q, e))
        return false;
    sql_i64(&q, id);
    return sql_do(&q, e);
}

static bool copy_row(struct store *s, int64_t table, const struct dropping *d, int64_t until_ms,
                     int64_t *id, struct err *e)
{
    struct sql q;

    if (!sql_begin(
            s,
            "INSERT INTO dropped (catalog, ns, name, uuid, metadata_location, location,"
            " metadata_sha256, principal, mark, kind, dropped_ms, expires_ms) SELECT catalog, ns, name, uuid,"
            " metadata_location, location, metadata_sha256, ?, ?, kind, CAST(? AS BIGINT), CAST(? AS BIGINT)"
            " FROM tables WHERE id = ?"
            " RETURNING id",
            &q, e))
        return false;
    sql_text(&q, d->principal);
    sql_text(&q, d->mark);
    sql_i64(&q, d->now_ms);
    sql_i64(&q, until_ms);
    sql_i64(&q, table);
    return sql_insert(&q, id, e);
}

static bool hand_over_folders(struct store *s, int64_t table, int64_t dropped, struct err *e)
{
    struct sql q;

    if (!sql_begin(s, "UPDATE folders SET table_id = NULL, dropped_id = ? WHERE table_id = ?", &q,
                   e))
        return false;
    sql_i64(&q, dropped);
    sql_i64(&q, table);
    return sql_do(&q, e);
}

static bool want_purge(struct store *s, int64_t dropped, const struct dropping *d, struct err *e)
{
    struct sql q;

    if (!sql_begin(s,
                   "INSERT INTO purges (dropped_id, request, holder, keep_ms, lease_ms, next_ms,"
                   " attempts) VALUES (?, ?, '', ?, 0, ?, 0)",
                   &q, e))
        return false;
    sql_i64(&q, dropped);
    sql_text(&q, d->request);
    sql_i64(&q, d->keep_ms);
    sql_i64(&q, d->now_ms);
    return sql_do(&q, e);
}

bool dropped_remember(struct store *s, int64_t table, const struct dropping *d, struct err *e)
{
    int64_t id = 0, until_ms = d->purge ? INT64_MAX : d->now_ms + d->keep_ms;
    struct sql q;

    if (!sql_begin(s,
                   "SELECT held_ms FROM folders WHERE table_id = ? ORDER BY held_ms DESC LIMIT 1",
                   &q, e))
        return false;
    sql_i64(&q, table);
    if (!sql_raise(&q, &until_ms, e))
        return false;
    return until_ms <= d->now_ms ||
           (copy_row(s, table, d, until_ms, &id, e) && hand_over_folders(s, table, id, e) &&
            (!d->purge || want_purge(s, id, d, e)));
}

bool entry_drop(struct store *s, const struct table_name *t, enum entry kind,
                const struct dropping *d, struct err *e)
{
    auto_arena a = {0};
    struct entry_found found;

    if (!table_find_id(s, t, kind, &a, &found, e))
        return false;
    if (!found.id)
        return err_set(e, ERR_NOT_FOUND, "no such entry");
    return dropped_remember(s, found.id, d, e) && delete_row(s, found.id, e);
}

/* A part of what has expired goes with each drop: there are never more rows than there were drops
 * in the longest time that is remembered, and no drop waits for the work of many. */
static bool forget_expired(struct store *s, int64_t now_ms, struct err *e)
{
    struct sql q;

    if (!sql_begin(s,
                   "DELETE FROM dropped WHERE id IN (SELECT id FROM dropped WHERE expires_ms <= ?"
                   " ORDER BY expires_ms LIMIT ?)",
                   &q, e))
        return false;
    sql_i64(&q, now_ms);
    sql_i64(&q, FORGOTTEN_AT_ONCE);
    return sql_do(&q, e);
}

static bool drop(struct store *s, void *context, struct err *e)
{
    const struct drop_work *w = context;

    return entry_drop(s, w->name, w->kind, w->how, e) && forget_expired(s, w->how->now_ms, e);
}

bool store_table_drop(struct store *s, const struct table_name *t, const struct dropping *d,
                      struct err *e)
{
    return sql_transaction(s, drop, &(struct drop_work){t, ENTRY_TABLE, d}, e);
}

bool store_view_drop(struct store *s, const struct table_name *t, const struct dropping *d,
                     struct err *e)
{
    return sql_transaction(s, drop, &(struct drop_work){t, ENTRY_VIEW, d}, e);
}

/* ---- taking up ---- */

static bool is_any(struct store *s, const struct entry_change *c, bool *any, struct err *e)
{
    struct sql q;
    bool ok;

    if (!sql_begin(s,
                   "SELECT id FROM dropped WHERE catalog = ? AND ns = ? AND name = ? AND kind = ?"
                   " LIMIT 1",
                   &q, e))
        return false;
    bind_name(&q, c->name, c->kind);
    ok = sql_step(&q, any, e);
    sql_end(&q);
    return ok;
}

/* Until when what it gives up would have been remembered. */
static bool take_over_time(struct store *s, const struct entry_change *c, struct sv folder,
                           int64_t *held_ms, struct err *e)
{
    struct sql q;

    if (!sql_begin(s,
                   "SELECT d.expires_ms FROM folders f JOIN dropped d ON d.id = f.dropped_id"
                   " WHERE f.folder >= ? AND f.folder < ? AND d.catalog = ? AND d.ns = ?"
                   " AND d.name = ? AND d.kind = ? AND d.expires_ms < " NEVER_MS
                   " ORDER BY d.expires_ms DESC LIMIT 1",
                   &q, e))
        return false;
    sql_text(&q, folder);
    sql_text(&q, folder_end(folder, c->arena));
    bind_name(&q, c->name, c->kind);
    return sql_raise(&q, held_ms, e);
}

static bool give_up_below(struct store *s, const struct entry_change *c, struct sv folder,
                          struct err *e)
{
    struct sv end = folder_end(folder, c->arena);
    struct sql q;

    if (!sql_begin(s,
                   "DELETE FROM folders WHERE folder >= ? AND folder < ? AND dropped_id IN"
                   " (SELECT id FROM dropped WHERE catalog = ? AND ns = ? AND name = ?"
                   " AND kind = ? AND expires_ms < " NEVER_MS ")",
                   &q, e))
        return false;
    sql_text(&q, folder);
    sql_text(&q, end);
    bind_name(&q, c->name, c->kind);
    return sql_do(&q, e);
}

static bool forget_empty(struct store *s, const struct entry_change *c, struct err *e)
{
    struct sql q;

    if (!sql_begin(s,
                   "DELETE FROM dropped WHERE catalog = ? AND ns = ? AND name = ? AND kind = ?"
                   " AND NOT EXISTS (SELECT 1 FROM folders f WHERE f.dropped_id = dropped.id)",
                   &q, e))
        return false;
    bind_name(&q, c->name, c->kind);
    return sql_do(&q, e);
}

bool dropped_take_up(struct store *s, const struct entry_change *c, struct err *e)
{
    const struct table_row *row = c->change->row;
    bool any = false;

    if (!is_any(s, c, &any, e))
        return false;
    if (!any)
        return true;
    for (size_t i = 0; i < row_folders(row); i++) {
        if (!take_over_time(s, c, row_folder(row, i), &c->held_ms[i], e) ||
            !give_up_below(s, c, row_folder(row, i), e))
            return false;
    }
    return forget_empty(s, c, e);
}
