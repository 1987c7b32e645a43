/* test_form.c - queries and forms. */
#include "base/limits.h"
#include "unit/suite.h"
#include "unit/wire/drawn.h"
#include "wire/uri.h"

static struct pairs form(struct sv text, struct arena *a)
{
    struct pairs p = {0};
    struct err e = {0};

    CHECK_OK(form_read(text, a, &p, &e), &e);
    return p;
}

static struct sv value(const struct pairs *p, struct sv name)
{
    const struct sv *v = form_get(p, name);

    return v ? *v : SV("(absent)");
}

static void names_and_values_are_decoded(void)
{
    auto_arena a = {0};
    struct pairs p = form(SV("grant_type=client_credentials&scope=a+b%2Bc&n%61me=%C3%A4%3D"), &a);

    CHECK_INT(p.n, 3);
    CHECK_SV(value(&p, SV("grant_type")), SV("client_credentials"));
    CHECK_SV(value(&p, SV("scope")), SV("a b+c"));
    CHECK_SV(value(&p, SV("name")), SV("\xc3\xa4="));
    CHECK(form_get(&p, SV("other")) == NULL);
}

static void empty_is_not_absent(void)
{
    auto_arena a = {0};
    struct pairs p = form(SV("a&b=&&=c&d=e=f"), &a);

    CHECK_INT(p.n, 4);
    CHECK_SV(value(&p, SV("a")), SV(""));
    CHECK_SV(value(&p, SV("b")), SV(""));
    CHECK_SV(value(&p, SV("")), SV("c"));
    CHECK_SV(value(&p, SV("d")), SV("e=f"));
    CHECK_INT(form(SV(""), &a).n, 0);
}

static void the_first_of_a_repeated_name_counts(void)
{
    auto_arena a = {0};
    struct pairs p = form(SV("x=1&x=2"), &a);

    CHECK_SV(value(&p, SV("x")), SV("1"));
}

static void a_form_has_a_limit(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 1000);
    struct pairs p = {0};
    struct err e = {0};

    for (int i = 0; i < LIMIT_FORM_FIELDS; i++)
        buf_add(&b, SV("a=1&"));
    CHECK_INT(form(buf_sv(&b), &a).n, LIMIT_FORM_FIELDS);
    buf_add(&b, SV("a=1"));
    CHECK(!form_read(buf_sv(&b), &a, &p, &e));
    CHECK_INT(e.code, ERR_INVALID);
    CHECK_INT(p.n, 0);
}

static void a_bad_escape_names_its_field_and_no_value(void)
{
    auto_arena a = {0};
    struct pairs p = {0};
    struct err e = {0};

    CHECK(!form_read(SV("a=1&client_secret=hush%4"), &a, &p, &e));
    CHECK(sv_starts(sv_from(e.msg), SV("field 2 of a form: ")));
    CHECK(!sv_contains(sv_from(e.msg), SV("hush")));
    CHECK(!form_read(SV("a=%00"), &a, &p, &e));
}

static void what_is_written_reads_back_without_a_plus(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 100);
    struct pairs p = {0}, again;

    vec_push(&p, &a, ((struct pair){SV("Action"), SV("AssumeRole")}));
    vec_push(&p, &a, ((struct pair){SV("a b"), SV("{\"x\":\"+/&=\"}")}));
    form_write(&b, &p);
    CHECK_SV(buf_sv(&b), SV("Action=AssumeRole&a%20b=%7B%22x%22%3A%22%2B%2F%26%3D%22%7D"));
    again = form(buf_sv(&b), &a);
    CHECK_SV(value(&again, SV("a b")), SV("{\"x\":\"+/&=\"}"));
}

static void whatever_is_written_reads_back(void)
{
    state = from_environment("FRONTDESK_SEED", 9);
    for (uint64_t i = from_environment("FRONTDESK_DRAWS", 1000); i; i--) {
        auto_arena a = {0};
        struct pairs p = {0}, again;
        struct buf b = buf_new(&a, 100000);

        for (size_t n = below(6) + 1; n; n--)
            vec_push(&p, &a, ((struct pair){drawn_text(&a, 4), drawn_text(&a, 9)}));
        form_write(&b, &p);
        again = form(buf_sv(&b), &a);
        NEED(again.n == p.n);
        for (size_t k = 0; k < p.n; k++) {
            CHECK_SV(again.p[k].name, p.p[k].name);
            CHECK_SV(again.p[k].value, p.p[k].value);
        }
    }
}

static void a_name_that_stands_twice_is_named(void)
{
    auto_arena a = {0};
    struct pairs p = form(SV("scope=a&id=b&scope=&%69d=c"), &a);
    struct err e = {0};

    CHECK(!form_has_no_twins(&p, &e));
    CHECK(sv_starts(sv_from(e.msg), SV("scope: ")));
    form_drop_empty(&p);
    CHECK_INT(p.n, 3);
    CHECK(!form_has_no_twins(&p, &e));
    CHECK(sv_starts(sv_from(e.msg), SV("id: ")));
    p = form(SV("scope=a&Scope=b&scope=&id="), &a);
    form_drop_empty(&p);
    CHECK_INT(p.n, 2);
    CHECK(form_has_no_twins(&p, &e));
}

SUITE("wire/form", TEST(names_and_values_are_decoded), TEST(empty_is_not_absent),
      TEST(the_first_of_a_repeated_name_counts), TEST(a_form_has_a_limit),
      TEST(a_name_that_stands_twice_is_named), TEST(a_bad_escape_names_its_field_and_no_value),
      TEST(what_is_written_reads_back_without_a_plus), TEST(whatever_is_written_reads_back))
