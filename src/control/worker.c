/* worker.c - what a worker does with a job. */
#include <stdatomic.h>

#include "control/job.h"
#include "wire/base64.h"

void backend_end(struct backend *b)
{
    atomic_store(&b->ending_ms, world_mono_ms(b->world));
}

bool backend_is_ending(const struct backend *b)
{
    return atomic_load(&b->ending_ms) != 0;
}

bool backend_is_late(void *backend)
{
    struct backend *b = backend;
    int64_t since_ms = atomic_load(&b->ending_ms);

    return since_ms && world_mono_ms(b->world) - since_ms > END_GRACE_MS;
}

bool backend_is_over(void *backend)
{
    struct backend *b = backend;

    return backend_is_late(b) || !b->ops->may_write(b);
}

/* kubectl takes a file as it is, and editors and echo end one with a line feed. */
static struct sv without_line_end(struct sv v)
{
    if (v.n && v.p[v.n - 1] == '\n')
        v.n--;
    if (v.n && v.p[v.n - 1] == '\r')
        v.n--;
    return v;
}

struct sv secret_value(const struct job_secret *s, const char *name, const char *other)
{
    for (size_t i = 0; i < s->data.n; i++) {
        if (sv_eq(s->data.p[i].key, sv_from(name)) ||
            (other && sv_eq(s->data.p[i].key, sv_from(other))))
            return without_line_end(s->data.p[i].value);
    }
    return (struct sv){0};
}

bool secret_is_text(const struct job_secret *s, struct err *e)
{
    static const char *const names[] = {
        "client-id",         "client-secret",         "access-key-id", "AWS_ACCESS_KEY_ID",
        "secret-access-key", "AWS_SECRET_ACCESS_KEY", "session-token", "AWS_SESSION_TOKEN"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct sv v = secret_value(s, names[i], NULL);

        for (size_t at = 0; at < v.n; at++) {
            unsigned char c = (unsigned char)v.p[at];

            if (c < 0x20 || c > 0x7e || (i == 0 && c == ':'))
                return err_set(e, ERR_INVALID,
                               "%s: byte 0x%02x at %zu: only printable ASCII can be sent as a "
                               "credential%s",
                               names[i], c, at, i ? "" : ", and no colon in an id");
        }
    }
    return true;
}

struct sv secret_rotation_asked(const struct json *secret)
{
    const struct json *m = json_get(secret, SV("metadata"));

    return json_get_str(json_get(m, SV("annotations")), SV(ROTATE_ANNOTATION));
}

bool secret_data(const struct json *secret, struct arena *a, struct tags *out, struct err *e)
{
    const struct json *data = json_get(secret, SV("data"));
    struct json *value;
    struct sv name, raw;

    for (size_t i = 0; json_member(data, i, &name, &value); i++) {
        if (!base64_decode(json_str(value, (struct sv){0}), a, &raw, e))
            return err_wrap(e, "Secret data " SV_FMT, SV_ARG(name));
        vec_push(out, a, ((struct tag){arena_dup(a, name), raw}));
    }
    return true;
}

static bool reconcile(struct worker *w, struct job *j, struct err *e)
{
    if (!json_read(j->object_text, &j->arena, &j->object, e) ||
        !resource_read(j->object, &j->arena, &j->resource, e))
        return false;
    switch (j->resource->kind) {
    case KIND_STORAGE_INTEGRATION:
        return reconcile_integration(w, j, e);
    case KIND_PRINCIPAL:
        return j->resource->meta.deleting || reconcile_principal(w, j, e);
    case KIND_POLARIS_CATALOG:
    case KIND_PRINCIPAL_ROLE:
    case KIND_CATALOG_ROLE:
    case KIND_COUNT:
        break;
    }
    return j->resource->meta.deleting || reconcile_plain(w, j, e);
}

void job_run(struct worker *w, struct job *j)
{
    struct err e = {0};
    bool ok;

    http_client_until(w->http, j->kind == JOB_OBJECT ? backend_is_over : backend_is_late,
                      w->backend);
    if (j->kind == JOB_TOKEN_KEYS)
        ok = token_keys_look(w, j, &e);
    else if (j->kind == JOB_CLUSTER_KEYS)
        ok = w->ops->cluster_keys(w->writer, &j->arena, &j->issuer, &j->jwks, &e);
    else if (j->kind == JOB_AMBIENT)
        ok = ambient_obtain(w, j, &e);
    else
        ok = reconcile(w, j, &e);
    if (!ok)
        j->err = e;
}
