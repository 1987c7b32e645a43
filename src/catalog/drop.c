/* drop.c - DELETE of a table: its name goes at once; its files stay, or are purged in time. */
#include "catalog/routes.h"
#include "catalog/table_steps.h"
#include "serve/loop.h"
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

/* A purge leaves what no manifest names, and all data where gc.enabled says so: its place is kept
 * no shorter than that of a table which is just dropped. */
struct dropping dropping_of(const struct call *c, bool purge)
{
    int64_t keep_ms = (int64_t)c->catalog->retention_seconds * 1000,
            keys_ms = keys_end_ms(c) - c->now_ms;

    return (struct dropping){.mark = world_uuid(c->world, c->arena),
                             .principal = c->who.name,
                             .request = c->id,
                             .now_ms = c->now_ms,
                             .keep_ms = purge && keys_ms > keep_ms ? keys_ms : keep_ms,
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
    const struct serve_options *o = &c->loop->serve->options;

    if (!outcome && w->how.purge && o->want_purge)
        o->want_purge(o->context);
    if (outcome && outcome->code == ERR_NOT_FOUND)
        return call_no_table(c, &w->path.ns, w->path.table, e);
    return !outcome && call_reply_empty(c, 204);
}

static bool drop(struct call *c, struct err *e)
{
    return call_write(c, query_drop, after_drop, e);
}

static struct json *details(struct call *c, const struct drop_work *w)
{
    struct json *v = json_new_object(c->arena);

    json_set_str(v, c->arena, SV("purge"), w->how.mark);
    return v;
}

/* What is purged is deleted for good: the right to delete data is asked for beside the one to drop,
 * and the one to write is not, for nothing is written. */
static bool check_rights(struct call *c, const struct table_path *p, bool purge, struct err *e)
{
    return call_demand(c, &p->ns, p->table, PRIVILEGE_TABLE_DROP, NULL, e) &&
           (!purge || call_demand(c, &p->ns, p->table, PRIVILEGE_TABLE_DELETE_DATA, NULL, e));
}

bool table_drop(struct call *c, struct err *e)
{
    const struct sv *asked = form_get(&c->query, SV("purgeRequested"));
    bool purge = asked && sv_eq_nocase(*asked, SV("true"));
    struct drop_work *w = arena_new(c->arena, struct drop_work);

    c->work = w;
    if (asked && asked->n && !purge && !sv_eq_nocase(*asked, SV("false")))
        return err_set(e, ERR_INVALID, "purgeRequested must be true or false");
    if (!table_path(c, &w->path, e) || !check_rights(c, &w->path, purge, e))
        return false;
    w->how = dropping_of(c, purge);
    c->details = purge ? details(c, w) : NULL;
    return call_once(c, drop, NULL, e);
}
