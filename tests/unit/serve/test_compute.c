/* test_compute.c - long computations take turns by caller, and no caller takes all the room. */
#include <semaphore.h>

#include "base/limits.h"
#include "serve/compute.h"
#include "unit/suite.h"

enum { TRACE = 64 };

/* What ran, one letter each; a job whose gate is set waits there first. */
struct scene {
    struct arena arena;
    struct compute *compute;
    pthread_mutex_t lock;
    sem_t gate, entered;
    char trace[TRACE]; /* guarded by lock */
    size_t n;          /* guarded by lock */
};

struct job {
    struct message message;
    struct scene *scene;
    char letter;
    bool waits;
};

static void deliver(struct message *m, UNUSED void *receiver)
{
    struct job *j = (struct job *)m;
    struct scene *s = j->scene;

    if (j->waits) {
        (void)sem_post(&s->entered);
        while (sem_wait(&s->gate) != 0)
            continue;
    }
    (void)pthread_mutex_lock(&s->lock);
    if (s->n < TRACE)
        s->trace[s->n] = j->letter;
    s->n++;
    (void)pthread_mutex_unlock(&s->lock);
}

static void begin(struct scene *s, unsigned threads)
{
    struct err e = {0};

    *s = (struct scene){0};
    NEED(pthread_mutex_init(&s->lock, NULL) == 0);
    NEED(sem_init(&s->gate, 0, 0) == 0 && sem_init(&s->entered, 0, 0) == 0);
    NEED_OK(compute_start(threads, &s->arena, &s->compute, &e), &e);
}

static void end(struct scene *s)
{
    (void)sem_destroy(&s->gate);
    (void)sem_destroy(&s->entered);
    (void)pthread_mutex_destroy(&s->lock);
    arena_done(&s->arena);
}

static bool post(struct scene *s, const char *owner, char letter, bool waits, struct err *e)
{
    struct job *j = arena_new(&s->arena, struct job);

    j->message.deliver = deliver;
    j->scene = s;
    j->letter = letter;
    j->waits = waits;
    return compute_post(s->compute, sv_from(owner), &j->message, e);
}

static void wait_entered(struct scene *s)
{
    while (sem_wait(&s->entered) != 0)
        continue;
}

static void callers_take_turns(void)
{
    struct scene s;
    struct err e = {0};

    begin(&s, 1);
    NEED_OK(post(&s, "a", '1', true, &e), &e);
    wait_entered(&s);
    NEED_OK(post(&s, "a", '2', false, &e), &e);
    NEED_OK(post(&s, "a", '3', false, &e), &e);
    NEED_OK(post(&s, "b", 'b', false, &e), &e);
    (void)sem_post(&s.gate);
    compute_stop(s.compute);
    CHECK_SV(sv_of(s.trace, s.n), SV("1b23"));
    end(&s);
}

static void a_caller_runs_one_at_a_time_however_many_threads_there_are(void)
{
    struct scene s;
    struct err e = {0};

    begin(&s, 2);
    NEED_OK(post(&s, "a", '1', true, &e), &e);
    wait_entered(&s);
    NEED_OK(post(&s, "a", '2', false, &e), &e);
    /* The other thread is free for it, and for this one: it must have taken this one. */
    NEED_OK(post(&s, "b", 'b', true, &e), &e);
    wait_entered(&s);
    CHECK_INT(s.n, 0);
    (void)sem_post(&s.gate);
    (void)sem_post(&s.gate);
    compute_stop(s.compute);
    CHECK_INT(s.n, 3);
    end(&s);
}

static void a_caller_takes_half_of_the_room_and_leaves_the_rest(void)
{
    struct scene s;
    struct err e = {0};
    int mine = 0;

    begin(&s, 1);
    while (post(&s, "a", 'a', mine == 0, &e))
        mine++;
    CHECK_INT(e.code, ERR_BUSY);
    CHECK(sv_contains(sv_from(e.msg), SV("of a wait")));
    CHECK_INT(mine, LIMIT_COMPUTATIONS / 2);
    CHECK_OK(post(&s, "b", 'b', false, &e), &e);
    (void)sem_post(&s.gate);
    compute_stop(s.compute);
    CHECK_INT(s.n, mine + 1);
    end(&s);
}

SUITE("serve/compute", TEST(callers_take_turns),
      TEST(a_caller_runs_one_at_a_time_however_many_threads_there_are),
      TEST(a_caller_takes_half_of_the_room_and_leaves_the_rest))
