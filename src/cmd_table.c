/* cmd_table.c - tables as a running server has them: for people, and as JSON for scripts. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "client/columns.h"
#include "client/print.h"
#include "kube/file.h"
#include "rules.h"
#include "wire/names.h"

enum { MAX_TEXT_BYTES = 256 * 1024 * 1024 };

/* One question under way. */
struct asking {
    const struct options *options;
    struct sv_vec levels; /* of the name that was given */
    struct catalog *catalog;
    struct arena *arena; /* wipes */
};
typedef bool answer_fn(struct asking *q, struct json **out, struct err *e);
typedef void print_fn(struct buf *out, const struct json *answer, struct arena *a);

/* ---- who may do what ---- */

static struct json *rights_of(const struct rulebook *r, const struct caller *who,
                              const struct subject *s, struct arena *a)
{
    struct json *v = json_new_object(a);
    struct decision d;

    rulebook_decide(r, who, s, &d);
    for (int p = 0; p < PRIVILEGE_COUNT; p++) {
        struct sv name = privilege_name((enum privilege)p);

        if (decision_allows(&d, (enum privilege)p) && sv_starts(name, SV("TABLE_")))
            json_set_str(v, a, name, d.grants[p]);
    }
    return v;
}

static struct json *access_to(const struct rulebook *r, const struct subject *s, struct arena *a)
{
    struct json *list = json_new_array(a);
    struct caller_vec all = {0};

    rulebook_callers(r, a, &all);
    for (size_t i = 0; i < all.n; i++) {
        struct json *rights = rights_of(r, &all.p[i], s, a), *v = json_new_object(a);

        json_set_str(v, a, SV("principal"), all.p[i].name);
        json_set(v, SV("privileges"), rights);
        if (json_count(rights))
            json_push(list, v);
    }
    return list;
}

/* Asked only where the rules were named: a cluster that happens to be configured here need not be
 * the server's. */
static bool add_access(const struct asking *q, const struct table_id *t, struct json *to,
                       struct err *e)
{
    struct subject s = {.levels = t->ns.p, .n_levels = t->ns.n, .table = t->name};
    struct rulebook *r;

    if (!q->options->resources.n && !q->options->kubeconfig.n)
        return true;
    if (!rules_compile(q->options, &r, e))
        return false;
    s.catalog = rulebook_catalog(r, t->catalog);
    if (s.catalog)
        json_set(to, SV("access"), access_to(r, &s, q->arena));
    (void)rulebook_unref(r);
    return s.catalog ||
           err_set(e, ERR_NOT_FOUND,
                   "who may do what: those resources hold no catalog " SV_FMT " that is in force",
                   SV_ARG(sv_first(t->catalog, 100)));
}

/* ---- the three questions ---- */

static bool load(struct asking *q, struct table_id *t, struct json **out, struct err *e)
{
    size_t taken;

    if (!catalog_choose(q->catalog, &q->levels, 2, &taken, e))
        return false;
    t->catalog = catalog_name(q->catalog);
    for (; taken + 1 < q->levels.n; taken++)
        vec_push(&t->ns, q->arena, q->levels.p[taken]);
    t->name = q->levels.p[taken];
    return catalog_load(q->catalog, &t->ns, t->name, q->arena, out, e);
}

static bool show(struct asking *q, struct json **out, struct err *e)
{
    struct table_id t = {0};
    struct json *answer;

    return load(q, &t, &answer, e) && describe_table(&t, answer, q->arena, out, e) &&
           add_access(q, &t, *out, e);
}

static bool history(struct asking *q, struct json **out, struct err *e)
{
    struct table_id t = {0};
    struct json *answer;

    return load(q, &t, &answer, e) && describe_history(&t, answer, q->arena, out, e);
}

static bool list(struct asking *q, struct json **out, struct err *e)
{
    const struct sv whole = names_joined(q->arena, q->levels.p, q->levels.n);
    const struct sv_vec name = {(struct sv[]){whole}, 1, 1};
    struct listed_vec all = {0};
    struct sv_vec ns = {0};
    size_t taken, refused = 0;

    if (q->options->table_namespace.n &&
        !names_read(text_unescaped(q->arena, q->options->table_namespace), q->arena, &ns, e))
        return err_wrap(e, "--namespace");
    if (!catalog_choose(q->catalog, &name, 0, &taken, e) ||
        !catalog_list(q->catalog, &ns, q->arena, &all, &refused, e))
        return false;
    if (refused)
        (void)fprintf(stderr,
                      "frontdesk: table: left out: %zu lists that the caller may not have\n",
                      refused);
    *out = describe_list(catalog_name(q->catalog), &all, q->arena);
    return true;
}

static const struct question {
    const char *name, *takes;
    size_t least; /* levels of the name */
    answer_fn *answer;
    print_fn *print;
} questions[] = {
    {"list",    "CATALOG",                 1, list,    print_list   },
    {"show",    "CATALOG.NAMESPACE.TABLE", 3, show,    print_table  },
    {"history", "CATALOG.NAMESPACE.TABLE", 3, history, print_history},
};

/* ---- who asks, and where ---- */

static struct sv variable(const char *name)
{
    return sv_from(getenv(name)); /* NOLINT(concurrency-mt-unsafe): one thread runs */
}

/* A token has no colon in it, an id has none either. */
static bool read_credential(const struct asking *q, struct catalog_login *l, struct err *e)
{
    struct sv text;

    l->token = secret_of(variable("FRONTDESK_TOKEN"));
    l->credential = secret_of(variable("FRONTDESK_CREDENTIAL"));
    if (!q->options->credential_file.n)
        return secret_is_set(l->token) || secret_is_set(l->credential) ||
               err_set(e, ERR_INVALID,
                       "who asks? Set FRONTDESK_TOKEN, or FRONTDESK_CREDENTIAL to ID:SECRET, or "
                       "name a file that holds either by --credential-file");
    if (!file_read(q->options->credential_file, LIMIT_TOKEN_BYTES, q->arena, &text, e))
        return err_wrap(e, "--credential-file");
    text = sv_trim(text);
    l->token = secret_of(sv_has_char(text, ':') ? (struct sv){0} : text);
    l->credential = secret_of(text);
    return text.n || err_set(e, ERR_INVALID, "--credential-file: is empty");
}

static bool log_in(struct asking *q, struct err *e)
{
    struct catalog_login l = {.uri = q->options->uri};

    if (!l.uri.n)
        l.uri = variable("FRONTDESK_URI");
    if (!l.uri.n)
        l.uri = SV("http://127.0.0.1:8181");
    if (q->options->ca_file.n &&
        !file_read(q->options->ca_file, LIMIT_CREDENTIAL_BYTES, q->arena, &l.ca_pem, e))
        return err_wrap(e, "--ca-file");
    return read_credential(q, &l, e) && catalog_login(&l, q->arena, &q->catalog, e);
}

/* ---- the command ---- */

static const struct question *asked(const struct options *o)
{
    for (size_t i = 0; o->n_rest == 2 && i < sizeof(questions) / sizeof(questions[0]); i++) {
        if (sv_eq(sv_from(o->rest[0]), sv_from(questions[i].name)))
            return &questions[i];
    }
    return NULL;
}

static int wrong_usage(const char *what)
{
    (void)fprintf(stderr, "frontdesk: table: %s\n", what);
    return 2;
}

static bool write_out(const struct asking *q, const struct question *of, const struct json *answer,
                      struct err *e)
{
    struct buf out = buf_new(q->arena, MAX_TEXT_BYTES);

    if (q->options->output.n) {
        json_write(&out, answer);
        buf_addc(&out, '\n');
    } else {
        of->print(&out, answer, q->arena);
    }
    if (out.over)
        return err_set(e, ERR_INVALID, "more than %d MB to print", MAX_TEXT_BYTES >> 20);
    return (fwrite(out.p, 1, out.n, stdout) == out.n && fflush(stdout) == 0) ||
           err_set(e, ERR_UNAVAILABLE, "the output cannot be written");
}

int cmd_table(const struct options *o)
{
    auto_arena a = {.wipe = true};
    struct asking q = {.options = o, .arena = &a};
    const struct question *of = asked(o);
    struct json *answer;
    struct err e = {0};

    if (!of)
        return wrong_usage("write table list CATALOG, table show CATALOG.NS.TABLE or "
                           "table history CATALOG.NS.TABLE");
    if (o->output.n && !sv_eq(o->output, SV("json")))
        return wrong_usage("-o: json is the only other form");
    if (!names_read(text_unescaped(&a, sv_from(o->rest[1])), &a, &q.levels, &e))
        return wrong_usage(e.msg);
    if (q.levels.n < of->least)
        return wrong_usage(arena_printf(&a, "%s: write %s", of->name, of->takes).p);
    if (log_in(&q, &e) && of->answer(&q, &answer, &e) && write_out(&q, of, answer, &e))
        return 0;
    /* It may quote the server. */
    (void)fprintf(stderr, "frontdesk: table: " SV_FMT "\n",
                  SV_ARG(text_escaped(&a, sv_from(e.msg))));
    return 1;
}
