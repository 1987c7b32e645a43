/* probe.c - whether a narrowed credential works inside its folder and nowhere else. */
#include "base/limits.h"
#include "control/pass.h"
#include "sign/digest.h"
#include "wire/time.h"

/* What the last probe was about. Another value: it proves nothing any more. */
static struct sv probe_hash(struct pass *p)
{
    struct buf b = buf_new(p->a, 1 << 18);

    buf_addf(&b, SV_FMT "\n" SV_FMT "\n" SV_FMT "\n" SV_FMT "\n" SV_FMT "\n" SV_FMT "\n" SV_FMT,
             SV_ARG(p->target.endpoint), SV_ARG(p->target.sts_endpoint), SV_ARG(p->target.bucket),
             SV_ARG(p->target.role_arn), SV_ARG(p->want.trust), SV_ARG(p->want.permissions),
             SV_ARG(p->created_at));
    /* Whether sessions may be tagged: the owner of a role that we only observe may change it. */
    if (p->target.tag_sessions)
        buf_addf(&b, "\ntags\n" SV_FMT, SV_ARG(p->managed ? SV("") : p->have.trust));
    /* The version stands for the key: ambient keys are others each hour, of the same owner. */
    buf_addf(&b, "\n" SV_FMT, SV_ARG(p->j->own.version));
    for (size_t i = 0; i < p->spec->allowed_locations.n; i++)
        buf_addf(&b, "\n" SV_FMT, SV_ARG(p->spec->allowed_locations.p[i]));
    return sv_first(sha256_hex(p->a, buf_sv(&b)), 32);
}

static void choose_places(struct pass *p, struct exchange *x)
{
    struct sv uid = sv_first(sha256_hex(p->a, p->j->resource->meta.uid), 8);
    struct location allowed = {0};
    struct err ignored = {0};
    bool covered = false;

    if (!location_read(p->spec->allowed_locations.p[0], false, p->a, &allowed, &ignored))
        return;
    x->place =
        (struct location){allowed.bucket, arena_printf(p->a, SV_FMT ".frontdesk-probe-" SV_FMT "/",
                                                       SV_ARG(allowed.key), SV_ARG(uid))};
    x->outside = (struct location){
        allowed.bucket, arena_printf(p->a, ".frontdesk-outside-" SV_FMT "/", SV_ARG(uid))};
    for (size_t i = 0; i < p->spec->allowed_locations.n; i++) {
        struct location l;

        covered |=
            location_read(p->spec->allowed_locations.p[i], false, p->a, &l, &ignored) && !l.key.n;
    }
    if (covered)
        x->outside = (struct location){0};
}

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

static bool probe(struct pass *p, struct err *e)
{
    struct exchange x = {0};
    struct sv policy;
    struct session_ask ask = {.folders = &x.place,
                              .n_folders = 1,
                              .access = ACCESS_READ | ACCESS_WRITE | ACCESS_DELETE | ACCESS_LIST};
    struct credential key;

    choose_places(p, &x);
    if (!session_policy(&p->target, &ask, p->a, &policy, e) || !mint_key(p, policy, &key, e))
        return err_wrap(e, "probe");
    x.key = &key;
    if (!pass_talk(p, p->target.provider->probe, &x, e))
        return err_wrap(e, "probe");
    p->probe = x.probe;
    return true;
}

bool pass_verify(struct pass *p, struct err *e)
{
    struct sv hash = probe_hash(p);

    if (!p->changed && pass_was_verified(p) && sv_eq(hash, p->probed_hash)) {
        p->verified = true;
        return true;
    }
    if (!probe(p, e))
        return false;
    p->verified = p->probe.verified;
    p->probed_hash = hash;
    p->probed_at = time_text(p->a, world_wall_ms(p->w->world), TIME_SECONDS);
    p->j->found.bulk_delete = p->probe.bulk_delete;
    return true;
}
