/* members.c - what an update, a requirement or an element of a file must bring along. */
#include "iceberg/members.h"

static const char *const kinds[] = {
    [JSON_NULL] = "null",        [JSON_BOOL] = "true or false", [JSON_INT] = "a whole number",
    [JSON_DOUBLE] = "a number",  [JSON_STRING] = "text",        [JSON_ARRAY] = "a list",
    [JSON_OBJECT] = "an object",
};

static bool check(const struct json *v, const struct member *m, bool null_is_fine, struct err *e)
{
    const struct json *value = json_get(v, sv_from(m->name));

    if (!value && m->need != REQUIRED && (null_is_fine || !json_has(v, sv_from(m->name))))
        return true;
    return json_kind(value) == m->kind ||
           err_set(e, ERR_INVALID, "%s must be %s", m->name, kinds[m->kind]);
}

bool members_check(const struct json *v, const struct member *members, struct err *e)
{
    for (int i = 0; i < MEMBERS && members[i].name; i++) {
        if (!check(v, &members[i], true, e))
            return false;
    }
    return true;
}

bool members_sound(const struct json *v, const struct member *members, struct err *e)
{
    for (int i = 0; i < MEMBERS && members[i].name; i++) {
        if (!check(v, &members[i], members[i].need == NULLABLE, e))
            return false;
    }
    return true;
}
