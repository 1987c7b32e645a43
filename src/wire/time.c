/*
 * time.c - Unix milliseconds as text and back.
 *
 * The calendar arithmetic counts days from 1 March, so that the leap day is a year's last. Source:
 * "chrono-Compatible Low-Level Date Algorithms" (H. Hinnant), days_from_civil and civil_from_days.
 */
#include "wire/time.h"

#include <string.h>

enum { DAY_MS = 24 * 60 * 60 * 1000, ERA_DAYS = 146097, EPOCH_DAYS = 719468 };

struct moment {
    int64_t year, day_number;
    int month, day, hour, minute, second, ms;
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t days_from_date(int64_t year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

static struct moment moment_of(int64_t ms)
{
    int64_t days = floor_div(ms, DAY_MS);
    int64_t z = days + EPOCH_DAYS;
    int64_t era = floor_div(z, ERA_DAYS);
    int64_t doe = z - era * ERA_DAYS;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int rest = (int)(ms - days * DAY_MS);
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);

    return (struct moment){
        .year = yoe + era * 400 + (month <= 2),
        .day_number = days,
        .month = month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .hour = rest / 3600000,
        .minute = rest / 60000 % 60,
        .second = rest / 1000 % 60,
        .ms = rest % 1000,
    };
}

static struct sv http_date(struct arena *a, const struct moment *m)
{
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t weekday = m->day_number - floor_div(m->day_number, 7) * 7;

    return arena_printf(a, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[weekday], m->day,
                        months[m->month - 1], (int)m->year, m->hour, m->minute, m->second);
}

/* The last digit of a number, which is taken off. */
static char take_digit(int *n)
{
    char digit = (char)('0' + *n % 10);

    *n /= 10;
    return digit;
}

/* A pattern's letters become digits, from its end: YYYY-MM-DD, hh:mm:ss, fff for milliseconds. This
 * runs for each audit record, where printing would cost more than all the rest of it. */
static struct sv fill(struct arena *a, const char *pattern, const struct moment *m)
{
    static const char letters[] = "YMDhmsf";
    int parts[] = {(int)m->year, m->month, m->day, m->hour, m->minute, m->second, m->ms};
    size_t n = strlen(pattern);
    char *text = arena_alloc(a, n + 1);

    for (size_t i = n; i-- > 0;) {
        const char *letter = strchr(letters, pattern[i]);

        text[i] = pattern[i];
        if (letter)
            text[i] = take_digit(&parts[letter - letters]);
    }
    return sv_of(text, n);
}

/* Years of four digits: the formats have no others. */
static int64_t within_formats(int64_t ms)
{
    const int64_t least = -62167219200000, most = 253402300799999;

    return ms < least ? least : ms > most ? most : ms;
}

struct sv time_text(struct arena *a, int64_t ms, enum time_format format)
{
    static const char *const patterns[] = {
        [TIME_SECONDS] = "YYYY-MM-DDThh:mm:ssZ",
        [TIME_MILLISECONDS] = "YYYY-MM-DDThh:mm:ss.fffZ",
        [TIME_MICROSECONDS] = "YYYY-MM-DDThh:mm:ss.fff000Z",
        [TIME_BASIC] = "YYYYMMDDThhmmssZ",
    };
    struct moment m = moment_of(within_formats(ms));

    return format == TIME_HTTP ? http_date(a, &m) : fill(a, patterns[format], &m);
}

/* Takes `digits` decimal digits off the front. */
static bool take_number(struct sv *text, size_t digits, int *out)
{
    int sum = 0;

    if (text->n < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (text->p[i] < '0' || text->p[i] > '9')
            return false;
        sum = sum * 10 + (text->p[i] - '0');
    }
    *text = sv_skip(*text, digits);
    *out = sum;
    return true;
}

static bool take_char(struct sv *text, char c)
{
    if (!text->n || text->p[0] != c)
        return false;
    *text = sv_skip(*text, 1);
    return true;
}

/* ".5" is 500; digits past the third are read and dropped. */
static bool take_fraction(struct sv *text, int *ms)
{
    int scale = 100, digit = 0;

    *ms = 0;
    if (!take_char(text, '.'))
        return true;
    if (!take_number(text, 1, &digit))
        return false;
    do {
        *ms += digit * scale;
        scale /= 10;
    } while (take_number(text, 1, &digit));
    return true;
}

static bool take_offset(struct sv *text, int *minutes)
{
    int sign, hour, minute;

    *minutes = 0;
    if (take_char(text, 'Z') || take_char(text, 'z'))
        return true;
    sign = take_char(text, '-') ? -1 : 1;
    if (sign > 0 && !take_char(text, '+'))
        return false;
    if (!take_number(text, 2, &hour) || !take_char(text, ':') || !take_number(text, 2, &minute))
        return false;
    *minutes = sign * (hour * 60 + minute);
    return hour < 24 && minute < 60;
}

static bool take_date(struct sv *text, struct moment *m)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year;

    if (!take_number(text, 4, &year) || !take_char(text, '-') || !take_number(text, 2, &m->month) ||
        !take_char(text, '-') || !take_number(text, 2, &m->day))
        return false;
    m->year = year;
    if (m->month < 1 || m->month > 12 || m->day < 1 || m->day > lengths[m->month - 1])
        return false;
    return m->month != 2 || m->day != 29 ||
           days_from_date(year, 3, 1) - days_from_date(year, 2, 1) == 29;
}

static bool take_clock(struct sv *text, struct moment *m)
{
    if (!take_number(text, 2, &m->hour) || !take_char(text, ':') ||
        !take_number(text, 2, &m->minute) || !take_char(text, ':') ||
        !take_number(text, 2, &m->second) || !take_fraction(text, &m->ms))
        return false;
    /* 60 is a leap second: RFC 3339 allows it, and Unix time folds it into the next minute. */
    return m->hour < 24 && m->minute < 60 && m->second <= 60;
}

bool time_read(struct sv text, int64_t *ms, struct err *e)
{
    struct sv rest = text;
    struct moment m = {0};
    int offset = 0;

    if (!take_date(&rest, &m) ||
        !(take_char(&rest, 'T') || take_char(&rest, 't') || take_char(&rest, ' ')) ||
        !take_clock(&rest, &m) || !take_offset(&rest, &offset) || rest.n)
        return err_set(e, ERR_INVALID,
                       "\"" SV_FMT "\" is no RFC 3339 time such as 2026-11-20T22:05:55Z",
                       SV_ARG(sv_first(text, 64)));
    *ms = days_from_date(m.year, m.month, m.day) * DAY_MS +
          ((m.hour * 60 + m.minute - offset) * 60 + m.second) * (int64_t)1000 + m.ms;
    return true;
}
