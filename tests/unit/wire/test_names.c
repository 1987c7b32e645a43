/* test_names.c - dotted names, with quotes where a level holds a dot. */
#include "unit/suite.h"
#include "unit/wire/drawn.h"
#include "wire/names.h"

/* The levels with '|' between, or "!" when it is refused. */
static struct sv read_as(const char *text, struct arena *a)
{
    struct sv_vec levels = {0};
    struct buf b = buf_new(a, 1000);
    struct err e = {0};

    if (!names_read(sv_from(text), a, &levels, &e)) {
        CHECK_INT(e.code, ERR_INVALID);
        return SV("!");
    }
    for (size_t i = 0; i < levels.n; i++)
        buf_addf(&b, "%s" SV_FMT, i ? "|" : "", SV_ARG(levels.p[i]));
    return buf_sv(&b);
}

static void a_name_is_split_at_its_dots_but_for_those_in_quotes(void)
{
    static const struct {
        const char *text, *levels;
    } all[] = {
        {"a",              "a"       },
        {"a.b.c",          "a|b|c"   },
        {"\"a.b\".c",      "a.b|c"   },
        {"a.\"b.c\"",      "a|b.c"   },
        {"a.\"b\"\"c\".d", "a|b\"c|d"},
        {"\"\"\"\"",       "\""      },
        {"a.b\"c",         "a|b\"c"  },
        {" a . b ",        " a | b " },
        {"",               "!"       },
        {".",              "!"       },
        {"a.",             "!"       },
        {".a",             "!"       },
        {"a..b",           "!"       },
        {"\"a",            "!"       },
        {"\"a\"b",         "!"       },
        {"\"\".a",         "!"       },
        {"\"a\".",         "!"       },
        {"a.\"b\"\"",      "!"       },
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        auto_arena a = {0};

        CHECK_SV(read_as(all[i].text, &a), sv_from(all[i].levels));
    }
}

static void what_is_written_reads_back_the_same(void)
{
    static const struct sv all[] = {SV_INIT("a"),    SV_INIT("a.b"),    SV_INIT("\""),
                                    SV_INIT("\"\""), SV_INIT("a\"b."),  SV_INIT("."),
                                    SV_INIT(" "),    SV_INIT("\0\"\0"), SV_INIT("\"a\"")};
    enum { N = sizeof(all) / sizeof(all[0]) };
    auto_arena a = {0};
    struct sv_vec levels = {0};
    struct err e = {0};

    NEED_OK(names_read(names_text(&a, all, N), &a, &levels, &e), &e);
    NEED(levels.n == N);
    for (size_t i = 0; i < N; i++)
        CHECK_SV(levels.p[i], all[i]);
}

static void levels_are_joined_without_quotes_for_a_catalog(void)
{
    static const struct sv levels[] = {SV_INIT("my"), SV_INIT("lake"), SV_INIT("sales")};
    auto_arena a = {0};

    CHECK_SV(names_joined(&a, levels, 2), SV("my.lake"));
    CHECK_SV(names_joined(&a, levels, 0), SV(""));
}

static void whatever_is_written_reads_back(void)
{
    state = from_environment("FRONTDESK_SEED", 9);
    for (uint64_t i = from_environment("FRONTDESK_DRAWS", 1000); i; i--) {
        auto_arena a = {0};
        struct sv all[3];
        struct sv_vec levels = {0};
        struct err e = {0};

        for (size_t k = 0; k < 3; k++)
            all[k] = ARENA_JOIN(&a, SV("."), drawn_text(&a, 6));
        NEED_OK(names_read(names_text(&a, all, 3), &a, &levels, &e), &e);
        NEED(levels.n == 3);
        for (size_t k = 0; k < 3; k++)
            CHECK_SV(levels.p[k], all[k]);
    }
}

SUITE("wire/names", TEST(a_name_is_split_at_its_dots_but_for_those_in_quotes),
      TEST(what_is_written_reads_back_the_same),
      TEST(levels_are_joined_without_quotes_for_a_catalog), TEST(whatever_is_written_reads_back))
