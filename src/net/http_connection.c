/* http_connection.c - one client's bytes: requests in, replies out, deadlines. */
#include <arpa/inet.h>
#include <assert.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "base/metric.h"
#include "net/inside.h"

enum { LINGER_MS = 5000 };

static const int64_t state_ms[] = {
    [CONN_IDLE] = LIMIT_HTTP_IDLE_MS,    [CONN_HEAD] = LIMIT_HTTP_HEAD_MS,
    [CONN_BODY] = LIMIT_HTTP_BODY_MS,    [CONN_BUSY] = INT64_MAX,
    [CONN_BLOCKED] = LIMIT_HTTP_BODY_MS, [CONN_LINGER] = LINGER_MS,
};
static_assert(sizeof(state_ms) / sizeof(state_ms[0]) == CONN_STATE_COUNT, "a limit for each state");

/* ---- lists ---- */

static void leave(struct http_connection *c)
{
    struct connection_list *l = &c->loop->lists[c->state];

    if (c->prev)
        c->prev->next = c->next;
    else
        l->first = c->next;
    if (c->next)
        c->next->prev = c->prev;
    else
        l->last = c->prev;
}

static void join(struct http_connection *c, enum connection_state state, int64_t now_ms)
{
    struct connection_list *l = &c->loop->lists[state];

    c->state = state;
    c->since_ms = now_ms;
    c->next = NULL;
    c->prev = l->last;
    if (l->last)
        l->last->next = c;
    else
        l->first = c;
    l->last = c;
}

/* Entering the state it is in already begins its time anew; where that must not be, callers ask
 * first. */
static void move(struct http_connection *c, enum connection_state state, int64_t now_ms)
{
    leave(c);
    join(c, state, now_ms);
}

static int64_t now(const struct http_loop *l)
{
    return world_mono_ms(l->server->options.world);
}

void connection_move(struct http_connection *c, enum connection_state state)
{
    move(c, state, now(c->loop));
}

/* lws looks at its timeouts after an event of its own: on a quiet loop there is none, so we make
 * one. */
void connection_hang_up(struct http_connection *c)
{
    c->closing = true;
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    lws_cancel_service(c->loop->context);
}

/* ---- the end ---- */

/* A socket that is closed with bytes unread is reset, and the client may lose our last answer: we
 * say that we are done, and read on until the client is. */
static void begin_closing(struct http_connection *c)
{
    c->closing = true;
    if (c->state == CONN_BLOCKED)
        return;
    if (c->dead) {
        connection_hang_up(c);
        return;
    }
    move(c, CONN_LINGER, now(c->loop));
    if (c->tls)
        (void)SSL_shutdown(lws_get_ssl(c->wsi));
    (void)shutdown(lws_get_socket_fd(c->wsi), SHUT_WR);
    (void)lws_rx_flow_control(c->wsi, 1);
}

static void refuse(struct http_connection *c, struct buf *out, int status, const char *why)
{
    auto_arena a = {0};
    struct http_response r = {.status = status};

    r.body = arena_printf(
        &a, "{\"error\":{\"message\":\"%s\",\"type\":\"BadRequestException\",\"code\":%d}}", why,
        status);
    http_header_add(&r.headers, &a, SV("Content-Type"), SV("application/json"));
    if (status == 503)
        http_header_add(&r.headers, &a, SV("Retry-After"), SV("1"));
    http1_write(out, &r, c->loop->date, false, false);
    loop_refused(c, status, why);
    c->closing = true;
}

static void refuse_for_room(struct http_connection *c, struct buf *out)
{
    refuse(c, out, 503, "this caller has too much in memory already; try again");
}

/* ---- turns ---- */

static void set_turn(struct http_connection *c, int64_t now_ms)
{
    struct http_turn *t = c->turn;

    t->request = c->reading.request;
    t->keep_alive = c->reading.keep_alive;
    t->is_head = c->reading.is_head;
    /* The connection may end before the turn. */
    t->peer = arena_dup(&t->arena, c->peer);
    t->mono_ms = now_ms;
    t->wall_ms = world_wall_ms(c->loop->server->options.world);
}

/* Hands the request at the front to the handler; it may be answered before this returns. One whose
 * body was waited for stands in memory of its own, which goes along. */
static void begin_turn(struct http_connection *c, struct sv bytes, int64_t now_ms)
{
    struct http_loop *l = c->loop;
    struct http_turn *t = c->turn;
    bool admitted = c->reading.admitted, room = true;

    set_turn(c, now_ms);
    if (admitted)
        room = intake_hand_over(c, c->reading.used);
    else
        turn_own_request(t, &c->reading, bytes);
    c->reading = (struct http1){0};
    if (!room) {
        refuse_for_room(c, &l->out);
        return;
    }
    c->busy = t->begun = true;
    move(c, CONN_BUSY, now_ms);
    l->server->options.handler->request(t, l->state);
}

/* The head is there, the body is not: who asks for what decides whether it is read at all. */
static void ask_head(struct http_connection *c, int64_t now_ms)
{
    const struct http_handler *h = c->loop->server->options.handler;
    struct http_turn *t = c->turn;
    size_t max_body = LIMIT_HTTP_BODY_BYTES;

    set_turn(c, now_ms);
    t->keep_alive = false;
    if (h->head)
        max_body = h->head(t, c->loop->state);
    if (!max_body)
        return;
    t->request = (struct http_request){0};
    c->reading.admitted = true;
    c->reading.max_body = max_body;
    if (c->reading.expects)
        buf_add(&c->loop->out, SV("HTTP/1.1 100 Continue\r\n\r\n"));
}

static void wait_for_more(struct http_connection *c, int64_t now_ms)
{
    bool in_body = c->reading.request.target.n != 0;
    enum connection_state want = in_body ? CONN_BODY : CONN_HEAD;

    if (c->state != want && c->state != CONN_BLOCKED)
        move(c, want, now_ms);
}

/* What http1_read said of the bytes at the front, which are no whole request. */
static void take_part(struct http_connection *c, enum http1_result r, struct sv bytes,
                      int64_t now_ms)
{
    if (r == HTTP1_HEAD) {
        ask_head(c, now_ms);
        if (!c->reading.admitted)
            return;
        r = http1_read(&c->reading, bytes, &c->turn->arena);
    }
    if (r == HTTP1_REFUSED)
        refuse(c, &c->loop->out, c->reading.status, c->reading.why);
    wait_for_more(c, now_ms);
}

/* Takes whole requests off the front, as long as each is answered at once. Returns how much was
 * taken of what stands in the connection, or of `bytes` when nothing does. */
static size_t take_requests(struct http_connection *c, struct sv bytes)
{
    int64_t now_ms = now(c->loop);
    size_t taken = 0;

    while (!c->closing && c->state != CONN_BLOCKED && !c->busy && taken < bytes.n) {
        struct sv rest = sv_skip(bytes, taken);
        bool handed_over = c->reading.admitted;
        enum http1_result r;

        if (!c->turn)
            c->turn = turn_take(c);
        r = http1_read(&c->reading, rest, &c->turn->arena);
        if (r != HTTP1_REQUEST) {
            take_part(c, r, rest, now_ms);
            break;
        }
        taken += c->reading.used;
        begin_turn(c, rest, now_ms);
        if (handed_over) {
            bytes = intake_sv(c);
            taken = 0;
        }
        if (output_is_full(&c->loop->out))
            connection_flush(c, &c->loop->out);
    }
    return taken;
}

/* Looks at what stands in the connection and at what came now; the rest waits in the connection. */
static void take(struct http_connection *c, struct sv bytes)
{
    bool room = true;

    c->taking = true;
    if (c->in.n) {
        room = intake_add(c, bytes);
        if (room)
            intake_drop(c, take_requests(c, intake_sv(c)));
        room = room && intake_admit(c);
    } else {
        bytes = sv_skip(bytes, take_requests(c, bytes));
        room = intake_admit(c) && intake_add(c, bytes);
    }
    if (!room && !c->closing)
        refuse_for_room(c, &c->loop->out);
    c->taking = false;
    if (c->closing)
        intake_release(c);
    connection_flush(c, &c->loop->out);
    sending_go_on(c);
    if (c->closing)
        begin_closing(c);
}

static int receive(struct http_connection *c, struct sv bytes)
{
    if (c->closing)
        return 0;
    take(c, bytes);
    /* A client may close its side behind a whole request (RFC 9112, 9.6). lws takes that for the
     * end of the connection, so we do not let it see it while an answer is due. */
    if (c->busy)
        (void)lws_rx_flow_control(c->wsi, 0);
    outputs_trim(c->loop);
    return c->dead ? -1 : 0;
}

/* Nobody stands in the way any more: what the client sent ahead is looked at, and unless that
 * begins a turn, what it sends now. */
static void go_on(struct http_connection *c)
{
    if (c->in.n)
        take(c, (struct sv){0});
    if (!c->closing && !c->busy && c->state != CONN_BLOCKED)
        (void)lws_rx_flow_control(c->wsi, 1);
}

/* A reply that came later: written now. */
static void resume(struct http_connection *c)
{
    connection_flush(c, &c->loop->late);
    sending_go_on(c);
    if (c->closing) {
        begin_closing(c);
        return;
    }
    if (c->state == CONN_BLOCKED)
        return;
    go_on(c);
    if (c->dead)
        connection_hang_up(c);
    outputs_trim(c->loop);
}

static void write_reply(struct http_connection *c, struct http_turn *t,
                        const struct http_response *r)
{
    struct http_loop *l = c->loop;
    struct buf *out = c->taking ? &l->out : &l->late;
    bool keep_alive = t->keep_alive && !l->stopping;
    bool in_pieces = !t->is_head && sending_is_large(r->body.n);

    c->turn = NULL;
    c->busy = false;
    if (in_pieces && !sending_begin(c, t, r->body)) {
        refuse_for_room(c, out);
        return;
    }
    loop_count_status(r->status);
    http1_write(out, r, l->date, keep_alive, t->is_head || in_pieces);
    c->closing = c->closing || !keep_alive || out->over;
    if (c->state == CONN_BLOCKED)
        return;
    if (in_pieces)
        connection_move(c, CONN_BLOCKED);
    else
        move(c, CONN_IDLE, t->mono_ms);
}

void http_turn_reply(struct http_turn *t, const struct http_response *r)
{
    struct http_connection *c = t->connection;

    if (c)
        write_reply(c, t, r);
    else
        loop_count_status(r->status);
    turn_end(t);
    if (c && !c->taking)
        resume(c);
}

/* ---- events ---- */

static void set_peer(struct http_connection *c)
{
    struct sockaddr_storage at = {0};
    socklen_t n = sizeof(at);
    const void *address;

    if (getpeername(lws_get_socket_fd(c->wsi), (struct sockaddr *)&at, &n) != 0)
        return;
    address = at.ss_family == AF_INET6 ? (const void *)&((struct sockaddr_in6 *)&at)->sin6_addr
                                       : (const void *)&((struct sockaddr_in *)&at)->sin_addr;
    if (inet_ntop(at.ss_family, address, c->peer_text, sizeof(c->peer_text)))
        c->peer = sv_from(c->peer_text);
}

static void open_connection(struct http_connection *c, struct lws *wsi)
{
    c->loop = lws_context_user(lws_get_context(wsi));
    c->wsi = wsi;
    c->tls = lws_is_ssl(wsi);
    set_peer(c);
    join(c, CONN_HEAD, now(c->loop));
    c->loop->connections++;
    metric_add(METRIC_CONNECTIONS, 1);
}

static void close_connection(struct http_connection *c)
{
    if (!c->loop)
        return;
    leave(c);
    c->loop->connections--;
    metric_add(METRIC_CONNECTIONS, -1);
    intake_release(c);
    output_release(c);
    if (c->busy) {
        c->turn->connection = NULL;
        atomic_store(&c->turn->gone, true);
    } else if (c->turn) {
        turn_end(c->turn);
    }
    c->turn = NULL;
    c->loop = NULL;
}

/* lws has written what it kept. */
static int writable(struct http_connection *c)
{
    if (!c->loop || c->state != CONN_BLOCKED)
        return 0;
    sending_go_on(c);
    if (!output_is_gone(c))
        return 0;
    move(c, c->busy ? CONN_BUSY : CONN_IDLE, now(c->loop));
    if (c->closing) {
        begin_closing(c);
        return 0;
    }
    go_on(c);
    return c->dead ? -1 : 0;
}

int connection_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t n)
{
    struct http_connection *c = user;

    switch ((int)reason) {
    case LWS_CALLBACK_RAW_ADOPT:
        open_connection(c, wsi);
        return 0;
    case LWS_CALLBACK_RAW_RX: {
        int answer = c->loop ? receive(c, sv_of(in, n)) : -1;

        /* The library's buffer, which lies as it is until somebody sends as much again: tokens and
         * secrets stand in it. */
        explicit_bzero(in, n);
        return answer;
    }
    case LWS_CALLBACK_RAW_WRITEABLE:
        return writable(c);
    case LWS_CALLBACK_RAW_CLOSE:
        if (c)
            close_connection(c);
        return 0;
    default:
        return 0;
    }
}

/* ---- deadlines ---- */

static void time_out(struct http_connection *c, int64_t now_ms)
{
    if ((c->state == CONN_HEAD && c->in.n) || c->state == CONN_BODY) {
        refuse(c, &c->loop->late, 408, "the request did not come in time");
        connection_flush(c, &c->loop->late);
        begin_closing(c);
        return;
    }
    /* Else lws would go on writing what it keeps, for a client that begins to read now. */
    if (c->state == CONN_BLOCKED)
        (void)shutdown(lws_get_socket_fd(c->wsi), SHUT_RDWR);
    /* Out of the way of the next sweep; lws closes it on its own time. */
    move(c, CONN_BUSY, now_ms);
    connection_hang_up(c);
}

void connections_sweep(struct http_loop *l, int64_t now_ms)
{
    for (int s = 0; s < CONN_STATE_COUNT; s++) {
        struct http_connection *c;

        while (state_ms[s] != INT64_MAX && (c = l->lists[s].first) &&
               now_ms - c->since_ms >= state_ms[s])
            time_out(c, now_ms);
    }
}

void connections_close_idle(struct http_loop *l)
{
    int64_t now_ms = now(l);
    static const enum connection_state idle[] = {CONN_IDLE, CONN_HEAD, CONN_LINGER};

    for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
        while (l->lists[idle[i]].first) {
            struct http_connection *c = l->lists[idle[i]].first;

            move(c, CONN_BUSY, now_ms);
            connection_hang_up(c);
        }
    }
}
