/*
 * worker_bench.h - a worker on a state folder of its own, and a store that follows a script: passes
 * over one object, and what they left in its status.
 */
#ifndef CONTROL_WORKER_BENCH_H
#define CONTROL_WORKER_BENCH_H

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/files.h"
#include "control/job.h"
#include "fakes/api_server.h"
#include "unit/suite.h"

struct worker_bench {
    struct arena arena;
    struct control_options options;
    struct worker worker;
    struct fake_server store; /* where bench_store was called */
    bool has_store;
    struct job job; /* of the last pass */
};

static inline void bench_hear(void *context, const struct json *v)
{
    (void)context;
    (void)v;
}

static inline void bench_begin(struct worker_bench *b)
{
    static const struct backend_events events = {.applied = bench_hear};
    char folder[] = "/tmp/frontdesk-test-XXXXXX";
    struct err e = {0};

    NEED(mkdtemp(folder) != NULL);
    b->options.world = &world_os;
    b->options.resources_dir = arena_printf(&b->arena, "%s/resources", folder);
    b->options.state_dir = arena_printf(&b->arena, "%s/state", folder);
    NEED_OK(folder_make(b->options.resources_dir, &e), &e);
    NEED_OK(backend_folder(&b->options, &events, &b->arena, &b->worker.backend, &e), &e);
    b->worker.ops = b->worker.backend->ops;
    b->worker.writer = b->worker.ops->open_writer(b->worker.backend, &b->arena);
    b->worker.http = http_client_new(&b->arena);
    b->worker.world = &world_os;
    b->worker.resync_ms = 600000;
}

/* From now on the store gives these answers, one a connection. */
static inline void bench_store(struct worker_bench *b, const struct fake_reply *replies, size_t n)
{
    fake_start(&b->store, replies, n);
    b->has_store = true;
}

static inline void bench_clear(struct worker_bench *b, struct sv folder)
{
    struct sv_vec files = {0}, folders = {0};
    struct err ignored = {0};

    (void)file_list(folder, &b->arena, &files, &folders, &ignored);
    for (size_t i = 0; i < files.n; i++)
        file_remove(files.p[i]);
    (void)rmdir(arena_cstr(&b->arena, folder));
}

static inline void bench_end(struct worker_bench *b)
{
    struct sv state = b->options.state_dir;

    if (b->has_store)
        fake_stop(&b->store);
    arena_done(&b->job.arena);
    b->worker.ops->close(b->worker.backend);
    bench_clear(b, b->options.resources_dir);
    bench_clear(b, arena_printf(&b->arena, SV_FMT "/secrets", SV_ARG(state)));
    bench_clear(b, state);
    bench_clear(b, sv_first(state, (size_t)sv_rfind(state, '/')));
    arena_done(&b->arena);
}

/* What is kept of the object; empty when nothing was written. */
static inline struct sv bench_path(struct worker_bench *b)
{
    struct sv_vec files = {0}, folders = {0};
    struct err ignored = {0};

    (void)file_list(b->options.state_dir, &b->arena, &files, &folders, &ignored);
    return files.n ? files.p[0] : (struct sv){0};
}

static inline struct json *bench_kept(struct worker_bench *b, const char *path)
{
    struct yaml_docs docs = {0};
    struct err e = {0};

    if (!bench_path(b).n)
        return NULL;
    NEED_OK(file_manifests(bench_path(b), &b->arena, &docs, &e), &e);
    NEED(docs.n == 1);
    return json_path(docs.p[0].root, sv_from(path));
}

/* "True Reconciled: message" of a condition; empty when there is none. */
static inline struct sv bench_condition(struct worker_bench *b, const char *type)
{
    const struct json *list = bench_kept(b, "status.conditions");

    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *c = json_at(list, i);

        if (sv_eq(json_get_str(c, SV("type")), sv_from(type)))
            return arena_printf(
                &b->arena, SV_FMT " " SV_FMT ": " SV_FMT, SV_ARG(json_get_str(c, SV("status"))),
                SV_ARG(json_get_str(c, SV("reason"))), SV_ARG(json_get_str(c, SV("message"))));
    }
    return (struct sv){0};
}

/* A number that changes whenever the status is written. */
static inline unsigned long bench_writes(struct worker_bench *b)
{
    struct stat st = {0};

    return bench_path(b).n && stat(arena_cstr(&b->arena, bench_path(b)), &st) == 0
               ? (unsigned long)st.st_ino
               : 0;
}

/* A key in a Secret. */
static inline struct job_secret bench_key(struct arena *a)
{
    struct job_secret s = {.found = true, .version = SV("1")};

    vec_push(&s.data, a, ((struct tag){SV("access-key-id"), SV("K")}));
    vec_push(&s.data, a, ((struct tag){SV("secret-access-key"), SV("S")}));
    return s;
}

/* A new job over this object. */
static inline struct job *bench_job(struct worker_bench *b, struct sv object)
{
    struct err e = {0};

    arena_done(&b->job.arena);
    b->job = (struct job){.kind = JOB_OBJECT, .key = SV("Kind/n/name")};
    b->job.object_text = object;
    NEED_OK(json_read(object, &b->job.arena, &b->job.object, &e), &e);
    NEED_OK(resource_read(b->job.object, &b->job.arena, &b->job.resource, &e), &e);
    return &b->job;
}

#endif
