/*
 * exec_plugin.h - a credential from a program: run without a shell, bounded in time and output.
 *
 * Source: client.authentication.k8s.io/v1, "client-go credential plugins" in the Kubernetes
 * documentation.
 */
#ifndef KUBE_EXEC_PLUGIN_H
#define KUBE_EXEC_PLUGIN_H

#include "kube/config.h"

struct exec_credential {
    struct secret token;
    struct sv cert_pem;
    struct secret key_pem;
    int64_t expires_ms; /* Unix time; INT64_MAX: not said */
};

/* Runs the plugin of `c`, blocking for at most `timeout_ms`. `ca_pem` is told to plugins that ask
 * for the cluster. All of `out` lives in `a`, which should wipe. */
MUST_CHECK bool exec_plugin_run(const struct kube_config *c, struct sv ca_pem, int timeout_ms,
                                struct arena *a, struct exec_credential *out, struct err *e);

/* The parts that touch nothing. */
struct sv exec_info_text(const struct kube_config *c, struct sv ca_pem, struct arena *a);
MUST_CHECK bool exec_credential_read(struct sv text, struct sv api_version, struct arena *a,
                                     struct exec_credential *out, struct err *e);

#endif
