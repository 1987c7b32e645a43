/*
 * exchange.h - what every request to the API server has in common, blocking or not: how it is
 * addressed and proved, and what its answer means.
 */
#ifndef KUBE_EXCHANGE_H
#define KUBE_EXCHANGE_H

#include "kube/credentials.h"

struct kube_exchange {
    struct arena *arena; /* of all below; it holds the token, so it should wipe */
    struct http_request request;
    struct http_options options;
    struct http_tls tls;
};

/* Fills `x` but for its arena, and the limits among its options. */
MUST_CHECK bool exchange_build(struct kube_exchange *x, struct credentials *c,
                               const struct kube_config *config, const struct kube_request *r,
                               struct sv accept, struct err *e);

/* The answer as values; what is no JSON has a NULL body. */
void exchange_read(const struct http_response *r, struct arena *a, struct kube_reply *out);
/* By the table of client.h: true for 2xx, else why not. */
MUST_CHECK bool exchange_check(const struct kube_reply *r, struct err *e);

#endif
