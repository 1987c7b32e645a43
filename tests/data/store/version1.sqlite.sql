CREATE TABLE namespaces (catalog TEXT NOT NULL, ns TEXT NOT NULL, parent TEXT NOT NULL, properties TEXT NOT NULL,
 PRIMARY KEY (catalog, ns)) WITHOUT ROWID;
CREATE INDEX namespaces_by_parent ON namespaces (catalog, parent, ns);
CREATE TABLE tables (id INTEGER PRIMARY KEY, catalog TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL,
 uuid TEXT NOT NULL, metadata_location TEXT NOT NULL, location TEXT NOT NULL, UNIQUE (catalog, ns, name),
 FOREIGN KEY (catalog, ns) REFERENCES namespaces (catalog, ns));
CREATE TABLE folders (folder TEXT NOT NULL, table_id INTEGER REFERENCES tables (id) ON DELETE CASCADE,
 staged_id INTEGER REFERENCES staged (id) ON DELETE CASCADE);
CREATE INDEX folders_by_folder ON folders (folder);
CREATE INDEX folders_by_table ON folders (table_id);
CREATE INDEX folders_by_staged ON folders (staged_id);
CREATE TABLE staged (id INTEGER PRIMARY KEY, catalog TEXT NOT NULL, ns TEXT NOT NULL, name TEXT NOT NULL,
 principal TEXT NOT NULL, uuid TEXT NOT NULL, location TEXT NOT NULL, expires_ms INTEGER NOT NULL,
 UNIQUE (catalog, ns, name, principal));
INSERT INTO namespaces VALUES ('lakehouse/analytics', 'sales', '', '{"owner":"etl"}');
INSERT INTO tables VALUES (7, 'lakehouse/analytics', 'sales', 'kept', 'u', 'file:/lake/kept/m.json', 'file:/lake/kept/');
INSERT INTO staged VALUES (9, 'lakehouse/analytics', 'sales', 'promised', 'lakehouse/etl', 'u1', 'file:/lake/promised/', 1000);
INSERT INTO folders VALUES ('file:/lake/kept/', 7, NULL), ('file:/lake/elsewhere/', 7, NULL), ('file:/lake/promised/', NULL, 9);
PRAGMA user_version = 1;
