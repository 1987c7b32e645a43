/* view_commit.c - views: create and replace. Write the file, compare and swap the pointer; again
 * when somebody was first. And register: the file lies there already. */
#include "base/limits.h"
#include "catalog/commit_record.h"
#include "catalog/register_steps.h"
#include "catalog/replay.h"
#include "catalog/routes.h"
#include "catalog/view_steps.h"

struct view_work {
    struct commit_one one; /* first: view_steps.h */
    int tries;
    struct err refusal; /* while the file is tidied */
    struct sv namespace_location;
    bool is_table;          /* what bears the name is one */
    bool registers;         /* the file is not of our making */
    struct location folder; /* of a file that is registered */
    bool taken;             /* ... lies in another's place */
};

static bool begin_try(struct call *c, struct err *e);

static bool unknown(struct call *c, struct err *e)
{
    c->error_status = 500;
    c->error_type = "CommitStateUnknownException";
    return err_set(e, ERR_INTERNAL, "it is not known whether the view was changed; load it");
}

/* What clients of views tell a wrong request by. */
static bool wrong(struct call *c, const struct err *e)
{
    if (e->code == ERR_INVALID)
        c->error_type = "IllegalArgumentException";
    if (e->code == ERR_CONFLICT)
        c->error_type = "CommitFailedException";
    return false;
}

static bool name_taken(struct call *c, const struct view_work *w, struct err *e)
{
    c->error_type = "AlreadyExistsException";
    return err_set(e, ERR_CONFLICT, "%s already exists: " SV_FMT,
                   w->is_table ? "Table with same name" : "View",
                   SV_ARG(path_text(c, &w->one.at.path)));
}

/* ---- refusing ---- */

static bool refuse(struct call *c, struct err *e)
{
    struct view_work *w = c->work;

    *e = w->refusal;
    if (w->one.change.overlap.n)
        return err_set(
            e, ERR_DENIED,
            "the view's location lies in another's place, or where one was dropped; choose "
            "another");
    if (e->code == ERR_NOT_FOUND)
        return w->one.creates ? call_no_namespace(c, &w->one.at.path.ns, e)
                              : view_missing(c, &w->one.at.path, e);
    if (e->code != ERR_CONFLICT)
        return false;
    if (w->one.creates)
        return name_taken(c, w, e);
    c->error_type = "CommitFailedException";
    return err_set(e, ERR_CONFLICT, "other commits were first, each time");
}

static bool after_tidy(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct view_work *w = c->work;
    bool again = w->refusal.code == ERR_CONFLICT && !w->one.change.overlap.n && !w->one.creates;

    return again && ++w->tries < LIMIT_COMMIT_RETRIES ? begin_try(c, e) : refuse(c, e);
}

/* The file that no pointer names is taken away, best effort, before the refusal is told. */
static bool tidy(struct call *c, const struct err *why, struct err *e)
{
    struct view_work *w = c->work;
    struct object_ask ask = {.method = HTTP_DELETE};

    w->refusal = *why;
    if (w->registers)
        return refuse(c, e);
    return (table_file(c, w->one.file, w->one.folders, w->one.n_folders, &ask, e) &&
            call_object(c, &ask, after_tidy, e)) ||
           refuse(c, e);
}

/* ---- entering it ---- */

static bool done(struct call *c, const struct view_work *w)
{
    return view_answer(c, w->one.file, w->one.after);
}

static bool query_found(struct call *c, struct store *s, struct err *e)
{
    struct view_work *w = c->work;
    const struct table_name name = path_table(c, &w->one.at.path);

    return store_view_get(s, &name, c->arena, &w->one.at.row, e);
}

static bool after_look(struct call *c, const struct err *outcome, struct err *e)
{
    struct view_work *w = c->work;
    struct sv now = w->one.at.row.metadata_location;
    struct err why = {0};

    if (!outcome && sv_eq(now, w->one.file))
        return done(c, w);
    if (outcome ? outcome->code != ERR_NOT_FOUND || !w->one.creates : !sv_eq(now, w->one.old_file))
        return unknown(c, e);
    (void)err_set(&why, ERR_UNAVAILABLE, "the view was not changed; try again");
    return tidy(c, &why, e);
}

static bool query_enter(struct call *c, struct store *s, struct err *e)
{
    struct commit_one *o = c->work;
    const struct table_name name = path_table(c, &o->at.path);

    return o->creates ? store_view_create(s, &name, &o->change, c->arena, e)
                      : store_view_swap(s, &name, &o->change, c->arena, e);
}

static bool after_enter(struct call *c, const struct err *outcome, struct err *e)
{
    if (!outcome)
        return done(c, c->work);
    if (outcome->code == ERR_INTERNAL)
        return call_read_settled(c, query_found, after_look, e) || unknown(c, e);
    return tidy(c, outcome, e);
}

/* ---- writing ---- */

static bool after_put(struct call *c, const struct err *outcome, struct err *e)
{
    if (!outcome)
        return call_write(c, query_enter, after_enter, e);
    if (outcome->code != ERR_BUSY)
        e->code = ERR_UNAVAILABLE;
    return false;
}

static bool put_file(struct call *c, struct commit_one *o, struct err *e)
{
    struct object_ask ask;

    o->fresh = world_uuid(c->world, c->arena);
    commit_words(c, o);
    if (!commit_file(c, o, &ask, e))
        return wrong(c, e);
    once_file(c, &o->row);
    return call_object(c, &ask, after_put, e);
}

static bool query_place(struct call *c, struct store *s, struct err *e)
{
    struct commit_one *o = c->work;
    const struct table_name name = path_table(c, &o->at.path);

    return store_view_overlap(s, &name, &o->change, c->arena, e);
}

static bool after_place(struct call *c, const struct err *outcome, struct err *e)
{
    struct view_work *w = c->work;

    if (outcome)
        return false;
    return w->one.change.overlap.n ? refuse(c, e) : put_file(c, &w->one, e);
}

static bool check_home(struct call *c, const struct view_work *w, struct err *e)
{
    const struct place_ask ask = {
        .path = &w->one.at.path, .own = w->namespace_location, .is_view = true};

    return home_check(c, &ask, w->one.folders, w->one.n_folders, e);
}

/* Nothing is written into a place before it is known to be nobody's. The store decides again when
 * the pointer moves. */
static bool write_next(struct call *c, struct commit_one *o, struct err *e)
{
    if (!folders_of(c, o->after, &o->row, o->folders, &o->n_folders, e) ||
        (o->creates && !check_home(c, c->work, e)))
        return false;
    o->row.uuid = json_get_str(o->after, SV("view-uuid"));
    commit_leaves(c, o);
    commit_change(c, o);
    return call_read(c, query_place, after_place, e);
}

/* ---- create ---- */

/* The namespace's location; and what bears the name, if anything does. */
static bool query_before(struct call *c, struct store *s, struct err *e)
{
    struct view_work *w = c->work;
    const struct table_name name = path_table(c, &w->one.at.path);
    struct table_row row = {0};
    struct err why = {0};

    if (!home_get(c, s, &w->one.at.path.ns, &w->namespace_location, e))
        return false;
    w->is_table = store_table_get(s, &name, c->arena, &row, &why);
    if (w->is_table || store_view_get(s, &name, c->arena, &row, &why))
        return err_set(e, ERR_CONFLICT, "the name is taken");
    if (why.code != ERR_NOT_FOUND)
        *e = why;
    return why.code == ERR_NOT_FOUND;
}

static bool after_before(struct call *c, const struct err *outcome, struct err *e)
{
    struct view_work *w = c->work;
    struct create_options o = {.now_ms = c->now_ms, .uuid = world_uuid(c->world, c->arena)};

    if (outcome && outcome->code == ERR_CONFLICT)
        return name_taken(c, w, e);
    if (outcome)
        return outcome->code == ERR_NOT_FOUND ? call_no_namespace(c, &w->one.at.path.ns, e) : false;
    o.location = json_get_str(w->one.request, SV("location"));
    if (!o.location.n)
        o.location = location_choose(c, &w->one.at.path, w->namespace_location, o.uuid);
    if (!view_create(w->one.request, &o, c->arena, &w->one.after, e))
        return wrong(c, e);
    return write_next(c, &w->one, e);
}

static bool begin(struct call *c, struct view_work **out, struct err *e)
{
    struct json *request;

    *out = arena_new(c->arena, struct view_work);
    c->work = *out;
    if (!table_path(c, &(*out)->one.at.path, e) || !call_body(c, &request, e))
        return false;
    (*out)->one.request = request;
    return true;
}

/* What does not exist yet: its name is in the body. */
static bool begin_new(struct call *c, struct view_work **out, struct err *e)
{
    struct commit_one *o;

    if (!begin(c, out, e))
        return false;
    o = &(*out)->one;
    o->creates = true;
    return call_name(c, uri_encoded(c->arena, json_get_str(o->request, SV("name"))),
                     &o->at.path.table, e) &&
           call_demand(c, &o->at.path.ns, o->at.path.table, PRIVILEGE_VIEW_CREATE, NULL, e);
}

static bool create(struct call *c, struct err *e)
{
    return call_read(c, query_before, after_before, e);
}

bool view_create_new(struct call *c, struct err *e)
{
    struct view_work *w;

    return begin_new(c, &w, e) && call_once(c, create, once_view, e);
}

/* ---- register ---- */

static bool query_understand(struct call *c, UNUSED struct store *s, struct err *e)
{
    struct commit_one *o = c->work;

    return register_unpack(c, o, e) && view_read(o->text, c->arena, &o->after, e) &&
           view_check(o->after, c->arena, e);
}

static bool hold_registered(struct call *c, struct commit_one *o, struct err *e)
{
    if (!folders_of(c, o->after, &o->row, o->folders, &o->n_folders, e))
        return false;
    o->row.uuid = json_get_str(o->after, SV("view-uuid"));
    o->row.metadata_location = o->file;
    once_file(c, &o->row);
    return register_holds(c, o, e);
}

static bool after_understood(struct call *c, const struct err *outcome, struct err *e)
{
    struct view_work *w = c->work;

    if (outcome || !hold_registered(c, &w->one, e) || !check_home(c, w, e))
        return false;
    commit_change(c, &w->one);
    return call_write(c, query_enter, after_enter, e);
}

static bool after_file(struct call *c, const struct err *outcome, struct err *e)
{
    struct view_work *w = c->work;

    return outcome ? register_unread(c, w->one.file, outcome, e)
                   : register_understand(c, &w->one, query_understand, after_understood, e);
}

/* Where the file lies must be nobody's: what is in another's place is not looked at. */
static bool query_file_place(struct call *c, struct store *s, struct err *e)
{
    struct view_work *w = c->work;
    const struct table_name name = path_table(c, &w->one.at.path);
    const struct table_row place = {.location = location_text(&w->folder, c->arena)};
    struct table_change look = {.row = &place, .principal = c->who.name, .now_ms = c->now_ms};

    if (!query_before(c, s, e) || !store_view_overlap(s, &name, &look, c->arena, e))
        return false;
    w->taken = look.overlap.n != 0;
    return true;
}

static bool after_file_place(struct call *c, const struct err *outcome, struct err *e)
{
    struct view_work *w = c->work;
    struct object_ask ask = {.method = HTTP_GET};

    if (outcome && outcome->code == ERR_CONFLICT)
        return name_taken(c, w, e);
    if (outcome)
        return outcome->code == ERR_NOT_FOUND ? call_no_namespace(c, &w->one.at.path.ns, e) : false;
    if (w->taken)
        return err_set(
            e, ERR_DENIED,
            "metadata-location lies in the place of another, or of one that was dropped");
    /* Before the file is looked at: an answer would tell whether it is there. */
    w->one.folders[0] = w->folder;
    w->one.n_folders = 1;
    if (!check_home(c, w, e))
        return false;
    return table_file(c, w->one.file, &w->folder, 1, &ask, e) &&
           call_object(c, &ask, after_file, e);
}

static bool look_at_place(struct call *c, struct err *e)
{
    return call_read(c, query_file_place, after_file_place, e);
}

bool view_register(struct call *c, struct err *e)
{
    struct view_work *w;

    if (!begin_new(c, &w, e))
        return false;
    w->registers = true;
    w->one.file = json_get_str(w->one.request, SV("metadata-location"));
    if (!register_place(c, w->one.file, &w->folder, e))
        return false;
    c->details = register_details(c, w->one.file, false);
    return call_once(c, look_at_place, once_view, e);
}

/* ---- replace ---- */

static bool loaded(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct view_work *w = c->work;
    struct commit_result result;

    if (!view_commit(w->one.at.metadata, w->one.request, c->now_ms, c->arena, &result, e))
        return wrong(c, e);
    w->one.after = result.metadata;
    if (!result.changed) {
        once_file(c, &w->one.at.row);
        return view_answer(c, w->one.old_file, w->one.after);
    }
    return write_next(c, &w->one, e);
}

static bool begin_try(struct call *c, struct err *e)
{
    struct view_work *w = c->work;

    w->one.at.otherwise = commit_unread;
    return view_load(c, &w->one, loaded, e);
}

/* To move a view is to choose a location, as it is for a table. */
static bool demand_moves(struct call *c, const struct view_work *w, struct err *e)
{
    const struct json *updates = json_get(w->one.request, SV("updates"));
    const struct table_path *p = &w->one.at.path;

    for (size_t i = 0; i < json_count(updates); i++) {
        if (commit_moves(json_at(updates, i)) &&
            !call_demand_kind(c, &p->ns, p->table, true, PRIVILEGE_TABLE_SET_LOCATION, e))
            return false;
    }
    return true;
}

bool view_replace(struct call *c, struct err *e)
{
    struct view_work *w;

    if (!begin(c, &w, e))
        return false;
    commit_record(c, &w->one);
    return call_demand(c, &w->one.at.path.ns, w->one.at.path.table, PRIVILEGE_VIEW_WRITE_PROPERTIES,
                       NULL, e) &&
           demand_moves(c, w, e) && call_once(c, begin_try, once_view, e);
}
