/* http_connection.c - one client's bytes: requests in, replies out, deadlines. */
#include <arpa/inet.h>
#include <assert.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "base/metric.h"
#include "net/inside.h"
#include "wire/time.h"

enum { LINGER_MS = 2000, KEEP_OUT_BYTES = 1024 * 1024 };

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

/* lws looks at its timeouts after an event of its own: on a quiet loop there is none, so we make
 * one. */
static void hang_up(struct http_connection *c)
{
    c->closing = true;
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    lws_cancel_service(c->loop->context);
}

/* ---- writing ---- */

void loop_render_date(struct http_loop *l)
{
    auto_arena a = {0};
    int64_t wall_ms = world_wall_ms(l->server->options.world);

    if (wall_ms / 1000 == l->date_s)
        return;
    l->date_s = wall_ms / 1000;
    (void)snprintf(l->date_text, sizeof(l->date_text), SV_FMT,
                   SV_ARG(time_text(&a, wall_ms, TIME_HTTP)));
    l->date = sv_from(l->date_text);
}

static void begin_output(struct buf *b)
{
    static const char room[LWS_PRE] = {0};

    buf_clear(b);
    buf_add(b, sv_of(room, LWS_PRE));
}

/* All that was gathered, in one write. What the kernel does not take, lws keeps; until it is gone
 * we read nothing. */
static void flush(struct http_connection *c, struct buf *b)
{
    struct http_loop *l = c->loop;

    if (b->n > LWS_PRE && !c->dead) {
        if (lws_write(c->wsi, (unsigned char *)b->p + LWS_PRE, b->n - LWS_PRE, LWS_WRITE_RAW) < 0) {
            c->dead = true;
        } else if (lws_partial_buffered(c->wsi)) {
            if (c->state != CONN_BLOCKED)
                move(c, CONN_BLOCKED, now(l));
            (void)lws_rx_flow_control(c->wsi, 0);
            (void)lws_callback_on_writable(c->wsi);
        }
    }
    begin_output(b);
}

/* A buffer that once held a large reply is not kept for ever. */
static void trim_outputs(struct http_loop *l)
{
    if (l->out.cap + l->late.cap < KEEP_OUT_BYTES)
        return;
    arena_done(&l->arena);
    l->out = buf_new(&l->arena, LIMIT_REPLY_BYTES);
    l->late = buf_new(&l->arena, LIMIT_REPLY_BYTES);
    begin_output(&l->out);
    begin_output(&l->late);
}

/* A socket that is closed with bytes unread is reset, and the client may lose our last answer: we
 * say that we are done, and read on until the client is. */
static void begin_closing(struct http_connection *c)
{
    c->closing = true;
    if (c->state == CONN_BLOCKED)
        return;
    if (c->dead) {
        hang_up(c);
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
    http1_write(out, &r, c->loop->date, false, false);
    loop_refused(c, status, why);
    c->closing = true;
}

/* ---- turns ---- */

static struct http_turn *take_turn(struct http_connection *c)
{
    struct http_loop *l = c->loop;
    struct http_turn *t = l->spare;

    if (t) {
        l->spare = t->next_spare;
    } else {
        t = arena_new(&l->turns_arena, struct http_turn);
        t->made_before = l->made;
        l->made = t;
    }
    *t = (struct http_turn){
        .loop = l, .connection = c, .over_tls = c->tls, .made_before = t->made_before};
    l->turns++;
    return t;
}

static void end_turn(struct http_turn *t)
{
    struct http_loop *l = t->loop;

    arena_done(&t->arena);
    t->begun = false;
    t->next_spare = l->spare;
    l->spare = t;
    l->turns--;
}

static struct sv moved(struct sv v, ptrdiff_t by)
{
    return v.p ? sv_of(v.p + by, v.n) : v;
}

/* The receive buffer is used again at once: the request gets a copy of its own. */
static void own_request(struct http_turn *t, const struct http1 *h, struct sv bytes)
{
    const char *copy = arena_dup(&t->arena, sv_first(bytes, h->used)).p;
    ptrdiff_t by = copy - bytes.p;
    bool in_place = h->request.body.p >= bytes.p && h->request.body.p <= bytes.p + bytes.n;

    t->request = h->request;
    t->request.target = moved(h->request.target, by);
    for (size_t i = 0; i < t->request.headers.n; i++) {
        struct http_header *f = &t->request.headers.p[i];

        f->name = moved(f->name, by);
        f->value = moved(f->value, by);
    }
    if (in_place)
        t->request.body = moved(h->request.body, by);
    t->keep_alive = h->keep_alive;
    t->is_head = h->is_head;
}

/* Hands the request at the front to the handler; it may be answered before this returns. */
static void begin_turn(struct http_connection *c, struct sv bytes, int64_t now_ms)
{
    struct http_loop *l = c->loop;
    struct http_turn *t = c->turn;

    own_request(t, &c->reading, bytes);
    /* The connection may end before the turn. */
    t->peer = arena_dup(&t->arena, c->peer);
    t->mono_ms = now_ms;
    t->wall_ms = world_wall_ms(l->server->options.world);
    c->reading = (struct http1){0};
    c->busy = t->begun = true;
    move(c, CONN_BUSY, now_ms);
    l->server->options.handler->request(t, l->state);
}

static void wait_for_more(struct http_connection *c, int64_t now_ms)
{
    bool in_body = c->reading.request.target.n != 0;
    enum connection_state want = in_body ? CONN_BODY : CONN_HEAD;

    if (c->state != want && c->state != CONN_BLOCKED)
        move(c, want, now_ms);
}

/* Takes whole requests off the front, as long as each is answered at once. Returns how much was
 * taken. */
static size_t take_requests(struct http_connection *c, struct sv bytes)
{
    int64_t now_ms = now(c->loop);
    size_t taken = 0;

    c->taking = true;
    while (!c->closing && c->state != CONN_BLOCKED && !c->busy && taken < bytes.n) {
        struct sv rest = sv_skip(bytes, taken);
        enum http1_result r;
        size_t used;

        if (!c->turn)
            c->turn = take_turn(c);
        r = http1_read(&c->reading, rest, &c->turn->arena);
        used = c->reading.used;
        if (r == HTTP1_REQUEST) {
            taken += used;
            begin_turn(c, rest, now_ms);
            continue;
        }
        if (r == HTTP1_CONTINUE) {
            buf_add(&c->loop->out, SV("HTTP/1.1 100 Continue\r\n\r\n"));
            c->reading.continued = true;
        } else if (r == HTTP1_REFUSED) {
            refuse(c, &c->loop->out, c->reading.status, c->reading.why);
        }
        wait_for_more(c, now_ms);
        break;
    }
    c->taking = false;
    flush(c, &c->loop->out);
    if (c->closing)
        begin_closing(c);
    return taken;
}

/* What was not taken waits in the connection; memory goes back when nothing does. */
static void keep(struct http_connection *c, struct sv rest)
{
    if (!c->in.arena) {
        if (!rest.n)
            return;
        c->in = buf_new(&c->arena, LIMIT_HTTP_HEAD_BYTES + 2 * (size_t)LIMIT_HTTP_BODY_BYTES);
    }
    buf_add(&c->in, rest);
}

static void forget(struct http_connection *c, size_t taken)
{
    buf_drop(&c->in, taken);
    if (c->in.n == 0) {
        arena_done(&c->arena);
        c->in = (struct buf){0};
    }
}

static int receive(struct http_connection *c, struct sv bytes)
{
    if (c->closing)
        return 0;
    if (c->in.arena) {
        keep(c, bytes);
        forget(c, take_requests(c, buf_sv(&c->in)));
    } else {
        keep(c, sv_skip(bytes, take_requests(c, bytes)));
    }
    /* A client may close its side behind a whole request (RFC 9112, 9.6). lws takes that for the
     * end of the connection, so we do not let it see it while an answer is due. */
    if (c->busy)
        (void)lws_rx_flow_control(c->wsi, 0);
    trim_outputs(c->loop);
    return c->dead ? -1 : 0;
}

/* Nobody stands in the way any more: what the client sent ahead is looked at, and unless that
 * begins a turn, what it sends now. */
static void go_on(struct http_connection *c)
{
    if (c->in.arena)
        forget(c, take_requests(c, buf_sv(&c->in)));
    if (!c->busy && c->state != CONN_BLOCKED)
        (void)lws_rx_flow_control(c->wsi, 1);
}

/* A reply that came later: written now. */
static void resume(struct http_connection *c)
{
    flush(c, &c->loop->late);
    if (c->closing) {
        begin_closing(c);
        return;
    }
    if (c->state == CONN_BLOCKED)
        return;
    go_on(c);
    if (c->dead)
        hang_up(c);
    trim_outputs(c->loop);
}

void http_turn_reply(struct http_turn *t, const struct http_response *r)
{
    struct http_connection *c = t->connection;

    loop_count_status(r->status);
    if (c) {
        struct buf *out = c->taking ? &c->loop->out : &c->loop->late;
        bool keep_alive = t->keep_alive && !c->loop->stopping;

        http1_write(out, r, c->loop->date, keep_alive, t->is_head);
        c->closing = c->closing || !keep_alive || out->over;
        c->turn = NULL;
        c->busy = false;
        if (c->state != CONN_BLOCKED)
            move(c, CONN_IDLE, t->mono_ms);
    }
    end_turn(t);
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
    if (c->busy) {
        c->turn->connection = NULL;
        atomic_store(&c->turn->gone, true);
    } else if (c->turn) {
        end_turn(c->turn);
    }
    c->turn = NULL;
    arena_done(&c->arena);
    c->loop = NULL;
}

/* lws has written what it kept. */
static int writable(struct http_connection *c)
{
    if (!c->loop || c->state != CONN_BLOCKED)
        return 0;
    if (lws_partial_buffered(c->wsi)) {
        (void)lws_callback_on_writable(c->wsi);
        return 0;
    }
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
    case LWS_CALLBACK_RAW_RX:
        return c->loop ? receive(c, sv_of(in, n)) : -1;
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
        flush(c, &c->loop->late);
        begin_closing(c);
        return;
    }
    /* Else lws would go on writing what it keeps, for a client that begins to read now. */
    if (c->state == CONN_BLOCKED)
        (void)shutdown(lws_get_socket_fd(c->wsi), SHUT_RDWR);
    /* Out of the way of the next sweep; lws closes it on its own time. */
    move(c, CONN_BUSY, now_ms);
    hang_up(c);
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
            hang_up(c);
        }
    }
}
