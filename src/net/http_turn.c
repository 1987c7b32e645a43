/* http_turn.c - requests and their replies: their memory, and whom it is charged to. */
#include "net/inside.h"

struct http_turn *turn_take(struct http_connection *c)
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

void turn_release(struct http_turn *t)
{
    shares_give(t->loop->server->options.memory, t->owner, t->charged_bytes);
    t->charged_bytes = 0;
    arena_done(&t->input);
    arena_done(&t->arena);
}

bool http_turn_charge(struct http_turn *t, size_t n)
{
    if (!t->owner.n)
        t->owner = t->peer;
    if (!shares_take(t->loop->server->options.memory, t->owner, n))
        return false;
    t->charged_bytes += n;
    return true;
}

bool http_turn_has_room(struct http_turn *t, size_t body)
{
    if (t->is_head || !sending_is_large(body) || t->reply_bytes)
        return true;
    if (!http_turn_charge(t, body))
        return false;
    t->reply_bytes = body;
    return true;
}

void turn_end(struct http_turn *t)
{
    struct http_loop *l = t->loop;

    turn_release(t);
    t->begun = false;
    t->next_spare = l->spare;
    l->spare = t;
    l->turns--;
}

static struct sv moved(struct sv v, ptrdiff_t by)
{
    return v.p ? sv_of(v.p + by, v.n) : v;
}

void turn_own_request(struct http_turn *t, const struct http1 *h, struct sv bytes)
{
    const char *copy = arena_dup(&t->arena, sv_first(bytes, h->used)).p;
    ptrdiff_t by = copy - bytes.p;
    bool in_place = h->request.body.p >= bytes.p && h->request.body.p <= bytes.p + bytes.n;

    t->request.target = moved(h->request.target, by);
    for (size_t i = 0; i < t->request.headers.n; i++) {
        struct http_header *f = &t->request.headers.p[i];

        f->name = moved(f->name, by);
        f->value = moved(f->value, by);
    }
    if (in_place)
        t->request.body = moved(h->request.body, by);
}
