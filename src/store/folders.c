/* folders.c - who owns which folder: no two tables share a place. */
#include "store/sql.h"

/* What was dropped stands back for its own name, while its files are not being deleted. */
#define OWNERS                                                                                   \
    "SELECT coalesce(t.catalog || '/' || t.ns || '.' || t.name,"                                 \
    " s.catalog || '/' || s.ns || '.' || s.name, d.catalog || '/' || d.ns || '.' || d.name)"     \
    " FROM folders f LEFT JOIN tables t ON t.id = f.table_id"                                    \
    " LEFT JOIN staged s ON s.id = f.staged_id LEFT JOIN dropped d ON d.id = f.dropped_id WHERE" \
    " (f.table_id IS NULL OR f.table_id <> ?1)"                                                  \
    " AND (f.staged_id IS NULL OR (f.staged_id <> ?2 AND s.expires_ms > ?3))"                    \
    " AND (f.dropped_id IS NULL OR (d.expires_ms > ?3 AND (d.expires_ms = " NEVER_MS             \
    " OR d.catalog <> ?4 OR d.ns <> ?5 OR d.name <> ?6 OR d.kind <> ?7))) AND "

static void ask(struct sql *q, const struct owner *but, struct sv from, struct sv to)
{
    const struct table_name none = {0}, *name = but->name ? but->name : &none;

    sql_i64(q, but->table);
    sql_i64(q, but->staged);
    sql_i64(q, but->now_ms);
    sql_text(q, name->catalog);
    sql_text(q, name->ns);
    sql_text(q, name->name);
    sql_i64(q, but->kind);
    sql_text(q, from);
    if (to.n)
        sql_text(q, to);
}

static bool answer(struct sql *q, struct arena *a, struct sv *who, struct err *e)
{
    bool row = false, ok = sql_step(q, &row, e);

    if (ok && row)
        *who = sql_column(q, 0, a);
    sql_end(q);
    return ok;
}

/* A folder ends in '/': what lies below it sorts between it and the same text with '0', the next
 * byte. */
struct sv folder_end(struct sv folder, struct arena *a)
{
    return arena_printf(a, SV_FMT "0", SV_ARG(sv_first(folder, folder.n - 1)));
}

size_t row_folders(const struct table_row *row)
{
    return 1 + row->extra_locations.n;
}

struct sv row_folder(const struct table_row *row, size_t i)
{
    return i ? row->extra_locations.p[i - 1] : row->location;
}

static bool owner_below(struct store *s, struct sv folder, const struct owner *but, struct arena *a,
                        struct sv *who, struct err *e)
{
    struct sv end = folder_end(folder, a);
    struct sql q;

    if (!sql_begin(s, OWNERS "f.folder >= ?8 AND f.folder < ?9 LIMIT 1", &q, e))
        return false;
    ask(&q, but, folder, end);
    return answer(&q, a, who, e);
}

static bool owner_of(struct store *s, struct sv folder, const struct owner *but, struct arena *a,
                     struct sv *who, struct err *e)
{
    struct sql q;

    if (!sql_begin(s, OWNERS "f.folder = ?8 LIMIT 1", &q, e))
        return false;
    ask(&q, but, folder, (struct sv){0});
    return answer(&q, a, who, e);
}

bool folder_overlap(struct store *s, struct sv folder, const struct owner *but, struct arena *a,
                    struct sv *who, struct err *e)
{
    *who = (struct sv){0};
    if (!owner_below(s, folder, but, a, who, e))
        return false;
    for (size_t n = sizeof("s3://") - 1; !who->n && n < folder.n; n++) {
        if (folder.p[n] == '/' && !owner_of(s, sv_first(folder, n + 1), but, a, who, e))
            return false;
    }
    return true;
}

bool folder_free(struct store *s, struct sv folder, const struct owner *but, struct arena *a,
                 struct sv *who, struct err *e)
{
    if (!folder_overlap(s, folder, but, a, who, e))
        return false;
    return !who->n || err_set(e, ERR_CONFLICT, "the location is taken by another table");
}

bool folder_claim(struct store *s, const char *text, struct sv folder, int64_t id, struct err *e)
{
    struct sql q;

    if (!sql_begin(s, text, &q, e))
        return false;
    sql_text(&q, folder);
    sql_i64(&q, id);
    return sql_do(&q, e);
}
