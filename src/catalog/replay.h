/*
 * replay.h - `again` of call_once for whoever answers with a table or a view.
 *
 * c->work begins with a struct table_at whose path is set. The file is read that was answered with,
 * and what came later when that is gone. Never a 4xx for what is in force: clients delete the files
 * of what was refused.
 */
#ifndef CATALOG_REPLAY_H
#define CATALOG_REPLAY_H

#include "serve/once.h"

call_fn once_table_loaded, once_table_committed, once_view;

#endif
