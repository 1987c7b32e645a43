/* documents.h - trust and permission policies, shared by the providers that manage roles. */
#ifndef PROVIDER_DOCUMENTS_H
#define PROVIDER_DOCUMENTS_H

#include "provider/provider.h"

/* A condition that no spec may take away. */
struct trust_guard {
    struct sv op, key, value;
};
/* The trust policy: `caller` and the spec's principals may assume the role, under `guard` (or
 * NULL) and the spec's conditions. */
void write_trust(const struct storage_integration *w, struct sv caller,
                 const struct trust_guard *guard, struct buf *out);
/* Objects of the allowed locations, and listing them; in the partition of the role's ARN. */
void write_permissions(const struct storage_integration *w, struct buf *out);

/* The member of a policy's object of that name, whatever its case: IAM reads operators and keys so.
 */
struct json *policy_member(const struct json *v, struct sv name);

#endif
