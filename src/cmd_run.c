/* cmd_run.c - operator and server, wired up and waited for. */
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "catalog/routes.h"
#include "confined.h"
#include "control/control.h"
#include "maintain/maintain.h"
#include "options.h"
#include "serve/serve.h"

/* Every loop allocates a table for all descriptors it might see. */
enum { MAX_DESCRIPTORS = 65536, DRAIN_MS = 10000, DEFAULT_KEEP_DAYS = 90 };

struct wiring {
    struct serve *serve;
    struct control *_Atomic control;
    struct maintain *_Atomic maintain;
};

static void publish(struct rulebook *r, void *context)
{
    struct wiring *w = context;

    maintain_publish(w->maintain, rulebook_ref(r));
    serve_publish(w->serve, r);
}

static void want_purge(void *context)
{
    struct maintain *m = ((struct wiring *)context)->maintain;

    if (m)
        maintain_wake(m);
}

static void record(int64_t now_ms, struct sv line, void *context)
{
    serve_record(((struct wiring *)context)->serve, now_ms, line);
}

static void want_keys(void *context)
{
    struct control *c = ((struct wiring *)context)->control;

    if (c)
        control_want_keys(c);
}

static void limit_descriptors(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return;
    r.rlim_cur = r.rlim_max < MAX_DESCRIPTORS ? r.rlim_max : MAX_DESCRIPTORS;
    (void)setrlimit(RLIMIT_NOFILE, &r);
}

static void set_log_level(struct sv level)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};

    log_set_level(LOG_INFO);
    for (int i = 0; i < 4; i++) {
        if (sv_eq(level, sv_from(names[i])))
            log_set_level((enum log_level)i);
    }
}

static bool start_serving(const struct options *o, struct wiring *w, struct arena *a, struct err *e)
{
    size_t n = o->listen.n ? o->listen.n : 1;
    struct http_listener *listeners = arena_array(a, struct http_listener, n);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct serve_options s = {.world = &world_os,
                              .routes = &catalog_routes,
                              .listeners = listeners,
                              .n_listeners = n,
                              .audit = o->audit,
                              .audit_keep_ms =
                                  (o->audit_keep_days ? o->audit_keep_days : DEFAULT_KEEP_DAYS) *
                                  24 * 60 * 60 * 1000,
                              .token_ms = o->token_seconds * 1000,
                              .memory_bytes = (size_t)o->memory_mb * 1024 * 1024,
                              .want_keys = want_keys,
                              .want_purge = want_purge,
                              .context = w};

    if (!o->tls_cert.n != !o->tls_key.n)
        return err_set(e, ERR_INVALID, "--tls-cert and --tls-key go together");
    for (size_t i = 0; i < n; i++)
        listeners[i] = (struct http_listener){o->listen.n ? o->listen.p[i] : SV("127.0.0.1:8181"),
                                              o->tls_cert, o->tls_key};
    s.admin.address = option_or(o->admin_listen, SV("127.0.0.1:8182"));
    s.loops = o->threads ? (unsigned)o->threads : (unsigned)(cores > 0 ? cores : 1);
    s.store_url = option_or(o->store, SV(DEFAULT_STORE));
    if (!s.audit.n)
        vec_push(&s.audit, a, SV("stdout"));
    return serve_start(&s, &w->serve, e);
}

static bool start_maintain(const struct options *o, struct wiring *w, struct err *e)
{
    const struct maintain_options m = {.world = &world_os,
                                       .store_url = option_or(o->store, SV(DEFAULT_STORE)),
                                       .record = record,
                                       .context = w};
    struct maintain *started;

    if (!maintain_start(&m, &started, e))
        return false;
    w->maintain = started;
    return true;
}

static bool start_control(const struct options *o, struct wiring *w, struct err *e)
{
    struct control_options c = {.world = &world_os,
                                .resources_dir = sv_trim_end(o->resources, '/'),
                                .state_dir =
                                    option_or(sv_trim_end(o->state, '/'), SV(DEFAULT_STATE)),
                                .kubeconfig = o->kubeconfig,
                                .namespaces = o->namespaces,
                                .audience = o->audience,
                                .file_storage = o->file_storage,
                                .system_namespace = o->system_namespace,
                                .resync_ms = (int)o->resync_seconds * 1000,
                                .lease_ms = (int)o->lease_seconds * 1000,
                                .publish = publish,
                                .context = w};
    struct control *started;

    if (!control_start(&c, &started, e))
        return false;
    w->control = started;
    return true;
}

static sigset_t all_signals(void)
{
    sigset_t s;

    (void)sigemptyset(&s);
    (void)sigaddset(&s, SIGTERM);
    (void)sigaddset(&s, SIGINT);
    (void)sigaddset(&s, SIGHUP);
    (void)sigaddset(&s, SIGPIPE);
    return s;
}

static void wait_for_end(const sigset_t *signals)
{
    int got = 0;

    while (got != SIGTERM && got != SIGINT) {
        if (sigwait(signals, &got) != 0)
            return;
    }
}

/* A second signal ends at once: the default action is back while we drain. */
static void unblock_end(void)
{
    sigset_t s;

    (void)sigemptyset(&s);
    (void)sigaddset(&s, SIGTERM);
    (void)sigaddset(&s, SIGINT);
    (void)pthread_sigmask(SIG_UNBLOCK, &s, NULL);
}

static int fail(const struct err *e)
{
    log_line(LOG_ERROR, "main", "cannot start", LOG_ERR(e));
    return 1;
}

int cmd_run(const struct options *o)
{
    auto_arena a = {0};
    struct wiring w = {0};
    sigset_t signals = all_signals();
    struct err e = {0};

    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    limit_descriptors();
    set_log_level(o->log_level);
    confine_run(o);
    if (!start_serving(o, &w, &a, &e))
        return fail(&e);
    if (!start_maintain(o, &w, &e) || !start_control(o, &w, &e)) {
        if (w.maintain)
            maintain_stop(w.maintain);
        serve_stop(w.serve, 0);
        maintain_free(w.maintain);
        return fail(&e);
    }
    log_line(LOG_INFO, "main", "listening", LOG_SV("address", serve_address(w.serve, 0)),
             LOG_SV("admin", serve_admin_address(w.serve)), LOG_STR("version", FRONTDESK_VERSION));
    wait_for_end(&signals);
    log_line(LOG_INFO, "main", "draining", LOG_I64("atMostMs", DRAIN_MS));
    unblock_end();
    /* While it drains, a loop may still ask control for keys, and for a purge. */
    control_stop(w.control);
    maintain_stop(w.maintain);
    serve_stop(w.serve, DRAIN_MS);
    maintain_free(w.maintain);
    control_free(w.control);
    return 0;
}
