/* test_copy.c - a store moved to another database: all of it, or nothing. */
#include "store/sql.h"
#include "unit/store/place.h"

/* A database of SQLite, and one of what the tests run on. */
struct two {
    struct place sqlite, any;
};

static void open_empty(struct place *p)
{
    NEED_OK(store_open(p->url, &p->arena, &p->store, &p->e), &p->e);
}

static void open_two(struct two *t2)
{
    make_sqlite(&t2->sqlite);
    open_empty(&t2->sqlite);
    make_folder(&t2->any);
    open_empty(&t2->any);
}

static void close_two(struct two *t2)
{
    close_place(&t2->sqlite);
    close_place(&t2->any);
}

/* Something of everything, and what is hard to carry: quotes, other alphabets, separators. */
static const struct table_name a_view = {SV_INIT("l/c"), SV_INIT("sales"), SV_INIT("view")};

static void fill_view(struct place *p)
{
    struct table_row row = {SV("u"), SV("s3://b/v.json"), SV("s3://b/view/"), {0}, SV("ab")};
    struct table_change c = {.row = &row, .principal = SV("l/etl")};

    NEED_OK(store_view_create(p->store, &a_view, &c, &p->arena, &p->e), &p->e);
}

static const struct answer an_answer = {.principal = SV_INIT("l/etl"),
                                        .key = SV_INIT("k"),
                                        .request = SV_INIT("digest"),
                                        .attempt = SV_INIT("first"),
                                        .body = SV_INIT("{}"),
                                        .metadata_sha256 = SV_INIT("cd"),
                                        .status = 409,
                                        .made_ms = 7};

static void fill_answer(struct place *p)
{
    struct answer a = an_answer;

    NEED_OK(store_answer_put(p->store, &a, &p->e), &p->e);
}

static void fill_trail(struct place *p)
{
    const struct trail_page page = {SV("m"), 1, 2, 1, SV("{\"reason\":\"'?\"}\n")};

    NEED_OK(store_trail_put(p->store, &page, &p->e), &p->e);
}

/* A client that was answered by the old one and comes again to the new one is answered alike. */
static void check_answer(struct place *p)
{
    struct answer a = {.principal = an_answer.principal, .key = an_answer.key};

    NEED_OK(store_answer_get(p->store, 8, &p->arena, &a, &p->e), &p->e);
    CHECK_SV(a.attempt, an_answer.attempt);
    CHECK_INT(a.status, an_answer.status);
    CHECK_INT(a.made_ms, an_answer.made_ms);
    CHECK_SV(a.metadata_sha256, an_answer.metadata_sha256);
}

static void fill(struct place *p)
{
    const struct ns_name below = {sales.catalog, SV("sales\x1f"
                                                    "\xc3\xa9t\xc3\xa9")};
    struct sv overlap;

    NEED_OK(store_namespace_create(p->store, &sales, SV("{\"k\":\"'\\u0000\\\"\"}"), &p->e), &p->e);
    NEED_OK(store_namespace_create(p->store, &below, SV("{}"), &p->e), &p->e);
    for (int i = 0; i < 300; i++)
        NEED(create(p, arena_printf(&p->arena, "B'%d", i).p,
                    arena_printf(&p->arena, "s3://b/%d/", i).p,
                    i % 3 ? NULL : arena_printf(&p->arena, "s3://b/x%d/", i).p,
                    &overlap) == ERR_NONE);
    fill_view(p);
    fill_answer(p);
    fill_trail(p);
    NEED(create(p, "gone", "s3://b/gone/", "s3://b/gone-too/", &overlap) == ERR_NONE);
    NEED(create(p, "purged", "s3://b/purged/", NULL, &overlap) == ERR_NONE);
    NEED_OK(drop(p, "gone", 1000, false) && drop(p, "purged", 1000, true), &p->e);
    NEED(stage(p, "l/etl", "s3://b/staged/", "u1", 0, NULL) == ERR_NONE);
    NEED(stage(p, "l/etl", "s3://b/other/", "u2", 5, NULL) == ERR_NONE);
}

static const int64_t filled[STORE_KINDS] = {2, 301, 401, 2, 2, 1, 2, 3, 1, 1};

static void check_copied(struct place *from, struct place *to)
{
    struct store_copied copied = {0};
    struct sv overlap, uuid = {0};
    struct table_row row = {0};
    const struct purge_lease me = {.holder = SV("me"), .until_ms = 1};
    struct purge_row purge;

    NEED_OK(store_copy(from->store, to->store, &copied, &to->e), &to->e);
    for (int i = 0; i < STORE_KINDS; i++)
        CHECK_INT(copied.rows[i], filled[i]);
    CHECK_OK(store_view_get(to->store, &a_view, &to->arena, &row, &to->e), &to->e);
    CHECK_SV(row.metadata_sha256, SV("ab"));
    CHECK(!store_table_get(to->store, &a_view, &to->arena, &row, &to->e));
    check_answer(to);
    CHECK_INT(create(to, "x", "s3://b/x297/", NULL, &overlap), ERR_CONFLICT);
    CHECK_SV(overlap, SV("l/c/sales.B'297"));
    CHECK_INT(create(to, "x", "s3://b/other/x/", NULL, &overlap), ERR_CONFLICT);
    CHECK_INT(stage(to, "l/etl", "s3://b/staged/", "u3", 10, &uuid), ERR_NONE);
    CHECK_SV(uuid, SV("u1"));
    CHECK_INT(create(to, "x", "s3://b/x/", NULL, &overlap), ERR_NONE);
    NEED_OK(drop(to, "x", 0, false), &to->e);
    CHECK_INT(create(to, "x", "s3://b/gone/", NULL, &overlap), ERR_CONFLICT);
    CHECK_SV(overlap, SV("l/c/sales.gone"));
    NEED_OK(store_purge_take(to->store, &me, &to->arena, &purge, &to->e), &to->e);
    CHECK_SV(purge.table.name, SV("purged"));
    CHECK_SV(purge.request, SV("request"));
}

static void what_is_copied_is_there_and_guarded_as_before(void)
{
    struct two t2 = {0};

    open_two(&t2);
    fill(&t2.sqlite);
    check_copied(&t2.sqlite, &t2.any);
    close_two(&t2);
}

static void it_can_be_copied_back(void)
{
    struct two t2 = {0};

    open_two(&t2);
    fill(&t2.any);
    check_copied(&t2.any, &t2.sqlite);
    close_two(&t2);
}

static int64_t count(struct place *p, const char *text)
{
    struct sql q;
    int64_t n = -1;

    NEED_OK(sql_begin(p->store, text, &q, &p->e) && sql_insert(&q, &n, &p->e), &p->e);
    return n;
}

/* More than is read at once, and just as much. */
static void a_long_trail_is_copied_to_its_last_page(void)
{
    static const int lengths[] = {15, 16, 17, 32, 40};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct two t2 = {0};
        struct store_copied copied = {0};

        open_two(&t2);
        for (int k = 0; k < lengths[i]; k++) {
            struct sv mark = arena_printf(&t2.any.arena, "%02d", k);

            NEED_OK(store_trail_put(t2.any.store, &(struct trail_page){mark, k, k, 1, SV("{}\n")},
                                    &t2.any.e),
                    &t2.any.e);
        }
        CHECK_OK(store_copy(t2.any.store, t2.sqlite.store, &copied, &t2.any.e), &t2.any.e);
        CHECK_INT(copied.rows[STORE_KINDS - 1], lengths[i]);
        CHECK_INT(count(&t2.sqlite, "SELECT count(*) FROM audit"), lengths[i]);
        close_two(&t2);
    }
}

static void a_store_that_holds_something_is_not_copied_into(void)
{
    struct two t2 = {0};
    struct store_copied copied = {0};

    open_two(&t2);
    fill(&t2.sqlite);
    NEED_OK(store_namespace_create(t2.any.store, &sales, SV("{}"), &t2.any.e), &t2.any.e);
    CHECK(!store_copy(t2.sqlite.store, t2.any.store, &copied, &t2.any.e));
    CHECK_INT(t2.any.e.code, ERR_CONFLICT);
    CHECK_INT(count(&t2.any, "SELECT count(*) FROM namespaces"), 1);
    CHECK_INT(count(&t2.any, "SELECT count(*) FROM tables"), 0);
    close_two(&t2);
}

static void a_store_that_holds_nothing_is_no_source(void)
{
    struct two t2 = {0};
    struct store_copied copied = {0};

    open_two(&t2);
    CHECK(!store_copy(t2.sqlite.store, t2.any.store, &copied, &t2.any.e));
    CHECK_INT(t2.any.e.code, ERR_NOT_FOUND);
    close_two(&t2);
}

/* Whatever comes in last is changed on its way. */
static void spoil(struct two *t2)
{
    NEED_OK(sql_run(t2->sqlite.store,
                    "CREATE TRIGGER spoil AFTER INSERT ON tables WHEN NEW.name = 'B''299' BEGIN"
                    " UPDATE tables SET uuid = 'v' WHERE id = NEW.id; END",
                    NULL, 0, &t2->sqlite.e),
            &t2->sqlite.e);
}

static void a_copy_that_differs_in_one_value_is_given_up(void)
{
    struct two t2 = {0};
    struct store_copied copied = {0};

    open_two(&t2);
    fill(&t2.any);
    spoil(&t2);
    CHECK(!store_copy(t2.any.store, t2.sqlite.store, &copied, &t2.any.e));
    CHECK_SV(sv_from(t2.any.e.msg), SV("copy: the tables differ at row 223"));
    CHECK_INT(count(&t2.sqlite, "SELECT count(*) FROM namespaces"), 0);
    close_two(&t2);
}

/* A table or a column that is new must be copied as well: say so in copy.c, and here. */
static void every_table_and_column_is_copied(void)
{
    static const struct {
        const char *columns;
        int64_t n;
    } known[] = {
        {"SELECT count(*) FROM pragma_table_info('namespaces')", 4 },
        {"SELECT count(*) FROM pragma_table_info('tables')",     9 },
        {"SELECT count(*) FROM pragma_table_info('folders')",    5 },
        {"SELECT count(*) FROM pragma_table_info('staged')",     8 },
        {"SELECT count(*) FROM pragma_table_info('dropped')",    13},
        {"SELECT count(*) FROM pragma_table_info('purges')",     8 },
        {"SELECT count(*) FROM pragma_table_info('answers')",    10},
        {"SELECT count(*) FROM pragma_table_info('audit')",      5 },
    };
    struct place p = {0};

    make_sqlite(&p);
    open_empty(&p);
    CHECK_INT(count(&p, "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
                        " AND name NOT LIKE 'sqlite_%'"),
              sizeof(known) / sizeof(known[0]));
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        CHECK_INT(count(&p, known[i].columns), known[i].n);
    close_place(&p);
}

SUITE("store/copy", TEST(what_is_copied_is_there_and_guarded_as_before),
      TEST(it_can_be_copied_back), TEST(a_long_trail_is_copied_to_its_last_page),
      TEST(a_store_that_holds_something_is_not_copied_into),
      TEST(a_store_that_holds_nothing_is_no_source),
      TEST(a_copy_that_differs_in_one_value_is_given_up), TEST(every_table_and_column_is_copied))
