/* integration_role.c - the role of an integration: as it should be, as it is, and what is done. */
#include "base/log.h"
#include "base/metric.h"
#include "control/pass.h"
#include "sign/digest.h"
#include "wire/time.h"

#define ADOPT API_GROUP "/adopt"

/* ---- what is wanted ---- */

static struct sv last_part(struct sv arn)
{
    return sv_skip(arn, (size_t)(sv_rfind(arn, '/') + 1));
}

enum { ROLE_NAME_CHARS = 64, ROLE_HASH_CHARS = 20 };

/* One name for each integration: a namespace holds no dot, so its dashes become dots, and the first
 * dash behind ends it. A long name is exactly as long as a name may be, which no short one is. */
static struct sv made_name(struct pass *p)
{
    const struct meta *m = &p->j->resource->meta;
    struct sv rest = m->namespace_, part, name = SV("frontdesk");

    for (const char *between = "-"; sv_cut(&rest, '-', &part); between = ".")
        name = ARENA_JOIN(p->a, name, sv_from(between), part);
    name = ARENA_JOIN(p->a, name, SV("-"), m->name);
    if (name.n < ROLE_NAME_CHARS)
        return name;
    return ARENA_JOIN(p->a, sv_first(name, ROLE_NAME_CHARS - ROLE_HASH_CHARS - 1), SV("-"),
                      sv_first(sha256_hex(p->a, name), ROLE_HASH_CHARS));
}

/* What earlier versions made: one name for the integrations a-b/c and a/b-c. */
static struct sv earlier_name(struct pass *p)
{
    const struct meta *m = &p->j->resource->meta;
    struct sv name = ARENA_JOIN(p->a, SV("frontdesk-"), m->namespace_, SV("-"), m->name);

    return name.n <= ROLE_NAME_CHARS ? name
                                     : ARENA_JOIN(p->a, sv_first(name, 51), SV("-"),
                                                  sv_first(sha256_hex(p->a, name), 12));
}

/* The last part of the ARN, or a name made from ours. The role that status says we made keeps the
 * name it was made with: earlier versions made others. */
static struct sv role_name(struct pass *p)
{
    if (p->spec->role_arn.n)
        return last_part(p->spec->role_arn);
    if (p->created && p->made_arn.n)
        return last_part(p->made_arn);
    return made_name(p);
}

/* What was made is taken down under the name that it was made under. */
static struct sv made_role_name(struct pass *p)
{
    return p->created && p->made_arn.n ? last_part(p->made_arn) : role_name(p);
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

/* ---- what is there ---- */

static bool look_at(struct pass *p, struct sv name, struct err *e)
{
    struct exchange x = {0};

    p->want.name = name;
    if (!pass_talk(p, p->target.provider->observe, &x, e))
        return err_wrap(e, "role " SV_FMT, SV_ARG(name));
    p->have = x.have;
    return true;
}

/* A role that was begun, and whose ARN was never written down, may bear the name that an earlier
 * version gave it. */
static bool observe(struct pass *p, struct err *e)
{
    struct sv name = p->want.name;

    if (!look_at(p, name, e))
        return false;
    if (!p->have.exists && p->created && !p->made_arn.n && !p->spec->role_arn.n) {
        if (!look_at(p, earlier_name(p), e))
            return false;
        if (!p->have.exists || !role_is_ours(&p->have, p->j->resource->meta.uid)) {
            p->have = (struct role_have){0};
            p->want.name = name;
        }
    }
    p->looked = true;
    return true;
}

/* Somebody else's role is not taken over, unless we are told to by name. */
static bool may_touch(struct pass *p)
{
    const struct meta *m = &p->j->resource->meta;

    return !p->have.exists || role_is_ours(&p->have, m->uid) ||
           (sv_eq(meta_annotation(m, SV(ADOPT)), SV("true")) && p->spec->role_arn.n);
}

/* ---- acting ---- */

static bool take_step(struct pass *p, const struct role_step *s, struct err *e)
{
    struct exchange x = {.step = *s};

    if (!p->w->ops->may_write(p->w->backend))
        return err_set(e, ERR_UNAVAILABLE, "this replica does not hold the lease");
    if (!pass_talk(p, p->target.provider->change, &x, e))
        return err_wrap(e, "role " SV_FMT, SV_ARG(p->want.name));
    if (s->kind == ROLE_PUT_SESSION)
        p->update_role = x.unsupported ? CAPABILITY_NO : CAPABILITY_YES;
    if (x.unsupported)
        return true;
    metric_add(METRIC_STORAGE_WRITES, 1);
    p->changed = true;
    log_line(LOG_INFO, "control", "role changed", LOG_SV("object", p->j->key),
             LOG_SV("role", p->want.name), LOG_STR("why", s->why));
    return true;
}

static bool take_steps(struct pass *p, const struct role_steps *steps, struct err *e)
{
    for (size_t i = 0; i < steps->n; i++) {
        if (!take_step(p, &steps->p[i], e))
            return false;
    }
    return true;
}

static void plan(struct pass *p, struct role_steps *out)
{
    struct role_want want = p->want;

    /* What the store has refused to change is not tried in vain, pass after pass. */
    if (p->update_role == CAPABILITY_NO)
        want.max_session_seconds = p->have.max_session_seconds;
    role_plan(&want, &p->have, p->a, out);
}

/* Status says that we made the role before we do: after a crash in between, the mark on the role
 * and the status still agree. What was surely not made is not claimed. */
static bool change(struct pass *p, const struct role_steps *steps, struct err *e)
{
    bool creates = steps->p[0].kind == ROLE_CREATE;

    if (creates) {
        p->created = true;
        p->created_at = time_text(p->a, world_wall_ms(p->w->world), TIME_SECONDS);
    }
    if (!pass_begin(p, e))
        return false;
    if (take_steps(p, steps, e))
        return true;
    if (creates && !p->changed && e->code != ERR_UNAVAILABLE) {
        p->created = false;
        p->created_at = (struct sv){0};
    }
    return false;
}

static void add_tags(struct buf *b, const struct tags *t)
{
    for (size_t i = 0; i < t->n; i++)
        buf_addf(b, "\n" SV_FMT "=" SV_FMT, SV_ARG(t->p[i].key), SV_ARG(t->p[i].value));
}

/* Of the role as it is and as it should be: what an attempt left like this it will leave again. */
static struct sv role_digest(struct pass *p)
{
    struct buf b = buf_new(p->a, 1 << 20);

    buf_addf(&b, SV_FMT "\n" SV_FMT "\n" SV_FMT "\n" SV_FMT "\n%d %d", SV_ARG(p->want.name),
             SV_ARG(p->want.trust), SV_ARG(p->want.permissions), SV_ARG(p->have.trust),
             p->want.max_session_seconds, p->have.max_session_seconds);
    for (size_t i = 0; i < p->have.policies.n; i++)
        buf_addf(&b, "\n" SV_FMT "\n" SV_FMT, SV_ARG(p->have.policies.p[i].name),
                 SV_ARG(p->have.policies.p[i].document));
    add_tags(&b, &p->want.tags);
    add_tags(&b, &p->have.tags);
    return sv_first(sha256_hex(p->a, buf_sv(&b)), 32);
}

static bool is_among(const struct role_step *s, const struct role_steps *steps)
{
    for (size_t i = 0; i < steps->n; i++) {
        if (steps->p[i].kind == s->kind && sv_eq(steps->p[i].name, s->name))
            return true;
    }
    return false;
}

/* What was done, and not what was found or tried: a step that the role still calls for had no
 * effect, though the store took it. */
static void tell_done(struct pass *p, const struct role_steps *steps, bool ours)
{
    struct role_steps left = {0};
    const struct role_step *done = NULL;
    bool had = p->probed_hash.n != 0;
    const char *reason = had ? "DriftCorrected" : ours ? "RoleChanged" : "RoleAdopted";

    role_plan(&p->want, &p->have, p->a, &left);
    for (size_t i = 0; i < steps->n && !done; i++) {
        if (!is_among(&steps->p[i], &left))
            done = &steps->p[i];
    }
    if (!done || !p->changed)
        return;
    if (done->kind == ROLE_CREATE && !had)
        reason = "RoleCreated";
    p->w->ops->tell(p->w->writer, p->j->object, had, reason,
                    arena_printf(p->a, "role " SV_FMT ": %s", SV_ARG(p->want.name), done->why));
    if (had)
        metric_add(METRIC_DRIFT_REPAIRED, 1);
}

static bool make_true(struct pass *p, struct err *e)
{
    struct role_steps steps = {0}, left = {0};
    bool ours = role_is_ours(&p->have, p->j->resource->meta.uid);

    plan(p, &steps);
    if (!steps.n || (p->role_left.n && sv_eq(p->role_left, role_digest(p))))
        return true;
    if (!change(p, &steps, e) || !observe(p, e))
        return false;
    plan(p, &left);
    p->role_left = left.n ? role_digest(p) : (struct sv){0};
    tell_done(p, &steps, ours);
    return true;
}

/* ---- reporting ---- */

/* At a role of ours only what the store cannot change is left to tell; at somebody else's all. */
static void report(struct pass *p)
{
    struct role_want want = p->want;

    want.tags = p->managed ? want.tags : p->spec->tags;
    p->differences = role_differences(&want, &p->have, p->a);
    p->differs_why = p->managed ? "StoreCannotChange" : "RoleDiffers";
    if (!p->differences.n || !p->managed)
        return;
    p->differences = ARENA_JOIN(
        p->a, p->differences,
        SV("; this store cannot change that: delete the role there, and it is made anew"));
    if (want.max_session_seconds != p->have.max_session_seconds)
        p->differences = arena_printf(p->a, SV_FMT ", or let spec.maxSessionDurationSeconds be %d",
                                      SV_ARG(p->differences), p->have.max_session_seconds);
}

static bool session_fits(struct pass *p)
{
    int longest = p->have.max_session_seconds;

    if (!longest || p->spec->credential_ttl_seconds <= longest)
        return true;
    pass_shut(p, "SessionTooLong",
              arena_printf(p->a,
                           "spec.credentialTtlSeconds: %d is longer than the role " SV_FMT
                           " allows (%d); lower it, or let the role's longest session be longer",
                           p->spec->credential_ttl_seconds, SV_ARG(p->want.name), longest));
    return false;
}

static bool is_there(struct pass *p)
{
    if (p->have.exists)
        return true;
    pass_shut(p, "RoleMissing",
              arena_printf(p->a,
                           "spec.roleArn: there is no role " SV_FMT
                           "; create it, or set management to Managed",
                           SV_ARG(p->want.name)));
    return false;
}

static bool is_adoptable(struct pass *p)
{
    struct sv owner = role_object(&p->have);

    if (may_touch(p))
        return true;
    pass_shut(p, "AdoptionConflict",
              arena_printf(p->a,
                           "spec.roleArn: the role " SV_FMT " exists and is not ours%s" SV_FMT
                           "; adopt it by its ARN in spec.roleArn and the annotation " ADOPT
                           ": \"true\", or make a new object for another role",
                           SV_ARG(p->want.name), owner.n ? ": it is of StorageIntegration " : "",
                           SV_ARG(owner)));
    return false;
}

/* One made role is all that the status can remember. */
static bool is_the_made_one(struct pass *p)
{
    struct sv made = made_role_name(p);

    if (sv_eq(made, role_name(p)))
        return true;
    pass_shut(p, "RoleNameChanged",
              arena_printf(p->a,
                           "spec.roleArn: the role " SV_FMT
                           " was created for this integration already; make a new object for the "
                           "role " SV_FMT,
                           SV_ARG(made), SV_ARG(role_name(p))));
    return false;
}

/* ---- the whole of it ---- */

bool pass_ensure_role(struct pass *p, bool *go_on, struct err *e)
{
    struct exchange who = {0};

    *go_on = true;
    p->target.role_arn = p->spec->role_arn;
    if (p->spec->management == MANAGEMENT_NONE)
        return true;
    *go_on = is_the_made_one(p);
    if (!*go_on)
        return true;
    if (!pass_talk(p, p->target.provider->whoami, &who, e))
        return false;
    p->caller = who.caller;
    set_want(p);
    if (!observe(p, e))
        return false;
    *go_on = p->managed ? is_adoptable(p) : is_there(p);
    if (!*go_on)
        return true;
    if (p->managed && !make_true(p, e))
        return false;
    if (p->have.arn.n)
        p->target.role_arn = p->have.arn;
    report(p);
    *go_on = session_fits(p);
    return true;
}

/* Whose role it is was read first: where it is gone nobody can tidy with it any more. */
static bool take_down(struct pass *p, struct err *e)
{
    struct role_steps steps = {0};

    if (p->created && !observe(p, e))
        return false;
    if ((!p->created || p->have.exists) && !pass_tidy(p, e))
        return false;
    if (!pass_bucket_policy(p, false, e))
        return false;
    /* What status says we made must still bear our mark. */
    if (!p->created || !p->have.exists || !role_is_ours(&p->have, p->j->resource->meta.uid))
        return true;
    role_plan_removal(&p->have, p->a, &steps);
    return take_steps(p, &steps, e);
}

bool pass_remove_role(struct pass *p, struct err *e)
{
    p->want.name = made_role_name(p);
    if (p->spec->deletion_policy != DELETION_RETAIN)
        return take_down(p, e);
    /* Who asked for nothing to be removed does not wait for it either. */
    if (p->target.own.access_key_id.n && !pass_tidy(p, e))
        *e = (struct err){0};
    return true;
}
