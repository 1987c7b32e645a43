/* audit.c - records on their way to their sinks. */
#include "serve/audit.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "net/mailbox.h"
#include "store/store.h"
#include "wire/time.h"

/* What waits for the sinks, with what each record costs beside its bytes. */
enum { RECORD_COST_BYTES = 256 };
enum { BATCH_BYTES = 1024 * 1024, RETRY_US = 100000, GATHER_US = 2000 };
/* Behind a batch that is not full yet there is room for the longest record. */
enum { MAX_BATCH_BYTES = BATCH_BYTES + AUDIT_RECORD_BYTES + 1 };
/* A page in the store is a transaction, and those take turns with commits. */
enum { GATHER_PAGE_US = 200000, FORGET_MS = 600000, GIVE_UP_MS = 5000 };

struct record {
    struct message message;
    struct arena arena; /* holds the record itself */
    struct sv line;
    int64_t now_ms;
};

/* The records on their way to the store. */
struct storing {
    struct arena arena;  /* of the store */
    struct store *store; /* NULL: there is none among the sinks */
    const struct world *world;
    int64_t keep_ms, forget_at_ms;
    int64_t from_ms, to_ms, records; /* of the batch */
    bool away;                       /* it has been said */
};

struct audit {
    int fds[4];
    size_t n_fds;
    struct mailbox mailbox;
    sem_t bell;
    pthread_t thread;
    _Atomic size_t waiting_bytes;
    _Atomic int64_t counted; /* refusals that found no room */
    bool ending;
    _Atomic bool stopping;
    struct arena arena;
    struct buf batch;
    struct storing page;
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

/* ---- the store ---- */

static void tell(struct storing *p, const struct err *e)
{
    if (e && !p->away)
        log_line(LOG_ERROR, "audit", "records cannot be stored; they wait", LOG_ERR(e));
    if (!e && p->away)
        log_line(LOG_INFO, "audit", "records are stored again", LOG_I64("records", p->records));
    p->away = e != NULL;
}

/* What no store has taken is not lost without a sign: the log is lines of JSON as well. */
static void spill(const struct trail_page *page)
{
    log_line(LOG_ERROR, "audit", "records that were not stored follow",
             LOG_I64("records", page->records));
    write_all(STDERR_FILENO, page->lines);
}

static bool is_over(const struct audit *a, int64_t *since_ms)
{
    int64_t now_ms = world_mono_ms(a->page.world);

    if (!atomic_load(&a->stopping))
        return false;
    *since_ms = *since_ms ? *since_ms : now_ms;
    return now_ms - *since_ms > GIVE_UP_MS;
}

/* Tried again until it is there: whether the first attempt was is not always known, so the page has
 * a mark. */
static void put_page(struct audit *a)
{
    struct storing *p = &a->page;
    const struct trail_page page = {world_uuid(p->world, &a->arena), p->from_ms, p->to_ms,
                                    p->records, buf_sv(&a->batch)};
    int64_t stopping_since_ms = 0;
    struct err e = {0};

    while (!store_trail_put(p->store, &page, &e)) {
        tell(p, &e);
        if (is_over(a, &stopping_since_ms)) {
            spill(&page);
            return;
        }
        (void)usleep(RETRY_US);
    }
    tell(p, NULL);
}

/* A failure is told when the next page fails as well. */
static void forget(struct storing *p)
{
    int64_t now_ms = world_wall_ms(p->world);
    struct err ignored = {0};
    bool more = true;

    if (now_ms < p->forget_at_ms)
        return;
    p->forget_at_ms = now_ms + FORGET_MS;
    while (more && store_trail_forget(p->store, now_ms - p->keep_ms, &more, &ignored))
        continue;
}

static void flush(struct audit *a)
{
    for (size_t i = 0; i < a->n_fds; i++)
        write_all(a->fds[i], buf_sv(&a->batch));
    if (a->page.store && a->page.records) {
        put_page(a);
        forget(&a->page);
    }
    arena_done(&a->arena);
    a->batch = buf_new(&a->arena, MAX_BATCH_BYTES);
    a->page.records = 0;
}

/* ---- records ---- */

static void count(struct storing *p, int64_t now_ms)
{
    p->from_ms = p->records == 0 || now_ms < p->from_ms ? now_ms : p->from_ms;
    p->to_ms = p->records == 0 || now_ms > p->to_ms ? now_ms : p->to_ms;
    p->records++;
}

static void on_record(struct message *m, void *receiver)
{
    struct record *r = (struct record *)m;
    struct audit *a = receiver;
    struct arena last = r->arena;

    buf_add(&a->batch, r->line);
    buf_addc(&a->batch, '\n');
    assert(!a->batch.over);
    count(&a->page, r->now_ms);
    (void)atomic_fetch_sub(&a->waiting_bytes, r->line.n + RECORD_COST_BYTES);
    arena_done(&last);
    if (a->batch.n > BATCH_BYTES)
        flush(a);
}

/* What was counted while nothing could be written. */
static void add_counted(struct audit *a)
{
    int64_t n = atomic_exchange(&a->counted, 0), now_ms;

    if (!n)
        return;
    now_ms = world_wall_ms(a->page.world);
    buf_addf(&a->batch,
             "{\"time\":\"" SV_FMT "\",\"operation\":\"unknown\",\"reason\":\"the audit could not "
             "keep up: these were refused to callers unknown\",\"details\":{\"refusals\":%lld},"
             "\"status\":503,\"decision\":\"denied\"}\n",
             SV_ARG(time_text(&a->arena, now_ms, TIME_MILLISECONDS)), (long long)n);
    assert(!a->batch.over);
    count(&a->page, now_ms);
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
        (void)usleep(a->page.store && !atomic_load(&a->stopping) ? GATHER_PAGE_US : GATHER_US);
        mailbox_drain(&a->mailbox, a);
        add_counted(a);
        flush(a);
    }
    return NULL;
}

static bool open_sink(struct audit *a, const struct audit_options *o, struct sv sink, struct err *e)
{
    auto_arena scratch = {0};
    int fd = STDOUT_FILENO;

    if (sv_eq(sink, SV("store")))
        return a->page.store || store_open(o->store_url, &a->page.arena, &a->page.store, e) ||
               err_wrap(e, "audit");
    if (sv_starts(sink, SV("file:")))
        fd = open(arena_cstr(&scratch, sv_skip(sink, 5)), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                  0600);
    else if (!sv_eq(sink, SV("stdout")))
        return err_set(e, ERR_INVALID, "audit \"" SV_FMT "\": write stdout, file:PATH or store",
                       SV_ARG(sink));
    if (fd < 0)
        return err_set(e, ERR_INVALID, "audit " SV_FMT ": %s", SV_ARG(sink),
                       strerrordesc_np(errno));
    a->fds[a->n_fds++] = fd;
    return true;
}

static void release_store(void *audit)
{
    arena_done(&((struct audit *)audit)->page.arena);
}

bool audit_start(const struct audit_options *o, struct arena *arena, struct audit **out,
                 struct err *e)
{
    struct audit *a = arena_new(arena, struct audit);
    int failed;

    a->page.world = o->world;
    a->page.keep_ms = o->keep_ms;
    arena_defer(arena, release_store, a);
    if (o->sinks.n > sizeof(a->fds) / sizeof(a->fds[0]))
        return err_set(e, ERR_INVALID, "more than 4 audit sinks");
    for (size_t i = 0; i < o->sinks.n; i++) {
        if (!open_sink(a, o, o->sinks.p[i], e))
            return false;
    }
    a->batch = buf_new(&a->arena, MAX_BATCH_BYTES);
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

    atomic_store(&a->stopping, true);
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
    return atomic_load_explicit(&a->waiting_bytes, memory_order_relaxed) < LIMIT_AUDIT_BYTES;
}

void audit_write(struct audit *a, int64_t now_ms, struct sv line)
{
    struct arena own = {0};
    struct record *r;

    if (!a->n_fds && !a->page.store)
        return;
    arena_reserve(&own, sizeof(struct record) + line.n + 32);
    r = arena_new(&own, struct record);
    r->line = arena_dup(&own, line);
    r->now_ms = now_ms;
    r->message.deliver = on_record;
    r->arena = own;
    (void)atomic_fetch_add(&a->waiting_bytes, line.n + RECORD_COST_BYTES);
    mailbox_post(&a->mailbox, &r->message);
}

void audit_write_refusal(struct audit *a, int64_t now_ms, struct sv line)
{
    if (audit_has_room(a))
        audit_write(a, now_ms, line);
    else
        (void)atomic_fetch_add(&a->counted, 1);
}
