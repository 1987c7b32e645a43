/* test_log.c - structured lines. */
#include <unistd.h>

#include "base/log.h"
#include "unit/suite.h"

static struct sv written(char *out, size_t size, struct sv value)
{
    int ends[2];
    ssize_t n;

    if (pipe(ends) != 0)
        return (struct sv){0};
    log_set_fd(ends[1]);
    log_line(LOG_INFO, "serve", "listening", LOG_SV("address", value), LOG_I64("loops", 2));
    log_set_fd(STDERR_FILENO);
    n = read(ends[0], out, size);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return sv_of(out, n > 0 ? (size_t)n : 0);
}

static void a_line_is_one_object_with_its_fields_in_order(void)
{
    char out[8192];
    struct sv line = written(out, sizeof(out), SV("127.0.0.1:80"));

    CHECK(sv_starts(line, SV("{\"ts\":\"20")));
    CHECK(sv_ends(line, SV("\"level\":\"info\",\"logger\":\"serve\",\"msg\":\"listening\","
                           "\"address\":\"127.0.0.1:80\",\"loops\":2}\n")));
}

static void nothing_in_a_value_breaks_out_of_it(void)
{
    char out[8192];
    struct sv line = written(out, sizeof(out), SV("a\"b\\c\nd\x01"));

    CHECK(sv_contains(line, SV("\"address\":\"a\\\"b\\\\c\\u000ad\\u0001\"")));
}

static void a_line_is_utf8_whatever_a_value_holds(void)
{
    static const char cut[] = "\xe4\xb8\xad";
    char out[8192], flood[6000];
    struct sv line = written(out, sizeof(out), sv_of("a\xff\xc0\x80\0b\xe4\xb8", 8));

    CHECK(sv_contains(line, SV("\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                               "b\xef\xbf\xbd\xef\xbf\xbd\"")));
    /* Wherever the line is cut, it is not within a character. */
    for (size_t shift = 0; shift < 3; shift++) {
        for (size_t i = 0; i < sizeof(flood); i++)
            flood[i] = i < shift ? 'x' : cut[(i - shift) % 3];
        line = written(out, sizeof(out), sv_of(flood, sizeof(flood)));
        CHECK(sv_is_utf8(line));
        CHECK(sv_ends(line, SV("\"}\n")));
    }
}

static void a_flood_is_cut_and_the_line_still_ends(void)
{
    char out[8192], flood[6000];
    struct sv line;

    memset(flood, 'x', sizeof(flood));
    line = written(out, sizeof(out), sv_of(flood, sizeof(flood)));
    CHECK(line.n <= 4096);
    CHECK(sv_ends(line, SV("xxx\"}\n")));
}

SUITE("base/log", TEST(a_line_is_one_object_with_its_fields_in_order),
      TEST(nothing_in_a_value_breaks_out_of_it), TEST(a_line_is_utf8_whatever_a_value_holds),
      TEST(a_flood_is_cut_and_the_line_still_ends))
