/* transaction.c - POST .../transactions/commit: several tables change together, or none does. */
#include "base/limits.h"
#include "base/metric.h"
#include "serve/commit_steps.h"
#include "serve/routes.h"

struct transaction;

struct part {
    struct commit_one one; /* first: table_steps.h */
    struct transaction *all;
    bool changed, written; /* its file has been written, or may have been */
    bool missing;          /* there is no table, after a write of unknown outcome */
};

struct transaction {
    struct part *parts;
    struct table_step *steps;
    size_t n, at, failed;
    int tries;
    struct err refusal; /* while files are tidied */
};

static bool begin_try(struct call *c, struct transaction *t, struct err *e);

static bool done(struct call *c, const struct transaction *t)
{
    metric_add(METRIC_COMMITS, (int64_t)t->n);
    return call_reply_empty(c, 204);
}

static bool conflict(struct call *c)
{
    metric_add(METRIC_COMMIT_CONFLICTS, 1);
    c->error_type = "CommitFailedException";
    return false;
}

static bool unknown(struct call *c, struct err *e)
{
    metric_add(METRIC_COMMITS_UNKNOWN, 1);
    c->error_status = 500;
    c->error_type = "CommitStateUnknownException";
    return err_set(e, ERR_INTERNAL,
                   "it is not known whether the transaction was applied; load a table and look");
}

/* The error with the table it is about. Always false. */
static bool about(const struct part *p, struct err *e)
{
    return err_wrap(e, "table " SV_FMT "." SV_FMT, SV_ARG(sv_first(p->one.at.path.ns.dotted, 60)),
                    SV_ARG(sv_first(p->one.at.path.table, 60)));
}

/* ---- refusing ---- */

static bool refuse(struct call *c, struct transaction *t, struct err *e)
{
    const struct part *p = &t->parts[t->failed];

    *e = t->refusal;
    if (p->one.change.overlap.n) {
        (void)err_set(e, ERR_DENIED,
                      "a location of it lies in another table's place; choose another");
        return about(p, e);
    }
    if (e->code == ERR_NOT_FOUND)
        return p->one.creates ? call_no_namespace(c, &p->one.at.path.ns, e)
                              : call_no_table(c, &p->one.at.path.ns, p->one.at.path.table, e);
    if (e->code != ERR_CONFLICT)
        return false;
    (void)err_set(e, ERR_CONFLICT,
                  p->one.creates ? "Requirement failed: table already exists"
                                 : "other commits were first, each time");
    (void)about(p, e);
    return conflict(c);
}

static bool after_tidy(struct call *c, struct transaction *t, struct err *e)
{
    const struct part *p = &t->parts[t->failed];
    bool again = t->refusal.code == ERR_CONFLICT && !p->one.change.overlap.n && !p->one.creates;

    return again && ++t->tries < LIMIT_COMMIT_RETRIES ? begin_try(c, t, e) : refuse(c, t, e);
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
static bool tidy(struct call *c, struct transaction *t, const struct err *why, struct err *e)
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
    return tidy(c, t, &why, e);
}

static bool after_log(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct part *p = c->work;
    const struct metadata_write write = {p->one.old_file, p->one.file,
                                         p->one.at.row.metadata_location};
    enum applied applied = metadata_write_applied(p->one.at.metadata, &write);

    c->work = p->all;
    if (applied == APPLIED_YES)
        return done(c, p->all);
    return applied == APPLIED_NO ? not_applied(c, p->all, ERR_CONFLICT, e) : unknown(c, e);
}

static bool no_log(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    return unknown(c, e);
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
        return unknown(c, e);
    for (size_t i = 0; i < t->n; i++) {
        struct part *p = &t->parts[i];

        if (!p->changed)
            continue;
        if (says(p) == APPLIED_YES)
            return done(c, t);
        if (says(p) == APPLIED_NO)
            return not_applied(c, t, ERR_UNAVAILABLE, e);
        moved = p->missing ? moved : p;
    }
    if (!moved)
        return unknown(c, e);
    c->work = moved;
    moved->one.at.otherwise = no_log;
    return (table_folders(c, &moved->one.at, e) &&
            table_metadata(c, &moved->one.at, after_log, e)) ||
           unknown(c, e);
}

/* ---- the swap of all pointers ---- */

static bool after_swap(struct call *c, const struct err *outcome, struct err *e)
{
    struct transaction *t = c->work;

    if (outcome && outcome->code == ERR_INTERNAL)
        return call_read(c, query_pointers, after_pointers, e) || unknown(c, e);
    if (outcome)
        return tidy(c, t, outcome, e);
    for (size_t i = 0; i < t->n; i++) {
        const struct commit_one *o = &t->parts[i].one;

        if (t->parts[i].changed)
            metadata_remember(c, o->file, json_text(c->arena, o->after));
    }
    return done(c, t);
}

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
                                          !p->changed      ? STEP_KEEP
                                          : p->one.creates ? STEP_CREATE
                                                           : STEP_SWAP};
    }
    return call_write(c, query_swap, after_swap, e);
}

/* ---- writing ---- */

static bool put_next(struct call *c, const struct err *outcome, struct err *e);

static bool put_one(struct call *c, struct part *p, struct err *e)
{
    struct object_ask ask = {.method = HTTP_PUT};
    struct commit_one *o = &p->one;

    o->file = metadata_file(o->after, o->old_file, world_uuid(c->world, c->arena), c->arena);
    o->row.metadata_location = o->file;
    if (!table_file(c, o->file, o->folders, o->n_folders, &ask, e))
        return false;
    ask.body = metadata_body(c, o->file, json_text(c->arena, o->after));
    p->written = true;
    return call_object(c, &ask, put_next, e);
}

static bool put_next(struct call *c, const struct err *outcome, struct err *e)
{
    struct transaction *t = c->work;
    struct err why = outcome ? *outcome : (struct err){0};

    while (!outcome && t->at < t->n && !t->parts[t->at].changed)
        t->at++;
    if (!outcome && t->at == t->n)
        return swap_all(c, t, e);
    if (!outcome && put_one(c, &t->parts[t->at++], &why))
        return true;
    /* One that could not be written: none is. */
    if (why.code != ERR_BUSY && why.code != ERR_DENIED && why.code != ERR_INVALID)
        why.code = ERR_UNAVAILABLE;
    t->failed = t->at - 1;
    return tidy(c, t, &why, e);
}

/* ---- places ---- */

static bool query_places(struct call *c, struct store *s, struct err *e)
{
    struct transaction *t = c->work;

    for (t->failed = 0; t->failed < t->n; t->failed++) {
        struct part *p = &t->parts[t->failed];

        if (!p->changed || commit_keeps_places(&p->one))
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
        return refuse(c, t, e);
    }
    t->at = 0;
    return put_next(c, NULL, e);
}

/* ---- applying ---- */

/*
 * A refusal, unless the whole was applied already and its answer was lost. It is applied whole, so
 * snapshots of it that stand in one table came with all of it.
 */
static bool not_taken(struct call *c, const struct transaction *t, struct err *e)
{
    size_t yes = 0, no = 0;

    for (size_t i = 0; i < t->n && (e->code == ERR_CONFLICT || e->code == ERR_INVALID); i++) {
        const struct commit_one *o = &t->parts[i].one;

        if (o->creates)
            continue;
        switch (metadata_applied(o->at.metadata, o->request, c->arena)) {
        case APPLIED_YES:
            yes++;
            break;
        case APPLIED_NO:
            no += metadata_adds_snapshots(o->request);
            break;
        case APPLIED_UNCLEAR:
            return unknown(c, e);
        }
    }
    if (yes)
        return no ? unknown(c, e) : done(c, t);
    return e->code == ERR_CONFLICT ? conflict(c) : false;
}

static bool apply_one(struct call *c, struct part *p, struct err *e)
{
    struct commit_one *o = &p->one;
    const struct commit_options options = {.base_location = o->old_file, .now_ms = c->now_ms};
    struct commit_result result;

    if (!metadata_commit(o->creates ? NULL : o->at.metadata, o->request, &options, c->arena,
                         &result, e))
        return false;
    o->after = result.metadata;
    p->changed = result.changed;
    return true;
}

static bool apply_all(struct call *c, struct transaction *t, struct err *e)
{
    bool any = false;

    for (size_t i = 0; i < t->n; i++) {
        if (!apply_one(c, &t->parts[i], e)) {
            (void)about(&t->parts[i], e);
            return not_taken(c, t, e);
        }
        any = any || t->parts[i].changed;
    }
    for (size_t i = 0; i < t->n; i++) {
        if (t->parts[i].changed && !commit_claims(c, &t->parts[i].one, e))
            return about(&t->parts[i], e);
        commit_change(c, &t->parts[i].one);
    }
    return any ? call_read(c, query_places, after_places, e) : done(c, t);
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

static bool begin_try(struct call *c, struct transaction *t, struct err *e)
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
    struct json *details = json_new_object(c->arena), *list = json_new_array(c->arena);

    for (size_t i = 0; i < t->n; i++)
        json_push(list,
                  json_new_str(c->arena, arena_printf(c->arena, SV_FMT "." SV_FMT,
                                                      SV_ARG(t->parts[i].one.at.path.ns.dotted),
                                                      SV_ARG(t->parts[i].one.at.path.table))));
    json_set(details, SV("tables"), list);
    return details;
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
    return begin_try(c, t, e);
}
