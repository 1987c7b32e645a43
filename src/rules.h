/* rules.h - the rulebook that --resources or the cluster gives, for the commands that ask it. */
#ifndef RULES_H
#define RULES_H

#include "options.h"
#include "policy/rulebook.h"

MUST_CHECK bool rules_compile(const struct options *o, struct rulebook **out, struct err *e);
/* "CATALOG.NS.TABLE" of --table, as wire/names.h reads it; the catalog is the longest start that
 * names one. */
MUST_CHECK bool rules_table(const struct rulebook *r, struct sv text, struct arena *a,
                            struct subject *out, struct err *e);

#endif
