/*
 * purge.h - all that a table names, deleted: from its metadata file by way of manifest lists and
 * manifests.
 *
 * What names files goes after all that it names, and the metadata file last: whenever this is
 * broken off, what is left of the table says what is left to do, and beginning again is enough. A
 * file that is gone is no fault. What cannot be read stops the purge with all that it may name
 * still there. Memory holds one list and one manifest at a time, however many files there are.
 */
#ifndef MAINTAIN_PURGE_H
#define MAINTAIN_PURGE_H

#include "maintain/objects.h"
#include "store/store.h"

MUST_CHECK bool purge_files(struct objects *o, const struct table_row *table, struct err *e);

#endif
