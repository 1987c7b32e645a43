/* views.c - view pointers: rows and folders beside those of tables, under the same names. */
#include "store/sql.h"

bool store_view_get(struct store *s, const struct table_name *t, struct arena *a,
                    struct table_row *out, struct err *e)
{
    return entry_get(s, t, ENTRY_VIEW, a, out, e);
}

bool store_view_list(struct store *s, const struct ns_name *n, const struct page *page,
                     struct arena *a, struct sv_vec *out, struct err *e)
{
    return entry_list(s, (struct entries){n, ENTRY_VIEW}, page, a, out, e);
}

bool store_view_overlap(struct store *s, const struct table_name *t, struct table_change *c,
                        struct arena *a, struct err *e)
{
    return entry_overlap(s, t, ENTRY_VIEW, c, a, e);
}

static bool create(struct store *s, void *context, struct err *e)
{
    return entry_create(s, context, e);
}

bool store_view_create(struct store *s, const struct table_name *t, struct table_change *c,
                       struct arena *a, struct err *e)
{
    c->overlap = (struct sv){0};
    return sql_transaction(s, create, &(struct entry_change){t, c, a, ENTRY_VIEW, NULL}, e);
}

static bool swap(struct store *s, void *context, struct err *e)
{
    return entry_swap(s, context, e);
}

bool store_view_swap(struct store *s, const struct table_name *t, struct table_change *c,
                     struct arena *a, struct err *e)
{
    c->overlap = (struct sv){0};
    return sql_transaction(s, swap, &(struct entry_change){t, c, a, ENTRY_VIEW, NULL}, e);
}
