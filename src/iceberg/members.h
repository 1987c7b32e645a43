/* members.h - what an update or a requirement must bring along, as a table. */
#ifndef ICEBERG_MEMBERS_H
#define ICEBERG_MEMBERS_H

#include "base/err.h"
#include "wire/json.h"

enum { MEMBERS = 6 };

struct member {
    const char *name;
    enum json_kind kind;
    bool optional; /* may be absent or null */
};

/* Each is there and of its kind, up to the first without a name. ERR_INVALID names it. */
MUST_CHECK bool members_check(const struct json *v, const struct member *members, struct err *e);

#endif
