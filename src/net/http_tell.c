/* http_tell.c - what the handler and the metrics are told beside requests. */
#include "base/metric.h"
#include "net/inside.h"

void loop_tell(struct http_loop *l, const char *what, const struct err *e)
{
    const struct http_handler *h = l->server->options.handler;

    if (h->tell && l->state)
        h->tell(what, e, l->state);
}

void loop_count_status(int status)
{
    static const enum metric classes[] = {METRIC_REQUESTS_2XX, METRIC_REQUESTS_3XX,
                                          METRIC_REQUESTS_4XX, METRIC_REQUESTS_5XX};
    int class = status / 100 - 2;

    if (class >= 0 && class < 4)
        metric_add(classes[class], 1);
}

void loop_refused(const struct http_connection *c, int status, const char *why)
{
    const struct http_server *s = c->loop->server;
    const struct http_refusal r = {
        .peer = c->peer, .status = status, .why = why, .wall_ms = world_wall_ms(s->options.world)};

    loop_count_status(status);
    if (s->options.handler->refused)
        s->options.handler->refused(&r, c->loop->state);
}
