/*
 * server_bench.h - a server with a handler that does what the request's path says, and clients that
 * send bytes as they stand.
 *
 *     /now        "ok", at once          /later     "ok", when bench_release is called
 *     /big        BIG_BYTES, at once     /echo      the target, a newline, the body
 *     /mid        MID_BYTES, at once     /denied    401 by its head alone
 *     /of-a/...   charged to "a"         /small     bodies of at most SMALL_BYTES
 *     /big-close  the same, and Connection: close asked for by the client
 */
#ifndef UNIT_NET_SERVER_BENCH_H
#define UNIT_NET_SERVER_BENCH_H

#include <arpa/inet.h>
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net/http_server.h"
#include "unit/suite.h"

enum { BIG_BYTES = 12 * 1024 * 1024, HELD = 64, PATIENCE_MS = 8000, CLIENT_BYTES = 64 * 1024 };
enum { MID_BYTES = 100 * 1024, SMALL_BYTES = 10 };

struct bench {
    struct http_server *server;
    struct http_handler handler;
    struct world world;
    atomic_llong ms; /* what both clocks show */
    sem_t holds;     /* one more for each turn that is held */
    struct http_turn *held[HELD];
    int n_held; /* the loop's */
    atomic_int requests, troubles, refusals;
    atomic_int last_refusal; /* its status; 0 when it said too little */
    int port;
    char *big;
    struct arena arena; /* of `memory` */
    struct shares memory;
};

/* ---- the handler ---- */

static inline void bench_reply(struct http_turn *t, struct sv body)
{
    struct http_response r = {.status = 200, .body = body};

    http_header_add(&r.headers, &t->arena, SV("Content-Type"), SV("text/plain"));
    http_turn_reply(t, &r);
}

static inline void *bench_loop(struct http_loop *loop, void *context)
{
    (void)loop;
    return context;
}

static inline void bench_request(struct http_turn *t, void *state)
{
    struct bench *b = state;
    struct sv target = t->request.target;

    (void)atomic_fetch_add(&b->requests, 1);
    if (sv_starts(target, SV("/later")) && b->n_held < HELD) {
        b->held[b->n_held++] = t;
        (void)sem_post(&b->holds);
    } else if (sv_starts(target, SV("/big"))) {
        bench_reply(t, sv_of(b->big, BIG_BYTES));
    } else if (sv_starts(target, SV("/mid"))) {
        bench_reply(t, sv_of(b->big, MID_BYTES));
    } else if (sv_starts(target, SV("/now"))) {
        bench_reply(t, SV("ok"));
    } else {
        bench_reply(t, arena_printf(&t->arena, SV_FMT "\n" SV_FMT, SV_ARG(target),
                                    SV_ARG(t->request.body)));
    }
}

/* "/of-a/..." is charged to "a". */
static inline size_t bench_head(struct http_turn *t, void *state)
{
    struct sv target = t->request.target;

    (void)state;
    if (sv_starts(target, SV("/of-")))
        t->owner = arena_dup(&t->arena, sv_of(target.p + 4, 1));
    if (sv_starts(target, SV("/denied"))) {
        struct http_response r = {.status = 401, .body = SV("who are you?")};

        http_turn_reply(t, &r);
        return 0;
    }
    return sv_starts(target, SV("/small")) ? SMALL_BYTES : (size_t)16 * 1024 * 1024;
}

static inline void bench_tell(const char *what, const struct err *e, void *state)
{
    struct bench *b = state;

    (void)what;
    (void)atomic_fetch_add(&b->troubles, e != NULL);
}

static inline void bench_refused(const struct http_refusal *r, void *state)
{
    struct bench *b = state;
    bool whole = sv_eq(r->peer, SV("127.0.0.1")) && r->why[0] && r->wall_ms > 0;

    atomic_store(&b->last_refusal, whole ? r->status : 0);
    (void)atomic_fetch_add(&b->refusals, 1);
}

struct bench_release {
    struct message message;
    sem_t done;
};

static inline void bench_deliver(struct message *m, void *receiver)
{
    struct bench *b = receiver;
    int n = b->n_held;

    b->n_held = 0;
    for (int i = 0; i < n; i++)
        bench_reply(b->held[i], SV("late"));
    (void)sem_post(&((struct bench_release *)m)->done);
}

/* Answers all turns that are held, on their loop. */
static inline void bench_release(struct bench *b)
{
    struct bench_release r = {.message = {.deliver = bench_deliver}};

    (void)sem_init(&r.done, 0, 0);
    mailbox_post(http_loop_mailbox(http_server_loop(b->server, 0)), &r.message);
    (void)sem_wait(&r.done);
    (void)sem_destroy(&r.done);
}

/* Until one more turn is held. */
static inline void bench_wait_held(struct bench *b)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += PATIENCE_MS / 1000;
    NEED(sem_timedwait(&b->holds, &at) == 0);
}

/* ---- the server ---- */

static inline int64_t bench_ms(void *context)
{
    return atomic_load(&((struct bench *)context)->ms);
}

static inline void bench_random(void *context, void *out, size_t n)
{
    (void)context;
    world_random(&world_os, out, n);
}

/* What clients make it hold is at most `memory` bytes. */
static inline void bench_start_bounded(struct bench *b, unsigned loops, unsigned max_connections,
                                       size_t memory)
{
    struct http_listener at = {.address = SV("127.0.0.1:0")};
    struct http_server_options o = {.listeners = &at,
                                    .n_listeners = 1,
                                    .loops = loops,
                                    .handler = &b->handler,
                                    .world = &b->world,
                                    .memory = &b->memory,
                                    .max_connections = max_connections};
    struct err e = {0};

    memset(b, 0, sizeof(*b));
    shares_init(&b->memory, memory, &b->arena);
    b->world = (struct world){bench_ms, bench_ms, bench_random, b};
    b->handler = (struct http_handler){.start = bench_loop,
                                       .head = bench_head,
                                       .request = bench_request,
                                       .tell = bench_tell,
                                       .refused = bench_refused,
                                       .context = b};
    atomic_store(&b->ms, 1000000);
    (void)sem_init(&b->holds, 0, 0);
    b->big = malloc(BIG_BYTES);
    NEED(b->big != NULL);
    memset(b->big, 'b', BIG_BYTES);
    NEED_OK(http_server_start(&o, &b->server, &e), &e);
    b->port = atoi(strrchr(http_server_address(b->server, 0).p, ':') + 1);
}

static inline void bench_start(struct bench *b, unsigned loops, unsigned max_connections)
{
    bench_start_bounded(b, loops, max_connections, (size_t)1 << 30);
}

/* Nothing may be charged to anybody any more. */
static inline void bench_free(struct bench *b)
{
    http_server_free(b->server);
    (void)sem_destroy(&b->holds);
    free(b->big);
    CHECK_INT(shares_used(&b->memory), 0);
    shares_done(&b->memory);
    arena_done(&b->arena);
}

static inline void bench_stop(struct bench *b)
{
    http_server_stop(b->server, PATIENCE_MS);
    bench_free(b);
}

/* ---- clients ---- */

struct client {
    int fd;
    size_t n;
    char text[CLIENT_BYTES]; /* what came, NUL-terminated */
};

static inline void client_connect(struct client *c, const struct bench *b)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)b->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    c->n = 0;
    c->text[0] = '\0';
    NEED(c->fd >= 0 && connect(c->fd, (struct sockaddr *)&at, sizeof(at)) == 0);
}

static inline void client_open(struct client *c, const struct bench *b)
{
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    client_connect(c, b);
}

static inline void client_close(struct client *c)
{
    (void)close(c->fd);
}

static inline void client_send(struct client *c, struct sv bytes)
{
    size_t at = 0;

    while (at < bytes.n) {
        ssize_t n = send(c->fd, bytes.p + at, bytes.n - at, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        at += (size_t)n;
    }
}

/* One more piece; false at the end, or when nothing comes for `wait_ms`. */
static inline bool client_more(struct client *c, int wait_ms)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    ssize_t n;

    if (poll(&p, 1, wait_ms) != 1 || c->n + 1 >= CLIENT_BYTES)
        return false;
    n = recv(c->fd, c->text + c->n, CLIENT_BYTES - 1 - c->n, 0);
    if (n <= 0)
        return false;
    c->n += (size_t)n;
    c->text[c->n] = '\0';
    return true;
}

static inline bool client_sees(struct client *c, const char *want)
{
    while (!strstr(c->text, want)) {
        if (!client_more(c, PATIENCE_MS))
            return false;
    }
    return true;
}

static inline int client_count(const struct client *c, const char *what)
{
    int n = 0;

    for (const char *at = c->text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

/* So many answers, and no byte past them that has come yet. */
static inline bool client_sees_answers(struct client *c, int n)
{
    while (client_count(c, "HTTP/1.1 ") < n || !strstr(c->text, "\r\n\r\n")) {
        if (!client_more(c, PATIENCE_MS))
            return false;
    }
    return client_count(c, "HTTP/1.1 ") == n;
}

/* Whether the server ends the connection in the time; what comes before is kept. */
static inline bool client_sees_end(struct client *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};

    while (client_more(c, PATIENCE_MS))
        continue;
    return poll(&p, 1, 0) == 1 && recv(c->fd, c->text, 1, MSG_PEEK) <= 0;
}

/* Reads and drops until the end, or until `n` bytes have come; how many came. */
static inline size_t client_swallow(struct client *c, size_t n)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    char piece[65536];
    size_t total = 0;
    ssize_t got = 1;

    while (total < n && poll(&p, 1, PATIENCE_MS) == 1 &&
           (got = recv(c->fd, piece, n - total < sizeof(piece) ? n - total : sizeof(piece), 0)) > 0)
        total += (size_t)got;
    return total;
}

/* What the process spends while nothing should happen for `ms`, in milliseconds of CPU time. */
static inline int64_t cpu_ms_of_idling(int ms)
{
    struct timespec from, to;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
    (void)poll(NULL, 0, ms);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
    return (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000;
}

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(path) "POST " path " HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody"

#endif
