/* http1.c - a strict reader of HTTP/1.1 requests (RFC 9112). */
#include "wire/http1.h"

#include <string.h>

#include "base/limits.h"

/* For each byte: 1 when it may stand in a token (RFC 9110, 5.6.2), 2 when it may stand in a host
 * with its port (RFC 3986, 3.2.2 and 3.2.3), but for the comma, which separates the items of a
 * list; 4 when it may stand in a target: all that prints but '#', for clients that do not encode
 * enough. */
enum { IN_TOKEN = 1, IN_HOST = 2, IN_TARGET = 4 };
/* clang-format off */
static const unsigned char classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 7, 4, 1, 7, 7, 7, 7, 6, 6, 7, 7, 4, 7, 7, 4, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 4, 6, 4, 4,
    4, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 4, 6, 5, 7,
    5, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 4, 5, 4, 7, 0,
};
/* clang-format on */

/* How many bytes at the front are of that class. */
static size_t span(struct sv v, unsigned char class)
{
    size_t n = 0;

    while (n < v.n && classes[(unsigned char)v.p[n]] & class)
        n++;
    return n;
}

static bool all_in(struct sv v, unsigned char class)
{
    return span(v, class) == v.n;
}

static bool is_control(unsigned char c)
{
    return ((c < 0x20) & (c != '\t')) | (c == 0x7f);
}

/* A count that is known when this is compiled becomes a few vector instructions. */
enum { BLOCK = 16 };

static bool block_has_control(const char *p)
{
    unsigned char found = 0;

    for (int i = 0; i < BLOCK; i++)
        found = (unsigned char)(found | is_control((unsigned char)p[i]));
    return found;
}

/* Whether it may stand behind a field's colon (RFC 9110, 5.5): no control byte but tabs. */
static bool is_value(struct sv v)
{
    size_t at = 0;

    for (; v.n - at >= BLOCK; at += BLOCK) {
        if (block_has_control(v.p + at))
            return false;
    }
    for (; at < v.n; at++) {
        if (is_control((unsigned char)v.p[at]))
            return false;
    }
    return true;
}

static enum http1_result refuse(struct http1 *h, int status, const char *why)
{
    h->status = status;
    h->why = why;
    return HTTP1_REFUSED;
}

/* What the head says about the rest; `seen` counts repeated fields that may stand once. */
struct framing {
    int64_t length; /* -1: none given */
    bool chunked;
    bool expect, unmet; /* 100 Continue; anything else */
    unsigned hosts, lengths, codings;
    bool close, keep;
};

static bool is_digits(struct sv v)
{
    return v.n > 0 && v.n < 19 && sv_only(v, SV("0123456789"));
}

/* Whether a comma-separated field holds that word. */
static bool lists(struct sv value, struct sv word)
{
    struct sv part;

    while (sv_cut(&value, ',', &part)) {
        if (sv_eq_nocase(sv_trim(part), word))
            return true;
    }
    return false;
}

/* A host and a port (RFC 9110, 7.2) without list separators, user information and empty names. What
 * stands in it is not looked at further: we serve under any name. */
static bool is_host(struct sv v)
{
    return v.n > 0 && v.p[0] != ':' && !sv_has_char(v, '@') && all_in(v, IN_HOST);
}

/* What the client expects of us and of the connection. */
static void note_wish(struct framing *f, struct sv name, struct sv value)
{
    if (name.n == 6 && sv_eq_nocase(name, SV("expect"))) {
        f->expect = sv_eq_nocase(value, SV("100-continue"));
        f->unmet |= !f->expect;
    } else if (name.n == 10 && sv_eq_nocase(name, SV("connection"))) {
        f->close |= lists(value, SV("close"));
        f->keep |= lists(value, SV("keep-alive"));
    }
}

static enum http1_result note_field(struct http1 *h, struct framing *f,
                                    const struct http_header *field)
{
    struct sv name = field->name, value = field->value;

    if (name.n == 4 && sv_eq_nocase(name, SV("host"))) {
        if (!is_host(value))
            return refuse(h, 400, "Host must be one name or address and an optional port");
        f->hosts++;
    } else if (name.n == 14 && sv_eq_nocase(name, SV("content-length"))) {
        if (!is_digits(value) || ++f->lengths > 1 || !sv_i64(value, &f->length))
            return refuse(h, 400, "Content-Length must be one decimal number");
    } else if (name.n == 17 && sv_eq_nocase(name, SV("transfer-encoding"))) {
        if (!sv_eq_nocase(value, SV("chunked")) || ++f->codings > 1)
            return refuse(h, 501, "the only transfer coding is chunked");
        f->chunked = true;
    } else {
        note_wish(f, name, value);
    }
    return HTTP1_REQUEST;
}

/* Without the blanks and tabs around a value. A CR is none of them: it is refused. */
static struct sv trim_value(struct sv v)
{
    while (v.n && (v.p[0] == ' ' || v.p[0] == '\t'))
        v = sv_of(v.p + 1, v.n - 1);
    while (v.n && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
        v.n--;
    return v;
}

static enum http1_result read_field(struct http1 *h, struct framing *f, struct sv line,
                                    struct arena *a)
{
    size_t colon = span(line, IN_TOKEN);
    struct http_header field;

    if (line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
        return refuse(h, 400, "folded header lines are not taken");
    if (colon == 0 || colon == line.n || line.p[colon] != ':')
        return refuse(h, 400, "a header line does not begin with a name and a colon");
    field.name = sv_of(line.p, colon);
    field.value = trim_value(sv_of(line.p + colon + 1, line.n - colon - 1));
    if (!is_value(field.value))
        return refuse(h, 400, "a header's value holds a control byte");
    if (h->request.headers.n == LIMIT_HTTP_HEADERS)
        return refuse(h, 431, "too many headers");
    vec_push(&h->request.headers, a, field);
    return note_field(h, f, &field);
}

static enum http1_result read_target(struct http1 *h, struct sv target)
{
    bool whole_server = h->request.method == HTTP_OPTIONS && sv_eq(target, SV("*"));

    if (target.n > LIMIT_HTTP_TARGET_BYTES)
        return refuse(h, 414, "the request target is too long");
    if (target.n == 0 || (target.p[0] != '/' && !whole_server))
        return refuse(h, 400, "the request target must be a path");
    if (!all_in(target, IN_TARGET))
        return refuse(h, 400, "the request target holds a byte that must be percent-encoded");
    h->request.target = target;
    return HTTP1_REQUEST;
}

static enum http1_result read_request_line(struct http1 *h, struct sv line, bool *old_version)
{
    struct sv method, target, version = line;

    if (!sv_cut(&version, ' ', &method) || !sv_cut(&version, ' ', &target))
        return refuse(h, 400, "the request line is not METHOD TARGET VERSION");
    if (method.n == 0 || !all_in(method, IN_TOKEN))
        return refuse(h, 400, "the method is no token");
    *old_version = sv_eq(version, SV("HTTP/1.0"));
    if (!*old_version && !sv_eq(version, SV("HTTP/1.1")))
        return refuse(h, sv_starts(version, SV("HTTP/")) && is_value(version) ? 505 : 400,
                      "the version must be HTTP/1.1 or HTTP/1.0");
    if (!http_method_read(method, &h->request.method))
        return refuse(h, 501, "the method is not known here");
    h->is_head = h->request.method == HTTP_HEAD;
    return read_target(h, target);
}

/* Takes one line, which should end in CR LF, off the front. */
static bool take_line(struct sv *rest, struct sv *line)
{
    const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    size_t n;

    if (!end)
        return false;
    n = (size_t)(end - rest->p);
    *line = sv_of(rest->p, n);
    *rest = sv_skip(*rest, n + 1);
    return true;
}

/* False when no CR stood before the LF. A CR elsewhere is no byte of anything that a line holds. */
static bool strip_cr(struct sv *line)
{
    if (line->n == 0 || line->p[line->n - 1] != '\r')
        return false;
    line->n--;
    return true;
}

static enum http1_result check_framing(struct http1 *h, struct framing *f, bool old_version)
{
    if (!old_version && f->hosts != 1)
        return refuse(h, 400, "there must be one Host header");
    if (f->hosts > 1)
        return refuse(h, 400, "there must be one Host header");
    if (f->chunked && (f->lengths || old_version))
        return refuse(h, 400, "a length and a transfer coding contradict each other");
    if (f->length > LIMIT_HTTP_BODY_BYTES)
        return refuse(h, 413, "the body is too large");
    if (f->unmet && !old_version)
        return refuse(h, 417, "the only expectation is 100-continue");
    /* RFC 9110, 10.1.1: a client of 1.0 may pass an expectation on without knowing it. */
    f->expect = f->expect && !old_version;
    h->keep_alive = old_version ? f->keep && !f->close : !f->close;
    return HTTP1_REQUEST;
}

/* The whole head stands in `head`, its last empty line included. */
static enum http1_result read_head(struct http1 *h, struct sv head, struct framing *f,
                                   struct arena *a)
{
    bool old_version = false;
    enum http1_result r;
    struct sv line;

    if (!take_line(&head, &line) || !strip_cr(&line))
        return refuse(h, 400, "lines must end in CR LF");
    r = read_request_line(h, line, &old_version);
    while (r == HTTP1_REQUEST && take_line(&head, &line)) {
        if (!strip_cr(&line))
            return refuse(h, 400, "lines must end in CR LF");
        if (line.n == 0)
            return check_framing(h, f, old_version);
        r = read_field(h, f, line, a);
    }
    return r;
}

/* Offset behind the empty line that ends a head, or 0. An LF after an LF counts too, so that a head
 * with bare LFs is seen as complete and refused, not waited for. */
static size_t head_end(struct sv bytes, size_t from)
{
    const char *at = bytes.p + from;
    const char *end = bytes.p + bytes.n;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
        const char *next = at + 1;

        if (next < end && *next == '\r')
            next++;
        if (next < end && *next == '\n')
            return (size_t)(next + 1 - bytes.p);
        at++;
    }
    return 0;
}

/* ---- chunked bodies (RFC 9112, 7.1) ---- */

enum {
    SIZE_LINE_BYTES = 256, /* eight digits, an extension that nobody sends, CR */
    /* Chunks of a few bytes cost more than they carry: a body may not double in its framing. */
    CHUNKED_BYTES = 2 * LIMIT_HTTP_BODY_BYTES,
};

static bool hex_digit(char c, size_t *value)
{
    if (c >= '0' && c <= '9')
        *value = *value * 16 + (size_t)(c - '0');
    else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        *value = *value * 16 + (size_t)((c | 0x20) - 'a' + 10);
    else
        return false;
    return true;
}

/* "1a" or "1a;extension". Extensions are read over, as RFC 9112 demands. */
static bool chunk_size(struct sv line, size_t *size)
{
    size_t digits = 0;

    *size = 0;
    while (digits < line.n && digits < 8 && hex_digit(line.p[digits], size))
        digits++;
    return digits > 0 && (digits == line.n || line.p[digits] == ';') && is_value(line);
}

/* Lines behind the last chunk up to the empty one; what they say is dropped, never merged. */
static enum http1_result skip_trailers(struct http1 *h, struct sv *rest)
{
    struct sv line, from = *rest;

    while (take_line(rest, &line)) {
        if (from.n - rest->n > LIMIT_HTTP_HEAD_BYTES)
            return refuse(h, 431, "the trailers are too long");
        if (!strip_cr(&line) || !is_value(line))
            return refuse(h, 400, "lines must end in CR LF and hold no control byte");
        if (line.n == 0)
            return HTTP1_REQUEST;
    }
    return from.n > LIMIT_HTTP_HEAD_BYTES ? refuse(h, 431, "the trailers are too long")
                                          : HTTP1_MORE;
}

static size_t max_body(const struct http1 *h)
{
    return h->admitted ? h->max_body : LIMIT_HTTP_BODY_BYTES;
}

/* One chunk off the front of `rest`; `*last` at the end of all. */
static enum http1_result take_chunk(struct http1 *h, struct sv *rest, struct sv *chunk, bool *last)
{
    struct sv line;
    bool whole = take_line(rest, &line);
    size_t size;

    if (!whole)
        line = *rest;
    if (line.n > SIZE_LINE_BYTES)
        return refuse(h, 400, "a chunk's size line is too long");
    if (!whole)
        return HTTP1_MORE;
    if (!strip_cr(&line) || !chunk_size(line, &size))
        return refuse(h, 400, "a chunk's size is not a hexadecimal number");
    *last = size == 0;
    if (*last)
        return HTTP1_REQUEST;
    if (h->joined + size > max_body(h))
        return refuse(h, 413, "the body is too large");
    if (rest->n < size + 2)
        return HTTP1_MORE;
    if (rest->p[size] != '\r' || rest->p[size + 1] != '\n')
        return refuse(h, 400, "a chunk does not end in CR LF");
    *chunk = sv_first(*rest, size);
    *rest = sv_skip(*rest, size + 2);
    return HTTP1_REQUEST;
}

/* All chunks are known to be whole: their contents as one body. */
static struct sv join_chunks(struct http1 *h, struct sv rest, struct arena *a)
{
    struct buf body = buf_new(a, LIMIT_HTTP_BODY_BYTES);
    struct sv chunk = {0};
    bool last = false;

    h->joined = 0;
    while (take_chunk(h, &rest, &chunk, &last) == HTTP1_REQUEST && !last)
        buf_add(&body, chunk);
    return buf_sv(&body);
}

/* Goes on behind the chunks that were whole the last time, so that a body in many pieces is walked
 * once. */
static enum http1_result read_chunks(struct http1 *h, struct sv bytes, size_t head, struct arena *a)
{
    struct sv rest = sv_skip(bytes, h->used ? h->used : head);
    struct sv chunk = {0};
    bool last = false;
    enum http1_result r = HTTP1_REQUEST;

    while (r == HTTP1_REQUEST && !last) {
        h->used = bytes.n - rest.n;
        if (h->used - head > CHUNKED_BYTES)
            return refuse(h, 413, "the body is too large with the framing of its chunks");
        r = take_chunk(h, &rest, &chunk, &last);
        if (r == HTTP1_REQUEST && !last)
            h->joined += chunk.n;
    }
    if (r == HTTP1_REQUEST)
        r = skip_trailers(h, &rest);
    if (r != HTTP1_REQUEST)
        return r;
    h->request.body = join_chunks(h, sv_skip(bytes, head), a);
    h->used = bytes.n - rest.n;
    return HTTP1_REQUEST;
}

static enum http1_result read_body(struct http1 *h, struct sv bytes, size_t head,
                                   const struct framing *f, struct arena *a)
{
    size_t length = f->length > 0 ? (size_t)f->length : 0;
    enum http1_result r;

    if (f->chunked) {
        r = read_chunks(h, bytes, head, a);
    } else if (bytes.n - head < length) {
        h->whole = head + length;
        r = length > max_body(h) ? refuse(h, 413, "the body is too large") : HTTP1_MORE;
    } else {
        h->request.body = sv_of(bytes.p + head, length);
        h->used = head + length;
        return HTTP1_REQUEST;
    }
    h->expects = f->expect;
    return r == HTTP1_MORE && !h->admitted ? HTTP1_HEAD : r;
}

enum http1_result http1_read(struct http1 *h, struct sv bytes, struct arena *a)
{
    struct framing f = {.length = -1};
    enum http1_result r;
    size_t head;

    /* RFC 9112, 2.2 lets a server read over an empty line before a request. We refuse it: no client
     * of today sends one, and what follows may be the rest of a body that was framed wrongly. */
    if (sv_starts(bytes, SV("\r\n")))
        return refuse(h, 400, "an empty line where a request was expected");
    head = head_end(bytes, 0);
    if (head == 0 ? bytes.n > LIMIT_HTTP_HEAD_BYTES : head > LIMIT_HTTP_HEAD_BYTES)
        return refuse(h, 431, "the request's head is too long");
    if (head == 0)
        return HTTP1_MORE;
    h->request = (struct http_request){
        .headers = {.p = h->request.headers.p, .cap = h->request.headers.cap}
    };
    r = read_head(h, sv_first(bytes, head), &f, a);
    return r == HTTP1_REQUEST ? read_body(h, bytes, head, &f, a) : r;
}
