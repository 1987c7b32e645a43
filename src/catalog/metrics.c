/* metrics.c - POST .../metrics: what engines say of their scans and commits, put on record. */
#include "catalog/routes.h"
#include "catalog/table_steps.h"
#include "iceberg/report.h"

struct metrics_work {
    struct table_path path;
    struct table_row row;
};

static bool query_get(struct call *c, struct store *s, struct err *e)
{
    struct metrics_work *w = c->work;
    const struct table_name name = path_table(c, &w->path);

    return store_table_get(s, &name, c->arena, &w->row, e);
}

static bool after_get(struct call *c, const struct err *outcome, struct err *e)
{
    struct metrics_work *w = c->work;

    if (outcome)
        return outcome->code == ERR_NOT_FOUND ? call_no_table(c, &w->path.ns, w->path.table, e)
                                              : false;
    return call_reply_empty(c, 204);
}

/* The right to say that one has read is the right to read. */
bool table_metrics(struct call *c, struct err *e)
{
    struct metrics_work *w = arena_new(c->arena, struct metrics_work);
    struct json *body, *details = json_new_object(c->arena);
    struct report report;

    c->work = w;
    if (!table_path(c, &w->path, e) || !call_body(c, &body, e) ||
        !report_read(body, c->arena, &report, e) ||
        !call_demand(c, &w->path.ns, w->path.table,
                     report.of_commit ? PRIVILEGE_TABLE_WRITE_DATA : PRIVILEGE_TABLE_READ_DATA,
                     NULL, e))
        return false;
    json_set(details, SV("report"), report.summary);
    c->details = details;
    return call_read(c, query_get, after_get, e);
}
