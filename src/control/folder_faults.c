/* folder_faults.c - which files of the folder cannot be used, and why. */
#include "control/folder.h"

enum { MAX_TOLD = 20, MAX_TOLD_BYTES = 8192 };

const struct fault *fault_at(const struct folder_backend *f, struct sv path)
{
    for (size_t i = 0; i < f->faults.n; i++) {
        if (sv_eq(f->faults.p[i].path, path))
            return &f->faults.p[i];
    }
    return NULL;
}

bool faults_hold(const struct folder_backend *f)
{
    for (size_t i = 0; i < f->faults.n; i++) {
        if (f->faults.p[i].holds)
            return true;
    }
    return false;
}

void faults_done(struct faults *x)
{
    arena_done(&x->arena);
    *x = (struct faults){0};
}

static void tell(struct folder_backend *f)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, MAX_TOLD_BYTES);

    for (size_t i = 0; i < f->faults.n && i < MAX_TOLD; i++)
        buf_addf(&b, SV_FMT ": " SV_FMT "\n", SV_ARG(f->faults.p[i].path),
                 SV_ARG(sv_first(f->faults.p[i].why, 300)));
    if (f->events.unread)
        f->events.unread(f->events.context, f->faults.n, buf_sv(&b));
}

static void copy(struct faults *to, const struct fault *one)
{
    to->p[to->n++] = (struct fault){arena_dup(&to->arena, one->path),
                                    arena_dup(&to->arena, one->why), one->holds};
}

void fault_set(struct folder_backend *f, struct sv path, struct sv why, bool holds)
{
    const struct fault *was = fault_at(f, path);
    struct fault now = {path, why, holds};
    struct faults fresh = {0}, old = f->faults;

    if (was ? sv_eq(was->why, why) && was->holds == holds : !why.n)
        return;
    fresh.p = arena_array(&fresh.arena, struct fault, old.n + 1);
    for (size_t i = 0; i < old.n; i++) {
        if (&old.p[i] != was)
            copy(&fresh, &old.p[i]);
    }
    if (why.n)
        copy(&fresh, &now);
    f->faults = fresh;
    faults_done(&old);
    tell(f);
}
