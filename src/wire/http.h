/*
 * http.h - HTTP messages as plain data (RFC 9110). Nothing here does I/O.
 */
#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H

#include "base/vec.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_PATCH,
    HTTP_OPTIONS,
    HTTP_METHOD_COUNT
};

struct http_header {
    struct sv name, value; /* the name as sent; compare with sv_eq_nocase */
};
struct http_headers VEC(struct http_header);

struct http_request {
    enum http_method method;
    struct sv target; /* incoming: the raw path and query. Outgoing: the whole URL */
    struct http_headers headers;
    struct sv body;
};

struct http_response {
    int status; /* 0: no answer yet */
    struct http_headers headers;
    struct sv body;
};

/* "GET", ... */
struct sv http_method_text(enum http_method m);
/* False for a method we do not know. */
MUST_CHECK bool http_method_read(struct sv text, enum http_method *out);
/* The first header of that name; NULL when absent. Case does not matter. */
const struct sv *http_header(const struct http_headers *h, struct sv name);
/* The same with an empty view for absent. */
struct sv http_header_text(const struct http_headers *h, struct sv name);
/* All values of that name, as the one list that they are together (RFC 9110, section 5.3). */
struct sv http_header_list(const struct http_headers *h, struct sv name, struct arena *a);
size_t http_header_count(const struct http_headers *h, struct sv name);
void http_header_add(struct http_headers *h, struct arena *a, struct sv name, struct sv value);
/* Replaces every header of that name by one. */
void http_header_set(struct http_headers *h, struct arena *a, struct sv name, struct sv value);
/* The trace id of a traceparent header, 32 hex digits; empty when there is none that is valid.
 * Source: W3C Trace Context. */
struct sv http_trace_id(const struct http_headers *h);
/* "Not Found", ... for status lines and logs; "Unknown" for what is not registered. */
const char *http_reason(int status);

#endif
