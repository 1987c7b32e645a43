/* commit_record.h - what the audit says of a commit: which updates, of which table, and what each
 * is about. Names and ids only: a property's value may be anything. */
#ifndef CATALOG_COMMIT_RECORD_H
#define CATALOG_COMMIT_RECORD_H

#include "catalog/commit_steps.h"

/* A list, in the order of the request, for one of the `n` tables or views that it changes. An
 * update that has no room is counted in its last element, under "more" by its action. */
struct json *commit_updates(struct call *c, const struct commit_one *o, size_t n);
/* c->details of a request that changes one. */
void commit_record(struct call *c, const struct commit_one *o);

#endif
