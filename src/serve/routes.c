/* routes.c - the whole HTTP surface. */
#include "serve/routes.h"

#include <string.h>

#define NAMESPACES "/v1/{prefix}/namespaces"
#define NAMESPACE  NAMESPACES "/{namespace}"
#define TABLES     NAMESPACE "/tables"
#define TABLE      TABLES "/{table}"
#define VIEWS      NAMESPACE "/views"
#define VIEW       VIEWS "/{view}"

const struct route routes[] = {
    {HTTP_GET,    "/v1/config",                       AUTH_TOKEN, config_show,          "config",               false},
    {HTTP_POST,   "/v1/oauth/tokens",                 AUTH_NONE,  oauth_token,          "token",                false},
    {HTTP_GET,    NAMESPACES,                         AUTH_TOKEN, namespace_list,       "list-namespaces",      true },
    {HTTP_POST,   NAMESPACES,                         AUTH_TOKEN, namespace_create,     "create-namespace",     true },
    {HTTP_GET,    NAMESPACE,                          AUTH_TOKEN, namespace_load,       "load-namespace",       true },
    {HTTP_HEAD,   NAMESPACE,                          AUTH_TOKEN, namespace_exists,     "namespace-exists",     true },
    {HTTP_DELETE, NAMESPACE,                          AUTH_TOKEN, namespace_drop,       "drop-namespace",       true },
    {HTTP_POST,   NAMESPACE "/properties",            AUTH_TOKEN, namespace_properties, "namespace-properties",
     true                                                                                                            },
    {HTTP_GET,    TABLES,                             AUTH_TOKEN, table_list,           "list-tables",          true },
    {HTTP_POST,   TABLES,                             AUTH_TOKEN, table_create,         "create-table",         true },
    {HTTP_GET,    TABLE,                              AUTH_TOKEN, table_load,           "load-table",           true },
    {HTTP_HEAD,   TABLE,                              AUTH_TOKEN, table_exists,         "table-exists",         true },
    {HTTP_POST,   TABLE,                              AUTH_TOKEN, table_commit,         "commit-table",         true },
    {HTTP_DELETE, TABLE,                              AUTH_TOKEN, table_drop,           "drop-table",           true },
    {HTTP_POST,   NAMESPACE "/register",              AUTH_TOKEN, table_register,       "register-table",       true },
    {HTTP_POST,   "/v1/{prefix}/tables/rename",       AUTH_TOKEN, table_rename,         "rename-table",         true },
    {HTTP_POST,   TABLE "/metrics",                   AUTH_TOKEN, table_metrics,        "report-metrics",       true },
    {HTTP_POST,   "/v1/{prefix}/transactions/commit", AUTH_TOKEN, transaction_commit,
     "commit-transaction",                                                                                      true },
    {HTTP_GET,    VIEWS,                              AUTH_TOKEN, view_list,            "list-views",           true },
    {HTTP_POST,   VIEWS,                              AUTH_TOKEN, view_create_new,      "create-view",          true },
    {HTTP_GET,    VIEW,                               AUTH_TOKEN, view_show,            "load-view",            true },
    {HTTP_HEAD,   VIEW,                               AUTH_TOKEN, view_exists,          "view-exists",          true },
    {HTTP_POST,   VIEW,                               AUTH_TOKEN, view_replace,         "replace-view",         true },
    {HTTP_DELETE, VIEW,                               AUTH_TOKEN, view_drop,            "drop-view",            true },
    {HTTP_POST,   NAMESPACE "/register-view",         AUTH_TOKEN, view_register,        "register-view",        true },
    {HTTP_POST,   "/v1/{prefix}/views/rename",        AUTH_TOKEN, view_rename,          "rename-view",          true },
    {HTTP_GET,    TABLE "/credentials",               AUTH_TOKEN, credentials_show,     "vend",                 true },
    {HTTP_POST,   TABLE "/credentials",               AUTH_TOKEN, credentials_show,     "vend",                 false},
};
const size_t n_routes = sizeof(routes) / sizeof(routes[0]);

struct sv route_path(struct sv target, struct sv *query)
{
    static const struct sv aliases[] = {SV_INIT("/api/catalog/"), SV_INIT("/iceberg/")};
    ptrdiff_t at = sv_find(target, '?');
    struct sv path = at < 0 ? target : sv_first(target, (size_t)at);

    *query = at < 0 ? (struct sv){0} : sv_skip(target, (size_t)at + 1);
    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
        if (sv_starts(path, aliases[i]))
            return sv_skip(path, aliases[i].n - 1);
    }
    return path;
}

/* "{x}" takes what stands before the next slash, and not nothing. Both are walked at once: this
 * runs for each line of the table on each request. */
static bool matches(const char *template_, struct sv path, struct sv params[ROUTE_PARAMS])
{
    const char *end = path.p + path.n, *at = path.p;
    size_t n = 0;

    while (*template_ && at < end) {
        if (*template_ == '{') {
            const char *slash = memchr(at, '/', (size_t)(end - at));
            const char *stop = slash ? slash : end;

            if (stop == at || n == ROUTE_PARAMS)
                return false;
            params[n++] = sv_of(at, (size_t)(stop - at));
            at = stop;
            template_ = strchr(template_, '}') + 1;
        } else if (*template_++ != *at++) {
            return false;
        }
    }
    return !*template_ && at == end;
}

const struct route *route_match(enum http_method m, struct sv path, struct sv params[ROUTE_PARAMS],
                                bool *other_method)
{
    *other_method = false;
    for (size_t i = 0; i < n_routes; i++) {
        if (routes[i].method == m && matches(routes[i].path, path, params))
            return &routes[i];
    }
    for (size_t i = 0; i < n_routes && !*other_method; i++)
        *other_method = matches(routes[i].path, path, params);
    return NULL;
}
