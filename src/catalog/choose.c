/* choose.c - where the tables and views of a namespace lie: by default, and without a privilege to
 * choose. */
#include "catalog/table_steps.h"

/* Names as folders: whatever a policy could not say becomes '_'; the suffix keeps them apart. */
static void add_clean(struct buf *b, struct sv name)
{
    static const struct sv alphabet =
        SV_INIT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.=-");

    for (size_t i = 0; i < name.n; i++)
        buf_add(b, sv_has_char(alphabet, name.p[i]) ? sv_of(name.p + i, 1) : SV("_"));
}

struct sv home_text(struct call *c, const struct levels *ns, struct sv own)
{
    struct buf b = buf_new(c->arena, 16384);

    if (own.n)
        return sv_trim_end(own, '/');
    buf_add(&b, sv_trim_end(location_text(&c->catalog->base, c->arena), '/'));
    for (size_t i = 0; i < ns->n; i++) {
        buf_addc(&b, '/');
        add_clean(&b, ns->p[i]);
    }
    return buf_sv(&b);
}

struct sv location_choose(struct call *c, const struct table_path *path, struct sv own,
                          struct sv uuid)
{
    struct buf b = buf_new(c->arena, 16384);

    buf_add(&b, home_text(c, &path->ns, own));
    buf_addc(&b, '/');
    add_clean(&b, path->table);
    buf_addf(&b, "-" SV_FMT, SV_ARG(sv_first(uuid, 8)));
    return buf_sv(&b);
}

/* ---- whether it may be elsewhere ---- */

bool home_get(struct call *c, struct store *s, const struct levels *ns, struct sv *own,
              struct err *e)
{
    const struct ns_name name = {c->catalog->id, ns->joined};
    struct sv properties;
    struct json *map;

    if (!store_namespace_get(s, &name, c->arena, &properties, e) ||
        !json_read(properties, c->arena, &map, e))
        return false;
    *own = arena_dup(c->arena, json_get_str(map, SV("location")));
    return true;
}

bool home_holds(struct call *c, const struct levels *ns, struct sv own, const struct location *l,
                struct sv *below)
{
    struct location home;
    struct err ignored = {0};

    if (!location_read(home_text(c, ns, own), false, c->arena, &home, &ignored) ||
        !location_contains(&home, l))
        return false;
    *below = sv_skip(l->key, home.key.n);
    return true;
}

bool home_check(struct call *c, const struct place_ask *ask, const struct location *folders,
                size_t n, struct err *e)
{
    const struct table_path *p = ask->path;
    struct sv below;

    for (size_t i = 0; i < n; i++) {
        if (home_holds(c, &p->ns, ask->own, &folders[i], &below) ||
            location_which(ask->kept, ask->n_kept, &folders[i]) >= 0)
            continue;
        if (!call_demand_kind(c, &p->ns, p->table, ask->is_view, PRIVILEGE_TABLE_SET_LOCATION, e))
            return err_set(e, ERR_DENIED,
                           "location " SV_FMT " is outside the namespace's own, " SV_FMT
                           "/: leave it out, or ask for TABLE_SET_LOCATION",
                           SV_ARG(sv_first(location_text(&folders[i], c->arena), 80)),
                           SV_ARG(sv_first(home_text(c, &p->ns, ask->own), 80)));
    }
    return true;
}
