/*
 * http_client.h - HTTP requests that we send; the only door to libcurl.
 *
 * One waits (http_do), the other does not (http_multi). Neither follows redirects, neither reads
 * proxies or .netrc from the environment unless told, both refuse answers past `max_bytes`.
 * Failures of the connection, timeouts and cut answers are ERR_UNAVAILABLE; an HTTP status is never
 * an error here.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "base/err.h"
#include "base/secret.h"
#include "wire/http.h"

/* How a server proves itself and how we do; copied by reference, must outlive the requests. */
struct http_tls {
    struct sv ca_pem;          /* empty: the system's */
    struct sv client_cert_pem; /* empty: none */
    struct secret client_key_pem;
    struct sv server_name; /* verified instead of the URL's host when set */
    bool insecure;         /* do not verify: insecure-skip-tls-verify */
};

struct http_options {
    int timeout_ms;         /* the whole exchange; 0: none, for watches */
    int connect_timeout_ms; /* 0: 10 s */
    int silence_timeout_ms; /* abort when no byte came for so long; 0: off */
    size_t max_bytes;       /* of the body; 0: LIMIT_RESPONSE_BYTES */
    bool larger_is_invalid; /* a 2xx answer past max_bytes is ERR_INVALID: it stays so */
    const struct http_tls *tls;
    struct sv proxy; /* URL, or empty: none */
    bool compressed; /* ask for gzip */
    /* Streaming: called with each piece of a 2xx body instead of collecting it. False aborts. */
    bool (*chunk)(struct sv piece, void *context);
    void *context;
};

/* One thread's client: keeps connections. */
struct http_client;
struct http_client *http_client_new(struct arena *a);
/* Breaks a request of this client off, as ERR_UNAVAILABLE, when `over` says so. It is asked again
 * and again while a request runs, at least once a second. */
void http_client_until(struct http_client *c, bool (*over)(void *context), void *context);
MUST_CHECK bool http_do(struct http_client *c, const struct http_request *req,
                        const struct http_options *o, struct arena *a, struct http_response *out,
                        struct err *e);

/* Many at a time on one thread, without waiting. */
struct http_multi;
struct http_transfer; /* one request under way */
struct http_multi *http_multi_new(struct arena *a);
/*
 * The answer comes to `done` on the thread that polls, exactly once unless cancelled; `e` is NULL
 * on success. `req` and the answer live in `a`, which the caller keeps until then. Never calls back
 * from within.
 */
typedef void http_done_fn(struct http_response *r, const struct err *e, void *context);
struct http_transfer *http_multi_start(struct http_multi *m, const struct http_request *req,
                                       const struct http_options *o, struct arena *a,
                                       http_done_fn *done, void *context);
/* No callback will come. */
void http_multi_cancel(struct http_multi *m, struct http_transfer *t);
/* Moves everything forward; sleeps at most `timeout_ms` when there is nothing to do. */
void http_multi_poll(struct http_multi *m, int timeout_ms);
/* From any thread: ends a sleep. */
void http_multi_wake(struct http_multi *m);

#endif
