/* choose.c - where a table or a view lies when nobody says. */
#include "catalog/table_steps.h"

/* Names as folders: whatever a policy could not say becomes '_'; the suffix keeps them apart. */
static void add_clean(struct buf *b, struct sv name)
{
    static const struct sv alphabet =
        SV_INIT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.=-");

    for (size_t i = 0; i < name.n; i++)
        buf_add(b, sv_has_char(alphabet, name.p[i]) ? sv_of(name.p + i, 1) : SV("_"));
}

struct sv location_choose(struct call *c, const struct table_path *path, struct sv parent,
                          struct sv uuid)
{
    struct buf b = buf_new(c->arena, 16384);

    if (parent.n) {
        buf_add(&b, sv_trim_end(parent, '/'));
    } else {
        buf_add(&b, sv_trim_end(location_text(&c->catalog->base, c->arena), '/'));
        for (size_t i = 0; i < path->ns.n; i++) {
            buf_addc(&b, '/');
            add_clean(&b, path->ns.p[i]);
        }
    }
    buf_addc(&b, '/');
    add_clean(&b, path->table);
    buf_addf(&b, "-" SV_FMT, SV_ARG(sv_first(uuid, 8)));
    return buf_sv(&b);
}
