/* http_intake.c - what has come of a client and was not taken yet: its memory, and whose it is. */
#include <string.h>

#include "base/limits.h"
#include "net/inside.h"

enum { FIRST_BYTES = 4096 };

/* Who pays: the caller once the head has said who it is, else the peer. */
static struct sv owner_of(const struct http_connection *c)
{
    return c->in.is_turns ? c->turn->owner : c->peer;
}

static bool grow(struct http_connection *c, size_t need)
{
    struct intake *in = &c->in,
                  grown = {.arena = {.wipe = true}, .n = in->n, .is_turns = in->is_turns};
    size_t whole = c->reading.whole;

    grown.cap = in->cap ? in->cap : FIRST_BYTES;
    while (grown.cap < need)
        grown.cap *= 2;
    /* A body whose length is known is not given more than that. */
    if (need <= whole && whole < grown.cap)
        grown.cap = whole;
    if (!shares_take(c->loop->server->options.memory, owner_of(c), grown.cap - in->cap))
        return false;
    grown.p = arena_alloc(&grown.arena, grown.cap);
    if (in->n)
        memcpy(grown.p, in->p, in->n);
    arena_done(&in->arena);
    *in = grown;
    return true;
}

bool intake_add(struct http_connection *c, struct sv more)
{
    struct intake *in = &c->in;

    if (!more.n)
        return true;
    if (in->n + more.n > in->cap && !grow(c, in->n + more.n))
        return false;
    memcpy(in->p + in->n, more.p, more.n);
    in->n += more.n;
    return true;
}

struct sv intake_sv(const struct http_connection *c)
{
    return sv_of(c->in.p, c->in.n);
}

void intake_release(struct http_connection *c)
{
    shares_give(c->loop->server->options.memory, owner_of(c), c->in.cap);
    arena_done(&c->in.arena);
    c->in = (struct intake){0};
}

void intake_drop(struct http_connection *c, size_t n)
{
    if (n == c->in.n) {
        intake_release(c);
        return;
    }
    memmove(c->in.p, c->in.p + n, c->in.n - n);
    c->in.n -= n;
}

bool intake_admit(struct http_connection *c)
{
    struct shares *memory = c->loop->server->options.memory;

    if (!c->reading.admitted || c->in.is_turns || !c->turn->owner.n)
        return true;
    if (!shares_take(memory, c->turn->owner, c->in.cap))
        return false;
    shares_give(memory, c->peer, c->in.cap);
    c->in.is_turns = true;
    return true;
}

/* Of chunks what they were joined to is charged beside them. */
static size_t joined_bytes(const struct http_turn *t, struct sv bytes)
{
    struct sv body = t->request.body;

    return body.p >= bytes.p && body.p <= bytes.p + bytes.n ? 0 : body.n;
}

bool intake_hand_over(struct http_connection *c, size_t used)
{
    struct http_turn *t = c->turn;
    struct sv whole = intake_sv(c), rest = sv_skip(whole, used);

    if (!t->owner.n)
        t->owner = t->peer;
    t->input = c->in.arena;
    t->charged_bytes = c->in.cap;
    c->in = (struct intake){0};
    return http_turn_charge(t, joined_bytes(t, whole)) && intake_add(c, rest);
}
