/* compute.c - long computations of calls. */
#include "serve/compute.h"

#include <assert.h>

#include "base/limits.h"

/* One caller's: in `all` while it has any, in the ring of `ready` while one of them may run. */
struct line {
    struct arena arena; /* holds this */
    struct sv owner;
    struct message *first, **last;
    unsigned n; /* waiting and running */
    struct line *next, **link;
    struct line *next_ready;
};

struct compute {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct line *all;                 /* guarded by lock */
    struct line *ready, **ready_last; /* guarded by lock */
    unsigned n;                       /* guarded by lock: waiting and running, of all */
    bool ending;                      /* guarded by lock */
    pthread_t *threads;
    unsigned n_threads;
};

/* ---- lines ---- */

static struct line *find_locked(const struct compute *c, struct sv owner)
{
    struct line *l = c->all;

    while (l && !sv_eq(l->owner, owner))
        l = l->next;
    return l;
}

static struct line *add_locked(struct compute *c, struct sv owner)
{
    struct arena own = {0};
    struct line *l;

    arena_reserve(&own, sizeof(struct line) + owner.n + 32);
    l = arena_new(&own, struct line);
    l->owner = arena_dup(&own, owner);
    l->last = &l->first;
    l->arena = own;
    l->next = c->all;
    l->link = &c->all;
    if (l->next)
        l->next->link = &l->next;
    c->all = l;
    return l;
}

static void remove_locked(struct line *l)
{
    struct arena last = l->arena;

    *l->link = l->next;
    if (l->next)
        l->next->link = l->link;
    arena_done(&last);
}

static void make_ready_locked(struct compute *c, struct line *l)
{
    l->next_ready = NULL;
    *c->ready_last = l;
    c->ready_last = &l->next_ready;
    (void)pthread_cond_signal(&c->changed);
}

static struct line *take_ready_locked(struct compute *c)
{
    struct line *l = c->ready;

    c->ready = l->next_ready;
    if (!c->ready)
        c->ready_last = &c->ready;
    return l;
}

static struct message *take_first_locked(struct line *l)
{
    struct message *m = l->first;

    l->first = m->next;
    if (!l->first)
        l->last = &l->first;
    return m;
}

/* ---- threads ---- */

static void run_one_locked(struct compute *c)
{
    struct line *l = take_ready_locked(c);
    struct message *m = take_first_locked(l);

    (void)pthread_mutex_unlock(&c->lock);
    m->deliver(m, NULL);
    (void)pthread_mutex_lock(&c->lock);
    c->n--;
    if (--l->n)
        make_ready_locked(c, l);
    else
        remove_locked(l);
}

static void *run(void *argument)
{
    struct compute *c = argument;

    (void)pthread_mutex_lock(&c->lock);
    while (c->ready || !c->ending) {
        if (c->ready)
            run_one_locked(c);
        else
            (void)pthread_cond_wait(&c->changed, &c->lock);
    }
    (void)pthread_mutex_unlock(&c->lock);
    return NULL;
}

bool compute_start(unsigned threads, struct arena *a, struct compute **out, struct err *e)
{
    struct compute *c = arena_new(a, struct compute);
    int failed = pthread_mutex_init(&c->lock, NULL);

    failed = failed || pthread_cond_init(&c->changed, NULL);
    assert(!failed);
    c->ready_last = &c->ready;
    c->threads = arena_array(a, pthread_t, threads);
    for (; c->n_threads < threads; c->n_threads++) {
        failed = pthread_create(&c->threads[c->n_threads], NULL, run, c);
        if (!failed)
            continue;
        compute_stop(c);
        return err_set(e, ERR_UNAVAILABLE, "no thread for computations: error %d", failed);
    }
    *out = c;
    return true;
}

void compute_stop(struct compute *c)
{
    (void)pthread_mutex_lock(&c->lock);
    c->ending = true;
    (void)pthread_cond_broadcast(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
    for (unsigned i = 0; i < c->n_threads; i++)
        (void)pthread_join(c->threads[i], NULL);
    (void)pthread_cond_destroy(&c->changed);
    (void)pthread_mutex_destroy(&c->lock);
}

static bool post_locked(struct compute *c, struct sv owner, struct message *m)
{
    struct line *l = find_locked(c, owner);
    unsigned mine = l ? l->n : 0;

    if (mine >= LIMIT_COMPUTATIONS - c->n)
        return false;
    if (!l)
        l = add_locked(c, owner);
    m->next = NULL;
    *l->last = m;
    l->last = &m->next;
    c->n++;
    if (l->n++ == 0)
        make_ready_locked(c, l);
    return true;
}

bool compute_post(struct compute *c, struct sv owner, struct message *m, struct err *e)
{
    bool posted;

    (void)pthread_mutex_lock(&c->lock);
    posted = post_locked(c, owner, m);
    (void)pthread_mutex_unlock(&c->lock);
    return posted ||
           err_set(e, ERR_BUSY, "too many long requests of " SV_FMT " wait already; try again",
                   SV_ARG(sv_first(owner, 60)));
}
