/* test_postgres.c - what only a server does: it says no in many ways, and ends.
 */
#include <pthread.h>

#include "store/keeper.h"
#include "store/postgres_link.h"
#include "store/schema.h"
#include "store/sql.h"
#include "unit/store/place.h"

/* ---- what its codes mean ---- */

/* In the place's schema. */
static void in_place(struct place *p, const char *text)
{
    on_server(arena_printf(&p->arena, "SET search_path = \"%s\"; %s", p->folder, text).p);
}

/* From now on a namespace called `code` is refused with it, `times` times. */
static void refuse_with(struct place *p, const char *code, int times)
{
    on_server(
        arena_printf(&p->arena,
                     "SET client_min_messages = error; SET search_path = \"%s\";"
                     " CREATE SEQUENCE tries; CREATE FUNCTION refuse() RETURNS trigger AS $$"
                     " BEGIN IF nextval('%s.tries') <= %d THEN"
                     " RAISE EXCEPTION 'because' USING ERRCODE = '%s'; END IF; RETURN NEW; END"
                     " $$ LANGUAGE plpgsql;"
                     " CREATE TRIGGER refuse BEFORE INSERT ON namespaces FOR EACH ROW"
                     " EXECUTE FUNCTION refuse()",
                     p->folder, arena_printf(&p->arena, "\"%s\"", p->folder).p, times, code)
            .p);
}

static enum err_code make_namespace(struct place *p, const char *name)
{
    const struct ns_name n = {sales.catalog, sv_from(name)};

    return store_namespace_create(p->store, &n, SV("{}"), &p->e) ? ERR_NONE : p->e.code;
}

static void a_refusal_says_whether_it_may_be_tried_again(void)
{
    static const struct {
        const char *state;
        enum err_code code;
    } all[] = {
        {"53100", ERR_UNAVAILABLE}, /* disk full */
        {"53300", ERR_UNAVAILABLE}, /* too many connections */
        {"25006", ERR_UNAVAILABLE}, /* read-only */
        {"57014", ERR_UNAVAILABLE}, /* statement_timeout */
        {"55P03", ERR_UNAVAILABLE}, /* lock_timeout */
        {"42501", ERR_UNAVAILABLE}, /* no right */
        {"23505", ERR_CONFLICT   }, /* not unique */
        {"22021", ERR_INVALID    }, /* not UTF-8 */
        {"54000", ERR_INVALID    }, /* too long for an index */
        {"42P01", ERR_INTERNAL   }, /* no such table */
        {"XX000", ERR_INTERNAL   },
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct place p = {0};

        open_place(&p);
        refuse_with(&p, all[i].state, 1);
        CHECK_INT(make_namespace(&p, "n"), all[i].code);
        CHECK_INT(make_namespace(&p, "n"), ERR_NONE);
        close_place(&p);
    }
}

/* Else it would not wait for its turn, and its outcome could be unknown to nobody's notice. */
static void a_write_outside_a_transaction_is_refused(void)
{
    struct place p = {0};
    struct sv found;

    open_place(&p);
    CHECK(!sql_run(p.store, "DELETE FROM namespaces", NULL, 0, &p.e));
    CHECK(sv_contains(sv_from(p.e.msg), SV("read-only")));
    CHECK_OK(store_namespace_get(p.store, &sales, &p.arena, &found, &p.e), &p.e);
    close_place(&p);
}

static void a_reason_is_told_without_the_values_of_rows(void)
{
    struct place p = {0};

    open_place(&p);
    refuse_with(&p, "53100", 1);
    CHECK_INT(make_namespace(&p, "hidden"), ERR_UNAVAILABLE);
    CHECK_SV(sv_from(p.e.msg), SV("the catalog's database cannot be used now: because"));
    close_place(&p);
}

static void what_the_server_rolled_back_for_another_is_tried_again_and_not_for_ever(void)
{
    static const char *const states[] = {"40001", "40P01"};

    for (size_t i = 0; i < 2; i++) {
        struct place few = {0}, many = {0};

        open_place(&few);
        refuse_with(&few, states[i], 3);
        CHECK_INT(make_namespace(&few, "n"), ERR_NONE);
        close_place(&few);
        open_place(&many);
        refuse_with(&many, states[i], 1000);
        CHECK_INT(make_namespace(&many, "n"), ERR_UNAVAILABLE);
        close_place(&many);
    }
}

static void a_name_too_long_for_an_index_is_the_callers_fault(void)
{
    struct place p = {0};
    char *text = arena_alloc(&p.arena, 8000);
    uint32_t x = 1;

    /* What does not compress. */
    for (size_t i = 0; i < 7999; i++)
        text[i] = (char)('a' + ((x = x * 1664525U + 1013904223U) >> 24) % 26);
    open_place(&p);
    CHECK_INT(make_namespace(&p, text), ERR_INVALID);
    close_place(&p);
}

/* ---- connections that end ---- */

/* The server ends every connection of this place. */
static void end_connections(struct place *p)
{
    on_server(
        arena_printf(&p->arena,
                     "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> "
                     "pg_backend_pid() AND application_name = 'fd %s'",
                     p->folder)
            .p);
}

/* Opens the place with a name that its connections are found by. */
static void open_named(struct place *p)
{
    make_folder(p);
    p->url =
        arena_printf(&p->arena, SV_FMT "&application_name=fd%%20%s", SV_ARG(p->url), p->folder);
    NEED_OK(store_open(p->url, &p->arena, &p->store, &p->e), &p->e);
    NEED_OK(store_namespace_create(p->store, &sales, SV("{}"), &p->e), &p->e);
}

/* Whatever the URL or the environment says: what we send is UTF-8. */
static void text_is_utf8_whatever_the_client_is_set_to(void)
{
    const struct ns_name n = {sales.catalog, SV("\xc3\xa9t\xc3\xa9")};
    struct place p = {0};
    struct sv_vec found = {0};

    make_folder(&p);
    p.url = arena_printf(&p.arena, SV_FMT "&client_encoding=LATIN1", SV_ARG(p.url));
    NEED_OK(store_open(p.url, &p.arena, &p.store, &p.e), &p.e);
    NEED_OK(store_namespace_create(p.store, &n, SV("{}"), &p.e), &p.e);
    NEED_OK(store_namespace_list(p.store, &(struct ns_name){sales.catalog, {0}}, &(struct page){0},
                                 &p.arena, &found, &p.e),
            &p.e);
    CHECK_INT(found.n, 1);
    CHECK_SV(found.p[0], n.ns);
    in_place(&p, "SELECT 1 / (octet_length(ns) = 5)::int FROM namespaces");
    close_place(&p);
}

static void a_connection_that_ended_while_idle_is_made_again(void)
{
    struct place p = {0};
    struct sv found = {0}, overlap;

    open_named(&p);
    NEED(create(&p, "t", "s3://b/t/", NULL, &overlap) == ERR_NONE);
    end_connections(&p);
    CHECK_OK(store_namespace_get(p.store, &sales, &p.arena, &found, &p.e), &p.e);
    end_connections(&p);
    CHECK_INT(create(&p, "u", "s3://b/u/", NULL, &overlap), ERR_NONE);
    close_place(&p);
}

/* A change of properties in the middle of which the connection ends. */
static bool end_in_the_middle(struct sv before, UNUSED struct arena *a, struct sv *after,
                              void *context, UNUSED struct err *e)
{
    end_connections(context);
    *after = before;
    return true;
}

static void a_connection_that_ends_in_a_transaction_has_changed_nothing(void)
{
    struct place p = {0};

    open_named(&p);
    CHECK(!store_namespace_update(p.store, &sales, end_in_the_middle, &p, &p.arena, &p.e));
    CHECK_INT(p.e.code, ERR_UNAVAILABLE);
    CHECK_INT(make_namespace(&p, "after"), ERR_NONE);
    close_place(&p);
}

static void a_server_that_is_not_there_is_told_without_its_address(void)
{
    auto_arena a = {0};
    struct store *s;
    struct err e = {0};

    NEED_OK(store_open(SV("postgresql://somebody@127.0.0.1:1/d"), &a, &s, &e), &e);
    CHECK(!store_check(s, &e));
    CHECK_INT(e.code, ERR_UNAVAILABLE);
    CHECK_SV(sv_from(e.msg), SV("the catalog's database cannot be reached: Connection refused"));
    CHECK(!store_namespace_create(s, &sales, SV("{}"), &e));
    CHECK_INT(e.code, ERR_UNAVAILABLE);
}

/* ---- the tables' version ---- */

enum { AT_ONCE = 6 };

static void *open_one(void *argument)
{
    struct arena a = {0};
    struct store *s;
    struct err e = {0};
    const struct place *p = argument;
    bool ok = store_open(p->url, &a, &s, &e) && store_check(s, &e);

    if (!ok)
        (void)fprintf(stderr, "%s\n", e.msg);
    arena_done(&a);
    return ok ? argument : NULL;
}

static void programs_that_start_at_once_make_the_tables_once(void)
{
    for (int round = 0; round < 5; round++) {
        struct place p = {0};
        pthread_t threads[AT_ONCE];
        void *ok;

        make_folder(&p);
        for (int i = 0; i < AT_ONCE; i++)
            NEED(pthread_create(&threads[i], NULL, open_one, &p) == 0);
        for (int i = 0; i < AT_ONCE; i++) {
            CHECK(pthread_join(threads[i], &ok) == 0 && ok);
        }
        CHECK_INT(p.e.code, ERR_NONE);
        close_place(&p);
    }
}

static void tables_of_a_newer_program_are_read_and_not_written(void)
{
    struct place p = {0};
    struct arena other = {0};
    struct store *s;
    struct sv found;

    open_place(&p);
    in_place(&p, "UPDATE frontdesk SET version = 99");
    CHECK_OK(store_namespace_get(p.store, &sales, &p.arena, &found, &p.e), &p.e);
    CHECK_INT(make_namespace(&p, "n"), ERR_UNAVAILABLE);
    NEED_OK(store_open(p.url, &other, &s, &p.e), &p.e);
    CHECK(!store_check(s, &p.e));
    CHECK_INT(p.e.code, ERR_INVALID);
    CHECK(sv_contains(sv_from(p.e.msg), SV("of version 99, newer than this program's")));
    /* Whoever asks for something is not at fault. */
    CHECK(!store_namespace_get(s, &sales, &other, &found, &p.e));
    CHECK_INT(p.e.code, ERR_UNAVAILABLE);
    arena_done(&other);
    close_place(&p);
}

/* As a server leaves it that makes each table in a transaction of its own, and a program that was
 * killed in between. */
static void a_version_that_was_made_by_half_is_gone_through_again(void)
{
    struct place p = {0};
    struct sv found;

    open_place(&p);
    NEED(make_namespace(&p, "kept") == ERR_NONE);
    for (int made = 0; made < SCHEMA_VERSIONS; made++) {
        const struct ns_name kept = {sales.catalog, SV("kept")};
        struct arena other = {0};
        struct store *s;

        in_place(&p, arena_printf(&p.arena, "UPDATE frontdesk SET version = %d", made).p);
        NEED_OK(store_open(p.url, &other, &s, &p.e), &p.e);
        CHECK_OK(store_check(s, &p.e), &p.e);
        CHECK_OK(store_namespace_get(s, &kept, &other, &found, &p.e), &p.e);
        arena_done(&other);
    }
    in_place(&p, arena_printf(&p.arena,
                              "SELECT 1 / (SELECT count(*) FROM frontdesk WHERE version = %d)",
                              SCHEMA_VERSIONS)
                     .p);
    close_place(&p);
}

static void a_database_that_allows_no_tables_is_told(void)
{
    struct place p = {0};
    struct store *s;

    make_folder(&p);
    p.url = arena_printf(&p.arena, "%s&options=-csearch_path%%3Dpg_catalog", server_url());
    NEED_OK(store_open(p.url, &p.arena, &s, &p.e), &p.e);
    CHECK(!store_check(s, &p.e));
    CHECK_INT(p.e.code, ERR_UNAVAILABLE);
    CHECK(sv_contains(sv_from(p.e.msg), SV("permission denied")));
    close_place(&p);
}

/* ---- the URL ---- */

static void a_url_with_a_password_is_refused_and_not_repeated(void)
{
    static const char *const urls[] = {
        "postgresql://fd:hunter2@h/d",          "postgres://fd:hunter2@h/d",
        "postgresql://fd@h/d?password=hunter2", "postgresql://h/d?user=fd&sslpassword=hunter2",
        "postgresql://fd:hunter2/x@h/d",        "postgresql://fd:hun%zzter2@h/d",
        "postgresql://fd:hunter2@a,b:1/d?x=y",  "postgresql://fd@h/d?%70assword=hunter2",
        "postgresq://fd:hunter2@h/d",           "postgresql:/fd:hunter2@h/d",
    };

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        auto_arena a = {0};
        struct store *s;
        struct err e = {0};

        CHECK(!store_open(sv_from(urls[i]), &a, &s, &e));
        CHECK_INT(e.code, ERR_INVALID);
        CHECK(!sv_contains(sv_from(e.msg), SV("hun")));
    }
}

static void a_url_without_a_password_is_taken(void)
{
    static const char *const urls[] = {"postgresql://", "postgresql://fd@h:5432/d",
                                       "postgresql://a:1,b:2/d?target_session_attrs=read-write",
                                       "postgresql://fd@/d?host=/run/x&passfile=/run/secrets/pg"};

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        auto_arena a = {0};
        struct err e = {0};

        CHECK_OK(link_url_is_fit(sv_from(urls[i]), &a, &e), &e);
    }
}

static void the_words_of_one_database_become_those_of_the_other(void)
{
    auto_arena a = {0};

    CHECK_SV(
        sv_from(schema_words("CREATE TABLE x (id INTEGER PRIMARY KEY, n INTEGER, t TEXT NOT"
                             " NULL) WITHOUT ROWID;",
                             " COLLATE \"C\"", &a)),
        SV("CREATE TABLE IF NOT EXISTS x (id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, n BIGINT,"
           " t TEXT COLLATE \"C\" NOT NULL);"));
    CHECK_SV(sv_from(schema_words("ALTER TABLE x ADD COLUMN y INTEGER; CREATE INDEX i ON x (y);",
                                  "", &a)),
             SV("ALTER TABLE x ADD COLUMN IF NOT EXISTS y BIGINT; CREATE INDEX IF NOT EXISTS i ON x"
                " (y);"));
}

SUITE("store/postgres", TEST(a_refusal_says_whether_it_may_be_tried_again),
      TEST(a_write_outside_a_transaction_is_refused),
      TEST(a_reason_is_told_without_the_values_of_rows),
      TEST(what_the_server_rolled_back_for_another_is_tried_again_and_not_for_ever),
      TEST(a_name_too_long_for_an_index_is_the_callers_fault),
      TEST(text_is_utf8_whatever_the_client_is_set_to),
      TEST(a_connection_that_ended_while_idle_is_made_again),
      TEST(a_connection_that_ends_in_a_transaction_has_changed_nothing),
      TEST(a_server_that_is_not_there_is_told_without_its_address),
      TEST(programs_that_start_at_once_make_the_tables_once),
      TEST(tables_of_a_newer_program_are_read_and_not_written),
      TEST(a_version_that_was_made_by_half_is_gone_through_again),
      TEST(a_database_that_allows_no_tables_is_told),
      TEST(a_url_with_a_password_is_refused_and_not_repeated),
      TEST(a_url_without_a_password_is_taken),
      TEST(the_words_of_one_database_become_those_of_the_other))
