/* rulebook.c - a rulebook's life, look-ups, and what it says of itself. */
#include "policy/rulebook.h"

#include "policy/inside.h"

struct rulebook *rulebook_ref(struct rulebook *r)
{
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

struct rulebook *rulebook_unref(struct rulebook *r)
{
    struct arena last;

    if (r && atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) == 1) {
        last = r->arena;
        arena_done(&last);
    }
    return NULL;
}

struct sv rulebook_unread(const struct rulebook *r)
{
    return r->unread;
}

int64_t rulebook_generation(const struct rulebook *r)
{
    return r->generation;
}

const struct rule_catalog *rulebook_catalog(const struct rulebook *r, struct sv warehouse)
{
    return map_get(&r->catalogs, warehouse);
}

size_t rulebook_catalogs(const struct rulebook *r, const struct rule_catalog *const **out)
{
    *out = r->catalog_list;
    return r->n_catalogs;
}

bool rule_is_one_store(const struct rule_integration *x, const struct rule_integration *y)
{
    return sv_eq(x->stores[0], y->stores[0]) || sv_eq(x->stores[0], y->stores[1]) ||
           sv_eq(x->stores[1], y->stores[0]) || sv_eq(x->stores[1], y->stores[1]);
}

/* A younger catalog of another namespace shuts nobody out of what was allowed before it came. */
static bool shuts_out(const struct rule_catalog *other, const struct rule_catalog *c)
{
    return other->rank < c->rank ||
           sv_eq(other->integration->namespace_, c->integration->namespace_);
}

static bool is_anothers(const struct rulebook *r, const struct rule_catalog *c,
                        const struct location *l)
{
    for (size_t i = 0; i < r->n_catalogs; i++) {
        const struct rule_catalog *other = r->catalog_list[i];

        if (other != c && location_overlaps(&other->base, l) && shuts_out(other, c) &&
            rule_is_one_store(other->integration, c->integration))
            return true;
    }
    return false;
}

bool rulebook_allows_place(const struct rulebook *r, const struct rule_catalog *c,
                           const struct location *l)
{
    const struct rule_integration *w = c->integration;

    return location_which(w->allowed, w->n_allowed, l) >= 0 && l->key.n && !is_anothers(r, c, l);
}

bool rule_is_folder(const struct rule_integration *w)
{
    return w->target.provider == provider_find(PROVIDER_FILE);
}

struct sv rule_template(const struct rule_integration *w, unsigned access)
{
    return access & (ACCESS_WRITE | ACCESS_DELETE) ? w->template_write : w->template_read;
}

struct sv rule_principal_name(const struct rule_principal *p)
{
    return p->name;
}

static struct json *catalog_json(const struct rule_catalog *c, struct arena *a)
{
    struct json *v = json_new_object(a);

    json_set_str(v, a, SV("name"), c->name);
    json_set_str(v, a, SV("id"), c->id);
    json_set_str(v, a, SV("location"), location_text(&c->base, a));
    json_set_str(v, a, SV("integration"), c->integration->name);
    json_set_bool(v, a, SV("vendable"), c->integration->vendable);
    if (!c->integration->vendable)
        json_set_str(v, a, SV("whyNot"), c->integration->why_not);
    return v;
}

static struct json *principal_json(const struct rulebook *r, const struct rule_principal *p,
                                   struct arena *a)
{
    struct json *v = json_new_object(a), *grants = json_new_array(a);

    json_set_str(v, a, SV("name"), p->name);
    for (size_t c = 0; c < r->n_catalogs; c++) {
        for (size_t i = 0; i < p->grants[c].n; i++)
            json_push(grants, json_new_str(a, p->grants[c].p[i].label));
    }
    json_set(v, SV("grants"), grants);
    return v;
}

void rulebook_write(const struct rulebook *r, struct buf *out)
{
    auto_arena a = {0};
    struct json *v = json_new_object(&a), *catalogs = json_new_array(&a),
                *principals = json_new_array(&a);

    json_set_i64(v, &a, SV("generation"), r->generation);
    for (size_t i = 0; i < r->n_catalogs; i++)
        json_push(catalogs, catalog_json(r->catalog_list[i], &a));
    for (const struct map_entry *i = NULL; (i = map_next(&r->principals, i));)
        json_push(principals, principal_json(r, i->value, &a));
    json_set(v, SV("catalogs"), catalogs);
    json_set(v, SV("principals"), principals);
    json_write(out, v);
}
