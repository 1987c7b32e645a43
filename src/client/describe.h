/*
 * describe.h - what a server says of a table, as the documents that `frontdesk table -o json`
 * prints and its text is made from. Pure.
 *
 * Members that are not known are left out. Ids of snapshots are texts: they are longer than what
 * JSON's readers keep of a number. Times are RFC 3339 in UTC. Newest first.
 */
#ifndef CLIENT_DESCRIBE_H
#define CLIENT_DESCRIBE_H

#include "client/catalog.h"

struct table_id {
    struct sv catalog;
    struct sv_vec ns;
    struct sv name;
};

/*
 * {catalog, namespace[], name, uuid, formatVersion, updated, locations[{what, location}],
 *  columns[{id, name, type, required, identifier, doc}], partitioning[{name, column, transform}],
 *  sortOrder[{column, transform, direction, nullOrder}], properties{}, snapshotCount,
 *  lastSnapshots[SNAPSHOT], refs[{name, type, snapshot}]}
 *
 * `answer` is that to a load. ERR_INVALID: it holds no metadata.
 */
MUST_CHECK bool describe_table(const struct table_id *t, const struct json *answer, struct arena *a,
                               struct json **out, struct err *e);
/*
 * {catalog, namespace[], name, snapshots[SNAPSHOT], metadataLog[{time, file, current}]}; SNAPSHOT
 * is {id, parent, time, operation, current, schemaId, addedFiles, deletedFiles, addedRows,
 *  deletedRows, totalFiles, totalRows, refs[]}.
 */
MUST_CHECK bool describe_history(const struct table_id *t, const struct json *answer,
                                 struct arena *a, struct json **out, struct err *e);
/* {catalog, entries[{namespace[], name, kind}]} */
struct json *describe_list(struct sv catalog, const struct listed_vec *all, struct arena *a);

#endif
