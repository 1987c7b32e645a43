/* schema.c - what has become of the tables, and the words that databases do not share. */
#include "store/schema.h"

#include "base/buf.h"

#define NAMESPACES                                                                            \
    "CREATE TABLE namespaces (catalog TEXT NOT NULL, ns TEXT NOT NULL, parent TEXT NOT NULL," \
    " properties TEXT NOT NULL, PRIMARY KEY (catalog, ns)) WITHOUT ROWID;"                    \
    "CREATE INDEX namespaces_by_parent ON namespaces (catalog, parent, ns);"
#define TABLES                                                                                          \
    "CREATE TABLE tables (id INTEGER PRIMARY KEY, catalog TEXT NOT NULL, ns TEXT NOT NULL,"             \
    " name TEXT NOT NULL, uuid TEXT NOT NULL, metadata_location TEXT NOT NULL, location TEXT NOT NULL," \
    " UNIQUE (catalog, ns, name), FOREIGN KEY (catalog, ns) REFERENCES namespaces (catalog, ns));"
/* A principal may hold several places for one name. */
#define STAGED(name)                                                                            \
    "CREATE TABLE " name " (id INTEGER PRIMARY KEY, catalog TEXT NOT NULL, ns TEXT NOT NULL,"   \
    " name TEXT NOT NULL, principal TEXT NOT NULL, uuid TEXT NOT NULL, location TEXT NOT NULL," \
    " expires_ms INTEGER NOT NULL, UNIQUE (catalog, ns, name, principal, location));"
/* Every folder a table may use; a staged create holds its folder until it expires. */
#define FOLDERS(name, staged)                                                            \
    "CREATE TABLE " name                                                                 \
    " (folder TEXT NOT NULL, table_id INTEGER REFERENCES tables (id) ON DELETE CASCADE," \
    " staged_id INTEGER REFERENCES " staged " (id) ON DELETE CASCADE);"
#define FOLDER_INDEXES                                     \
    "CREATE INDEX folders_by_folder ON folders (folder);"  \
    "CREATE INDEX folders_by_table ON folders (table_id);" \
    "CREATE INDEX folders_by_staged ON folders (staged_id);"
#define STAGED_INDEX "CREATE INDEX staged_by_expiry ON staged (expires_ms);"

/* A principal had one place for a name. */
static const char first[] = NAMESPACES TABLES FOLDERS("folders", "staged") FOLDER_INDEXES
    "CREATE TABLE staged (id INTEGER PRIMARY KEY, catalog TEXT NOT NULL, ns TEXT NOT NULL,"
    " name TEXT NOT NULL, principal TEXT NOT NULL, uuid TEXT NOT NULL, location TEXT NOT NULL,"
    " expires_ms INTEGER NOT NULL, UNIQUE (catalog, ns, name, principal));";

/* Both tables are made anew: SQLite cannot take a constraint away, and dropping `staged` first
 * would take its folders along. */
static const char second[] =
    STAGED("staged2") "INSERT INTO staged2 SELECT id, catalog, ns, name, principal, uuid, location, expires_ms FROM staged;" FOLDERS(
        "folders2",
        "staged2") "INSERT INTO folders2 SELECT folder, table_id, staged_id FROM folders;"
                   "DROP TABLE folders; DROP TABLE staged;"
                   "ALTER TABLE staged2 RENAME TO staged; ALTER TABLE folders2 RENAME TO folders;" FOLDER_INDEXES
                       STAGED_INDEX;

static const char second_at_once[] =
    NAMESPACES TABLES STAGED("staged") FOLDERS("folders", "staged") FOLDER_INDEXES STAGED_INDEX;

/* Views share the names of tables, so they are rows of one table: 0 is a table, 1 a view. */
static const char third[] = "ALTER TABLE tables ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;";

/* What was answered under a client's key: see store_answer_with. */
static const char fourth[] =
    "CREATE TABLE answers (principal TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL,"
    " attempt TEXT NOT NULL, metadata_location TEXT NOT NULL, uuid TEXT NOT NULL,"
    " body TEXT NOT NULL, status INTEGER NOT NULL, made_ms INTEGER NOT NULL,"
    " PRIMARY KEY (principal, key)) WITHOUT ROWID;"
    "CREATE INDEX answers_by_age ON answers (made_ms);";

/*
 * What was dropped keeps its folders until it expires: its files are there still. One whose files
 * are being deleted is a purge's too, and does not expire before that ends. `holder` works on it
 * until lease_ms; nobody does before next_ms.
 */
static const char fifth[] =
    "CREATE TABLE dropped (id INTEGER PRIMARY KEY, catalog TEXT NOT NULL, ns TEXT NOT NULL,"
    " name TEXT NOT NULL, uuid TEXT NOT NULL, metadata_location TEXT NOT NULL,"
    " location TEXT NOT NULL, principal TEXT NOT NULL, mark TEXT NOT NULL UNIQUE,"
    " kind INTEGER NOT NULL, dropped_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL);"
    "CREATE INDEX dropped_by_name ON dropped (catalog, ns, name);"
    "CREATE INDEX dropped_by_expiry ON dropped (expires_ms);"
    "ALTER TABLE folders ADD COLUMN dropped_id INTEGER REFERENCES dropped (id) ON DELETE CASCADE;"
    "CREATE INDEX folders_by_dropped ON folders (dropped_id);"
    "CREATE TABLE purges (id INTEGER PRIMARY KEY,"
    " dropped_id INTEGER NOT NULL UNIQUE REFERENCES dropped (id) ON DELETE CASCADE,"
    " request TEXT NOT NULL, holder TEXT NOT NULL, keep_ms INTEGER NOT NULL,"
    " lease_ms INTEGER NOT NULL, next_ms INTEGER NOT NULL, attempts INTEGER NOT NULL);"
    "CREATE INDEX purges_by_next ON purges (next_ms);";

/* Records of the audit, many to a row; they are read by time. */
static const char sixth[] =
    "CREATE TABLE audit (mark TEXT NOT NULL PRIMARY KEY, from_ms INTEGER NOT NULL,"
    " to_ms INTEGER NOT NULL, records INTEGER NOT NULL, lines TEXT NOT NULL);"
    "CREATE INDEX audit_by_time ON audit (to_ms, mark);";

/* What binds a metadata file to its row: see struct table_row. Empty for what is there already. */
static const char seventh[] =
    "ALTER TABLE tables ADD COLUMN metadata_sha256 TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE dropped ADD COLUMN metadata_sha256 TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE answers ADD COLUMN metadata_sha256 TEXT NOT NULL DEFAULT '';";

/* Until when a folder is to be remembered, whatever becomes of its owner: it was another's before,
 * and may hold files of that one. */
static const char eighth[] = "ALTER TABLE folders ADD COLUMN held_ms INTEGER NOT NULL DEFAULT 0;";

/* No PostgreSQL database has been of version 1: 2 makes everything there. */
const struct schema_version schema_versions[SCHEMA_VERSIONS] = {
    {first,   ""            },
    {second,  second_at_once},
    {third,   third         },
    {fourth,  fourth        },
    {fifth,   fifth         },
    {sixth,   sixth         },
    {seventh, seventh       },
    {eighth,  eighth        },
};

bool schema_is_known(int64_t version, struct err *e)
{
    return version <= SCHEMA_VERSIONS ||
           err_set(e, ERR_INVALID,
                   "the catalog's database is of version %lld, newer than this program's %d",
                   (long long)version, SCHEMA_VERSIONS);
}

const char *schema_words(const char *text, const char *collation, struct arena *a)
{
    const char *text_words = arena_printf(a, " TEXT%s", collation).p;
    /* Not every server makes a version in one transaction: one that was made by half is gone
     * through again. */
    const struct {
        const char *word, *instead;
    } words[] = {
        {"CREATE TABLE ",       "CREATE TABLE IF NOT EXISTS "                        },
        {"CREATE INDEX ",       "CREATE INDEX IF NOT EXISTS "                        },
        {"ADD COLUMN ",         "ADD COLUMN IF NOT EXISTS "                          },
        {"INTEGER PRIMARY KEY", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"},
        {"INTEGER",             "BIGINT"                                             },
        {" WITHOUT ROWID",      ""                                                   },
        {" TEXT",               text_words                                           },
    };
    const size_t n = sizeof(words) / sizeof(words[0]);
    struct sv rest = sv_from(text);
    struct buf out = buf_new(a, 65536);

    while (rest.n) {
        size_t i = 0;

        while (i < n && !sv_starts(rest, sv_from(words[i].word)))
            i++;
        buf_add(&out, i < n ? sv_from(words[i].instead) : sv_first(rest, 1));
        rest = sv_skip(rest, i < n ? strlen(words[i].word) : 1);
    }
    return buf_sv(&out).p;
}
