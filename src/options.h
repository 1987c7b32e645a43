/* options.h - the command line of every command, read by one table that --help is printed from. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

struct options {
    struct sv kubeconfig, resources, state, store, file_storage, tls_cert, tls_key, admin_listen;
    struct sv principal, table, output, log_level, audience, system_namespace;
    struct sv uri, credential_file, ca_file, table_namespace;
    struct sv_vec namespaces, listen, audit;
    int64_t threads, resync_seconds, lease_seconds;
    const char *const *rest; /* what is no option */
    size_t n_rest;
};

/* Reads what follows the command. ERR_INVALID names the option. Views into argv. */
MUST_CHECK bool options_read(const char *command, int argc, char **argv, struct arena *a,
                             struct options *out, struct err *e);
/* All commands and their options. */
void options_help(struct buf *out);

/* The commands; each returns the exit status. */
int cmd_run(const struct options *o);
int cmd_check(const struct options *o);
int cmd_explain(const struct options *o);
int cmd_store(const struct options *o);
int cmd_table(const struct options *o);

#endif
