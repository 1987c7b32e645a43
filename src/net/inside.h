/* inside.h - the server from within; shared by http_server.c, http_connection.c, http_tell.c and
 * tls_files.c only. */
#ifndef NET_INSIDE_H
#define NET_INSIDE_H

#include <libwebsockets.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <uv.h>

#include "net/http_server.h"
#include "wire/http1.h"

/* A connection's state is the list it sits on; each list is sorted by when its members entered it.
 */
enum connection_state {
    CONN_IDLE,    /* between requests */
    CONN_HEAD,    /* a request's head has begun */
    CONN_BODY,    /* its body is coming */
    CONN_BUSY,    /* the handler has the turn, or lws is about to close it */
    CONN_BLOCKED, /* the client does not read what we write */
    CONN_LINGER,  /* said all; reading the rest of what comes, so that the client sees the answer */
    CONN_STATE_COUNT
};

struct http_connection {
    struct http_connection *prev, *next; /* in the list of its state */
    enum connection_state state;
    int64_t since_ms; /* when it entered that list */
    struct http_loop *loop;
    struct lws *wsi;
    struct http_turn *turn; /* the one being read, or the handler's; or NULL */
    struct http1 reading;
    struct arena arena; /* of `in` */
    struct buf in;      /* what has come and was not taken yet */
    struct sv peer;
    char peer_text[48];
    bool busy; /* the handler has the turn; the client may be blocked meanwhile */
    bool tls, taking, closing, dead;
};

struct connection_list {
    struct http_connection *first, *last;
};

struct listening {
    struct http_loop *loop;
    struct lws_vhost *vhost;
    struct lws *wsi;
    int fd;
    SSL_CTX *ctx;  /* lws's */
    SSL_CTX *pair; /* holds the certificate and key in force */
    bool wrong;    /* the files, when last read, were no pair */
    bool tls;
    bool paused; /* until the next tick: nothing can be accepted */
    struct stat cert_seen, key_seen;
};

struct http_loop {
    struct http_server *server;
    unsigned index;
    pthread_t thread;
    uv_loop_t uv;
    uv_timer_t timer;
    struct lws_context *context;
    struct listening *listening; /* as many as the server has listeners */
    size_t making;               /* which of them a vhost is being made for */
    struct mailbox mailbox;
    void *state; /* the handler's */
    struct connection_list lists[CONN_STATE_COUNT];
    unsigned connections, turns;
    struct arena arena; /* of `out` */
    struct buf out;     /* replies on their way to one lws_write, behind LWS_PRE bytes */
    struct buf late;    /* the same for replies from outside a receive callback */
    struct sv date;
    char date_text[40];
    int64_t date_s;
    struct arena turns_arena;
    struct http_turn *made;  /* every turn there is, by `made_before` */
    struct http_turn *spare; /* those to be used again, by `next_spare` */
    bool stopping;
    int64_t stop_by_ms;
};

struct http_server {
    struct arena arena;
    struct http_server_options options;
    struct http_loop *loops;
    struct sv *addresses;
    unsigned char ticket_keys[80];
};

/* ---- http_tell.c ---- */
void loop_tell(struct http_loop *l, const char *what, const struct err *e);
void loop_count_status(int status);
/* What came was no whole request, and has been answered so. */
void loop_refused(const struct http_connection *c, int status, const char *why);

/* ---- http_connection.c ---- */
int connection_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t n);
void connections_sweep(struct http_loop *l, int64_t now_ms);
void connections_close_idle(struct http_loop *l);
void loop_render_date(struct http_loop *l);

/* ---- tls_files.c ---- */
/* Reads the pair again when either file has changed; a pair that does not fit leaves the old one in
 * force, and is told. */
void tls_files_follow(struct listening *g, const struct http_listener *o);
void tls_share_tickets(const struct http_server *s, SSL_CTX *ctx);

#endif
