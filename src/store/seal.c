/* seal.c - the bytes of a metadata file, entered into a row that knows none. */
#include "store/sql.h"

struct sealing {
    const struct table_name *name;
    const struct table_row *row;
    enum entry kind;
};

static bool seal(struct store *s, void *context, struct err *e)
{
    const struct sealing *w = context;
    struct sql q;

    if (!sql_begin(s,
                   "UPDATE tables SET metadata_sha256 = ?1 WHERE catalog = ?2 AND ns = ?3"
                   " AND name = ?4 AND kind = ?5 AND metadata_location = ?6"
                   " AND metadata_sha256 IN ('', ?1)",
                   &q, e))
        return false;
    sql_text(&q, w->row->metadata_sha256);
    sql_text(&q, w->name->catalog);
    sql_text(&q, w->name->ns);
    sql_text(&q, w->name->name);
    sql_i64(&q, w->kind);
    sql_text(&q, w->row->metadata_location);
    return sql_do(&q, e) &&
           (sql_changes(s) == 1 || err_set(e, ERR_CONFLICT, "another metadata file is in force"));
}

bool store_seal(struct store *s, const struct table_name *t, bool view, const struct table_row *row,
                struct err *e)
{
    return sql_transaction(s, seal, &(struct sealing){t, row, view ? ENTRY_VIEW : ENTRY_TABLE}, e);
}
