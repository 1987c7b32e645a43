/*
 * policy_template.h - whether a session policy of the user's own opens one table and no more.
 *
 * A template is an IAM policy as JSON text with {{.Bucket}} and {{.KeyPrefix}} inside its strings;
 * it is filled once for each folder of a table. Whatever it allows on objects must begin with the
 * folder, whatever it lets list must be bound to it; other services' actions are its own affair.
 */
#ifndef API_POLICY_TEMPLATE_H
#define API_POLICY_TEMPLATE_H

#include "api/meta.h"

/* What is wrong with `text` becomes complaints about `field`. An empty text is none. */
void policy_template_check(struct sv text, struct sv bucket, struct sv field, struct arena *a,
                           struct complaints *out);

#endif
