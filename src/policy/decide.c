/* decide.c - a caller and a subject to privileges. Nothing is allowed that no grant allows. */
#include "policy/inside.h"

#define BIT(name) PRIVILEGE_BIT(PRIVILEGE_##name)

static const struct {
    privilege_set from, to;
} implications[] = {
    {BIT(CATALOG_MANAGE_CONTENT),     PRIVILEGE_BIT(PRIVILEGE_COUNT) - 1                                                 },
    {BIT(NAMESPACE_FULL_METADATA),    BIT(NAMESPACE_LIST) | BIT(NAMESPACE_CREATE) |
                                       BIT(NAMESPACE_DROP) | BIT(NAMESPACE_READ_PROPERTIES) |
                                       BIT(NAMESPACE_WRITE_PROPERTIES)                 },
    {BIT(TABLE_FULL_METADATA),        BIT(TABLE_LIST) | BIT(TABLE_CREATE) | BIT(TABLE_DROP) |
                                   BIT(TABLE_READ_PROPERTIES) | BIT(TABLE_WRITE_PROPERTIES)},
    {BIT(TABLE_WRITE_DATA),           BIT(TABLE_READ_DATA) | BIT(TABLE_WRITE_PROPERTIES)                                 },
    {BIT(TABLE_READ_DATA),            BIT(TABLE_READ_PROPERTIES)                                                         },
    {BIT(NAMESPACE_WRITE_PROPERTIES), BIT(NAMESPACE_READ_PROPERTIES)                                                     },
    {BIT(NAMESPACE_READ_PROPERTIES),  BIT(NAMESPACE_LIST)                                                                },
    {BIT(TABLE_WRITE_PROPERTIES),     BIT(TABLE_READ_PROPERTIES)                                                         },
    {BIT(TABLE_READ_PROPERTIES),      BIT(TABLE_LIST)                                                                    },
};

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

/* '*' stands for any name, "eu*" for any that begins so. */
static bool name_matches(struct sv pattern, struct sv name)
{
    if (sv_ends(pattern, SV("*")))
        return sv_starts(name, sv_first(pattern, pattern.n - 1));
    return sv_eq(pattern, name);
}

/* A namespace covers what is below it; levels are compared one by one. */
static bool covers(const struct pattern *p, const struct subject *s)
{
    if (p->n > s->n_levels)
        return false;
    for (size_t i = 0; i < p->n; i++) {
        bool last = i + 1 == p->n;

        if (!(last && p->star ? name_matches(p->levels[i], s->levels[i])
                              : sv_eq(p->levels[i], s->levels[i])))
            return false;
    }
    return true;
}

static bool any_namespace(const struct rule_grant *g, const struct subject *s)
{
    for (size_t i = 0; i < g->n_namespaces; i++) {
        if (covers(&g->namespaces[i], s))
            return true;
    }
    return g->n_namespaces == 0;
}

static bool any_table(const struct rule_grant *g, struct sv table)
{
    for (size_t i = 0; i < g->n_tables; i++) {
        if (name_matches(g->tables[i], table))
            return true;
    }
    return g->n_tables == 0;
}

static bool applies(const struct rule_grant *g, const struct caller *c, const struct subject *s)
{
    if (c->only_role.n && !sv_eq(g->via, c->only_role))
        return false;
    /* A line that names tables says nothing about namespaces. */
    if (!s->table.n && g->n_tables)
        return false;
    return any_namespace(g, s) && (!s->table.n || any_table(g, s->table));
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

/* Whether the pattern covers the subject, or something below the subject could be covered. */
static bool touches(const struct pattern *p, const struct subject *s)
{
    for (size_t i = 0; i < p->n && i < s->n_levels; i++) {
        bool last = i + 1 == p->n;

        if (!(last && p->star ? name_matches(p->levels[i], s->levels[i])
                              : sv_eq(p->levels[i], s->levels[i])))
            return false;
    }
    return true;
}

bool rulebook_sees(UNUSED const struct rulebook *r, const struct caller *c, const struct subject *s)
{
    const struct rule_grants *grants = &c->principal->grants[s->catalog->index];

    for (size_t i = 0; i < grants->n; i++) {
        const struct rule_grant *g = &grants->p[i];
        bool any = g->n_namespaces == 0;

        if ((c->only_role.n && !sv_eq(g->via, c->only_role)) || !g->privileges)
            continue;
        if (s->table.n) {
            if (applies(g, c, s))
                return true;
            continue;
        }
        for (size_t j = 0; !any && j < g->n_namespaces; j++)
            any = touches(&g->namespaces[j], s);
        if (any)
            return true;
    }
    return false;
}
