/* routes.c - the whole HTTP surface. */
#include "catalog/routes.h"

#define NAMESPACES "/v1/{prefix}/namespaces"
#define NAMESPACE  NAMESPACES "/{namespace}"
#define TABLES     NAMESPACE "/tables"
#define TABLE      TABLES "/{table}"
#define VIEWS      NAMESPACE "/views"
#define VIEW       VIEWS "/{view}"

static const struct route all[] = {
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
const struct routes catalog_routes = {all, sizeof(all) / sizeof(all[0])};
