/* cmd_explain.c - which privileges, from which grant; which keys a credential could reach; the
 * policy. */
#include <stdio.h>

#include "control/control.h"
#include "options.h"
#include "policy/rulebook.h"

struct explanation {
    struct caller who;
    struct subject subject;
    struct decision decision;
    struct location folder;
    struct sv policy, why_no_policy;
};

/* The catalog is the longest start that names one: names of catalogs may hold dots. */
static struct sv take_catalog(const struct rulebook *r, struct sv text, struct subject *out)
{
    for (size_t n = text.n; n-- > 0;) {
        if (text.p[n] != '.')
            continue;
        out->catalog = rulebook_catalog(r, sv_first(text, n));
        if (out->catalog)
            return sv_skip(text, n + 1);
    }
    return (struct sv){0};
}

/* "CATALOG.NS.TABLE": the table is what follows the last dot. */
static bool read_table(const struct rulebook *r, struct sv text, struct arena *a,
                       struct subject *out, struct err *e)
{
    struct sv_vec levels = {0};
    struct sv level, rest = take_catalog(r, text, out);
    bool empty = false;

    if (!out->catalog)
        return err_set(e, ERR_INVALID,
                       "--table " SV_FMT ": names no catalog that is in force; `frontdesk check` "
                       "or its status says why, where there is one",
                       SV_ARG(sv_first(text, 150)));
    while (sv_cut(&rest, '.', &level)) {
        empty = empty || !level.n;
        vec_push(&levels, a, level);
    }
    if (levels.n < 2 || empty)
        return err_set(e, ERR_INVALID, "--table " SV_FMT ": write CATALOG.NAMESPACE.TABLE",
                       SV_ARG(sv_first(text, 150)));
    out->levels = levels.p;
    out->n_levels = levels.n - 1;
    out->table = levels.p[levels.n - 1];
    return true;
}

static void explain(const struct rulebook *r, struct explanation *x, struct arena *a)
{
    struct buf key = buf_new(a, 8192);
    const struct rule_integration *w = x->subject.catalog->integration;
    struct session_ask ask = {.folders = &x->folder, .n_folders = 1};
    struct err e = {0};

    rulebook_decide(r, &x->who, &x->subject, &x->decision);
    ask.access = decision_access(&x->decision);
    ask.template_ = rule_template(w, ask.access);
    buf_add(&key, x->subject.catalog->base.key);
    for (size_t i = 0; i < x->subject.n_levels; i++)
        buf_addf(&key, SV_FMT "/", SV_ARG(x->subject.levels[i]));
    buf_addf(&key, SV_FMT "-UUID/", SV_ARG(x->subject.table));
    x->folder = (struct location){x->subject.catalog->base.bucket, buf_sv(&key)};
    if (!ask.access)
        x->why_no_policy = SV("no grant gives TABLE_READ_DATA or TABLE_WRITE_DATA: no credential "
                              "is vended");
    else if (!session_policy(&w->target, &ask, a, &x->policy, &e))
        x->why_no_policy = arena_printf(a, "%s", e.msg);
}

static void print_text(const struct explanation *x, struct arena *a)
{
    printf("principal  " SV_FMT "\n", SV_ARG(x->who.name));
    for (int p = 0; p < PRIVILEGE_COUNT; p++) {
        if (decision_allows(&x->decision, (enum privilege)p))
            printf("%-28s by " SV_FMT "\n", privilege_name((enum privilege)p).p,
                   SV_ARG(x->decision.grants[p]));
    }
    if (x->policy.n) {
        printf("reach      " SV_FMT "*  (where the table is placed by default)\n",
               SV_ARG(location_text(&x->folder, a)));
        printf("policy     " SV_FMT "\n", SV_ARG(x->policy));
    } else {
        printf("reach      nothing: " SV_FMT "\n", SV_ARG(x->why_no_policy));
    }
}

static void print_json(const struct explanation *x, struct arena *a)
{
    struct json *v = json_new_object(a), *privileges = json_new_object(a), *policy = NULL;
    struct err ignored = {0};

    for (int p = 0; p < PRIVILEGE_COUNT; p++) {
        if (decision_allows(&x->decision, (enum privilege)p))
            json_set_str(privileges, a, privilege_name((enum privilege)p), x->decision.grants[p]);
    }
    json_set_str(v, a, SV("principal"), x->who.name);
    json_set(v, SV("privileges"), privileges);
    if (x->policy.n && json_read(x->policy, a, &policy, &ignored)) {
        json_set_str(v, a, SV("reach"), location_text(&x->folder, a));
        json_set(v, SV("policy"), policy);
    } else {
        json_set_str(v, a, SV("reachesNothing"), x->why_no_policy);
    }
    printf(SV_FMT "\n", SV_ARG(json_text(a, v)));
}

static bool compile(const struct options *o, struct rulebook **out, struct err *e)
{
    if (o->resources.n)
        return control_compile_folder(sv_trim_end(o->resources, '/'), o->state, out, e);
    return control_compile_cluster(o->kubeconfig, &o->namespaces, out, e);
}

static const char *wrong_usage(const struct options *o)
{
    if (!o->principal.n || !o->table.n)
        return "--principal and --table are required";
    if (o->output.n && !sv_eq(o->output, SV("json")))
        return "-o: json is the only other form";
    return NULL;
}

int cmd_explain(const struct options *o)
{
    auto_arena a = {0};
    struct explanation x = {0};
    struct rulebook *r = NULL;
    const char *usage = wrong_usage(o);
    struct err e = {0};
    bool ok;

    if (usage) {
        (void)fprintf(stderr, "frontdesk: explain: %s\n", usage);
        return 2;
    }
    ok = compile(o, &r, &e) && rulebook_find(r, o->principal, &x.who, &e) &&
         read_table(r, o->table, &a, &x.subject, &e);
    if (ok) {
        explain(r, &x, &a);
        if (sv_eq(o->output, SV("json")))
            print_json(&x, &a);
        else
            print_text(&x, &a);
    } else {
        (void)fprintf(stderr, "frontdesk: explain: %s\n", e.msg);
    }
    (void)rulebook_unref(r);
    return ok ? 0 : 1;
}
