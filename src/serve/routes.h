/* routes.h - every URL we answer: who may call, what answers. /v1/config's list is printed from it.
 */
#ifndef SERVE_ROUTES_H
#define SERVE_ROUTES_H

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
};
extern const struct route routes[];
extern const size_t n_routes;

/* The raw path of a request's target, without the prefixes under which other catalogs are reached;
 * what stands behind the first '?' in `*query`. */
struct sv route_path(struct sv target, struct sv *query);
/* By method and raw path. NULL: 404, or 405 when `*other_method`. */
const struct route *route_match(enum http_method m, struct sv path, struct sv params[ROUTE_PARAMS],
                                bool *other_method);

/* Handlers, a file each: config.c, oauth.c, vend.c; namespaces.c, list.c, tables.c, commit.c,
 * rename.c, register.c, metrics.c, transaction.c; views.c, view_commit.c. */
call_fn config_show, oauth_token, credentials_show;
call_fn namespace_list, namespace_create, namespace_load, namespace_exists, namespace_drop,
    namespace_properties;
call_fn table_list, table_create, table_load, table_exists, table_commit, table_drop, table_rename,
    table_register, table_metrics, transaction_commit;
call_fn view_list, view_create_new, view_show, view_exists, view_replace, view_drop, view_rename,
    view_register;

#endif
