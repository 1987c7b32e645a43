/*
 * page.h - lists in pages: what the caller sees of them, and where a page goes on.
 *
 * A token names the last entry that was told, sealed for this caller and this list: nobody can make
 * one, nobody learns a name from one, and one of another list is refused.
 */
#ifndef CATALOG_PAGE_H
#define CATALOG_PAGE_H

#include "serve/call.h"

struct paging {
    struct page page; /* limit 0: all */
    struct sv scope;  /* which list: a namespace, a parent */
    struct sv_vec names;
    bool more;
};

/* pageToken and pageSize of the query. Without pageToken a client wants everything. ERR_INVALID: a
 * token that is not ours, or of another list. */
MUST_CHECK bool page_begin(struct call *c, struct sv scope, struct paging *p, struct err *e);

/* On a keeper: names that come after page->after, in order, and whether the caller sees one. */
struct page_source {
    bool (*list)(struct call *c, struct store *s, const struct page *page, struct sv_vec *out,
                 struct err *e);
    bool (*sees)(struct call *c, struct sv name);
};
/* Fills names and more with what the caller sees. */
MUST_CHECK bool page_fill(struct call *c, struct store *s, const struct page_source *from,
                          struct paging *p, struct err *e);

/* Sets "next-page-token" when there is more. */
MUST_CHECK bool page_end(struct call *c, const struct paging *p, struct json *body, struct err *e);

#endif
