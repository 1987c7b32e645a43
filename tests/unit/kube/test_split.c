/* test_split.c - a stream of bytes to lines. */
#include "kube/split.h"
#include "unit/suite.h"

struct lines {
    char text[256];
    size_t n;
    int count, stop_after;
};

static bool note(struct sv line, void *context)
{
    struct lines *l = context;

    l->n += (size_t)snprintf(l->text + l->n, sizeof(l->text) - l->n, "[" SV_FMT "]", SV_ARG(line));
    return ++l->count != l->stop_after;
}

static void two_lines_in_one_piece_are_two(void)
{
    struct split s;
    struct lines l = {0};
    struct err e = {0};

    split_init(&s, 100);
    CHECK(split_feed(&s, SV("one\ntwo\r\n\n\r\nthr"), note, &l, &e));
    CHECK_SV(sv_from(l.text), SV("[one][two]"));
    CHECK(split_feed(&s, SV("ee\n"), note, &l, &e));
    CHECK_SV(sv_from(l.text), SV("[one][two][three]"));
    split_done(&s);
}

static void a_byte_at_a_time_gives_the_same_lines(void)
{
    struct sv text = SV("{\"a\":\"\xc3\xa4\"}\r\nb\n\nccc\nrest");
    struct split s;
    struct lines l = {0};
    struct err e = {0};

    split_init(&s, 100);
    for (size_t i = 0; i < text.n; i++)
        CHECK(split_feed(&s, sv_of(text.p + i, 1), note, &l, &e));
    CHECK_SV(sv_from(l.text), SV("[{\"a\":\"\xc3\xa4\"}][b][ccc]"));
    split_done(&s);
}

static void every_cut_in_two_gives_the_same_lines(void)
{
    struct sv text = SV("one\r\ntwo\n");

    for (size_t i = 0; i <= text.n; i++) {
        struct split s;
        struct lines l = {0};
        struct err e = {0};

        split_init(&s, 100);
        CHECK(split_feed(&s, sv_first(text, i), note, &l, &e));
        CHECK(split_feed(&s, sv_skip(text, i), note, &l, &e));
        CHECK_SV(sv_from(l.text), SV("[one][two]"));
        split_done(&s);
    }
}

static void a_line_of_the_limit_passes_and_one_byte_more_is_refused(void)
{
    struct split s;
    struct lines l = {0};
    struct err e = {0};

    split_init(&s, 4);
    CHECK(split_feed(&s, SV("1234\n12"), note, &l, &e));
    CHECK(split_feed(&s, SV("34\n"), note, &l, &e));
    CHECK_SV(sv_from(l.text), SV("[1234][1234]"));
    CHECK(!split_feed(&s, SV("12345\n"), note, &l, &e));
    CHECK_INT(e.code, ERR_INVALID);
    split_reset(&s);
    CHECK(split_feed(&s, SV("123"), note, &l, &e));
    CHECK(!split_feed(&s, SV("45"), note, &l, &e));
    split_done(&s);
}

static void a_listener_that_had_enough_gets_no_more(void)
{
    struct split s;
    struct lines l = {.stop_after = 1};
    struct err e = {0};

    split_init(&s, 100);
    CHECK(!split_feed(&s, SV("one\ntwo\n"), note, &l, &e));
    CHECK_INT(e.code, ERR_NONE);
    CHECK_SV(sv_from(l.text), SV("[one]"));
    split_done(&s);
}

static void a_reset_forgets_the_tail(void)
{
    struct split s;
    struct lines l = {0};
    struct err e = {0};

    split_init(&s, 100);
    CHECK(split_feed(&s, SV("half an ev"), note, &l, &e));
    split_reset(&s);
    CHECK(split_feed(&s, SV("whole\n"), note, &l, &e));
    CHECK_SV(sv_from(l.text), SV("[whole]"));
    split_done(&s);
}

static bool measure(struct sv line, void *context)
{
    *(size_t *)context = line.n;
    return true;
}

static void memory_of_a_long_line_is_given_back(void)
{
    static char text[3000];
    struct split s;
    struct err e = {0};
    size_t n = 0;

    split_init(&s, 4 * 1024 * 1024);
    memset(text, 'x', sizeof(text));
    for (int i = 0; i < 1000; i++)
        NEED(split_feed(&s, sv_of(text, sizeof(text)), measure, &n, &e));
    CHECK(split_feed(&s, SV("\n"), measure, &n, &e));
    CHECK_INT(n, 3000 * 1000);
    CHECK_INT(s.own.used_bytes, 0);
    split_done(&s);
}

SUITE("kube/split", TEST(two_lines_in_one_piece_are_two),
      TEST(a_byte_at_a_time_gives_the_same_lines), TEST(every_cut_in_two_gives_the_same_lines),
      TEST(a_line_of_the_limit_passes_and_one_byte_more_is_refused),
      TEST(a_listener_that_had_enough_gets_no_more), TEST(a_reset_forgets_the_tail),
      TEST(memory_of_a_long_line_is_given_back))
