/* answers.c - what was answered under a key, kept beside what it is about. */
#include "store/sql.h"

/* Each record that is entered makes room for some that are of no use any more: they go faster than
 * they come, and no transaction is long because of them. */
enum { ENTERED_BETWEEN = 64, FORGOTTEN_AT_ONCE = 256 };

static bool forget_old(struct store *s, int64_t until_ms, struct err *e)
{
    struct sql q;

    if (!sql_begin(s,
                   "DELETE FROM answers WHERE (principal, key) IN (SELECT principal, key FROM"
                   " answers WHERE made_ms <= ? ORDER BY made_ms LIMIT ?)",
                   &q, e))
        return false;
    sql_i64(&q, until_ms);
    sql_i64(&q, FORGOTTEN_AT_ONCE);
    return sql_do(&q, e);
}

/* One that is too old to be found gives way. */
static bool insert(struct store *s, const struct answer *w, struct err *e)
{
    struct sql q;

    if (!sql_begin(
            s,
            "INSERT INTO answers (principal, key, request, attempt, metadata_location, uuid, body,"
            " status, made_ms, metadata_sha256) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?11)"
            " ON CONFLICT (principal, key) DO UPDATE SET request = excluded.request,"
            " attempt = excluded.attempt, metadata_location = excluded.metadata_location,"
            " metadata_sha256 = excluded.metadata_sha256, uuid = excluded.uuid, body = excluded.body, status = excluded.status,"
            " made_ms = excluded.made_ms WHERE answers.made_ms <= ?10",
            &q, e))
        return false;
    sql_text(&q, w->principal);
    sql_text(&q, w->key);
    sql_text(&q, w->request);
    sql_text(&q, w->attempt);
    sql_text(&q, w->metadata_location);
    sql_text(&q, w->uuid);
    sql_text(&q, w->body);
    sql_i64(&q, w->status);
    sql_i64(&q, w->made_ms);
    sql_i64(&q, w->made_ms - STORE_ANSWER_MS);
    sql_text(&q, w->metadata_sha256);
    return sql_do(&q, e);
}

bool answer_enter(struct store *s, const struct answer *w, struct err *e)
{
    if (!insert(s, w, e))
        return false;
    if (sql_changes(s) == 0)
        return err_set(e, ERR_CONFLICT, "the key has an answer already");
    return s->answers++ % ENTERED_BETWEEN != 0 || forget_old(s, w->made_ms - STORE_ANSWER_MS, e);
}

void store_answer_with(struct store *s, struct answer *w)
{
    s->answer = w;
}

static bool nothing_more(UNUSED struct store *s, UNUSED void *context, UNUSED struct err *e)
{
    return true;
}

bool store_answer_put(struct store *s, struct answer *w, struct err *e)
{
    bool ok;

    store_answer_with(s, w);
    ok = sql_transaction(s, nothing_more, NULL, e);
    store_answer_with(s, NULL);
    return ok;
}

static void read_row(struct sql *q, struct arena *a, struct answer *w)
{
    w->request = sql_column(q, 0, a);
    w->attempt = sql_column(q, 1, a);
    w->metadata_location = sql_column(q, 2, a);
    w->uuid = sql_column(q, 3, a);
    w->body = sql_column(q, 4, a);
    w->status = (int)sql_column_i64(q, 5);
    w->made_ms = sql_column_i64(q, 6);
    w->metadata_sha256 = sql_column(q, 7, a);
}

bool store_answer_get(struct store *s, int64_t now_ms, struct arena *a, struct answer *out,
                      struct err *e)
{
    struct sql q;
    bool row = false, ok;

    if (!sql_begin(s,
                   "SELECT request, attempt, metadata_location, uuid, body, status, made_ms,"
                   " metadata_sha256 FROM answers WHERE principal = ? AND key = ? AND made_ms > ?",
                   &q, e))
        return false;
    sql_text(&q, out->principal);
    sql_text(&q, out->key);
    sql_i64(&q, now_ms - STORE_ANSWER_MS);
    ok = sql_step(&q, &row, e);
    if (ok && row)
        read_row(&q, a, out);
    sql_end(&q);
    return ok && (row || err_set(e, ERR_NOT_FOUND, "no answer under this key"));
}
