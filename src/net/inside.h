/* inside.h - the server from within; shared by http_server.c, http_connection.c, http_intake.c,
 * http_output.c, http_turn.c, http_tell.c and tls_files.c only. */
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

/* What has come and was not taken yet. Its memory grows with what comes, not with what is said to
 * come. */
struct intake {
    struct arena arena; /* of `p` alone */
    char *p;
    size_t n, cap; /* `cap` is charged */
    bool is_turns; /* charged to the turn's owner, not to the peer */
};

/* The body of a large reply, sent in pieces as the client reads. */
struct sending {
    struct arena arena; /* of both */
    struct sv rest, owner;
    size_t charged_bytes; /* 0: there is none */
};

struct http_connection {
    struct http_connection *prev, *next; /* in the list of its state */
    enum connection_state state;
    int64_t since_ms; /* when it entered that list */
    struct http_loop *loop;
    struct lws *wsi;
    struct http_turn *turn; /* the one being read, or the handler's; or NULL */
    struct http1 reading;
    struct intake in;
    struct sending sending;
    size_t kept_bytes; /* what lws keeps for a client that does not read; the peer's */
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
void connection_move(struct http_connection *c, enum connection_state state);
void connection_hang_up(struct http_connection *c);

/* ---- http_turn.c ---- */
struct http_turn *turn_take(struct http_connection *c);
void turn_end(struct http_turn *t);
/* All memory of a turn. */
void turn_release(struct http_turn *t);
/* The receive buffer is used again at once: the request gets a copy of its own. */
void turn_own_request(struct http_turn *t, const struct http1 *h, struct sv bytes);

/* ---- http_intake.c ---- */
/* False: the share of whoever pays is used up. */
MUST_CHECK bool intake_add(struct http_connection *c, struct sv more);
struct sv intake_sv(const struct http_connection *c);
void intake_drop(struct http_connection *c, size_t n);
void intake_release(struct http_connection *c);
/* Once the head has said who asks, the turn's owner pays. */
MUST_CHECK bool intake_admit(struct http_connection *c);
/* The memory becomes the turn's, whose request stands at the front; what stands behind it stays. */
MUST_CHECK bool intake_hand_over(struct http_connection *c, size_t used);

/* ---- http_output.c ---- */
void loop_render_date(struct http_loop *l);
void outputs_make(struct http_loop *l);
void outputs_trim(struct http_loop *l);
void connection_flush(struct http_connection *c, struct buf *b);
/* So much was gathered that it should be flushed before more is. */
bool output_is_full(const struct buf *out);
bool sending_is_large(size_t body);
/* False: the share of the turn's owner is used up. The head is flushed first. */
MUST_CHECK bool sending_begin(struct http_connection *c, struct http_turn *t, struct sv body);
void sending_go_on(struct http_connection *c);
/* Whether the client has taken all; else `writable` follows. */
bool output_is_gone(struct http_connection *c);
void output_release(struct http_connection *c);

/* ---- tls_files.c ---- */
/* Reads the pair again when either file has changed; a pair that does not fit leaves the old one in
 * force, and is told. */
void tls_files_follow(struct listening *g, const struct http_listener *o);
void tls_share_tickets(const struct http_server *s, SSL_CTX *ctx);

#endif
