/* view_check.c - whether a metadata file that somebody else wrote may be a view's. */
#include <inttypes.h>

#include "base/limits.h"
#include "iceberg/elements.h"
#include "iceberg/schema.h"
#include "iceberg/spelling.h"
#include "iceberg/types.h"
#include "iceberg/view.h"
#include "iceberg/view_version.h"

enum { SCHEMA_FORMAT = 3 };

static bool names(const struct map *ids, const struct json *v, const char *member)
{
    return map_get_id(ids, get_i64(v, member, -1)) != NULL;
}

static bool check_schemas(const struct json *m, struct arena *a, struct map *ids, struct err *e)
{
    const struct json *schemas = json_get(m, SV("schemas"));

    if (json_count(schemas) > LIMIT_VIEW_SCHEMAS)
        return err_set(e, ERR_INVALID, "more than %d schemas", LIMIT_VIEW_SCHEMAS);
    for (size_t i = 0; i < json_count(schemas); i++) {
        if (!schema_check_draft(json_at(schemas, i), SCHEMA_FORMAT, e) ||
            !schema_is_spelt(json_at(schemas, i), e))
            return false;
    }
    return list_ids(schemas, "schema-id", a, ids, e);
}

static bool check_versions(const struct json *m, const struct map *schemas, struct arena *a,
                           struct map *ids, struct err *e)
{
    const struct json *versions = json_get(m, SV("versions"));

    *ids = map_new(a);
    if (json_count(versions) > LIMIT_VIEW_VERSIONS)
        return err_set(e, ERR_INVALID, "more than %d versions", LIMIT_VIEW_VERSIONS);
    for (size_t i = 0; i < json_count(versions); i++) {
        const struct json *version = json_at(versions, i);

        if (!version_check(version, e))
            return false;
        if (!names(schemas, version, "schema-id"))
            return err_set(e, ERR_INVALID, "a version names a schema that does not exist");
    }
    return list_ids(versions, "version-id", a, ids, e);
}

/* Its versions may be forgotten, as expiry does; what it names must be numbers. */
static bool check_log(const struct json *m, struct err *e)
{
    const struct json *log = json_get(m, SV("version-log"));

    if (json_count(log) > LIMIT_METADATA_ENTRIES)
        return err_set(e, ERR_INVALID, "more than %d entries in version-log",
                       LIMIT_METADATA_ENTRIES);
    return log_check(log, "version-id", JSON_INT, e) || err_wrap(e, "version-log");
}

bool view_check(const struct json *m, struct arena *a, struct err *e)
{
    struct map schemas = {0}, versions = {0};
    const struct json *properties = json_get(m, SV("properties"));

    if (!text_is_uuid(json_get_str(m, SV("view-uuid"))))
        return err_set(e, ERR_INVALID, "view metadata: a view-uuid of 36 characters is required");
    if (json_has(m, SV("properties")) &&
        (!is_texts(properties, JSON_OBJECT) || json_count(properties) > LIMIT_PROPERTIES))
        return err_set(e, ERR_INVALID, "view metadata: properties must be texts, at most %d",
                       LIMIT_PROPERTIES);
    if (!check_schemas(m, a, &schemas, e) || !check_versions(m, &schemas, a, &versions, e) ||
        !check_log(m, e))
        return err_wrap(e, "view metadata");
    return names(&versions, m, "current-version-id") ||
           err_set(e, ERR_INVALID, "view metadata: the current version does not exist");
}
