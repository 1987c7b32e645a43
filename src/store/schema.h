/*
 * schema.h - the database's tables, version by version; each is run once, in order, under the lock
 * of the transaction that counts it. Both databases have the same numbers.
 *
 * Texts are in SQLite's words; schema_words says which are others at PostgreSQL.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "base/arena.h"
#include "base/err.h"

struct schema_version {
    const char *sqlite, *postgres;
};

enum { SCHEMA_VERSIONS = 8 };

extern const struct schema_version schema_versions[SCHEMA_VERSIONS];

/* ERR_INVALID: a newer program has been here. */
MUST_CHECK bool schema_is_known(int64_t version, struct err *e);
/*
 * The text in PostgreSQL's words. `collation` stands behind every TEXT: names and folders are
 * ordered by their bytes, whatever the language of the database is.
 */
const char *schema_words(const char *text, const char *collation, struct arena *a);

#endif
