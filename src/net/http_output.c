/* http_output.c - replies on their way to clients that read as fast as they like. */
#include "base/limits.h"
#include "net/inside.h"
#include "wire/time.h"

enum {
    LARGE_BYTES = 128 * 1024,      /* a body that goes out in pieces */
    PIECE_BYTES = 256 * 1024,      /* what lws may have to keep of one */
    ROUND_BYTES = 4 * 1024 * 1024, /* then the loop's other connections have their turn */
    KEEP_OUT_BYTES = 1024 * 1024
};

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

void outputs_make(struct http_loop *l)
{
    l->arena.wipe = true; /* replies hold tokens and credentials */
    l->out = buf_new(&l->arena, LIMIT_REPLY_BYTES);
    l->late = buf_new(&l->arena, LIMIT_REPLY_BYTES);
    begin_output(&l->out);
    begin_output(&l->late);
}

/* A buffer that once held large replies is not kept for ever. */
void outputs_trim(struct http_loop *l)
{
    if (l->out.cap + l->late.cap < KEEP_OUT_BYTES)
        return;
    arena_done(&l->arena);
    outputs_make(l);
}

static struct shares *memory_of(const struct http_connection *c)
{
    return c->loop->server->options.memory;
}

/* Nothing is read from a client that does not read. What lws keeps for it is its peer's; where the
 * peer has no share left, its connection ends. */
static void block(struct http_connection *c, size_t n)
{
    if (c->state != CONN_BLOCKED)
        connection_move(c, CONN_BLOCKED);
    (void)lws_rx_flow_control(c->wsi, 0);
    (void)lws_callback_on_writable(c->wsi);
    if (c->sending.charged_bytes || c->kept_bytes)
        return;
    if (shares_take(memory_of(c), c->peer, n))
        c->kept_bytes = n;
    else
        connection_hang_up(c);
}

/* All that was gathered, in one write. What the kernel does not take, lws keeps. */
void connection_flush(struct http_connection *c, struct buf *b)
{
    if (b->n > LWS_PRE && !c->dead) {
        if (lws_write(c->wsi, (unsigned char *)b->p + LWS_PRE, b->n - LWS_PRE, LWS_WRITE_RAW) < 0)
            c->dead = true;
        else if (lws_partial_buffered(c->wsi) || c->sending.rest.n)
            block(c, b->n - LWS_PRE);
    }
    begin_output(b);
}

bool output_is_full(const struct buf *out)
{
    return out->n > PIECE_BYTES;
}

/* ---- large bodies ---- */

bool sending_is_large(size_t body)
{
    return body > LARGE_BYTES;
}

bool sending_begin(struct http_connection *c, struct http_turn *t, struct sv body)
{
    struct sending *s = &c->sending;

    if (!http_turn_has_room(t, body.n))
        return false;
    s->arena.wipe = true;
    s->rest = arena_dup(&s->arena, body);
    s->owner = arena_dup(&s->arena, t->owner);
    /* It was the turn's. */
    s->charged_bytes = t->reply_bytes;
    t->charged_bytes -= t->reply_bytes;
    return true;
}

static void end_sending(struct http_connection *c)
{
    struct sending *s = &c->sending;

    shares_give(memory_of(c), s->owner, s->charged_bytes);
    arena_done(&s->arena);
    *s = (struct sending){0};
}

void sending_go_on(struct http_connection *c)
{
    struct sending *s = &c->sending;
    struct buf *out = &c->loop->late;

    for (size_t n = 0; s->rest.n && !c->dead && !lws_partial_buffered(c->wsi) && n < ROUND_BYTES;
         n += PIECE_BYTES) {
        struct sv piece = sv_first(s->rest, PIECE_BYTES);

        buf_add(out, piece);
        s->rest = sv_skip(s->rest, piece.n);
        connection_flush(c, out);
    }
}

bool output_is_gone(struct http_connection *c)
{
    if (c->dead)
        return true;
    if (lws_partial_buffered(c->wsi) || c->sending.rest.n) {
        (void)lws_callback_on_writable(c->wsi);
        return false;
    }
    output_release(c);
    return true;
}

void output_release(struct http_connection *c)
{
    if (c->sending.charged_bytes)
        end_sending(c);
    shares_give(memory_of(c), c->peer, c->kept_bytes);
    c->kept_bytes = 0;
}
