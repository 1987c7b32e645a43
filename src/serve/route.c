/* route.c - a request's target to a line of the table. */
#include "serve/route.h"

#include <string.h>

#include "base/limits.h"

struct sv route_path(struct sv target, struct sv *query)
{
    static const struct sv aliases[] = {SV_INIT("/api/catalog/"), SV_INIT("/iceberg/")};
    ptrdiff_t at = sv_find(target, '?');
    struct sv path = at < 0 ? target : sv_first(target, (size_t)at);

    *query = at < 0 ? (struct sv){0} : sv_skip(target, (size_t)at + 1);
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (sv_starts(path, aliases[i]))
            return sv_skip(path, aliases[i].n - 1);
    }
    return path;
}

/* "{x}" takes what stands before the next slash, and not nothing. Both are walked at once: this
 * runs for each line of the table on each request. */
static bool matches(const char *template_, struct sv path, struct sv params[ROUTE_PARAMS])
{
    const char *end = path.p + path.n, *at = path.p;
    size_t n = 0;

    while (*template_ && at < end) {
        if (*template_ == '{') {
            const char *slash = memchr(at, '/', (size_t)(end - at));
            const char *stop = slash ? slash : end;

            if (stop == at || n == ROUTE_PARAMS)
                return false;
            params[n++] = sv_of(at, (size_t)(stop - at));
            at = stop;
            template_ = strchr(template_, '}') + 1;
        } else if (*template_++ != *at++) {
            return false;
        }
    }
    return !*template_ && at == end;
}

const struct route *route_match(const struct routes *all, enum http_method m, struct sv path,
                                struct sv params[ROUTE_PARAMS], unsigned *others)
{
    *others = 0;
    for (size_t i = 0; i < all->n; i++) {
        if (all->p[i].method == m && matches(all->p[i].path, path, params))
            return &all->p[i];
    }
    for (size_t i = 0; i < all->n; i++) {
        if (matches(all->p[i].path, path, params))
            *others |= 1U << all->p[i].method;
    }
    return NULL;
}

size_t route_max_body(const struct route *r)
{
    if (r->max_body)
        return (size_t)r->max_body;
    return r->method == HTTP_POST ? LIMIT_HTTP_BODY_BYTES : LIMIT_HTTP_UNREAD_BYTES;
}

struct sv route_allow(unsigned methods, struct arena *a)
{
    struct sv text = {0};

    for (unsigned m = 0; m < HTTP_METHOD_COUNT; m++) {
        if (methods & 1U << m)
            text = ARENA_JOIN(a, text, text.n ? SV(", ") : SV(""),
                              http_method_text((enum http_method)m));
    }
    return text;
}
