/* schema.h - the database's tables, version by version; each string is run once, in order. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

static const char *const schema_versions[] = {
    "CREATE TABLE namespaces (catalog TEXT NOT NULL, ns TEXT NOT NULL, parent TEXT NOT NULL,"
    " properties TEXT NOT NULL, PRIMARY KEY (catalog, ns)) WITHOUT ROWID;"
    "CREATE INDEX namespaces_by_parent ON namespaces (catalog, parent, ns);"
    "CREATE TABLE tables (id INTEGER PRIMARY KEY, catalog TEXT NOT NULL, ns TEXT NOT NULL,"
    " name TEXT NOT NULL, uuid TEXT NOT NULL, metadata_location TEXT NOT NULL, location TEXT NOT NULL,"
    " UNIQUE (catalog, ns, name), FOREIGN KEY (catalog, ns) REFERENCES namespaces (catalog, ns));"
    /* Every folder a table may use; a staged create holds its folder until it expires. */
    "CREATE TABLE folders (folder TEXT NOT NULL, table_id INTEGER REFERENCES tables (id) ON DELETE CASCADE,"
    " staged_id INTEGER REFERENCES staged (id) ON DELETE CASCADE);"
    "CREATE INDEX folders_by_folder ON folders (folder);"
    "CREATE INDEX folders_by_table ON folders (table_id);"
    "CREATE INDEX folders_by_staged ON folders (staged_id);"
    "CREATE TABLE staged (id INTEGER PRIMARY KEY, catalog TEXT NOT NULL, ns TEXT NOT NULL,"
    " name TEXT NOT NULL, principal TEXT NOT NULL, uuid TEXT NOT NULL, location TEXT NOT NULL,"
    " expires_ms INTEGER NOT NULL, UNIQUE (catalog, ns, name, principal));",
    /* A principal may hold several staged places for one name. Both tables are made anew: SQLite
     * cannot take a constraint away, and dropping `staged` first would take its folders along. */
    "CREATE TABLE staged2 (id INTEGER PRIMARY KEY, catalog TEXT NOT NULL, ns TEXT NOT NULL,"
    " name TEXT NOT NULL, principal TEXT NOT NULL, uuid TEXT NOT NULL, location TEXT NOT NULL,"
    " expires_ms INTEGER NOT NULL, UNIQUE (catalog, ns, name, principal, location));"
    "INSERT INTO staged2 SELECT id, catalog, ns, name, principal, uuid, location, expires_ms FROM staged;"
    "CREATE TABLE folders2 (folder TEXT NOT NULL, table_id INTEGER REFERENCES tables (id) ON DELETE CASCADE,"
    " staged_id INTEGER REFERENCES staged2 (id) ON DELETE CASCADE);"
    "INSERT INTO folders2 SELECT folder, table_id, staged_id FROM folders;"
    "DROP TABLE folders; DROP TABLE staged;"
    "ALTER TABLE staged2 RENAME TO staged; ALTER TABLE folders2 RENAME TO folders;"
    "CREATE INDEX folders_by_folder ON folders (folder);"
    "CREATE INDEX folders_by_table ON folders (table_id);"
    "CREATE INDEX folders_by_staged ON folders (staged_id);"
    "CREATE INDEX staged_by_expiry ON staged (expires_ms);",
};

#endif
