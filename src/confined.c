/* confined.c - what `frontdesk run` gives up before it begins. */
#include "confined.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/confine.h"
#include "base/log.h"
#include "control/files.h"
#include "kube/client.h"

/* A kubeconfig may name a program that hands out our credential for the cluster. It is known from
 * the start: the configuration is not read again. What is wrong with it is said when it is used. */
static bool runs_plugin(const struct options *o)
{
    auto_arena a = {.wipe = true};
    const struct kube_config_options k = {.world = &world_os, .kubeconfig = o->kubeconfig};
    struct kube_config *config;
    struct err ignored = {0};

    return !o->resources.n && kube_config_load(&k, &a, &config, &ignored) &&
           kube_config_executes(config);
}

static struct sv folder_of(struct sv path)
{
    ptrdiff_t slash = sv_rfind(path, '/');

    return slash < 0 ? SV(".") : slash == 0 ? SV("/") : sv_first(path, (size_t)slash);
}

static void release(void *text)
{
    free(text);
}

/* The file, and what comes to stand beside it: where it is, and where a link to it leads. */
static void add_file(struct confinement *c, struct arena *a, struct sv path)
{
    char *real = realpath(arena_cstr(a, path), NULL);

    vec_push(&c->writable, a, folder_of(path));
    if (!real)
        return;
    arena_defer(a, release, real);
    vec_push(&c->writable, a, sv_from(real));
    if (path.n && !sv_starts(sv_from(real), SV("/dev/")))
        vec_push(&c->writable, a, folder_of(sv_from(real)));
}

static void add_writable(struct confinement *c, struct arena *a, const struct options *o)
{
    struct sv store = option_or(o->store, SV(DEFAULT_STORE)),
              state = option_or(o->state, SV(DEFAULT_STATE));
    struct err said_later = {0};

    if (sv_starts(store, SV("sqlite:")))
        add_file(c, a, sv_skip(store, sizeof("sqlite:") - 1));
    for (size_t i = 0; i < o->audit.n; i++) {
        if (sv_starts(o->audit.p[i], SV("file:")))
            add_file(c, a, sv_skip(o->audit.p[i], sizeof("file:") - 1));
    }
    if (o->file_storage.n)
        vec_push(&c->writable, a, o->file_storage);
    /* What is not there yet cannot be granted. */
    if (o->resources.n && folder_make(sv_trim_end(state, '/'), &said_later))
        vec_push(&c->writable, a, state);
}

void confine_run(const struct options *o)
{
    auto_arena a = {0};
    struct confinement c = {.executes = runs_plugin(o), .traced = SANITIZED};
    struct err e = {0};

    add_writable(&c, &a, o);
    if (geteuid() == 0)
        log_line(LOG_WARNING, "main",
                 "runs as root, and needs none of its privileges: use a user of its own");
    if (!confine_process(&c, &e))
        log_line(LOG_WARNING, "main", "less confined than it could be", LOG_ERR(&e));
}
