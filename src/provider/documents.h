/* documents.h - trust and permission policies, shared by the providers that manage roles. */
#ifndef PROVIDER_DOCUMENTS_H
#define PROVIDER_DOCUMENTS_H

#include "provider/provider.h"

/* The trust policy: `caller` and the spec's principals may assume the role, under the spec's
 * conditions and `guard` (JSON text of one more operator, or empty). */
void write_trust(const struct storage_integration *w, struct sv caller, struct sv guard,
                 struct buf *out);
/* Objects of the allowed locations, and listing them; in the partition of the role's ARN. */
void write_permissions(const struct storage_integration *w, struct buf *out);

#endif
