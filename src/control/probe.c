/* probe.c - whether a narrowed credential works inside its folder and nowhere else. */
#include "base/limits.h"
#include "base/log.h"
#include "control/pass.h"
#include "sign/digest.h"
#include "wire/time.h"

/* Grows when the probe itself asks for more: what an older one proved is proved again. */
#define PROBE_VERSION "4"

struct sv integration_scope(const struct storage_integration *w, struct arena *a)
{
    struct buf b = buf_new(a, 1 << 18);

    buf_addf(&b, PROBE_VERSION "\n" SV_FMT "\n" SV_FMT "\n" SV_FMT "\n" SV_FMT "\n" SV_FMT,
             SV_ARG(w->bucket), SV_ARG(w->endpoint), SV_ARG(w->internal_endpoint),
             SV_ARG(w->sts_endpoint), SV_ARG(w->role_arn));
    buf_addf(&b, "\n%zu " SV_FMT "\n%zu " SV_FMT, w->policy_template_read.n,
             SV_ARG(w->policy_template_read), w->policy_template_write.n,
             SV_ARG(w->policy_template_write));
    return sv_first(sha256_hex(a, buf_sv(&b)), 16);
}

struct sv integration_scope_of_status(const struct json *status)
{
    struct sv hash = json_get_str(status, SV("probedHash")), scope;

    return sv_has_char(hash, '-') && sv_cut(&hash, '-', &scope) ? scope : (struct sv){0};
}

static void add_line(struct buf *b, struct sv v)
{
    buf_add(b, v);
    buf_addc(b, '\n');
}

/* What the last probe was about, the scope first. Another value: it proves nothing any more. */
static struct sv probe_hash(struct pass *p)
{
    const struct sv parts[] = {p->target.endpoint, p->target.sts_endpoint, p->target.bucket,
                               p->target.role_arn, p->want.trust,          p->want.permissions,
                               p->created_at};
    struct buf b = buf_new(p->a, 1 << 18);

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        add_line(&b, parts[i]);
    /* Whether sessions may be tagged: the owner of a role that we only observe may change it. */
    if (p->target.tag_sessions) {
        add_line(&b, SV("tags"));
        add_line(&b, p->managed ? SV("") : p->have.trust);
    }
    /* The version stands for the key: ambient keys are others each hour, of the same owner. */
    add_line(&b, p->j->own.version);
    for (size_t i = 0; i < p->spec->allowed_locations.n; i++)
        add_line(&b, p->spec->allowed_locations.p[i]);
    add_line(&b, p->other_hole);
    for (size_t i = 0; i < p->others.n; i++) {
        add_line(&b, p->others.p[i].arn);
        add_line(&b, sha256_hex(p->a, p->others.p[i].trust));
    }
    return ARENA_JOIN(p->a, integration_scope(p->spec, p->a), SV("-"),
                      sv_first(sha256_hex(p->a, buf_sv(&b)), 32));
}

/* ---- where ---- */

static void set_places(struct pass *p, struct location place, struct exchange *x)
{
    /* "…/x/" and "…/x-beside/": a name that begins the same. */
    x->place = place;
    x->beside = (struct location){
        place.bucket, arena_printf(p->a, SV_FMT "-beside/", SV_ARG(sv_trim_end(place.key, '/')))};
}

static bool choose_places(struct pass *p, struct exchange *x, struct err *e)
{
    struct sv uid = sv_first(sha256_hex(p->a, p->j->resource->meta.uid), 8);
    struct location l;
    bool covered = false;

    for (size_t i = 0; i < p->spec->allowed_locations.n; i++) {
        if (!location_read(p->spec->allowed_locations.p[i], false, p->a, &l, e))
            return err_wrap(e, "spec.allowedLocations[%zu]", i);
        covered |= !l.key.n;
        if (i == 0)
            set_places(p,
                       (struct location){l.bucket,
                                         arena_printf(p->a, SV_FMT ".frontdesk-probe-" SV_FMT "/",
                                                      SV_ARG(l.key), SV_ARG(uid))},
                       x);
    }
    if (!covered)
        x->outside = (struct location){
            x->place.bucket, arena_printf(p->a, ".frontdesk-outside-" SV_FMT "/", SV_ARG(uid))};
    return true;
}

/* ---- with what ---- */

enum { EVERYTHING = ACCESS_READ | ACCESS_WRITE | ACCESS_DELETE | ACCESS_LIST };

/* A kind of session policy that is vended, and what it is for. */
struct session_kind {
    const char *field; /* where the policy comes from; NULL: it is ours */
    struct sv template_;
    unsigned access, must, may;
};

/* With tags where they are wanted; without them where the role's trust does not let us tag. */
static bool mint_key(struct pass *p, struct sv policy, struct credential *out, struct err *e)
{
    struct session_words words = {.principal = SV("frontdesk-probe")};
    struct exchange x = {.session_name = words.principal,
                         .policy = policy,
                         .ttl_seconds = LIMIT_MIN_TTL_SECONDS,
                         .tags = session_tags(&p->target, &words, p->a)};
    bool ok = pass_talk(p, p->target.provider->mint, &x, e);

    p->j->found.session_tags = ok && x.tags.n;
    if (!ok && x.tags.n && e->code == ERR_DENIED) {
        x = (struct exchange){
            .session_name = x.session_name, .policy = policy, .ttl_seconds = x.ttl_seconds};
        *e = (struct err){0};
        ok = pass_talk(p, p->target.provider->mint, &x, e);
    }
    *out = x.got;
    return ok;
}

static bool mint(struct pass *p, const struct session_ask *ask, struct credential *out,
                 struct err *e)
{
    struct sv policy;

    return (session_policy(&p->target, ask, p->a, &policy, e) && mint_key(p, policy, out, e)) ||
           err_wrap(e, "probe");
}

static bool mint_janitor(struct pass *p, const struct exchange *where, struct credential *out,
                         struct err *e)
{
    const struct location folders[] = {where->place, where->beside};

    return mint(p, &(struct session_ask){folders, 2, EVERYTHING, {0}, true}, out, e);
}

/* Takes away what a probe that did not end has left. What the store refuses today it will refuse
 * tomorrow: that is told, and not tried for ever. */
static bool tidy(struct pass *p, const struct exchange *where, struct err *e)
{
    struct exchange x = {.place = where->place, .beside = where->beside, .outside = where->outside};
    struct credential janitor;
    bool ok = mint_janitor(p, where, &janitor, e);

    x.janitor = &janitor;
    x.probe.upload_key = where->probe.upload_key;
    x.probe.upload_id = where->probe.upload_id;
    ok = ok && pass_talk(p, p->target.provider->tidy, &x, e);
    if (!ok && e->code == ERR_UNAVAILABLE)
        return false;
    if (!ok || !x.probe.verified)
        log_line(LOG_WARNING, "control", "the probe could not be tidied",
                 LOG_SV("object", p->j->key), LOG_SV("place", where->place.key),
                 LOG_SV("why", ok ? x.probe.failure : sv_from(e->msg)));
    return true;
}

bool pass_tidy(struct pass *p, struct err *e)
{
    struct exchange where = {0};
    struct location place;

    if (!p->probing.n)
        return true;
    if (!choose_places(p, &where, e) || !location_read(p->probing, false, p->a, &place, e))
        return false;
    set_places(p, place, &where);
    return tidy(p, &where, e);
}

bool pass_begin(struct pass *p, struct err *e)
{
    struct exchange where = {0};

    /* Nobody can tidy without the role: it is remembered as soon as it is known. */
    if (p->begun &&
        (!p->target.role_arn.n ||
         sv_eq(p->target.role_arn, json_get_str(p->j->resource->status, SV("roleArn")))))
        return true;
    if (!choose_places(p, &where, e))
        return false;
    p->probing = location_text(&where.place, p->a);
    p->begun = pass_remember(p, e);
    return p->begun;
}

/* ---- the probe ---- */

static bool probe_one(struct pass *p, const struct session_kind *k, struct exchange *x,
                      struct err *e)
{
    const struct session_ask ask = {&x->place, 1, k->access, k->template_, false};
    struct credential key;

    if (!mint(p, &ask, &key, e))
        return k->field ? err_wrap(e, "%s", k->field) : false;
    *x = (struct exchange){.place = x->place,
                           .beside = x->beside,
                           .outside = x->outside,
                           .janitor = x->janitor,
                           .key = &key,
                           .must = k->must,
                           .may = k->may};
    if (!pass_talk(p, p->target.provider->probe, x, e))
        return err_wrap(e, "probe");
    x->key = NULL;
    if (k->field && x->probe.failure.n)
        x->probe.failure = arena_printf(
            p->a, "%s: " SV_FMT "; let it open {{.KeyPrefix}}/* and no more, and no less", k->field,
            SV_ARG(x->probe.failure));
    if (x->probe.failure.n)
        return true;
    if (!pass_become(p, &key, &x->probe.failure, e))
        return err_wrap(e, "probe");
    x->probe.verified = !x->probe.failure.n;
    return true;
}

static bool probe_kinds(struct pass *p, struct exchange *x, struct err *e)
{
    const unsigned get = 1U << PROBE_GET, put = 1U << PROBE_PUT, list = 1U << PROBE_LIST;
    const struct session_kind kinds[] = {
        {"spec.policyTemplates.read",  p->spec->policy_template_read,  ACCESS_READ | ACCESS_LIST, get,
         get | list                                                                                                   },
        {"spec.policyTemplates.write", p->spec->policy_template_write, EVERYTHING,                get | put,
         PROBE_ALL                                                                                                    },
        {NULL,                         {0},                            EVERYTHING,                PROBE_ALL, PROBE_ALL},
    };
    bool open = false;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].field && !kinds[i].template_.n)
            continue;
        if (!probe_one(p, &kinds[i], x, e))
            return false;
        open = open || x->probe.metadata_open;
        p->probe = x->probe;
        if (!p->probe.verified)
            break;
    }
    p->probe.metadata_open = open;
    return true;
}

static bool probe(struct pass *p, struct err *e)
{
    struct exchange x = {0};
    struct credential janitor;
    struct err ignored = {0};

    if (!choose_places(p, &x, e) || !mint_janitor(p, &x, &janitor, e) || !pass_begin(p, e))
        return false;
    x.janitor = &janitor;
    if (probe_kinds(p, &x, e)) {
        p->probing = (struct sv){0};
        return true;
    }
    if (!tidy(p, &x, &ignored))
        log_line(LOG_INFO, "control", "the probe is tidied later", LOG_SV("object", p->j->key),
                 LOG_ERR(&ignored));
    return false;
}

bool pass_verify(struct pass *p, struct err *e)
{
    struct sv hash;

    if (!pass_look_around(p, e))
        return false;
    hash = probe_hash(p);
    if (!p->probing.n && pass_was_verified(p) && sv_eq(hash, p->probed_hash)) {
        p->verified = true;
        return true;
    }
    /* What was proved of something else is no proof of this. */
    if (!sv_eq(hash, p->probed_hash))
        p->probed_hash = (struct sv){0};
    if (!probe(p, e))
        return false;
    p->verified = p->probe.verified;
    p->probed_hash = hash;
    p->probed_at = time_text(p->a, world_wall_ms(p->w->world), TIME_SECONDS);
    p->j->found.bulk_delete = p->probe.bulk_delete;
    p->j->found.metadata_guard = !p->probe.metadata_open;
    return true;
}
