/* test_columns.c - columns that line up, and texts that try to speak to the terminal. */
#include "client/columns.h"
#include "unit/suite.h"

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
      TEST(no_byte_is_lost_whatever_it_grows_to), TEST(cells_stand_below_each_other),
      TEST(columns_without_heads_have_no_first_line))
