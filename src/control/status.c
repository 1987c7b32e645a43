/* status.c - conditions as kstatus reads them, written only when they differ. */
#include "control/job.h"

static void add(struct outcome *o, struct job *j, const char *type, enum condition_status s,
                struct sv reason, struct sv message)
{
    vec_push(&o->conditions, &j->arena,
             ((struct condition){sv_from(type), s, reason, sv_first(message, 2000),
                                 j->resource->meta.generation, 0}));
}

static bool is_waiting(struct sv reason)
{
    static const char *const waiting[] = {"DependencyNotReady",
                                          "ReferenceNotFound",
                                          "Unavailable",
                                          "Busy",
                                          "Conflict",
                                          "Deleting",
                                          "DeletionBlocked",
                                          "Denied",
                                          "NotFound",
                                          "Internal",
                                          NULL};

    for (const char *const *w = waiting; *w; w++) {
        if (sv_eq(reason, sv_from(*w)))
            return true;
    }
    return false;
}

void set_ready(struct outcome *o, struct job *j, enum condition_status s, const char *reason,
               struct sv message)
{
    struct sv why = sv_from(reason);

    add(o, j, "Ready", s, why, message);
    if (s != CONDITION_TRUE)
        add(o, j, is_waiting(why) ? "Reconciling" : "Stalled", CONDITION_TRUE, why, message);
}

bool set_complaints(struct outcome *o, struct job *j)
{
    const struct complaint *first = j->complaints.p;

    if (!j->complaints.n)
        return false;
    set_ready(
        o, j, CONDITION_FALSE, arena_cstr(&j->arena, first->reason),
        arena_printf(&j->arena, SV_FMT ": " SV_FMT, SV_ARG(first->field), SV_ARG(first->text)));
    return true;
}

bool put_outcome(struct worker *w, struct job *j, const struct outcome *o, struct err *e)
{
    struct arena *a = &j->arena;
    struct json *status = o->extra ? json_copy(a, o->extra) : json_new_object(a);
    struct conditions was = {0};

    conditions_read(j->resource->status, a, &was);
    json_set_i64(status, a, SV("observedGeneration"), j->resource->meta.generation);
    json_set(status, SV("conditions"),
             conditions_write(&o->conditions, &was, world_wall_ms(w->world), a));
    if (json_eq(status, j->resource->status))
        return true;
    return w->ops->put_status(w->writer, j->object, status, e);
}
