/* members.c - what an update or a requirement must bring along. */
#include "iceberg/members.h"

static const char *const kinds[] = {
    [JSON_NULL] = "null",        [JSON_BOOL] = "true or false", [JSON_INT] = "a whole number",
    [JSON_DOUBLE] = "a number",  [JSON_STRING] = "text",        [JSON_ARRAY] = "a list",
    [JSON_OBJECT] = "an object",
};

bool members_check(const struct json *v, const struct member *members, struct err *e)
{
    for (int i = 0; i < MEMBERS && members[i].name; i++) {
        const struct json *value = json_get(v, sv_from(members[i].name));
        bool absent_is_fine = !value && members[i].optional;

        if (!absent_is_fine && json_kind(value) != members[i].kind)
            return err_set(e, ERR_INVALID, "%s must be %s", members[i].name,
                           kinds[members[i].kind]);
    }
    return true;
}
