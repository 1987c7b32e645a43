/*
 * bucket_policy.h - our statements in a bucket's policy: put in, kept true, taken out; no other is
 * touched.
 *
 * They are known by their Sid, which is made of the integration's uid. They let the role do in the
 * bucket what its own permissions do, which a bucket of another account demands; a session stays
 * narrowed, since a role as principal is held against the session's policy (AWS, and measured at
 * RGW 16; a session or user as principal would not be).
 */
#ifndef PROVIDER_BUCKET_POLICY_H
#define PROVIDER_BUCKET_POLICY_H

#include "provider/provider.h"

struct bucket_policy {
    struct sv text; /* the document as it should be; empty: none at all */
    bool same;      /* it is so already */
};

/* Whose statements: the integration, its role at the store, its uid. */
struct bucket_grant {
    const struct storage_integration *spec;
    struct sv role_arn, uid;
};

/* From the document as it is (empty: none). ERR_INVALID when that cannot be read: better no change
 * than somebody else's statements lost. */
MUST_CHECK bool bucket_policy_with(const struct bucket_grant *g, struct sv have, struct arena *a,
                                   struct bucket_policy *out, struct err *e);
MUST_CHECK bool bucket_policy_without(struct sv uid, struct sv have, struct arena *a,
                                      struct bucket_policy *out, struct err *e);

/* Driven like a provider's calls, signed with x->key. Get: x->content, empty when there is none.
 * Put: x->body, empty to delete. */
MUST_CHECK bool bucket_policy_get(struct exchange *x, struct err *e);
MUST_CHECK bool bucket_policy_put(struct exchange *x, struct err *e);

#endif
