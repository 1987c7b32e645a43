/*
 * api_server.h - an API server that misbehaves on request: it answers each request with the next
 * bytes of a script, as they stand, and ends the connection as told. Port 0, loopback, one thread.
 */
#ifndef FAKES_API_SERVER_H
#define FAKES_API_SERVER_H

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum fake_end {
    FAKE_CLOSE, /* a clean end */
    FAKE_RESET, /* as when the process dies */
    FAKE_HOLD,  /* silence until the server is stopped */
};

struct fake_reply {
    const char *bytes;
    enum fake_end end;
    size_t only; /* send so many bytes of it; 0: all */
};

enum { FAKE_REPLIES = 16, FAKE_HEAD_BYTES = 8192 };

struct fake_server {
    int listener;
    int port;
    pthread_t thread;
    const struct fake_reply *replies;
    size_t n_replies;
    char requests[FAKE_REPLIES][FAKE_HEAD_BYTES]; /* as received */
    atomic_size_t served;
    int held[FAKE_REPLIES];
    size_t n_held;
};

#define FAKE_HEAD(status) \
    "HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n"
#define FAKE_JSON(status, body) FAKE_HEAD(status) "\r\n" body
#define FAKE_CHUNKED            FAKE_HEAD("200 OK") "Transfer-Encoding: chunked\r\n\r\n"

/* Whether head and body are there. */
static inline int fake_is_whole(const char *text, size_t n)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "content-length:");
    size_t body = length ? strtoul(length + 15, NULL, 10) : 0;

    return end && n >= (size_t)(end - text) + 4 + body;
}

static inline void fake_receive(int fd, char *out)
{
    size_t n = 0;
    ssize_t got;

    while (!fake_is_whole(out, n) && n + 1 < FAKE_HEAD_BYTES &&
           (got = recv(fd, out + n, FAKE_HEAD_BYTES - 1 - n, 0)) > 0) {
        n += (size_t)got;
        out[n] = '\0';
    }
}

static inline void fake_send(int fd, const struct fake_reply *r)
{
    size_t n = r->only ? r->only : strlen(r->bytes), at = 0;

    while (at < n) {
        ssize_t sent = send(fd, r->bytes + at, n - at, MSG_NOSIGNAL);

        if (sent <= 0)
            break;
        at += (size_t)sent;
    }
}

static inline void fake_finish(struct fake_server *s, int fd, enum fake_end end)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    if (end == FAKE_HOLD) {
        s->held[s->n_held++] = fd;
        return;
    }
    if (end == FAKE_RESET)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    (void)close(fd);
}

static inline void *fake_serve(void *context)
{
    struct fake_server *s = context;

    for (size_t i = 0; i < s->n_replies; i++) {
        int fd = accept(s->listener, NULL, NULL);

        if (fd < 0)
            return NULL;
        fake_receive(fd, s->requests[i]);
        fake_send(fd, &s->replies[i]);
        fake_finish(s, fd, s->replies[i].end);
        atomic_fetch_add(&s->served, 1);
    }
    return NULL;
}

static inline void fake_start(struct fake_server *s, const struct fake_reply *replies, size_t n)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    memset(s, 0, sizeof(*s));
    assert(n <= FAKE_REPLIES);
    s->replies = replies;
    s->n_replies = n;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&address, size) != 0 ||
        listen(s->listener, 16) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&address, &size) != 0)
        abort();
    s->port = ntohs(address.sin_port);
    if (pthread_create(&s->thread, NULL, fake_serve, s) != 0)
        abort();
}

static inline void fake_stop(struct fake_server *s)
{
    (void)shutdown(s->listener, SHUT_RDWR);
    (void)pthread_join(s->thread, NULL);
    (void)close(s->listener);
    for (size_t i = 0; i < s->n_held; i++)
        (void)close(s->held[i]);
}

#endif
