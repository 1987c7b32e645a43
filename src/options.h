/* options.h - the command line of every command, read by one table that --help is printed from. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

struct options {
    struct sv kubeconfig, resources, state, store, file_storage, tls_cert, tls_key, admin_listen;
    struct sv principal, table, output, log_level, audience, system_namespace;
    struct sv uri, credential_file, ca_file, table_namespace, config;
    struct sv_vec namespaces, listen, audit;
    struct sv from, to, operation, decision;
    int64_t threads, resync_seconds, lease_seconds, token_seconds, memory_mb, audit_keep_days,
        limit;
    const char *const *rest; /* what is no option */
    size_t n_rest;
    uint64_t given; /* the options that the command line has, by their place in the table */
};

/* Reads what follows the command. ERR_INVALID names the option. Views into argv. */
MUST_CHECK bool options_read(const char *command, int argc, char **argv, struct arena *a,
                             struct options *out, struct err *e);
/* Reads o->config, the same options as a YAML file: each that the command line has not given. False
 * with "FILE:LINE: NAME: what is wrong" in `faults` for each fault. Views into `a`. */
MUST_CHECK bool config_read(struct options *o, const char *command, struct arena *a,
                            struct buf *faults);
/* All commands and their options. */
void options_help(struct buf *out);

/* One option, as both read it. */
struct option;
/* NULL: the command has none of that name, which has its dashes. */
const struct option *option_named(struct sv name, const char *command);
bool option_takes_list(const struct option *o);
bool option_takes_number(const struct option *o);
bool option_is_given(const struct option *o, const struct options *by);
/* ERR_INVALID: "must be ...", and nothing of the value, which may hold a password. */
MUST_CHECK bool option_check(const struct option *o, struct sv value, struct err *e);
/* Of a value that option_check has passed. A list grows by it. */
void option_set(const struct option *o, struct sv value, struct arena *a, struct options *out);

#define DEFAULT_STORE "sqlite:frontdesk.db"
#define DEFAULT_STATE "frontdesk-state"
/* The value, or what holds where none is given. */
static inline struct sv option_or(struct sv v, struct sv fallback)
{
    return v.n ? v : fallback;
}

/* The commands; each returns the exit status. */
int cmd_run(const struct options *o);
int cmd_check(const struct options *o);
int cmd_explain(const struct options *o);
int cmd_store(const struct options *o);
int cmd_table(const struct options *o);
int cmd_audit(const struct options *o);

#endif
