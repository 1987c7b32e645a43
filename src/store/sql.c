/* sql.c - the statement interface, whichever database is behind it. */
#include "store/sql.h"

static const struct {
    struct sv scheme;
    const struct sql_door *door;
} doors[] = {
    {SV_INIT("sqlite:"),       &sql_sqlite  },
    {SV_INIT("postgresql://"), &sql_postgres},
    {SV_INIT("postgres://"),   &sql_postgres},
};

bool store_open(struct sv url, struct arena *a, struct store **out, struct err *e)
{
    for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
        if (sv_starts(url, doors[i].scheme))
            return doors[i].door->open(url, a, out, e);
    }
    /* Not quoted: what is nearly a URL may hold a password. */
    return err_set(e, ERR_INVALID, "store: write sqlite:PATH or postgresql://USER@HOST/DATABASE");
}

bool store_check(struct store *s, struct err *e)
{
    bool ok, row;
    struct sql q;

    if ((s->door->check && !s->door->check(s, e)) ||
        !sql_begin(s, "SELECT 1 FROM namespaces LIMIT 1", &q, e))
        return false;
    ok = sql_step(&q, &row, e);
    sql_end(&q);
    return ok;
}

bool sql_begin(struct store *s, const char *text, struct sql *out, struct err *e)
{
    void *stmt = map_get(&s->prepared, sv_from(text));

    if (!stmt) {
        if (!s->door->prepare(s, text, &stmt, e))
            return false;
        (void)map_put(&s->prepared, sv_from(text), stmt);
    }
    *out = (struct sql){.store = s, .stmt = stmt};
    return true;
}

void sql_text(struct sql *q, struct sv v)
{
    q->store->door->bind_text(q->stmt, ++q->bound, v);
}

void sql_i64(struct sql *q, int64_t v)
{
    q->store->door->bind_i64(q->stmt, ++q->bound, v);
}

bool sql_step(struct sql *q, bool *row, struct err *e)
{
    return q->store->door->step(q->store, q->stmt, row, e);
}

struct sv sql_column(struct sql *q, int i, struct arena *a)
{
    return arena_dup(a, q->store->door->column(q->stmt, i));
}

int64_t sql_column_i64(struct sql *q, int i)
{
    return q->store->door->column_i64(q->stmt, i);
}

void sql_end(struct sql *q)
{
    q->store->door->reset(q->stmt);
}

int64_t sql_changes(const struct store *s)
{
    return s->door->changes(s);
}

bool sql_list(struct sql *q, const struct page *page, struct arena *a, struct sv_vec *out,
              struct err *e)
{
    bool row = false, ok;

    sql_text(q, page->after);
    sql_i64(q, page->limit ? page->limit : INT64_MAX);
    while ((ok = sql_step(q, &row, e)) && row)
        vec_push(out, a, sql_column(q, 0, a));
    sql_end(q);
    return ok;
}

bool sql_do(struct sql *q, struct err *e)
{
    bool row, ok = sql_step(q, &row, e);

    sql_end(q);
    return ok;
}

bool sql_raise(struct sql *q, int64_t *out, struct err *e)
{
    bool row = false, ok = sql_step(q, &row, e);

    if (ok && row && sql_column_i64(q, 0) > *out)
        *out = sql_column_i64(q, 0);
    sql_end(q);
    return ok;
}

/* To the end: only there has SQLite looked at the constraints. */
bool sql_insert(struct sql *q, int64_t *id, struct err *e)
{
    bool row = false, ok;

    while ((ok = sql_step(q, &row, e)) && row)
        *id = sql_column_i64(q, 0);
    sql_end(q);
    return ok;
}

bool sql_run(struct store *s, const char *text, const struct sv *parameters, size_t n,
             struct err *e)
{
    struct sql q;

    if (!sql_begin(s, text, &q, e))
        return false;
    for (size_t i = 0; i < n; i++)
        sql_text(&q, parameters[i]);
    return sql_do(&q, e);
}

struct answered {
    sql_work_fn *work;
    void *context;
    const struct answer *answer;
};

static bool work_and_answer(struct store *s, void *context, struct err *e)
{
    const struct answered *w = context;

    return w->work(s, w->context, e) && answer_enter(s, w->answer, e);
}

bool sql_transaction(struct store *s, sql_work_fn *work, void *context, struct err *e)
{
    struct answered both = {work, context, s->answer};

    if (!s->answer || s->answer->kept)
        return s->door->transaction(s, work, context, e);
    s->answer->kept = s->door->transaction(s, work_and_answer, &both, e);
    return s->answer->kept;
}

bool store_is_shared(const struct store *s)
{
    return s->door->shared;
}
