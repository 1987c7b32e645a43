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

enum { STEP_MS = 10000, SLOW_MS = 3000, FAULT_AGAIN_MS = 60000 };

/* One request; how long it took says whether the store is slow. */
static bool ask_store(struct pass *p, struct exchange *x, struct err *e)
{
    static const struct http_options options = {
        .timeout_ms = STEP_MS, .connect_timeout_ms = 5000, .max_bytes = 1 << 24};
    int64_t began_ms = world_mono_ms(p->w->world);
    bool ok = http_do(p->w->http, &x->out, &options, p->a, &x->in, e);

    p->j->timed_out |= world_mono_ms(p->w->world) - began_ms >= SLOW_MS;
    return ok;
}

/* Sends what the provider says until it is done. */
bool pass_talk(struct pass *p, talk_fn *fn, struct exchange *x, struct err *e)
{
    x->target = &p->target;
    x->arena = p->a;
    x->want = &p->want;
    x->now_ms = world_wall_ms(p->w->world);
    while (fn(x, e)) {
        if (x->done)
            return true;
        if (x->round == 0 && backend_is_ending(p->w->backend))
            return err_set(e, ERR_UNAVAILABLE, "the program ends");
        if (!ask_store(p, x, e))
            return false;
        x->round++;
        x->now_ms = world_wall_ms(p->w->world);
    }
    return false;
}

/* ---- outcomes ---- */

static void read_key(const struct job_secret *s, struct credential *out)
{
    out->access_key_id = secret_value(s, "access-key-id", "AWS_ACCESS_KEY_ID");
    out->secret_access_key =
        secret_of(secret_value(s, "secret-access-key", "AWS_SECRET_ACCESS_KEY"));
    out->session_token = secret_of(secret_value(s, "session-token", "AWS_SESSION_TOKEN"));
}

static int fault_again_ms(const struct pass *p)
{
    return p->w->resync_ms < FAULT_AGAIN_MS ? p->w->resync_ms : FAULT_AGAIN_MS;
}

static void conclude(struct pass *p)
{
    p->j->found.role_created_at = p->created_at;
    if (!p->verified) {
        pass_shut(p, "ScopeNotVerified",
                  arena_printf(p->a, "the probe found a hole: " SV_FMT, SV_ARG(p->probe.failure)));
        pass_set_verified(p, CONDITION_FALSE, "ProbeFailed", p->probe.failure);
        p->j->again_ms = fault_again_ms(p);
        return;
    }
    p->j->found.vendable = true;
    pass_note_works(p);
    p->j->found.scope = integration_scope(p->spec, p->a);
    p->j->found.why_not = (struct sv){0};
    set_ready(&p->o, p->j, CONDITION_TRUE, "Reconciled",
              !p->looked         ? SV("the scope of its credentials is verified")
              : p->differences.n ? SV("the scope of its credentials is verified; the role differs, "
                                      "see RoleInSync")
                                 : SV("the role is as it should be, and its scope is verified"));
    pass_set_verified(
        p, CONDITION_TRUE, "Probed",
        p->roles_listed || !p->target.provider->become
            ? SV("a narrowed credential works inside its folder and nowhere else")
            : SV("a narrowed credential works inside its folder and nowhere else; other roles "
                 "could not be listed, so only those of other integrations were tried"));
    p->j->again_ms = p->w->resync_ms +
                     (int)(world_below(p->w->world, 200) * (uint64_t)p->w->resync_ms / 1000) -
                     p->w->resync_ms / 10;
}

/* ---- the pass ---- */

static bool has_finalizer(const struct pass *p)
{
    return sv_vec_has(&p->j->resource->meta.finalizers, SV(FINALIZER));
}

/* What is written later in this pass must know of it: in a folder an object is written whole. */
static bool put_finalizer(struct pass *p, struct err *e)
{
    struct json *meta = json_get(p->j->object, SV("metadata"));
    struct json *list = json_has(meta, SV("finalizers")) ? json_get(meta, SV("finalizers")) : NULL;

    if (!p->w->ops->put_finalizer(p->w->writer, p->j->object, SV(FINALIZER), true, e))
        return false;
    list = list ? list : json_new_array(p->a);
    json_push(list, json_new_str(p->a, SV(FINALIZER)));
    json_set(meta, SV("finalizers"), list);
    return true;
}

static bool work(struct pass *p, struct err *e)
{
    bool go_on;

    if ((p->managed || p->spec->manage_bucket_policy) && !has_finalizer(p) && !put_finalizer(p, e))
        return false;
    if (!pass_tidy(p, e) || !pass_ensure_role(p, &go_on, e))
        return false;
    p->j->found.role_arn = p->target.role_arn;
    if (!go_on) {
        /* Somebody may put it right at the store, where nobody tells us. */
        p->j->again_ms = fault_again_ms(p);
        return true;
    }
    if (!pass_bucket_policy(p, p->spec->manage_bucket_policy, e) || !pass_verify(p, e))
        return false;
    conclude(p);
    return true;
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

static bool is_unusable(struct pass *p, const char *field, struct sv name,
                        const struct job_secret *s)
{
    struct err why = {0};

    if (secret_is_text(s, &why))
        return false;
    pass_shut(p, err_code_name(why.code),
              arena_printf(p->a, "%s: Secret " SV_FMT ": %s", field, SV_ARG(name), why.msg));
    return true;
}

static bool lacks_keys(struct pass *p)
{
    const char *field = "spec.credentialsSecretRef";
    struct sv name = p->spec->credentials_secret;

    if (is_unusable(p, field, name, &p->j->own) ||
        is_unusable(p, "spec.adminCredentialsSecretRef", p->spec->admin_credentials_secret,
                    &p->j->admin))
        return true;
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
        pass_shut(p, "DependencyNotReady", lack_of_ambient_keys(p));
        return true;
    }
    pass_shut(p, "DependencyNotReady",
              arena_printf(p->a,
                           "%s: Secret " SV_FMT
                           " is missing or lacks access-key-id and secret-access-key",
                           field, SV_ARG(name)));
    return true;
}

/* ---- deletion ---- */

/* The way out is one that is open at that moment: in a namespace that is being deleted nothing can
 * be created, but what exists can be changed. */
static bool blocked(struct pass *p, struct sv why, enum err_code code, struct err *e)
{
    struct err ignored = {0};

    (void)err_set(e, code, "deletion is blocked: " SV_FMT, SV_ARG(why));
    if (backend_is_ending(p->w->backend))
        return false;
    p->o = (struct outcome){0};
    pass_not_ready(p, "DeletionBlocked",
                   arena_printf(p->a, SV_FMT "; %s", SV_ARG(why), p->w->ops->way_out));
    pass_finish_status(p);
    if (!put_outcome(p->w, p->j, &p->o, &ignored))
        log_line(LOG_INFO, "control", "the status could not say it", LOG_SV("object", p->j->key),
                 LOG_ERR(&ignored));
    return false;
}

/* Nobody waits for what was never made, nor for what is to stay. */
static bool leaves_something(const struct pass *p)
{
    return p->spec->deletion_policy != DELETION_RETAIN &&
           (p->created || p->bucket_policy || p->probing.n);
}

/* Without keys nothing can be taken away; that is said as long as there is something. */
static bool finalize(struct pass *p, struct err *e)
{
    struct err why = {0};

    p->j->found.vendable = false;
    p->j->found.why_not = SV("it is being deleted");
    if (!has_finalizer(p))
        return true;
    if (lacks_keys(p) && leaves_something(p))
        return blocked(p, p->o.conditions.p[0].message, ERR_UNAVAILABLE, e);
    p->o = (struct outcome){0};
    if (!pass_remove_role(p, &why))
        return blocked(p, sv_from(why.msg), why.code, e);
    if (p->w->ops->put_finalizer(p->w->writer, p->j->object, SV(FINALIZER), false, e))
        return true;
    /* Somebody else has let it go: that is where we wanted it. */
    return e->code == ERR_NOT_FOUND;
}

static void fail_softly(struct pass *p, const struct err *e)
{
    pass_not_ready(p, err_code_name(e->code), sv_from(e->msg));
    pass_keep_verified(p);
    if (!p->j->found.known) {
        p->j->found.vendable = false;
        p->j->found.why_not = sv_from(e->msg);
    }
}

static void suspended(struct pass *p)
{
    if (lacks_keys(p))
        return;
    p->j->found.vendable =
        pass_was_verified(p) && sv_eq(p->j->found.scope, integration_scope(p->spec, p->a));
    p->j->found.why_not = SV("spec.suspend: it was suspended before its scope was verified");
    set_ready(&p->o, p->j, p->j->found.vendable ? CONDITION_TRUE : CONDITION_FALSE, "Suspended",
              SV("spec.suspend is true: nothing is reconciled"));
    pass_keep_verified(p);
}

/* There is no role to make and nothing to probe: no key is ever handed out for it. */
static void open_folder(struct pass *p)
{
    p->j->found.vendable = true;
    pass_note_works(p);
    p->j->found.why_not = (struct sv){0};
    set_ready(&p->o, p->j, CONDITION_TRUE, "Reconciled",
              SV("tables lie in a folder of this machine; nothing is vended for them"));
}

bool reconcile_integration(struct worker *w, struct job *j, struct err *e)
{
    struct pass p = {.w = w, .j = j, .a = &j->arena, .spec = &j->resource->storage_integration};
    struct err soft = {0}, ignored = {0};
    bool ok = true;

    p.managed = p.spec->management == MANAGEMENT_MANAGED;
    pass_read_status(&p);
    policy_target(p.spec, p.a, &p.target);
    p.target.role_arn = j->found.role_arn;
    if (j->resource->meta.deleting)
        return finalize(&p, e);
    if (set_complaints(&p.o, j)) {
        j->found.vendable = false;
        j->found.why_not = j->complaints.p[0].text;
        pass_set_verified(&p, CONDITION_FALSE, arena_cstr(p.a, j->complaints.p[0].reason),
                          SV("it is not probed as long as the spec is wrong"));
    } else if (p.spec->storage_type == STORAGE_FILE) {
        open_folder(&p);
    } else if (p.spec->suspend) {
        suspended(&p);
    } else if (!lacks_keys(&p) && !work(&p, &soft)) {
        ok = false;
        fail_softly(&p, &soft);
    }
    /* What was broken off because we end says nothing of the store. */
    if (!ok && backend_is_ending(w->backend))
        return err_set(e, soft.code, "%s", soft.msg);
    j->found.known = true;
    pass_finish_status(&p);
    if (!put_outcome(w, j, &p.o, ok ? e : &ignored))
        return ok ? false : err_set(e, soft.code, "%s", soft.msg);
    if (!ok)
        *e = soft;
    return ok;
}
