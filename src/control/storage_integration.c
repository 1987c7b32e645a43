/* storage_integration.c - a role as it should be against the role as it is: observe, plan, act,
 * probe, report. */
#include <inttypes.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/metric.h"
#include "control/pass.h"
#include "policy/rulebook.h"
#include "provider/provider.h"
#include "sign/digest.h"
#include "wire/time.h"

#define ADOPT API_GROUP "/adopt"

enum { STEP_MS = 20000, FAULT_AGAIN_MS = 60000 };

/* Sends what the provider says until it is done. */
bool pass_talk(struct pass *p, talk_fn *fn, struct exchange *x, struct err *e)
{
    static const struct http_options options = {
        .timeout_ms = STEP_MS, .connect_timeout_ms = 5000, .max_bytes = 1 << 22};

    x->target = &p->target;
    x->arena = p->a;
    x->want = &p->want;
    x->now_ms = world_wall_ms(p->w->world);
    while (fn(x, e)) {
        if (x->done)
            return true;
        if (!http_do(p->w->http, &x->out, &options, p->a, &x->in, e))
            return false;
        x->round++;
        x->now_ms = world_wall_ms(p->w->world);
    }
    return false;
}

/* ---- what is wanted ---- */

static void read_key(const struct job_secret *s, struct credential *out)
{
    out->access_key_id = secret_value(s, "access-key-id", "AWS_ACCESS_KEY_ID");
    out->secret_access_key =
        secret_of(secret_value(s, "secret-access-key", "AWS_SECRET_ACCESS_KEY"));
    out->session_token = secret_of(secret_value(s, "session-token", "AWS_SESSION_TOKEN"));
}

/* The last part of the ARN, or a name made from ours; a long one ends in a hash of the whole. */
static struct sv role_name(struct pass *p)
{
    const struct meta *m = &p->j->resource->meta;
    ptrdiff_t slash = sv_rfind(p->spec->role_arn, '/');
    struct sv name;

    if (slash >= 0)
        return sv_skip(p->spec->role_arn, (size_t)slash + 1);
    name =
        arena_printf(p->a, "frontdesk-" SV_FMT "-" SV_FMT, SV_ARG(m->namespace_), SV_ARG(m->name));
    if (name.n <= 64)
        return name;
    return arena_printf(p->a, SV_FMT "-" SV_FMT, SV_ARG(sv_first(name, 51)),
                        SV_ARG(sv_first(sha256_hex(p->a, name), 12)));
}

/* "arn:aws:iam:::role/a/b/NAME": the path stands between. */
static struct sv role_path(struct pass *p)
{
    struct sv arn = p->spec->role_arn;
    ptrdiff_t from = sv_find(arn, '/'), to = sv_rfind(arn, '/');

    return from >= 0 && to > from ? sv_of(arn.p + from, (size_t)(to - from) + 1)
                                  : p->spec->role_path;
}

static void add_tag(struct pass *p, const char *key, struct sv value)
{
    vec_push(&p->want.tags, p->a, ((struct tag){sv_from(key), value}));
}

static void set_want(struct pass *p)
{
    const struct meta *m = &p->j->resource->meta;
    struct buf trust = buf_new(p->a, 65536), permissions = buf_new(p->a, 65536);

    p->want.name = role_name(p);
    p->want.path = role_path(p);
    p->want.max_session_seconds = p->spec->max_session_seconds;
    p->target.provider->trust(p->spec, p->caller, &trust);
    p->target.provider->permissions(p->spec, &permissions);
    p->want.trust = buf_sv(&trust);
    p->want.permissions = buf_sv(&permissions);
    p->want.tags = (struct tags){0};
    add_tag(p, TAG_OWNER, SV("frontdesk"));
    add_tag(p, TAG_UID, m->uid);
    add_tag(p, TAG_OBJECT,
            arena_printf(p->a, SV_FMT "/" SV_FMT, SV_ARG(m->namespace_), SV_ARG(m->name)));
    for (size_t i = 0; i < p->spec->tags.n; i++)
        vec_push(&p->want.tags, p->a, p->spec->tags.p[i]);
}

/* ---- conditions ---- */

static void not_ready(struct pass *p, const char *reason, struct sv message)
{
    set_ready(&p->o, p->j, CONDITION_FALSE, reason, message);
}

/* Why the integration cannot be used at all, so that the rulebook vends nothing from it. */
static void shut(struct pass *p, const char *reason, struct sv message)
{
    p->j->found.vendable = false;
    p->j->found.why_not = message;
    not_ready(p, reason, message);
}

static void set_verified(struct pass *p, enum condition_status s, const char *reason,
                         struct sv message)
{
    vec_push(&p->o.conditions, p->a,
             ((struct condition){SV("ScopeVerified"), s, sv_from(reason), message,
                                 p->j->resource->meta.generation, 0}));
}

static void add_extra(struct pass *p)
{
    struct arena *a = p->a;
    struct json *v = json_new_object(a), *capabilities = json_new_object(a);

    if (p->j->found.role_arn.n)
        json_set_str(v, a, SV("roleArn"), p->j->found.role_arn);
    json_set_bool(v, a, SV("roleCreated"), p->created);
    if (p->created_at.n)
        json_set_str(v, a, SV("roleCreatedAt"), p->created_at);
    if (p->caller.n)
        json_set_str(v, a, SV("caller"), p->caller);
    json_set_bool(capabilities, a, SV("bulkDelete"), p->j->found.bulk_delete);
    json_set_bool(capabilities, a, SV("sessionTags"), p->j->found.session_tags);
    json_set(v, SV("capabilities"), capabilities);
    if (p->probed_hash.n)
        json_set_str(v, a, SV("probedHash"), p->probed_hash);
    if (p->probed_at.n)
        json_set_str(v, a, SV("probedAt"), p->probed_at);
    if (p->probing.n)
        json_set_str(v, a, SV("probing"), p->probing);
    json_set_str(v, a, SV("credentialsVersion"), p->j->own.version);
    p->o.extra = v;
}

static void remember_status(struct pass *p)
{
    const struct json *s = p->j->resource->status;

    p->created = json_bool(json_get(s, SV("roleCreated")), false);
    p->created_at = json_get_str(s, SV("roleCreatedAt"));
    p->probed_hash = json_get_str(s, SV("probedHash"));
    p->probed_at = json_get_str(s, SV("probedAt"));
    p->probing = json_get_str(s, SV("probing"));
    p->caller = json_get_str(s, SV("caller"));
    p->j->found.role_arn = json_get_str(s, SV("roleArn"));
    p->j->found.role_created_at = p->created_at;
    p->j->found.scope = integration_scope_of_status(s);
    p->j->found.bulk_delete = json_bool(json_path(s, SV("capabilities.bulkDelete")), false);
    p->j->found.session_tags = json_bool(json_path(s, SV("capabilities.sessionTags")), false);
}

static bool was_told(struct pass *p, struct condition *out)
{
    struct conditions was = {0};

    conditions_read(p->j->resource->status, p->a, &was);
    for (size_t i = 0; i < was.n; i++) {
        *out = was.p[i];
        if (sv_eq(out->type, SV("ScopeVerified")))
            return true;
    }
    return false;
}

bool pass_was_verified(struct pass *p)
{
    struct condition was;

    return was_told(p, &was) && was.status == CONDITION_TRUE;
}

/* ---- acting ---- */

static bool observe(struct pass *p, struct err *e)
{
    struct exchange x = {0};

    if (!pass_talk(p, p->target.provider->observe, &x, e))
        return err_wrap(e, "role " SV_FMT, SV_ARG(p->want.name));
    p->have = x.have;
    return true;
}

static bool take_steps(struct pass *p, const struct role_steps *steps, struct err *e)
{
    for (size_t i = 0; i < steps->n; i++) {
        struct exchange x = {.step = steps->p[i]};

        if (!p->w->ops->may_write(p->w->backend))
            return err_set(e, ERR_UNAVAILABLE, "this replica does not hold the lease");
        if (!pass_talk(p, p->target.provider->change, &x, e))
            return err_wrap(e, "role " SV_FMT, SV_ARG(p->want.name));
        metric_add(METRIC_STORAGE_WRITES, 1);
        p->changed = true;
        if (steps->p[i].kind == ROLE_CREATE) {
            p->created = true;
            p->created_at = time_text(p->a, world_wall_ms(p->w->world), TIME_SECONDS);
        }
        log_line(LOG_INFO, "control", "role changed", LOG_SV("object", p->j->key),
                 LOG_SV("role", p->want.name), LOG_STR("why", steps->p[i].why));
    }
    return true;
}

/* Somebody else's role is not taken over, unless we are told to by name. */
static bool may_touch(struct pass *p)
{
    const struct meta *m = &p->j->resource->meta;

    return !p->have.exists || role_is_ours(&p->have, m->uid) ||
           (sv_eq(meta_annotation(m, SV(ADOPT)), SV("true")) && p->spec->role_arn.n);
}

static bool make_true(struct pass *p, struct err *e)
{
    struct role_steps steps = {0};
    bool had = p->probed_hash.n != 0;

    role_plan(&p->want, &p->have, p->a, &steps);
    if (!steps.n)
        return true;
    if (!take_steps(p, &steps, e) || !observe(p, e))
        return false;
    p->w->ops->tell(
        p->w->writer, p->j->object, had, had ? "DriftCorrected" : "RoleCreated",
        arena_printf(p->a, "role " SV_FMT ": %s", SV_ARG(p->want.name), steps.p[0].why));
    if (had)
        metric_add(METRIC_DRIFT_REPAIRED, 1);
    return true;
}

/* What is missing at a role that is somebody else's to change. */
static bool report_differences(struct pass *p)
{
    struct role_steps steps = {0};
    struct role_want want = p->want;

    if (!p->have.exists) {
        shut(p, "RoleMissing",
             arena_printf(p->a,
                          "spec.roleArn: there is no role " SV_FMT
                          "; create it, or set management to Managed",
                          SV_ARG(p->want.name)));
        return false;
    }
    want.tags = (struct tags){0};
    role_plan(&want, &p->have, p->a, &steps);
    if (steps.n)
        log_line(LOG_INFO, "control", "role differs", LOG_SV("object", p->j->key),
                 LOG_STR("why", steps.p[0].why));
    return true;
}

static void conclude(struct pass *p)
{
    p->j->found.role_created_at = p->created_at;
    if (!p->verified) {
        shut(p, "ScopeNotVerified",
             arena_printf(p->a, "the probe found a hole: " SV_FMT, SV_ARG(p->probe.failure)));
        set_verified(p, CONDITION_FALSE, "ProbeFailed", p->probe.failure);
        p->j->again_ms = FAULT_AGAIN_MS;
        return;
    }
    p->j->found.vendable = true;
    p->j->found.scope = integration_scope(p->spec, p->a);
    p->j->found.why_not = (struct sv){0};
    set_ready(&p->o, p->j, CONDITION_TRUE, "Reconciled",
              SV("the role is as it should be, and its scope is verified"));
    set_verified(p, CONDITION_TRUE, "Probed",
                 SV("a narrowed credential works inside its folder and nowhere else"));
    p->j->again_ms = p->w->resync_ms +
                     (int)(world_below(p->w->world, 200) * (uint64_t)p->w->resync_ms / 1000) -
                     p->w->resync_ms / 10;
}

/* ---- the pass ---- */

static bool has_finalizer(const struct pass *p)
{
    return sv_vec_has(&p->j->resource->meta.finalizers, SV(FINALIZER));
}

static bool ensure_role(struct pass *p, bool *go_on, struct err *e)
{
    struct exchange who = {0};

    *go_on = true;
    if (p->spec->management == MANAGEMENT_NONE) {
        p->target.role_arn = p->spec->role_arn;
        return true;
    }
    if (!pass_talk(p, p->target.provider->whoami, &who, e))
        return false;
    p->caller = who.caller;
    set_want(p);
    if (!observe(p, e))
        return false;
    if (p->managed && !may_touch(p)) {
        *go_on = false;
        shut(p, "AdoptionConflict",
             arena_printf(p->a,
                          "spec.roleArn: the role " SV_FMT
                          " exists and is not ours; choose another name, or adopt it with the "
                          "annotation " ADOPT ": \"true\"",
                          SV_ARG(p->want.name)));
        return true;
    }
    if (p->managed && !make_true(p, e))
        return false;
    if (!p->managed)
        *go_on = report_differences(p);
    p->target.role_arn = p->have.arn.n ? p->have.arn : p->spec->role_arn;
    return true;
}

static bool work(struct pass *p, struct err *e)
{
    bool go_on;

    if (p->managed && !has_finalizer(p) &&
        !p->w->ops->put_finalizer(p->w->writer, p->j->object, SV(FINALIZER), true, e))
        return false;
    if (!pass_tidy(p, e) || !ensure_role(p, &go_on, e))
        return false;
    p->j->found.role_arn = p->target.role_arn;
    if (!go_on)
        return true;
    if (!pass_verify(p, e))
        return false;
    conclude(p);
    return true;
}

/* ---- deletion ---- */

static bool remove_role(struct pass *p, struct err *e)
{
    struct role_steps steps = {0};

    p->want.name = role_name(p);
    if (!pass_tidy(p, e))
        return false;
    if (p->spec->deletion_policy == DELETION_RETAIN || !p->created)
        return true;
    if (!observe(p, e))
        return false;
    /* What status says we made must still bear our mark. */
    if (!p->have.exists || !role_is_ours(&p->have, p->j->resource->meta.uid))
        return true;
    role_plan_removal(&p->have, p->a, &steps);
    return take_steps(p, &steps, e);
}

static bool finalize(struct pass *p, struct err *e)
{
    p->j->found.vendable = false;
    p->j->found.why_not = SV("it is being deleted");
    if (!has_finalizer(p))
        return true;
    if (!remove_role(p, e)) {
        struct err blocked = *e, ignored = {0};

        not_ready(p, "DeletionBlocked", sv_from(blocked.msg));
        add_extra(p);
        return put_outcome(p->w, p->j, &p->o, &ignored) &&
               err_set(e, blocked.code, "deletion is blocked: %s", blocked.msg);
    }
    return p->w->ops->put_finalizer(p->w->writer, p->j->object, SV(FINALIZER), false, e);
}

/* ---- before anything is asked of a store ---- */

static struct sv lack_of_ambient_keys(struct pass *p)
{
    if (!p->j->ambient_why.n)
        return SV("the ambient keys are being fetched: spec.credentialsSecretRef names none");
    return arena_printf(
        p->a,
        "spec.credentialsSecretRef: names no Secret, and there are no ambient keys (" SV_FMT
        "); name a Secret with access-key-id and secret-access-key, or give frontdesk a web "
        "identity, a container's or an instance's role",
        SV_ARG(p->j->ambient_why));
}

static bool lacks_keys(struct pass *p)
{
    const char *field = "spec.credentialsSecretRef";
    struct sv name = p->spec->credentials_secret;

    read_key(&p->j->own, &p->target.own);
    p->target.admin = p->target.own;
    if (p->spec->admin_credentials_secret.n) {
        p->target.admin = (struct credential){0};
        read_key(&p->j->admin, &p->target.admin);
    }
    if (p->target.own.access_key_id.n && secret_is_set(p->target.own.secret_access_key)) {
        if (p->target.admin.access_key_id.n && secret_is_set(p->target.admin.secret_access_key))
            return false;
        field = "spec.adminCredentialsSecretRef";
        name = p->spec->admin_credentials_secret;
    }
    if (!name.n) {
        shut(p, "DependencyNotReady", lack_of_ambient_keys(p));
        return true;
    }
    shut(p, "DependencyNotReady",
         arena_printf(
             p->a, "%s: Secret " SV_FMT " is missing or lacks access-key-id and secret-access-key",
             field, SV_ARG(name)));
    return true;
}

/* What was found stays found where nothing was looked at; of something else it says nothing. */
static void keep_verified(struct pass *p)
{
    struct condition was;

    if (!was_told(p, &was))
        return;
    if (p->probed_hash.n)
        set_verified(p, was.status, arena_cstr(p->a, was.reason), was.message);
    else
        set_verified(p, CONDITION_UNKNOWN, "ProbePending",
                     SV("what the last probe was about has changed, and no probe has ended since"));
}

static void fail_softly(struct pass *p, const struct err *e)
{
    not_ready(p, err_code_name(e->code), sv_from(e->msg));
    keep_verified(p);
    if (!p->j->found.known) {
        p->j->found.vendable = false;
        p->j->found.why_not = sv_from(e->msg);
    }
}

static void suspended(struct pass *p)
{
    p->j->found.vendable =
        pass_was_verified(p) && sv_eq(p->j->found.scope, integration_scope(p->spec, p->a));
    p->j->found.why_not = SV("spec.suspend: it was suspended before its scope was verified");
    set_ready(&p->o, p->j, p->j->found.vendable ? CONDITION_TRUE : CONDITION_FALSE, "Suspended",
              SV("spec.suspend is true: nothing is reconciled"));
    keep_verified(p);
}

bool reconcile_integration(struct worker *w, struct job *j, struct err *e)
{
    struct pass p = {.w = w, .j = j, .a = &j->arena, .spec = &j->resource->storage_integration};
    struct err soft = {0}, ignored = {0};
    bool ok = true;

    p.managed = p.spec->management == MANAGEMENT_MANAGED;
    remember_status(&p);
    policy_target(p.spec, p.a, &p.target);
    p.target.role_arn = j->found.role_arn;
    if (j->resource->meta.deleting) {
        (void)lacks_keys(&p);
        p.o = (struct outcome){0};
        return finalize(&p, e);
    }
    if (set_complaints(&p.o, j)) {
        j->found.vendable = false;
        j->found.why_not = j->complaints.p[0].text;
        set_verified(&p, CONDITION_FALSE, arena_cstr(p.a, j->complaints.p[0].reason),
                     SV("it is not probed as long as the spec is wrong"));
    } else if (p.spec->suspend) {
        suspended(&p);
    } else if (!lacks_keys(&p) && !work(&p, &soft)) {
        ok = false;
        fail_softly(&p, &soft);
    }
    j->found.known = true;
    add_extra(&p);
    if (!put_outcome(w, j, &p.o, ok ? e : &ignored))
        return ok ? false : err_set(e, soft.code, "%s", soft.msg);
    if (!ok)
        *e = soft;
    return ok;
}
