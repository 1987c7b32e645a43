/* compile_claims.c - names and locations that namespaces share: the elder catalog keeps them, and
 * the younger one is told whose they are. */
#include <stdlib.h>

#include "policy/compile.h"

/* A catalog, and since when it may claim what others want too. */
struct claim {
    size_t i;
    int64_t since_ms;
    const struct meta *meta;
    struct rule_catalog *catalog;
};

/* What was never seen to work claims nothing of what works. */
static int64_t since(const struct meta *m, const struct rule_integration *w)
{
    if (!w->verified_ms)
        return INT64_MAX;
    return w->verified_ms > m->created_ms ? w->verified_ms : m->created_ms;
}

static int by_age(const void *x, const void *y)
{
    const struct claim *a = x, *b = y;

    if (a->since_ms != b->since_ms)
        return a->since_ms < b->since_ms ? -1 : 1;
    return meta_cmp_age(a->meta, b->meta);
}

static size_t claims_by_age(struct compiling *c, struct claim **out)
{
    struct claim *list = arena_array(c->scratch, struct claim, c->in->n_resources + 1);
    size_t n = 0;

    for (size_t i = 0; i < c->in->n_resources; i++) {
        const struct meta *m = &c->in->resources[i]->meta;
        struct rule_catalog *catalog = c->compiled[i];

        if (c->in->resources[i]->kind == KIND_POLARIS_CATALOG && !c->out[i])
            list[n++] = (struct claim){i, since(m, catalog->integration), m, catalog};
    }
    qsort(list, n, sizeof(*list), by_age);
    *out = list;
    return n;
}

static struct sv told(struct compiling *c, struct sv what, const struct meta *elder,
                      struct sv remedy)
{
    return arena_printf(c->scratch, SV_FMT " of the elder PolarisCatalog " SV_FMT "/" SV_FMT SV_FMT,
                        SV_ARG(what), SV_ARG(elder->namespace_), SV_ARG(elder->name),
                        SV_ARG(remedy));
}

/* ---- locations ---- */

static bool overlaps_allowed(const struct rule_integration *w, const struct location *l)
{
    for (size_t i = 0; i < w->n_allowed; i++) {
        if (location_overlaps(&w->allowed[i], l))
            return true;
    }
    return false;
}

/* One place for two catalogs is a place for neither; the younger is left out. A location inside
 * what the elder's integration allows is told: the elder may have tables there, and keeps them. */
static void compare_locations(struct compiling *c, const struct claim *elder,
                              const struct claim *younger)
{
    struct sv field = SV("spec.defaultBaseLocation");
    const struct rule_catalog *x = elder->catalog, *y = younger->catalog;

    if (!sv_eq(x->base.bucket, y->base.bucket) ||
        !rule_is_one_store(x->integration, y->integration))
        return;
    if (location_overlaps(&x->base, &y->base))
        compile_blame(c, younger->i, "LocationOverlap", field,
                      told(c, SV("overlaps the location"), elder->meta, SV("; choose another")));
    else if (!sv_eq(elder->meta->namespace_, younger->meta->namespace_) &&
             overlaps_allowed(x->integration, &y->base))
        compile_warn(c, younger->i, "LocationOverlap", field,
                     told(c, SV("lies in the allowedLocations"), elder->meta,
                          SV(", which keeps its tables there; choose another, or narrow those")));
}

static void part_locations(struct compiling *c, const struct claim *list, size_t n)
{
    for (size_t j = 0; j < n; j++) {
        list[j].catalog->rank = j;
        for (size_t i = 0; i < j && !c->out[list[j].i]; i++) {
            if (!c->out[list[i].i])
                compare_locations(c, &list[i], &list[j]);
        }
    }
}

/* ---- names ---- */

/* The one that has the name already, or NULL: it is given. */
static const struct claim *take_name(struct map *names, struct sv name, struct claim *by)
{
    struct claim *elder = map_get(names, name);

    if (elder)
        return elder;
    (void)map_put(names, name, by);
    return NULL;
}

/* Engines say the bare name, or NAMESPACE.NAME. Both may be an elder's: a name may hold dots. */
static void name_catalog(struct compiling *c, struct map *names, struct claim *k)
{
    struct sv whole = ARENA_JOIN(c->arena, k->meta->namespace_, SV("."), k->meta->name);
    struct sv bare = arena_dup(c->arena, k->meta->name), remedy = SV("; choose another");
    const struct claim *bare_of = take_name(names, bare, k), *whole_of = take_name(names, whole, k);
    const struct claim *elder = bare_of ? bare_of : whole_of;

    k->catalog->name = bare_of ? whole : bare;
    if (!elder)
        return;
    if (!(bare_of && whole_of))
        remedy = arena_printf(c->scratch, "; engines call this one " SV_FMT ", choose another name",
                              SV_ARG(k->catalog->name));
    (bare_of && whole_of ? compile_blame : compile_warn)(
        c, k->i, "NameTaken", SV("metadata.name"),
        told(c,
             arena_printf(c->scratch, "\"" SV_FMT "\" is a name", SV_ARG(bare_of ? bare : whole)),
             elder->meta, remedy));
}

void compile_claims(struct compiling *c)
{
    struct claim *list;
    size_t n = claims_by_age(c, &list), kept = 0;
    struct map names = map_new(c->scratch);

    part_locations(c, list, n);
    for (size_t i = 0; i < n; i++) {
        if (!c->out[list[i].i])
            name_catalog(c, &names, &list[i]);
    }
    c->book->catalog_list = arena_array(c->arena, const struct rule_catalog *, n + 1);
    for (size_t i = 0; i < n; i++) {
        if (c->out[list[i].i])
            continue;
        list[i].catalog->index = kept;
        c->book->catalog_list[kept++] = list[i].catalog;
    }
    c->book->n_catalogs = kept;
    for (const struct map_entry *i = NULL; (i = map_next(&names, i));) {
        const struct claim *k = i->value;

        if (!c->out[k->i])
            (void)map_put(&c->book->catalogs, i->key, k->catalog);
    }
}
