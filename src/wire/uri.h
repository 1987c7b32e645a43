/*
 * uri.h - parts of a URI, percent-encoding and queries. Source: RFC 3986.
 */
#ifndef WIRE_URI_H
#define WIRE_URI_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

struct uri {
    struct sv scheme, host; /* as written; host without the brackets of IPv6 */
    int port;               /* 0 when absent */
    struct sv authority;    /* host and port as written */
    struct sv path, query;  /* raw; query without '?' */
};

/* An absolute http, https, s3, s3a, s3n or file URI. Refuses user information, fragments, control
 * bytes and blanks, an empty host (but for file), a port outside 1-65535. */
MUST_CHECK bool uri_read(struct sv text, struct uri *out, struct err *e);
/* A host that is this machine: what is sent there without TLS stays on its own wires. */
bool uri_is_loopback(struct sv host);

/* Encodes all but A-Z a-z 0-9 - . _ ~ and the bytes of `keep`, upper-case hex, blank as %20. */
void uri_encode(struct buf *out, struct sv v, struct sv keep);
struct sv uri_encoded(struct arena *a, struct sv v);
/* Decodes %XX. `plus_is_space` as in forms and in Java's path segments. Refuses a bad escape and a
 * NUL. */
MUST_CHECK bool uri_decode(struct sv v, bool plus_is_space, struct arena *a, struct sv *out,
                           struct err *e);

struct pair {
    struct sv name, value; /* decoded */
};
struct pairs VEC(struct pair);
/* A query or an application/x-www-form-urlencoded body, at most LIMIT_FORM_FIELDS fields. */
MUST_CHECK bool form_read(struct sv text, struct arena *a, struct pairs *out, struct err *e);
/* The first value of that name or, when absent, NULL. */
const struct sv *form_get(const struct pairs *p, struct sv name);
/* No name stands twice: whoever checks the first of two and whoever uses the second would differ.
 * ERR_INVALID names it. */
MUST_CHECK bool form_has_no_twins(const struct pairs *p, struct err *e);
/* What RFC 6749, 3.2 says of parameters without a value: they were left out. */
void form_drop_empty(struct pairs *p);
/* name=value&..., strictly percent-encoded: a blank is %20, never '+', which RGW takes literally.
 */
void form_write(struct buf *out, const struct pairs *p);

#endif
