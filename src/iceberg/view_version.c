/* view_version.c - versions of a view, and which of them are kept. */
#include "iceberg/view_version.h"

#include <inttypes.h>

#include "base/limits.h"
#include "iceberg/members.h"

enum { VERSIONS_KEPT = 10 };

/* ---- checks ---- */

bool is_texts(const struct json *v, enum json_kind kind)
{
    struct json *value;
    struct sv name;

    if (json_kind(v) != kind)
        return false;
    for (size_t i = 0; json_member(v, i, &name, &value); i++) {
        if (json_kind(value) != JSON_STRING)
            return false;
    }
    for (size_t i = 0; kind == JSON_ARRAY && i < json_count(v); i++) {
        if (json_kind(json_at(v, i)) != JSON_STRING)
            return false;
    }
    return true;
}

static const struct json *query_in(const struct json *version, struct sv dialect, size_t before)
{
    const struct json *list = json_get(version, SV("representations"));

    for (size_t i = 0; i < json_count(list) && i < before; i++) {
        if (sv_eq_nocase(json_get_str(json_at(list, i), SV("dialect")), dialect))
            return json_at(list, i);
    }
    return NULL;
}

static struct sv lower(struct sv v, char *out, size_t size)
{
    static const struct sv upper = SV_INIT("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    static const char low[] = "abcdefghijklmnopqrstuvwxyz";
    size_t n = v.n < size ? v.n : size;

    for (size_t i = 0; i < n; i++) {
        ptrdiff_t at = sv_find(upper, v.p[i]);

        out[i] = v.p[i];
        if (at >= 0)
            out[i] = low[at];
    }
    return sv_of(out, n);
}

static bool check_query(const struct json *version, size_t i, struct err *e)
{
    const struct json *r = json_at(json_get(version, SV("representations")), i);
    struct sv sql = json_get_str(r, SV("sql")), dialect = json_get_str(r, SV("dialect"));
    char text[60];

    if (!sv_eq(json_get_str(r, SV("type")), SV("sql")))
        return err_set(e, ERR_INVALID, "representations[%zu]: only the type sql is known", i);
    if (!sql.n || !dialect.n || sql.n > LIMIT_VIEW_SQL_BYTES || dialect.n > LIMIT_NAME_BYTES)
        return err_set(e, ERR_INVALID,
                       "representations[%zu]: sql of 1 to %d bytes and a dialect are required", i,
                       LIMIT_VIEW_SQL_BYTES);
    if (query_in(version, dialect, i))
        return err_set(e, ERR_INVALID,
                       "Invalid view version: Cannot add multiple queries for dialect " SV_FMT,
                       SV_ARG(lower(dialect, text, sizeof(text))));
    return true;
}

bool version_check(const struct json *version, struct err *e)
{
    static const struct member members[MEMBERS] = {
        {"version-id",        JSON_INT,    REQUIRED},
        {"timestamp-ms",      JSON_INT,    REQUIRED},
        {"schema-id",         JSON_INT,    REQUIRED},
        {"summary",           JSON_OBJECT, REQUIRED},
        {"default-namespace", JSON_ARRAY,  REQUIRED},
        {"default-catalog",   JSON_STRING, OPTIONAL}
    };
    const struct json *list = json_get(version, SV("representations")),
                      *levels = json_get(version, SV("default-namespace"));

    if (!members_check(version, members, e))
        return err_wrap(e, "a view version");
    if (get_i64(version, "version-id", 0) < 1 || get_i64(version, "version-id", 0) > INT32_MAX)
        return err_set(e, ERR_INVALID, "a view version: a version-id from 1 is required");
    if (get_i64(version, "timestamp-ms", -1) < 0)
        return err_set(e, ERR_INVALID, "a view version: timestamp-ms must not be negative");
    if (!is_texts(json_get(version, SV("summary")), JSON_OBJECT) ||
        json_count(json_get(version, SV("summary"))) > LIMIT_PROPERTIES)
        return err_set(e, ERR_INVALID, "a view version: summary must be an object of texts");
    if (!is_texts(levels, JSON_ARRAY) || json_count(levels) > LIMIT_NAMESPACE_LEVELS)
        return err_set(e, ERR_INVALID, "a view version: default-namespace must be a list of names");
    if (json_kind(list) != JSON_ARRAY || json_count(list) == 0 ||
        json_count(list) > LIMIT_VIEW_REPRESENTATIONS)
        return err_set(e, ERR_INVALID, "a view version: 1 to %d representations are required",
                       LIMIT_VIEW_REPRESENTATIONS);
    for (size_t i = 0; i < json_count(list); i++) {
        if (!check_query(version, i, e))
            return false;
    }
    return true;
}

void version_key(const struct json *version, struct buf *out)
{
    static const char *const members[] = {"summary",           "representations", "default-catalog",
                                          "default-namespace", "schema-id",       NULL};

    for (const char *const *m = members; *m; m++)
        json_write_key(out, json_get(version, sv_from(*m)));
}

bool dialects_kept(const struct json *metadata, const struct json *before, const struct json *after,
                   struct err *e)
{
    const struct json *list = json_get(before, SV("representations"));
    struct sv allowed =
        json_get_str(json_get(metadata, SV("properties")), SV("replace.drop-dialect.allowed"));

    for (size_t i = 0; i < json_count(list) && !sv_eq_nocase(allowed, SV("true")); i++) {
        struct sv dialect = json_get_str(json_at(list, i), SV("dialect"));

        if (!query_in(after, dialect, SIZE_MAX))
            return err_set(e, ERR_INVALID,
                           "Cannot replace view due to loss of view dialects: " SV_FMT
                           " (replace.drop-dialect.allowed=false)",
                           SV_ARG(sv_first(dialect, 60)));
    }
    return true;
}

/* ---- history ---- */

static size_t versions_kept(const struct json *metadata)
{
    struct sv text =
        json_get_str(json_get(metadata, SV("properties")), SV("version.history.num-entries"));
    int64_t n = VERSIONS_KEPT;

    if (text.n && (!sv_i64(text, &n) || n < 1))
        n = 1;
    return n > LIMIT_VIEW_VERSIONS ? LIMIT_VIEW_VERSIONS : (size_t)n;
}

/* History before a hole is not history. */
static void cut_log(struct changing *c, const struct map *gone)
{
    const struct json *log = json_get(c->m, SV("version-log"));
    size_t first = 0;

    for (size_t i = 0; i < json_count(log); i++) {
        if (map_get_id(gone, get_i64(json_at(log, i), "version-id", -1)))
            first = i + 1;
    }
    list_from(c, "version-log", first);
}

void versions_expire(struct changing *c, const struct map *added)
{
    const struct json *versions = json_get(c->m, SV("versions"));
    int64_t current = get_i64(c->m, "current-version-id", -1);
    size_t n = json_count(versions), most = versions_kept(c->m);
    struct json *kept = json_new_array(c->arena);
    struct map gone = map_new(c->memory);

    /* In the order in which they were added: the oldest is first. */
    for (size_t i = 0; i < json_count(versions); i++) {
        struct json *v = json_at(versions, i);
        int64_t id = get_i64(v, "version-id", -1);

        if (n <= most || id == current || map_get_id(added, id)) {
            json_push(kept, v);
            continue;
        }
        (void)map_put_id(&gone, id, v);
        n--;
    }
    json_set(c->m, SV("versions"), kept);
    cut_log(c, &gone);
}
