/* options.c - the command line. */
#include "options.h"

#include <assert.h>
#include <stddef.h>

#include "base/log.h"
#include "wire/time.h"

enum value { VALUE_TEXT, VALUE_LIST, VALUE_NUMBER };

#define AT(member) offsetof(struct options, member)
static const struct option {
    const char *name, *commands; /* which take it: r run, e explain, t table, a audit */
    enum value value;
    size_t offset;
    const char *what, *help;
} options[] = {
    {"--config",           "r",   VALUE_TEXT,   AT(config),           "FILE",
     "these options as a YAML file, by their names without dashes; the command line counts before it"                         },
    {"--kubeconfig",       "ret", VALUE_TEXT,   AT(kubeconfig),       "FILE",
     "where the API server is; else $KUBECONFIG, ~/.kube/config, the pod's"                                                   },
    {"--namespace",        "re",  VALUE_LIST,   AT(namespaces),       "NS",
     "follow this namespace only; repeatable; default all"                                                                    },
    {"--resources",        "ret", VALUE_TEXT,   AT(resources),        "DIR",
     "no cluster: follow the manifests in this folder"                                                                        },
    {"--state",            "ret", VALUE_TEXT,   AT(state),            "DIR",
     "with --resources: statuses and generated Secrets; default ./frontdesk-state"                                            },
    {"--listen",           "r",   VALUE_LIST,   AT(listen),           "ADDR:PORT",
     "where engines come; repeatable; port 0 picks one; default 127.0.0.1:8181"                                               },
    {"--admin-listen",     "r",   VALUE_TEXT,   AT(admin_listen),     "ADDR:PORT",
     "/healthz /readyz /metrics /rulebook; default 127.0.0.1:8182"                                                            },
    {"--tls-cert",         "r",   VALUE_TEXT,   AT(tls_cert),         "FILE",
     "certificate chain; read again when it changes"                                                                          },
    {"--tls-key",          "r",   VALUE_TEXT,   AT(tls_key),          "FILE",           "its key"                             },
    {"--store",            "ra",  VALUE_TEXT,   AT(store),            "URL",
     "the catalog's state: sqlite:PATH or postgresql://USER@HOST/DB; default sqlite:frontdesk.db"                             },
    {"--file-storage",     "ret", VALUE_TEXT,   AT(file_storage),     "DIR",
     "let storageType file keep tables below this folder; for trying out"                                                     },
    {"--audit",            "r",   VALUE_LIST,   AT(audit),            "URL",
     "stdout, file:PATH or store, see frontdesk audit; repeatable; default stdout"                                            },
    {"--audit-keep",       "r",   VALUE_NUMBER, AT(audit_keep_days),  "DAYS",
     "how long the store keeps what --audit store puts there; default 90"                                                     },
    {"--threads",          "r",   VALUE_NUMBER, AT(threads),          "N",              "serving loops; default one per core" },
    {"--memory",           "r",   VALUE_NUMBER, AT(memory_mb),        "MB",
     "what the process may have; default the least of control group, limits and machine"                                      },
    {"--resync",           "r",   VALUE_NUMBER, AT(resync_seconds),   "SECONDS",
     "look at every integration again after so long; default 600"                                                             },
    {"--lease",            "r",   VALUE_NUMBER, AT(lease_seconds),    "SECONDS",
     "how long a leader that is gone is waited for; default 15"                                                               },
    {"--token-ttl",        "r",   VALUE_NUMBER, AT(token_seconds),    "SECONDS",
     "the life of our own tokens; default 3600, the most; less is for tests of renewal"                                       },
    {"--audience",         "r",   VALUE_TEXT,   AT(audience),         "NAME",
     "of service account tokens; default frontdesk"                                                                           },
    {"--system-namespace", "r",   VALUE_TEXT,   AT(system_namespace), "NS",
     "where our own Secret is kept; default the pod's or the context's"                                                       },
    {"--log-level",        "r",   VALUE_TEXT,   AT(log_level),        "LEVEL",
     "debug, info, warning or error; default info"                                                                            },
    {"--principal",        "ea",  VALUE_TEXT,   AT(principal),        "P",
     "NAME, NAMESPACE/NAME or system:serviceaccount:NAMESPACE:NAME"                                                           },
    {"--table",            "ea",  VALUE_TEXT,   AT(table),            "C.NS.T",         "catalog, namespace and table, dotted"},
    {"--uri",              "t",   VALUE_TEXT,   AT(uri),              "URL",
     "the server; else $FRONTDESK_URI; default http://127.0.0.1:8181"                                                         },
    {"--credential-file",  "t",   VALUE_TEXT,   AT(credential_file),  "FILE",
     "ID:SECRET or a token; else $FRONTDESK_TOKEN, $FRONTDESK_CREDENTIAL"                                                     },
    {"--ca-file",          "t",   VALUE_TEXT,   AT(ca_file),          "FILE",
     "certificates that the server's must lead to; default the system's"                                                      },
    {"--namespace",        "t",   VALUE_TEXT,   AT(table_namespace),  "NS",
     "list this one and what is below it"                                                                                     },
    {"--from",             "a",   VALUE_TEXT,   AT(from),             "TIME",           "not before, as 2026-11-20T14:00:00Z" },
    {"--to",               "a",   VALUE_TEXT,   AT(to),               "TIME",           "not after"                           },
    {"--operation",        "a",   VALUE_TEXT,   AT(operation),        "NAME",
     "such as load-table, commit-table or vend"                                                                               },
    {"--decision",         "a",   VALUE_TEXT,   AT(decision),         "allowed|denied", "one of these only"                   },
    {"--limit",            "a",   VALUE_NUMBER, AT(limit),            "N",              "the newest so many; default 1000"    },
    {"-o",                 "eta", VALUE_TEXT,   AT(output),           "json",           "as JSON"                             },
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

static_assert(OPTIONS <= 64, "a bit each in options.given");

static uint64_t bit_of(const struct option *o)
{
    return (uint64_t)1 << (o - options);
}

const struct option *option_named(struct sv name, const char *command)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        if (sv_eq(sv_from(options[i].name), name) &&
            sv_has_char(sv_from(options[i].commands), command[0]))
            return &options[i];
    }
    return NULL;
}

bool option_takes_list(const struct option *o)
{
    return o->value == VALUE_LIST;
}

bool option_takes_number(const struct option *o)
{
    return o->value == VALUE_NUMBER;
}

bool option_is_given(const struct option *o, const struct options *by)
{
    return (by->given & bit_of(o)) != 0;
}

/* ---- values ---- */

static bool is_number(struct sv v, int64_t least, int64_t most)
{
    int64_t n;

    return sv_i64(v, &n) && n >= least && n <= most;
}

static bool is_thread_count(struct sv v)
{
    return is_number(v, 1, 1024);
}

static bool is_resync(struct sv v)
{
    return is_number(v, 1, 604800);
}

static bool is_lease(struct sv v)
{
    return is_number(v, 1, 3600);
}

static bool is_address(struct sv v)
{
    ptrdiff_t colon = sv_rfind(v, ':');

    return colon >= 0 && is_number(sv_skip(v, (size_t)colon + 1), 0, 65535);
}

static bool is_store(struct sv v)
{
    return sv_starts(v, SV("sqlite:")) || sv_starts(v, SV("postgresql://")) ||
           sv_starts(v, SV("postgres://"));
}

static bool is_audit(struct sv v)
{
    return sv_eq(v, SV("stdout")) || sv_eq(v, SV("store")) ||
           (sv_starts(v, SV("file:")) && v.n > sizeof("file:") - 1);
}

static bool is_log_level(struct sv v)
{
    return sv_eq(v, SV("debug")) || sv_eq(v, SV("info")) || sv_eq(v, SV("warning")) ||
           sv_eq(v, SV("error"));
}

static bool is_memory(struct sv v)
{
    return is_number(v, 64, 1048576);
}

static bool is_days(struct sv v)
{
    return is_number(v, 1, 36500);
}

static bool is_limit(struct sv v)
{
    return is_number(v, 1, 1000000);
}

static bool is_decision(struct sv v)
{
    return sv_eq(v, SV("allowed")) || sv_eq(v, SV("denied"));
}

static bool is_time(struct sv v)
{
    struct err ignored = {0};
    int64_t ms;

    return time_read(v, &ms, &ignored);
}

static const struct {
    size_t offset; /* of the option's */
    bool (*holds)(struct sv value);
    const char *must;
} rules[] = {
    {AT(memory_mb),       is_memory,       "must be a number from 64 to 1048576"                   },
    {AT(threads),         is_thread_count, "must be a number from 1 to 1024"                       },
    {AT(resync_seconds),  is_resync,       "must be a number from 1 to 604800"                     },
    {AT(audit_keep_days), is_days,         "must be a number from 1 to 36500"                      },
    {AT(token_seconds),   is_lease,        "must be a number from 1 to 3600"                       },
    {AT(limit),           is_limit,        "must be a number from 1 to 1000000"                    },
    {AT(decision),        is_decision,     "must be allowed or denied"                             },
    {AT(from),            is_time,         "must be a time such as 2026-11-20T14:00:00Z"           },
    {AT(to),              is_time,         "must be a time such as 2026-11-20T14:00:00Z"           },
    {AT(lease_seconds),   is_lease,        "must be a number from 1 to 3600"                       },
    {AT(listen),          is_address,      "must be ADDR:PORT, the port a number to 65535"         },
    {AT(admin_listen),    is_address,      "must be ADDR:PORT, the port a number to 65535"         },
    {AT(store),           is_store,        "must be sqlite:PATH or postgresql://USER@HOST/DATABASE"},
    {AT(audit),           is_audit,        "must be stdout, file:PATH or store"                    },
    {AT(log_level),       is_log_level,    "must be debug, info, warning or error"                 },
};

bool option_check(const struct option *o, struct sv value, struct err *e)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].offset == o->offset && !rules[i].holds(value))
            return err_set(e, ERR_INVALID, "%s", rules[i].must);
    }
    return true;
}

void option_set(const struct option *o, struct sv value, struct arena *a, struct options *out)
{
    char *at = (char *)out + o->offset;
    bool ok;

    switch (o->value) {
    case VALUE_TEXT:
        *(struct sv *)(void *)at = value;
        return;
    case VALUE_LIST:
        if (!sv_vec_has((struct sv_vec *)(void *)at, value))
            vec_push((struct sv_vec *)(void *)at, a, value);
        return;
    case VALUE_NUMBER:
        break;
    }
    /* Every number has a rule. */
    ok = sv_i64(value, (int64_t *)(void *)at);
    assert(ok);
}

/* ---- the command line ---- */

struct reading {
    const char *command;
    int argc, at;
    char **argv;
    struct arena *arena;
    struct options *out;
};

/* "--name=value" or "--name value". */
static bool read_option(struct reading *r, struct err *e)
{
    struct sv name = sv_from(r->argv[r->at]), value = {0};
    ptrdiff_t equals = sv_find(name, '=');
    const struct option *o;

    if (equals > 0) {
        value = sv_skip(name, (size_t)equals + 1);
        name = sv_first(name, (size_t)equals);
    }
    o = option_named(name, r->command);
    if (!o)
        return err_set(e, ERR_INVALID, "%s: there is no option " SV_FMT "; see frontdesk --help",
                       r->command, SV_ARG(sv_first(name, 60)));
    if (equals < 0) {
        if (++r->at == r->argc)
            return err_set(e, ERR_INVALID, "%s needs a value: %s", o->name, o->what);
        value = sv_from(r->argv[r->at]);
    }
    if (!option_check(o, value, e))
        return err_wrap(e, "%s", o->name);
    /* Scripts add to what they were given; whoever did not mean to must see it. */
    if (option_is_given(o, r->out) && !option_takes_list(o))
        log_line(LOG_WARNING, "options", "given more than once: the last one counts",
                 LOG_STR("option", o->name));
    option_set(o, value, r->arena, r->out);
    r->out->given |= bit_of(o);
    return true;
}

bool options_read(const char *command, int argc, char **argv, struct arena *a, struct options *out,
                  struct err *e)
{
    const char **rest = arena_array(a, const char *, (size_t)argc + 1);
    struct reading r = {command, argc, 0, argv, a, out};

    out->rest = rest;
    for (; r.at < argc; r.at++) {
        struct sv word = sv_from(argv[r.at]);

        if (!sv_starts(word, SV("-")) || word.n == 1)
            rest[out->n_rest++] = argv[r.at];
        else if (!read_option(&r, e))
            return false;
    }
    return true;
}

static void help_for(struct buf *out, char command)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        struct sv name = arena_printf(out->arena, "%s %s", options[i].name, options[i].what);

        if (sv_has_char(sv_from(options[i].commands), command))
            buf_addf(out, "  %-29s %s\n", name.p, options[i].help);
    }
}

void options_help(struct buf *out)
{
    buf_add(
        out,
        SV("frontdesk: short-lived keys for one table, and the operator that keeps their roles true\n\n"
           "usage:\n"
           "  frontdesk run [OPTION...]        operator and Iceberg REST server\n"
           "  frontdesk check FILE...          validate manifests offline; exit 1 when one is wrong\n"
           "  frontdesk explain --principal P --table CATALOG.NS.TABLE [OPTION...]\n"
           "                                   which privileges from which grant, which keys, the policy\n"
           "  frontdesk table list CATALOG [OPTION...]\n"
           "  frontdesk table show|history CATALOG.NS.TABLE [OPTION...]\n"
           "                                   tables as the running server has them, for people and scripts\n"
           "  frontdesk audit [OPTION...]      what --audit store has put on record, the newest first\n"
           "  frontdesk store copy FROM TO     all of one store into an empty one, compared row by row\n"
           "  frontdesk version\n\n"
           "options of run:\n"));
    help_for(out, 'r');
    buf_add(out, SV("\noptions of explain:\n"));
    help_for(out, 'e');
    buf_add(out, SV("\noptions of table:\n"));
    help_for(out, 't');
    buf_add(out, SV("\noptions of audit:\n"));
    help_for(out, 'a');
}
