/* fuzz_route_match.c - any target: what is matched is what a split by slashes says, and its names
 * are the path's own bytes. */
/* layer: catalog */
#include <assert.h>
#include <string.h>

#include "catalog/routes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_name(struct sv segment)
{
    return segment.n > 2 && segment.p[0] == '{' && segment.p[segment.n - 1] == '}';
}

/* The same question, asked slowly: segment by segment. Counts the names. */
static bool agrees(struct sv template_, struct sv path, const struct sv *params, size_t *n)
{
    struct sv want, got;

    while (sv_cut(&template_, '/', &want)) {
        if (!sv_cut(&path, '/', &got))
            return false;
        if (!is_name(want) && !sv_eq(want, got))
            return false;
        if (is_name(want) && !got.n)
            return false;
        if (is_name(want) && params && !(params[*n].p == got.p && params[*n].n == got.n))
            return false;
        *n += is_name(want);
    }
    return !path.p;
}

static const struct route *slowly(enum http_method m, struct sv path, unsigned *others)
{
    *others = 0;
    for (size_t i = 0; i < catalog_routes.n; i++) {
        size_t n = 0;

        if (!agrees(sv_from(catalog_routes.p[i].path), path, NULL, &n))
            continue;
        if (catalog_routes.p[i].method == m)
            return &catalog_routes.p[i];
        *others |= 1U << catalog_routes.p[i].method;
    }
    return NULL;
}

/* A prefix of another catalog changes nothing but itself. */
static void check_alias(struct sv target, struct sv path)
{
    static const struct sv prefix = SV_INIT("/iceberg");
    char text[4096];
    struct sv query;

    if (!sv_starts(target, SV("/")) || target.n + prefix.n > sizeof(text))
        return;
    memcpy(text, prefix.p, prefix.n);
    memcpy(text + prefix.n, target.p, target.n);
    target = sv_of(text, prefix.n + target.n);
    /* Taken off once: what is left of a target that had a prefix of its own keeps it. */
    assert(sv_ends(route_path(target, &query), path));
}

static void check_match(enum http_method m, struct sv target)
{
    struct sv params[ROUTE_PARAMS] = {0}, query, path = route_path(target, &query);
    unsigned others, others_slowly;
    const struct route *r = route_match(&catalog_routes, m, path, params, &others);
    size_t n = 0;

    assert(path.n <= target.n && query.n <= target.n);
    assert(r == slowly(m, path, &others_slowly));
    assert(r || others == others_slowly);
    if (r)
        assert(agrees(sv_from(r->path), path, params, &n) && n <= ROUTE_PARAMS);
    check_alias(target, path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        check_match((enum http_method)(data[0] % HTTP_METHOD_COUNT),
                    sv_of((const char *)data + 1, size - 1));
    return 0;
}
