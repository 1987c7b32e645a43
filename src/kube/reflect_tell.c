/* reflect_tell.c - what a reflector tells its listener, and what it remembers of that. */
#include "kube/reflect_tell.h"

#include "base/limits.h"

static void tell(struct reflector *r, enum watch_event event, const struct json *object,
                 const struct err *why)
{
    if (!r->muted)
        r->options.event(event, object, why, r->options.context);
}

/* Two messages that differ in a port or a count of milliseconds give the same reason. */
static void add_reason(struct buf *out, const char *msg)
{
    for (; *msg; msg++) {
        if (*msg < '0' || *msg > '9')
            buf_addc(out, *msg);
    }
}

void reflect_failed(struct reflector *r, const struct err *why)
{
    auto_arena a = {0};
    struct buf reason = buf_new(&a, sizeof(why->msg));

    add_reason(&reason, why->msg);
    if (r->failing && sv_eq(buf_sv(&reason), buf_sv(&r->told)))
        return;
    r->failing = true;
    buf_clear(&r->told);
    buf_add(&r->told, buf_sv(&reason));
    tell(r, WATCH_FAILED, NULL, why);
}

void reflect_synced(struct reflector *r)
{
    r->failing = false;
    tell(r, WATCH_SYNCED, NULL, NULL);
}

/* ---- what is told of one object ---- */

static struct sv key_of(const struct json *object, struct arena *a)
{
    struct json *metadata = json_get(object, SV("metadata"));
    struct sv name = json_get_str(metadata, SV("name"));

    if (!name.n)
        return (struct sv){0};
    return arena_printf(a, SV_FMT "/" SV_FMT, SV_ARG(json_get_str(metadata, SV("namespace"))),
                        SV_ARG(name));
}

struct sv reflect_version_of(const struct json *object)
{
    return json_str(json_path(object, SV("metadata.resourceVersion")), (struct sv){0});
}

/* The first object's kind is the collection's; what is of another is not ours to tell. */
static bool is_of_the_kind(struct reflector *r, const struct json *object)
{
    struct sv kind = json_get_str(object, SV("kind"));

    if (!kind.n)
        return true;
    if (!r->kind.n)
        buf_add(&r->kind, kind);
    return sv_eq(buf_sv(&r->kind), kind);
}

bool reflect_applied(struct reflector *r, const struct json *object, struct arena *a, struct err *e)
{
    struct sv key = key_of(object, a);

    if (!key.n || !is_of_the_kind(r, object))
        return true;
    if (names_count(&r->names) >= LIMIT_OBJECTS && !names_has(&r->names, key))
        return err_set(e, ERR_INVALID, "more than %d objects of " SV_FMT, LIMIT_OBJECTS,
                       SV_ARG(r->options.collection.resource));
    if (names_see(&r->names, key, reflect_version_of(object)))
        tell(r, WATCH_APPLIED, object, NULL);
    return true;
}

void reflect_deleted(struct reflector *r, const struct json *object, struct arena *a)
{
    struct sv key = key_of(object, a);

    if (key.n && is_of_the_kind(r, object) && names_forget(&r->names, key))
        tell(r, WATCH_DELETED, object, NULL);
}

/* All that is left of what vanished while we did not look is its name. */
static void tell_vanished(struct sv key, void *context)
{
    auto_arena a = {0};
    struct json *object = json_new_object(&a), *metadata = json_new_object(&a);
    struct sv rest = key, space = {0};

    (void)sv_cut(&rest, '/', &space);
    if (space.n)
        json_set_str(metadata, &a, SV("namespace"), space);
    json_set_str(metadata, &a, SV("name"), rest);
    json_set(object, SV("metadata"), metadata);
    tell(context, WATCH_DELETED, object, NULL);
}

void reflect_version(struct reflector *r, struct sv version)
{
    if (!version.n)
        return;
    buf_clear(&r->version);
    buf_add(&r->version, version);
}

/* All that existed has been told. */
void reflect_complete(struct reflector *r, struct sv version)
{
    reflect_version(r, version);
    names_sweep(&r->names, tell_vanished, r);
    buf_clear(&r->continue_token);
    r->phase = REFLECT_WATCH;
    r->refusals = 0;
    reflect_synced(r);
}
