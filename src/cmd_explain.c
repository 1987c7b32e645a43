/* cmd_explain.c - which privileges, from which grant; which keys a credential could reach; the
 * policy. */
#include <stdio.h>

#include "options.h"
#include "rules.h"

struct explanation {
    struct caller who;
    struct subject subject;
    struct decision decision;
    struct location folder;
    struct sv policy, why_no_policy;
};

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
    ok = rules_compile(o, &r, &e) && rulebook_find(r, o->principal, &x.who, &e) &&
         rules_table(r, o->table, &a, &x.subject, &e);
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
