/* purges.c - dropped tables whose files are to be deleted, and who is at it. */
#include "store/sql.h"

/* Due, and in nobody's hands: a lease has ended, or its holder cannot live any more. */
#define IS_FREE "p.next_ms <= ?1 AND (p.holder = '' OR p.holder = ?2 OR p.lease_ms <= ?3)"

struct taking {
    const struct purge_lease *lease;
    struct arena *arena;
    struct purge_row *out;
};

static void bind_free(struct sql *q, const struct purge_lease *l)
{
    sql_i64(q, l->now_ms);
    sql_text(q, l->holder);
    sql_i64(q, l->alone ? INT64_MAX : l->now_ms);
}

static bool find(struct store *s, const struct taking *t, struct err *e)
{
    struct purge_row *out = t->out;
    struct sql q;
    bool row = false, ok;

    if (!sql_begin(s,
                   "SELECT p.id, d.catalog, d.ns, d.name, d.uuid, d.metadata_location, d.location,"
                   " d.mark, d.principal, p.request, d.dropped_ms, p.attempts, d.metadata_sha256"
                   " FROM purges p"
                   " JOIN dropped d ON d.id = p.dropped_id WHERE " IS_FREE
                   " ORDER BY p.next_ms, p.id LIMIT 1",
                   &q, e))
        return false;
    bind_free(&q, t->lease);
    ok = sql_step(&q, &row, e);
    if (ok && row) {
        *out = (struct purge_row){.id = sql_column_i64(&q, 0),
                                  .dropped_ms = sql_column_i64(&q, 10),
                                  .attempts = sql_column_i64(&q, 11)};
        out->table = (struct table_name){sql_column(&q, 1, t->arena), sql_column(&q, 2, t->arena),
                                         sql_column(&q, 3, t->arena)};
        out->row.uuid = sql_column(&q, 4, t->arena);
        out->row.metadata_location = sql_column(&q, 5, t->arena);
        out->row.location = sql_column(&q, 6, t->arena);
        out->row.metadata_sha256 = sql_column(&q, 12, t->arena);
        out->mark = sql_column(&q, 7, t->arena);
        out->principal = sql_column(&q, 8, t->arena);
        out->request = sql_column(&q, 9, t->arena);
    }
    sql_end(&q);
    return ok && (row || err_set(e, ERR_NOT_FOUND, "nothing is to be purged now"));
}

static bool read_folders(struct store *s, const struct taking *t, struct err *e)
{
    struct table_row *row = &t->out->row;
    struct sql q;
    bool more = false, ok;

    if (!sql_begin(s,
                   "SELECT f.folder FROM folders f JOIN purges p ON p.dropped_id = f.dropped_id"
                   " WHERE p.id = ?",
                   &q, e))
        return false;
    sql_i64(&q, t->out->id);
    while ((ok = sql_step(&q, &more, e)) && more) {
        struct sv folder = sql_column(&q, 0, t->arena);

        if (!sv_eq(folder, row->location))
            vec_push(&row->extra_locations, t->arena, folder);
    }
    sql_end(&q);
    return ok;
}

/* The statement's last parameter is the purge's id, the one before it its holder. */
static bool change(struct sql *q, int64_t id, struct sv holder, struct err *e)
{
    struct store *s = q->store;

    sql_text(q, holder);
    sql_i64(q, id);
    return sql_do(q, e) &&
           (sql_changes(s) == 1 || err_set(e, ERR_CONFLICT, "the purge is another's now"));
}

static bool take(struct store *s, void *context, struct err *e)
{
    const struct taking *t = context;
    struct sql q;

    if (!find(s, t, e) || !read_folders(s, t, e) ||
        !sql_begin(s,
                   "UPDATE purges SET attempts = attempts + 1, lease_ms = ?, holder = ?"
                   " WHERE id = ?",
                   &q, e))
        return false;
    sql_i64(&q, t->lease->until_ms);
    t->out->attempts++;
    return change(&q, t->out->id, t->lease->holder, e);
}

bool store_purge_take(struct store *s, const struct purge_lease *l, struct arena *a,
                      struct purge_row *out, struct err *e)
{
    struct taking t = {l, a, out};

    /* Nothing is written while there is nothing to take. */
    return find(s, &t, e) && sql_transaction(s, take, &t, e);
}

struct changing_purge {
    int64_t id, next_ms;
    const struct purge_lease *lease;
};

static bool hold(struct store *s, void *context, struct err *e)
{
    const struct changing_purge *c = context;
    struct sql q;

    if (!sql_begin(s, "UPDATE purges SET lease_ms = ? WHERE holder = ? AND id = ?", &q, e))
        return false;
    sql_i64(&q, c->lease->until_ms);
    return change(&q, c->id, c->lease->holder, e);
}

bool store_purge_hold(struct store *s, int64_t id, const struct purge_lease *l, struct err *e)
{
    return sql_transaction(s, hold, &(struct changing_purge){id, 0, l}, e);
}

static bool postpone(struct store *s, void *context, struct err *e)
{
    const struct changing_purge *c = context;
    struct sql q;

    if (!sql_begin(s,
                   "UPDATE purges SET next_ms = ?, lease_ms = 0, holder = '' WHERE holder = ?"
                   " AND id = ?",
                   &q, e))
        return false;
    sql_i64(&q, c->next_ms);
    return change(&q, c->id, c->lease->holder, e);
}

bool store_purge_postpone(struct store *s, int64_t id, const struct purge_lease *l, int64_t next_ms,
                          struct err *e)
{
    return sql_transaction(s, postpone, &(struct changing_purge){id, next_ms, l}, e);
}

/* Until when the place of what has been purged is to be remembered. */
static bool find_end(struct store *s, const struct changing_purge *c, int64_t *until_ms,
                     struct err *e)
{
    struct sql q;

    if (!sql_begin(s, "SELECT keep_ms FROM purges WHERE id = ?", &q, e))
        return false;
    sql_i64(&q, c->id);
    if (!sql_raise(&q, until_ms, e))
        return false;
    *until_ms += c->lease->now_ms;
    if (!sql_begin(s,
                   "SELECT f.held_ms FROM folders f JOIN purges p ON p.dropped_id = f.dropped_id"
                   " WHERE p.id = ? ORDER BY f.held_ms DESC LIMIT 1",
                   &q, e))
        return false;
    sql_i64(&q, c->id);
    return sql_raise(&q, until_ms, e);
}

static bool end(struct store *s, void *context, struct err *e)
{
    const struct changing_purge *c = context;
    struct sql q;

    int64_t until_ms = 0;

    if (!find_end(s, c, &until_ms, e) ||
        !sql_begin(s,
                   "UPDATE dropped SET expires_ms = ? WHERE id = (SELECT p.dropped_id FROM purges p"
                   " WHERE p.holder = ? AND p.id = ?)",
                   &q, e))
        return false;
    sql_i64(&q, until_ms);
    if (!change(&q, c->id, c->lease->holder, e) ||
        !sql_begin(s, "DELETE FROM purges WHERE id = ?", &q, e))
        return false;
    sql_i64(&q, c->id);
    return sql_do(&q, e);
}

bool store_purge_end(struct store *s, int64_t id, const struct purge_lease *l, struct err *e)
{
    return sql_transaction(s, end, &(struct changing_purge){id, 0, l}, e);
}

bool store_purges(struct store *s, int64_t *n, struct err *e)
{
    struct sql q;
    bool row = false, ok;

    if (!sql_begin(s, "SELECT count(*) FROM purges", &q, e))
        return false;
    ok = sql_step(&q, &row, e);
    *n = ok && row ? sql_column_i64(&q, 0) : 0;
    sql_end(&q);
    return ok;
}
