/* catalog.c - one catalog of a running server. */
#include "client/catalog.h"

#include "base/limits.h"
#include "base/map.h"
#include "net/http_client.h"
#include "wire/names.h"
#include "wire/uri.h"

enum { ANSWER_MS = 60 * 1000, PAGE_ENTRIES = 500 };

struct catalog {
    struct arena *arena; /* wipes: the token is in its requests */
    struct http_client *client;
    struct http_tls tls;
    struct sv base, bearer; /* "http://host/prefix", "Bearer ..." */
    struct sv name, prefix; /* as the server calls it; encoded */
};

/* ---- asking ---- */

static enum err_code code_of(int status)
{
    switch (status) {
    case 401:
    case 403:
        return ERR_DENIED;
    case 404:
        return ERR_NOT_FOUND;
    case 429:
    case 503:
        return ERR_UNAVAILABLE;
    default:
        return status / 100 == 4 ? ERR_INVALID : ERR_INTERNAL;
    }
}

/* Iceberg's error body, or OAuth's. */
static struct sv complaint(const struct http_response *r, struct arena *a)
{
    struct err ignored = {0};
    struct json *body = NULL;
    struct sv text;

    if (!json_read(r->body, a, &body, &ignored))
        return (struct sv){0};
    text = json_get_str(json_get(body, SV("error")), SV("message"));
    return text.n ? text : json_get_str(body, SV("error_description"));
}

static bool refused(const struct http_response *r, struct arena *a, struct err *e)
{
    struct sv why = complaint(r, a);

    if (why.n)
        return err_set(e, code_of(r->status), SV_FMT " (%d)", SV_ARG(sv_first(why, 200)),
                       r->status);
    return err_set(
        e, code_of(r->status), "the server answers %d %s%s", r->status, http_reason(r->status),
        r->status / 100 == 3 ? "; give its own address, redirects are not followed" : "");
}

static bool ask(struct catalog *c, struct http_request *req, struct arena *a, struct json **out,
                struct err *e)
{
    const struct http_options o = {.timeout_ms = ANSWER_MS, .tls = &c->tls};
    struct http_response r = {0};

    http_header_add(&req->headers, c->arena, SV("Accept"), SV("application/json"));
    if (c->bearer.n)
        http_header_add(&req->headers, c->arena, SV("Authorization"), c->bearer);
    /* In the arena that wipes: what libcurl is given is copied there. */
    if (!http_do(c->client, req, &o, c->arena, &r, e))
        return err_wrap(e, SV_FMT, SV_ARG(sv_first(c->base, 100)));
    if (r.status / 100 != 2)
        return refused(&r, c->arena, e);
    return json_read(r.body, a, out, e) || err_wrap(e, "the server's answer");
}

static bool get(struct catalog *c, struct sv path, struct arena *a, struct json **out,
                struct err *e)
{
    struct http_request req = {.target = ARENA_JOIN(c->arena, c->base, SV("/v1/"), path)};

    return ask(c, &req, a, out, e);
}

/* ---- who asks ---- */

/* A credential travels over TLS, or does not leave this machine. */
static bool take_uri(struct catalog *c, struct sv uri, struct err *e)
{
    struct uri u;

    /* Before anything is quoted: what stands before an @ may be a password. */
    if (sv_has_char(uri, '@'))
        return err_set(e, ERR_INVALID,
                       "--uri: takes no credential; everybody on this machine "
                       "sees it there");
    if (!uri_read(uri, &u, e))
        return err_wrap(e, "--uri " SV_FMT, SV_ARG(sv_first(uri, 100)));
    if (u.query.n || !(sv_eq_nocase(u.scheme, SV("http")) || sv_eq_nocase(u.scheme, SV("https"))))
        return err_set(e, ERR_INVALID, "--uri " SV_FMT ": write https://HOST:PORT",
                       SV_ARG(sv_first(uri, 100)));
    if (sv_eq_nocase(u.scheme, SV("http")) && !uri_is_loopback(u.host))
        return err_set(e, ERR_INVALID,
                       "--uri " SV_FMT ": without TLS a credential is sent to this machine only; "
                       "write https://, or go through a tunnel such as kubectl port-forward",
                       SV_ARG(sv_first(uri, 100)));
    c->base = sv_trim_end(uri, '/');
    return true;
}

static bool ask_for_token(struct catalog *c, struct secret credential, struct err *e)
{
    struct sv text = secret_reveal(credential);
    ptrdiff_t colon = sv_find(text, ':');
    struct http_request req = {.method = HTTP_POST,
                               .target = ARENA_JOIN(c->arena, c->base, SV("/v1/oauth/tokens"))};
    struct json *answer;

    if (colon < 0)
        return err_set(e, ERR_INVALID, "the credential must be ID:SECRET");
    req.body = ARENA_JOIN(
        c->arena, SV("grant_type=client_credentials&scope=PRINCIPAL_ROLE%3AALL&client_id="),
        uri_encoded(c->arena, sv_first(text, (size_t)colon)), SV("&client_secret="),
        uri_encoded(c->arena, sv_skip(text, (size_t)colon + 1)));
    http_header_add(&req.headers, c->arena, SV("Content-Type"),
                    SV("application/x-www-form-urlencoded"));
    if (!ask(c, &req, c->arena, &answer, e))
        return false;
    c->bearer = json_get_str(answer, SV("access_token"));
    return c->bearer.n || err_set(e, ERR_INTERNAL, "the server's answer holds no token");
}

bool catalog_login(const struct catalog_login *l, struct arena *a, struct catalog **out,
                   struct err *e)
{
    struct catalog *c = arena_new(a, struct catalog);

    *c = (struct catalog){.arena = a, .tls = {.ca_pem = l->ca_pem}};
    if (!take_uri(c, l->uri, e))
        return false;
    c->client = http_client_new(a);
    c->bearer = secret_reveal(l->token);
    if (!c->bearer.n && !ask_for_token(c, l->credential, e))
        return false;
    c->bearer = ARENA_JOIN(a, SV("Bearer "), c->bearer);
    *out = c;
    return true;
}

/* ---- which catalog ---- */

static bool is_catalog(struct catalog *c, struct sv name, struct err *e)
{
    struct json *config;
    struct sv prefix;

    if (!get(c, ARENA_JOIN(c->arena, SV("config?warehouse="), uri_encoded(c->arena, name)),
             c->arena, &config, e))
        return false;
    prefix = json_get_str(json_get(config, SV("overrides")), SV("prefix"));
    c->name = name;
    c->prefix = uri_encoded(c->arena, prefix.n ? prefix : name);
    return true;
}

bool catalog_choose(struct catalog *c, const struct sv_vec *levels, size_t rest, size_t *taken,
                    struct err *e)
{
    for (size_t n = levels->n > rest ? levels->n - rest : 0; n > 0; n--) {
        if (is_catalog(c, names_joined(c->arena, levels->p, n), e)) {
            *taken = n;
            return true;
        }
        if (e->code != ERR_NOT_FOUND || n == 1)
            return false;
    }
    return err_set(e, ERR_INVALID, "the name has too few levels");
}

struct sv catalog_name(const struct catalog *c)
{
    return c->name;
}

/* ---- tables ---- */

/* "PREFIX/namespaces", and the namespace behind it. */
static struct buf namespaces_path(struct catalog *c, const struct sv_vec *ns)
{
    struct buf b = buf_new(c->arena, LIMIT_HTTP_TARGET_BYTES);

    buf_addf(&b, SV_FMT "/namespaces", SV_ARG(c->prefix));
    for (size_t i = 0; i < ns->n; i++) {
        buf_add(&b, i ? SV("%1F") : SV("/"));
        uri_encode(&b, ns->p[i], SV(""));
    }
    return b;
}

static bool fits(const struct buf *path, struct err *e)
{
    return !path->over || err_set(e, ERR_INVALID, "the name is too long");
}

bool catalog_load(struct catalog *c, const struct sv_vec *ns, struct sv table, struct arena *a,
                  struct json **out, struct err *e)
{
    struct buf path = namespaces_path(c, ns);

    buf_add(&path, SV("/tables/"));
    uri_encode(&path, table, SV(""));
    return fits(&path, e) && get(c, buf_sv(&path), a, out, e);
}

/* ---- lists ---- */

struct listing {
    struct catalog *catalog;
    struct arena *arena;
    struct listed_vec *out;
    struct namespaces VEC(struct sv_vec) found; /* those to be looked into */
};

/* One entry of a page; `in` is the namespace that was asked for. */
typedef void entry_fn(struct listing *l, const struct sv_vec *in, const struct json *entry);

struct pages {
    struct buf path;
    struct sv member; /* of the answer: the list */
    entry_fn *entry;
    char joint; /* before the first parameter */
};

/* Page after page. A token that has been followed before would lead round for ever. */
static bool each_page(struct listing *l, const struct sv_vec *in, struct pages *p, struct err *e)
{
    struct map followed = map_new(l->arena);
    struct sv token = {0};

    for (;;) {
        const struct json *list;
        struct json *answer = NULL;
        struct sv path = arena_printf(l->arena, SV_FMT "%cpageSize=%d&pageToken=" SV_FMT,
                                      SV_ARG(buf_sv(&p->path)), p->joint, PAGE_ENTRIES,
                                      SV_ARG(uri_encoded(l->arena, token)));

        if (!fits(&p->path, e) || !get(l->catalog, path, l->arena, &answer, e))
            return false;
        list = json_get(answer, p->member);
        for (size_t i = 0; i < json_count(list); i++)
            p->entry(l, in, json_at(list, i));
        token = json_get_str(answer, SV("next-page-token"));
        if (!token.n || map_put(&followed, token, l))
            return true;
    }
}

static void take_name(struct listing *l, const struct sv_vec *in, const struct json *entry,
                      bool is_view)
{
    struct sv name = json_get_str(entry, SV("name"));

    if (name.n)
        vec_push(l->out, l->arena, ((struct listed){*in, name, is_view}));
}

static void take_table(struct listing *l, const struct sv_vec *in, const struct json *entry)
{
    take_name(l, in, entry, false);
}

static void take_view(struct listing *l, const struct sv_vec *in, const struct json *entry)
{
    take_name(l, in, entry, true);
}

/* Only what is right below, or a server could send us down for ever. */
static void take_namespace(struct listing *l, const struct sv_vec *in, const struct json *entry)
{
    struct sv_vec levels = {0};

    if (json_count(entry) != in->n + 1 || in->n >= LIMIT_NAMESPACE_LEVELS)
        return;
    for (size_t i = 0; i < json_count(entry); i++)
        vec_push(&levels, l->arena, json_str(json_at(entry, i), (struct sv){0}));
    vec_push(&l->found, l->arena, levels);
}

static bool list_below(struct listing *l, const struct sv_vec *ns, struct err *e)
{
    struct pages p = {buf_new(l->arena, LIMIT_HTTP_TARGET_BYTES), SV("namespaces"), take_namespace,
                      '?'};

    buf_addf(&p.path, SV_FMT "/namespaces", SV_ARG(l->catalog->prefix));
    for (size_t i = 0; i < ns->n; i++) {
        buf_add(&p.path, i ? SV("%1F") : SV("?parent="));
        uri_encode(&p.path, ns->p[i], SV(""));
        p.joint = '&';
    }
    return each_page(l, ns, &p, e);
}

static bool list_names(struct listing *l, const struct sv_vec *ns, bool views, struct err *e)
{
    struct pages p = {namespaces_path(l->catalog, ns), SV("identifiers"),
                      views ? take_view : take_table, '?'};

    buf_add(&p.path, views ? SV("/views") : SV("/tables"));
    return each_page(l, ns, &p, e);
}

/* A list below that is denied, or was dropped meanwhile, is left out and counted. */
static bool left_out(bool ok, size_t *refused, struct err *e)
{
    if (!ok && e->code != ERR_DENIED && e->code != ERR_NOT_FOUND)
        return false;
    *refused += ok ? 0 : 1;
    return true;
}

bool catalog_list(struct catalog *c, const struct sv_vec *ns, struct arena *a,
                  struct listed_vec *out, size_t *refused, struct err *e)
{
    struct listing l = {.catalog = c, .arena = a, .out = out};

    if (!(ns->n ? list_names(&l, ns, false, e) : list_below(&l, ns, e)))
        return false;
    if (ns->n && !(left_out(list_names(&l, ns, true, e), refused, e) &&
                   left_out(list_below(&l, ns, e), refused, e)))
        return false;
    for (size_t i = 0; i < l.found.n; i++) {
        const struct sv_vec below = l.found.p[i];

        if (!left_out(list_names(&l, &below, false, e), refused, e) ||
            !left_out(list_names(&l, &below, true, e), refused, e) ||
            !left_out(list_below(&l, &below, e), refused, e))
            return false;
    }
    return true;
}
