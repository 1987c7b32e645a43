/* endpoint.c - addresses of stores in one spelling. */
#include "api/endpoint.h"

#include <arpa/inet.h>

#include "wire/uri.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

enum { MAX_HOST_BYTES = 253, MAX_REGION_BYTES = 64 };

static bool is_name(struct sv host)
{
    struct sv rest = sv_ends(host, SV(".")) ? sv_first(host, host.n - 1) : host, label;

    if (!rest.n || rest.n > MAX_HOST_BYTES || sv_ends(rest, SV(".")))
        return false;
    while (sv_cut(&rest, '.', &label)) {
        if (!label.n || !sv_only(label, SV(LETTERS DIGITS "-_")))
            return false;
    }
    return true;
}

static bool read_endpoint(struct sv url, struct uri *u)
{
    struct err ignored = {0};

    return uri_read(url, u, &ignored) &&
           (sv_eq_nocase(u->scheme, SV("http")) || sv_eq_nocase(u->scheme, SV("https"))) &&
           !sv_has_char(url, '?') && (!u->path.n || sv_eq(u->path, SV("/"))) &&
           !sv_ends(u->authority, SV(":"));
}

bool endpoint_is_valid(struct sv url)
{
    struct in6_addr six;
    auto_arena a = {0};
    struct uri u;

    if (!read_endpoint(url, &u))
        return false;
    return sv_starts(u.authority, SV("[")) ? inet_pton(AF_INET6, arena_cstr(&a, u.host), &six) == 1
                                           : is_name(u.host);
}

bool region_is_valid(struct sv v)
{
    return v.n && v.n <= MAX_REGION_BYTES && sv_only(v, SV(LETTERS DIGITS "-_")) &&
           !sv_has_char(SV("-_"), v.p[0]) && !sv_has_char(SV("-_"), v.p[v.n - 1]);
}

static struct sv lower(struct sv v, struct arena *a)
{
    char *out = arena_alloc(a, v.n + 1);

    for (size_t i = 0; i < v.n; i++)
        out[i] = (char)(v.p[i] >= 'A' && v.p[i] <= 'Z' ? v.p[i] - 'A' + 'a' : v.p[i]);
    return sv_of(out, v.n);
}

/* An address in its one form. 127/8, ::1 and the unspecified addresses all lead to this machine. */
static struct sv address_text(const void *address, int family, struct arena *a)
{
    char text[INET6_ADDRSTRLEN];
    struct sv v = sv_from(inet_ntop(family, address, text, sizeof(text)));

    if (sv_eq(v, SV("::1")) || sv_eq(v, SV("::")) || sv_eq(v, SV("0.0.0.0")) ||
        (family == AF_INET && sv_starts(v, SV("127."))))
        return SV("localhost");
    return arena_dup(a, v);
}

/* An IPv4 address that stands in an IPv6 one is that IPv4 address. */
static struct sv address6_text(const struct in6_addr *six, struct arena *a)
{
    if (IN6_IS_ADDR_V4MAPPED(six))
        return address_text(&six->s6_addr[12], AF_INET, a);
    return address_text(six, AF_INET6, a);
}

static struct sv aws_partition(struct sv host)
{
    static const struct sv domains[] = {SV_INIT(".amazonaws.com"), SV_INIT(".amazonaws.com.cn"),
                                        SV_INIT(".api.aws")};

    for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
        if (sv_ends(host, domains[i]))
            return i == 1 ? SV("amazonaws.com.cn") : SV("amazonaws.com");
    }
    return (struct sv){0};
}

/* inet_aton reads what resolvers read: "127.1", "0x7f000001", "2130706433". */
static struct sv host_identity(struct sv host, struct arena *a)
{
    struct sv v = lower(sv_trim_end(host, '.'), a);
    struct in6_addr six;
    struct in_addr four;

    if (inet_pton(AF_INET6, arena_cstr(a, v), &six) == 1)
        return address6_text(&six, a);
    if (inet_aton(arena_cstr(a, v), &four))
        return address_text(&four, AF_INET, a);
    if (sv_ends(v, SV(".localhost")) || sv_eq(v, SV("localhost.localdomain")))
        return SV("localhost");
    return v;
}

struct sv endpoint_identity(struct sv url, struct arena *a)
{
    struct uri u;
    struct sv host, aws;
    int usual;

    if (!read_endpoint(url, &u))
        return arena_dup(a, url);
    host = host_identity(u.host, a);
    aws = aws_partition(host);
    if (aws.n)
        return aws;
    usual = sv_eq_nocase(u.scheme, SV("https")) ? 443 : 80;
    if (!u.port || u.port == usual)
        return host;
    return arena_printf(a, "[" SV_FMT "]:%d", SV_ARG(host), u.port);
}
