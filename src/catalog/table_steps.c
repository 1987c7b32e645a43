/* table_steps.c - what several table handlers do. */
#include "catalog/table_steps.h"

#include "serve/loop.h"

enum { MAX_FOLDERS = 8, PLACES_KEPT = 20000 };

bool table_path(struct call *c, struct table_path *out, struct err *e)
{
    *out = (struct table_path){0};
    return call_catalog(c, e) && call_levels(c, c->params[1], &out->ns, e) &&
           (!c->params[2].n || call_name(c, c->params[2], &out->table, e));
}

bool table_identifier(struct call *c, const struct json *v, const char *what,
                      struct table_path *out, struct err *e)
{
    *out = (struct table_path){0};
    return (call_levels_json(c, json_get(v, SV("namespace")), &out->ns, e) &&
            call_name(c, uri_encoded(c->arena, json_get_str(v, SV("name"))), &out->table, e)) ||
           err_wrap(e, "%s", what);
}

struct ns_name path_ns(const struct call *c, const struct table_path *p)
{
    return (struct ns_name){c->catalog->id, p->ns.joined};
}

struct table_name path_table(const struct call *c, const struct table_path *p)
{
    return (struct table_name){c->catalog->id, p->ns.joined, p->table};
}

bool folder_add(const struct location *l, struct location *folders, size_t *n, struct err *e)
{
    if (location_which(folders, *n, l) >= 0)
        return true;
    if (*n == MAX_FOLDERS)
        return err_set(e, ERR_INVALID,
                       "more than %d folders for one table: those that hold its data count too",
                       MAX_FOLDERS);
    folders[(*n)++] = *l;
    return true;
}

void folders_row(struct call *c, const struct location *folders, size_t n, struct table_row *row)
{
    row->location = location_text(&folders[0], c->arena);
    row->extra_locations = (struct sv_vec){0};
    for (size_t i = 1; i < n; i++)
        vec_push(&row->extra_locations, c->arena, location_text(&folders[i], c->arena));
}

static bool add_folder(struct call *c, struct sv text, struct location *folders, size_t *n,
                       struct err *e)
{
    struct location l;

    if (!location_read(text, false, c->arena, &l, e)) {
        e->code = ERR_DENIED;
        return false;
    }
    if (!rulebook_allows_place(c->rules, c->catalog, &l))
        return err_set(e, ERR_DENIED,
                       "location " SV_FMT " is outside the allowed locations of catalog " SV_FMT
                       ", or in the place of another catalog",
                       SV_ARG(sv_first(text, 120)), SV_ARG(c->catalog->name));
    return folder_add(&l, folders, n, e);
}

bool folders_of(struct call *c, const struct json *metadata, struct table_row *row,
                struct location *folders, size_t *n, struct err *e)
{
    struct metadata_facts facts;

    metadata_facts(metadata, c->arena, &facts);
    *n = 0;
    if (!add_folder(c, facts.location, folders, n, e))
        return false;
    for (size_t i = 0; i < facts.write_paths.n; i++) {
        if (!add_folder(c, facts.write_paths.p[i], folders, n, e))
            return false;
    }
    row->uuid = facts.uuid;
    folders_row(c, folders, *n, row);
    return true;
}

/* ---- finding ---- */

bool table_is_new(struct store *s, const struct table_name *name, struct arena *a, struct err *e)
{
    struct table_row there;
    struct err why = {0};

    if (store_table_get(s, name, a, &there, &why))
        return err_set(e, ERR_CONFLICT, "Requirement failed: table already exists");
    if (why.code != ERR_NOT_FOUND)
        *e = why;
    return why.code == ERR_NOT_FOUND;
}

bool name_is_views(struct store *s, const struct table_name *name, struct arena *a)
{
    struct table_row there;
    struct err ignored = {0};

    return store_view_get(s, name, a, &there, &ignored);
}

struct sv path_text(const struct call *c, const struct table_path *p)
{
    return sv_first(call_table_text(c, &p->ns, p->table), 200);
}

bool view_in_the_way(const struct call *c, const struct table_path *path, struct err *e)
{
    return err_set(e, ERR_CONFLICT, "View with same name already exists: " SV_FMT,
                   SV_ARG(path_text(c, path)));
}

static bool query_table(struct call *c, struct store *s, struct err *e)
{
    struct table_at *t = c->work;
    const struct table_name name = path_table(c, &t->path);
    /* No promise is ever made in a table's place: none is live at the end of time. */
    struct table_change as_it_is = {.row = &t->row, .now_ms = INT64_MAX};

    if (!store_table_get(s, &name, c->arena, &t->row, e) ||
        !store_table_overlap(s, &name, &as_it_is, c->arena, e))
        return false;
    t->overlaps = as_it_is.overlap.n != 0;
    return true;
}

bool table_folders(struct call *c, struct table_at *t, struct err *e)
{
    t->n_folders = 0;
    if (!add_folder(c, t->row.location, t->folders, &t->n_folders, e))
        return false;
    for (size_t i = 0; i < t->row.extra_locations.n; i++) {
        if (!add_folder(c, t->row.extra_locations.p[i], t->folders, &t->n_folders, e))
            return false;
    }
    return true;
}

static bool check_places(struct call *c, struct table_at *t, struct err *e)
{
    if (t->overlaps)
        return err_set(
            e, ERR_DENIED,
            "the table's location lies in another table's place; nothing is handed out for it");
    return table_folders(c, t, e);
}

/* What was read from the store, until the next write to it by anybody. */
struct place {
    struct table_row row;
    bool overlaps;
};

static struct sv place_key(struct call *c, const struct table_at *t)
{
    return arena_printf(c->arena, SV_FMT "\x1e" SV_FMT "\x1e" SV_FMT, SV_ARG(c->catalog->id),
                        SV_ARG(t->path.ns.joined), SV_ARG(t->path.table));
}

static const struct place *known_place(struct call *c, const struct table_at *t)
{
    struct loop *l = c->loop;
    uint64_t epoch = atomic_load(&l->serve->epoch);

    if (l->places_epoch != epoch || l->places.n > PLACES_KEPT) {
        arena_done(&l->places_arena);
        l->places = map_new(&l->places_arena);
        l->places_epoch = epoch;
    }
    return map_get(&l->places, place_key(c, t));
}

static void remember_place(struct call *c, const struct table_at *t)
{
    struct arena *a = &c->loop->places_arena;
    struct place *p = arena_new(a, struct place);

    p->row.uuid = arena_dup(a, t->row.uuid);
    p->row.metadata_location = arena_dup(a, t->row.metadata_location);
    p->row.location = arena_dup(a, t->row.location);
    p->row.metadata_sha256 = arena_dup(a, t->row.metadata_sha256);
    for (size_t i = 0; i < t->row.extra_locations.n; i++)
        vec_push(&p->row.extra_locations, a, arena_dup(a, t->row.extra_locations.p[i]));
    p->overlaps = t->overlaps;
    (void)map_put(&c->loop->places, place_key(c, t), p);
}

static bool after_table(struct call *c, const struct err *outcome, struct err *e)
{
    struct table_at *t = c->work;

    if (outcome && outcome->code == ERR_NOT_FOUND)
        return call_no_table(c, &t->path.ns, t->path.table, e);
    if (outcome)
        return false;
    /* Only if nobody wrote since the question was asked. */
    if (t->asked_epoch == atomic_load(&c->loop->serve->epoch) && !known_place(c, t))
        remember_place(c, t);
    return check_places(c, t, e) && t->then(c, NULL, e);
}

/* The cache's memory may go while the call waits: the row is copied. */
static void copy_place(struct call *c, struct table_at *t, const struct place *p)
{
    t->row.uuid = arena_dup(c->arena, p->row.uuid);
    t->row.metadata_location = arena_dup(c->arena, p->row.metadata_location);
    t->row.location = arena_dup(c->arena, p->row.location);
    t->row.metadata_sha256 = arena_dup(c->arena, p->row.metadata_sha256);
    t->row.extra_locations = (struct sv_vec){0};
    for (size_t i = 0; i < p->row.extra_locations.n; i++)
        vec_push(&t->row.extra_locations, c->arena,
                 arena_dup(c->arena, p->row.extra_locations.p[i]));
    t->overlaps = p->overlaps;
}

bool table_find(struct call *c, struct table_at *t, call_then_fn *then, struct err *e)
{
    const struct place *p = known_place(c, t);

    c->work = t;
    t->then = then;
    t->asked_epoch = atomic_load(&c->loop->serve->epoch);
    if (p) {
        copy_place(c, t, p);
        return check_places(c, t, e) && then(c, NULL, e);
    }
    return call_read(c, query_table, after_table, e);
}

/* ---- metadata files ---- */

bool table_file(struct call *c, struct sv text, const struct location *folders, size_t n,
                struct object_ask *out, struct err *e)
{
    out->catalog = c->catalog;
    out->folder = folders[0];
    if (!location_read_file(text, c->arena, &out->file, e))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (location_contains(&folders[i], &out->file))
            out->folder = folders[i];
    }
    return true;
}
