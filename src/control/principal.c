/* principal.c - the kinds that need no store: principals with their Secrets, catalogs and roles. */
#include "base/map.h"
#include "control/job.h"
#include "wire/base64.h"
#include "wire/hex.h"
#include "wire/time.h"

#define ROTATE API_GROUP "/rotate-requested-at"

static struct sv fresh_secret(struct worker *w, struct arena *a)
{
    char bytes[32];

    world_random(w->world, bytes, sizeof(bytes));
    return base64url_encode(a, sv_of(bytes, sizeof(bytes)));
}

static void add(struct tags *t, struct arena *a, const char *name, struct sv value)
{
    vec_push(t, a, ((struct tag){sv_from(name), value}));
}

static struct sv new_client_id(struct worker *w, struct arena *a)
{
    unsigned char bytes[8];

    world_random(w->world, bytes, sizeof(bytes));
    return arena_printf(a, "frontdesk-" SV_FMT,
                        SV_ARG(hex_encode(a, sv_of((const char *)bytes, sizeof(bytes)))));
}

static bool put_credentials(struct worker *w, struct job *j, struct sv *client_id, struct err *e)
{
    struct arena *a = &j->arena;
    const struct principal *p = &j->resource->principal;
    struct sv old = secret_value(&j->client, "client-secret", NULL);
    int64_t until = world_wall_ms(w->world) + (int64_t)p->rotation_overlap_seconds * 1000;
    struct tags data = {0};

    *client_id = secret_value(&j->client, "client-id", NULL);
    if (!client_id->n)
        *client_id = new_client_id(w, a);
    add(&data, a, "client-id", *client_id);
    add(&data, a, "client-secret", fresh_secret(w, a));
    if (old.n) {
        add(&data, a, "previous-client-secret", old);
        add(&data, a, "previous-valid-until", time_text(a, until, TIME_SECONDS));
    }
    return w->ops->put_secret(w->writer, j->resource->meta.namespace_, p->client_secret, j->object,
                              &data, e);
}

static bool reconcile_client(struct worker *w, struct job *j, struct outcome *o, struct err *e)
{
    struct arena *a = &j->arena;
    struct sv asked = meta_annotation(&j->resource->meta, SV(ROTATE));
    struct sv handled = json_get_str(j->resource->status, SV("lastHandledRotationAt"));
    struct sv client_id = secret_value(&j->client, "client-id", NULL);
    struct sv rotated_at = json_get_str(j->resource->status, SV("rotatedAt"));
    bool complete = client_id.n && secret_value(&j->client, "client-secret", NULL).n;

    if (!complete || (asked.n && !sv_eq(asked, handled))) {
        if (!put_credentials(w, j, &client_id, e))
            return false;
        rotated_at = time_text(a, world_wall_ms(w->world), TIME_SECONDS);
        w->ops->tell(w->writer, j->object, false, complete ? "SecretRotated" : "SecretCreated",
                     arena_printf(a, "client credentials are in Secret " SV_FMT,
                                  SV_ARG(j->resource->principal.client_secret)));
    }
    o->extra = json_new_object(a);
    json_set_str(o->extra, a, SV("clientId"), client_id);
    json_set_str(o->extra, a, SV("secretName"), j->resource->principal.client_secret);
    if (rotated_at.n)
        json_set_str(o->extra, a, SV("rotatedAt"), rotated_at);
    if (asked.n)
        json_set_str(o->extra, a, SV("lastHandledRotationAt"), asked);
    return true;
}

bool reconcile_principal(struct worker *w, struct job *j, struct err *e)
{
    struct outcome o = {0};

    if (!set_complaints(&o, j)) {
        if (j->resource->principal.has_client && !reconcile_client(w, j, &o, e))
            return false;
        set_ready(&o, j, CONDITION_TRUE, "Reconciled", SV("the principal is in force"));
    }
    return put_outcome(w, j, &o, e);
}

/* Catalogs and roles: what the compilation said of them. */
bool reconcile_plain(struct worker *w, struct job *j, struct err *e)
{
    struct outcome o = {0};

    if (!set_complaints(&o, j)) {
        set_ready(&o, j, CONDITION_TRUE, "Reconciled", SV("in force"));
        if (j->warehouse.n) {
            o.extra = json_new_object(&j->arena);
            json_set_str(o.extra, &j->arena, SV("warehouse"), j->warehouse);
        }
    }
    return put_outcome(w, j, &o, e);
}
