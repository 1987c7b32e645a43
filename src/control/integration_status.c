/* integration_status.c - what the status of an integration says, and what it is relied on for. */
#include "api/endpoint.h"
#include "control/pass.h"
#include "wire/time.h"

/* ---- conditions ---- */

void pass_not_ready(struct pass *p, const char *reason, struct sv message)
{
    set_ready(&p->o, p->j, CONDITION_FALSE, reason, message);
}

void pass_shut(struct pass *p, const char *reason, struct sv message)
{
    p->j->found.vendable = false;
    p->j->found.why_not = message;
    pass_not_ready(p, reason, message);
}

static void add_condition(struct pass *p, const char *type, enum condition_status s,
                          struct sv reason, struct sv message)
{
    vec_push(&p->o.conditions, p->a,
             ((struct condition){sv_from(type), s, reason, sv_first(message, 2000),
                                 p->j->resource->meta.generation, 0}));
}

void pass_set_verified(struct pass *p, enum condition_status s, const char *reason,
                       struct sv message)
{
    add_condition(p, "ScopeVerified", s, sv_from(reason), message);
}

static bool was_told(struct pass *p, const char *type, struct condition *out)
{
    struct conditions was = {0};

    conditions_read(p->j->resource->status, p->a, &was);
    for (size_t i = 0; i < was.n; i++) {
        *out = was.p[i];
        if (sv_eq(out->type, sv_from(type)))
            return true;
    }
    return false;
}

bool pass_was_verified(struct pass *p)
{
    struct condition was;

    return was_told(p, "ScopeVerified", &was) && was.status == CONDITION_TRUE;
}

void pass_keep_verified(struct pass *p)
{
    struct condition was;

    if (!was_told(p, "ScopeVerified", &was))
        return;
    if (p->probed_hash.n && sv_eq(p->j->found.scope, integration_scope(p->spec, p->a)))
        add_condition(p, "ScopeVerified", was.status, was.reason, was.message);
    else
        add_condition(
            p, "ScopeVerified", CONDITION_UNKNOWN, SV("ProbePending"),
            SV("what the last probe was about has changed, and no probe has ended since"));
}

/* What nobody looked at in this pass is not known: the reason is why the integration is not Ready,
 * or is left alone. */
static void set_unknown(struct pass *p, const char *type)
{
    const struct condition ready = p->o.conditions.p[0];

    add_condition(p, type, CONDITION_UNKNOWN, ready.reason, ready.message);
}

static bool is_told(const struct pass *p, const char *type)
{
    for (size_t i = 0; i < p->o.conditions.n; i++) {
        if (sv_eq(p->o.conditions.p[i].type, sv_from(type)))
            return true;
    }
    return false;
}

static void set_in_sync(struct pass *p)
{
    if (p->spec->management == MANAGEMENT_NONE || p->j->complaints.n ||
        p->spec->storage_type == STORAGE_FILE)
        return;
    if (!p->looked) {
        set_unknown(p, "RoleInSync");
    } else if (!p->have.exists) {
        add_condition(p, "RoleInSync", CONDITION_FALSE, SV("RoleMissing"),
                      arena_printf(p->a, "there is no role " SV_FMT, SV_ARG(p->want.name)));
    } else if (p->differences.n) {
        add_condition(p, "RoleInSync", CONDITION_FALSE, sv_from(p->differs_why), p->differences);
    } else {
        add_condition(p, "RoleInSync", CONDITION_TRUE, SV("InSync"),
                      SV("the role at the store is as it should be"));
    }
}

/* ---- since when it works ---- */

struct sv integration_store(const struct storage_integration *w, struct arena *a)
{
    struct sv url =
        w->internal_endpoint.n ? w->internal_endpoint : aws_endpoint("s3", w->region, a);

    return ARENA_JOIN(a, endpoint_identity(url, a), SV("/"), w->bucket);
}

struct sv integration_verified_since(const struct resource *r, struct arena *a)
{
    const struct json *s = r->status;
    struct sv store = json_get_str(s, SV("verifiedStore"));

    if (store.n)
        return sv_eq(store, integration_store(&r->storage_integration, a))
                   ? json_get_str(s, SV("verifiedSince"))
                   : (struct sv){0};
    return json_get_str(s, SV("probedHash")).n ? time_text(a, r->meta.created_ms, TIME_SECONDS)
                                               : (struct sv){0};
}

void pass_note_works(struct pass *p)
{
    if (!p->j->found.verified_since.n)
        p->j->found.verified_since = time_text(p->a, world_wall_ms(p->w->world), TIME_SECONDS);
}

/* ---- the rest ---- */

static void set_text(struct pass *p, struct json *to, const char *name, struct sv v)
{
    if (v.n)
        json_set_str(to, p->a, sv_from(name), v);
}

void pass_finish_status(struct pass *p)
{
    struct json *v = json_new_object(p->a), *capabilities = json_new_object(p->a);

    set_in_sync(p);
    if (p->spec->storage_type != STORAGE_FILE && !is_told(p, "ScopeVerified"))
        set_unknown(p, "ScopeVerified");
    set_text(p, v, "roleArn", p->j->found.role_arn);
    json_set_bool(v, p->a, SV("roleCreated"), p->created);
    set_text(p, v, "roleCreatedAt", p->created_at);
    set_text(p, v, "caller", p->caller);
    if (p->bucket_policy)
        json_set_bool(v, p->a, SV("bucketPolicyWritten"), true);
    json_set_bool(capabilities, p->a, SV("bulkDelete"), p->j->found.bulk_delete);
    json_set_bool(capabilities, p->a, SV("sessionTags"), p->j->found.session_tags);
    json_set_bool(capabilities, p->a, SV("metadataGuard"), p->j->found.metadata_guard);
    if (p->update_role != CAPABILITY_UNKNOWN)
        json_set_bool(capabilities, p->a, SV("updateRole"), p->update_role == CAPABILITY_YES);
    json_set(v, SV("capabilities"), capabilities);
    set_text(p, v, "probedHash", p->probed_hash);
    set_text(p, v, "probedAt", p->probed_at);
    set_text(p, v, "probing", p->probing);
    set_text(p, v, "roleLeft", p->role_left);
    if (p->j->found.verified_since.n) {
        set_text(p, v, "verifiedSince", p->j->found.verified_since);
        set_text(p, v, "verifiedStore", integration_store(p->spec, p->a));
    }
    json_set_str(v, p->a, SV("credentialsVersion"), p->j->own.version);
    p->o.extra = v;
}

void pass_read_status(struct pass *p)
{
    const struct json *s = p->j->resource->status, *update;

    p->created = json_bool(json_get(s, SV("roleCreated")), false);
    p->created_at = json_get_str(s, SV("roleCreatedAt"));
    p->probed_hash = json_get_str(s, SV("probedHash"));
    p->probed_at = json_get_str(s, SV("probedAt"));
    p->probing = json_get_str(s, SV("probing"));
    p->caller = json_get_str(s, SV("caller"));
    p->bucket_policy = json_bool(json_get(s, SV("bucketPolicyWritten")), false);
    p->j->found.role_arn = p->made_arn = json_get_str(s, SV("roleArn"));
    p->j->found.role_created_at = p->created_at;
    p->j->found.scope = integration_scope_of_status(s);
    p->j->found.verified_since = integration_verified_since(p->j->resource, p->a);
    p->j->found.bulk_delete = json_bool(json_path(s, SV("capabilities.bulkDelete")), false);
    p->j->found.session_tags = json_bool(json_path(s, SV("capabilities.sessionTags")), false);
    p->j->found.metadata_guard = json_bool(json_path(s, SV("capabilities.metadataGuard")), false);
    update = json_path(s, SV("capabilities.updateRole"));
    /* A changed spec is a reason to ask the store once more. */
    if (json_i64(json_get(s, SV("observedGeneration")), 0) != p->j->resource->meta.generation)
        return;
    p->role_left = json_get_str(s, SV("roleLeft"));
    if (update)
        p->update_role = json_bool(update, false) ? CAPABILITY_YES : CAPABILITY_NO;
}

bool pass_remember(struct pass *p, struct err *e)
{
    struct json *was = p->j->resource->status;
    struct json *status = was ? json_copy(p->a, was) : json_new_object(p->a);

    if (p->created) {
        json_set_bool(status, p->a, SV("roleCreated"), true);
        set_text(p, status, "roleCreatedAt", p->created_at);
    }
    if (p->bucket_policy)
        json_set_bool(status, p->a, SV("bucketPolicyWritten"), true);
    set_text(p, status, "roleArn", p->target.role_arn);
    set_text(p, status, "probing", p->probing);
    if (!p->w->ops->put_status(p->w->writer, p->j->object, status, e))
        return false;
    p->j->resource->status = status;
    return true;
}
