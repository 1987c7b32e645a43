/* commit.c - POST .../tables/{table}: read, apply, write, compare and swap; again when somebody was
 * first. */
#include "base/limits.h"
#include "base/metric.h"
#include "serve/routes.h"
#include "serve/table_steps.h"

struct commit_work {
    struct table_at at; /* first: table_steps.h */
    struct json *request;
    bool creates;
    int tries;
    struct json *after;
    struct sv file, old_file;
    struct table_row row; /* as it will be */
    struct table_change change;
    struct location folders[8];
    size_t n_folders;
    struct err refusal; /* while the file is tidied */
    struct sv current;  /* where the pointer stands, after a write of unknown outcome */
};

static bool begin_try(struct call *c, struct err *e);

static bool reply(struct call *c, struct json *metadata, struct sv file)
{
    struct json *body = json_new_object(c->arena);

    metric_add(METRIC_COMMITS, 1);
    json_set_str(body, c->arena, SV("metadata-location"), file);
    json_set(body, SV("metadata"), metadata);
    return call_reply_json(c, 200, body);
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
                   "it is not known whether the commit was applied; load the table and look");
}

/* ---- after the swap ---- */

static bool refuse(struct call *c, struct err *e)
{
    struct commit_work *w = c->work;

    if (w->change.overlap.n)
        return err_set(e, ERR_DENIED,
                       "a location of the table lies in another table's place; choose another");
    if (w->refusal.code == ERR_NOT_FOUND)
        return w->creates ? call_no_namespace(c, &w->at.path.ns, e)
                          : call_no_table(c, &w->at.path.ns, w->at.path.table, e);
    *e = w->refusal;
    if (e->code != ERR_CONFLICT)
        return false;
    (void)err_set(e, ERR_CONFLICT,
                  w->creates ? "Requirement failed: table already exists"
                             : "other commits were first, each time");
    return conflict(c);
}

static bool after_tidy(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;
    bool again = w->refusal.code == ERR_CONFLICT && !w->change.overlap.n && !w->creates;

    return again && ++w->tries < LIMIT_COMMIT_RETRIES ? begin_try(c, e) : refuse(c, e);
}

/* The file that no pointer names is taken away, best effort, before the refusal is told. */
static bool tidy(struct call *c, const struct err *why, struct err *e)
{
    struct commit_work *w = c->work;
    struct object_ask ask = {.method = HTTP_DELETE};

    w->refusal = *why;
    return (table_file(c, w->file, w->folders, w->n_folders, &ask, e) &&
            call_object(c, &ask, after_tidy, e)) ||
           refuse(c, e);
}

/* ---- a swap of unknown outcome ---- */

static bool query_pointer(struct call *c, struct store *s, struct err *e)
{
    struct commit_work *w = c->work;
    const struct table_name name = path_table(c, &w->at.path);

    return store_table_get(s, &name, c->arena, &w->at.row, e);
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
    const struct metadata_write write = {w->old_file, w->file, w->at.row.metadata_location};

    switch (metadata_write_applied(w->at.metadata, &write)) {
    case APPLIED_YES:
        return reply(c, w->after, w->file);
    case APPLIED_NO:
        return not_applied(c, ERR_CONFLICT, e);
    case APPLIED_UNCLEAR:
        break;
    }
    return unknown(c, e);
}

static bool no_log(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    return unknown(c, e);
}

/* The pointer names our file, the one before, or one that came later and whose log knows. */
static bool after_pointer(struct call *c, const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;

    if (outcome && outcome->code == ERR_NOT_FOUND && w->creates)
        return not_applied(c, ERR_UNAVAILABLE, e);
    if (outcome)
        return unknown(c, e);
    if (sv_eq(w->at.row.metadata_location, w->file))
        return reply(c, w->after, w->file);
    if (sv_eq(w->at.row.metadata_location, w->old_file))
        return not_applied(c, ERR_UNAVAILABLE, e);
    w->at.otherwise = no_log;
    return (table_folders(c, &w->at, e) && table_metadata(c, &w->at, after_log, e)) ||
           unknown(c, e);
}

static bool look_up(struct call *c, struct err *e)
{
    return call_read(c, query_pointer, after_pointer, e) || unknown(c, e);
}

static bool after_swap(struct call *c, const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;

    if (!outcome) {
        metadata_remember(c, w->file, json_text(c->arena, w->after));
        return reply(c, w->after, w->file);
    }
    if (outcome->code == ERR_INTERNAL)
        return look_up(c, e);
    return tidy(c, outcome, e);
}

static bool query_swap(struct call *c, struct store *s, struct err *e)
{
    struct commit_work *w = c->work;
    const struct table_name name = path_table(c, &w->at.path);

    return w->creates ? store_table_create(s, &name, &w->change, c->arena, e)
                      : store_table_swap(s, &name, &w->change, c->arena, e);
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
    struct object_ask ask = {.method = HTTP_PUT};

    w->file = metadata_file(w->after, w->old_file, world_uuid(c->world, c->arena), c->arena);
    w->row.metadata_location = w->file;
    if (!table_file(c, w->file, w->folders, w->n_folders, &ask, e))
        return false;
    ask.body = metadata_body(c, w->file, json_text(c->arena, w->after));
    return call_object(c, &ask, after_put, e);
}

/* ---- places ---- */

/* A table that does not exist yet may only be where its place was promised: any other would be a
 * way to choose one unchecked. */
static bool check_promise(struct call *c, struct store *s, const struct table_name *name,
                          struct err *e)
{
    struct commit_work *w = c->work;
    struct staged_row row = {.principal = c->who.name, .location = w->row.location};

    if (!table_is_new(s, name, c->arena, e))
        return false;
    if (store_staged_get(s, name, c->now_ms, c->arena, &row, e))
        return true;
    return e->code == ERR_NOT_FOUND
               ? err_set(e, ERR_DENIED,
                         "the location is not one that was staged for this table; stage it again")
               : false;
}

static bool query_place(struct call *c, struct store *s, struct err *e)
{
    struct commit_work *w = c->work;
    const struct table_name name = path_table(c, &w->at.path);

    return (!w->creates || check_promise(c, s, &name, e)) &&
           store_table_overlap(s, &name, &w->change, c->arena, e);
}

static bool after_place(struct call *c, const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;

    if (outcome && outcome->code == ERR_CONFLICT)
        return conflict(c);
    if (outcome)
        return false;
    return w->change.overlap.n ? refuse(c, e) : put_file(c, e);
}

static bool keeps_its_places(const struct commit_work *w)
{
    for (size_t i = 0; i < w->n_folders; i++) {
        bool known = false;

        for (size_t j = 0; j < w->at.n_folders; j++)
            known = known || location_contains(&w->at.folders[j], &w->folders[i]);
        if (!known)
            return false;
    }
    return !w->creates;
}

/* Nothing is written into a new place before it is known to be nobody's. The store decides again
 * when the pointer moves. */
static bool check_places(struct call *c, struct err *e)
{
    struct commit_work *w = c->work;

    w->change = (struct table_change){.row = &w->row,
                                      .old_metadata_location = w->old_file,
                                      .principal = c->who.name,
                                      .now_ms = c->now_ms};
    return keeps_its_places(w) ? put_file(c, e) : call_read(c, query_place, after_place, e);
}

/*
 * A table that holds data keeps every folder that it has used: files stay where they were written
 * when its location or a write path changes, and only their manifests know which are still needed.
 * Without snapshots there are none.
 */
static bool keep_folders(struct call *c, struct commit_work *w, struct err *e)
{
    if (!json_count(json_get(w->after, SV("snapshots"))))
        return true;
    for (size_t i = 0; i < w->at.n_folders; i++) {
        if (!folder_add(&w->at.folders[i], w->folders, &w->n_folders, e))
            return false;
    }
    folders_row(c, w->folders, w->n_folders, &w->row);
    return true;
}

/* Every place that the result names lies in the table's own folders, which are allowed and nobody
 * else's. */
static bool check_claims(struct call *c, struct commit_work *w, struct err *e)
{
    struct claimed_locations claims = {0};

    if (!folders_of(c, w->after, &w->row, w->folders, &w->n_folders, e) || !keep_folders(c, w, e))
        return false;
    metadata_claims(w->after, c->arena, &claims);
    for (size_t i = 0; i < claims.n; i++) {
        struct location file;
        bool inside = false;

        if (!claims.p[i].is_file)
            continue;
        if (!location_read_file(claims.p[i].text, c->arena, &file, e))
            return false;
        for (size_t j = 0; j < w->n_folders; j++)
            inside = inside || location_contains(&w->folders[j], &file);
        if (!inside)
            return err_set(e, ERR_DENIED, "%s " SV_FMT " is outside the table's own folders",
                           claims.p[i].what, SV_ARG(sv_first(claims.p[i].text, 120)));
    }
    return true;
}

/* A refusal, unless the request was applied already and its answer was lost. */
static bool not_taken(struct call *c, struct err *e)
{
    const struct commit_work *w = c->work;
    enum applied before = APPLIED_NO;

    if (!w->creates && (e->code == ERR_CONFLICT || e->code == ERR_INVALID))
        before = metadata_applied(w->at.metadata, w->request, c->arena);
    if (before == APPLIED_YES)
        return reply(c, w->at.metadata, w->old_file);
    if (before == APPLIED_UNCLEAR)
        return unknown(c, e);
    return e->code == ERR_CONFLICT ? conflict(c) : false;
}

static bool apply(struct call *c, struct err *e)
{
    struct commit_work *w = c->work;
    struct commit_options o = {.base_location = w->old_file, .now_ms = c->now_ms};
    bool changed;

    if (!metadata_commit(w->creates ? NULL : w->at.metadata, w->request, &o, c->arena, &w->after,
                         &changed, e))
        return not_taken(c, e);
    if (!changed)
        return reply(c, w->after, w->old_file);
    return check_claims(c, w, e) && check_places(c, e);
}

static bool loaded(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    return apply(c, e);
}

static bool found(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct commit_work *w = c->work;

    w->old_file = w->at.row.metadata_location;
    return table_metadata(c, &w->at, loaded, e);
}

static bool begin_try(struct call *c, struct err *e)
{
    struct commit_work *w = c->work;

    return w->creates ? apply(c, e) : table_find(c, &w->at, found, e);
}

/* ---- rights ---- */

static enum privilege needed(struct sv action)
{
    static const struct sv data[] = {SV_INIT("add-snapshot"),
                                     SV_INIT("set-snapshot-ref"),
                                     SV_INIT("remove-snapshots"),
                                     SV_INIT("remove-snapshot-ref"),
                                     SV_INIT("set-statistics"),
                                     SV_INIT("remove-statistics"),
                                     SV_INIT("set-partition-statistics"),
                                     SV_INIT("remove-partition-statistics")};

    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++) {
        if (sv_eq_nocase(action, data[i]))
            return PRIVILEGE_TABLE_WRITE_DATA;
    }
    return PRIVILEGE_TABLE_WRITE_PROPERTIES;
}

static bool check_rights(struct call *c, struct commit_work *w, struct err *e)
{
    const struct json *requirements = json_get(w->request, SV("requirements")),
                      *updates = json_get(w->request, SV("updates"));

    for (size_t i = 0; i < json_count(requirements); i++)
        w->creates |=
            sv_eq_nocase(json_get_str(json_at(requirements, i), SV("type")), SV("assert-create"));
    if (!call_demand(c, &w->at.path.ns, w->at.path.table,
                     w->creates ? PRIVILEGE_TABLE_CREATE : PRIVILEGE_TABLE_READ_PROPERTIES, NULL,
                     e))
        return false;
    for (size_t i = 0; i < json_count(updates); i++) {
        enum privilege p = needed(json_get_str(json_at(updates, i), SV("action")));

        if (!(w->creates && p == PRIVILEGE_TABLE_WRITE_PROPERTIES) &&
            !call_demand(c, &w->at.path.ns, w->at.path.table, p, NULL, e))
            return false;
    }
    return true;
}

bool table_commit(struct call *c, struct err *e)
{
    struct commit_work *w = arena_new(c->arena, struct commit_work);

    c->work = w;
    return table_path(c, &w->at.path, e) && call_body(c, &w->request, e) && check_rights(c, w, e) &&
           begin_try(c, e);
}
