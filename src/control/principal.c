/* principal.c - the kinds that need no store: principals with their Secrets, catalogs and roles. */
#include "base/map.h"
#include "control/job.h"
#include "wire/base64.h"
#include "wire/hex.h"
#include "wire/time.h"

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

static struct sv rotation_asked(const struct job *j)
{
    return meta_annotation(&j->resource->meta, SV(ROTATE_ANNOTATION));
}

/* The Secret itself says which rotation it is the outcome of: the status may be older than the
 * Secret, after a crash between the two or while a watch lags. */
static bool wants_new_secret(const struct job *j)
{
    struct sv asked = rotation_asked(j);

    if (!secret_value(&j->client, "client-id", NULL).n ||
        !secret_value(&j->client, "client-secret", NULL).n)
        return true;
    return asked.n && !sv_eq(asked, secret_value(&j->client, ROTATION_HANDLED, NULL)) &&
           !sv_eq(asked, json_get_str(j->resource->status, SV("lastHandledRotationAt")));
}

static bool put_credentials(struct worker *w, struct job *j, const struct secret_now *now,
                            struct sv client_id, struct err *e)
{
    struct arena *a = &j->arena;
    const struct principal *p = &j->resource->principal;
    struct sv old = secret_value(&j->client, "client-secret", NULL);
    int64_t until = world_wall_ms(w->world) + (int64_t)p->rotation_overlap_seconds * 1000;
    struct secret_want want;
    struct tags data = {0};

    add(&data, a, "client-id", client_id);
    add(&data, a, "client-secret", fresh_secret(w, a));
    if (old.n) {
        add(&data, a, "previous-client-secret", old);
        add(&data, a, "previous-valid-until", time_text(a, until, TIME_SECONDS));
    }
    if (rotation_asked(j).n)
        add(&data, a, ROTATION_HANDLED, rotation_asked(j));
    want = (struct secret_want){j->resource->meta.namespace_, p->client_secret, j->object, &data};
    return w->ops->put_secret(w->writer, &want, now, e);
}

static bool cannot_rotate(struct sv name, struct err *e)
{
    return err_set(e, ERR_DENIED,
                   "the annotation " ROTATE_ANNOTATION ": Secret " SV_FMT
                   " is not owned by this principal: put new values into it where it is kept, and "
                   "take the annotation away",
                   SV_ARG(name));
}

static bool cannot_complete(struct sv name, struct err *e)
{
    return err_set(e, ERR_DENIED,
                   "spec.clientCredentials.secretName: Secret " SV_FMT
                   " lacks client-id or client-secret and is not owned by this principal: add what "
                   "is missing, name another, or delete it",
                   SV_ARG(name));
}

/* Makes or rotates the credentials, if that is still to be done; `rotated_at` says when it was. */
static bool renew_credentials(struct worker *w, struct job *j, struct sv *client_id,
                              struct sv *rotated_at, struct err *e)
{
    struct arena *a = &j->arena;
    struct sv name = j->resource->principal.client_secret;
    struct secret_now now;
    bool rotated;

    if (!w->ops->get_secret(w->writer, j->object, name, a, &now, e))
        return false;
    j->client = (struct job_secret){.found = now.found, .data = now.data};
    *client_id = secret_value(&j->client, "client-id", NULL);
    if (!wants_new_secret(j))
        return true;
    rotated = secret_value(&j->client, "client-secret", NULL).n > 0;
    if (now.found && !now.ours)
        return rotated && client_id->n ? cannot_rotate(name, e) : cannot_complete(name, e);
    if (!client_id->n)
        *client_id = new_client_id(w, a);
    if (!put_credentials(w, j, &now, *client_id, e))
        return false;
    *rotated_at = time_text(a, world_wall_ms(w->world), TIME_SECONDS);
    w->ops->tell(w->writer, j->object, false, rotated ? "SecretRotated" : "SecretCreated",
                 arena_printf(a, "client credentials are in Secret " SV_FMT, SV_ARG(name)));
    return true;
}

static bool reconcile_client(struct worker *w, struct job *j, struct outcome *o, struct err *e)
{
    struct arena *a = &j->arena;
    struct sv client_id = secret_value(&j->client, "client-id", NULL);
    struct sv rotated_at = json_get_str(j->resource->status, SV("rotatedAt"));
    struct sv handled = json_get_str(j->resource->status, SV("lastHandledRotationAt"));
    bool ok = !wants_new_secret(j) || renew_credentials(w, j, &client_id, &rotated_at, e);

    ok = ok && (secret_is_text(&j->client, e) ||
                err_wrap(e, "spec.clientCredentials.secretName: Secret " SV_FMT,
                         SV_ARG(j->resource->principal.client_secret)));
    if (ok && rotation_asked(j).n)
        handled = rotation_asked(j);
    o->extra = json_new_object(a);
    if (client_id.n)
        json_set_str(o->extra, a, SV("clientId"), client_id);
    json_set_str(o->extra, a, SV("secretName"), j->resource->principal.client_secret);
    if (rotated_at.n)
        json_set_str(o->extra, a, SV("rotatedAt"), rotated_at);
    if (handled.n)
        json_set_str(o->extra, a, SV("lastHandledRotationAt"), handled);
    return ok;
}

bool reconcile_principal(struct worker *w, struct job *j, struct err *e)
{
    struct outcome o = {0};
    struct err soft = {0};

    if (!set_complaints(&o, j)) {
        if (j->resource->principal.has_client && !reconcile_client(w, j, &o, &soft))
            set_ready(&o, j, CONDITION_FALSE, err_code_name(soft.code), sv_from(soft.msg));
        else if (j->not_served.n)
            set_ready(&o, j, CONDITION_FALSE, "DependencyNotReady", j->not_served);
        else
            set_ready(&o, j, CONDITION_TRUE, "Reconciled", SV("the principal is in force"));
    }
    /* What was broken off because we end says nothing of the principal. */
    if (!(soft.code != ERR_NONE && backend_is_ending(w->backend)) && !put_outcome(w, j, &o, e))
        return false;
    *e = soft;
    return soft.code == ERR_NONE;
}

/* Catalogs and roles: what the compilation said of them. */
bool reconcile_plain(struct worker *w, struct job *j, struct err *e)
{
    struct outcome o = {0};

    if (!set_complaints(&o, j))
        set_ready(&o, j, CONDITION_TRUE, "Reconciled", SV("in force"));
    /* Some complaints leave a catalog in force: its name is told all the same. */
    if (j->warehouse.n) {
        o.extra = json_new_object(&j->arena);
        json_set_str(o.extra, &j->arena, SV("warehouse"), j->warehouse);
    }
    return put_outcome(w, j, &o, e);
}
