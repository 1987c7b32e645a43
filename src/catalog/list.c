/* list.c - the names of a namespace's tables, or of its views. */
#include "catalog/page.h"
#include "catalog/routes.h"
#include "catalog/table_steps.h"

struct list_work {
    struct table_path path;
    struct paging paging;
    bool views; /* else tables */
};

static bool list_names(struct call *c, struct store *s, const struct page *page, struct sv_vec *out,
                       struct err *e)
{
    const struct list_work *w = c->work;
    const struct ns_name ns = path_ns(c, &w->path);

    return (w->views ? store_view_list : store_table_list)(s, &ns, page, c->arena, out, e);
}

static bool is_seen(struct call *c, struct sv name)
{
    const struct list_work *w = c->work;
    const struct subject s = {c->catalog, w->path.ns.p, w->path.ns.n, name, w->views};

    return rulebook_sees(c->rules, &c->who, &s);
}

static bool query_list(struct call *c, struct store *s, struct err *e)
{
    static const struct page_source source = {list_names, is_seen};
    struct list_work *w = c->work;

    return page_fill(c, s, &source, &w->paging, e);
}

static bool after_list(struct call *c, const struct err *outcome, struct err *e)
{
    struct list_work *w = c->work;
    struct json *body = json_new_object(c->arena), *list = json_new_array(c->arena),
                *levels = json_new_array(c->arena);

    if (outcome)
        return outcome->code == ERR_NOT_FOUND ? call_no_namespace(c, &w->path.ns, e) : false;
    for (size_t i = 0; i < w->path.ns.n; i++)
        json_push(levels, json_new_str(c->arena, w->path.ns.p[i]));
    for (size_t i = 0; i < w->paging.names.n; i++) {
        struct json *entry = json_new_object(c->arena);

        json_set(entry, SV("namespace"), levels);
        json_set_str(entry, c->arena, SV("name"), w->paging.names.p[i]);
        json_push(list, entry);
    }
    json_set(body, SV("identifiers"), list);
    return page_end(c, &w->paging, body, e) && call_reply_json(c, 200, body);
}

static bool list(struct call *c, bool views, struct err *e)
{
    struct list_work *w = arena_new(c->arena, struct list_work);

    c->work = w;
    w->views = views;
    /* Rights on single entries are enough: the list shows those only. */
    return table_path(c, &w->path, e) && page_begin(c, w->path.ns.joined, &w->paging, e) &&
           within_demand(c, &w->path.ns, views ? PRIVILEGE_VIEW_LIST : PRIVILEGE_TABLE_LIST, e) &&
           call_read(c, query_list, after_list, e);
}

bool table_list(struct call *c, struct err *e)
{
    return list(c, false, e);
}

bool view_list(struct call *c, struct err *e)
{
    return list(c, true, e);
}
