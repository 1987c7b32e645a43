/* replay.c - what was answered with a table or a view, told again from the metadata file that was
 * told then. */
#include "catalog/replay.h"

#include "catalog/routes.h"
#include "catalog/view_steps.h"

struct replay {
    struct commit_one one;        /* first: view_steps.h */
    struct sv now, now_sha256;    /* where the pointer stands */
    bool (*tell)(struct call *c); /* commits alone; NULL: by table_answer or view_answer */
    bool view;
};

/* What is in force may not be refused: who reads a 4xx deletes the files that it wrote. */
static bool cannot_tell(struct call *c, struct err *e)
{
    c->error_status = 500;
    c->error_type = "CommitStateUnknownException";
    return err_set(e, ERR_CONFLICT,
                   "this was carried out before, and what it made cannot be shown; load it");
}

/* ---- telling ---- */

static bool tell_commit(struct call *c)
{
    const struct replay *r = c->work;
    const struct table_at *t = &r->one.at;

    table_tag(c, t, &t->row);
    return metadata_reply(c, t->row.metadata_location, t->text, (struct sv){0});
}

static bool tell(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct replay *r = c->work;
    struct table_at *t = &r->one.at;

    if (r->tell)
        return r->tell(c);
    return r->view ? view_answer(c, t->row.metadata_location, t->metadata)
                   : table_answer(c, t, &t->row, t->text, e);
}

/* ---- reading ---- */

static bool lies_in_its_place(const struct call *c, const struct table_at *t)
{
    struct err ignored = {0};
    struct location file;

    return location_read_file(t->row.metadata_location, c->arena, &file, &ignored) &&
           location_which(t->folders, t->n_folders, &file) >= 0;
}

/* What was recorded without them was said by an older program, and is nothing to compare with. */
static bool knows_its_bytes(const struct replay *r)
{
    const struct table_row *row = &r->one.at.row;

    return row->metadata_sha256.n || sv_eq(row->metadata_location, r->now);
}

static bool read_file(struct call *c, struct replay *r, struct err *e)
{
    struct table_at *t = &r->one.at;

    if (!lies_in_its_place(c, t) || !knows_its_bytes(r))
        return t->otherwise(c, NULL, e);
    return r->view ? view_metadata(c, &r->one, tell, e) : table_text(c, t, tell, e);
}

static bool nothing_left(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    return cannot_tell(c, e);
}

/* The file that was told is gone, as old ones go: what came of it is as good, for who may see it.
 */
static bool read_newer(struct call *c, UNUSED const struct err *outcome, struct err *e)
{
    struct replay *r = c->work;
    struct table_at *t = &r->one.at;
    enum privilege sees =
        r->view ? PRIVILEGE_VIEW_READ_PROPERTIES : PRIVILEGE_TABLE_READ_PROPERTIES;

    if (sv_eq(r->now, t->row.metadata_location) ||
        !call_demand(c, &t->path.ns, t->path.table, sees, NULL, e))
        return cannot_tell(c, e);
    t->otherwise = nothing_left;
    t->row.metadata_location = r->now;
    t->row.metadata_sha256 = r->now_sha256;
    return read_file(c, r, e) || cannot_tell(c, e);
}

/* ---- finding ---- */

static bool query_entry(struct call *c, struct store *s, struct err *e)
{
    struct replay *r = c->work;
    struct table_at *t = &r->one.at;
    const struct table_name name = path_table(c, &t->path);
    struct table_change as_it_is = {.row = &t->row, .now_ms = INT64_MAX};

    if (!(r->view ? store_view_get : store_table_get)(s, &name, c->arena, &t->row, e) ||
        !(r->view ? store_view_overlap : store_table_overlap)(s, &name, &as_it_is, c->arena, e))
        return false;
    t->overlaps = as_it_is.overlap.n != 0;
    return true;
}

/* Another one may bear the name now: it is none of this answer's business. What lies in a place
 * that is not its own, or not allowed any more, is not read. */
static bool after_entry(struct call *c, const struct err *outcome, struct err *e)
{
    const struct answer *known = once_known(c);
    struct replay *r = c->work;
    struct table_at *t = &r->one.at;

    if (outcome || !sv_eq_nocase(t->row.uuid, known->uuid) || t->overlaps)
        return cannot_tell(c, e);
    r->now = t->row.metadata_location;
    r->now_sha256 = t->row.metadata_sha256;
    t->row.metadata_location = known->metadata_location;
    if (!sv_eq(r->now, known->metadata_location))
        t->row.metadata_sha256 = known->metadata_sha256;
    t->otherwise = read_newer;
    return (table_folders(c, t, e) && read_file(c, r, e)) || cannot_tell(c, e);
}

static bool begin(struct call *c, bool view, bool (*tells)(struct call *), struct err *e)
{
    const struct table_at *asked = c->work;
    struct replay *r = arena_new(c->arena, struct replay);

    r->one.at.path = asked->path;
    r->view = view;
    r->tell = tells;
    c->work = r;
    return call_read(c, query_entry, after_entry, e) || cannot_tell(c, e);
}

bool once_table_loaded(struct call *c, struct err *e)
{
    return begin(c, false, NULL, e);
}

bool once_table_committed(struct call *c, struct err *e)
{
    return begin(c, false, tell_commit, e);
}

bool once_view(struct call *c, struct err *e)
{
    return begin(c, true, NULL, e);
}
