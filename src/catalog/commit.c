/* commit.c - POST .../tables/{table}: read, apply, write, compare and swap; again when somebody was
 * first. */
#include "base/limits.h"
#include "base/metric.h"
#include "catalog/commit_record.h"
#include "catalog/commit_steps.h"
#include "catalog/replay.h"
#include "catalog/routes.h"

struct commit_work {
    struct commit_one one; /* first: table_steps.h */
    int tries;
    struct err refusal; /* while the file is tidied */
    bool is_view;       /* what bears a new table's name is one */
};

static bool begin_try(struct call *c, struct err *e);

static bool reply(struct call *c, struct sv text, const struct table_row *row)
{
    const struct commit_work *w = c->work;

    metric_add(METRIC_COMMITS, 1);
    table_tag(c, &w->one.at, row);
    return metadata_reply(c, row->metadata_location, text, (struct sv){0});
}

/* With what stands there already. */
static bool reply_base(struct call *c)
{
    const struct commit_work *w = c->work;

    once_file(c, &w->one.at.row);
    return reply(c, w->one.at.whole, &w->one.at.row);
}

static bool unknown(struct call *c, struct err *e)
{
    metric_add(METRIC_COMMITS_UNKNOWN, 1);
    c->error_status = 500;
    c->error_type = "CommitStateUnknownException";
    return err_set(e, ERR_INTERNAL,
                   "it is not known whether the commit was applied; load the table and look");
}

static bool no_answer(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    return unknown(c, e);
}

/* ---- a table that exists already ---- */

static bool after_existing(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;

    return metadata_applied(w->one.at.metadata, w->one.request) == APPLIED_YES ? reply_base(c)
                                                                               : unknown(c, e);
}

static bool existing_found(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;

    if (!commit_made(&w->one, w->one.at.row.uuid)) {
        (void)err_set(e, ERR_CONFLICT, "Requirement failed: table already exists");
        return commit_conflict(c);
    }
    /* Who may create only is not shown what became of it. */
    if (!call_demand(c, &w->one.at.path.ns, w->one.at.path.table, PRIVILEGE_TABLE_READ_PROPERTIES,
                     NULL, e))
        return unknown(c, e);
    w->one.at.otherwise = no_answer;
    return table_metadata(c, &w->one.at, after_existing, e) || unknown(c, e);
}

static bool query_is_view(struct call *c, struct store *s, UNUSED struct err *e)
{
    struct commit_work *w = c->work;
    const struct table_name name = path_table(c, &w->one.at.path);

    w->is_view = name_is_views(s, &name, c->arena);
    return true;
}

static bool after_is_view(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;

    if (!w->is_view)
        return table_find(c, &w->one.at, existing_found, e);
    (void)view_in_the_way(c, &w->one.at.path, e);
    return commit_conflict(c);
}

/* A create whose answer was lost comes again: a 409 would have the client delete the files of the
 * table that it made. */
static bool already_exists(struct call *c, struct err *e)
{
    return call_read(c, query_is_view, after_is_view, e);
}

/* ---- after the swap ---- */

static bool refuse(struct call *c, struct err *e)
{
    struct commit_work *w = c->work;

    if (w->one.change.overlap.n)
        return err_set(e, ERR_DENIED,
                       "a location of the table lies in another table's place; choose another");
    if (w->refusal.code == ERR_NOT_FOUND)
        return w->one.creates ? call_no_namespace(c, &w->one.at.path.ns, e)
                              : call_no_table(c, &w->one.at.path.ns, w->one.at.path.table, e);
    *e = w->refusal;
    if (e->code != ERR_CONFLICT)
        return false;
    if (w->one.creates)
        return already_exists(c, e);
    (void)err_set(e, ERR_CONFLICT, "other commits were first, each time");
    return commit_conflict(c);
}

static bool after_tidy(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;
    bool again = w->refusal.code == ERR_CONFLICT && !w->one.change.overlap.n && !w->one.creates;

    return again && ++w->tries < LIMIT_COMMIT_RETRIES ? begin_try(c, e) : refuse(c, e);
}

/* The file that no pointer names is taken away, best effort, before the refusal is told. */
static bool tidy(struct call *c, const struct err *why, struct err *e)
{
    struct commit_work *w = c->work;
    struct object_ask ask = {.method = HTTP_DELETE};

    w->refusal = *why;
    return (table_file(c, w->one.file, w->one.folders, w->one.n_folders, &ask, e) &&
            call_object(c, &ask, after_tidy, e)) ||
           refuse(c, e);
}

/* ---- a swap of unknown outcome ---- */

static bool query_pointer(struct call *c, struct store *s, struct err *e)
{
    struct commit_work *w = c->work;
    const struct table_name name = path_table(c, &w->one.at.path);

    return store_table_get(s, &name, c->arena, &w->one.at.row, e);
}

static bool not_applied(struct call *c, enum err_code code, struct err *e)
{
    struct err why = {0};

    (void)err_set(&why, code, "the commit was not applied; try again");
    return tidy(c, &why, e);
}

static bool after_log(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;
    const struct metadata_write write = {w->one.old_file, w->one.file,
                                         w->one.at.row.metadata_location};

    switch (metadata_write_applied(w->one.at.metadata, &write)) {
    case APPLIED_YES:
        return reply(c, w->one.text, &w->one.row);
    case APPLIED_NO:
        return not_applied(c, ERR_CONFLICT, e);
    case APPLIED_UNCLEAR:
        break;
    }
    return unknown(c, e);
}

/* The pointer names our file, the one before, or one that came later and whose log knows. */
static bool after_pointer(struct call *c, const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;

    if (outcome && outcome->code == ERR_NOT_FOUND && w->one.creates)
        return not_applied(c, ERR_UNAVAILABLE, e);
    if (outcome)
        return unknown(c, e);
    if (sv_eq(w->one.at.row.metadata_location, w->one.file))
        return reply(c, w->one.text, &w->one.row);
    if (sv_eq(w->one.at.row.metadata_location, w->one.old_file))
        return not_applied(c, ERR_UNAVAILABLE, e);
    w->one.at.otherwise = no_answer;
    return (table_folders(c, &w->one.at, e) && table_metadata(c, &w->one.at, after_log, e)) ||
           unknown(c, e);
}

static bool look_up(struct call *c, struct err *e)
{
    return call_read_settled(c, query_pointer, after_pointer, e) || unknown(c, e);
}

static bool after_forget(struct call *c, UNUSED const struct err *outcome, UNUSED struct err *e)
{
    const struct commit_work *w = c->work;

    return reply(c, w->one.text, &w->one.row);
}

static bool after_swap(struct call *c, const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;

    if (!outcome) {
        metadata_remember(c, &w->one.row, w->one.text);
        return commit_forget(c, &w->one, after_forget, e);
    }
    if (outcome->code == ERR_INTERNAL)
        return look_up(c, e);
    return tidy(c, outcome, e);
}

static bool query_swap(struct call *c, struct store *s, struct err *e)
{
    struct commit_work *w = c->work;
    const struct table_name name = path_table(c, &w->one.at.path);

    return w->one.creates ? store_table_create(s, &name, &w->one.change, c->arena, e)
                          : store_table_swap(s, &name, &w->one.change, c->arena, e);
}

/* ---- writing ---- */

static bool after_put(struct call *c, const struct err *outcome, struct err *e)
{
    if (!outcome)
        return call_write(c, query_swap, after_swap, e);
    if (outcome->code != ERR_BUSY)
        e->code = ERR_UNAVAILABLE;
    return false;
}

static bool put_file(struct call *c, struct err *e)
{
    struct commit_work *w = c->work;
    struct object_ask ask;

    if (!commit_file(c, &w->one, &ask, e))
        return false;
    once_file(c, &w->one.row);
    return call_object(c, &ask, after_put, e);
}

/* ---- places ---- */

static bool query_place(struct call *c, struct store *s, struct err *e)
{
    struct commit_work *w = c->work;

    return commit_places(c, s, &w->one, e);
}

static bool after_place(struct call *c, const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;

    if (outcome && outcome->code == ERR_CONFLICT)
        return already_exists(c, e);
    if (outcome)
        return false;
    return w->one.change.overlap.n ? refuse(c, e) : put_file(c, e);
}

/* Nothing is written into a new place before it is known to be nobody's. The store decides again
 * when the pointer moves. */
static bool check_places(struct call *c, struct err *e)
{
    struct commit_work *w = c->work;

    commit_change(c, &w->one);
    return commit_keeps_places(&w->one) ? put_file(c, e)
                                        : call_read(c, query_place, after_place, e);
}

/* A refusal, unless the request was applied already and its answer was lost. */
static bool not_taken(struct call *c, struct err *e)
{
    const struct commit_work *w = c->work;
    enum applied before = APPLIED_NO;

    if (!w->one.creates && (e->code == ERR_CONFLICT || e->code == ERR_INVALID))
        before = metadata_applied(w->one.at.metadata, w->one.request);
    if (before == APPLIED_YES)
        return reply_base(c);
    if (before == APPLIED_UNCLEAR)
        return unknown(c, e);
    return e->code == ERR_CONFLICT ? commit_conflict(c) : false;
}

static bool query_apply(struct call *c, UNUSED struct store *s, struct err *e)
{
    return commit_apply(c, c->work, e);
}

static bool after_apply(struct call *c, const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;

    if (outcome)
        return not_taken(c, e);
    if (!w->one.changed)
        return reply_base(c);
    return commit_claims(c, &w->one, e) && check_places(c, e);
}

static bool apply(struct call *c, struct err *e)
{
    struct commit_work *w = c->work;

    w->one.fresh = world_uuid(c->world, c->arena);
    return call_compute(c, commit_is_long(c, &w->one), query_apply, after_apply, e);
}

static bool loaded(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    return apply(c, e);
}

static bool found(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;

    w->one.old_file = w->one.at.row.metadata_location;
    w->one.at.otherwise = commit_unread;
    return table_metadata(c, &w->one.at, loaded, e);
}

static bool begin_try(struct call *c, struct err *e)
{
    struct commit_work *w = c->work;

    return w->one.creates ? apply(c, e) : table_find(c, &w->one.at, found, e);
}

bool table_commit(struct call *c, struct err *e)
{
    struct commit_work *w = arena_new(c->arena, struct commit_work);
    struct json *request;

    c->work = w;
    if (!table_path(c, &w->one.at.path, e) || !call_body(c, &request, e))
        return false;
    w->one.request = request;
    commit_record(c, &w->one);
    return commit_rights(c, &w->one, e) && call_once(c, begin_try, once_table_committed, e);
}
