/* test_columns.c - columns that line up, and texts that try to speak to the terminal. */
#include "client/columns.h"
#include "unit/suite.h"
#include "unit/wire/drawn.h"
#include "wire/names.h"

static void what_a_terminal_obeys_or_hides_is_written_as_an_escape(void)
{
    static const struct {
        const char *text, *shown;
    } all[] = {
        {"plain \xc3\xa4\xe6\xbc\xa2",    "plain \xc3\xa4\xe6\xbc\xa2"          },
        {"a\nb\tc\rd",                    "a\\nb\\tc\\rd"                       },
        {"back\\slash",                   "back\\\\slash"                       },
        {"\x1b]0;title\x07\x7f",          "\\x1b]0;title\\x07\\x7f"             },
        {"\xc2\x9b;m\xc2\x85",            "\\u{9b};m\\u{85}"                    },
        {"\xe2\x80\xaetxt.exe",           "\\u{202e}txt.exe"                    }, /* right to left */
        {"\xe2\x81\xa6\xd8\x9c",          "\\u{2066}\\u{61c}"                   },
        {"a\xe2\x80\x8b.\xef\xbb\xbf",    "a\\u{200b}.\\u{feff}"                }, /* of no width */
        {"\xe2\x80\xa8\xc2\xad",          "\\u{2028}\\u{ad}"                    },
        {"\xf3\xa0\x81\x81",              "\\u{e0041}"                          }, /* a tag */
        {"\xff\xc3(\xc0\x80\xed\xa0\x80", "\\xff\\xc3(\\xc0\\x80\\xed\\xa0\\x80"}, /* no UTF-8 */
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        auto_arena a = {0};

        CHECK_SV(text_escaped(&a, sv_from(all[i].text)), sv_from(all[i].shown));
    }
}

static void no_byte_is_lost_whatever_it_grows_to(void)
{
    auto_arena a = {0};
    char text[256];
    struct buf b = buf_new(&a, sizeof(text) * 4);

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)(unsigned char)i;
    text_escape(&b, sv_of(text, sizeof(text)));
    CHECK(!b.over);
    CHECK(sv_starts(buf_sv(&b), SV("\\x00\\x01")));
    CHECK(sv_ends(buf_sv(&b), SV("\\xfe\\xff")));
}

/* What a command printed names the same thing when it is given to a command. */
static void a_printed_name_is_read_as_the_same_levels(void)
{
    state = from_environment("FRONTDESK_SEED", 9);
    for (uint64_t i = from_environment("FRONTDESK_DRAWS", 2000); i; i--) {
        auto_arena a = {0};
        struct sv levels[3] = {SV("x"), SV("y"), SV("z")}, raw = SV("\xff\\x41\\u{41}\\q\\"), shown;
        struct sv_vec again = {0};
        struct err e = {0};

        for (size_t k = 0; k < 3; k++)
            levels[k] = ARENA_JOIN(&a, drawn_text(&a, 5), one_in(9) ? raw : SV("."));
        shown = text_escaped(&a, names_text(&a, levels, 3));
        NEED_OK(names_read(text_unescaped(&a, shown), &a, &again, &e), &e);
        NEED(again.n == 3);
        for (size_t k = 0; k < 3; k++)
            CHECK_SV(again.p[k], levels[k]);
    }
}

static void a_backslash_of_none_of_our_escapes_is_itself(void)
{
    auto_arena a = {0};

    CHECK_SV(text_unescaped(&a, SV("a\\b\\x4\\xZZ\\u{}\\u{110000}\\u{12")),
             SV("a\\b\\x4\\xZZ\\u{}\\u{110000}\\u{12"));
    CHECK_SV(text_unescaped(&a, SV("\\u{41}\\u{10ffff}")), SV("A\xf4\x8f\xbf\xbf"));
}

static void cells_stand_below_each_other(void)
{
    static const struct column heads[] = {
        {"NAME", false},
        {"ROWS", true },
        {"LAST", false}
    };
    auto_arena a = {0};
    struct columns c = columns_new(&a, heads, 3);
    struct buf b = buf_new(&a, 1000);
    /* Two cells wide, and a mark that stands above the letter before it. */
    static const char *const cells[] = {"longer\n",  "7", "x", "\xe6\xbc\xa2", "12345", "",
                                        "e\xcc\x81", "",  "z"};

    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
        columns_add(&c, sv_from(cells[i]));
    columns_write(&b, &c, 2);
    CHECK_SV(buf_sv(&b), SV("  NAME       ROWS  LAST\n"
                            "  longer\\n      7  x\n"
                            "  \xe6\xbc\xa2        12345\n"
                            "  e\xcc\x81                z\n"));
}

static void columns_without_heads_have_no_first_line(void)
{
    static const struct column heads[] = {
        {NULL, false},
        {NULL, false}
    };
    auto_arena a = {0};
    struct columns c = columns_new(&a, heads, 2);
    struct buf b = buf_new(&a, 1000);

    columns_add(&c, SV("key"));
    columns_add(&c, SV("value"));
    columns_write(&b, &c, 0);
    CHECK_SV(buf_sv(&b), SV("key  value\n"));
}

SUITE("client/columns", TEST(what_a_terminal_obeys_or_hides_is_written_as_an_escape),
      TEST(no_byte_is_lost_whatever_it_grows_to), TEST(a_printed_name_is_read_as_the_same_levels),
      TEST(a_backslash_of_none_of_our_escapes_is_itself), TEST(cells_stand_below_each_other),
      TEST(columns_without_heads_have_no_first_line))
