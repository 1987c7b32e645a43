/* namespaces.c - namespaces: list, create, load, exists, drop, properties. */
#include "base/limits.h"
#include "base/map.h"
#include "catalog/page.h"
#include "catalog/routes.h"
#include "catalog/table_steps.h"
#include "serve/once.h"

enum { RECORDED_NAMES = 100 }; /* of properties, in one record */

struct namespace_work {
    struct table_path path;
    struct sv properties; /* JSON text */
    struct json *body;
    struct levels parent, other; /* `other`: the parent as a client that encodes twice means it */
    struct paging paging;
    struct json *changed; /* the answer to a change of properties */
    struct call *call;
    struct sv_vec removals;
};

static struct namespace_work *work_of(struct call *c)
{
    c->work = arena_new(c->arena, struct namespace_work);
    return c->work;
}

static bool begin(struct call *c, enum privilege p, struct namespace_work **out, struct err *e)
{
    *out = work_of(c);
    return table_path(c, &(*out)->path, e) &&
           call_demand(c, &(*out)->path.ns, (struct sv){0}, p, NULL, e);
}

/* "a\x1fb" as ["a","b"]. */
static struct json *levels_json(struct sv joined, struct arena *a)
{
    struct json *list = json_new_array(a);
    struct sv level;

    while (sv_cut(&joined, '\x1f', &level))
        json_push(list, json_new_str(a, level));
    return list;
}

static bool reply_namespace(struct call *c, struct sv joined, struct sv properties, struct err *e)
{
    struct json *body = json_new_object(c->arena), *map;

    if (!json_read(properties, c->arena, &map, e))
        return false;
    json_set(body, SV("namespace"), levels_json(joined, c->arena));
    json_set(body, SV("properties"), map);
    return call_reply_json(c, 200, body);
}

/* ---- list ---- */

static bool list_names(struct call *c, struct store *s, const struct page *page, struct sv_vec *out,
                       struct err *e)
{
    const struct namespace_work *w = c->work;
    const struct ns_name parent = {c->catalog->id, w->parent.joined};

    return store_namespace_list(s, &parent, page, c->arena, out, e);
}

static bool is_seen(struct call *c, struct sv joined)
{
    struct subject s = {.catalog = c->catalog};
    struct sv_vec levels = {0};
    struct sv level;

    while (sv_cut(&joined, '\x1f', &level))
        vec_push(&levels, c->arena, level);
    s.levels = levels.p;
    s.n_levels = levels.n;
    return rulebook_sees(c->rules, &c->who, &s);
}

static bool query_list(struct call *c, struct store *s, struct err *e)
{
    static const struct page_source source = {list_names, is_seen};
    struct namespace_work *w = c->work;
    const struct ns_name parent = {c->catalog->id, w->parent.joined};
    struct sv ignored;

    if (w->parent.n && !store_namespace_get(s, &parent, c->arena, &ignored, e))
        return false;
    return page_fill(c, s, &source, &w->paging, e);
}

static bool list_parent(struct call *c, struct namespace_work *w, struct err *e);

static bool after_list(struct call *c, const struct err *outcome, struct err *e)
{
    struct namespace_work *w = c->work;
    struct json *body = json_new_object(c->arena), *list = json_new_array(c->arena);

    if (outcome && outcome->code == ERR_NOT_FOUND && w->other.n) {
        w->parent = w->other;
        w->other = (struct levels){0};
        return list_parent(c, w, e);
    }
    if (outcome)
        return outcome->code == ERR_NOT_FOUND ? call_no_namespace(c, &w->parent, e) : false;
    for (size_t i = 0; i < w->paging.names.n; i++)
        json_push(list, levels_json(w->paging.names.p[i], c->arena));
    json_set(body, SV("namespaces"), list);
    return page_end(c, &w->paging, body, e) && call_reply_json(c, 200, body);
}

static bool list_parent(struct call *c, struct namespace_work *w, struct err *e)
{
    return call_demand(c, w->parent.n ? &w->parent : NULL, (struct sv){0}, PRIVILEGE_NAMESPACE_LIST,
                       NULL, e) &&
           call_read(c, query_list, after_list, e);
}

/* Java sends levels as they are, PyIceberg encodes each once more: where there are escapes, the
 * plain reading goes first. */
static bool read_parent(struct call *c, struct sv text, struct namespace_work *w, struct err *e)
{
    struct err ignored = {0};

    if (sv_has_char(text, '%') && !call_levels_text(c, text, true, &w->other, &ignored))
        w->other = (struct levels){0};
    return call_levels_text(c, text, false, &w->parent, e);
}

bool namespace_list(struct call *c, struct err *e)
{
    const struct sv *parent = form_get(&c->query, SV("parent"));
    struct namespace_work *w = work_of(c);
    bool nested = parent && parent->n;

    return call_catalog(c, e) && page_begin(c, nested ? *parent : (struct sv){0}, &w->paging, e) &&
           (!nested || read_parent(c, *parent, w, e)) && list_parent(c, w, e);
}

/* ---- where its tables lie ---- */

static struct levels parent_of(const struct levels *ns)
{
    struct levels parent = *ns;
    ptrdiff_t last = sv_rfind(ns->joined, '\x1f');

    parent.n--;
    parent.joined = sv_first(ns->joined, last < 0 ? 0 : (size_t)last);
    return parent;
}

/* The namespace beside this one by whose name the location goes on below the parent's. */
static bool names_neighbour(struct call *c, struct store *s, const struct levels *ns,
                            struct sv below)
{
    const struct levels parent = parent_of(ns);
    struct sv name, ignored, rest = below;
    struct err why = {0};
    struct levels beside = {0};

    (void)sv_cut(&rest, '/', &name);
    beside.joined =
        parent.n ? arena_printf(c->arena, SV_FMT "\x1f" SV_FMT, SV_ARG(parent.joined), SV_ARG(name))
                 : name;
    return !sv_eq(beside.joined, ns->joined) && home_get(c, s, &beside, &ignored, &why);
}

/*
 * On a keeper. A namespace's own location takes a privilege of its own where it is not below its
 * parent's, or where a neighbour's tables lie by default: who makes a namespace could else choose
 * any folder for tables.
 */
static bool check_home(struct call *c, struct store *s, const struct namespace_work *w,
                       const struct json *properties, struct err *e)
{
    struct sv text = json_get_str(properties, SV("location")), own = {0}, now = {0}, below;
    const struct levels *ns = &w->path.ns;
    const struct levels parent = parent_of(ns);
    struct err none = {0};
    struct location l;

    if (!text.n || (home_get(c, s, ns, &now, &none) && sv_eq(now, text)))
        return true;
    if (!location_read(text, false, c->arena, &l, e) ||
        (parent.n && !home_get(c, s, &parent, &own, e)))
        return false;
    if (home_holds(c, &parent, own, &l, &below) && below.n &&
        (own.n || !names_neighbour(c, s, ns, below)))
        return true;
    return call_demand(c, ns, (struct sv){0}, PRIVILEGE_CATALOG_MANAGE_CONTENT, NULL, e) ||
           err_set(e, ERR_DENIED,
                   "location " SV_FMT " is not below the parent's, " SV_FMT
                   "/, or is a neighbour's: choose another, or ask for CATALOG_MANAGE_CONTENT",
                   SV_ARG(sv_first(text, 80)), SV_ARG(sv_first(home_text(c, &parent, own), 80)));
}

/* ---- create ---- */

static bool query_create(struct call *c, struct store *s, struct err *e)
{
    struct namespace_work *w = c->work;

    const struct ns_name name = path_ns(c, &w->path);

    return check_home(c, s, w, json_get(w->body, SV("properties")), e) &&
           store_namespace_create(s, &name, w->properties, e);
}

/* It says what was asked for, and so it does again. */
static bool created(struct call *c, struct err *e)
{
    const struct namespace_work *w = c->work;

    return reply_namespace(c, w->path.ns.joined, w->properties, e);
}

static bool after_create(struct call *c, const struct err *outcome, struct err *e)
{
    struct namespace_work *w = c->work;

    if (outcome && outcome->code == ERR_CONFLICT)
        return err_set(e, ERR_CONFLICT, "Namespace already exists: " SV_FMT,
                       SV_ARG(sv_first(w->path.ns.dotted, 150)));
    if (outcome && outcome->code == ERR_NOT_FOUND) {
        c->error_type = "NoSuchNamespaceException";
        return err_set(e, ERR_NOT_FOUND, "Namespace does not exist: the parent of " SV_FMT,
                       SV_ARG(sv_first(w->path.ns.dotted, 150)));
    }
    return !outcome && created(c, e);
}

static bool create(struct call *c, struct err *e)
{
    return call_write(c, query_create, after_create, e);
}

/* All that a namespace would have, as the store keeps it. */
static bool write_properties(const struct json *map, struct arena *a, struct sv *out, struct err *e)
{
    *out = map ? json_text(a, map) : SV("{}");
    return (json_count(map) <= LIMIT_PROPERTIES && out->n <= LIMIT_NAMESPACE_BYTES) ||
           err_set(e, ERR_INVALID, "properties: at most %d, and %d bytes in all", LIMIT_PROPERTIES,
                   LIMIT_NAMESPACE_BYTES);
}

static bool read_properties(struct call *c, const struct json *map, struct sv *out, struct err *e)
{
    struct json *value;
    struct sv name;

    if (map && json_kind(map) != JSON_OBJECT)
        return err_set(e, ERR_INVALID, "properties: an object is required");
    for (size_t i = 0; json_member(map, i, &name, &value); i++) {
        if (json_kind(value) != JSON_STRING)
            return err_set(e, ERR_INVALID, "property " SV_FMT " must be text",
                           SV_ARG(sv_first(name, 80)));
    }
    return write_properties(map, c->arena, out, e);
}

/* A namespace's own location must be allowed: tables are placed below it. */
static bool check_location(struct call *c, const struct json *properties, struct err *e)
{
    struct sv text = json_get_str(properties, SV("location"));
    struct location l;

    if (!text.n)
        return true;
    if (!location_read(text, false, c->arena, &l, e))
        return false;
    return rulebook_allows_place(c->rules, c->catalog, &l) ||
           err_set(e, ERR_DENIED,
                   "location " SV_FMT
                   " is outside the allowed locations, or in the place of another catalog",
                   SV_ARG(sv_first(text, 150)));
}

bool namespace_create(struct call *c, struct err *e)
{
    struct namespace_work *w = work_of(c);

    if (!call_catalog(c, e) || !call_body(c, &w->body, e) ||
        !call_levels_json(c, json_get(w->body, SV("namespace")), &w->path.ns, e) ||
        !call_demand(c, &w->path.ns, (struct sv){0}, PRIVILEGE_NAMESPACE_CREATE, NULL, e) ||
        !read_properties(c, json_get(w->body, SV("properties")), &w->properties, e) ||
        !check_location(c, json_get(w->body, SV("properties")), e))
        return false;
    return call_once(c, create, created, e);
}

/* ---- load, exists, drop ---- */

static bool query_get(struct call *c, struct store *s, struct err *e)
{
    struct namespace_work *w = c->work;

    const struct ns_name name = path_ns(c, &w->path);

    return store_namespace_get(s, &name, c->arena, &w->properties, e);
}

static bool missing(struct call *c, const struct err *outcome, struct err *e)
{
    struct namespace_work *w = c->work;

    return outcome->code == ERR_NOT_FOUND ? call_no_namespace(c, &w->path.ns, e) : false;
}

static bool after_load(struct call *c, const struct err *outcome, struct err *e)
{
    struct namespace_work *w = c->work;

    return outcome ? missing(c, outcome, e)
                   : reply_namespace(c, w->path.ns.joined, w->properties, e);
}

bool namespace_load(struct call *c, struct err *e)
{
    struct namespace_work *w;

    if (begin(c, PRIVILEGE_NAMESPACE_READ_PROPERTIES, &w, e))
        return call_read(c, query_get, after_load, e);
    return c->missing.n && lies_below_a_table(c, &w->path.ns) &&
           call_no_namespace(c, &w->path.ns, e);
}

static bool after_done(struct call *c, const struct err *outcome, struct err *e)
{
    if (outcome && outcome->code == ERR_CONFLICT) {
        c->error_type = "NamespaceNotEmptyException";
        return err_set(e, ERR_CONFLICT, "Namespace " SV_FMT " is not empty",
                       SV_ARG(sv_first(c->levels_text, 150)));
    }
    return outcome ? missing(c, outcome, e) : call_reply_empty(c, 204);
}

/* Rights on what is in it are enough, as they are to list its tables: engines look for a namespace
 * before they go on to the table in it. */
bool namespace_exists(struct call *c, struct err *e)
{
    struct namespace_work *w = work_of(c);

    return table_path(c, &w->path, e) &&
           within_demand(c, &w->path.ns, PRIVILEGE_NAMESPACE_LIST, e) &&
           call_read(c, query_get, after_done, e);
}

static bool query_drop(struct call *c, struct store *s, struct err *e)
{
    struct namespace_work *w = c->work;

    const struct ns_name name = path_ns(c, &w->path);

    return store_namespace_drop(s, &name, e);
}

static bool drop(struct call *c, struct err *e)
{
    return call_write(c, query_drop, after_done, e);
}

bool namespace_drop(struct call *c, struct err *e)
{
    struct namespace_work *w;

    return begin(c, PRIVILEGE_NAMESPACE_DROP, &w, e) && call_once(c, drop, NULL, e);
}

/* ---- properties ---- */

static bool change(struct sv before, struct arena *a, struct sv *after, void *context,
                   struct err *e)
{
    struct namespace_work *w = context;
    const struct json *updates = json_get(w->body, SV("updates"));
    struct json *map, *value, *updated = json_new_array(a), *removed = json_new_array(a),
                              *missing = json_new_array(a);
    struct sv name;

    if (!json_read(before, a, &map, e))
        return false;
    for (size_t i = 0; i < w->removals.n; i++) {
        name = w->removals.p[i];
        json_push(json_has(map, name) ? removed : missing, json_new_str(a, name));
        json_remove(map, name);
    }
    for (size_t i = 0; json_member(updates, i, &name, &value); i++) {
        json_push(updated, json_new_str(a, name));
        json_set(map, name, value);
    }
    if (!write_properties(map, a, after, e))
        return false;
    w->changed = json_new_object(a);
    json_set(w->changed, SV("updated"), updated);
    json_set(w->changed, SV("removed"), removed);
    json_set(w->changed, SV("missing"), missing);
    return once_body(w->call, json_text(a, w->changed), e);
}

static bool query_update(struct call *c, struct store *s, struct err *e)
{
    struct namespace_work *w = c->work;

    const struct ns_name name = path_ns(c, &w->path);

    return check_home(c, s, w, json_get(w->body, SV("updates")), e) &&
           store_namespace_update(s, &name, change, w, c->arena, e);
}

static bool after_update(struct call *c, const struct err *outcome, struct err *e)
{
    struct namespace_work *w = c->work;

    return outcome ? missing(c, outcome, e) : call_reply_json(c, 200, w->changed);
}

static bool update(struct call *c, struct err *e)
{
    return call_write(c, query_update, after_update, e);
}

static bool updated_again(struct call *c, struct err *e)
{
    struct json *body;

    return json_read(once_known(c)->body, c->arena, &body, e) && call_reply_json(c, 200, body);
}

/* Texts; one that is named twice counts once. */
static bool read_removals(struct call *c, const struct json *list, struct sv_vec *out,
                          struct err *e)
{
    struct map seen = map_new(c->arena);

    if (json_count(list) > LIMIT_PROPERTIES || (list && json_kind(list) != JSON_ARRAY))
        return err_set(e, ERR_INVALID, "removals: a list of at most %d is required",
                       LIMIT_PROPERTIES);
    for (size_t i = 0; i < json_count(list); i++) {
        struct sv name = json_str(json_at(list, i), (struct sv){0});

        if (json_kind(json_at(list, i)) != JSON_STRING)
            return err_set(e, ERR_INVALID, "removals[%zu]: must be text", i);
        if (!map_put(&seen, name, c))
            vec_push(out, c->arena, name);
    }
    return true;
}

static bool is_in_both(const struct sv_vec *removals, const struct json *updates, struct sv *name)
{
    for (size_t i = 0; i < removals->n; i++) {
        *name = removals->p[i];
        if (json_has(updates, *name))
            return true;
    }
    return false;
}

/* Names only: a value may be anything. */
static struct json *properties_record(const struct namespace_work *w, struct arena *a)
{
    struct json *details = json_new_object(a), *set = json_new_array(a),
                *removed = json_new_array(a), *value;
    const struct json *updates = json_get(w->body, SV("updates"));
    struct sv name;

    for (size_t i = 0; i < RECORDED_NAMES && json_member(updates, i, &name, &value); i++)
        json_push(set, json_new_str(a, sv_first(name, LIMIT_NAME_BYTES)));
    for (size_t i = 0; i < RECORDED_NAMES && i < w->removals.n; i++)
        json_push(removed, json_new_str(a, sv_first(w->removals.p[i], LIMIT_NAME_BYTES)));
    json_set(details, SV("properties"), set);
    json_set(details, SV("removals"), removed);
    return details;
}

bool namespace_properties(struct call *c, struct err *e)
{
    struct namespace_work *w;
    const struct json *updates;
    struct sv twice;

    if (!begin(c, PRIVILEGE_NAMESPACE_WRITE_PROPERTIES, &w, e) || !call_body(c, &w->body, e))
        return false;
    updates = json_get(w->body, SV("updates"));
    if (!read_removals(c, json_get(w->body, SV("removals")), &w->removals, e))
        return false;
    c->details = properties_record(w, c->arena);
    if (is_in_both(&w->removals, updates, &twice)) {
        c->error_status = 422;
        c->error_type = "UnprocessableEntityException";
        return err_set(e, ERR_INVALID, "property " SV_FMT " is both removed and updated",
                       SV_ARG(sv_first(twice, 80)));
    }
    if (!read_properties(c, updates, &w->properties, e) || !check_location(c, updates, e))
        return false;
    w->call = c;
    return call_once(c, update, updated_again, e);
}
