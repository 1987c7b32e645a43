/*
 * test_rights.c - authorisation against a second opinion: random resources, random requests.
 *
 * Each draw goes through the real table of routes and its real handlers, which are stopped where
 * they would wait for the store: by then they have asked for every right. FRONTDESK_SEED draws
 * others, FRONTDESK_DRAWS more.
 */
#include "base/limits.h"
#include "serve/loop.h"
#include "unit/catalog/rights_draw.h"

#ifdef __SANITIZE_THREAD__
/* It is one thread: there is nothing more to see, and each draw takes three times as long. */
enum { DRAWS = 10000 };
#else
enum { DRAWS = 100000 };
#endif
enum { DRAWS_OF_A_LAKE = 100 };

static struct rulebook *compile(struct lake *l)
{
    const struct resource *left[COUNT(l->all)];
    struct policy_input in = {.resources = left, .generation = 1};
    struct compile_result result;

    for (size_t i = 0; i < l->n; i++) {
        if (!l->gone[i])
            left[in.n_resources++] = l->all[i];
    }
    policy_compile(&in, &l->arena, &result);
    take_stock(l);
    return result.rulebook;
}

/* ---- what really happens ---- */

struct really {
    struct arena arena;
    struct serve serve;
    struct loop loop;
    struct rulebook *book;
    struct sv missing;
    enum err_code code;
};

/* A loop that is at its limit of waiting calls: whoever would ask the store is told so. */
static void set_up(struct really *x)
{
    memset(x, 0, sizeof(*x));
    x->serve.options.world = &world_os;
    x->loop.serve = &x->serve;
    shares_init(&x->loop.waiting, 0, &x->arena);
    shares_init(&x->serve.memory, (size_t)1 << 40, &x->arena);
    x->loop.places = map_new(&x->arena);
    x->loop.answers = map_new(&x->arena);
}

static bool be(struct really *x, const struct request *q, struct caller *who)
{
    struct err ignored = {0};

    return rulebook_find(x->book, sv_from(people[q->who]), who, &ignored) &&
           (!q->role || caller_narrow(who, sv_from(q->role), &x->arena, &ignored));
}

/* The one request that is refused for a limit. */
static bool is_rename(const struct request *q)
{
    return is_op(q, "rename-table");
}

static enum verdict ask(struct really *x, const struct request *q, struct caller who,
                        struct arena *a)
{
    struct buf target = buf_new(a, 1024);
    struct http_request in = {.body = body_of(q, a)};
    struct http_turn turn = {.over_tls = false};
    struct call c = {.arena = a,
                     .turn = &turn,
                     .in = &in,
                     .rules = x->book,
                     .who = who,
                     .now_ms = 1700000000000,
                     .loop = &x->loop,
                     .world = &world_os};
    struct err e = {0};
    struct sv query;
    unsigned others;
    bool ok;

    add_template(&target, sv_from(q->path), a, q);
    in.target = buf_sv(&target);
    NEED(http_method_read(sv_from(q->method), &in.method));
    c.path = route_path(in.target, &query);
    c.route = route_match(&catalog_routes, in.method, c.path, c.params, &others);
    NEED(c.route && is_op(q, c.route->operation));
    NEED_OK(form_read(query, a, &c.query, &e), &e);
    ok = (!c.route->demand || c.route->demand(&c, &e)) && c.route->handle(&c, &e);
    NEED(!ok);
    call_discharge(&c);
    x->missing = c.missing;
    x->code = e.code;
    if (c.error_type && !strcmp(c.error_type, "NoSuchWarehouseException"))
        return HIDDEN;
    /* Refused may be 404 too, where it tells nothing. */
    return c.missing.n || (e.code == ERR_DENIED && is_rename(q)) ? REFUSED : ALLOWED;
}

/* ---- both together ---- */

static size_t tally[3];

/* Keys and lists follow from the same grants without being asked for as rights. */
static bool same_reach(const struct really *x, const struct asked *m, const struct request *q,
                       const struct caller *who)
{
    struct subject s = {.catalog = rulebook_catalog(x->book, sv_from(q->catalog)),
                        .n_levels = q->at.n,
                        .is_view = q->at.view};
    struct sv levels[LEVELS];
    unsigned access = 0;
    struct decision d;

    for (size_t i = 0; i < q->at.n; i++)
        levels[i] = sv_from(q->at.ns[i]);
    s.levels = levels;
    s.table = q->at.leaf ? sv_from(q->at.leaf) : SV("");
    rulebook_decide(x->book, who, &s, &d);
    access |= holds(m, "TABLE_READ_DATA", &q->at) ? ACCESS_READ | ACCESS_LIST : 0;
    access |= holds(m, "TABLE_WRITE_DATA", &q->at) ? ACCESS_WRITE : 0;
    access |= holds(m, "TABLE_DELETE_DATA", &q->at) ? ACCESS_DELETE : 0;
    return decision_access(&d) == access && d.max_ttl_seconds == least_ttl(m, &q->at) &&
           rulebook_sees(x->book, who, &s) ==
               (q->at.leaf ? holds(m, q->at.view ? "VIEW_*" : "TABLE_*", &q->at)
                           : any_line(m, shows, (void *)(uintptr_t)&q->at));
}

static bool lacks(const struct asked *m, const struct request *q, struct sv right, struct arena *a)
{
    if (!right.n)
        return is_rename(q) && !keys_stay_as_short(m, q);
    return !holds(m, arena_cstr(a, right), &q->at) || !holds(m, arena_cstr(a, right), &q->to);
}

static bool agree(struct really *x, struct lake *l, const struct request *q)
{
    auto_arena a = {0};
    const struct asked m = {l, catalog_called(l, sv_from(q->catalog)), sv_from(people[q->who]),
                            q->role};
    struct caller who;
    enum verdict wanted, got;

    if (!be(x, q, &who))
        return !may_be(l, &m);
    wanted = judge(&m, q, &a);
    got = ask(x, q, who, &a);
    tally[got]++;
    /* Nobody, or somebody who is told of nothing: it is one to everybody else. */
    return got == wanted && (got != REFUSED || lacks(&m, q, x->missing, &a)) &&
           (got == HIDDEN || same_reach(x, &m, q, &who));
}

static bool still_apart(struct really *x, struct lake *l, const struct request *q)
{
    bool apart;

    x->book = compile(l);
    apart = !agree(x, l, q);
    x->book = rulebook_unref(x->book);
    return apart;
}

/* Leaves out whatever the disagreement does not need. */
static void shrink(struct really *x, struct lake *l, struct request *q)
{
    for (size_t p = 0; p < q->parts; p++) {
        for (size_t i = q->n_updates[p]; i-- > 0;) {
            struct request less = *q;

            less.updates[p][i] = less.updates[p][--less.n_updates[p]];
            if (still_apart(x, l, &less))
                *q = less;
        }
    }
    for (size_t i = 0; i < l->n; i++) {
        l->gone[i] = true;
        l->gone[i] = still_apart(x, l, q);
    }
}

static void tell(struct really *x, struct lake *l, const struct request *q, uint64_t seed)
{
    static const char *const words[] = {"no such catalog", "refused", "allowed"};
    const struct asked m = {l, catalog_called(l, sv_from(q->catalog)), sv_from(people[q->who]),
                            q->role};
    auto_arena a = {0};
    struct buf target = buf_new(&a, 1024);
    struct caller who = {0};

    x->book = compile(l);
    add_template(&target, sv_from(q->path), &a, q);
    printf("\nFRONTDESK_SEED=%" PRIu64 "\n%s, role %s: %s " SV_FMT "\n" SV_FMT "\n", seed,
           people[q->who], q->role ? q->role : "(all)", q->method, SV_ARG(buf_sv(&target)),
           SV_ARG(body_of(q, &a)));
    for (size_t i = 0; i < l->n; i++) {
        if (!l->gone[i])
            printf(SV_FMT "\n", SV_ARG(l->texts[i]));
    }
    if (be(x, q, &who))
        printf("by the documents: %s; really: %s (if it is the same, keys, their limit or lists "
               "differ)\n",
               words[judge(&m, q, &a)], words[ask(x, q, who, &a)]);
    else
        printf("really: nobody of that name, or not in that role\n");
    x->book = rulebook_unref(x->book);
}

/* One set of resources and many requests; false when one disagrees, which is told. */
static bool draw(struct really *x, uint64_t seed)
{
    struct lake l;
    struct request q;
    bool same = true;

    state = seed;
    draw_lake(&l);
    x->book = compile(&l);
    for (int i = 0; same && i < DRAWS_OF_A_LAKE; i++) {
        draw_request(x->book, &l.arena, &q);
        same = agree(x, &l, &q);
    }
    x->book = rulebook_unref(x->book);
    if (!same) {
        shrink(x, &l, &q);
        tell(x, &l, &q, seed);
    }
    arena_done(&l.arena);
    return same;
}

static struct sv whole_file(const char *path, struct arena *a)
{
    struct buf text = buf_new(a, 1 << 20);
    FILE *f = fopen(path, "rb");
    int c;

    NEED(f != NULL);
    while ((c = fgetc(f)) != EOF)
        buf_addc(&text, (char)c);
    (void)fclose(f);
    return buf_sv(&text);
}

static void every_request_is_decided_as_the_documents_say(void)
{
    const uint64_t seed = from_environment("FRONTDESK_SEED", 20260101),
                   lakes = from_environment("FRONTDESK_DRAWS", DRAWS) / DRAWS_OF_A_LAKE;
    auto_arena a = {0};
    bool agree = true;
    struct really x;

    set_up(&x);
    read_documents(whole_file(SOURCE_DIR "/docs/REST.md", &a));
    for (uint64_t i = 0; i < lakes && agree; i++)
        agree = draw(&x, seed + i);
    CHECK(agree);
    printf("%zu hidden, %zu refused, %zu allowed ", tally[HIDDEN], tally[REFUSED], tally[ALLOWED]);
    /* Draws that all end the same way would prove nothing. */
    for (int v = HIDDEN; v <= ALLOWED; v++)
        CHECK(tally[v] * 20 > lakes * DRAWS_OF_A_LAKE);
    arena_done(&x.arena);
}

SUITE("catalog/rights", TEST(every_request_is_decided_as_the_documents_say))
