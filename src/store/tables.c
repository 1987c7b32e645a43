/* tables.c - table pointers, the folders they hold, and staged creates. */
#include "store/sql.h"

enum { NOBODY = -1 };

/* ---- folders ---- */

static bool ask_who(struct sql *q, struct arena *a, struct sv *who, struct err *e)
{
    bool row = false, ok = sql_step(q, &row, e);

    if (ok && row)
        *who = sql_column(q, 0, a);
    sql_end(q);
    return ok;
}

#define OWNERS                                                                                                \
    "SELECT coalesce(t.catalog || '/' || t.ns || '.' || t.name, s.catalog || '/' || s.ns || '.' || s.name)"   \
    " FROM folders f LEFT JOIN tables t ON t.id = f.table_id LEFT JOIN staged s ON s.id = f.staged_id WHERE " \
    "(f.table_id IS NULL OR f.table_id <> ?) AND (f.staged_id IS NULL OR (f.staged_id <> ? AND s.expires_ms > ?)) AND "

static bool ask_folder(struct store *s, const char *text, struct sv from, struct sv to,
                       const int64_t *but, struct arena *a, struct sv *who, struct err *e)
{
    struct sql q;

    if (!sql_begin(s, text, &q, e))
        return false;
    for (int i = 0; i < 3; i++)
        sql_i64(&q, but[i]);
    sql_text(&q, from);
    if (to.n)
        sql_text(&q, to);
    return ask_who(&q, a, who, e);
}

/* A folder ends in '/': what lies below it sorts between it and the same text with '0', the next
 * byte. */
bool folder_overlap(struct store *s, struct sv folder, int64_t but_table, int64_t but_staged,
                    int64_t now_ms, struct arena *a, struct sv *who, struct err *e)
{
    const int64_t but[] = {but_table, but_staged, now_ms};
    struct sv end = arena_printf(a, SV_FMT "0", SV_ARG(sv_first(folder, folder.n - 1)));

    *who = (struct sv){0};
    if (!ask_folder(s, OWNERS "f.folder >= ? AND f.folder < ? LIMIT 1", folder, end, but, a, who,
                    e))
        return false;
    for (size_t n = sizeof("s3://") - 1; !who->n && n < folder.n; n++) {
        if (folder.p[n] == '/' &&
            !ask_folder(s, OWNERS "f.folder = ? LIMIT 1", sv_first(folder, n + 1), (struct sv){0},
                        but, a, who, e))
            return false;
    }
    return true;
}

static bool claim(struct store *s, struct sv folder, const char *text, int64_t id, struct err *e)
{
    struct sql q;
    bool row, ok;

    if (!sql_begin(s, text, &q, e))
        return false;
    sql_text(&q, folder);
    sql_i64(&q, id);
    ok = sql_step(&q, &row, e);
    sql_end(&q);
    return ok;
}

/* ---- tables ---- */

struct table_change {
    struct sv catalog, ns, name, old;
    const struct table_row *row;
    struct arena *arena;
    struct sv *overlap;
    int64_t now_ms;
};

/* The row's id; 0 when there is none. */
static bool table_id(struct store *s, const struct table_change *c, int64_t *id,
                     struct sv *metadata, struct err *e)
{
    struct sql q;
    bool row = false, ok;

    *id = 0;
    if (!sql_begin(
            s, "SELECT id, metadata_location FROM tables WHERE catalog = ? AND ns = ? AND name = ?",
            &q, e))
        return false;
    sql_text(&q, c->catalog);
    sql_text(&q, c->ns);
    sql_text(&q, c->name);
    ok = sql_step(&q, &row, e);
    if (ok && row) {
        *id = sql_column_i64(&q, 0);
        *metadata = sql_column(&q, 1, c->arena);
    }
    sql_end(&q);
    return ok;
}

/* Staged creates of the same name are what this create fulfils: their folders are no obstacle. */
static bool drop_staged(struct store *s, const struct table_change *c, struct err *e)
{
    return sql_run(s, "DELETE FROM staged WHERE catalog = ? AND ns = ? AND name = ?",
                   (const struct sv[]){c->catalog, c->ns, c->name}, 3, e);
}

static bool check_free(struct store *s, const struct table_change *c, struct sv folder, int64_t id,
                       struct err *e)
{
    if (!folder_overlap(s, folder, id, NOBODY, c->now_ms, c->arena, c->overlap, e))
        return false;
    return !c->overlap->n || err_set(e, ERR_CONFLICT, "the location is taken by another table");
}

static bool claim_all(struct store *s, const struct table_change *c, int64_t id, struct err *e)
{
    static const char text[] = "INSERT INTO folders (folder, table_id) VALUES (?, ?)";

    if (!check_free(s, c, c->row->location, id, e) || !claim(s, c->row->location, text, id, e))
        return false;
    for (size_t i = 0; i < c->row->extra_locations.n; i++) {
        if (!check_free(s, c, c->row->extra_locations.p[i], id, e) ||
            !claim(s, c->row->extra_locations.p[i], text, id, e))
            return false;
    }
    return true;
}

static bool create(struct store *s, void *context, struct err *e)
{
    const struct table_change *c = context;
    struct sv ignored;
    int64_t id;

    if (!store_namespace_get(s, c->catalog, c->ns, c->arena, &ignored, e) || !drop_staged(s, c, e))
        return false;
    if (!sql_run(
            s,
            "INSERT INTO tables (catalog, ns, name, uuid, metadata_location, location) VALUES (?, ?, ?, ?, ?, ?)",
            (const struct sv[]){c->catalog, c->ns, c->name, c->row->uuid, c->row->metadata_location,
                                c->row->location},
            6, e))
        return false;
    id = sqlite3_last_insert_rowid(s->db);
    return claim_all(s, c, id, e);
}

bool store_table_create(struct store *s, struct sv catalog, struct sv ns, struct sv name,
                        const struct table_row *row, struct arena *a, struct sv *overlap,
                        struct err *e)
{
    *overlap = (struct sv){0};
    return sql_transaction(s, create,
                           &(struct table_change){catalog, ns, name, {0}, row, a, overlap, 0}, e);
}

static bool swap(struct store *s, void *context, struct err *e)
{
    const struct table_change *c = context;
    struct sv current = {0};
    struct sql q;
    int64_t id;
    bool row, ok;

    if (!table_id(s, c, &id, &current, e))
        return false;
    if (!id)
        return err_set(e, ERR_NOT_FOUND, "no such table");
    if (!sv_eq(current, c->old))
        return err_set(e, ERR_CONFLICT, "another commit was first");
    if (!sql_begin(s,
                   "UPDATE tables SET metadata_location = ?, location = ?, uuid = ? WHERE id = ?",
                   &q, e))
        return false;
    sql_text(&q, c->row->metadata_location);
    sql_text(&q, c->row->location);
    sql_text(&q, c->row->uuid);
    sql_i64(&q, id);
    ok = sql_step(&q, &row, e);
    sql_end(&q);
    if (!ok || !sql_begin(s, "DELETE FROM folders WHERE table_id = ?", &q, e))
        return false;
    sql_i64(&q, id);
    ok = sql_step(&q, &row, e);
    sql_end(&q);
    return ok && claim_all(s, c, id, e);
}

bool store_table_swap(struct store *s, struct sv catalog, struct sv ns, struct sv name,
                      struct sv old_metadata_location, const struct table_row *row, struct arena *a,
                      struct sv *overlap, struct err *e)
{
    *overlap = (struct sv){0};
    return sql_transaction(
        s, swap,
        &(struct table_change){catalog, ns, name, old_metadata_location, row, a, overlap, 0}, e);
}

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

bool store_table_get(struct store *s, struct sv catalog, struct sv ns, struct sv name,
                     struct arena *a, struct table_row *out, struct err *e)
{
    struct table_row found = {0};
    struct sql q;
    bool row = false, ok;
    int64_t id = 0;

    if (!sql_begin(
            s,
            "SELECT id, uuid, metadata_location, location FROM tables WHERE catalog = ? AND ns = ? AND name = ?",
            &q, e))
        return false;
    sql_text(&q, catalog);
    sql_text(&q, ns);
    sql_text(&q, name);
    ok = sql_step(&q, &row, e);
    if (ok && row) {
        id = sql_column_i64(&q, 0);
        found.uuid = sql_column(&q, 1, a);
        found.metadata_location = sql_column(&q, 2, a);
        found.location = sql_column(&q, 3, a);
    }
    sql_end(&q);
    if (!ok || (!row && !err_set(e, ERR_NOT_FOUND, "no such table")) ||
        !read_extra(s, id, a, &found, e))
        return false;
    *out = found;
    return true;
}

bool store_table_list(struct store *s, struct sv catalog, struct sv ns, struct sv after, int limit,
                      struct arena *a, struct sv_vec *out, struct err *e)
{
    struct sv ignored;
    struct sql q;
    bool row = false, ok;

    if (!store_namespace_get(s, catalog, ns, a, &ignored, e) ||
        !sql_begin(
            s,
            "SELECT name FROM tables WHERE catalog = ? AND ns = ? AND name > ? ORDER BY name LIMIT ?",
            &q, e))
        return false;
    sql_text(&q, catalog);
    sql_text(&q, ns);
    sql_text(&q, after);
    sql_i64(&q, limit ? limit : -1);
    while ((ok = sql_step(&q, &row, e)) && row)
        vec_push(out, a, sql_column(&q, 0, a));
    sql_end(&q);
    return ok;
}

bool store_table_drop(struct store *s, struct sv catalog, struct sv ns, struct sv name,
                      struct err *e)
{
    if (!sql_run(s, "DELETE FROM tables WHERE catalog = ? AND ns = ? AND name = ?",
                 (const struct sv[]){catalog, ns, name}, 3, e))
        return false;
    return sqlite3_changes(s->db) > 0 || err_set(e, ERR_NOT_FOUND, "no such table");
}

bool store_table_overlap(struct store *s, const struct sv_vec *locations, struct sv catalog,
                         struct sv ns, struct sv name, struct arena *a, bool *found, struct sv *who,
                         struct err *e)
{
    struct table_change c = {.catalog = catalog, .ns = ns, .name = name, .arena = a};
    struct sv ignored;
    int64_t id;

    *found = false;
    if (!table_id(s, &c, &id, &ignored, e))
        return false;
    for (size_t i = 0; i < locations->n && !*found; i++) {
        if (!folder_overlap(s, locations->p[i], id ? id : NOBODY, NOBODY, INT64_MAX, a, who, e))
            return false;
        *found = who->n != 0;
    }
    return true;
}

/* ---- staged creates ---- */

struct staging {
    struct table_change change;
    const struct staged_row *row;
};

/* Places that were promised and never taken up are free again. */
static bool drop_expired(struct store *s, int64_t now_ms, struct err *e)
{
    struct sql q;
    bool row, ok;

    if (!sql_begin(s, "DELETE FROM staged WHERE expires_ms <= ?", &q, e))
        return false;
    sql_i64(&q, now_ms);
    ok = sql_step(&q, &row, e);
    sql_end(&q);
    return ok;
}

static bool stage(struct store *s, void *context, struct err *e)
{
    struct staging *g = context;
    const struct table_change *c = &g->change;
    struct sv ignored;
    struct sql q;
    bool row, ok;
    int64_t id;

    if (!store_namespace_get(s, c->catalog, c->ns, c->arena, &ignored, e) ||
        !table_id(s, c, &id, &ignored, e))
        return false;
    if (id)
        return err_set(e, ERR_CONFLICT, "the table exists already");
    if (!drop_expired(s, c->now_ms, e) ||
        !sql_run(s,
                 "DELETE FROM staged WHERE catalog = ? AND ns = ? AND name = ? AND principal = ?",
                 (const struct sv[]){c->catalog, c->ns, c->name, g->row->principal}, 4, e) ||
        !check_free(s, c, g->row->location, NOBODY, e) ||
        !sql_begin(
            s,
            "INSERT INTO staged (catalog, ns, name, principal, uuid, location, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
            &q, e))
        return false;
    sql_text(&q, c->catalog);
    sql_text(&q, c->ns);
    sql_text(&q, c->name);
    sql_text(&q, g->row->principal);
    sql_text(&q, g->row->uuid);
    sql_text(&q, g->row->location);
    sql_i64(&q, g->row->expires_ms);
    ok = sql_step(&q, &row, e);
    sql_end(&q);
    return ok && claim(s, g->row->location, "INSERT INTO folders (folder, staged_id) VALUES (?, ?)",
                       sqlite3_last_insert_rowid(s->db), e);
}

bool store_stage(struct store *s, struct sv catalog, struct sv ns, struct sv name,
                 const struct staged_row *row, int64_t now_ms, struct arena *a, struct sv *overlap,
                 struct err *e)
{
    *overlap = (struct sv){0};
    return sql_transaction(s, stage,
                           &(struct staging){
                               {catalog, ns, name, {0}, NULL, a, overlap, now_ms},
                               row
    },
                           e);
}

bool store_staged_get(struct store *s, struct sv catalog, struct sv ns, struct sv name,
                      struct sv principal, int64_t now_ms, struct arena *a, struct staged_row *out,
                      struct err *e)
{
    struct sql q;
    bool row = false, ok;

    if (!sql_begin(
            s,
            "SELECT uuid, location, expires_ms FROM staged WHERE catalog = ? AND ns = ? AND name = ?"
            " AND principal = ? AND expires_ms > ?",
            &q, e))
        return false;
    sql_text(&q, catalog);
    sql_text(&q, ns);
    sql_text(&q, name);
    sql_text(&q, principal);
    sql_i64(&q, now_ms);
    ok = sql_step(&q, &row, e);
    if (ok && row)
        *out = (struct staged_row){.principal = principal,
                                   .uuid = sql_column(&q, 0, a),
                                   .location = sql_column(&q, 1, a),
                                   .expires_ms = sql_column_i64(&q, 2)};
    sql_end(&q);
    return ok && (row || err_set(e, ERR_NOT_FOUND, "no staged create"));
}
