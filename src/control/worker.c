/* worker.c - what a worker does with a job. */
#include <stdatomic.h>

#include "base/limits.h"
#include "control/job.h"
#include "wire/base64.h"
#include "wire/hex.h"

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

struct sv secret_value(const struct job_secret *s, const char *name, const char *other)
{
    for (size_t i = 0; i < s->data.n; i++) {
        if (sv_eq(s->data.p[i].key, sv_from(name)) ||
            (other && sv_eq(s->data.p[i].key, sv_from(other))))
            return s->data.p[i].value;
    }
    return (struct sv){0};
}

static bool make_token_keys(struct worker *w, struct job *j, struct err *e)
{
    unsigned char key[32], kid[8];
    struct tags fresh = {0};

    world_random(w->world, key, sizeof(key));
    world_random(w->world, kid, sizeof(kid));
    vec_push(
        &fresh, &j->arena,
        ((struct tag){SV("kid"), hex_encode(&j->arena, sv_of((const char *)kid, sizeof(kid)))}));
    vec_push(
        &fresh, &j->arena,
        ((struct tag){SV("key"), arena_dup(&j->arena, sv_of((const char *)key, sizeof(key)))}));
    explicit_bzero(key, sizeof(key));
    return w->ops->keep_secret(w->writer, SV("frontdesk-token-keys"), &fresh, &j->arena, &j->keys,
                               e);
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
        ok = make_token_keys(w, j, &e);
    else if (j->kind == JOB_CLUSTER_KEYS)
        ok = w->ops->cluster_keys(w->writer, &j->arena, &j->issuer, &j->jwks, &e);
    else if (j->kind == JOB_AMBIENT)
        ok = ambient_obtain(w, j, &e);
    else
        ok = reconcile(w, j, &e);
    if (!ok)
        j->err = e;
}
