/* page_scene.h - lists that tokens of pages are for: each differs from the first in one thing. */
#ifndef FUZZ_PAGE_SCENE_H
#define FUZZ_PAGE_SCENE_H

#include <assert.h>

#include "catalog/page.h"
#include "serve/route.h"

struct page_list {
    const char *operation, *catalog, *caller, *scope;
};
static const struct page_list page_lists[] = {
    {"list-tables",     "lakehouse/analytics", "lakehouse/etl", "sales"},
    {"list-views",      "lakehouse/analytics", "lakehouse/etl", "sales"},
    {"list-namespaces", "lakehouse/analytics", "lakehouse/etl", "sales"},
    {"list-tables",     "lakehouse/other",     "lakehouse/etl", "sales"},
    {"list-tables",     "lakehouse/analytics", "lakehouse/bob", "sales"},
    {"list-tables",     "lakehouse/analytics", "lakehouse/etl",
     "sales\x1f"
     "eu"                                                              },
    {"list-tables",     "lakehouse/analytics", "lakehouse/etl", ""     },
};
enum { PAGE_LISTS = sizeof(page_lists) / sizeof(page_lists[0]) };

/* One caller who asks for one list. */
struct page_scene {
    struct call call;
    struct rule_catalog catalog;
    struct route route;
    struct sv scope;
};

static inline struct rulebook *page_rules(struct arena *a, const char *key)
{
    struct policy_input in = {.generation = 1};
    struct compile_result out;

    vec_push(&in.token_keys, a, ((struct token_key){SV("k"), secret_of(sv_from(key))}));
    policy_compile(&in, a, &out);
    return out.rulebook;
}

static inline void page_scene(struct page_scene *s, size_t list, struct rulebook *rules,
                              struct arena *a)
{
    const struct page_list *l = &page_lists[list % PAGE_LISTS];

    *s = (struct page_scene){.catalog.id = sv_from(l->catalog), .scope = sv_from(l->scope)};
    s->route.operation = l->operation;
    s->call = (struct call){.arena = a,
                            .rules = rules,
                            .who.name = sv_from(l->caller),
                            .catalog = &s->catalog,
                            .route = &s->route};
}

/* What the caller is told after a page that ends with this name. */
static inline struct sv page_token(struct page_scene *s, struct sv last)
{
    struct paging p = {.scope = s->scope, .more = true};
    struct json *body = json_new_object(s->call.arena);
    struct err e = {0};

    vec_push(&p.names, s->call.arena, last);
    if (!page_end(&s->call, &p, body, &e))
        assert(false && "a page that is not sealed");
    return json_get_str(body, SV("next-page-token"));
}

static inline bool page_goes_on(struct page_scene *s, struct sv token, struct paging *p)
{
    struct pair query = {SV("pageToken"), token};
    struct err e = {0};

    s->call.query = (struct pairs){.p = &query, .n = 1};
    if (page_begin(&s->call, s->scope, p, &e))
        return true;
    assert(e.code == ERR_INVALID);
    return false;
}

#endif
