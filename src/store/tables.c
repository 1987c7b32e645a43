/* tables.c - table pointers and the folders they hold. */
#include "store/sql.h"

static void bind_name(struct sql *q, const struct table_name *t)
{
    sql_text(q, t->catalog);
    sql_text(q, t->ns);
    sql_text(q, t->name);
}

static void bind_kind(struct sql *q, enum entry kind)
{
    sql_i64(q, kind == ENTRY_VIEW);
    sql_i64(q, kind != ENTRY_TABLE);
}

bool table_find_id(struct store *s, const struct table_name *t, enum entry kind, struct arena *a,
                   struct entry_found *out, struct err *e)
{
    struct sql q;
    bool row = false, ok;

    *out = (struct entry_found){0};
    if (!sql_begin(
            s,
            "SELECT id, metadata_location, metadata_sha256 FROM tables WHERE catalog = ? AND ns = ?"
            " AND name = ? AND kind BETWEEN ? AND ?",
            &q, e))
        return false;
    bind_name(&q, t);
    bind_kind(&q, kind);
    ok = sql_step(&q, &row, e);
    if (ok && row) {
        out->id = sql_column_i64(&q, 0);
        out->metadata = sql_column(&q, 1, a);
        out->sha256 = sql_column(&q, 2, a);
    }
    sql_end(&q);
    return ok;
}

/* ---- looking ---- */

static bool read_extra(struct store *s, int64_t id, struct arena *a, struct table_row *out,
                       struct err *e)
{
    struct sql q;
    bool row = false, ok;

    if (!sql_begin(s, "SELECT folder FROM folders WHERE table_id = ?", &q, e))
        return false;
    sql_i64(&q, id);
    while ((ok = sql_step(&q, &row, e)) && row) {
        struct sv folder = sql_column(&q, 0, a);

        if (!sv_eq(folder, out->location))
            vec_push(&out->extra_locations, a, folder);
    }
    sql_end(&q);
    return ok;
}

/* One row for each of its folders, in one statement: a table that is being moved is seen where it
 * was or where it is, never with the pointer of one and the folders of the other. */
bool entry_get(struct store *s, const struct table_name *t, enum entry kind, struct arena *a,
               struct table_row *out, struct err *e)
{
    struct table_row found = {0};
    struct sql q;
    bool row = false, ok;

    if (!sql_begin(
            s,
            "SELECT t.uuid, t.metadata_location, t.location, f.folder, t.metadata_sha256 FROM tables t"
            " LEFT JOIN folders f ON f.table_id = t.id WHERE t.catalog = ? AND t.ns = ? AND t.name = ?"
            " AND t.kind BETWEEN ? AND ?",
            &q, e))
        return false;
    bind_name(&q, t);
    bind_kind(&q, kind);
    while ((ok = sql_step(&q, &row, e)) && row) {
        struct sv folder = sql_column(&q, 3, a);

        if (!found.location.n) {
            found.uuid = sql_column(&q, 0, a);
            found.metadata_location = sql_column(&q, 1, a);
            found.location = sql_column(&q, 2, a);
            found.metadata_sha256 = sql_column(&q, 4, a);
        }
        if (folder.n && !sv_eq(folder, found.location))
            vec_push(&found.extra_locations, a, folder);
    }
    sql_end(&q);
    if (ok && found.location.n)
        *out = found;
    return ok && (found.location.n || err_set(e, ERR_NOT_FOUND, "no such entry"));
}

bool store_table_get(struct store *s, const struct table_name *t, struct arena *a,
                     struct table_row *out, struct err *e)
{
    return entry_get(s, t, ENTRY_TABLE, a, out, e);
}

bool entry_list(struct store *s, struct entries of, const struct page *page, struct arena *a,
                struct sv_vec *out, struct err *e)
{
    struct sv ignored;
    struct sql q;

    if (!store_namespace_get(s, of.ns, a, &ignored, e) ||
        !sql_begin(s,
                   "SELECT name FROM tables WHERE catalog = ? AND ns = ? AND kind BETWEEN ? AND ?"
                   " AND name > ? ORDER BY name LIMIT ?",
                   &q, e))
        return false;
    sql_text(&q, of.ns->catalog);
    sql_text(&q, of.ns->ns);
    bind_kind(&q, of.kind);
    return sql_list(&q, page, a, out, e);
}

bool store_table_list(struct store *s, const struct ns_name *n, const struct page *page,
                      struct arena *a, struct sv_vec *out, struct err *e)
{
    return entry_list(s, (struct entries){n, ENTRY_TABLE}, page, a, out, e);
}

/* What staged_find looks for: the promise that this change takes up. */
static struct staging promise_of(const struct table_change *c)
{
    struct staging g = {.now_ms = c->now_ms};

    g.row.principal = c->principal;
    g.row.location = c->row->location;
    return g;
}

bool entry_overlap(struct store *s, const struct table_name *t, enum entry kind,
                   struct table_change *c, struct arena *a, struct err *e)
{
    struct owner me = {.now_ms = c->now_ms, .name = t, .kind = kind};
    struct entry_found found;
    struct staging g = promise_of(c);

    c->overlap = (struct sv){0};
    if (!table_find_id(s, t, kind, a, &found, e) ||
        (kind == ENTRY_TABLE && !staged_find(s, t, &g, a, &me.staged, e)))
        return false;
    me.table = found.id;
    if (!folder_overlap(s, c->row->location, &me, a, &c->overlap, e))
        return false;
    for (size_t i = 0; i < c->row->extra_locations.n && !c->overlap.n; i++) {
        if (!folder_overlap(s, c->row->extra_locations.p[i], &me, a, &c->overlap, e))
            return false;
    }
    return true;
}

bool store_table_overlap(struct store *s, const struct table_name *t, struct table_change *c,
                         struct arena *a, struct err *e)
{
    return entry_overlap(s, t, ENTRY_TABLE, c, a, e);
}

/* ---- changing ---- */

static bool claim(struct store *s, int64_t id, struct sv folder, int64_t held_ms, struct err *e)
{
    struct sql q;

    if (!sql_begin(s, "INSERT INTO folders (folder, table_id, held_ms) VALUES (?, ?, ?)", &q, e))
        return false;
    sql_text(&q, folder);
    sql_i64(&q, id);
    sql_i64(&q, held_ms);
    return sql_do(&q, e);
}

/* `promise` is the staged place that it takes up; 0: none. */
static bool claim_all(struct store *s, const struct entry_change *c, int64_t id, int64_t promise,
                      struct err *e)
{
    const struct table_row *row = c->change->row;
    const struct owner me = {.table = id,
                             .staged = promise,
                             .now_ms = c->change->now_ms,
                             .name = c->name,
                             .kind = c->kind};
    struct sv *who = &c->change->overlap;

    if (!dropped_take_up(s, c, e))
        return false;
    for (size_t i = 0; i < row_folders(row); i++) {
        if (!folder_free(s, row_folder(row, i), &me, c->arena, who, e) ||
            !claim(s, id, row_folder(row, i), c->held_ms[i], e))
            return false;
    }
    return true;
}

/* A view takes up none: keys for a promised place may live, and none may reach a view's. A table's
 * place is to be remembered until they have ended, whatever becomes of the table. */
static bool take_up_promise(struct store *s, const struct entry_change *c, int64_t *id,
                            struct err *e)
{
    struct staging g = promise_of(c->change);

    *id = 0;
    if (c->kind == ENTRY_VIEW)
        return true;
    if (!staged_find(s, c->name, &g, c->arena, id, e))
        return false;
    for (size_t i = 0; *id && i < row_folders(c->change->row); i++)
        c->held_ms[i] = g.row.expires_ms;
    return !*id || staged_take_up(s, *id, c->change->row, c->arena, e);
}

static struct entry_change with_times(const struct entry_change *c)
{
    struct entry_change all = *c;

    all.held_ms = arena_array(c->arena, int64_t, row_folders(c->change->row));
    return all;
}

bool entry_create(struct store *s, const struct entry_change *change, struct err *e)
{
    const struct entry_change all = with_times(change), *c = &all;
    const struct table_name *t = c->name;
    const struct table_row *row = c->change->row;
    struct sv ignored;
    struct sql q;
    int64_t id = 0, promise;

    if (!store_namespace_get(s, &(struct ns_name){t->catalog, t->ns}, c->arena, &ignored, e) ||
        !take_up_promise(s, c, &promise, e) ||
        !sql_begin(
            s,
            "INSERT INTO tables (catalog, ns, name, uuid, metadata_location, location, metadata_sha256,"
            " kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            &q, e))
        return false;
    bind_name(&q, t);
    sql_text(&q, row->uuid);
    sql_text(&q, row->metadata_location);
    sql_text(&q, row->location);
    sql_text(&q, row->metadata_sha256);
    sql_i64(&q, c->kind);
    return sql_insert(&q, &id, e) && claim_all(s, c, id, promise, e);
}

static bool create(struct store *s, void *context, struct err *e)
{
    return entry_create(s, context, e);
}

bool store_table_create(struct store *s, const struct table_name *t, struct table_change *c,
                        struct arena *a, struct err *e)
{
    c->overlap = (struct sv){0};
    return sql_transaction(s, create, &(struct entry_change){t, c, a, ENTRY_TABLE, NULL}, e);
}

static bool update_row(struct store *s, const struct table_row *row, int64_t id, struct err *e)
{
    struct sql q;

    if (!sql_begin(
            s,
            "UPDATE tables SET metadata_location = ?, location = ?, uuid = ?, metadata_sha256 = ?"
            " WHERE id = ?",
            &q, e))
        return false;
    sql_text(&q, row->metadata_location);
    sql_text(&q, row->location);
    sql_text(&q, row->uuid);
    sql_text(&q, row->metadata_sha256);
    sql_i64(&q, id);
    return sql_do(&q, e);
}

static bool drop_folders(struct store *s, int64_t id, struct err *e)
{
    struct sql q;

    if (!sql_begin(s, "DELETE FROM folders WHERE table_id = ?", &q, e))
        return false;
    sql_i64(&q, id);
    return sql_do(&q, e);
}

/* The row's id, when what must be in force is. */
static bool compare(struct store *s, const struct entry_change *c, int64_t *id, struct err *e)
{
    struct entry_found found;

    if (!table_find_id(s, c->name, c->kind, c->arena, &found, e))
        return false;
    *id = found.id;
    if (!found.id)
        return err_set(e, ERR_NOT_FOUND, "no such table");
    return (sv_eq(found.metadata, c->change->old_metadata_location) &&
            (!found.sha256.n || sv_eq(found.sha256, c->change->old_metadata_sha256))) ||
           err_set(e, ERR_CONFLICT, "another commit was first");
}

static bool has_folder(const struct sv_vec *folders, struct sv folder)
{
    for (size_t i = 0; i < folders->n; i++) {
        if (sv_eq(folders->p[i], folder))
            return true;
    }
    return false;
}

static bool owns_just(const struct sv_vec *owned, const struct table_row *row)
{
    if (owned->n != 1 + row->extra_locations.n || !has_folder(owned, row->location))
        return false;
    for (size_t i = 0; i < row->extra_locations.n; i++) {
        if (!has_folder(owned, row->extra_locations.p[i]))
            return false;
    }
    return true;
}

/* What it keeps it lets go of, to claim it again: with the time that was known of it. */
static bool keep_below(struct store *s, const struct entry_change *c, int64_t id, size_t i,
                       struct err *e)
{
    static const char *const texts[] = {
        "SELECT held_ms FROM folders WHERE table_id = ? AND folder >= ? AND folder < ?"
        " ORDER BY held_ms DESC LIMIT 1",
        "DELETE FROM folders WHERE table_id = ? AND folder >= ? AND folder < ?"};
    const struct sv folder = row_folder(c->change->row, i);

    for (int step = 0; step < 2; step++) {
        struct sql q;

        if (!sql_begin(s, texts[step], &q, e))
            return false;
        sql_i64(&q, id);
        sql_text(&q, folder);
        sql_text(&q, folder_end(folder, c->arena));
        if (!(step ? sql_do(&q, e) : sql_raise(&q, &c->held_ms[i], e)))
            return false;
    }
    return true;
}

static bool move_folders(struct store *s, const struct entry_change *change, int64_t id,
                         struct err *e)
{
    const struct entry_change with = with_times(change), *c = &with;
    struct table_row all = {0}; /* without a location all folders are extra */

    if (!read_extra(s, id, c->arena, &all, e))
        return false;
    if (owns_just(&all.extra_locations, c->change->row))
        return true;
    for (size_t i = 0; i < row_folders(c->change->row); i++) {
        if (!keep_below(s, c, id, i, e))
            return false;
    }
    return (!c->change->leaves || dropped_remember(s, id, c->change->leaves, e)) &&
           drop_folders(s, id, e) && claim_all(s, c, id, 0, e);
}

enum { FOLDERS_IN_ONE = 8 };

/* The first is always the location; what is empty is nobody's folder. */
static void bind_folders(struct sql *q, const struct sv_vec *extra)
{
    sql_i64(q, 1 + (int64_t)extra->n);
    for (size_t i = 0; i < FOLDERS_IN_ONE - 1; i++)
        sql_text(q, i < extra->n ? extra->p[i] : (struct sv){0});
}

const char entry_swap_text[] =
    "UPDATE tables SET metadata_location = ?1, uuid = ?2, metadata_sha256 = ?17 WHERE catalog = ?3"
    " AND ns = ?4 AND name = ?5 AND kind = ?6 AND metadata_location = ?7 AND location = ?8"
    " AND (SELECT count(*) FROM folders f WHERE f.table_id = tables.id) = ?9"
    " AND (SELECT count(*) FROM folders f WHERE f.table_id = tables.id"
    " AND f.folder IN (?8, ?10, ?11, ?12, ?13, ?14, ?15, ?16)) = ?9"
    " AND metadata_sha256 IN ('', ?18)";

static bool swap_in_place(struct store *s, const struct entry_change *c, bool *done, struct err *e)
{
    const struct table_row *row = c->change->row;
    struct sql q;

    *done = false;
    if (row->extra_locations.n >= FOLDERS_IN_ONE)
        return true;
    if (!sql_begin(s, entry_swap_text, &q, e))
        return false;
    sql_text(&q, row->metadata_location);
    sql_text(&q, row->uuid);
    bind_name(&q, c->name);
    sql_i64(&q, c->kind);
    sql_text(&q, c->change->old_metadata_location);
    sql_text(&q, row->location);
    bind_folders(&q, &row->extra_locations);
    sql_text(&q, row->metadata_sha256);
    sql_text(&q, c->change->old_metadata_sha256);
    if (!sql_do(&q, e))
        return false;
    *done = sql_changes(s) == 1;
    return true;
}

bool entry_swap(struct store *s, const struct entry_change *c, struct err *e)
{
    bool done;
    int64_t id;

    if (!swap_in_place(s, c, &done, e))
        return false;
    return done || (compare(s, c, &id, e) && update_row(s, c->change->row, id, e) &&
                    move_folders(s, c, id, e));
}

static bool swap(struct store *s, void *context, struct err *e)
{
    return entry_swap(s, context, e);
}

bool store_table_swap(struct store *s, const struct table_name *t, struct table_change *c,
                      struct arena *a, struct err *e)
{
    c->overlap = (struct sv){0};
    return sql_transaction(s, swap, &(struct entry_change){t, c, a, ENTRY_TABLE, NULL}, e);
}

struct several {
    const struct table_step *steps;
    size_t n, *failed;
    struct arena *arena;
};

static bool take_step(struct store *s, const struct table_step *step, struct arena *a,
                      struct err *e)
{
    const struct entry_change c = {&step->name, step->change, a, ENTRY_TABLE, NULL};
    int64_t id;

    step->change->overlap = (struct sv){0};
    switch (step->kind) {
    case STEP_CREATE:
        return entry_create(s, &c, e);
    case STEP_SWAP:
        return entry_swap(s, &c, e);
    case STEP_KEEP:
        return compare(s, &c, &id, e);
    }
    return false;
}

static bool take_steps(struct store *s, void *context, struct err *e)
{
    const struct several *all = context;

    for (size_t i = 0; i < all->n; i++) {
        *all->failed = i;
        if (!take_step(s, &all->steps[i], all->arena, e))
            return false;
    }
    return true;
}

bool store_tables_commit(struct store *s, const struct table_step *steps, size_t n, struct arena *a,
                         size_t *failed, struct err *e)
{
    *failed = 0;
    return sql_transaction(s, take_steps, &(struct several){steps, n, failed, a}, e);
}
