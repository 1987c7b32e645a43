/* routes.h - every URL that is answered; /v1/config's list is printed from it. */
#ifndef CATALOG_ROUTES_H
#define CATALOG_ROUTES_H

#include "serve/route.h"

extern const struct routes catalog_routes;

/* Handlers, a file each: config.c, vend.c; namespaces.c, list.c, tables.c, commit.c,
 * rename.c, register.c, metrics.c, transaction.c; views.c, view_commit.c. */
call_fn config_show, credentials_show;
call_fn namespace_list, namespace_create, namespace_load, namespace_exists, namespace_drop,
    namespace_properties;
call_fn table_list, table_create, table_load, table_exists, table_commit, table_drop, table_rename,
    table_register, table_metrics, transaction_commit;
call_fn view_list, view_create_new, view_show, view_exists, view_replace, view_drop, view_rename,
    view_register;

#endif
