/* transaction_end.c - how a transaction ends: applied, refused with nothing left behind, or not
 * known.
 */
#include "base/limits.h"
#include "base/metric.h"
#include "catalog/transaction.h"

bool transaction_done(struct call *c, const struct transaction *t)
{
    metric_add(METRIC_COMMITS, (int64_t)t->n);
    return call_reply_empty(c, 204);
}

bool transaction_unknown(struct call *c, struct err *e)
{
    metric_add(METRIC_COMMITS_UNKNOWN, 1);
    c->error_status = 500;
    c->error_type = "CommitStateUnknownException";
    return err_set(e, ERR_INTERNAL,
                   "it is not known whether the transaction was applied; load a table and look");
}

/* The error with the table it is about. Always false. */
bool transaction_about(const struct call *c, const struct part *p, struct err *e)
{
    return err_wrap(e, "table " SV_FMT, SV_ARG(sv_first(path_text(c, &p->one.at.path), 120)));
}

/* ---- a table that exists already ---- */

static bool query_ours(struct call *c, struct store *s, struct err *e)
{
    struct transaction *t = c->work;

    for (size_t i = 0; i < t->n && !t->made_before; i++) {
        const struct commit_one *o = &t->parts[i].one;
        const struct table_name name = path_table(c, &o->at.path);
        struct table_row row = {0};
        struct err why = {0};

        if (!o->creates)
            continue;
        if (store_table_get(s, &name, c->arena, &row, &why))
            t->made_before = commit_made(o, row.uuid);
        else if (why.code != ERR_NOT_FOUND) {
            *e = why;
            return false;
        }
    }
    return true;
}

static bool told(struct call *c, const struct transaction *t, struct err *e)
{
    *e = t->refusal;
    return e->code == ERR_CONFLICT ? commit_conflict(c) : false;
}

static bool after_ours(struct call *c, const struct err *outcome, struct err *e)
{
    const struct transaction *t = c->work;

    return outcome || t->made_before ? transaction_unknown(c, e) : told(c, t, e);
}

/* To call what was made failed would have the client delete that table's files. */
bool transaction_failed(struct call *c, struct transaction *t, struct err *e)
{
    bool creates = false;

    t->refusal = *e;
    for (size_t i = 0; i < t->n; i++)
        creates = creates || t->parts[i].one.creates;
    if (!creates)
        return told(c, t, e);
    return call_read(c, query_ours, after_ours, e) || transaction_unknown(c, e);
}

/* ---- refusing ---- */

bool transaction_refuse(struct call *c, struct transaction *t, struct err *e)
{
    const struct part *p = &t->parts[t->failed];

    *e = t->refusal;
    if (p->one.change.overlap.n) {
        (void)err_set(e, ERR_DENIED,
                      "a location of it lies in another table's place; choose another");
        return transaction_about(c, p, e);
    }
    if (e->code == ERR_NOT_FOUND)
        return p->one.creates ? call_no_namespace(c, &p->one.at.path.ns, e)
                              : call_no_table(c, &p->one.at.path.ns, p->one.at.path.table, e);
    if (e->code != ERR_CONFLICT)
        return false;
    (void)err_set(e, ERR_CONFLICT,
                  p->one.creates ? "Requirement failed: table already exists"
                                 : "other commits were first, each time");
    (void)transaction_about(c, p, e);
    return transaction_failed(c, t, e);
}

static bool after_tidy(struct call *c, struct transaction *t, struct err *e)
{
    const struct part *p = &t->parts[t->failed];
    bool again = t->refusal.code == ERR_CONFLICT && !p->one.change.overlap.n && !p->one.creates;

    return again && ++t->tries < LIMIT_COMMIT_RETRIES ? transaction_try(c, t, e)
                                                      : transaction_refuse(c, t, e);
}

static bool tidy_next(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct transaction *t = c->work;

    for (; t->at < t->n; t->at++) {
        struct part *p = &t->parts[t->at];
        struct object_ask ask = {.method = HTTP_DELETE};

        if (!p->written)
            continue;
        p->written = false;
        if (table_file(c, p->one.file, p->one.folders, p->one.n_folders, &ask, e) &&
            call_object(c, &ask, tidy_next, e))
            return true;
    }
    return after_tidy(c, t, e);
}

/* The files that no pointer names are taken away, best effort, before the refusal is told. */
bool transaction_tidy(struct call *c, struct transaction *t, const struct err *why, struct err *e)
{
    t->refusal = *why;
    t->at = 0;
    return tidy_next(c, NULL, e);
}

/* ---- a swap of unknown outcome ---- */

static bool query_pointers(struct call *c, struct store *s, struct err *e)
{
    struct transaction *t = c->work;

    for (size_t i = 0; i < t->n; i++) {
        struct part *p = &t->parts[i];
        const struct table_name name = path_table(c, &p->one.at.path);
        struct err why = {0};

        p->missing = !store_table_get(s, &name, c->arena, &p->one.at.row, &why);
        if (p->missing && why.code != ERR_NOT_FOUND) {
            *e = why;
            return false;
        }
    }
    return true;
}

static bool not_applied(struct call *c, struct transaction *t, enum err_code code, struct err *e)
{
    struct err why = {0};

    (void)err_set(&why, code, "the transaction was not applied; try again");
    return transaction_tidy(c, t, &why, e);
}

static bool after_log(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct part *p = c->work;
    const struct metadata_write write = {p->one.old_file, p->one.file,
                                         p->one.at.row.metadata_location};
    enum applied applied = metadata_write_applied(p->one.at.metadata, &write);

    c->work = p->all;
    if (applied == APPLIED_YES)
        return transaction_done(c, p->all);
    return applied == APPLIED_NO ? not_applied(c, p->all, ERR_CONFLICT, e)
                                 : transaction_unknown(c, e);
}

static bool no_log(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    return transaction_unknown(c, e);
}

/* What one table says of all: a pointer at our file or still at the one before. */
static enum applied says(const struct part *p)
{
    struct sv now = p->one.at.row.metadata_location;

    if (p->missing)
        return p->one.creates ? APPLIED_NO : APPLIED_UNCLEAR;
    if (sv_eq(now, p->one.file))
        return APPLIED_YES;
    return p->one.old_file.n && sv_eq(now, p->one.old_file) ? APPLIED_NO : APPLIED_UNCLEAR;
}

/* All moved or none did, so the first that knows speaks for all. Where later commits came upon
 * each, a metadata-log knows. */
static bool after_pointers(struct call *c, const struct err *outcome, struct err *e)
{
    struct transaction *t = c->work;
    struct part *moved = NULL;

    if (outcome)
        return transaction_unknown(c, e);
    for (size_t i = 0; i < t->n; i++) {
        struct part *p = &t->parts[i];

        if (!p->one.changed)
            continue;
        if (says(p) == APPLIED_YES)
            return transaction_done(c, t);
        if (says(p) == APPLIED_NO)
            return not_applied(c, t, ERR_UNAVAILABLE, e);
        moved = p->missing ? moved : p;
    }
    if (!moved)
        return transaction_unknown(c, e);
    c->work = moved;
    moved->one.at.otherwise = no_log;
    return (table_folders(c, &moved->one.at, e) &&
            table_metadata(c, &moved->one.at, after_log, e)) ||
           transaction_unknown(c, e);
}

/* ---- after the swap ---- */

static bool forget_next(struct call *c, struct transaction *t, struct err *e);

static bool after_forget(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    const struct part *p = c->work;

    return forget_next(c, p->all, e);
}

static bool forget_next(struct call *c, struct transaction *t, struct err *e)
{
    while (t->at < t->n && !t->parts[t->at].one.changed)
        t->at++;
    c->work = t;
    if (t->at == t->n)
        return transaction_done(c, t);
    c->work = &t->parts[t->at++];
    return commit_forget(c, c->work, after_forget, e);
}

bool transaction_swapped(struct call *c, const struct err *outcome, struct err *e)
{
    struct transaction *t = c->work;

    if (outcome && outcome->code == ERR_INTERNAL)
        return call_read_settled(c, query_pointers, after_pointers, e) || transaction_unknown(c, e);
    if (outcome)
        return transaction_tidy(c, t, outcome, e);
    for (size_t i = 0; i < t->n; i++) {
        const struct commit_one *o = &t->parts[i].one;

        if (t->parts[i].one.changed)
            metadata_remember(c, &o->row, o->text);
    }
    t->at = 0;
    return forget_next(c, t, e);
}
