/* updates.h - the updates of a commit, by name. */
#ifndef ICEBERG_UPDATES_H
#define ICEBERG_UPDATES_H

#include "iceberg/inside.h"

/* Every action is one we know: checked before any takes effect. */
MUST_CHECK bool updates_known(const struct json *list, struct err *e);
MUST_CHECK bool updates_apply(struct changing *c, const struct json *list, struct err *e);

#endif
