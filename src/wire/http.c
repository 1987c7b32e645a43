/* http.c - HTTP messages as plain data. */
#include "wire/http.h"

#include <assert.h>

static const struct sv method_texts[] = {
    [HTTP_GET] = SV_INIT("GET"),         [HTTP_HEAD] = SV_INIT("HEAD"),
    [HTTP_POST] = SV_INIT("POST"),       [HTTP_PUT] = SV_INIT("PUT"),
    [HTTP_DELETE] = SV_INIT("DELETE"),   [HTTP_PATCH] = SV_INIT("PATCH"),
    [HTTP_OPTIONS] = SV_INIT("OPTIONS"),
};
static_assert(sizeof(method_texts) / sizeof(method_texts[0]) == HTTP_METHOD_COUNT,
              "each method has a text");

struct sv http_method_text(enum http_method m)
{
    return method_texts[m];
}

bool http_method_read(struct sv text, enum http_method *out)
{
    for (unsigned i = 0; i < HTTP_METHOD_COUNT; i++) {
        if (sv_eq(text, method_texts[i])) {
            *out = (enum http_method)i;
            return true;
        }
    }
    return false;
}

const struct sv *http_header(const struct http_headers *h, struct sv name)
{
    for (size_t i = 0; i < h->n; i++) {
        if (sv_eq_nocase(h->p[i].name, name))
            return &h->p[i].value;
    }
    return NULL;
}

struct sv http_header_text(const struct http_headers *h, struct sv name)
{
    const struct sv *value = http_header(h, name);

    return value ? *value : (struct sv){0};
}

struct sv http_header_list(const struct http_headers *h, struct sv name, struct arena *a)
{
    struct sv all = http_header_text(h, name);
    bool first = true;

    for (size_t i = 0; i < h->n; i++) {
        if (!sv_eq_nocase(h->p[i].name, name))
            continue;
        if (!first)
            all = ARENA_JOIN(a, all, SV(","), h->p[i].value);
        first = false;
    }
    return all;
}

size_t http_header_count(const struct http_headers *h, struct sv name)
{
    size_t n = 0;

    for (size_t i = 0; i < h->n; i++)
        n += sv_eq_nocase(h->p[i].name, name);
    return n;
}

struct sv http_trace_id(const struct http_headers *h)
{
    static const struct sv digits = SV_INIT("0123456789abcdef");
    struct sv rest = http_header_text(h, SV("traceparent")), version, trace = {0};

    (void)sv_cut(&rest, '-', &version);
    (void)sv_cut(&rest, '-', &trace);
    if (version.n != 2 || !sv_only(version, digits) || trace.n != 32 || !sv_only(trace, digits) ||
        sv_only(trace, SV("0")))
        return (struct sv){0};
    return trace;
}

void http_header_add(struct http_headers *h, struct arena *a, struct sv name, struct sv value)
{
    vec_push(h, a, ((struct http_header){name, value}));
}

void http_header_set(struct http_headers *h, struct arena *a, struct sv name, struct sv value)
{
    size_t kept = 0;

    for (size_t i = 0; i < h->n; i++) {
        if (!sv_eq_nocase(h->p[i].name, name))
            h->p[kept++] = h->p[i];
    }
    h->n = kept;
    http_header_add(h, a, name, value);
}

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {100, "Continue"                       },
    {200, "OK"                             },
    {201, "Created"                        },
    {202, "Accepted"                       },
    {204, "No Content"                     },
    {206, "Partial Content"                },
    {301, "Moved Permanently"              },
    {302, "Found"                          },
    {303, "See Other"                      },
    {304, "Not Modified"                   },
    {307, "Temporary Redirect"             },
    {308, "Permanent Redirect"             },
    {400, "Bad Request"                    },
    {401, "Unauthorized"                   },
    {403, "Forbidden"                      },
    {404, "Not Found"                      },
    {405, "Method Not Allowed"             },
    {406, "Not Acceptable"                 },
    {408, "Request Timeout"                },
    {409, "Conflict"                       },
    {410, "Gone"                           },
    {411, "Length Required"                },
    {412, "Precondition Failed"            },
    {413, "Content Too Large"              },
    {414, "URI Too Long"                   },
    {415, "Unsupported Media Type"         },
    {417, "Expectation Failed"             },
    {422, "Unprocessable Content"          },
    {429, "Too Many Requests"              },
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"          },
    {501, "Not Implemented"                },
    {502, "Bad Gateway"                    },
    {503, "Service Unavailable"            },
    {504, "Gateway Timeout"                },
    {505, "HTTP Version Not Supported"     },
};

const char *http_reason(int status)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    /* 419 is the Iceberg REST specification's: the token has expired. */
    return status == 419 ? "Authentication Timeout" : "Unknown";
}
