/* decide.c - a caller and a subject to privileges. Nothing is allowed that no grant allows. */
#include "policy/inside.h"

#define BIT(name) PRIVILEGE_BIT(PRIVILEGE_##name)
/* All from one to another, in the order of PRIVILEGES. */
#define SPAN(first, last) ((BIT(last) << 1) - BIT(first))

/*
 * The names are Polaris's, and what carries what is so too, but for two things that weigh more
 * here. What a table's readers see (snapshots, refs, statistics) comes with TABLE_WRITE_DATA only;
 * and TABLE_SET_LOCATION, which decides where keys reach, with TABLE_FULL_METADATA only.
 */
/* By hand: the formatter takes the commas in SPAN for those of the table. */
/* clang-format off */
static const struct {
    privilege_set from, to;
} implications[] = {
    {BIT(CATALOG_MANAGE_CONTENT), PRIVILEGE_BIT(PRIVILEGE_COUNT) - 1},
    {BIT(NAMESPACE_FULL_METADATA), SPAN(NAMESPACE_LIST, NAMESPACE_WRITE_PROPERTIES)},
    {BIT(NAMESPACE_WRITE_PROPERTIES), BIT(NAMESPACE_READ_PROPERTIES)},
    {BIT(NAMESPACE_READ_PROPERTIES), BIT(NAMESPACE_LIST)},
    {BIT(TABLE_FULL_METADATA), SPAN(TABLE_LIST, TABLE_WRITE_PROPERTIES) | BIT(TABLE_SET_LOCATION)},
    {BIT(TABLE_WRITE_DATA), BIT(TABLE_READ_DATA) | BIT(TABLE_WRITE_PROPERTIES) |
                            SPAN(TABLE_ADD_SNAPSHOT, TABLE_REMOVE_STATISTICS)},
    {BIT(TABLE_READ_DATA), BIT(TABLE_READ_PROPERTIES)},
    {BIT(TABLE_WRITE_PROPERTIES), BIT(TABLE_MANAGE_STRUCTURE)},
    {BIT(TABLE_MANAGE_STRUCTURE), SPAN(TABLE_ASSIGN_UUID, TABLE_REMOVE_PROPERTIES)},
    /* The answer to each kind of update is the whole metadata. */
    {SPAN(TABLE_MANAGE_STRUCTURE, TABLE_REMOVE_STATISTICS), BIT(TABLE_READ_PROPERTIES)},
    {BIT(TABLE_READ_PROPERTIES), BIT(TABLE_LIST)},
    {BIT(VIEW_FULL_METADATA), SPAN(VIEW_LIST, VIEW_WRITE_PROPERTIES)},
    {BIT(VIEW_WRITE_PROPERTIES), BIT(VIEW_READ_PROPERTIES)},
    {BIT(VIEW_READ_PROPERTIES), BIT(VIEW_LIST)},
};
/* clang-format on */

/* What speaks of a table or of a view by its name. */
static const privilege_set of_tables = SPAN(TABLE_LIST, TABLE_REMOVE_STATISTICS),
                           of_views = SPAN(VIEW_LIST, VIEW_FULL_METADATA);

privilege_set privileges_implied(privilege_set set)
{
    privilege_set before;

    do {
        before = set;
        for (size_t i = 0; i < sizeof(implications) / sizeof(implications[0]); i++)
            set |= set & implications[i].from ? implications[i].to : 0;
    } while (set != before);
    return set;
}

static bool name_matches(const struct name_pattern *p, struct sv name)
{
    return p->open ? sv_starts(name, p->text) : sv_eq(p->text, name);
}

/* As many levels as both have. */
static bool begin_alike(const struct pattern *p, const struct subject *s)
{
    for (size_t i = 0; i < p->n && i < s->n_levels; i++) {
        if (!name_matches(&p->levels[i], s->levels[i]))
            return false;
    }
    return true;
}

/* A namespace covers what is below it; levels are compared one by one. */
static bool covers(const struct pattern *p, const struct subject *s)
{
    return p->n <= s->n_levels && begin_alike(p, s);
}

static bool any_namespace(const struct rule_grant *g, const struct subject *s)
{
    for (size_t i = 0; i < g->n_namespaces; i++) {
        if (covers(&g->namespaces[i], s))
            return true;
    }
    return g->n_namespaces == 0;
}

static bool any_name(const struct name_pattern *patterns, size_t n, struct sv name)
{
    for (size_t i = 0; i < n; i++) {
        if (name_matches(&patterns[i], name))
            return true;
    }
    return false;
}

/* A line that names tables or views says nothing about anything else. */
static bool names_it(const struct rule_grant *g, const struct subject *s)
{
    if (!g->n_tables && !g->n_views)
        return true;
    if (!s->table.n)
        return false;
    return s->is_view ? any_name(g->views, g->n_views, s->table)
                      : any_name(g->tables, g->n_tables, s->table);
}

static bool applies(const struct rule_grant *g, const struct caller *c, const struct subject *s)
{
    if (c->only_roles.n && !words_have(c->only_roles, g->via))
        return false;
    return any_namespace(g, s) && names_it(g, s);
}

static void add(struct decision *d, const struct rule_grant *g)
{
    privilege_set fresh = g->privileges & ~d->privileges;

    d->privileges |= g->privileges;
    for (int p = 0; fresh; p++, fresh >>= 1) {
        if (fresh & 1)
            d->grants[p] = g->label;
    }
    if (g->max_ttl_seconds && (!d->max_ttl_seconds || g->max_ttl_seconds < d->max_ttl_seconds))
        d->max_ttl_seconds = g->max_ttl_seconds;
}

void rulebook_decide(UNUSED const struct rulebook *r, const struct caller *c,
                     const struct subject *s, struct decision *out)
{
    const struct rule_grants *grants = &c->principal->grants[s->catalog->index];

    *out = (struct decision){0};
    for (size_t i = 0; i < grants->n; i++) {
        if (applies(&grants->p[i], c, s))
            add(out, &grants->p[i]);
    }
}

bool decision_allows(const struct decision *d, enum privilege p)
{
    return (d->privileges & PRIVILEGE_BIT(p)) != 0;
}

privilege_set decision_gain(const struct decision *here, const struct decision *there, bool is_view)
{
    /* Whoever moves a thing must hold these there, and of the rest *_FULL_METADATA is the sum. */
    const privilege_set moves = BIT(TABLE_LIST) | BIT(TABLE_CREATE) | BIT(TABLE_DROP) |
                                BIT(TABLE_FULL_METADATA) | BIT(VIEW_LIST) | BIT(VIEW_CREATE) |
                                BIT(VIEW_DROP) | BIT(VIEW_FULL_METADATA);

    return there->privileges & ~here->privileges & (is_view ? of_views : of_tables) & ~moves;
}

unsigned decision_access(const struct decision *d)
{
    unsigned access = 0;

    if (decision_allows(d, PRIVILEGE_TABLE_READ_DATA))
        access |= ACCESS_READ | ACCESS_LIST;
    if (decision_allows(d, PRIVILEGE_TABLE_WRITE_DATA))
        access |= ACCESS_READ | ACCESS_LIST | ACCESS_WRITE;
    if (decision_allows(d, PRIVILEGE_TABLE_DELETE_DATA))
        access |= ACCESS_DELETE;
    return access;
}

/* Whether a pattern covers the subject, or something below the subject could be covered. */
static bool any_touched(const struct rule_grant *g, const struct subject *s)
{
    for (size_t i = 0; i < g->n_namespaces; i++) {
        if (begin_alike(&g->namespaces[i], s))
            return true;
    }
    return g->n_namespaces == 0;
}

static bool shows(const struct rule_grant *g, const struct caller *c, const struct subject *s)
{
    if ((c->only_roles.n && !words_have(c->only_roles, g->via)) || !g->privileges)
        return false;
    if (!s->table.n)
        return any_touched(g, s);
    return (g->privileges & (s->is_view ? of_views : of_tables)) && applies(g, c, s);
}

bool rulebook_sees(UNUSED const struct rulebook *r, const struct caller *c, const struct subject *s)
{
    const struct rule_grants *grants = &c->principal->grants[s->catalog->index];

    for (size_t i = 0; i < grants->n; i++) {
        if (shows(&grants->p[i], c, s))
            return true;
    }
    return false;
}
