/*
 * test_oracle.c - who holds which right on what: random grants, random questions, and an oracle of
 * sixty lines that can be believed by reading it beside docs/REST.md. FRONTDESK_SEED draws others,
 * FRONTDESK_DRAWS more.
 */
#include <fnmatch.h>

#include "unit/dice.h"
#include "unit/policy/compiled.h"

enum { PEOPLE = 3, TEAMS = 2, ROLES = 4, LINES = 2, RIGHTS = 2, WORDS = 2, LEVELS = 3 };
enum { DRAWS = 100000, DRAWS_OF_ONE = 100 };

/* Lists of words end at NULL. */
struct line {
    enum privilege rights[RIGHTS];
    const char *namespaces[WORDS + 1], *tables[WORDS + 1], *views[WORDS + 1];
};
struct holdings {
    bool in_team[PEOPLE][TEAMS], has_role[PEOPLE][ROLES], team_has_role[TEAMS][ROLES];
    struct line lines[ROLES][LINES];
};
struct question {
    size_t who, team; /* the one team that the caller acts for; TEAMS: all, and itself */
    enum privilege right;
    const char *levels[LEVELS + 1], *leaf[2]; /* no leaf: the namespace */
    bool is_view;
};

/* ---- the oracle: docs/REST.md, "Grants" and "Rights to commit" ---- */

/* clang-format off */
static const char *const carried[][2] = {
    {"CATALOG_MANAGE_CONTENT", "*"},
    {"NAMESPACE_FULL_METADATA", "NAMESPACE_*"},
    {"NAMESPACE_@(WRITE|READ)_PROPERTIES", "NAMESPACE_@(READ_PROPERTIES|LIST)"},
    {"VIEW_FULL_METADATA", "VIEW_*"},
    {"VIEW_@(WRITE|READ)_PROPERTIES", "VIEW_@(READ_PROPERTIES|LIST)"},
    {"TABLE_FULL_METADATA", "TABLE_@(LIST|CREATE|DROP|SET_LOCATION|WRITE_PROPERTIES)"},
    {"TABLE_WRITE_DATA", "TABLE_@(READ_DATA|WRITE_PROPERTIES|*_SNAPSHOT*|*_STATISTICS)"},
    {"TABLE_WRITE_PROPERTIES", "TABLE_MANAGE_STRUCTURE"},
    {"TABLE_MANAGE_STRUCTURE", "TABLE_@(ASSIGN_*|UPGRADE_*|*_SCHEMA|*_SPEC*|*_SORT_ORDER|@(SET|REMOVE)_PROPERTIES)"},
    {"TABLE_@(READ_DATA|MANAGE_*|ASSIGN_*|UPGRADE_*|ADD_*|SET_*|REMOVE_*)", "TABLE_READ_PROPERTIES"},
    {"TABLE_READ_PROPERTIES", "TABLE_LIST"},
};
/* clang-format on */

static bool fits(const char *pattern, const char *text)
{
    return fnmatch(pattern, text, FNM_EXTMATCH) == 0;
}

static bool carries(const char *held, const char *wanted)
{
    bool does = !strcmp(held, wanted);

    for (size_t i = 0; !does && i < COUNT(carried); i++) {
        for (int p = 0; !does && fits(carried[i][0], held) && p < PRIVILEGE_COUNT; p++) {
            const char *next = privilege_name((enum privilege)p).p;

            does = strcmp(held, next) != 0 && fits(carried[i][1], next) && carries(next, wanted);
        }
    }
    return does;
}

/* The words of a dotted pattern fit the first of the names, one by one. */
static bool any_fits(const char *const *patterns, const char *const *names)
{
    bool any = false;

    for (; *patterns && !any; patterns++) {
        char text[40], *rest = strcpy(text, *patterns), *word;
        const char *const *name = names;

        while ((word = strsep(&rest, ".")) && *name && fits(word, *name))
            name++;
        any = !word;
    }
    return any;
}

static bool covers(const struct line *l, const struct question *q)
{
    return (!l->namespaces[0] || any_fits(l->namespaces, q->levels)) &&
           ((!l->tables[0] && !l->views[0]) ||
            (q->leaf[0] && any_fits(q->is_view ? l->views : l->tables, q->leaf)));
}

static bool carry[PRIVILEGE_COUNT][PRIVILEGE_COUNT];

static bool may(const struct holdings *g, const struct question *q)
{
    for (size_t r = 0; r < ROLES; r++) {
        bool has = q->team == TEAMS && g->has_role[q->who][r];

        for (size_t t = 0; t < TEAMS; t++)
            has = has || ((q->team == TEAMS || q->team == t) && g->in_team[q->who][t] &&
                          g->team_has_role[t][r]);
        for (size_t i = 0; i < LINES * RIGHTS; i++) {
            const struct line *l = &g->lines[r][i / RIGHTS];

            if (has && covers(l, q) && carry[l->rights[i % RIGHTS]][q->right])
                return true;
        }
    }
    return false;
}

/* ---- dice ---- */

static const char *const people[PEOPLE] = {"alice", "bob", "eve"}, *const teams[] = {"dev", "ops"};

/* Most questions would be refused, were all rights as likely. */
static enum privilege draw_right(void)
{
    static const enum privilege broad[] = {
        PRIVILEGE_CATALOG_MANAGE_CONTENT, PRIVILEGE_NAMESPACE_FULL_METADATA,
        PRIVILEGE_TABLE_FULL_METADATA, PRIVILEGE_TABLE_WRITE_DATA, PRIVILEGE_VIEW_FULL_METADATA};

    return one_in(3) ? PICK(broad) : (enum privilege)below(PRIVILEGE_COUNT);
}

static void draw_words(const char **out, const char *const *from, size_t n)
{
    size_t k = below(WORDS + 1);

    for (size_t i = 0; i < k; i++)
        out[i] = from[below(n)];
}

static void draw_flags(bool *flags, size_t n)
{
    for (size_t i = 0; i < n; i++)
        flags[i] = one_in(2);
}

static void draw_grants(struct holdings *g)
{
    static const char *const namespaces[] = {"a", "a.b", "*", "a*", "a.b*", "ab", "a.*", "A"},
                             *const leaves[] = {"t", "t*", "*", "tt", "T"};

    *g = (struct holdings){0};
    draw_flags(&g->in_team[0][0], sizeof(g->in_team));
    draw_flags(&g->has_role[0][0], sizeof(g->has_role));
    draw_flags(&g->team_has_role[0][0], sizeof(g->team_has_role));
    for (size_t i = 0; i < ROLES * LINES; i++) {
        struct line *l = &g->lines[i / LINES][i % LINES];

        for (size_t k = 0; k < RIGHTS; k++)
            l->rights[k] = draw_right();
        draw_words(l->namespaces, namespaces, COUNT(namespaces));
        if (one_in(2))
            draw_words(l->tables, leaves, COUNT(leaves));
        if (one_in(3))
            draw_words(l->views, leaves, COUNT(leaves));
    }
}

static void draw_question(struct question *q)
{
    static const char *const levels[] = {"a", "b", "ab", "A", "a.b", "*"}, *const leaves[] = {
                                                                               "t", "tt", "T", "t*",
                                                                               "u"};
    size_t n = below(LEVELS + 1);

    *q = (struct question){.who = below(PEOPLE),
                           .team = one_in(2) ? TEAMS : below(TEAMS),
                           .right = (enum privilege)below(PRIVILEGE_COUNT),
                           .is_view = one_in(3)};
    for (size_t i = 0; i < n; i++)
        q->levels[i] = PICK(levels);
    if (n && !one_in(3))
        q->leaf[0] = PICK(leaves);
}

/* ---- what really happens ---- */

static void add_words(struct buf *b, const char *field, const char *const *words)
{
    buf_addf(b, ", %s: [", field);
    for (; *words; words++)
        buf_addf(b, "'%s',", *words);
    buf_addc(b, ']');
}

static void add_member(struct buf *b, bool is, const char *kind, const char *name)
{
    if (is)
        buf_addf(b, "{kind: %s, name: %s},", kind, name);
}

static void add_role(struct buf *b, const struct holdings *g, size_t r)
{
    buf_addf(b, HEAD("CatalogRole", "r%zu") "{catalogRef: {name: c}, principals: [", r);
    for (size_t p = 0; p < PEOPLE; p++)
        add_member(b, g->has_role[p][r], "Principal", people[p]);
    for (size_t t = 0; t < TEAMS; t++)
        add_member(b, g->team_has_role[t][r], "PrincipalRole", teams[t]);
    buf_add(b, SV("], grants: ["));
    for (size_t i = 0; i < LINES; i++) {
        const struct line *l = &g->lines[r][i];

        buf_addf(b, "{privileges: [%s, %s]", privilege_name(l->rights[0]).p,
                 privilege_name(l->rights[1]).p);
        add_words(b, "namespaces", l->namespaces);
        add_words(b, "tables", l->tables);
        add_words(b, "views", l->views);
        buf_add(b, SV("},"));
    }
    buf_add(b, SV("]}\n---\n"));
}

static struct sv manifests(const struct holdings *g, struct arena *a)
{
    struct buf b = buf_new(a, 1 << 16);

    buf_add(&b, SV(STORE CATALOG));
    for (size_t p = 0; p < PEOPLE; p++)
        buf_addf(&b, HEAD("Principal", "%s") "{clientCredentials: {}}\n---\n", people[p]);
    for (size_t t = 0; t < TEAMS; t++) {
        buf_addf(&b, HEAD("PrincipalRole", "%s") "{members: [", teams[t]);
        for (size_t p = 0; p < PEOPLE; p++)
            add_member(&b, g->in_team[p][t], "Principal", people[p]);
        buf_add(&b, SV("]}\n---\n"));
    }
    for (size_t r = 0; r < ROLES; r++)
        add_role(&b, g, r);
    buf_addc(&b, '\0');
    return buf_sv(&b);
}

static bool may_really(const struct world_of *w, const struct question *q)
{
    struct sv levels[LEVELS];
    struct subject s = {.catalog = rulebook_catalog(w->result.rulebook, SV("c")),
                        .levels = levels,
                        .table = sv_from(q->leaf[0] ? q->leaf[0] : ""),
                        .is_view = q->leaf[0] && q->is_view};
    auto_arena a = {0};
    struct err e = {0};
    struct caller c;
    struct decision d;

    for (; q->levels[s.n_levels]; s.n_levels++)
        levels[s.n_levels] = sv_from(q->levels[s.n_levels]);
    NEED_OK(rulebook_find(w->result.rulebook, sv_from(people[q->who]), &c, &e), &e);
    if (q->team < TEAMS && !caller_narrow(&c, sv_from(teams[q->team]), &a, &e))
        return false;
    rulebook_decide(w->result.rulebook, &c, &s, &d);
    return decision_allows(&d, q->right);
}

static void tell(struct sv text, const struct question *q, uint64_t seed)
{
    printf("\nFRONTDESK_SEED=%" PRIu64 "\n" SV_FMT "\n%s, %s: %s on", seed, SV_ARG(text),
           people[q->who], q->team < TEAMS ? teams[q->team] : "in all roles",
           privilege_name(q->right).p);
    for (size_t i = 0; q->levels[i]; i++)
        printf(" %s", q->levels[i]);
    printf(" %s %s\n",
           !q->leaf[0]  ? "itself"
           : q->is_view ? "view"
                        : "table",
           q->leaf[0] ? q->leaf[0] : "");
}

static size_t allowed;

/* One set of grants and many questions; false when one is answered differently, which is told. */
static bool draw(uint64_t seed)
{
    struct world_of w = {0};
    struct question q;
    struct holdings g;
    struct sv text;
    bool same = true;

    state = seed;
    draw_grants(&g);
    text = manifests(&g, &w.arena);
    compile_text(&w, text.p);
    for (int i = 0; same && i < DRAWS_OF_ONE; i++) {
        draw_question(&q);
        same = may(&g, &q) == may_really(&w, &q);
        allowed += may(&g, &q);
    }
    if (!same)
        tell(text, &q, seed);
    done(&w);
    return same;
}

static void every_right_is_held_as_the_oracle_says(void)
{
    const uint64_t seed = from_environment("FRONTDESK_SEED", 20260101),
                   draws = from_environment("FRONTDESK_DRAWS", DRAWS);
    bool same = true;

    for (int p = 0; p < PRIVILEGE_COUNT; p++) {
        for (int q = 0; q < PRIVILEGE_COUNT; q++)
            carry[p][q] =
                carries(privilege_name((enum privilege)p).p, privilege_name((enum privilege)q).p);
    }
    for (uint64_t i = 0; same && i < draws / DRAWS_OF_ONE; i++)
        same = draw(seed + i);
    CHECK(same);
    printf("%zu of %" PRIu64 " allowed ", allowed, draws);
    /* Draws that all end the same way would prove nothing. */
    CHECK(allowed * 10 > draws && allowed * 2 < draws);
}

SUITE("policy/oracle", TEST(every_right_is_held_as_the_oracle_says))
