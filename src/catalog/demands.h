/*
 * demands.h - privileges that a request's path alone decides, for the table of routes: asked before
 * the body is read, so that no body costs anybody anything but whoever may send it. What the body
 * says takes more; the handlers ask for that.
 */
#ifndef CATALOG_DEMANDS_H
#define CATALOG_DEMANDS_H

#include "serve/call.h"

call_fn demand_catalog;    /* any grant in it */
call_fn demand_properties; /* NAMESPACE_WRITE_PROPERTIES */
call_fn demand_new_table;  /* anything in the namespace, or TABLE_CREATE is lacking */
call_fn demand_new_view;   /* the same, VIEW_CREATE */
call_fn demand_commit; /* TABLE_READ_PROPERTIES, or TABLE_CREATE, by which a staged one is made */
call_fn demand_report; /* TABLE_READ_DATA, which TABLE_WRITE_DATA carries */
call_fn demand_view;   /* VIEW_WRITE_PROPERTIES */

#endif
