/*
 * serve.h - the vending server, as main.c sees it.
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "net/http_server.h"
#include "policy/rulebook.h"

struct serve;
struct routes;

struct serve_options {
    const struct world *world;
    const struct routes *routes; /* what is answered: route.h */
    const struct http_listener *listeners;
    size_t n_listeners;
    struct http_listener admin; /* address empty: none */
    unsigned loops;
    size_t memory_bytes; /* what the process may have; 0: memory_limit() */
    struct sv store_url; /* store_open's */
    struct sv_vec audit; /* audit_options.sinks */
    int64_t audit_keep_ms;
    int64_t token_ms; /* the life of our own tokens; 0: LIMIT_OWN_TOKEN_TTL_MS, which is the most */
    void (*want_keys)(void *context);  /* any loop; a kid that nobody knows */
    void (*want_purge)(void *context); /* any loop; there is one in the store now */
    void *context;
};

MUST_CHECK bool serve_start(const struct serve_options *o, struct serve **out, struct err *e);
/* Any thread. Takes over one reference; every loop and the minter follow within milliseconds. */
void serve_publish(struct serve *s, struct rulebook *r);
/* Any thread: a record of what no request does, as audit_write takes it. */
void serve_record(struct serve *s, int64_t now_ms, struct sv line);
struct sv serve_address(const struct serve *s, size_t listener);
struct sv serve_admin_address(const struct serve *s);
void serve_stop(struct serve *s, int grace_ms);

#endif
