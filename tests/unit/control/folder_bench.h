/* folder_bench.h - a folder of manifests, its state, and what the backend tells of them. */
#ifndef UNIT_CONTROL_FOLDER_BENCH_H
#define UNIT_CONTROL_FOLDER_BENCH_H

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/backend.h"
#include "control/files.h"
#include "control/folder.h"
#include "unit/suite.h"

/* What the backend told, one word each: "+Principal/a 1" (with its generation), "-Principal/a". */
struct heard {
    struct arena arena;
    struct buf text;
    struct json *last; /* the object applied last */
    struct sv unread;
};

static inline void on_applied(void *context, const struct json *v)
{
    struct heard *h = context;
    const struct json *m = json_get(v, SV("metadata"));

    h->last = json_copy(&h->arena, v);
    buf_addf(&h->text, "+" SV_FMT "/" SV_FMT "%s", SV_ARG(json_get_str(v, SV("kind"))),
             SV_ARG(json_get_str(m, SV("name"))),
             json_get(m, SV("deletionTimestamp")) ? " deleting" : "");
    buf_addf(&h->text, " %d\n", (int)json_i64(json_get(m, SV("generation")), 0));
}

static inline void on_deleted(void *context, struct sv kind, struct sv ns, struct sv name)
{
    struct heard *h = context;

    (void)ns;
    buf_addf(&h->text, "-" SV_FMT "/" SV_FMT "\n", SV_ARG(kind), SV_ARG(name));
}

static inline void on_synced(void *context)
{
    buf_add(&((struct heard *)context)->text, SV("synced\n"));
}

static inline void on_unread(void *context, size_t n, struct sv text)
{
    struct heard *h = context;

    (void)n;
    h->unread = arena_dup(&h->arena, text);
}

struct scene {
    struct arena arena;
    struct control_options options;
    struct heard heard;
    struct backend *backend;
    struct writer *writer;
};

static inline void write_manifest(struct scene *s, const char *name, const char *text)
{
    auto_arena a = {0};
    struct err e = {0};

    NEED_OK(file_replace(arena_printf(&a, SV_FMT "/%s", SV_ARG(s->options.resources_dir), name),
                         sv_from(text), &e),
            &e);
}

static inline void open_backend(struct scene *s)
{
    const struct backend_events events = {.applied = on_applied,
                                          .deleted = on_deleted,
                                          .synced = on_synced,
                                          .unread = on_unread,
                                          .context = &s->heard};
    struct err e = {0};

    s->heard.text = buf_new(&s->heard.arena, 65536);
    NEED_OK(backend_folder(&s->options, &events, &s->arena, &s->backend, &e), &e);
    s->writer = s->backend->ops->open_writer(s->backend, &s->arena);
}

static inline void begin(struct scene *s)
{
    char folder[] = "/tmp/frontdesk-test-XXXXXX";
    struct err e = {0};

    NEED(mkdtemp(folder) != NULL);
    s->options.world = &world_os;
    s->options.resources_dir = arena_printf(&s->arena, "%s/resources", folder);
    s->options.state_dir = arena_printf(&s->arena, "%s/state", folder);
    NEED_OK(folder_make(s->options.resources_dir, &e), &e);
    open_backend(s);
}

static inline void clear(struct sv folder)
{
    auto_arena a = {0};
    struct sv_vec files = {0}, folders = {0};
    struct err ignored = {0};

    (void)file_list(folder, &a, &files, &folders, &ignored);
    for (size_t i = 0; i < files.n; i++)
        file_remove(files.p[i]);
    (void)rmdir(arena_cstr(&a, folder));
}

static inline void end(struct scene *s)
{
    ptrdiff_t slash = sv_rfind(s->options.state_dir, '/');

    s->backend->ops->close(s->backend);
    clear(s->options.resources_dir);
    clear(arena_printf(&s->arena, SV_FMT "/secrets", SV_ARG(s->options.state_dir)));
    clear(s->options.state_dir);
    clear(sv_first(s->options.state_dir, (size_t)slash));
    arena_done(&s->heard.arena);
    arena_done(&s->arena);
}

/* What is told for what happened since; `polls` looks, of which each sleeps where nothing comes. */
static inline struct sv hear_in(struct scene *s, int polls)
{
    buf_clear(&s->heard.text);
    for (int i = 0; i < polls && !s->heard.text.n; i++)
        s->backend->ops->poll(s->backend, 100);
    return buf_sv(&s->heard.text);
}

static inline struct sv hear(struct scene *s)
{
    return hear_in(s, 600);
}

/* Nothing is told although more time goes by than an object needs to be gone. */
static inline void hear_nothing(struct scene *s)
{
    int64_t until_ms = world_mono_ms(&world_os) + FOLDER_GRACE_MS * 2;

    buf_clear(&s->heard.text);
    while (world_mono_ms(&world_os) < until_ms)
        s->backend->ops->poll(s->backend, 100);
    CHECK_SV(buf_sv(&s->heard.text), SV(""));
}

static inline struct sv path_of(struct scene *s, const char *name)
{
    return arena_printf(&s->arena, SV_FMT "/%s", SV_ARG(s->options.resources_dir), name);
}

#define PRINCIPAL(name, spec)                                                          \
    "apiVersion: polaris.apache.org/v1\nkind: Principal\nmetadata: {name: " name "}\n" \
    "spec: " spec "\n"

/* With a principal that has our finalizer, and whose manifest is a.yaml. */
static inline void begin_with_finalizer(struct scene *s)
{
    struct err e = {0};

    begin(s);
    write_manifest(s, "a.yaml", PRINCIPAL("a", "{}"));
    (void)hear(s);
    NEED_OK(s->backend->ops->put_finalizer(s->writer, s->heard.last, SV(FINALIZER), true, &e), &e);
}

#endif
