/* test_levels.c - namespaces as they come: in a path, in a parameter, in a body. */
#include "serve/call.h"
#include "unit/suite.h"
#include "unit/wire/drawn.h"
#include "wire/uri.h"

/* The levels joined by '|' for a catalog that advertises `separator` ("": none), or "refused". */
static struct sv levels(struct arena *a, const char *separator, bool path, struct sv text)
{
    const struct tag property = {SV("namespace-separator"), sv_from(separator)};
    const struct rule_catalog catalog = {.properties = &property, .n_properties = *separator != 0};
    struct call c = {.arena = a, .catalog = &catalog};
    struct buf b = buf_new(a, 8192);
    struct levels l;
    struct err e = {0};

    if (path ? !call_levels(&c, text, &l, &e) : !call_levels_text(&c, text, false, &l, &e))
        return e.code == ERR_INVALID ? SV("refused") : SV("?");
    for (size_t i = 0; i < l.n; i++)
        buf_addf(&b, "%s" SV_FMT, i ? "|" : "", SV_ARG(l.p[i]));
    return buf_sv(&b);
}

static void a_path_is_split_before_it_is_decoded(void)
{
    auto_arena a = {0};
    static const struct {
        struct sv raw, want;
    } rows[] = {
        {SV_INIT("a"),                  SV_INIT("a")           },
        {SV_INIT("a%1Fb%1fc"),          SV_INIT("a|b|c")       },
        {SV_INIT("a.b"),                SV_INIT("a.b")         },
        {SV_INIT("a%2Fb%1Fc+d%20e"),    SV_INIT("a/b|c d e")   },
        {SV_INIT("a%2Bb%251F"),         SV_INIT("a+b%1F")      },
        {SV_INIT("%C3%A9%1F%2E%2E%2E"), SV_INIT("\xc3\xa9|...")},
        {SV_INIT("a%1F"),               SV_INIT("refused")     },
        {SV_INIT("%1Fa"),               SV_INIT("refused")     },
        {SV_INIT("a%1F%2E%2E"),         SV_INIT("refused")     },
        {SV_INIT("a%00"),               SV_INIT("refused")     },
        {SV_INIT("a%0Ab"),              SV_INIT("refused")     },
        {SV_INIT("a%zz"),               SV_INIT("refused")     },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_SV(levels(&a, "", true, rows[i].raw), rows[i].want);
}

static void an_advertised_separator_is_taken_beside_the_old_one(void)
{
    auto_arena a = {0};

    CHECK_SV(levels(&a, "%2E", true, SV("a%2eb%2Ec")), SV("a|b|c"));
    CHECK_SV(levels(&a, "%2E", true, SV("a.b")), SV("a|b"));
    CHECK_SV(levels(&a, "%2E", true, SV("a%1Fb")), SV("a|b"));
    CHECK_SV(levels(&a, "%2E", false, SV("a.b")), SV("a|b"));
    CHECK_SV(levels(&a, "%2E", false,
                    SV("a\x1f"
                       "b")),
             SV("a|b"));
    CHECK_SV(levels(&a, "%zz", true, SV("a.b")), SV("a.b"));
}

static void a_name_that_holds_the_separator_is_refused(void)
{
    auto_arena a = {0};
    const struct tag property = {SV("namespace-separator"), SV("%2E")};
    const struct rule_catalog catalog = {.properties = &property, .n_properties = 1};
    struct call c = {.arena = &a, .catalog = &catalog};
    struct json *list;
    struct levels l;
    struct err e = {0};

    NEED_OK(json_read(SV("[\"a\",\"b.c\"]"), &a, &list, &e), &e);
    CHECK(!call_levels_json(&c, list, &l, &e));
    CHECK_INT(e.code, ERR_INVALID);
    c.catalog = NULL;
    CHECK_OK(call_levels_json(&c, list, &l, &e), &e);
    CHECK_INT(l.n, 2);
}

static void sixteen_levels_are_taken_and_one_more_is_not(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 1024);

    buf_add(&b, SV("l"));
    for (int i = 1; i < 16; i++)
        buf_add(&b, SV("%1Fl"));
    CHECK_SV(levels(&a, "", true, buf_sv(&b)), SV("l|l|l|l|l|l|l|l|l|l|l|l|l|l|l|l"));
    buf_add(&b, SV("%1Fl"));
    CHECK_SV(levels(&a, "", true, buf_sv(&b)), SV("refused"));
}

/* As every client writes a path: each level encoded, %1F between. */
static void a_namespace_written_into_a_path_is_the_same_levels(void)
{
    state = from_environment("FRONTDESK_SEED", 9);
    for (uint64_t i = from_environment("FRONTDESK_DRAWS", 1000); i; i--) {
        auto_arena a = {0};
        struct sv level = drawn_text(&a, 6), other = drawn_text(&a, 6), want, path;

        want = ARENA_JOIN(&a, level, SV("|"), other);
        path = ARENA_JOIN(&a, uri_encoded(&a, level), SV("%1F"), uri_encoded(&a, other));
        path = levels(&a, "", true, path);
        if (!sv_has_char(want, '\x1f') && !sv_eq(path, SV("refused")))
            CHECK_SV(path, want);
    }
}

SUITE("serve/levels", TEST(a_path_is_split_before_it_is_decoded),
      TEST(an_advertised_separator_is_taken_beside_the_old_one),
      TEST(a_name_that_holds_the_separator_is_refused),
      TEST(sixteen_levels_are_taken_and_one_more_is_not),
      TEST(a_namespace_written_into_a_path_is_the_same_levels))
