/* route.h - a URL that is answered: who may call, what answers. */
#ifndef SERVE_ROUTE_H
#define SERVE_ROUTE_H

#include "serve/call.h"

enum auth { AUTH_NONE, AUTH_TOKEN };

/* The order is that in which a line of the table is read. */
struct route { /* NOLINT(clang-analyzer-optin.performance.Padding): see above */
    enum http_method method;
    const char *path; /* "/v1/{prefix}/namespaces/{namespace}" */
    enum auth auth;
    call_fn *handle;
    const char *operation; /* for audit and metrics: "load-table" */
    bool advertised;       /* in /v1/config's endpoints */
    call_fn *demand;       /* of privileges that the path alone decides, before the body is read;
                              NULL: there are none */
    int max_body; /* bytes of a body; 0: LIMIT_HTTP_BODY_BYTES of a POST, else as many as of
                     a body that nobody reads */
};
struct routes {
    const struct route *p;
    size_t n;
};

/* The raw path of a request's target, without the prefixes under which other catalogs are reached;
 * what stands behind the first '?' in `*query`. */
struct sv route_path(struct sv target, struct sv *query);
/* By method and raw path. NULL: 404, or 405 when there are `*others`: for each method that the path
 * takes the bit 1 << method. */
const struct route *route_match(const struct routes *all, enum http_method m, struct sv path,
                                struct sv params[ROUTE_PARAMS], unsigned *others);
/* Those methods as the value of Allow (RFC 9110, 10.2.1): "GET, HEAD". */
struct sv route_allow(unsigned methods, struct arena *a);

/* How large a body it takes. */
size_t route_max_body(const struct route *r);

/* Handlers of this folder: oauth.c. */
call_fn oauth_token;

#endif
