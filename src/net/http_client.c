/* http_client.c - HTTP requests that we send, on libcurl. */
#include "net/http_client.h"

#include <assert.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "wire/uri.h"

struct http_transfer {
    struct http_transfer *next, **link; /* in the multi's list */
    CURL *easy;
    struct curl_slist *lines, *connect_to;
    const struct http_options *options;
    struct http_options copy;
    struct arena *arena;
    struct http_response response;
    struct buf body;
    size_t head_bytes;
    bool whole_head; /* the empty line of the real answer's head has come */
    char problem[CURL_ERROR_SIZE];
    const char *why; /* set when we broke it off ourselves */
    bool (*over)(void *context);
    void *over_context;
    curl_off_t seen_bytes;
    int64_t seen_ms;
    http_done_fn *done;
    void *context;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
    CURLcode r = curl_global_init(CURL_GLOBAL_ALL);

    assert(r == CURLE_OK);
}

/* ---- what comes ---- */

static long status_of(const struct http_transfer *t)
{
    long status = 0;

    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* A line of the head, and its empty line; also what stands behind a chunked body, which we ignore.
 * A server that goes away in the middle of a head has given no answer: libcurl would take it for
 * one. */
static size_t on_header(char *line, size_t size, size_t n, void *context)
{
    struct http_transfer *t = context;
    struct sv text = sv_trim(sv_of(line, size * n)), name;

    if (t->whole_head)
        return size * n;
    t->head_bytes += size * n;
    if (t->head_bytes > LIMIT_RESPONSE_HEAD_BYTES) {
        t->why = "the answer's head is too large";
        return 0;
    }
    t->whole_head = !text.n && status_of(t) >= 200;
    if (sv_starts(text, SV("HTTP/"))) {
        /* A new head: an interim answer or the real one. */
        t->response.headers.n = 0;
    } else if (text.n && sv_cut(&text, ':', &name) && t->response.headers.n < LIMIT_HTTP_HEADERS) {
        http_header_add(&t->response.headers, t->arena, arena_dup(t->arena, name),
                        arena_dup(t->arena, sv_trim(text)));
    }
    return size * n;
}

static size_t take_body(struct http_transfer *t, struct sv piece)
{
    if (t->options->chunk && status_of(t) / 100 == 2) {
        if (t->options->chunk(piece, t->options->context))
            return piece.n;
        t->why = "the reader broke it off";
        return 0;
    }
    buf_add(&t->body, piece);
    if (!t->body.over)
        return piece.n;
    t->why = "the answer is too large";
    return 0;
}

/* The piece lies in libcurl's own buffer, which lives as long as the handle: Secrets and
 * credentials come this way. libcurl does not look at it again. */
static size_t on_body(char *bytes, size_t size, size_t n, void *context)
{
    size_t taken = take_body(context, sv_of(bytes, size * n));

    explicit_bzero(bytes, size * n);
    return taken;
}

static int on_progress(void *context, UNUSED curl_off_t total, curl_off_t got,
                       UNUSED curl_off_t up_total, curl_off_t up)
{
    struct http_transfer *t = context;
    curl_off_t elapsed_us = 0;
    int64_t now_ms;

    (void)curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &elapsed_us);
    now_ms = elapsed_us / 1000;
    if (got + up != t->seen_bytes) {
        t->seen_bytes = got + up;
        t->seen_ms = now_ms;
    }
    if (t->over && t->over(t->over_context))
        t->why = "it was broken off";
    else if (t->options->silence_timeout_ms &&
             now_ms - t->seen_ms >= t->options->silence_timeout_ms)
        t->why = "no byte came for too long";
    return t->why != NULL;
}

/* ---- setting up ---- */

static void set_blob(CURL *easy, CURLoption option, struct sv text)
{
    /* libcurl does not write to what it is told not to copy. */
    union {
        const char *in;
        void *out;
    } u = {.in = text.p};
    struct curl_blob blob = {.data = u.out, .len = text.n, .flags = CURL_BLOB_COPY};

    if (text.n)
        (void)curl_easy_setopt(easy, option, &blob);
}

/* The URL's host is what is verified; another address is reached by CONNECT_TO. */
static struct sv url_for(struct http_transfer *t, struct sv url, struct sv server_name)
{
    struct err ignored = {0};
    struct uri u;
    int port;

    if (!server_name.n || !uri_read(url, &u, &ignored))
        return url;
    port = u.port ? u.port : 443;
    t->connect_to =
        curl_slist_append(NULL, arena_printf(t->arena, SV_FMT ":%d:" SV_FMT ":%d",
                                             SV_ARG(server_name), port, SV_ARG(u.host), port)
                                    .p);
    (void)curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);
    return arena_printf(t->arena, SV_FMT "://" SV_FMT ":%d" SV_FMT "%s" SV_FMT, SV_ARG(u.scheme),
                        SV_ARG(server_name), port, SV_ARG(u.path), u.query.n ? "?" : "",
                        SV_ARG(u.query));
}

static void set_tls(struct http_transfer *t, const struct http_tls *tls)
{
    CURL *c = t->easy;

    set_blob(c, CURLOPT_CAINFO_BLOB, tls->ca_pem);
    set_blob(c, CURLOPT_SSLCERT_BLOB, tls->client_cert_pem);
    set_blob(c, CURLOPT_SSLKEY_BLOB, secret_reveal(tls->client_key_pem));
    if (tls->insecure) {
        (void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

static void set_method(struct http_transfer *t, const struct http_request *req)
{
    CURL *c = t->easy;
    struct sv method = http_method_text(req->method);

    if (req->method == HTTP_HEAD) {
        (void)curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    } else if (req->body.n || req->method == HTTP_POST || req->method == HTTP_PUT ||
               req->method == HTTP_PATCH) {
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, req->body.n ? req->body.p : "");
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body.n);
    }
    if (req->method != HTTP_HEAD)
        (void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, arena_cstr(t->arena, method));
}

/* A control byte becomes a blank: what is passed on from outside, a token out of a file or a
 * store's answer, must not begin a header, or a request, of its own. */
static struct sv one_line(struct arena *a, struct sv v)
{
    char *p = arena_cstr(a, v);

    for (size_t i = 0; i < v.n; i++) {
        if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
            p[i] = ' ';
    }
    return sv_of(p, v.n);
}

static void set_headers(struct http_transfer *t, const struct http_request *req)
{
    /* No wait for 100 Continue, and no type that we did not choose. */
    t->lines = curl_slist_append(t->lines, "Expect:");
    if (!http_header(&req->headers, SV("Content-Type")))
        t->lines = curl_slist_append(t->lines, "Content-Type:");
    for (size_t i = 0; i < req->headers.n; i++) {
        struct sv name = one_line(t->arena, req->headers.p[i].name);
        struct sv value = one_line(t->arena, req->headers.p[i].value);
        struct sv line =
            value.n ? arena_printf(t->arena, SV_FMT ": " SV_FMT, SV_ARG(name), SV_ARG(value))
                    : arena_printf(t->arena, SV_FMT ";", SV_ARG(name));

        t->lines = curl_slist_append(t->lines, line.p);
    }
    (void)curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->lines);
}

static void set_options(struct http_transfer *t, const struct http_options *o)
{
    CURL *c = t->easy;

    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
    (void)curl_easy_setopt(c, CURLOPT_PROXY, arena_cstr(t->arena, o->proxy));
    (void)curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    (void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
    (void)curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(c, CURLOPT_TCP_KEEPIDLE, 30L);
    (void)curl_easy_setopt(c, CURLOPT_TCP_KEEPINTVL, 15L);
    (void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)o->timeout_ms);
    (void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                           o->connect_timeout_ms ? (long)o->connect_timeout_ms : 10000L);
    if (o->compressed)
        (void)curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "gzip");
    (void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->problem);
    (void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    (void)curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
    (void)curl_easy_setopt(c, CURLOPT_NOPROGRESS, o->silence_timeout_ms || t->over ? 0L : 1L);
    (void)curl_easy_setopt(c, CURLOPT_PRIVATE, t);
}

static void prepare(struct http_transfer *t, const struct http_request *req,
                    const struct http_options *o, struct arena *a)
{
    struct sv url = req->target;

    t->arena = a;
    t->copy = *o;
    t->options = &t->copy;
    t->body = buf_new(a, o->max_bytes ? o->max_bytes : LIMIT_RESPONSE_BYTES);
    curl_easy_reset(t->easy);
    set_options(t, o);
    if (o->tls) {
        set_tls(t, o->tls);
        url = url_for(t, url, o->tls->server_name);
    }
    (void)curl_easy_setopt(t->easy, CURLOPT_URL, arena_cstr(a, url));
    set_method(t, req);
    set_headers(t, req);
}

/* The lists of a transfer that has ended. */
static void clear(struct http_transfer *t)
{
    curl_slist_free_all(t->lines);
    curl_slist_free_all(t->connect_to);
    t->lines = t->connect_to = NULL;
}

/* The outcome: a whole answer, or why there is none. A status with a cut body is none. */
static bool conclude(struct http_transfer *t, CURLcode code, struct err *e)
{
    bool stays_so = t->options->larger_is_invalid && t->body.over && status_of(t) / 100 == 2;

    clear(t);
    if (code == CURLE_OK && !t->whole_head)
        t->why = "the answer ended in its head";
    if (code != CURLE_OK || !t->whole_head)
        return err_set(e, stays_so ? ERR_INVALID : ERR_UNAVAILABLE, "no answer: %s",
                       t->why          ? t->why
                       : t->problem[0] ? t->problem
                                       : curl_easy_strerror(code));
    t->response.status = (int)status_of(t);
    t->response.body = buf_sv(&t->body);
    return true;
}

/* ---- one at a time ---- */

struct http_client {
    CURL *easy;
    bool (*over)(void *context);
    void *over_context;
};

static void close_easy(void *easy)
{
    curl_easy_cleanup(easy);
}

struct http_client *http_client_new(struct arena *a)
{
    struct http_client *c = arena_new(a, struct http_client);

    (void)pthread_once(&once, init_curl);
    c->easy = curl_easy_init();
    assert(c->easy);
    arena_defer(a, close_easy, c->easy);
    return c;
}

void http_client_until(struct http_client *c, bool (*over)(void *context), void *context)
{
    c->over = over;
    c->over_context = context;
}

bool http_do(struct http_client *c, const struct http_request *req, const struct http_options *o,
             struct arena *a, struct http_response *out, struct err *e)
{
    struct http_transfer *t = arena_new(a, struct http_transfer);

    t->easy = c->easy;
    t->over = c->over;
    t->over_context = c->over_context;
    prepare(t, req, o, a);
    if (!conclude(t, curl_easy_perform(c->easy), e))
        return false;
    *out = t->response;
    return true;
}

/* ---- many ---- */

enum { SPARE_HANDLES = 256 };

struct http_multi {
    CURLM *multi;
    struct http_transfer *running;
    CURL *spare[SPARE_HANDLES];
    size_t n_spare;
};

static void close_multi(void *object)
{
    struct http_multi *m = object;

    while (m->running)
        http_multi_cancel(m, m->running);
    while (m->n_spare)
        curl_easy_cleanup(m->spare[--m->n_spare]);
    (void)curl_multi_cleanup(m->multi);
}

struct http_multi *http_multi_new(struct arena *a)
{
    struct http_multi *m = arena_new(a, struct http_multi);

    (void)pthread_once(&once, init_curl);
    m->multi = curl_multi_init();
    assert(m->multi);
    (void)curl_multi_setopt(m->multi, CURLMOPT_MAXCONNECTS, 256L);
    arena_defer(a, close_multi, m);
    return m;
}

struct http_transfer *http_multi_start(struct http_multi *m, const struct http_request *req,
                                       const struct http_options *o, struct arena *a,
                                       http_done_fn *done, void *context)
{
    struct http_transfer *t = arena_new(a, struct http_transfer);

    t->easy = m->n_spare ? m->spare[--m->n_spare] : curl_easy_init();
    assert(t->easy);
    t->done = done;
    t->context = context;
    prepare(t, req, o, a);
    t->next = m->running;
    t->link = &m->running;
    if (t->next)
        t->next->link = &t->next;
    m->running = t;
    (void)curl_multi_add_handle(m->multi, t->easy);
    return t;
}

/* Takes a transfer out; its handle is kept for the next. */
static void retire(struct http_multi *m, struct http_transfer *t)
{
    (void)curl_multi_remove_handle(m->multi, t->easy);
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    if (m->n_spare < SPARE_HANDLES)
        m->spare[m->n_spare++] = t->easy;
    else
        curl_easy_cleanup(t->easy);
}

void http_multi_cancel(struct http_multi *m, struct http_transfer *t)
{
    retire(m, t);
    clear(t);
}

static void finish(struct http_multi *m, struct http_transfer *t, CURLcode code)
{
    struct err e = {0};
    bool ok = conclude(t, code, &e);

    retire(m, t);
    t->done(ok ? &t->response : NULL, ok ? NULL : &e, t->context);
}

void http_multi_poll(struct http_multi *m, int timeout_ms)
{
    int running = 0, left = 0;
    CURLMsg *message;

    (void)curl_multi_perform(m->multi, &running);
    while ((message = curl_multi_info_read(m->multi, &left))) {
        struct http_transfer *t = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        finish(m, t, message->data.result);
        timeout_ms = 0;
    }
    (void)curl_multi_poll(m->multi, NULL, 0, timeout_ms, NULL);
}

void http_multi_wake(struct http_multi *m)
{
    (void)curl_multi_wakeup(m->multi);
}
