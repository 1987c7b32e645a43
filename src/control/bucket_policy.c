/* bucket_policy.c - the bucket's policy as it should be against the policy as it is. */
#include "provider/bucket_policy.h"

#include "base/log.h"
#include "base/metric.h"
#include "control/pass.h"

/* Roles are managed by whoever may; at RGW the bucket is its owner's, and that is who mints. */
static const struct credential *key_for(const struct pass *p)
{
    return p->spec->provider == PROVIDER_AWS ? &p->target.admin : &p->target.own;
}

static bool plan(struct pass *p, bool wanted, struct bucket_policy *out, struct err *e)
{
    struct sv uid = p->j->resource->meta.uid;
    struct exchange x = {.key = key_for(p)};

    if (!pass_talk(p, bucket_policy_get, &x, e))
        return false;
    if (wanted)
        return bucket_policy_with(&(struct bucket_grant){p->spec, p->target.role_arn, uid},
                                  x.content, p->a, out, e);
    return bucket_policy_without(uid, x.content, p->a, out, e);
}

static bool write_policy(struct pass *p, struct sv text, struct err *e)
{
    struct exchange x = {.key = key_for(p), .body = text};

    if (!p->w->ops->may_write(p->w->backend))
        return err_set(e, ERR_UNAVAILABLE, "this replica does not hold the lease");
    if (!pass_talk(p, bucket_policy_put, &x, e))
        return err_wrap(e, "spec.bucketPolicy");
    metric_add(METRIC_STORAGE_WRITES, 1);
    p->changed = true;
    log_line(LOG_INFO, "control", "bucket policy changed", LOG_SV("object", p->j->key),
             LOG_SV("bucket", p->target.bucket));
    return true;
}

bool pass_bucket_policy(struct pass *p, bool wanted, struct err *e)
{
    struct bucket_policy policy = {0};

    if (!wanted && !p->bucket_policy)
        return true;
    if (!plan(p, wanted, &policy, e))
        return err_wrap(e, "spec.bucketPolicy");
    /* Status knows of our statements before the bucket does, and as long as it may. */
    p->bucket_policy = true;
    if (!policy.same && ((wanted && !pass_begin(p, e)) || !write_policy(p, policy.text, e)))
        return false;
    p->bucket_policy = wanted;
    return true;
}
