/* json_scan.c - the grammar of RFC 8259, in one pass and without a tree. */
#include "wire/json_scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* The longest decimal fraction of a double that says something has under 800 digits. */
enum { NUMBER_BYTES = 1024 };

struct scan {
    struct sv text;
    size_t at;
    size_t members;
    int depth;
    char open[LIMIT_JSON_DEPTH]; /* '{' or '[' of every level */
    struct err *e;
};

static bool refuse(struct scan *s, const char *why)
{
    return err_set(s->e, ERR_INVALID, "JSON at byte %zu: %s", s->at, why);
}

static char peek(const struct scan *s)
{
    if (s->at >= s->text.n)
        return '\0';
    return s->text.p[s->at];
}

static bool take(struct scan *s, char c)
{
    if (s->at >= s->text.n || s->text.p[s->at] != c)
        return false;
    s->at++;
    return true;
}

static void skip_blanks(struct scan *s)
{
    while (s->at < s->text.n && strchr(" \t\r\n", s->text.p[s->at]) && s->text.p[s->at])
        s->at++;
}

/* Length of the UTF-8 character at `at`, shortest form and no surrogate; 0 when it is none. */
static size_t utf8_length(struct sv v, size_t at)
{
    const unsigned char *p = (const unsigned char *)v.p + at;
    size_t left = v.n - at;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

    if (p[0] < 0xc2 || p[0] > 0xf4 || left < n)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

/* The four digits of \uXXXX, or -1. */
static int take_unit(struct scan *s)
{
    int unit = 0;

    for (int i = 0; i < 4; i++) {
        char c = peek(s);
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
        s->at++;
    }
    return unit;
}

static bool scan_unicode_escape(struct scan *s)
{
    int unit = take_unit(s);
    int low;

    if (unit < 0)
        return refuse(s, "\\u needs four hex digits");
    if (unit == 0)
        return refuse(s, "a string must not hold a NUL");
    if (unit < 0xd800 || unit > 0xdfff)
        return true;
    low = unit < 0xdc00 && take(s, '\\') && take(s, 'u') ? take_unit(s) : -1;
    return (low >= 0xdc00 && low <= 0xdfff) || refuse(s, "half a surrogate pair");
}

static bool scan_escape(struct scan *s)
{
    char c = peek(s);

    s->at++;
    if (c == 'u')
        return scan_unicode_escape(s);
    return (c && strchr("\"\\/bfnrt", c)) || refuse(s, "unknown escape in a string");
}

static bool scan_string(struct scan *s)
{
    if (!take(s, '"'))
        return refuse(s, "expected a string in double quotes");
    while (s->at < s->text.n) {
        unsigned char c = (unsigned char)s->text.p[s->at];
        size_t n = c < 0x80 ? 1 : utf8_length(s->text, s->at);

        if (c < 0x20)
            return refuse(s, "control byte in a string");
        if (n == 0)
            return refuse(s, "not UTF-8");
        s->at += n;
        if (c == '"')
            return true;
        if (c == '\\' && !scan_escape(s))
            return false;
    }
    return refuse(s, "a string does not end");
}

static size_t skip_digits(struct scan *s)
{
    size_t from = s->at;

    while (peek(s) >= '0' && peek(s) <= '9')
        s->at++;
    return s->at - from;
}

/* Past the range of a double json-c would make it infinite, and write that back as no JSON. */
static bool is_finite(struct sv number)
{
    char text[NUMBER_BYTES + 1] = {0};

    memcpy(text, number.p, number.n);
    return isfinite(strtod(text, NULL));
}

/* Every integer is exact or refused: json-c bends one past 64 bits to the nearest that fits. */
static bool check_number(struct scan *s, struct sv number, bool whole)
{
    int64_t exact;

    if (number.n > NUMBER_BYTES)
        return refuse(s, "a number of too many digits");
    if (whole)
        return sv_i64(number, &exact) || refuse(s, "an integer of more than 64 bits");
    return is_finite(number) || refuse(s, "a number too large");
}

static bool scan_number(struct scan *s)
{
    size_t from = s->at, n;
    bool negative = take(s, '-'), whole = true;

    n = skip_digits(s);
    if (n == 0)
        return refuse(s, "not a JSON value");
    if (n > 1 && s->text.p[from + negative] == '0')
        return refuse(s, "a number with a leading zero");
    if (take(s, '.')) {
        whole = false;
        if (skip_digits(s) == 0)
            return refuse(s, "no digit after the decimal point");
    }
    if (take(s, 'e') || take(s, 'E')) {
        whole = false;
        if (!take(s, '+'))
            (void)take(s, '-');
        if (skip_digits(s) == 0)
            return refuse(s, "no digit in the exponent");
    }
    return check_number(s, sv_of(s->text.p + from, s->at - from), whole);
}

static bool scan_word(struct scan *s, struct sv word)
{
    if (!sv_starts(sv_skip(s->text, s->at), word))
        return refuse(s, "not a JSON value");
    s->at += word.n;
    return true;
}

static bool scan_scalar(struct scan *s)
{
    switch (peek(s)) {
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, SV("true"));
    case 'f':
        return scan_word(s, SV("false"));
    case 'n':
        return scan_word(s, SV("null"));
    default:
        return scan_number(s);
    }
}

/* A member's name and its colon. */
static bool scan_name(struct scan *s)
{
    s->members++;
    skip_blanks(s);
    if (!scan_string(s))
        return false;
    skip_blanks(s);
    return take(s, ':') || refuse(s, "expected ':' after a member's name");
}

/* Opens an array or object; `*closed` when it is empty and over already. */
static bool open_container(struct scan *s, bool *closed)
{
    char open = s->text.p[s->at++];

    if (s->depth == LIMIT_JSON_DEPTH)
        return refuse(s, "nested too deep");
    skip_blanks(s);
    *closed = take(s, open == '{' ? '}' : ']');
    if (*closed)
        return true;
    s->open[s->depth++] = open;
    return open == '[' || scan_name(s);
}

/* After a value: a comma, or the end of one or more containers. `*more` when a value follows. */
static bool close_or_next(struct scan *s, bool *more)
{
    *more = false;
    while (s->depth) {
        char open = s->open[s->depth - 1];

        skip_blanks(s);
        if (take(s, ',')) {
            *more = true;
            return open == '[' || scan_name(s);
        }
        if (!take(s, open == '{' ? '}' : ']'))
            return refuse(s, open == '{' ? "expected ',' or '}'" : "expected ',' or ']'");
        s->depth--;
    }
    return true;
}

bool json_scan(struct sv text, size_t *members, struct err *e)
{
    struct scan s = {.text = text, .e = e};
    bool more = true;

    while (more) {
        bool over = true;

        skip_blanks(&s);
        if (peek(&s) == '{' || peek(&s) == '[') {
            if (!open_container(&s, &over))
                return false;
        } else if (!scan_scalar(&s)) {
            return false;
        }
        if (over && !close_or_next(&s, &more))
            return false;
    }
    skip_blanks(&s);
    if (s.at != text.n)
        return refuse(&s, "something stands behind the value");
    *members = s.members;
    return true;
}
