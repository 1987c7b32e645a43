/* cmd_audit.c - what was decided: the records that --audit store has kept. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "client/columns.h"
#include "options.h"
#include "store/store.h"
#include "wire/json.h"
#include "wire/names.h"
#include "wire/time.h"

enum { MAX_TEXT_BYTES = 256 * 1024 * 1024, DEFAULT_LIMIT = 1000 };

/* The records that were asked for, the newest first. */
struct asking {
    const struct options *options;
    struct trail_reading reading;
    size_t limit;
    bool more;              /* than the limit */
    struct sv table_wanted; /* --table in the form of the records */
    struct arena *arena;
    struct buf lines; /* of those that were found */
    struct columns table;
    size_t found;
};

/* "lakehouse/etl", or "etl" alone. */
static bool is_principal(struct sv name, struct sv wanted)
{
    return sv_eq(name, wanted) || (!sv_has_char(wanted, '/') &&
                                   sv_eq(sv_skip(name, (size_t)(sv_find(name, '/') + 1)), wanted));
}

static struct sv joined(struct arena *a, struct sv all, struct sv part)
{
    return part.n ? ARENA_JOIN(a, all, all.n ? SV(".") : SV(""), part) : all;
}

/* One name in the form of wire/names.h; empty: there is none. */
static struct sv quoted(struct arena *a, struct sv name)
{
    return name.n ? names_text(a, &name, 1) : name;
}

/* "CATALOG.NS.TABLE", as far as the record is about one. Its namespace has that form already. */
static struct sv subject_of(const struct json *record, struct arena *a)
{
    struct sv all = joined(a, quoted(a, json_get_str(record, SV("catalog"))),
                           json_get_str(record, SV("namespace")));

    return joined(a, all, quoted(a, json_get_str(record, SV("table"))));
}

/* The table itself, or what lies below a catalog or a namespace. */
static bool lies_in(struct sv name, struct sv above)
{
    struct sv below = sv_skip(name, above.n);

    return sv_starts(name, above) && (!below.n || sv_starts(below, SV(".")));
}

/* A transaction names its tables in its details; a rename where to. The name of a catalog may be
 * given as it is, with its dots. */
static bool is_about(const struct json *record, struct sv wanted, struct arena *a)
{
    const struct json *tables = json_path(record, SV("details.tables"));
    struct sv catalog = json_get_str(record, SV("catalog")), prefix = quoted(a, catalog);

    if (lies_in(wanted, catalog))
        wanted = ARENA_JOIN(a, prefix, sv_skip(wanted, catalog.n));
    for (size_t i = 0; i < json_count(tables); i++) {
        if (lies_in(joined(a, prefix, json_str(json_at(tables, i), (struct sv){0})), wanted))
            return true;
    }
    return lies_in(subject_of(record, a), wanted) ||
           lies_in(joined(a,
                          joined(a, prefix,
                                 json_get_str(json_get(record, SV("details")), SV("toNamespace"))),
                          quoted(a, json_get_str(json_get(record, SV("details")), SV("toName")))),
                   wanted);
}

static bool is_wanted(const struct asking *q, const struct json *record, struct arena *a)
{
    const struct options *o = q->options;
    struct err ignored = {0};
    int64_t ms;

    return time_read(json_get_str(record, SV("time")), &ms, &ignored) && ms >= q->reading.from_ms &&
           ms <= q->reading.to_ms &&
           (!o->principal.n || is_principal(json_get_str(record, SV("principal")), o->principal)) &&
           (!o->operation.n || sv_eq(json_get_str(record, SV("operation")), o->operation)) &&
           (!o->decision.n || sv_eq(json_get_str(record, SV("decision")), o->decision)) &&
           (!o->table.n || is_about(record, q->table_wanted, a));
}

static void add_row(struct asking *q, const struct json *record, struct arena *a)
{
    static const char *const members[] = {"time", "principal", "operation"}, *const why[] = {
                                                                                 "reason",
                                                                                 "missing",
                                                                                 "grant"};
    struct sv said = {0};

    for (size_t i = 0; i < 3; i++)
        columns_add(&q->table, json_get_str(record, sv_from(members[i])));
    columns_add(&q->table, subject_of(record, a));
    columns_add(&q->table, json_get_str(record, SV("decision")));
    columns_add(&q->table, arena_printf(a, "%d", (int)json_i64(json_get(record, SV("status")), 0)));
    columns_add(&q->table, json_get_str(record, SV("peer")));
    for (size_t i = 0; i < 3 && !said.n; i++)
        said = json_get_str(record, sv_from(why[i]));
    columns_add(&q->table, said);
}

static bool take_line(struct asking *q, struct sv line, struct err *e)
{
    auto_arena a = {0};
    struct json *record;

    if (!json_read(line, &a, &record, e))
        return err_wrap(e, "a record cannot be read");
    if (!is_wanted(q, record, &a))
        return true;
    q->more = q->found == q->limit;
    if (q->more)
        return true;
    q->found++;
    if (!q->options->output.n) {
        add_row(q, record, &a);
        return true;
    }
    buf_add(&q->lines, line);
    buf_addc(&q->lines, '\n');
    return true;
}

/* A page's lines are in the order of time: the last comes first. */
static bool take_page(struct asking *q, struct sv lines, struct err *e)
{
    struct sv rest = sv_trim_end(lines, '\n');

    while (rest.n && !q->more) {
        ptrdiff_t before = sv_rfind(rest, '\n');

        if (!take_line(q, sv_skip(rest, (size_t)(before + 1)), e))
            return false;
        rest = sv_first(rest, before < 0 ? 0 : (size_t)before);
    }
    return true;
}

static bool take_all(struct asking *q, struct store *s, struct err *e)
{
    bool found = true;

    while (found && !q->more) {
        auto_arena a = {0};
        struct trail_page page;

        if (!store_trail_read(s, &q->reading, &a, &page, &found, e) ||
            (found && !take_page(q, page.lines, e)))
            return false;
        if (found)
            q->reading.before_mark = arena_dup(q->arena, q->reading.before_mark);
    }
    return true;
}

static bool print(struct asking *q, struct err *e)
{
    if (!q->options->output.n)
        columns_write(&q->lines, &q->table, 0);
    if (q->lines.over)
        return err_set(e, ERR_INVALID, "more than %d MB to print; ask for less",
                       MAX_TEXT_BYTES >> 20);
    if (q->more)
        (void)fprintf(stderr, "frontdesk: audit: there are more than %zu; see --limit\n", q->limit);
    return (fwrite(q->lines.p, 1, q->lines.n, stdout) == q->lines.n && fflush(stdout) == 0) ||
           err_set(e, ERR_UNAVAILABLE, "the output cannot be written");
}

/* Opening would make a file that is not there. */
static bool exists(struct sv url, struct arena *a, struct err *e)
{
    struct sv path = sv_skip(url, sizeof("sqlite:") - 1);

    if (!sv_starts(url, SV("sqlite:")) || access(arena_cstr(a, path), F_OK) == 0)
        return true;
    return err_set(e, ERR_NOT_FOUND, "store " SV_FMT ": %s", SV_ARG(sv_first(path, 150)),
                   strerrordesc_np(errno));
}

/* --table as the records have it: quotes where they are needed, none where not. */
static bool table_of(struct asking *q, struct err *e)
{
    struct sv_vec levels = {0};

    if (!q->options->table.n)
        return true;
    if (!names_read(text_unescaped(q->arena, q->options->table), q->arena, &levels, e))
        return err_wrap(e, "--table");
    q->table_wanted = names_text(q->arena, levels.p, levels.n);
    return true;
}

static bool time_of(struct sv text, int64_t fallback, int64_t *out, struct err *e)
{
    *out = fallback;
    return !text.n || time_read(text, out, e);
}

int cmd_audit(const struct options *o)
{
    static const struct column heads[] = {
        {"TIME",      false},
        {"PRINCIPAL", false},
        {"OPERATION", false},
        {"ON",        false},
        {"DECISION",  false},
        {"STATUS",    true },
        {"FROM",      false},
        {"WHY",       false}
    };
    auto_arena a = {0};
    struct asking q = {
        .options = o, .arena = &a, .limit = o->limit ? (size_t)o->limit : DEFAULT_LIMIT};
    struct sv url = option_or(o->store, SV(DEFAULT_STORE));
    struct store *s;
    struct err e = {0};

    if (o->output.n && !sv_eq(o->output, SV("json"))) {
        (void)fputs("frontdesk: audit: -o: json is the only other form\n", stderr);
        return 2;
    }
    q.lines = buf_new(&a, MAX_TEXT_BYTES);
    q.table = columns_new(&a, heads, 8);
    if (table_of(&q, &e) && time_of(o->from, INT64_MIN, &q.reading.from_ms, &e) &&
        time_of(o->to, INT64_MAX, &q.reading.to_ms, &e) && exists(url, &a, &e) &&
        store_open(url, &a, &s, &e) && take_all(&q, s, &e) && print(&q, &e))
        return 0;
    (void)fprintf(stderr, "frontdesk: audit: " SV_FMT "\n",
                  SV_ARG(text_escaped(&a, sv_from(e.msg))));
    return 1;
}
