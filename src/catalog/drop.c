/* drop.c - DELETE of a table: its name goes at once; its files stay, or are purged in time. */
#include "catalog/routes.h"
#include "catalog/table_steps.h"
#include "serve/once.h"

/* Keys are renewed for as long as somebody holds a promise, and clocks differ. */
enum { KEYS_MS = 60 * 60 * 1000, KEYS_MARGIN_MS = 5 * 60 * 1000 };

struct drop_work {
    struct table_path path;
    struct dropping how;
};

int64_t keys_end_ms(const struct call *c)
{
    int64_t keys_ms = (int64_t)c->catalog->integration->ttl_seconds * 1000;

    return c->now_ms + (keys_ms > KEYS_MS ? keys_ms : KEYS_MS) + KEYS_MARGIN_MS;
}

struct dropping dropping_of(const struct call *c, bool purge)
{
    return (struct dropping){.mark = world_uuid(c->world, c->arena),
                             .principal = c->who.name,
                             .request = c->id,
                             .now_ms = c->now_ms,
                             .keep_ms = purge ? keys_end_ms(c) - c->now_ms
                                              : (int64_t)c->catalog->retention_seconds * 1000,
                             .purge = purge};
}

static bool query_drop(struct call *c, struct store *s, struct err *e)
{
    struct drop_work *w = c->work;
    const struct table_name name = path_table(c, &w->path);

    return store_table_drop(s, &name, &w->how, e);
}

static bool after_drop(struct call *c, const struct err *outcome, struct err *e)
{
    struct drop_work *w = c->work;

    if (outcome && outcome->code == ERR_NOT_FOUND)
        return call_no_table(c, &w->path.ns, w->path.table, e);
    return !outcome && call_reply_empty(c, 204);
}

static bool drop(struct call *c, struct err *e)
{
    return call_write(c, query_drop, after_drop, e);
}

bool table_drop(struct call *c, struct err *e)
{
    const struct sv *purge = form_get(&c->query, SV("purgeRequested"));
    struct drop_work *w = arena_new(c->arena, struct drop_work);

    c->work = w;
    if (!table_path(c, &w->path, e) ||
        !call_demand(c, &w->path.ns, w->path.table, PRIVILEGE_TABLE_DROP, NULL, e))
        return false;
    if (purge && sv_eq_nocase(*purge, SV("true")))
        return err_set(e, ERR_INVALID,
                       "purgeRequested=true is not served: drop the table without it, then delete "
                       "what lies below its location");
    w->how = dropping_of(c, false);
    return call_once(c, drop, NULL, e);
}
