/* object.h - S3 requests on one bucket, as the object calls and the probe build them. */
#ifndef PROVIDER_OBJECT_H
#define PROVIDER_OBJECT_H

#include "provider/provider.h"

/* x->out: METHOD on `key` of the target's bucket (empty key: the bucket itself), raw `query`,
 * signed with x->key. */
MUST_CHECK bool object_request(struct exchange *x, enum http_method method, struct sv key,
                               struct sv query, struct sv body, struct err *e);
/* x->out: a copy within the bucket, signed with x->key. */
MUST_CHECK bool object_copy(struct exchange *x, struct sv from, struct sv to, struct err *e);

#endif
