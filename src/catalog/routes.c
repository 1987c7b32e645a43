/* routes.c - the whole HTTP surface. */
#include "catalog/routes.h"

#include "base/limits.h"
#include "catalog/demands.h"

#define NAMESPACES "/v1/{prefix}/namespaces"
#define NAMESPACE  NAMESPACES "/{namespace}"
#define TABLES     NAMESPACE "/tables"
#define TABLE      TABLES "/{table}"
#define VIEWS      NAMESPACE "/views"
#define VIEW       VIEWS "/{view}"

/* clang-format off */
static const struct route all[] = {
    {HTTP_GET, "/v1/config", AUTH_TOKEN, config_show, "config", false, NULL, 0},
    {HTTP_POST, "/v1/oauth/tokens", AUTH_NONE, oauth_token, "token",
     false, NULL, LIMIT_TOKEN_REQUEST_BYTES},
    {HTTP_GET, NAMESPACES, AUTH_TOKEN, namespace_list, "list-namespaces", true, NULL, 0},
    {HTTP_POST, NAMESPACES, AUTH_TOKEN, namespace_create, "create-namespace",
     true, demand_catalog, 0},
    {HTTP_GET, NAMESPACE, AUTH_TOKEN, namespace_load, "load-namespace", true, NULL, 0},
    {HTTP_HEAD, NAMESPACE, AUTH_TOKEN, namespace_exists, "namespace-exists", true, NULL, 0},
    {HTTP_DELETE, NAMESPACE, AUTH_TOKEN, namespace_drop, "drop-namespace", true, NULL, 0},
    {HTTP_POST, NAMESPACE "/properties", AUTH_TOKEN, namespace_properties, "namespace-properties",
     true, demand_properties, 0},
    {HTTP_GET, TABLES, AUTH_TOKEN, table_list, "list-tables", true, NULL, 0},
    {HTTP_POST, TABLES, AUTH_TOKEN, table_create, "create-table", true, demand_new_table, 0},
    {HTTP_GET, TABLE, AUTH_TOKEN, table_load, "load-table", true, NULL, 0},
    {HTTP_HEAD, TABLE, AUTH_TOKEN, table_exists, "table-exists", true, NULL, 0},
    {HTTP_POST, TABLE, AUTH_TOKEN, table_commit, "commit-table", true, demand_commit, 0},
    {HTTP_DELETE, TABLE, AUTH_TOKEN, table_drop, "drop-table", true, NULL, 0},
    {HTTP_POST, NAMESPACE "/register", AUTH_TOKEN, table_register, "register-table",
     true, demand_new_table, 0},
    {HTTP_POST, "/v1/{prefix}/tables/rename", AUTH_TOKEN, table_rename, "rename-table",
     true, demand_catalog, 0},
    {HTTP_POST, TABLE "/metrics", AUTH_TOKEN, table_metrics, "report-metrics",
     true, demand_report, LIMIT_REPORT_BYTES},
    {HTTP_POST, "/v1/{prefix}/transactions/commit", AUTH_TOKEN, transaction_commit,
     "commit-transaction", true, demand_catalog, 0},
    {HTTP_GET, VIEWS, AUTH_TOKEN, view_list, "list-views", true, NULL, 0},
    {HTTP_POST, VIEWS, AUTH_TOKEN, view_create_new, "create-view", true, demand_new_view, 0},
    {HTTP_GET, VIEW, AUTH_TOKEN, view_show, "load-view", true, NULL, 0},
    {HTTP_HEAD, VIEW, AUTH_TOKEN, view_exists, "view-exists", true, NULL, 0},
    {HTTP_POST, VIEW, AUTH_TOKEN, view_replace, "replace-view", true, demand_view, 0},
    {HTTP_DELETE, VIEW, AUTH_TOKEN, view_drop, "drop-view", true, NULL, 0},
    {HTTP_POST, NAMESPACE "/register-view", AUTH_TOKEN, view_register, "register-view",
     true, demand_new_view, 0},
    {HTTP_POST, "/v1/{prefix}/views/rename", AUTH_TOKEN, view_rename, "rename-view",
     true, demand_catalog, 0},
    {HTTP_GET, TABLE "/credentials", AUTH_TOKEN, credentials_show, "vend", true, NULL, 0},
    {HTTP_POST, TABLE "/credentials", AUTH_TOKEN, credentials_show, "vend",
     false, NULL, LIMIT_HTTP_UNREAD_BYTES},
};
/* clang-format on */
const struct routes catalog_routes = {all, sizeof(all) / sizeof(all[0])};
