/* copy.c - all that one store holds into another that is empty, compared before it counts. */
#include "store/sql.h"

/* Rows are known by their names, not by ids: these are the new store's own. Both orders are by
 * bytes, so that the two can be read side by side. */
static const struct kind {
    const char *what, *read, *write;
    int columns;
    int numbers; /* the last ones */
} kinds[STORE_KINDS] = {
    {"namespaces",                "SELECT catalog, ns, parent, properties FROM namespaces ORDER BY catalog, ns",
     "INSERT INTO namespaces (catalog, ns, parent, properties) VALUES (?, ?, ?, ?)",                                                                                                                4,  0},
    {"tables",
     "SELECT catalog, ns, name, uuid, metadata_location, location, metadata_sha256, kind FROM tables"
     " ORDER BY catalog, ns, name",                                                                              "INSERT INTO tables (catalog, ns, name, uuid, metadata_location, location, metadata_sha256,"
     " kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",                                                                                                                   8,  1},
    {"folders of tables",
     "SELECT f.folder, t.catalog, t.ns, t.name, f.held_ms FROM folders f JOIN tables t"
     " ON t.id = f.table_id"
     " ORDER BY t.catalog, t.ns, t.name, f.folder",                                                              "INSERT INTO folders (folder, table_id, held_ms) SELECT ?1, id, CAST(?5 AS BIGINT) FROM tables"
     " WHERE catalog = ?2 AND ns = ?3 AND name = ?4",                                                                                            5,  1},
    {"staged tables",
     "SELECT catalog, ns, name, principal, uuid, location, expires_ms FROM staged"
     " ORDER BY catalog, ns, name, principal, location",                                                         "INSERT INTO staged (catalog, ns, name, principal, uuid, location, expires_ms)"
     " VALUES (?, ?, ?, ?, ?, ?, ?)",                                                                                                       7,  1},
    {"folders of staged tables",
     "SELECT f.folder, s.catalog, s.ns, s.name, s.principal, s.location FROM folders f"
     " JOIN staged s ON s.id = f.staged_id"
     " ORDER BY s.catalog, s.ns, s.name, s.principal, s.location, f.folder",                                     "INSERT INTO folders (folder, staged_id) SELECT ?, id FROM staged"
     " WHERE catalog = ? AND ns = ? AND name = ? AND principal = ? AND location = ?",                                   6,  0},
    {"answers under keys",
     "SELECT principal, key, request, attempt, metadata_location, uuid, body, metadata_sha256,"
     " status, made_ms"
     " FROM answers ORDER BY principal, key",                                                                    "INSERT INTO answers (principal, key, request, attempt, metadata_location, uuid, body,"
     " metadata_sha256, status, made_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",                                                                       10, 2},
    {"dropped tables",
     "SELECT catalog, ns, name, uuid, metadata_location, location, principal, mark,"
     " metadata_sha256, kind,"
     " dropped_ms, expires_ms FROM dropped ORDER BY mark",                                                       "INSERT INTO dropped (catalog, ns, name, uuid, metadata_location, location, principal, mark,"
     " metadata_sha256, kind, dropped_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",                                       12, 3},
    {"folders of dropped tables",
     "SELECT f.folder, d.mark, f.held_ms FROM folders f JOIN dropped d ON d.id = f.dropped_id"
     " ORDER BY d.mark, f.folder",                                                                               "INSERT INTO folders (folder, dropped_id, held_ms) SELECT ?1, id, CAST(?3 AS BIGINT)"
     " FROM dropped WHERE mark = ?2",                                                                                                                             3,  1},
    {"purges",
     "SELECT p.request, d.mark, p.keep_ms, p.next_ms FROM purges p"
     " JOIN dropped d ON d.id = p.dropped_id ORDER BY d.mark",                                                   "INSERT INTO purges (dropped_id, request, holder, keep_ms, lease_ms, next_ms, attempts)"
     " SELECT id, ?1, '', CAST(?3 AS BIGINT), 0, CAST(?4 AS BIGINT), 0 FROM dropped WHERE mark = ?2",
     4,                                                                                                                                                                                                 2},
    {"pages of the audit",
     "SELECT mark, lines, from_ms, to_ms, records FROM audit WHERE mark > ? ORDER BY mark LIMIT ?",              "INSERT INTO audit (mark, lines, from_ms, to_ms, records) VALUES (?, ?, ?, ?, ?)", 5,  3},
};

enum { ROWS_BETWEEN_SIGNS = 256, ROWS_OF_PART = 16 };

/* ---- reading ---- */

/* All rows of a kind, one after the other. A client of PostgreSQL holds all that a statement gives,
 * and has to have it in seconds: what may be large is read in parts, by its first column. */
struct rows {
    const struct kind *kind;
    struct sql q;
    struct arena arena;
    struct sv last; /* the first column of the row at hand */
    int n;          /* of this part */
};

static bool has_parts(const struct rows *r)
{
    return sv_has_char(sv_from(r->kind->read), '?');
}

static bool begin_part(struct rows *r, struct store *s, struct err *e)
{
    if (!sql_begin(s, r->kind->read, &r->q, e))
        return false;
    r->n = 0;
    if (!has_parts(r))
        return true;
    sql_text(&r->q, r->last);
    sql_i64(&r->q, ROWS_OF_PART);
    return true;
}

static bool rows_begin(struct store *s, const struct kind *k, struct rows *out, struct err *e)
{
    *out = (struct rows){.kind = k};
    return begin_part(out, s, e);
}

static bool rows_next(struct rows *r, bool *row, struct err *e)
{
    if (!sql_step(&r->q, row, e))
        return false;
    if (!*row && r->n == ROWS_OF_PART) {
        sql_end(&r->q);
        if (!begin_part(r, r->q.store, e) || !sql_step(&r->q, row, e))
            return false;
    }
    if (*row && has_parts(r)) {
        arena_done(&r->arena);
        r->last = sql_column(&r->q, 0, &r->arena);
        r->n++;
    }
    return true;
}

static void rows_end(struct rows *r)
{
    sql_end(&r->q);
    arena_done(&r->arena);
}

/* ---- copying ---- */

struct copying {
    struct store *from, *to;
    struct store_copied *copied;
};

static bool write_row(struct store *to, const struct kind *k, struct sql *row, struct err *e)
{
    auto_arena a = {0};
    struct sql q;

    if (!sql_begin(to, k->write, &q, e))
        return false;
    for (int i = 0; i < k->columns; i++) {
        if (i >= k->columns - k->numbers)
            sql_i64(&q, sql_column_i64(row, i));
        else
            sql_text(&q, sql_column(row, i, &a));
    }
    if (!sql_do(&q, e))
        return false;
    return sql_changes(to) == 1 ||
           err_set(e, ERR_INVALID, "copy: a row of the %s belongs to nothing", k->what);
}

/* A server ends a transaction that says nothing for some seconds. */
static bool give_sign(struct store *from, struct err *e)
{
    struct sql q;

    return sql_begin(from, "SELECT 1", &q, e) && sql_do(&q, e);
}

static bool copy_kind(const struct copying *c, const struct kind *k, int64_t *rows, struct err *e)
{
    struct rows from;
    bool row = false, ok;

    *rows = 0;
    if (!rows_begin(c->from, k, &from, e))
        return false;
    while ((ok = rows_next(&from, &row, e)) && row) {
        ok = write_row(c->to, k, &from.q, e) &&
             (++*rows % ROWS_BETWEEN_SIGNS || give_sign(c->from, e));
        if (!ok)
            break;
    }
    rows_end(&from);
    return ok;
}

static bool rows_are_equal(struct sql *left, struct sql *right, int columns)
{
    auto_arena a = {0};

    for (int i = 0; i < columns; i++) {
        if (!sv_eq(sql_column(left, i, &a), sql_column(right, i, &a)))
            return false;
    }
    return true;
}

static bool compare_kind(const struct copying *c, const struct kind *k, int64_t rows, struct err *e)
{
    struct rows left, right;
    bool one = true, other = true, ok, equal = true;
    int64_t n = -1;

    if (!rows_begin(c->from, k, &left, e) || !rows_begin(c->to, k, &right, e))
        return false;
    do {
        n++;
        ok = rows_next(&left, &one, e) && rows_next(&right, &other, e);
        equal = ok && one == other && (!one || rows_are_equal(&left.q, &right.q, k->columns));
    } while (equal && one);
    rows_end(&left);
    rows_end(&right);
    return ok &&
           ((equal && n == rows) ||
            err_set(e, ERR_INTERNAL, "copy: the %s differ at row %lld", k->what, (long long)n + 1));
}

static bool is_empty(struct store *s, bool *empty, struct err *e)
{
    *empty = true;
    for (int i = 0; *empty && i < STORE_KINDS; i++) {
        struct rows rows;
        bool row = false, ok;

        if (!rows_begin(s, &kinds[i], &rows, e))
            return false;
        ok = rows_next(&rows, &row, e);
        rows_end(&rows);
        if (!ok)
            return false;
        *empty = !row;
    }
    return true;
}

static bool copy_all(UNUSED struct store *from, void *context, struct err *e)
{
    const struct copying *c = context;

    for (int i = 0; i < STORE_KINDS; i++) {
        c->copied->what[i] = kinds[i].what;
        if (!copy_kind(c, &kinds[i], &c->copied->rows[i], e))
            return false;
    }
    for (int i = 0; i < STORE_KINDS; i++) {
        if (!compare_kind(c, &kinds[i], c->copied->rows[i], e))
            return false;
    }
    return true;
}

/* A writing transaction at the source as well: nobody else writes there meanwhile. It ends first,
 * so that nothing is left of the copy when that fails. */
static bool copy_into_empty(UNUSED struct store *to, void *context, struct err *e)
{
    const struct copying *c = context;
    bool nothing, empty;

    if (!is_empty(c->from, &nothing, e) || !is_empty(c->to, &empty, e))
        return false;
    if (!empty)
        return err_set(e, ERR_CONFLICT, "copy: the store to copy to is not empty");
    if (nothing)
        return err_set(e, ERR_NOT_FOUND, "copy: the store to copy from holds nothing");
    return sql_transaction(c->from, copy_all, context, e);
}

bool store_copy(struct store *from, struct store *to, struct store_copied *out, struct err *e)
{
    return sql_transaction(to, copy_into_empty, &(struct copying){from, to, out}, e);
}
