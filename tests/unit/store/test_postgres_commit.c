/* test_postgres_commit.c - a COMMIT whose answer is lost. */
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "unit/store/place.h"

/*
 * Between us and the server. The first connection is passed on until its COMMIT; its answer goes to
 * nobody. With `late`, the COMMIT reaches the server only after a second connection has asked for
 * the turn.
 */
struct middle {
    pthread_t thread;
    char folder[64];
    int listener;
    const char *server_folder;
    bool late;
    char commit[4096];
    size_t n_commit;
};

struct pair {
    int client, server;
};

static int socket_at(const char *folder, struct sockaddr_un *at)
{
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    (void)snprintf(at->sun_path, sizeof(at->sun_path), "%s/.s.PGSQL.5432", folder);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static bool take_client(const struct middle *m, struct pair *out)
{
    struct sockaddr_un at;

    *out = (struct pair){accept4(m->listener, NULL, NULL, SOCK_CLOEXEC),
                         socket_at(m->server_folder, &at)};
    return out->client >= 0 && connect(out->server, (void *)&at, sizeof(at)) == 0;
}

/* Passes on what comes until the client sends `word`, which stays in m->commit; false when one of
 * them hung up. */
static bool pass_until(struct middle *m, const struct pair *p, const char *word, size_t n_word)
{
    struct pollfd both[2] = {
        {.fd = p->client, .events = POLLIN},
        {.fd = p->server, .events = POLLIN}
    };

    while (poll(both, 2, -1) > 0) {
        int side = both[0].revents ? 0 : 1;
        char text[sizeof(m->commit)];
        ssize_t n = read(both[side].fd, text, sizeof(text));

        if (n <= 0)
            return false;
        if (side == 0 && memmem(text, (size_t)n, word, n_word)) {
            memcpy(m->commit, text, (size_t)n);
            m->n_commit = (size_t)n;
            return true;
        }
        if (write(both[1 - side].fd, text, (size_t)n) != n)
            return false;
    }
    return false;
}

static void close_pair(const struct pair *p)
{
    (void)close(p->client);
    (void)close(p->server);
}

/* The server has been told, and has answered. */
static bool deliver(const struct middle *m, int server)
{
    char answer[4096];

    return write(server, m->commit, m->n_commit) == (ssize_t)m->n_commit &&
           read(server, answer, sizeof(answer)) > 0;
}

static void *stand_between(void *argument)
{
    struct middle *m = argument, turn = *m;
    struct pair first, second = {-1, -1};
    bool ok = take_client(m, &first) && pass_until(m, &first, "COMMIT", sizeof("COMMIT"));

    if (m->late) {
        (void)close(first.client);
        first.client = -1;
        ok = ok && take_client(m, &second) && pass_until(&turn, &second, "SET turn", 8) &&
             write(second.server, turn.commit, turn.n_commit) == (ssize_t)turn.n_commit;
    }
    ok = ok && deliver(m, first.server);
    close_pair(&first);
    while (ok && m->late && pass_until(m, &second, "no such word", 12))
        continue;
    close_pair(&second);
    return NULL;
}

static void start_middle(struct middle *m, struct place *p)
{
    struct sockaddr_un at;
    ptrdiff_t host = 0;
    struct sv url = sv_from(server_url());

    while (!sv_starts(sv_skip(url, (size_t)host), SV("host=")))
        NEED(++host < (ptrdiff_t)url.n);
    m->server_folder = arena_cstr(&p->arena, sv_skip(url, (size_t)host + 5));
    (void)snprintf(m->folder, sizeof(m->folder), "/tmp/fd-middle-XXXXXX");
    NEED(mkdtemp(m->folder));
    m->listener = socket_at(m->folder, &at);
    NEED(bind(m->listener, (void *)&at, sizeof(at)) == 0 && listen(m->listener, 5) == 0);
    NEED(pthread_create(&m->thread, NULL, stand_between, m) == 0);
}

static void end_middle(struct middle *m)
{
    struct sockaddr_un at;

    (void)close(socket_at(m->folder, &at));
    (void)close(m->listener);
    (void)pthread_join(m->thread, NULL);
    (void)unlink(at.sun_path);
    (void)rmdir(m->folder);
}

/* A namespace is made through `m`, and it is not known whether it was. */
static void lose_commit(struct place *p, struct middle *m, struct arena *a, struct store **through)
{
    struct sv url;
    struct err e = {0};

    open_place(p);
    start_middle(m, p);
    url = arena_printf(a, "postgresql://fd@/postgres?host=%s&options=-csearch_path%%3D%%22%s%%22",
                       m->folder, p->folder);
    NEED_OK(store_open(url, a, through, &e), &e);
    CHECK(!store_namespace_create(*through, &(struct ns_name){sales.catalog, SV("lost")}, SV("{}"),
                                  &e));
    CHECK_INT(e.code, ERR_INTERNAL);
}

static void a_commit_whose_answer_is_lost_is_of_unknown_outcome(void)
{
    struct place p = {0};
    struct middle m = {0};
    struct arena other = {0};
    struct store *through;
    struct sv found;

    lose_commit(&p, &m, &other, &through);
    CHECK_OK(store_namespace_get(p.store, &(struct ns_name){sales.catalog, SV("lost")}, &p.arena,
                                 &found, &p.e),
             &p.e);
    arena_done(&other);
    end_middle(&m);
    close_place(&p);
}

static void the_next_answer_waits_until_such_a_commit_has_ended(void)
{
    struct place p = {0};
    struct middle m = {.late = true};
    struct arena other = {0};
    struct store *through;
    struct sv found;

    lose_commit(&p, &m, &other, &through);
    CHECK_OK(store_namespace_get(through, &(struct ns_name){sales.catalog, SV("lost")}, &p.arena,
                                 &found, &p.e),
             &p.e);
    arena_done(&other);
    end_middle(&m);
    close_place(&p);
}

SUITE("store/postgres_commit", TEST(a_commit_whose_answer_is_lost_is_of_unknown_outcome),
      TEST(the_next_answer_waits_until_such_a_commit_has_ended))
