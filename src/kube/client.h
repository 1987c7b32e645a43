/*
 * client.h - talking to a Kubernetes API server: who we are, and one request at a time. Knows none
 * of our kinds. Source: Kubernetes API concepts; kubeconfig v1; client.authentication.k8s.io/v1.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include "base/err.h"
#include "base/world.h"
#include "net/http_client.h"
#include "wire/json.h"
#include "wire/uri.h"

/* Where the server is and how we prove ourselves. Shared by all clients; its token is refreshed
 * (file re-read each minute, exec plugin run again at expiry or 401) under its own care. */
struct kube_config;

struct kube_config_options {
    struct sv kubeconfig; /* --kubeconfig; empty: $KUBECONFIG, ~/.kube/config, else in-cluster */
    const struct world *world;
};
MUST_CHECK bool kube_config_load(const struct kube_config_options *o, struct arena *a,
                                 struct kube_config **out, struct err *e);
struct sv kube_config_server(const struct kube_config *c); /* "https://127.0.0.1:6443" */
bool kube_config_executes(const struct kube_config *c);    /* a plugin, for our credential */
struct sv kube_config_namespace(
    const struct kube_config *c); /* of the context or the pod; "default" */

struct kube_request {
    enum http_method method;
    struct sv
        path; /* "/apis/polaris.apache.org/v1/namespaces/a/principals/b": build with kube_path */
    struct pairs query;
    struct sv content_type; /* of the body; empty: application/json */
    struct sv body;
    int timeout_ms; /* 0: LIMIT_KUBE_CALL_MS */
};
struct kube_reply {
    int status;
    struct json *body;  /* NULL when it was not JSON */
    struct sv text;     /* the body as it came */
    int retry_after_ms; /* 0: not said */
};

/* "/apis/GROUP/VERSION/namespaces/NS/RESOURCE/NAME/SUBRESOURCE", each part encoded; empty parts
 * left out. An empty group_version is the core group: "/api/v1". */
struct kube_name {
    struct sv group_version, namespace_, resource, name, subresource;
};
struct sv kube_path(struct arena *a, const struct kube_name *n);

/* One thread's blocking client. */
struct kube_client;
struct kube_client *kube_client_new(const struct kube_config *c, struct arena *a);
/* As http_client_until. */
void kube_client_until(struct kube_client *c, bool (*over)(void *context), void *context);
/*
 * 2xx succeeds. 404 and 410 are ERR_NOT_FOUND, 409 ERR_CONFLICT, 400, 413, 415 and 422 ERR_INVALID,
 * 401 (after one fresh token) and 403 ERR_DENIED, 429, 5xx and no answer ERR_UNAVAILABLE; the
 * message is the Status's. `out` is filled whenever there was an answer.
 */
MUST_CHECK bool kube_call(struct kube_client *c, const struct kube_request *r, struct arena *a,
                          struct kube_reply *out, struct err *e);
/* Server-side apply under a manager's name, forced: PATCH with application/apply-patch+yaml. */
struct kube_patch {
    const struct kube_name *name;
    struct sv manager;
    const struct json *object;
};
MUST_CHECK bool kube_apply(struct kube_client *c, const struct kube_patch *p, struct arena *a,
                           struct kube_reply *out, struct err *e);

#endif
