/* trail.c - the audit trail: pages of records, each put in whole. */
#include "store/sql.h"

/* No transaction is long because of what is forgotten: a page may hold a megabyte. */
enum { FORGOTTEN_AT_ONCE = 32 };

static bool insert(struct store *s, void *context, struct err *e)
{
    const struct trail_page *p = context;
    struct sql q;

    if (!sql_begin(s,
                   "INSERT INTO audit (mark, from_ms, to_ms, records, lines) VALUES (?, ?, ?, ?, ?)"
                   " ON CONFLICT (mark) DO NOTHING",
                   &q, e))
        return false;
    sql_text(&q, p->mark);
    sql_i64(&q, p->from_ms);
    sql_i64(&q, p->to_ms);
    sql_i64(&q, p->records);
    sql_text(&q, p->lines);
    return sql_do(&q, e);
}

bool store_trail_put(struct store *s, const struct trail_page *p, struct err *e)
{
    struct trail_page copy = *p;

    return sql_transaction(s, insert, &copy, e);
}

struct forgetting {
    int64_t until_ms, gone;
};

static bool forget_some(struct store *s, void *context, struct err *e)
{
    struct forgetting *f = context;
    struct sql q;

    if (!sql_begin(s,
                   "DELETE FROM audit WHERE mark IN"
                   " (SELECT mark FROM audit WHERE to_ms < ? ORDER BY to_ms LIMIT ?)",
                   &q, e))
        return false;
    sql_i64(&q, f->until_ms);
    sql_i64(&q, FORGOTTEN_AT_ONCE);
    if (!sql_do(&q, e))
        return false;
    f->gone = sql_changes(s);
    return true;
}

bool store_trail_forget(struct store *s, int64_t until_ms, bool *more, struct err *e)
{
    struct forgetting f = {.until_ms = until_ms};

    if (!sql_transaction(s, forget_some, &f, e))
        return false;
    *more = f.gone == FORGOTTEN_AT_ONCE;
    return true;
}

bool store_trail_read(struct store *s, struct trail_reading *r, struct arena *a,
                      struct trail_page *out, bool *found, struct err *e)
{
    struct sql q;
    bool ok;

    if (!sql_begin(s,
                   "SELECT mark, from_ms, to_ms, records, lines FROM audit WHERE to_ms >= ?1"
                   " AND from_ms <= ?2 AND (to_ms < ?3 OR (to_ms = ?3 AND mark < ?4))"
                   " ORDER BY to_ms DESC, mark DESC LIMIT 1",
                   &q, e))
        return false;
    sql_i64(&q, r->from_ms);
    sql_i64(&q, r->to_ms);
    sql_i64(&q, r->begun ? r->before_ms : INT64_MAX);
    sql_text(&q, r->before_mark);
    ok = sql_step(&q, found, e);
    if (ok && *found) {
        *out = (struct trail_page){.mark = sql_column(&q, 0, a),
                                   .from_ms = sql_column_i64(&q, 1),
                                   .to_ms = sql_column_i64(&q, 2),
                                   .records = sql_column_i64(&q, 3),
                                   .lines = sql_column(&q, 4, a)};
        r->begun = true;
        r->before_ms = out->to_ms;
        r->before_mark = out->mark;
    }
    sql_end(&q);
    return ok;
}
