/* audit.c - records on their way to their sinks. */
#include "serve/audit.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/mailbox.h"

enum { MAX_WAITING = 100000, BATCH_BYTES = 1024 * 1024, RETRY_US = 100000, GATHER_US = 2000 };

struct record {
    struct message message;
    struct arena arena; /* holds the record itself */
    struct sv line;
};

struct audit {
    int fds[4];
    size_t n_fds;
    struct mailbox mailbox;
    sem_t bell;
    pthread_t thread;
    _Atomic int waiting;
    bool ending;
    struct arena arena;
    struct buf batch;
};

/* The sink is waited for: a full disk stops decisions, it does not lose them. */
static void write_all(int fd, struct sv text)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);

        if (n > 0)
            text = sv_skip(text, (size_t)n);
        else if (n < 0 && errno == EPIPE)
            return;
        else if (n < 0 && errno != EINTR)
            (void)usleep(RETRY_US);
    }
}

static void flush(struct audit *a)
{
    for (size_t i = 0; i < a->n_fds; i++)
        write_all(a->fds[i], buf_sv(&a->batch));
    arena_done(&a->arena);
    a->batch = buf_new(&a->arena, 2 * (size_t)BATCH_BYTES);
}

static void on_record(struct message *m, void *receiver)
{
    struct record *r = (struct record *)m;
    struct audit *a = receiver;
    struct arena last = r->arena;

    buf_add(&a->batch, r->line);
    buf_addc(&a->batch, '\n');
    arena_done(&last);
    (void)atomic_fetch_sub(&a->waiting, 1);
    if (a->batch.n > BATCH_BYTES)
        flush(a);
}

static void ring(void *bell)
{
    (void)sem_post(bell);
}

static void *run(void *argument)
{
    struct audit *a = argument;

    while (!a->ending) {
        while (sem_wait(&a->bell) != 0)
            continue;
        /* A wake-up per record would cost more than the record. */
        (void)usleep(GATHER_US);
        mailbox_drain(&a->mailbox, a);
        flush(a);
    }
    return NULL;
}

static bool open_sink(struct audit *a, struct sv sink, struct err *e)
{
    auto_arena scratch = {0};
    int fd = STDOUT_FILENO;

    if (sv_starts(sink, SV("file:")))
        fd = open(arena_cstr(&scratch, sv_skip(sink, 5)), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                  0600);
    else if (!sv_eq(sink, SV("stdout")))
        return err_set(e, ERR_INVALID, "audit \"" SV_FMT "\": write stdout or file:PATH",
                       SV_ARG(sink));
    if (fd < 0)
        return err_set(e, ERR_INVALID, "audit " SV_FMT ": %s", SV_ARG(sink),
                       strerrordesc_np(errno));
    a->fds[a->n_fds++] = fd;
    return true;
}

bool audit_start(const struct sv_vec *sinks, struct arena *arena, struct audit **out, struct err *e)
{
    struct audit *a = arena_new(arena, struct audit);
    int failed;

    if (sinks->n > sizeof(a->fds) / sizeof(a->fds[0]))
        return err_set(e, ERR_INVALID, "more than 4 audit sinks");
    for (size_t i = 0; i < sinks->n; i++) {
        if (!open_sink(a, sinks->p[i], e))
            return false;
    }
    a->batch = buf_new(&a->arena, 2 * (size_t)BATCH_BYTES);
    failed = sem_init(&a->bell, 0, 0);
    mailbox_init(&a->mailbox, ring, &a->bell);
    failed = failed || pthread_create(&a->thread, NULL, run, a);
    assert(!failed);
    *out = a;
    return true;
}

static void on_end(UNUSED struct message *m, void *receiver)
{
    ((struct audit *)receiver)->ending = true;
}

void audit_stop(struct audit *a)
{
    struct message end = {.deliver = on_end};

    mailbox_post(&a->mailbox, &end);
    (void)pthread_join(a->thread, NULL);
    arena_done(&a->arena);
    mailbox_done(&a->mailbox);
    (void)sem_destroy(&a->bell);
    for (size_t i = 0; i < a->n_fds; i++) {
        if (a->fds[i] != STDOUT_FILENO)
            (void)close(a->fds[i]);
    }
}

bool audit_has_room(const struct audit *a)
{
    return atomic_load_explicit(&a->waiting, memory_order_relaxed) < MAX_WAITING;
}

void audit_write(struct audit *a, struct sv line)
{
    struct arena own = {0};
    struct record *r;

    if (!a->n_fds)
        return;
    arena_reserve(&own, sizeof(struct record) + line.n + 32);
    r = arena_new(&own, struct record);
    r->line = arena_dup(&own, line);
    r->message.deliver = on_record;
    r->arena = own;
    (void)atomic_fetch_add(&a->waiting, 1);
    mailbox_post(&a->mailbox, &r->message);
}
