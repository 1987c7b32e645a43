/* http_server.c - listening: sockets, threads, libwebsockets contexts on libuv loops. */
#include "net/http_server.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/metric.h"
#include "net/inside.h"

enum { RECEIVE_BYTES = 32 * 1024, BACKLOG = 4096 };

/* ---- accepting ---- */

/* One more than there may be: told so, at once, and sent away. */
static void turn_away(int fd, bool tls)
{
    static const char full[] =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
        "Connection: close\r\n\r\n";

    metric_add(METRIC_CONNECTIONS_REFUSED, 1);
    if (!tls)
        (void)send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(fd, SHUT_WR);
    (void)close(fd);
}

/* Out of descriptors or memory: the clients wait in the kernel, which would go on telling us so. We
 * listen again with the next tick, when connections may have ended. */
static void pause_listening(struct listening *g)
{
    struct err e = {0};

    (void)err_set(&e, ERR_UNAVAILABLE, "connections are not accepted for a second: %s",
                  strerrorname_np(errno));
    loop_tell(g->loop, "out of room", &e);
    g->paused = true;
    (void)lws_rx_flow_control(g->wsi, 0);
}

static void accept_all(struct listening *g)
{
    struct http_loop *l = g->loop;
    unsigned most = l->server->options.max_connections;

    for (;;) {
        lws_sock_file_fd_type at;
        int one = 1;
        int fd = accept4(g->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                pause_listening(g);
            return;
        }
        if (l->stopping || l->connections >= most) {
            turn_away(fd, g->tls);
            continue;
        }
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        at.sockfd = fd;
        /* On failure lws closes the descriptor itself. */
        (void)lws_adopt_descriptor_vhost(g->vhost,
                                         LWS_ADOPT_SOCKET | (g->tls ? LWS_ADOPT_ALLOW_SSL : 0), at,
                                         "connection", NULL);
    }
}

static int on_listener(struct lws *wsi, enum lws_callback_reasons reason, UNUSED void *user,
                       void *in, UNUSED size_t n)
{
    struct http_loop *l = lws_context_user(lws_get_context(wsi));

    switch ((int)reason) {
    case LWS_CALLBACK_RAW_RX_FILE: {
        struct listening *g = lws_get_opaque_user_data(wsi);

        if (g)
            accept_all(g);
        return 0;
    }
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
        l->listening[l->making].ctx = user;
        tls_share_tickets(l->server, user);
        return 0;
    default:
        (void)in;
        return 0;
    }
}

/* The bell rings for each protocol of each vhost, and once per accepted connection: the mailbox is
 * what counts. */
static int on_connection(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                         size_t n)
{
    if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED) {
        struct http_loop *l = lws_context_user(lws_get_context(wsi));

        mailbox_drain(&l->mailbox, l->state);
        return 0;
    }
    return connection_event(wsi, reason, user, in, n);
}

/* Without a large tx_packet_size lws cuts every write into 4 KB pieces and waits between them. */
static const struct lws_protocols protocols[] = {
    {"listener",   on_listener,   0,                              0,             0, NULL, 0      },
    {"connection", on_connection, sizeof(struct http_connection), RECEIVE_BYTES, 0, NULL, 1 << 26},
    {NULL,         NULL,          0,                              0,             0, NULL, 0      },
};

/* ---- sockets ---- */

/* "HOST:PORT", "[V6]:PORT", ":PORT". */
static bool split_address(struct sv address, struct arena *a, char **host, char **port,
                          struct err *e)
{
    ptrdiff_t colon = sv_rfind(address, ':');
    struct sv h;

    if (colon < 0)
        return err_set(e, ERR_INVALID, "listen address \"" SV_FMT "\": write ADDR:PORT",
                       SV_ARG(address));
    h = sv_first(address, (size_t)colon);
    if (sv_starts(h, SV("[")) && sv_ends(h, SV("]")))
        h = sv_of(h.p + 1, h.n - 2);
    *host = h.n ? arena_cstr(a, h) : NULL;
    *port = arena_cstr(a, sv_skip(address, (size_t)colon + 1));
    return true;
}

static int open_socket(const struct addrinfo *at)
{
    int one = 1, zero = 0;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    if (at->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static bool bind_address(struct sv address, int *out, struct err *e)
{
    auto_arena a = {0};
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM},
                    *at = NULL;
    char *host = NULL, *port = NULL;

    if (!split_address(address, &a, &host, &port, e))
        return false;
    if (getaddrinfo(host, port, &hints, &at) != 0)
        return err_set(e, ERR_INVALID, "listen address \"" SV_FMT "\": cannot be read",
                       SV_ARG(address));
    *out = -1;
    for (const struct addrinfo *i = at; i && *out < 0; i = i->ai_next)
        *out = open_socket(i);
    freeaddrinfo(at);
    if (*out < 0)
        return err_set(e, ERR_UNAVAILABLE, "cannot listen on \"" SV_FMT "\": %s", SV_ARG(address),
                       strerrordesc_np(errno));
    return true;
}

static struct sv bound_address(int fd, struct arena *a)
{
    struct sockaddr_storage at = {0};
    socklen_t n = sizeof(at);
    char host[64], port[16];

    if (getsockname(fd, (struct sockaddr *)&at, &n) != 0 ||
        getnameinfo((struct sockaddr *)&at, n, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return (struct sv){0};
    return at.ss_family == AF_INET6 ? arena_printf(a, "[%s]:%s", host, port)
                                    : arena_printf(a, "%s:%s", host, port);
}

/* ---- a loop ---- */

static bool make_vhost(struct http_loop *l, size_t i, struct err *e)
{
    const struct http_listener *o = &l->server->options.listeners[i];
    struct listening *g = &l->listening[i];
    struct lws_context_creation_info info = {.port = CONTEXT_PORT_NO_LISTEN_SERVER,
                                             .protocols = protocols};
    lws_sock_file_fd_type at;

    g->loop = l;
    g->tls = o->tls_cert_file.n != 0;
    l->making = i;
    info.vhost_name = arena_printf(&l->server->arena, "listener-%zu", i).p;
    if (g->tls) {
        info.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.alpn = "http/1.1";
        info.ssl_cert_filepath = arena_cstr(&l->server->arena, o->tls_cert_file);
        info.ssl_private_key_filepath = arena_cstr(&l->server->arena, o->tls_key_file);
    }
    g->vhost = lws_create_vhost(l->context, &info);
    if (!g->vhost)
        return err_set(e, ERR_INVALID,
                       "listener " SV_FMT ": certificate " SV_FMT " and key " SV_FMT
                       " cannot be used",
                       SV_ARG(o->address), SV_ARG(o->tls_cert_file), SV_ARG(o->tls_key_file));
    tls_files_follow(g, o);
    if (g->tls && !g->pair)
        return err_set(e, ERR_INVALID,
                       "listener " SV_FMT ": the certificate changed while starting",
                       SV_ARG(o->address));
    at.filefd = g->fd;
    g->wsi = lws_adopt_descriptor_vhost(g->vhost, LWS_ADOPT_RAW_FILE_DESC, at, "listener", NULL);
    if (!g->wsi)
        return err_set(e, ERR_INTERNAL, "listener " SV_FMT " was not taken", SV_ARG(o->address));
    lws_set_opaque_user_data(g->wsi, g);
    return true;
}

static void ring(void *bell)
{
    lws_cancel_service(((struct http_loop *)bell)->context);
}

static void on_second(uv_timer_t *timer)
{
    struct http_loop *l = timer->data;
    int64_t now_ms = world_mono_ms(l->server->options.world);

    loop_render_date(l);
    connections_sweep(l, now_ms);
    for (size_t i = 0; i < l->server->options.n_listeners; i++) {
        struct listening *g = &l->listening[i];

        tls_files_follow(g, &l->server->options.listeners[i]);
        if (g->paused)
            (void)lws_rx_flow_control(g->wsi, 1);
        g->paused = false;
    }
    if (l->server->options.handler->tick)
        l->server->options.handler->tick(now_ms, l->state);
}

static bool make_loop(struct http_server *s, struct http_loop *l, struct err *e)
{
    void *foreign[1] = {&l->uv};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_LIBUV |
                   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .foreign_loops = foreign,
        .pt_serv_buf_size = RECEIVE_BYTES,
        .user = l,
    };

    if (uv_loop_init(&l->uv) != 0)
        return err_set(e, ERR_INTERNAL, "no event loop");
    l->context = lws_create_context(&info);
    if (!l->context)
        return err_set(e, ERR_INTERNAL,
                       "libwebsockets gave no context; is its libuv plugin installed?");
    (void)uv_timer_init(&l->uv, &l->timer);
    l->timer.data = l;
    mailbox_init(&l->mailbox, ring, l);
    for (size_t i = 0; i < s->options.n_listeners; i++) {
        if (!make_vhost(l, i, e))
            return false;
    }
    return true;
}

static void *run_loop(void *argument)
{
    struct http_loop *l = argument;
    const struct http_handler *h = l->server->options.handler;

    outputs_make(l);
    loop_render_date(l);
    l->state = h->start(l, h->context);
    (void)uv_timer_start(&l->timer, on_second, 1000, 1000);
    (void)uv_run(&l->uv, UV_RUN_DEFAULT);
    return NULL;
}

/* ---- stopping ---- */

struct stop_message {
    struct message message;
    struct http_loop *loop;
    int grace_ms;
};

static void check_stopped(uv_timer_t *timer)
{
    struct http_loop *l = timer->data;

    connections_close_idle(l);
    if ((l->turns == 0 && l->connections == 0) ||
        world_mono_ms(l->server->options.world) >= l->stop_by_ms)
        uv_stop(&l->uv);
}

static void deliver_stop(struct message *m, UNUSED void *receiver)
{
    struct stop_message *stop = (struct stop_message *)m;
    struct http_loop *l = stop->loop;

    l->stopping = true;
    l->stop_by_ms = world_mono_ms(l->server->options.world) + stop->grace_ms;
    (void)uv_timer_start(&l->timer, check_stopped, 1, 20);
}

static void on_closed(UNUSED uv_handle_t *handle)
{
}

/* Turns that nobody answered; all others have gone with their connections. */
static void drop_turns(struct http_loop *l)
{
    const struct http_handler *h = l->server->options.handler;

    for (struct http_turn *t = l->made; t; t = t->made_before) {
        if (t->begun && h->drop)
            h->drop(t, l->state);
        turn_release(t);
    }
    if (h->stop)
        h->stop(l->state);
    arena_done(&l->turns_arena);
}

/* With a foreign loop lws closes its handles in turns of that loop. */
static void end_loop(struct http_loop *l)
{
    uv_close((uv_handle_t *)&l->timer, on_closed);
    lws_context_destroy(l->context);
    for (size_t i = 0; i < l->server->options.n_listeners; i++)
        SSL_CTX_free(l->listening[i].pair);
    for (int i = 0; i < 100 && uv_loop_close(&l->uv) != 0; i++)
        (void)uv_run(&l->uv, UV_RUN_NOWAIT);
    drop_turns(l);
    mailbox_done(&l->mailbox);
    arena_done(&l->arena);
}

void http_server_stop(struct http_server *s, int grace_ms)
{
    for (unsigned i = 0; i < s->options.loops; i++) {
        struct stop_message *m = arena_new(&s->arena, struct stop_message);

        m->message.deliver = deliver_stop;
        m->loop = &s->loops[i];
        m->grace_ms = grace_ms;
        mailbox_post(&s->loops[i].mailbox, &m->message);
    }
    for (unsigned i = 0; i < s->options.loops; i++)
        (void)pthread_join(s->loops[i].thread, NULL);
}

void http_server_free(struct http_server *s)
{
    struct arena last;

    for (unsigned i = 0; i < s->options.loops; i++)
        end_loop(&s->loops[i]);
    last = s->arena;
    arena_done(&last);
}

/* ---- starting ---- */

/* Every loop has its own socket on the same port; the kernel spreads connections over them. */
static bool bind_all(struct http_server *s, struct err *e)
{
    for (size_t i = 0; i < s->options.n_listeners; i++) {
        struct sv address = s->options.listeners[i].address;

        for (unsigned j = 0; j < s->options.loops; j++) {
            if (!bind_address(address, &s->loops[j].listening[i].fd, e))
                return false;
            /* Port 0 is picked once. */
            address = bound_address(s->loops[j].listening[i].fd, &s->arena);
        }
        s->addresses[i] = address;
    }
    return true;
}

static void copy_options(struct http_server *s, const struct http_server_options *o)
{
    struct http_listener *copy = arena_array(&s->arena, struct http_listener, o->n_listeners);

    s->options = *o;
    for (size_t i = 0; i < o->n_listeners; i++)
        copy[i] = (struct http_listener){arena_dup(&s->arena, o->listeners[i].address),
                                         arena_dup(&s->arena, o->listeners[i].tls_cert_file),
                                         arena_dup(&s->arena, o->listeners[i].tls_key_file)};
    s->options.listeners = copy;
    if (!s->options.memory) {
        s->options.memory = arena_new(&s->arena, struct shares);
        shares_init(s->options.memory, LIMIT_HTTP_MEMORY, &s->arena);
    }
    if (!s->options.max_connections)
        s->options.max_connections = LIMIT_CONNECTIONS;
    s->addresses = arena_array(&s->arena, struct sv, o->n_listeners);
    s->loops = arena_array(&s->arena, struct http_loop, o->loops);
    for (unsigned i = 0; i < o->loops; i++) {
        s->loops[i].server = s;
        s->loops[i].index = i;
        s->loops[i].listening = arena_array(&s->arena, struct listening, o->n_listeners);
    }
}

static void say_nothing(UNUSED int level, UNUSED const char *line)
{
}

bool http_server_start(const struct http_server_options *o, struct http_server **out, struct err *e)
{
    struct arena a = {0};
    struct http_server *s = arena_new(&a, struct http_server);

    s->arena = a;
    /* Its logger formats into one static buffer: two contexts would race. */
    lws_set_log_level(0, say_nothing);
    copy_options(s, o);
    world_random(o->world, s->ticket_keys, sizeof(s->ticket_keys));
    if (!bind_all(s, e))
        return false;
    for (unsigned i = 0; i < o->loops; i++) {
        if (!make_loop(s, &s->loops[i], e))
            return false;
    }
    for (unsigned i = 0; i < o->loops; i++) {
        int failed = pthread_create(&s->loops[i].thread, NULL, run_loop, &s->loops[i]);

        assert(!failed);
    }
    *out = s;
    return true;
}

struct sv http_server_address(const struct http_server *s, size_t listener)
{
    return s->addresses[listener];
}

struct http_loop *http_server_loop(const struct http_server *s, unsigned index)
{
    return &s->loops[index];
}

struct mailbox *http_loop_mailbox(struct http_loop *loop)
{
    return &loop->mailbox;
}

unsigned http_loop_index(const struct http_loop *loop)
{
    return loop->index;
}
