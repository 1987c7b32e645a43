/* test_time.c - Unix milliseconds as text and back. */
#include "unit/suite.h"
#include "wire/time.h"

static const int64_t MOMENT_MS = 1795212355123; /* 2026-11-20T22:05:55.123Z */

static int64_t read(struct sv text)
{
    struct err e = {0};
    int64_t ms = INT64_MIN;

    return time_read(text, &ms, &e) ? ms : INT64_MIN;
}

static void a_moment_is_written_in_every_format(void)
{
    auto_arena a = {0};

    CHECK_SV(time_text(&a, MOMENT_MS, TIME_SECONDS), SV("2026-11-20T22:05:55Z"));
    CHECK_SV(time_text(&a, MOMENT_MS, TIME_MILLISECONDS), SV("2026-11-20T22:05:55.123Z"));
    CHECK_SV(time_text(&a, MOMENT_MS, TIME_MICROSECONDS), SV("2026-11-20T22:05:55.123000Z"));
    CHECK_SV(time_text(&a, MOMENT_MS, TIME_BASIC), SV("20261120T220555Z"));
    CHECK_SV(time_text(&a, MOMENT_MS, TIME_HTTP), SV("Fri, 20 Nov 2026 22:05:55 GMT"));
}

static void times_before_1970_have_their_date_too(void)
{
    auto_arena a = {0};

    CHECK_SV(time_text(&a, -1, TIME_MILLISECONDS), SV("1969-12-31T23:59:59.999Z"));
    CHECK_SV(time_text(&a, 0, TIME_HTTP), SV("Thu, 01 Jan 1970 00:00:00 GMT"));
    CHECK_SV(time_text(&a, -1, TIME_HTTP), SV("Wed, 31 Dec 1969 23:59:59 GMT"));
    CHECK_INT(read(SV("1969-12-31T23:59:59.999Z")), -1);
}

static void a_time_beyond_the_year_9999_is_its_end(void)
{
    auto_arena a = {0};

    CHECK_SV(time_text(&a, INT64_MAX, TIME_MILLISECONDS), SV("9999-12-31T23:59:59.999Z"));
    CHECK_SV(time_text(&a, INT64_MIN, TIME_SECONDS), SV("0000-01-01T00:00:00Z"));
}

static void days_of_four_centuries_read_back(void)
{
    const int64_t day_ms = 24 * 60 * 60 * 1000;
    auto_arena a = {0};

    for (int64_t ms = -5364662400000; ms < 7258118400000; ms += 37 * day_ms)
        CHECK_INT(read(time_text(&a, ms, TIME_SECONDS)), ms);
}

static void fractions_and_offsets_are_read(void)
{
    CHECK_INT(read(SV("2026-11-20T22:05:55Z")), MOMENT_MS - 123);
    CHECK_INT(read(SV("2026-11-20T22:05:55.1Z")), MOMENT_MS - 23);
    CHECK_INT(read(SV("2026-11-20T22:05:55.123999999Z")), MOMENT_MS);
    CHECK_INT(read(SV("2026-11-20T23:35:55.123+01:30")), MOMENT_MS);
    CHECK_INT(read(SV("2026-11-20T14:05:55.123-08:00")), MOMENT_MS);
    CHECK_INT(read(SV("2026-11-20t22:05:55.123z")), MOMENT_MS);
    CHECK_INT(read(SV("2016-12-31T23:59:60Z")), read(SV("2017-01-01T00:00:00Z")));
}

static void a_leap_day_is_there_in_leap_years_only(void)
{
    CHECK_INT(read(SV("2024-02-29T00:00:00Z")), 1709164800000);
    CHECK(read(SV("2000-02-29T00:00:00Z")) != INT64_MIN);
    CHECK_INT(read(SV("2023-02-29T00:00:00Z")), INT64_MIN);
    CHECK_INT(read(SV("1900-02-29T00:00:00Z")), INT64_MIN);
}

static void what_is_no_time_is_refused(void)
{
    static const struct sv wrong[] = {
        SV_INIT(""),
        SV_INIT("2026-11-20"),
        SV_INIT("2026-11-20T22:05:55"),
        SV_INIT("2026-11-20T22:05Z"),
        SV_INIT("2026-13-20T22:05:55Z"),
        SV_INIT("2026-00-20T22:05:55Z"),
        SV_INIT("2026-11-31T22:05:55Z"),
        SV_INIT("2026-11-00T22:05:55Z"),
        SV_INIT("2026-11-20T24:05:55Z"),
        SV_INIT("2026-11-20T22:60:55Z"),
        SV_INIT("2026-11-20T22:05:61Z"),
        SV_INIT("2026-11-20T22:05:55.Z"),
        SV_INIT("2026-11-20T22:05:55Zx"),
        SV_INIT("2026-11-20T22:05:55+24:00"),
        SV_INIT("2026-11-20T22:05:55+0100"),
        SV_INIT(" 2026-11-20T22:05:55Z"),
        SV_INIT("26-11-20T22:05:55Z"),
        SV_INIT("2026-11-20X22:05:55Z"),
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (read(wrong[i]) != INT64_MIN)
            CHECK_SV(wrong[i], SV("(refused)"));
    }
}

SUITE("wire/time", TEST(a_moment_is_written_in_every_format),
      TEST(times_before_1970_have_their_date_too), TEST(a_time_beyond_the_year_9999_is_its_end),
      TEST(days_of_four_centuries_read_back), TEST(fractions_and_offsets_are_read),
      TEST(a_leap_day_is_there_in_leap_years_only), TEST(what_is_no_time_is_refused))
