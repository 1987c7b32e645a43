/* middle.h - what stands between a store and the socket of PostgreSQL, and hears what is said. */
#ifndef UNIT_STORE_MIDDLE_H
#define UNIT_STORE_MIDDLE_H

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "unit/store/place.h"

struct middle {
    pthread_t thread;
    char folder[64];
    int listener;
    const char *server_folder;
};

struct pair {
    int client, server;
};

static inline int socket_at(const char *folder, struct sockaddr_un *at)
{
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    (void)snprintf(at->sun_path, sizeof(at->sun_path), "%s/.s.PGSQL.5432", folder);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static inline bool take_client(const struct middle *m, struct pair *out)
{
    struct sockaddr_un at;

    *out = (struct pair){accept4(m->listener, NULL, NULL, SOCK_CLOEXEC),
                         socket_at(m->server_folder, &at)};
    return out->client >= 0 && connect(out->server, (void *)&at, sizeof(at)) == 0;
}

static inline void close_pair(const struct pair *p)
{
    (void)close(p->client);
    (void)close(p->server);
}

/* The next piece that either of them says, and who: 0 the client, 1 the server. False when one of
 * them hung up. */
static inline bool hear(const struct pair *p, char *text, size_t max, ssize_t *n, int *side)
{
    struct pollfd both[2] = {
        {.fd = p->client, .events = POLLIN},
        {.fd = p->server, .events = POLLIN}
    };

    if (poll(both, 2, -1) <= 0)
        return false;
    *side = both[0].revents ? 0 : 1;
    *n = read(both[*side].fd, text, max);
    return *n > 0;
}

static inline bool pass_on(const struct pair *p, const char *text, ssize_t n, int side)
{
    return write(side ? p->client : p->server, text, (size_t)n) == n;
}

/* `stand` runs on a thread of its own until middle_end has hung up. */
static inline void middle_start(struct middle *m, struct place *p, void *(*stand)(void *),
                                void *context)
{
    struct sockaddr_un at;
    ptrdiff_t host = 0;
    struct sv url = sv_from(need_server());

    while (!sv_starts(sv_skip(url, (size_t)host), SV("host=")))
        NEED(++host < (ptrdiff_t)url.n);
    m->server_folder = arena_cstr(&p->arena, sv_skip(url, (size_t)host + 5));
    (void)snprintf(m->folder, sizeof(m->folder), "/tmp/fd-middle-XXXXXX");
    NEED(mkdtemp(m->folder));
    m->listener = socket_at(m->folder, &at);
    NEED(bind(m->listener, (void *)&at, sizeof(at)) == 0 && listen(m->listener, 5) == 0);
    NEED(pthread_create(&m->thread, NULL, stand, context) == 0);
}

static inline struct sv middle_url(const struct middle *m, const struct place *p, struct arena *a)
{
    return arena_printf(a, "postgresql://fd@/postgres?host=%s&options=-csearch_path%%3D%%22%s%%22",
                        m->folder, p->folder);
}

static inline void middle_end(struct middle *m)
{
    struct sockaddr_un at;

    (void)close(socket_at(m->folder, &at));
    (void)shutdown(m->listener, SHUT_RDWR);
    (void)pthread_join(m->thread, NULL);
    (void)close(m->listener);
    (void)unlink(at.sun_path);
    (void)rmdir(m->folder);
}

#endif
