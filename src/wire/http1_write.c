/* http1_write.c - replies as bytes (RFC 9112). */
#include "wire/http1.h"

static void add_status(struct buf *out, int status)
{
    char digits[3] = {(char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
                      (char)('0' + status % 10)};

    buf_add(out, SV("HTTP/1.1 "));
    buf_add(out, sv_of(digits, 3));
    buf_addc(out, ' ');
    buf_add(out, sv_from(http_reason(status)));
    buf_add(out, SV("\r\nDate: "));
}

static void add_length(struct buf *out, size_t n)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    buf_add(out, SV("\r\nContent-Length: "));
    buf_add(out, sv_of(digits + at, sizeof(digits) - at));
}

/* A header's name or value. A control byte in it becomes a blank: what a caller passes on from
 * outside must not begin a header, or a reply, of its own. */
static void add_field(struct buf *out, struct sv v)
{
    size_t from = 0;

    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];

        if ((c >= 0x20 && c != 0x7f) || c == '\t')
            continue;
        buf_add(out, sv_of(v.p + from, i - from));
        buf_addc(out, ' ');
        from = i + 1;
    }
    buf_add(out, sv_skip(v, from));
}

void http1_write(struct buf *out, const struct http_response *r, struct sv date, bool keep_alive,
                 bool is_head)
{
    bool bodiless = r->status == 204 || r->status == 304 || r->status / 100 == 1;

    add_status(out, r->status);
    buf_add(out, date);
    for (size_t i = 0; i < r->headers.n; i++) {
        buf_add(out, SV("\r\n"));
        add_field(out, r->headers.p[i].name);
        buf_add(out, SV(": "));
        add_field(out, r->headers.p[i].value);
    }
    if (!bodiless)
        add_length(out, r->body.n);
    buf_add(out, keep_alive ? SV("\r\n\r\n") : SV("\r\nConnection: close\r\n\r\n"));
    if (!bodiless && !is_head)
        buf_add(out, r->body);
}
