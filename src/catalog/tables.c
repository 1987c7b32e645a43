/* tables.c - tables: create, stage, load, exists. */
#include "catalog/replay.h"
#include "catalog/routes.h"
#include "catalog/table_steps.h"
#include "sign/digest.h"

struct table_work {
    struct table_at at; /* first: table_steps.h */
    struct json *request;
    struct sv file; /* of the metadata; empty while staged */
    struct table_change change;
    struct table_row found; /* after a create of unknown outcome */
    struct err refusal;     /* while the file is tidied */
    struct sv namespace_location;
    struct staging staging;
    bool is_view; /* what bears the name is one */
    bool is_held; /* the client holds what a load would say */
};

/* ---- create ---- */

static bool query_namespace(struct call *c, struct store *s, struct err *e)
{
    struct table_work *w = c->work;

    return home_get(c, s, &w->at.path.ns, &w->namespace_location, e);
}

static bool taken(struct call *c, const struct table_work *w, struct sv overlap, struct err *e)
{
    if (overlap.n) {
        c->error_status = 403;
        c->error_type = "ForbiddenException";
        return err_set(e, ERR_DENIED,
                       "the location " SV_FMT
                       " lies in another table's place, or where one was dropped; choose another",
                       SV_ARG(sv_first(w->at.row.location, 150)));
    }
    if (w->is_view)
        return view_in_the_way(c, &w->at.path, e);
    return err_set(e, ERR_CONFLICT, "Table already exists: " SV_FMT,
                   SV_ARG(path_text(c, &w->at.path)));
}

static bool refuse(struct call *c, const struct err *why, struct err *e)
{
    struct table_work *w = c->work;

    if (why->code == ERR_CONFLICT)
        return taken(c, w, w->change.overlap, e);
    if (why->code == ERR_NOT_FOUND)
        return call_no_namespace(c, &w->at.path.ns, e);
    *e = *why;
    return false;
}

static bool after_tidy(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct table_work *w = c->work;

    return refuse(c, &w->refusal, e);
}

/* The file that no table names is taken away, best effort, before the refusal is told. */
static bool tidy(struct call *c, const struct err *why, struct err *e)
{
    struct table_work *w = c->work;
    struct object_ask ask = {.method = HTTP_DELETE};

    w->refusal = *why;
    return (table_file(c, w->file, w->at.folders, w->at.n_folders, &ask, e) &&
            call_object(c, &ask, after_tidy, e)) ||
           refuse(c, &w->refusal, e);
}

static bool created(struct call *c, struct err *e)
{
    struct table_work *w = c->work;

    metadata_remember(c, &w->at.row, w->at.text);
    w->at.is_made = true;
    return table_answer(c, &w->at, &w->at.row, w->at.text, e);
}

static bool unknown(struct call *c, struct err *e)
{
    c->error_status = 500;
    c->error_type = "CommitStateUnknownException";
    return err_set(e, ERR_INTERNAL, "it is not known whether the table was created; look for it");
}

static bool query_found(struct call *c, struct store *s, struct err *e)
{
    struct table_work *w = c->work;
    const struct table_name name = path_table(c, &w->at.path);

    return store_table_get(s, &name, c->arena, &w->found, e);
}

/* The uuid is fresh: a table that bears it is this one, whoever has committed to it since. */
static bool after_look(struct call *c, const struct err *outcome, struct err *e)
{
    struct table_work *w = c->work;
    struct err why = {0};

    if (!outcome && sv_eq_nocase(w->found.uuid, w->at.row.uuid))
        return created(c, e);
    if (!outcome) {
        (void)err_set(&why, ERR_CONFLICT, "another table bears the name");
        return tidy(c, &why, e);
    }
    if (outcome->code == ERR_NOT_FOUND) {
        (void)err_set(&why, ERR_UNAVAILABLE, "the table was not created; try again");
        return tidy(c, &why, e);
    }
    return unknown(c, e);
}

static bool query_insert(struct call *c, struct store *s, struct err *e)
{
    struct table_work *w = c->work;
    const struct table_name name = path_table(c, &w->at.path);

    w->is_view = name_is_views(s, &name, c->arena);
    return store_table_create(s, &name, &w->change, c->arena, e);
}

static bool after_insert(struct call *c, const struct err *outcome, struct err *e)
{
    if (!outcome)
        return created(c, e);
    if (outcome->code == ERR_INTERNAL)
        return call_read_settled(c, query_found, after_look, e) || unknown(c, e);
    return tidy(c, outcome, e);
}

static bool after_put(struct call *c, const struct err *outcome, struct err *e)
{
    if (outcome && outcome->code != ERR_BUSY)
        e->code = ERR_UNAVAILABLE;
    return !outcome && call_write(c, query_insert, after_insert, e);
}

static bool put_first(struct call *c, struct table_work *w, struct err *e)
{
    struct object_ask ask = {.method = HTTP_PUT};

    w->file =
        metadata_file(w->at.metadata, (struct sv){0}, world_uuid(c->world, c->arena), c->arena);
    w->at.row.metadata_location = w->file;
    w->at.text = json_text(c->arena, w->at.metadata);
    if (!metadata_fits(w->at.text, e) ||
        !table_file(c, w->file, w->at.folders, w->at.n_folders, &ask, e))
        return false;
    ask.body = metadata_body(c, w->file, w->at.text);
    w->at.row.metadata_sha256 = sha256_hex(c->arena, ask.body);
    once_file(c, &w->at.row);
    return call_object(c, &ask, after_put, e);
}

static bool query_place(struct call *c, struct store *s, struct err *e)
{
    struct table_work *w = c->work;
    const struct table_name name = path_table(c, &w->at.path);

    w->is_view = name_is_views(s, &name, c->arena);
    return table_is_new(s, &name, c->arena, e) &&
           store_table_overlap(s, &name, &w->change, c->arena, e);
}

static bool after_place(struct call *c, const struct err *outcome, struct err *e)
{
    struct table_work *w = c->work;

    if ((outcome && outcome->code == ERR_CONFLICT) || w->change.overlap.n)
        return taken(c, w, w->change.overlap, e);
    return !outcome && put_first(c, w, e);
}

/* Nothing is written into a place before it is known to be nobody's. The store decides again when
 * the table is entered. */
static bool check_place(struct call *c, struct table_work *w, struct err *e)
{
    w->change =
        (struct table_change){.row = &w->at.row, .principal = c->who.name, .now_ms = c->now_ms};
    return call_read(c, query_place, after_place, e);
}

/* ---- stage ---- */

static bool query_stage(struct call *c, struct store *s, struct err *e)
{
    struct table_work *w = c->work;

    const struct table_name name = path_table(c, &w->at.path);

    w->is_view = name_is_views(s, &name, c->arena);
    return store_stage(s, &name, &w->staging, c->arena, e);
}

static bool after_stage(struct call *c, const struct err *outcome, struct err *e)
{
    struct table_work *w = c->work;

    if (outcome && outcome->code == ERR_CONFLICT)
        return taken(c, w, w->staging.overlap, e);
    if (outcome && outcome->code == ERR_NOT_FOUND)
        return call_no_namespace(c, &w->at.path.ns, e);
    if (outcome)
        return false;
    /* A promise that was prolonged keeps its uuid. */
    json_set_str(w->at.metadata, c->arena, SV("table-uuid"), w->staging.row.uuid);
    return table_answer(c, &w->at, &w->at.row, json_text(c->arena, w->at.metadata), e);
}

/* Every folder that the answer's keys will open. */
static struct staging promise(const struct call *c, const struct table_row *row, struct sv uuid)
{
    return (struct staging){
        .row = {c->who.name, uuid, row->location, keys_end_ms(c), row->extra_locations},
        .now_ms = c->now_ms
    };
}

static bool after_namespace(struct call *c, const struct err *outcome, struct err *e)
{
    struct table_work *w = c->work;
    struct create_options o = {.now_ms = c->now_ms, .uuid = world_uuid(c->world, c->arena)};

    if (outcome)
        return outcome->code == ERR_NOT_FOUND ? call_no_namespace(c, &w->at.path.ns, e) : false;
    o.location = json_get_str(w->request, SV("location"));
    if (!o.location.n)
        o.location = location_choose(c, &w->at.path, w->namespace_location, o.uuid);
    if (!metadata_create(w->request, &o, c->arena, &w->at.metadata, e) ||
        !folders_of(c, w->at.metadata, &w->at.row, w->at.folders, &w->at.n_folders, e) ||
        !home_check(c, &(struct place_ask){.path = &w->at.path, .own = w->namespace_location},
                    w->at.folders, w->at.n_folders, e) ||
        !table_may_answer(c, &w->at, e))
        return false;
    if (!json_bool(json_get(w->request, SV("stage-create")), false))
        return check_place(c, w, e);
    w->staging = promise(c, &w->at.row, o.uuid);
    return once_body(c, o.location, e) && call_write(c, query_stage, after_stage, e);
}

static bool query_promise(struct call *c, struct store *s, struct err *e)
{
    struct table_work *w = c->work;
    const struct table_name name = path_table(c, &w->at.path);

    struct staged_row held = w->staging.row;

    /* The keys that are vended anew may outlive the promise as it was. */
    return store_staged_get(s, &name, c->now_ms, c->arena, &held, e) &&
           store_stage(s, &name, &w->staging, c->arena, e);
}

/* A promise outlives the record: one that is gone was taken up. */
static bool after_promise(struct call *c, const struct err *outcome, struct err *e)
{
    if (outcome && outcome->code == ERR_NOT_FOUND)
        return taken(c, c->work, (struct sv){0}, e);
    return after_stage(c, outcome, e);
}

/* No file tells of it yet: it is made anew as it was then. */
static bool stage_again(struct call *c, struct table_work *w, struct err *e)
{
    const struct answer *known = once_known(c);
    const struct create_options o = {
        .now_ms = known->made_ms, .uuid = SV("promised"), .location = known->body};

    if (!metadata_create(w->request, &o, c->arena, &w->at.metadata, e) ||
        !folders_of(c, w->at.metadata, &w->at.row, w->at.folders, &w->at.n_folders, e))
        return false;
    w->staging = promise(c, &w->at.row, (struct sv){0});
    return call_write(c, query_promise, after_promise, e);
}

static bool create_again(struct call *c, struct err *e)
{
    return once_known(c)->metadata_location.n ? once_table_loaded(c, e)
                                              : stage_again(c, c->work, e);
}

static bool create(struct call *c, struct err *e)
{
    return call_read(c, query_namespace, after_namespace, e);
}

bool table_create(struct call *c, struct err *e)
{
    struct table_work *w = arena_new(c->arena, struct table_work);

    c->work = w;
    if (!table_path(c, &w->at.path, e) || !call_body(c, &w->request, e) ||
        !call_name(c, uri_encoded(c->arena, json_get_str(w->request, SV("name"))),
                   &w->at.path.table, e) ||
        !call_demand(c, &w->at.path.ns, w->at.path.table, PRIVILEGE_TABLE_CREATE, NULL, e))
        return false;
    return call_once(c, create, create_again, e);
}

/* ---- load ---- */

static bool loaded(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct table_work *w = c->work;

    if (w->is_held)
        return table_answer_held(c);
    return table_answer(c, &w->at, &w->at.row, w->at.text, e);
}

static bool found(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct table_work *w = c->work;

    w->is_held = table_is_held(c, &w->at);
    /* People move files of this machine, and one that is gone is told as soon as it is. */
    if (w->is_held && !rule_is_folder(c->catalog->integration))
        return table_answer_held(c);
    return table_text(c, &w->at, loaded, e);
}

static bool load(struct call *c, struct err *e)
{
    return table_find(c, c->work, found, e);
}

bool table_load(struct call *c, struct err *e)
{
    const struct sv *snapshots = form_get(&c->query, SV("snapshots"));
    bool refs_only = snapshots && sv_eq_nocase(*snapshots, SV("refs"));
    struct table_work *w;

    if (snapshots && snapshots->n && !refs_only && !sv_eq_nocase(*snapshots, SV("all")))
        return err_set(e, ERR_INVALID, "snapshots must be all or refs");
    if (table_answer_again(c, refs_only))
        return true;
    w = arena_new(c->arena, struct table_work);
    w->at.refs_only = refs_only;
    w->at.is_load = true;
    c->work = w;
    return table_path(c, &w->at.path, e) &&
           read_demand(c, &w->at.path, PRIVILEGE_TABLE_READ_PROPERTIES, load, e);
}

/* ---- exists ---- */

static bool query_get(struct call *c, struct store *s, struct err *e)
{
    struct table_work *w = c->work;

    const struct table_name name = path_table(c, &w->at.path);

    return store_table_get(s, &name, c->arena, &w->at.row, e);
}

static bool after_done(struct call *c, const struct err *outcome, struct err *e)
{
    struct table_work *w = c->work;

    if (outcome && outcome->code == ERR_NOT_FOUND)
        return call_no_table(c, &w->at.path.ns, w->at.path.table, e);
    return !outcome && call_reply_empty(c, 204);
}

static bool look_for(struct call *c, struct err *e)
{
    return call_read(c, query_get, after_done, e);
}

bool table_exists(struct call *c, struct err *e)
{
    struct table_work *w = arena_new(c->arena, struct table_work);

    c->work = w;
    return table_path(c, &w->at.path, e) &&
           read_demand(c, &w->at.path, PRIVILEGE_TABLE_LIST, look_for, e);
}
