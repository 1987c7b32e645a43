/* members.h - what an update, a requirement or an element of a file must bring along, as a table.
 */
#ifndef ICEBERG_MEMBERS_H
#define ICEBERG_MEMBERS_H

#include "base/err.h"
#include "wire/json.h"

enum { MEMBERS = 6 };

/* In a request null is absent; in a file only what is NULLABLE may be null. */
enum need { REQUIRED, OPTIONAL, NULLABLE };

struct member {
    const char *name;
    enum json_kind kind;
    enum need need;
};

/* Of a request: each is there and of its kind, up to the first without a name. ERR_INVALID names
 * it. */
MUST_CHECK bool members_check(const struct json *v, const struct member *members, struct err *e);
/* The same of what stands in a file, where null is not absent for every reader. */
MUST_CHECK bool members_sound(const struct json *v, const struct member *members, struct err *e);

#endif
