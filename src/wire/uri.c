/* uri.c - parts of a URI and percent-encoding. */
#include "wire/uri.h"

#include <string.h>

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void uri_encode(struct buf *out, struct sv v, struct sv keep)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t start = 0;

    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];
        char escape[3] = {'%', digits[c >> 4], digits[c & 15]};

        if (is_unreserved(v.p[i]) || sv_has_char(keep, v.p[i]))
            continue;
        buf_add(out, sv_of(v.p + start, i - start));
        buf_add(out, sv_of(escape, sizeof(escape)));
        start = i + 1;
    }
    buf_add(out, sv_skip(v, start));
}

struct sv uri_encoded(struct arena *a, struct sv v)
{
    struct buf out = buf_new(a, 3 * v.n);

    uri_encode(&out, v, SV(""));
    return buf_sv(&out);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that %XX at `i` stands for; -1 for a bad escape. */
static int escaped_byte(struct sv v, size_t i)
{
    int high = i + 2 < v.n ? hex_value(v.p[i + 1]) : -1;
    int low = i + 2 < v.n ? hex_value(v.p[i + 2]) : -1;

    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool uri_decode(struct sv v, bool plus_is_space, struct arena *a, struct sv *out, struct err *e)
{
    char *bytes = arena_alloc(a, v.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < v.n; i++) {
        int c = (unsigned char)v.p[i];

        if (c == '%') {
            c = escaped_byte(v, i);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c < 0)
            return err_set(e, ERR_INVALID, "%%-escape at byte %zu is not two hex digits", i - 2);
        if (c == 0)
            return err_set(e, ERR_INVALID, "a NUL byte is not allowed, escaped neither");
        bytes[n++] = (char)(unsigned char)c;
    }
    *out = sv_of(bytes, n);
    return true;
}

static bool has_control_or_blank(struct sv v)
{
    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];

        if (c <= ' ' || c == 0x7f)
            return true;
    }
    return false;
}

/* Takes the scheme and "://" off the front. */
static bool take_scheme(struct sv *rest, struct sv *scheme)
{
    static const struct sv known[] = {SV_INIT("https"), SV_INIT("http"), SV_INIT("s3"),
                                      SV_INIT("s3a"),   SV_INIT("s3n"),  SV_INIT("file")};
    ptrdiff_t colon = sv_find(*rest, ':');
    struct sv head = colon < 0 ? (struct sv){0} : sv_first(*rest, (size_t)colon);

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!sv_eq_nocase(head, known[i]))
            continue;
        *scheme = head;
        *rest = sv_skip(*rest, head.n);
        if (!sv_starts(*rest, SV("://")))
            return false;
        *rest = sv_skip(*rest, 3);
        return true;
    }
    return false;
}

/* Everything before the port: a name, an IPv4 address or a bracketed IPv6 one. */
static bool split_authority(struct sv authority, struct uri *u, struct sv *port)
{
    ptrdiff_t at;

    if (authority.n && authority.p[0] == '[') {
        at = sv_find(authority, ']');
        if (at < 2)
            return false;
        u->host = sv_of(authority.p + 1, (size_t)at - 1);
        *port = sv_skip(authority, (size_t)at + 1);
        return sv_only(u->host, SV("0123456789abcdefABCDEF:.")) &&
               (port->n == 0 || port->p[0] == ':');
    }
    at = sv_find(authority, ':');
    u->host = at < 0 ? authority : sv_first(authority, (size_t)at);
    *port = at < 0 ? (struct sv){0} : sv_skip(authority, (size_t)at);
    return !sv_has_char(u->host, '[') && !sv_has_char(u->host, ']');
}

static bool read_authority(struct sv authority, struct uri *u, struct err *e)
{
    struct sv port = {0};
    int64_t number = 0;

    if (sv_has_char(authority, '@'))
        return err_set(e, ERR_INVALID, "a URI must not hold user information");
    if (!split_authority(authority, u, &port))
        return err_set(e, ERR_INVALID, "host of a URI is malformed");
    if (!u->host.n && !sv_eq_nocase(u->scheme, SV("file")))
        return err_set(e, ERR_INVALID, "a URI needs a host");
    u->authority = authority;
    if (!port.n)
        return true;
    if (!sv_only(sv_skip(port, 1), SV("0123456789")) || !sv_i64(sv_skip(port, 1), &number) ||
        number < 1 || number > 65535)
        return err_set(e, ERR_INVALID, "port of a URI is not a number from 1 to 65535");
    u->port = (int)number;
    return true;
}

bool uri_read(struct sv text, struct uri *out, struct err *e)
{
    struct uri u = {0};
    struct sv rest = text;
    size_t end = 0;
    ptrdiff_t query;

    if (has_control_or_blank(text) || sv_has_char(text, '#'))
        return err_set(e, ERR_INVALID,
                       "a URI must not hold blanks, control bytes or a fragment (#)");
    if (!take_scheme(&rest, &u.scheme))
        return err_set(e, ERR_INVALID, "not an http, https, s3, s3a, s3n or file URI");
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    if (!read_authority(sv_first(rest, end), &u, e))
        return false;
    u.path = sv_skip(rest, end);
    query = sv_find(u.path, '?');
    if (query >= 0) {
        u.query = sv_skip(u.path, (size_t)query + 1);
        u.path.n = (size_t)query;
    }
    *out = u;
    return true;
}

/* 127.0.0.0/8 in full, as people and programs write it; other spellings are read differently by
 * different resolvers. */
bool uri_is_loopback(struct sv host)
{
    struct sv rest = host, part;
    int parts = 0;

    if (sv_eq_nocase(host, SV("localhost")) || sv_eq(host, SV("::1")))
        return true;
    while (sv_cut(&rest, '.', &part)) {
        int64_t n = 0;

        if (!sv_only(part, SV("0123456789")) || part.n > 3 || !sv_i64(part, &n) || n > 255)
            return false;
        parts++;
    }
    return parts == 4 && sv_starts(host, SV("127."));
}
