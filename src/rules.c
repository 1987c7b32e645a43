/* rules.c - the rulebook for commands. */
#include "rules.h"

#include "client/columns.h"
#include "control/control.h"
#include "wire/names.h"

bool rules_compile(const struct options *o, struct rulebook **out, struct err *e)
{
    if (o->resources.n)
        return control_compile_folder(sv_trim_end(o->resources, '/'), o->state, o->file_storage,
                                      out, e);
    return control_compile_cluster(o->kubeconfig, &o->namespaces, out, e);
}

bool rules_table(const struct rulebook *r, struct sv text, struct arena *a, struct subject *out,
                 struct err *e)
{
    struct sv_vec levels = {0};
    struct err why = {0};
    size_t taken;

    if (!names_read(text_unescaped(a, text), a, &levels, &why))
        return err_set(e, why.code, "--table: %s; write CATALOG.NAMESPACE.TABLE", why.msg);
    for (taken = levels.n; taken > 0 && !out->catalog; taken -= out->catalog ? 0 : 1)
        out->catalog = rulebook_catalog(r, names_joined(a, levels.p, taken));
    if (!out->catalog)
        return err_set(e, ERR_INVALID,
                       "--table " SV_FMT ": names no catalog that is in force; `frontdesk check` "
                       "or its status says why, where there is one",
                       SV_ARG(sv_first(text, 150)));
    if (levels.n - taken < 2)
        return err_set(e, ERR_INVALID, "--table " SV_FMT ": write CATALOG.NAMESPACE.TABLE",
                       SV_ARG(sv_first(text, 150)));
    out->levels = levels.p + taken;
    out->n_levels = levels.n - taken - 1;
    out->table = levels.p[levels.n - 1];
    return true;
}
