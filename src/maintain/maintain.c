/* maintain.c - the thread that deletes the files of purged tables. */
#include "maintain/maintain.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/log.h"
#include "base/metric.h"
#include "maintain/purge.h"
#include "maintain/record.h"
#include "net/mailbox.h"

enum {
    LOOK_MS = 10 * 1000, /* how often other replicas' purges are looked for */
    LEASE_MS = 120 * 1000,
    RENEW_MS = 20 * 1000,
    GIVE_UP_MS = 60 * 1000, /* clocks differ: well before anybody else may begin */
    TELL_MS = 10 * 1000,
    FIRST_WAIT_MS = 5 * 1000,
    LAST_WAIT_MS = 10 * 60 * 1000,
    PARTS_OF_WAIT = 4,
};

struct maintain {
    struct arena arena; /* holds this */
    struct maintain_options options;
    struct store *store;
    struct http_multi *http;
    struct mailbox mailbox;
    pthread_t thread;
    _Atomic bool ending;
    struct rulebook *rules; /* NULL until the first arrives */
    struct rulebook *fresh; /* has arrived since; NULL: none */
    struct sv holder;       /* who we are, for leases */
};

/* One purge under way. */
struct job {
    struct maintain *maintain;
    struct purge_row row;
    struct arena *arena;
    struct objects *objects;
    int64_t held_ms, renewed_ms, told_ms; /* monotonic */
};

static int64_t mono(const struct maintain *m)
{
    return world_mono_ms(m->options.world);
}

static struct purge_lease lease(const struct maintain *m)
{
    int64_t now_ms = world_wall_ms(m->options.world);

    return (struct purge_lease){.holder = m->holder,
                                .now_ms = now_ms,
                                .until_ms = now_ms + LEASE_MS,
                                .alone = !store_is_shared(m->store)};
}

/* ---- while it lasts ---- */

static bool renew(struct job *j, struct err *e)
{
    struct maintain *m = j->maintain;
    const struct purge_lease l = lease(m);
    int64_t now_ms = mono(m);

    if (now_ms - j->renewed_ms < RENEW_MS)
        return true;
    j->renewed_ms = now_ms;
    if (store_purge_hold(m->store, j->row.id, &l, e)) {
        j->held_ms = now_ms;
        return true;
    }
    return e->code != ERR_CONFLICT && now_ms - j->held_ms < GIVE_UP_MS;
}

static void tell_progress(struct job *j)
{
    int64_t now_ms = mono(j->maintain);

    if (now_ms - j->told_ms < TELL_MS)
        return;
    j->told_ms = now_ms;
    log_line(LOG_INFO, "purge", "files are being deleted", LOG_SV("table", j->row.table.name),
             LOG_SV("purge", j->row.mark), LOG_I64("deleted", objects_deleted(j->objects)),
             LOG_I64("foreign", objects_foreign(j->objects)));
}

static bool go_on(void *context, struct err *e)
{
    struct job *j = context;

    if (atomic_load(&j->maintain->ending))
        return err_set(e, ERR_BUSY, "the program ends");
    mailbox_drain(&j->maintain->mailbox, j->maintain);
    tell_progress(j);
    return renew(j, e);
}

/* ---- one purge ---- */

static const struct rule_catalog *catalog_of(const struct rulebook *r, struct sv id)
{
    const struct rule_catalog *const *all;
    size_t n = rulebook_catalogs(r, &all);

    for (size_t i = 0; i < n; i++) {
        if (sv_eq(all[i]->id, id))
            return all[i];
    }
    return NULL;
}

/* As keys for it would be vended now: what has become another catalog's is not ours to delete. */
static bool add_folder(const struct job *j, struct objects_place *p, struct sv text, struct err *e)
{
    struct location folder;

    if (!location_read(text, false, j->arena, &folder, e))
        return false;
    if (!rulebook_allows_place(j->maintain->rules, p->catalog, &folder))
        return err_set(e, ERR_UNAVAILABLE,
                       SV_FMT " is outside the allowed locations of catalog " SV_FMT
                              ", or in the place of another catalog",
                       SV_ARG(sv_first(text, 120)), SV_ARG(sv_first(p->catalog->name, 40)));
    if (p->n_folders == sizeof(p->folders) / sizeof(p->folders[0]))
        return err_set(e, ERR_UNAVAILABLE, "the table has more than %zu folders", p->n_folders);
    p->folders[p->n_folders++] = folder;
    return true;
}

static bool find_folders(const struct job *j, struct objects_place *p, struct err *e)
{
    const struct table_row *row = &j->row.row;

    p->n_folders = 0;
    if (!add_folder(j, p, row->location, e))
        return false;
    for (size_t i = 0; i < row->extra_locations.n; i++) {
        if (!add_folder(j, p, row->extra_locations.p[i], e))
            return false;
    }
    return true;
}

static bool find_place(const struct job *j, struct objects_place *p, struct err *e)
{
    p->catalog = catalog_of(j->maintain->rules, j->row.table.catalog);
    if (!p->catalog) {
        (void)err_set(e, ERR_UNAVAILABLE, "there is no catalog " SV_FMT " now",
                      SV_ARG(j->row.table.catalog));
        return false;
    }
    if (!p->catalog->integration->vendable)
        return err_set(e, ERR_UNAVAILABLE, "StorageIntegration " SV_FMT " is not ready: " SV_FMT,
                       SV_ARG(p->catalog->integration->name),
                       SV_ARG(p->catalog->integration->why_not));
    p->words = (struct session_words){.principal = SV("frontdesk"),
                                      .catalog = p->catalog->name,
                                      .table = j->row.table.name,
                                      .request = j->row.request};
    return find_folders(j, p, e);
}

static void take_fresh_rules(struct maintain *m)
{
    if (!m->fresh)
        return;
    (void)rulebook_unref(m->rules);
    m->rules = m->fresh;
    m->fresh = NULL;
}

static bool has_changed(void *context)
{
    return ((struct job *)context)->maintain->fresh != NULL;
}

static bool renew_place(struct objects_place *p, void *context, struct err *e)
{
    const struct job *j = context;

    take_fresh_rules(j->maintain);
    return find_place(j, p, e);
}

static bool run_job(struct job *j, struct err *e)
{
    struct maintain *m = j->maintain;
    struct objects_place place = {.world = m->options.world,
                                  .http = m->http,
                                  .go_on = go_on,
                                  .has_changed = has_changed,
                                  .renew = renew_place,
                                  .context = j};

    if (!find_place(j, &place, e))
        return false;
    j->objects = objects_new(&place, j->arena);
    log_line(LOG_INFO, "purge", "the files of a table are to be deleted",
             LOG_SV("table", j->row.table.name), LOG_SV("catalog", place.catalog->name),
             LOG_SV("location", j->row.row.location), LOG_SV("purge", j->row.mark),
             LOG_I64("attempt", j->row.attempts));
    return purge_files(j->objects, &j->row.row, e);
}

/* Doubled with each attempt, and spread: many that failed together do not come again together. */
static int64_t wait_ms(const struct maintain *m, int64_t attempts)
{
    int64_t ms = FIRST_WAIT_MS;

    for (int64_t i = 1; i < attempts && ms < LAST_WAIT_MS; i++)
        ms *= 2;
    ms = ms < LAST_WAIT_MS ? ms : LAST_WAIT_MS;
    return ms + (int64_t)world_below(m->options.world, (uint64_t)ms / PARTS_OF_WAIT);
}

static void tell_end(const struct job *j, const struct purge_done *done, const struct err *why)
{
    auto_arena a = {0};

    metric_add(why ? METRIC_PURGES_FAILED : METRIC_PURGES_DONE, 1);
    log_line(why ? LOG_WARNING : LOG_INFO, "purge",
             why ? "a table's files are not all deleted yet" : "a table's files are deleted",
             LOG_SV("table", j->row.table.name), LOG_SV("purge", j->row.mark),
             LOG_I64("attempt", j->row.attempts), LOG_I64("deleted", done->deleted),
             LOG_I64("foreign", done->foreign), LOG_STR("error", why ? why->msg : ""));
    j->maintain->options.record(done->now_ms, purge_record(&j->row, done, why, &a),
                                j->maintain->options.context);
}

static struct purge_done done_of(const struct job *j)
{
    const struct rule_catalog *c = catalog_of(j->maintain->rules, j->row.table.catalog);

    return (struct purge_done){
        .catalog = c ? c->name : j->row.table.catalog,
        .now_ms = world_wall_ms(j->maintain->options.world),
        .deleted = j->objects ? objects_deleted(j->objects) : 0,
        .foreign = j->objects ? objects_foreign(j->objects) : 0,
    };
}

/* The row says how it ended, before anybody is told. Where that cannot be written it is begun
 * again when the lease has ended, and finds nothing. */
static void end_job(struct job *j, const struct err *why)
{
    struct maintain *m = j->maintain;
    const struct purge_lease l = lease(m);
    const struct purge_done done = done_of(j);
    bool ending = atomic_load(&m->ending);
    struct err e = {0};

    if (why && store_purge_postpone(m->store, j->row.id, &l,
                                    l.now_ms + (ending ? 0 : wait_ms(m, j->row.attempts)), &e)) {
        if (!ending)
            tell_end(j, &done, why);
    } else if (!why && store_purge_end(m->store, j->row.id, &l, &e)) {
        tell_end(j, &done, NULL);
    } else {
        log_line(LOG_WARNING, "purge", "the end of a purge could not be entered",
                 LOG_SV("purge", j->row.mark), LOG_ERR(&e), LOG_STR("reason", why ? why->msg : ""));
    }
}

/* Whether there was one. */
static bool next_job(struct maintain *m)
{
    auto_arena a = {0};
    struct job j = {.maintain = m, .arena = &a};
    const struct purge_lease l = lease(m);
    struct err e = {0};
    int64_t n;

    j.held_ms = j.renewed_ms = j.told_ms = mono(m);
    if (!store_purge_take(m->store, &l, &a, &j.row, &e)) {
        if (store_purges(m->store, &n, &e))
            metric_set(METRIC_PURGES_PENDING, n);
        return false;
    }
    end_job(&j, run_job(&j, &e) ? NULL : &e);
    return true;
}

/* ---- the thread ---- */

struct publication {
    struct message message;
    struct arena arena; /* holds this */
    struct rulebook *rules;
};

static void on_publication(struct message *message, void *receiver)
{
    struct publication *p = (struct publication *)message;
    struct maintain *m = receiver;
    struct arena last = p->arena;

    (void)rulebook_unref(m->fresh);
    m->fresh = p->rules;
    arena_done(&last);
}

static void ring(void *bell)
{
    http_multi_wake(((struct maintain *)bell)->http);
}

static void *run(void *argument)
{
    struct maintain *m = argument;

    while (!atomic_load(&m->ending)) {
        mailbox_drain(&m->mailbox, m);
        take_fresh_rules(m);
        if (!m->rules || !next_job(m))
            http_multi_poll(m->http, LOOK_MS);
    }
    return NULL;
}

bool maintain_start(const struct maintain_options *o, struct maintain **out, struct err *e)
{
    struct arena own = {0};
    struct maintain *m = arena_new(&own, struct maintain);
    int failed;

    m->arena = own;
    m->options = *o;
    if (!store_open(o->store_url, &m->arena, &m->store, e)) {
        own = m->arena;
        arena_done(&own);
        return false;
    }
    m->holder = world_uuid(o->world, &m->arena);
    m->http = http_multi_new(&m->arena);
    mailbox_init(&m->mailbox, ring, m);
    failed = pthread_create(&m->thread, NULL, run, m);
    assert(!failed);
    *out = m;
    return true;
}

void maintain_publish(struct maintain *m, struct rulebook *r)
{
    struct arena own = {0};
    struct publication *p = arena_new(&own, struct publication);

    p->message.deliver = on_publication;
    p->rules = r;
    p->arena = own;
    mailbox_post(&m->mailbox, &p->message);
}

void maintain_wake(struct maintain *m)
{
    http_multi_wake(m->http);
}

void maintain_stop(struct maintain *m)
{
    atomic_store(&m->ending, true);
    http_multi_wake(m->http);
    (void)pthread_join(m->thread, NULL);
}

void maintain_free(struct maintain *m)
{
    struct arena last;

    if (!m)
        return;
    mailbox_drain(&m->mailbox, m);
    mailbox_done(&m->mailbox);
    (void)rulebook_unref(m->fresh);
    (void)rulebook_unref(m->rules);
    last = m->arena;
    arena_done(&last);
}
