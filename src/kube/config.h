/*
 * config.h - what a kubeconfig or a pod tells us, immutable once read: all threads share it.
 *
 * What changes with time (tokens that are rotated, credentials that a plugin hands out) is not
 * here: each client keeps its own, see credentials.h. So nothing of it needs a lock.
 */
#ifndef KUBE_CONFIG_H
#define KUBE_CONFIG_H

#include "base/secret.h"
#include "kube/client.h"

/* Given inline, or by a file that is read again each minute. */
struct kube_material {
    struct sv path;
    struct secret text; /* used when there is no path */
};

struct kube_exec {
    struct sv api_version, command, install_hint;
    struct sv_vec args;
    struct pairs env; /* added to ours, for the child only */
    bool wants_cluster;
};

struct kube_config {
    const struct world *world;
    struct sv origin; /* for messages: "kubeconfig FILE, context NAME" or "the pod" */
    struct sv server; /* without a slash at its end */
    struct sv namespace_;

    struct kube_material ca;
    struct sv server_name, proxy;
    bool insecure, no_compression;

    struct kube_material cert, key, token;
    struct sv username;
    struct secret password;
    const struct kube_exec *exec; /* NULL: none */
    struct http_headers impersonate;
};

/* One kubeconfig file as read. */
struct kubeconfig_file {
    struct sv path, text;
};
/* Merges files as kubectl does: the first entry of a name and the first current-context win, paths
 * are relative to the file that names them. Fills all of `out` but `world`. */
MUST_CHECK bool kubeconfig_merge(const struct kubeconfig_file *files, size_t n, struct arena *a,
                                 struct kube_config *out, struct err *e);

/* What a pod finds: the server's address in its environment, files in `folder`. */
MUST_CHECK bool kube_config_in_pod(struct sv host, struct sv port, struct sv folder,
                                   struct arena *a, struct kube_config *out, struct err *e);

/* The proxy for `host` by the environment's HTTPS_PROXY and NO_PROXY; empty: none. */
struct sv proxy_for(struct sv host, struct sv https_proxy, struct sv no_proxy);

#endif
