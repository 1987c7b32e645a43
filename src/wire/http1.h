/*
 * http1.h - a strict reader of HTTP/1.1 requests (RFC 9112) and a writer of replies. No I/O.
 *
 * http1_read looks at the bytes received so far and says what stands there. It is a pure function:
 * feeding the same bytes in any pieces gives the same result. It keeps the raw target, so %2F and
 * %1F survive. What is ambiguous is refused, not guessed: a length and a transfer coding, two
 * lengths, a bare CR or LF, blanks before a colon, folded lines, control bytes, a missing, repeated
 * or malformed Host, a target that is no path (but * for OPTIONS), an empty line in front, chunks
 * that are mostly framing, HTTP versions other than 1.0 and 1.1.
 */
#ifndef WIRE_HTTP1_H
#define WIRE_HTTP1_H

#include "base/buf.h"
#include "wire/http.h"

enum http1_result {
    HTTP1_MORE,    /* not complete: read on */
    HTTP1_HEAD,    /* the head is complete, its body is not: whether to read it, decide now */
    HTTP1_REQUEST, /* one whole request stands at the front */
    HTTP1_REFUSED, /* answer `status` with `why`, then close */
};

struct http1 {
    struct http_request request; /* views into `bytes`; a chunked body is joined in the arena */
    bool keep_alive;
    bool is_head;    /* reply without a body */
    bool expects;    /* after HTTP1_HEAD: the client waits for 100 Continue */
    bool admitted;   /* set by the caller after HTTP1_HEAD: the body is read */
    size_t max_body; /* set with it: more is 413 */
    size_t whole;    /* bytes of the whole request, once a head says so; 0: not known */
    size_t used;     /* bytes of the request, when it is whole; else what is known not to be a
                        body's end, so that a long body is not searched again */
    size_t joined;   /* bytes of a chunked body that stand in whole chunks so far */
    int status;      /* 400, 413, 414, 417, 431, 501, 505 */
    const char *why; /* a constant sentence for the client */
};

/* `h` is zeroed before the first call on a request and kept between calls on the same one. */
enum http1_result http1_read(struct http1 *h, struct sv bytes, struct arena *a);

/* Status line, Date, the response's headers, Content-Length, Connection when closing; and the body
 * unless `is_head`. `date` is TIME_HTTP text. 204 and 304 carry no length and no body. A control
 * byte in a header becomes a blank, so that a value from outside cannot split the reply. */
void http1_write(struct buf *out, const struct http_response *r, struct sv date, bool keep_alive,
                 bool is_head);

#endif
