/* views.c - views: load, exists, drop. */
#include "catalog/routes.h"
#include "catalog/view_steps.h"
#include "serve/once.h"

bool view_missing(struct call *c, const struct table_path *path, struct err *e)
{
    c->error_type = "NoSuchViewException";
    return err_set(e, ERR_NOT_FOUND, "View does not exist: " SV_FMT, SV_ARG(path_text(c, path)));
}

bool view_answer(struct call *c, struct sv file, struct json *metadata)
{
    struct json *result = json_new_object(c->arena);

    json_set_str(result, c->arena, SV("metadata-location"), file);
    json_set(result, SV("metadata"), metadata);
    json_set(result, SV("config"), json_new_object(c->arena));
    return call_reply_json(c, 200, result);
}

/* ---- load ---- */

static bool unread(struct call *c, const struct err *outcome, struct err *e)
{
    const struct commit_one *o = c->work;

    return o->at.otherwise ? o->at.otherwise(c, outcome, e)
                           : metadata_unread(c, &o->at, outcome, e);
}

static bool query_understand(struct call *c, UNUSED struct store *s, struct err *e)
{
    struct commit_one *o = c->work;

    return (o->at.is_kept || metadata_is_committed(c, &o->at, o->at.whole, e)) &&
           metadata_unpack(c, &o->at.whole, e) &&
           view_read(o->at.whole, c->arena, &o->at.metadata, e) && metadata_agrees(c, &o->at, e);
}

static bool go_on(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    const struct commit_one *o = c->work;

    if (!o->at.is_kept)
        metadata_remember(c, &o->at.row, o->at.whole);
    return o->at.then(c, NULL, e);
}

static bool after_understood(struct call *c, const struct err *outcome, struct err *e)
{
    struct commit_one *o = c->work;

    if (outcome && o->at.tampered)
        metadata_tampered(c, &o->at);
    return outcome ? unread(c, NULL, e) : metadata_enter(c, &o->at, go_on, e);
}

static bool understand(struct call *c, struct commit_one *o, struct sv text, struct err *e)
{
    o->at.whole = text;
    return call_compute(c, metadata_is_large(text), query_understand, after_understood, e);
}

static bool after_file(struct call *c, const struct err *outcome, struct err *e)
{
    return outcome ? unread(c, outcome, e) : understand(c, c->work, call_content(c), e);
}

static bool query_view(struct call *c, struct store *s, struct err *e)
{
    struct commit_one *o = c->work;
    const struct table_name name = path_table(c, &o->at.path);
    struct table_change as_it_is = {.row = &o->at.row, .now_ms = INT64_MAX};

    if (!store_view_get(s, &name, c->arena, &o->at.row, e) ||
        !store_view_overlap(s, &name, &as_it_is, c->arena, e))
        return false;
    o->at.overlaps = as_it_is.overlap.n != 0;
    return true;
}

bool view_metadata(struct call *c, struct commit_one *o, call_then_fn *then, struct err *e)
{
    struct object_ask ask = {.method = HTTP_GET};
    struct sv known;

    o->at.then = then;
    o->at.is_view = true;
    o->at.tampered = NULL;
    o->at.is_kept = metadata_known(c, &o->at.row, false, &known);
    if (o->at.is_kept)
        return understand(c, o, known, e);
    return table_file(c, o->at.row.metadata_location, o->at.folders, o->at.n_folders, &ask, e) &&
           call_object(c, &ask, after_file, e);
}

/* A view's text decides what others run: it is not read from where somebody else may write. */
static bool after_view(struct call *c, const struct err *outcome, struct err *e)
{
    struct commit_one *o = c->work;

    if (outcome)
        return outcome->code == ERR_NOT_FOUND ? view_missing(c, &o->at.path, e) : false;
    if (o->at.overlaps)
        return err_set(e, ERR_DENIED, "the view's location lies in another's place");
    o->old_file = o->at.row.metadata_location;
    return table_folders(c, &o->at, e) && view_metadata(c, o, o->at.then, e);
}

bool view_load(struct call *c, struct commit_one *o, call_then_fn *then, struct err *e)
{
    o->at.then = then;
    return call_read(c, query_view, after_view, e);
}

static bool begin(struct call *c, struct commit_one **out, struct err *e)
{
    *out = arena_new(c->arena, struct commit_one);
    c->work = *out;
    return table_path(c, &(*out)->at.path, e);
}

static bool begin_read(struct call *c, enum privilege p, call_fn *go, struct err *e)
{
    struct commit_one *o;

    return begin(c, &o, e) && read_demand(c, &o->at.path, p, go, e);
}

static bool show(struct call *c, UNUSED const struct err *outcome, UNUSED struct err *e)
{
    const struct commit_one *o = c->work;

    http_header_add(&c->out.headers, c->arena, SV("Cache-Control"), SV("no-store"));
    return view_answer(c, o->old_file, o->at.metadata);
}

static bool load(struct call *c, struct err *e)
{
    return view_load(c, c->work, show, e);
}

bool view_show(struct call *c, struct err *e)
{
    return begin_read(c, PRIVILEGE_VIEW_READ_PROPERTIES, load, e);
}

/* ---- exists, drop ---- */

static bool after_done(struct call *c, const struct err *outcome, struct err *e)
{
    const struct commit_one *o = c->work;

    if (outcome)
        return outcome->code == ERR_NOT_FOUND ? view_missing(c, &o->at.path, e) : false;
    return call_reply_empty(c, 204);
}

static bool look_for(struct call *c, struct err *e)
{
    return call_read(c, query_view, after_done, e);
}

bool view_exists(struct call *c, struct err *e)
{
    return begin_read(c, PRIVILEGE_VIEW_LIST, look_for, e);
}

static bool query_drop(struct call *c, struct store *s, struct err *e)
{
    const struct commit_one *o = c->work;
    const struct table_name name = path_table(c, &o->at.path);
    const struct dropping how = dropping_of(c, false);

    return store_view_drop(s, &name, &how, e);
}

static bool drop(struct call *c, struct err *e)
{
    return call_write(c, query_drop, after_done, e);
}

bool view_drop(struct call *c, struct err *e)
{
    struct commit_one *o;

    return begin(c, &o, e) &&
           call_demand(c, &o->at.path.ns, o->at.path.table, PRIVILEGE_VIEW_DROP, NULL, e) &&
           call_once(c, drop, NULL, e);
}
