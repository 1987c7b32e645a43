/* transaction.c - POST .../transactions/commit: several tables change together, or none does. */
#include "catalog/transaction.h"

#include "base/limits.h"
#include "catalog/commit_record.h"
#include "catalog/routes.h"
#include "serve/once.h"

/* ---- the swap of all pointers ---- */

static bool query_swap(struct call *c, struct store *s, struct err *e)
{
    struct transaction *t = c->work;

    return store_tables_commit(s, t->steps, t->n, c->arena, &t->failed, e);
}

static bool swap_all(struct call *c, struct transaction *t, struct err *e)
{
    for (size_t i = 0; i < t->n; i++) {
        struct part *p = &t->parts[i];

        t->steps[i] = (struct table_step){path_table(c, &p->one.at.path), &p->one.change,
                                          !p->one.changed  ? STEP_KEEP
                                          : p->one.creates ? STEP_CREATE
                                                           : STEP_SWAP};
    }
    return call_write(c, query_swap, transaction_swapped, e);
}

/* ---- writing ---- */

static bool put_next(struct call *c, const struct err *outcome, struct err *e);

static bool put_one(struct call *c, struct part *p, struct err *e)
{
    struct object_ask ask;

    if (!commit_file(c, &p->one, &ask, e))
        return false;
    p->written = true;
    return call_object(c, &ask, put_next, e);
}

static bool put_next(struct call *c, const struct err *outcome, struct err *e)
{
    struct transaction *t = c->work;
    struct err why = outcome ? *outcome : (struct err){0};

    while (!outcome && t->at < t->n && !t->parts[t->at].one.changed)
        t->at++;
    if (!outcome && t->at == t->n)
        return swap_all(c, t, e);
    if (!outcome && put_one(c, &t->parts[t->at++], &why))
        return true;
    /* One that could not be written: none is. */
    if (why.code != ERR_BUSY && why.code != ERR_DENIED && why.code != ERR_INVALID)
        why.code = ERR_UNAVAILABLE;
    t->failed = t->at - 1;
    return transaction_tidy(c, t, &why, e);
}

/* ---- places ---- */

static bool query_places(struct call *c, struct store *s, struct err *e)
{
    struct transaction *t = c->work;

    for (t->failed = 0; t->failed < t->n; t->failed++) {
        struct part *p = &t->parts[t->failed];

        if (!p->one.changed || commit_keeps_places(&p->one))
            continue;
        if (!commit_places(c, s, &p->one, e))
            return false;
        if (p->one.change.overlap.n)
            return err_set(e, ERR_CONFLICT, "taken");
    }
    return true;
}

static bool after_places(struct call *c, const struct err *outcome, struct err *e)
{
    struct transaction *t = c->work;

    if (outcome) {
        t->refusal = *outcome;
        return transaction_refuse(c, t, e);
    }
    t->at = 0;
    return put_next(c, NULL, e);
}

/* ---- applying ---- */

/*
 * A refusal, unless the whole was applied already and its answer was lost. It is applied whole, so
 * snapshots of it that stand in one table came with all of it.
 */
static bool not_taken(struct call *c, struct transaction *t, struct err *e)
{
    size_t yes = 0, no = 0;

    for (size_t i = 0; i < t->n && (e->code == ERR_CONFLICT || e->code == ERR_INVALID); i++) {
        const struct commit_one *o = &t->parts[i].one;

        if (o->creates)
            continue;
        switch (metadata_applied(o->at.metadata, o->request)) {
        case APPLIED_YES:
            yes++;
            break;
        case APPLIED_NO:
            no += metadata_adds_snapshots(o->request);
            break;
        case APPLIED_UNCLEAR:
            return transaction_unknown(c, e);
        }
    }
    if (yes)
        return no ? transaction_unknown(c, e) : transaction_done(c, t);
    return e->code == ERR_CONFLICT || e->code == ERR_INVALID ? transaction_failed(c, t, e) : false;
}

static bool query_apply(struct call *c, UNUSED struct store *s, struct err *e)
{
    struct transaction *t = c->work;

    for (t->failed = 0; t->failed < t->n; t->failed++) {
        if (!commit_apply(c, &t->parts[t->failed].one, e))
            return transaction_about(c, &t->parts[t->failed], e);
    }
    return true;
}

static bool after_apply(struct call *c, const struct err *outcome, struct err *e)
{
    struct transaction *t = c->work;
    bool any = false;

    if (outcome)
        return not_taken(c, t, e);
    for (size_t i = 0; i < t->n; i++) {
        any = any || t->parts[i].one.changed;
        if (t->parts[i].one.changed && !commit_claims(c, &t->parts[i].one, e))
            return transaction_about(c, &t->parts[i], e);
        commit_change(c, &t->parts[i].one);
    }
    return any ? call_read(c, query_places, after_places, e) : transaction_done(c, t);
}

static bool apply_all(struct call *c, struct transaction *t, struct err *e)
{
    bool is_long = false;

    for (size_t i = 0; i < t->n; i++) {
        t->parts[i].one.fresh = world_uuid(c->world, c->arena);
        is_long = is_long || commit_is_long(c, &t->parts[i].one);
    }
    return call_compute(c, is_long, query_apply, after_apply, e);
}

/* ---- loading ---- */

static bool load_next(struct call *c, struct transaction *t, struct err *e);

static bool loaded(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct part *p = c->work;

    p->all->at++;
    return load_next(c, p->all, e);
}

static bool found(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct part *p = c->work;

    p->one.old_file = p->one.at.row.metadata_location;
    p->one.at.otherwise = commit_unread;
    return table_metadata(c, &p->one.at, loaded, e);
}

static bool load_next(struct call *c, struct transaction *t, struct err *e)
{
    while (t->at < t->n && t->parts[t->at].one.creates)
        t->at++;
    if (t->at < t->n) {
        c->work = &t->parts[t->at];
        return table_find(c, &t->parts[t->at].one.at, found, e);
    }
    c->work = t;
    return apply_all(c, t, e);
}

bool transaction_try(struct call *c, struct transaction *t, struct err *e)
{
    t->at = 0;
    return load_next(c, t, e);
}

/* ---- reading it ---- */

static bool is_named_before(const struct transaction *t, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        const struct table_path *x = &t->parts[j].one.at.path, *y = &t->parts[i].one.at.path;

        if (sv_eq(x->ns.joined, y->ns.joined) && sv_eq(x->table, y->table))
            return true;
    }
    return false;
}

static bool read_part(struct call *c, struct transaction *t, size_t i, const struct json *change,
                      struct err *e)
{
    struct part *p = &t->parts[i];

    p->all = t;
    p->one.request = change;
    if (!table_identifier(c, json_get(change, SV("identifier")), "identifier", &p->one.at.path, e))
        return err_wrap(e, "table-changes[%zu]", i);
    if (is_named_before(t, i))
        return err_set(e, ERR_INVALID, "table-changes[%zu]: this table is changed already", i);
    return commit_rights(c, &p->one, e);
}

static struct json *names(struct call *c, const struct transaction *t)
{
    struct json *details = json_new_object(c->arena), *list = json_new_array(c->arena),
                *updates = json_new_array(c->arena);

    for (size_t i = 0; i < t->n; i++) {
        const struct table_path *p = &t->parts[i].one.at.path;

        json_push(list, json_new_str(c->arena, call_table_text(c, &p->ns, p->table)));
        json_push(updates, commit_updates(c, &t->parts[i].one, t->n));
    }
    json_set(details, SV("tables"), list);
    json_set(details, SV("updates"), updates);
    return details;
}

static bool begin_try(struct call *c, struct err *e)
{
    return transaction_try(c, c->work, e);
}

/* Every table is authorised before any is looked at. */
bool transaction_commit(struct call *c, struct err *e)
{
    struct transaction *t = arena_new(c->arena, struct transaction);
    const struct json *changes;
    struct json *body;

    if (!call_catalog(c, e) || !call_body(c, &body, e))
        return false;
    changes = json_get(body, SV("table-changes"));
    t->n = json_count(changes);
    if (json_kind(changes) != JSON_ARRAY || t->n == 0 || t->n > LIMIT_TRANSACTION_TABLES)
        return err_set(e, ERR_INVALID, "table-changes: a list of 1 to %d is required",
                       LIMIT_TRANSACTION_TABLES);
    t->parts = arena_array(c->arena, struct part, t->n);
    t->steps = arena_array(c->arena, struct table_step, t->n);
    for (size_t i = 0; i < t->n; i++) {
        if (!read_part(c, t, i, json_at(changes, i), e))
            return false;
    }
    c->details = names(c, t);
    c->levels_text = c->table_text = (struct sv){0};
    c->work = t;
    return call_once(c, begin_try, NULL, e);
}
