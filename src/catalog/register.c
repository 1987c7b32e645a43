/* register.c - POST .../register: a table from a metadata file that lies in the bucket already. */
#include "catalog/register_steps.h"
#include "catalog/replay.h"
#include "catalog/routes.h"

struct register_work {
    struct commit_one one; /* first: table_steps.h. `at.row` is what stands there now */
    bool overwrite;
    struct location folder; /* the file's */
    struct sv namespace_location;
    bool is_view;           /* what bears the name is one */
    bool taken;             /* ... lies in another table's place */
    struct table_row found; /* after a write of unknown outcome */
};

/* ---- entering it ---- */

static bool done(struct call *c, struct err *e)
{
    struct register_work *w = c->work;
    struct table_at *t = &w->one.at;

    t->is_made = true;
    return table_answer(c, t, &w->one.row, w->one.text, e);
}

static bool name_taken(struct call *c, struct err *e)
{
    const struct table_path *p = &((struct register_work *)c->work)->one.at.path;

    return err_set(e, ERR_CONFLICT, "Table already exists: " SV_FMT, SV_ARG(path_text(c, p)));
}

static bool refuse(struct call *c, const struct err *why, struct err *e)
{
    struct register_work *w = c->work;

    if (w->one.change.overlap.n)
        return err_set(e, ERR_DENIED,
                       "the table that this file describes lies in another table's place");
    if (why->code == ERR_CONFLICT && w->one.creates)
        return name_taken(c, e);
    if (why->code == ERR_CONFLICT || (why->code == ERR_NOT_FOUND && !w->one.creates)) {
        c->error_type = "CommitFailedException";
        return err_set(e, ERR_CONFLICT, "the table was changed meanwhile; look and try again");
    }
    return why->code == ERR_NOT_FOUND ? call_no_namespace(c, &w->one.at.path.ns, e) : false;
}

static bool query_found(struct call *c, struct store *s, struct err *e)
{
    struct register_work *w = c->work;
    const struct table_name name = path_table(c, &w->one.at.path);

    return store_table_get(s, &name, c->arena, &w->found, e);
}

static bool unknown(struct call *c, struct err *e)
{
    c->error_status = 500;
    c->error_type = "CommitStateUnknownException";
    return err_set(e, ERR_INTERNAL, "it is not known whether the table was registered; load it");
}

/* One that is registered again under its name differs by its bytes alone. */
static bool is_file_of(const struct table_row *x, const struct table_row *y)
{
    return sv_eq(x->metadata_location, y->metadata_location) &&
           sv_eq(x->metadata_sha256, y->metadata_sha256);
}

static bool after_look(struct call *c, const struct err *outcome, struct err *e)
{
    struct register_work *w = c->work;
    bool absent = outcome && outcome->code == ERR_NOT_FOUND && w->one.creates;

    if (!outcome && is_file_of(&w->found, &w->one.row))
        return done(c, e);
    if (absent || (!outcome && is_file_of(&w->found, &w->one.at.row)))
        return err_set(e, ERR_UNAVAILABLE, "the table was not registered; try again");
    return unknown(c, e);
}

static bool query_enter(struct call *c, struct store *s, struct err *e)
{
    struct commit_one *o = c->work;
    const struct table_name name = path_table(c, &o->at.path);

    return o->creates ? store_table_create(s, &name, &o->change, c->arena, e)
                      : store_table_swap(s, &name, &o->change, c->arena, e);
}

static bool after_enter(struct call *c, const struct err *outcome, struct err *e)
{
    if (!outcome)
        return done(c, e);
    if (outcome->code == ERR_INTERNAL)
        return call_read_settled(c, query_found, after_look, e) || unknown(c, e);
    return refuse(c, outcome, e);
}

/* ---- reading it ---- */

static bool query_understand(struct call *c, UNUSED struct store *s, struct err *e)
{
    struct commit_one *o = c->work;

    return register_unpack(c, o, e) &&
           metadata_read_foreign(o->text, c->arena, &o->after, &o->text, e);
}

static bool is_same(const struct register_work *w, struct err *e)
{
    if (!w->one.creates &&
        !sv_eq_nocase(json_get_str(w->one.after, SV("table-uuid")), w->one.at.row.uuid))
        return err_set(
            e, ERR_CONFLICT, "the file is another table's: its UUID is " SV_FMT ", not " SV_FMT,
            SV_ARG(json_get_str(w->one.after, SV("table-uuid"))), SV_ARG(w->one.at.row.uuid));
    return true;
}

/* The keys of the answer are for what it will be. */
static bool may_answer(struct call *c, struct commit_one *o, struct err *e)
{
    for (size_t i = 0; i < o->n_folders; i++)
        o->at.folders[i] = o->folders[i];
    o->at.n_folders = o->n_folders;
    return table_may_answer(c, &o->at, e);
}

/* An overwritten table may have been put elsewhere by whoever may. */
static bool check_home(struct call *c, const struct register_work *w,
                       const struct location *folders, size_t n, struct err *e)
{
    const struct table_at *t = &w->one.at;
    const struct place_ask ask = {
        .path = &t->path, .own = w->namespace_location, .kept = t->folders, .n_kept = t->n_folders};

    return home_check(c, &ask, folders, n, e);
}

static bool after_understood(struct call *c, const struct err *outcome, struct err *e)
{
    struct register_work *w = c->work;

    if (outcome || !is_same(w, e) || !commit_claims(c, &w->one, e) ||
        !register_holds(c, &w->one, e) || !check_home(c, w, w->one.folders, w->one.n_folders, e) ||
        !may_answer(c, &w->one, e))
        return false;
    w->one.row.metadata_location = w->one.file;
    once_file(c, &w->one.row);
    commit_change(c, &w->one);
    return call_write(c, query_enter, after_enter, e);
}

static bool after_file(struct call *c, const struct err *outcome, struct err *e)
{
    struct register_work *w = c->work;

    return outcome ? register_unread(c, w->one.file, outcome, e)
                   : register_understand(c, &w->one, query_understand, after_understood, e);
}

/* ---- before anything is read ---- */

/* Where the file lies must be nobody else's: what is in another table's place is not looked at. */
static bool query_before(struct call *c, struct store *s, struct err *e)
{
    struct register_work *w = c->work;
    const struct table_name name = path_table(c, &w->one.at.path);
    const struct table_row place = {.location = location_text(&w->folder, c->arena)};
    struct table_change look = {.row = &place, .principal = c->who.name, .now_ms = c->now_ms};
    struct err why = {0};

    if (!home_get(c, s, &w->one.at.path.ns, &w->namespace_location, e))
        return false;
    w->one.creates = !store_table_get(s, &name, c->arena, &w->one.at.row, &why);
    if (w->one.creates && why.code != ERR_NOT_FOUND) {
        *e = why;
        return false;
    }
    if (!store_table_overlap(s, &name, &look, c->arena, e))
        return false;
    w->taken = look.overlap.n != 0;
    w->is_view = name_is_views(s, &name, c->arena);
    return true;
}

static bool after_before(struct call *c, const struct err *outcome, struct err *e)
{
    struct register_work *w = c->work;
    struct object_ask ask = {.method = HTTP_GET};

    if (outcome)
        return outcome->code == ERR_NOT_FOUND ? call_no_namespace(c, &w->one.at.path.ns, e) : false;
    if (w->is_view)
        return view_in_the_way(c, &w->one.at.path, e);
    if (!w->one.creates && !w->overwrite)
        return name_taken(c, e);
    if (w->taken)
        return err_set(
            e, ERR_DENIED,
            "metadata-location lies in the place of another table, or of one that was dropped");
    w->one.old_file = w->one.at.row.metadata_location;
    /* Before the file is looked at: an answer would tell whether it is there. */
    return (w->one.creates || table_folders(c, &w->one.at, e)) &&
           check_home(c, w, &w->folder, 1, e) &&
           table_file(c, w->one.file, &w->folder, 1, &ask, e) &&
           call_object(c, &ask, after_file, e);
}

static bool check_rights(struct call *c, const struct register_work *w, struct err *e)
{
    static const enum privilege over[] = {PRIVILEGE_TABLE_DROP, PRIVILEGE_TABLE_WRITE_DATA};
    const struct table_path *p = &w->one.at.path;

    for (size_t i = 0; w->overwrite && i < sizeof(over) / sizeof(over[0]); i++) {
        if (!call_demand(c, &p->ns, p->table, over[i], NULL, e))
            return false;
    }
    return call_demand(c, &p->ns, p->table, PRIVILEGE_TABLE_CREATE, NULL, e);
}

static bool begin(struct call *c, struct err *e)
{
    return call_read(c, query_before, after_before, e);
}

bool table_register(struct call *c, struct err *e)
{
    struct register_work *w = arena_new(c->arena, struct register_work);
    struct json *body;

    c->work = w;
    if (!table_path(c, &w->one.at.path, e) || !call_body(c, &body, e) ||
        !call_name(c, uri_encoded(c->arena, json_get_str(body, SV("name"))), &w->one.at.path.table,
                   e))
        return false;
    w->overwrite = json_bool(json_get(body, SV("overwrite")), false);
    w->one.file = json_get_str(body, SV("metadata-location"));
    if (!check_rights(c, w, e) || !register_place(c, w->one.file, &w->folder, e))
        return false;
    c->details = register_details(c, w->one.file, w->overwrite);
    return call_once(c, begin, once_table_loaded, e);
}
