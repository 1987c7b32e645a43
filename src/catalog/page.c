/* page.c - lists in pages. */
#include "catalog/page.h"

#include <string.h>

#include "catalog/routes.h"
#include "wire/base64.h"

enum { MAX_PAGE = 1000 };

/* The lengths first, so that no part runs into the next: `last` is what a client sent and may hold
 * any byte. */
static struct sv sealed_text(struct call *c, struct sv scope, struct sv last)
{
    struct sv lengths = arena_printf(c->arena, "page\n%s\n%zu %zu %zu\n", c->route->operation,
                                     c->catalog->id.n, c->who.name.n, scope.n);

    return ARENA_JOIN(c->arena, lengths, c->catalog->id, c->who.name, scope, last);
}

static bool read_token(struct call *c, struct sv token, struct paging *p)
{
    struct err ignored = {0};
    struct sha256 seal;
    struct sv last, text;

    if (!sv_cut(&token, '.', &last) || !base64url_decode(last, c->arena, &last, &ignored) ||
        !base64url_decode(token, c->arena, &text, &ignored) || text.n != sizeof(seal.b))
        return false;
    memcpy(seal.b, text.p, sizeof(seal.b));
    p->page.after = last;
    return rulebook_sealed(c->rules, sealed_text(c, p->scope, last), &seal);
}

bool page_begin(struct call *c, struct sv scope, struct paging *p, struct err *e)
{
    const struct sv *token = form_get(&c->query, SV("pageToken")),
                    *size = form_get(&c->query, SV("pageSize"));
    int64_t n = MAX_PAGE;

    *p = (struct paging){.scope = scope};
    if (!token)
        return true;
    if (size && size->n && (!sv_i64(*size, &n) || n < 1))
        return err_set(e, ERR_INVALID, "pageSize must be a number from 1");
    p->page.limit = (int)(n > MAX_PAGE ? MAX_PAGE : n);
    return !token->n || read_token(c, *token, p) ||
           err_set(e, ERR_INVALID, "pageToken is not one of this list; begin again without");
}

/* False when the page is full and there is more. */
static bool take(struct call *c, const struct page_source *from, const struct sv_vec *found,
                 struct paging *p)
{
    for (size_t i = 0; i < found->n; i++) {
        if (!from->sees(c, found->p[i]))
            continue;
        p->more = p->page.limit && p->names.n == (size_t)p->page.limit;
        if (p->more)
            return false;
        vec_push(&p->names, c->arena, found->p[i]);
    }
    return true;
}

bool page_fill(struct call *c, struct store *s, const struct page_source *from, struct paging *p,
               struct err *e)
{
    struct page next = {p->page.after, p->page.limit ? MAX_PAGE : 0};
    struct sv_vec found;

    do {
        found = (struct sv_vec){0};
        if (!from->list(c, s, &next, &found, e))
            return false;
        if (found.n)
            next.after = found.p[found.n - 1];
    } while (take(c, from, &found, p) && next.limit && found.n == (size_t)next.limit);
    return true;
}

bool page_end(struct call *c, const struct paging *p, struct json *body, struct err *e)
{
    struct sha256 seal;
    struct sv last;

    if (!p->more)
        return true;
    last = p->names.p[p->names.n - 1];
    if (!rulebook_seal(c->rules, sealed_text(c, p->scope, last), &seal, e))
        return false;
    json_set_str(body, c->arena, SV("next-page-token"),
                 arena_printf(c->arena, SV_FMT "." SV_FMT, SV_ARG(base64url_encode(c->arena, last)),
                              SV_ARG(base64url_encode(
                                  c->arena, sv_of((const char *)seal.b, sizeof(seal.b))))));
    return true;
}
