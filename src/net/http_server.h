/*
 * http_server.h - listening: one thread, one libwebsockets context, one libuv loop per core.
 *
 * The only file that knows libwebsockets. It carries bytes through the raw-skt role, reads them
 * with wire/http1 and hands each request to the loop's handler as a `turn`. A turn is answered on
 * its loop, at once or later; nothing is read from its client until then. One that closed its side
 * behind the request gets its answer; one that hung up changes nothing for the handler: the answer
 * is dropped and the turn ends as usual.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include <stdatomic.h>

#include "base/err.h"
#include "base/shares.h"
#include "base/world.h"
#include "net/mailbox.h"
#include "wire/http.h"

struct http_server;
struct http_loop;
struct http_connection;

/* One request and its reply. Lives until http_turn_reply returns. */
struct http_turn {
    struct arena arena; /* everything of this request, and whatever the handler adds */
    struct http_request request;
    struct sv peer; /* the client's address, numeric */
    bool over_tls;
    int64_t wall_ms, mono_ms; /* read once, when the request arrived */
    struct http_loop *loop;
    struct http_connection *connection; /* NULL once the client has hung up */
    _Atomic bool gone; /* the client has hung up: for those at work on other threads */
    bool keep_alive, is_head;
    void *state; /* the handler's, while it has the turn */
    /* Whom the memory of its body and of its reply is charged to: set by the handler, in its own
     * words, when it knows who asks; empty: the peer. */
    struct sv owner;

    /* The server's own. */
    struct arena input;                /* what the request stands in, where it was large */
    size_t charged_bytes, reply_bytes; /* the second: of a reply, part of the first */
    bool begun;                        /* handed over and not answered yet */
    struct http_turn *made_before, *next_spare;
};

/* Answers and ends the turn; `t` is gone afterwards. On the turn's loop only. */
void http_turn_reply(struct http_turn *t, const struct http_response *r);

/* Charges `n` bytes more to the turn's owner until the turn ends. False: its share is used up. The
 * thread that has the turn. */
MUST_CHECK bool http_turn_charge(struct http_turn *t, size_t n);
/* Whether a reply with a body of that size may be kept until the client has read it. A reply that
 * was not asked about becomes 503 where it may not. */
MUST_CHECK bool http_turn_has_room(struct http_turn *t, size_t body);

/* Bytes that made no request, or none in time: answered with this and closed. */
struct http_refusal {
    struct sv peer;
    int status;
    const char *why; /* a constant sentence */
    int64_t wall_ms;
};

struct http_handler {
    /* Once per loop, on its thread, before anything else; returns the loop's own state. */
    void *(*start)(struct http_loop *loop, void *context);
    /* A request's head, when its body has not come yet: how many bytes of that are read at most. Or
     * 0 after a reply, and the connection ends. `request` follows with the same turn when all is
     * there; until then nothing is kept but `owner`. NULL: LIMIT_HTTP_BODY_BYTES. */
    size_t (*head)(struct http_turn *t, void *state);
    /* A whole request. Must lead to exactly one http_turn_reply, now or later. */
    void (*request)(struct http_turn *t, void *state);
    /* What was refused before it was a request. */
    void (*refused)(const struct http_refusal *r, void *state);
    /* Once a second. */
    void (*tick)(int64_t mono_ms, void *state);
    /* What an operator should know, to be logged: trouble, or with `e` NULL a change. */
    void (*tell)(const char *what, const struct err *e, void *state);
    /* A turn that was not answered when the grace was over, during http_server_free. It must not be
     * answered any more. */
    void (*drop)(struct http_turn *t, void *state);
    /* The last of all, during http_server_free. */
    void (*stop)(void *state);
    void *context;
};

/* Hand things to a loop: its messages are delivered with `state` as the receiver. */
struct mailbox *http_loop_mailbox(struct http_loop *loop);
unsigned http_loop_index(const struct http_loop *loop);

struct http_listener {
    struct sv address;                     /* "127.0.0.1:0", "[::1]:8443", ":8181" */
    struct sv tls_cert_file, tls_key_file; /* both or none; read again when they change */
};

struct http_server_options {
    const struct http_listener *listeners;
    size_t n_listeners;
    unsigned loops;
    const struct http_handler *handler;
    const struct world *world;
    struct shares
        *memory; /* bytes that peers and callers may make it hold; NULL: LIMIT_HTTP_MEMORY */
    unsigned
        max_connections; /* per loop; 0: LIMIT_CONNECTIONS. One more is answered 503 and closed */
};

/* Binds everything, starts the threads, returns when every loop runs. */
MUST_CHECK bool http_server_start(const struct http_server_options *o, struct http_server **out,
                                  struct err *e);
/* The bound address of a listener, with the port that was picked: "127.0.0.1:41234". */
struct sv http_server_address(const struct http_server *s, size_t listener);
struct http_loop *http_server_loop(const struct http_server *s, unsigned index);
/* Stops accepting, lets turns in flight finish for at most `grace_ms`, ends the threads. What is
 * posted to the loops afterwards is not delivered. */
void http_server_stop(struct http_server *s, int grace_ms);
/* After http_server_stop, when no other thread will post to a loop or touch a turn any more: two
 * steps, because those who work for the turns end in between. */
void http_server_free(struct http_server *s);

#endif
