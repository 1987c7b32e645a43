/* elements.c - what the elements of a metadata file must be. */
#include "iceberg/elements.h"

#include <inttypes.h>

#include "base/limits.h"
#include "iceberg/inside.h"
#include "iceberg/members.h"
#include "wire/base64.h"

/* ---- without nulls ---- */

static void drop_nulls(struct json *v)
{
    auto_arena own = {0};
    struct sv_vec names = {0};
    struct json *value;
    struct sv name;

    for (size_t i = 0; json_member(v, i, &name, &value); i++) {
        if (value)
            drop_nulls(value);
        else
            vec_push(&names, &own, arena_dup(&own, name));
    }
    for (size_t i = 0; i < names.n; i++)
        json_remove(v, names.p[i]);
    for (size_t i = 0; json_kind(v) == JSON_ARRAY && i < json_count(v); i++)
        drop_nulls(json_at(v, i));
}

struct json *element_copy(struct arena *a, const struct json *v)
{
    struct json *copy = json_copy(a, v);

    drop_nulls(copy);
    return copy;
}

/* ---- what several have ---- */

static bool holds_strings(const struct json *v, const char *member, struct err *e)
{
    const struct json *all = json_get(v, sv_from(member));
    struct json *value;
    struct sv name;

    for (size_t i = 0; json_member(all, i, &name, &value); i++) {
        if (json_kind(value) != JSON_STRING)
            return err_set(e, ERR_INVALID, "%s." SV_FMT " must be text", member,
                           SV_ARG(sv_first(name, 80)));
    }
    return true;
}

static bool is_natural(const struct json *v, const char *member, struct err *e)
{
    return get_i64(v, member, 0) >= 0 || err_set(e, ERR_INVALID, "%s must not be negative", member);
}

/* ---- snapshots ---- */

static bool is_operation(struct sv name)
{
    static const char *const known[] = {"append", "replace", "overwrite", "delete", NULL};

    for (const char *const *k = known; *k; k++) {
        if (sv_eq(name, sv_from(*k)))
            return true;
    }
    return false;
}

/* A file of before there were operations lacks one, and is read. */
static bool check_summary(const struct json *s, struct err *e)
{
    const struct json *summary = json_get(s, SV("summary"));
    struct sv operation = json_get_str(summary, SV("operation"));

    return ((!json_has(summary, SV("operation")) || is_operation(operation)) ||
            err_set(e, ERR_INVALID,
                    "summary.operation must be append, replace, overwrite or delete, not \"" SV_FMT
                    "\"",
                    SV_ARG(sv_first(operation, 40)))) &&
           holds_strings(s, "summary", e);
}

bool snapshot_check(const struct json *s, int format, struct err *e)
{
    static const struct member members[MEMBERS] = {
        {"snapshot-id",        JSON_INT,    REQUIRED},
        {"timestamp-ms",       JSON_INT,    REQUIRED},
        {"manifest-list",      JSON_STRING, REQUIRED},
        {"summary",            JSON_OBJECT, OPTIONAL},
        {"parent-snapshot-id", JSON_INT,    OPTIONAL},
        {"schema-id",          JSON_INT,    NULLABLE}
    };
    static const struct member rest[MEMBERS] = {
        {"sequence-number", JSON_INT,    OPTIONAL},
        {"first-row-id",    JSON_INT,    NULLABLE},
        {"added-rows",      JSON_INT,    OPTIONAL},
        {"key-id",          JSON_STRING, NULLABLE}
    };

    if (!members_sound(s, members, e) || !members_sound(s, rest, e) ||
        !is_natural(s, "snapshot-id", e) || !is_natural(s, "timestamp-ms", e))
        return false;
    if (!json_get_str(s, SV("manifest-list")).n)
        return err_set(e, ERR_INVALID, "manifest-list must not be empty");
    /* Format 1 knows no numbers: one that stood there would be past all that a later one counts. */
    if (format < 2 && get_i64(s, "sequence-number", 0))
        return err_set(e, ERR_INVALID, "sequence-number must be 0 in format 1");
    if (json_get(s, SV("first-row-id")) && !json_get(s, SV("added-rows")))
        return err_set(e, ERR_INVALID, "added-rows is required beside first-row-id");
    if (get_i64(s, "schema-id", 0) > INT32_MAX)
        return err_set(e, ERR_INVALID, "schema-id is beyond an int");
    return is_natural(s, "first-row-id", e) && is_natural(s, "added-rows", e) &&
           check_summary(s, e);
}

/* ---- refs ---- */

static bool check_retention(const struct json *ref, bool is_branch, struct err *e)
{
    static const char *const members[] = {"min-snapshots-to-keep", "max-snapshot-age-ms",
                                          "max-ref-age-ms", NULL};

    for (const char *const *m = members; *m; m++) {
        if (get_i64(ref, *m, 1) < 1)
            return err_set(e, ERR_INVALID, "%s must be positive", *m);
    }
    if (get_i64(ref, "min-snapshots-to-keep", 1) > INT32_MAX)
        return err_set(e, ERR_INVALID, "min-snapshots-to-keep is beyond an int");
    return is_branch ||
           (!json_get(ref, SV("min-snapshots-to-keep")) &&
            !json_get(ref, SV("max-snapshot-age-ms"))) ||
           err_set(e, ERR_INVALID, "a tag keeps no snapshots");
}

bool ref_check(struct sv name, const struct json *ref, struct err *e)
{
    static const struct member members[MEMBERS] = {
        {"snapshot-id",           JSON_INT,    REQUIRED},
        {"type",                  JSON_STRING, REQUIRED},
        {"min-snapshots-to-keep", JSON_INT,    NULLABLE},
        {"max-snapshot-age-ms",   JSON_INT,    NULLABLE},
        {"max-ref-age-ms",        JSON_INT,    NULLABLE}
    };
    struct sv type = json_get_str(ref, SV("type"));
    bool is_branch = sv_eq(type, SV("branch"));

    if (!members_sound(ref, members, e))
        return false;
    if (!is_branch && !sv_eq(type, SV("tag")))
        return err_set(e, ERR_INVALID, "type must be branch or tag, not \"" SV_FMT "\"",
                       SV_ARG(sv_first(type, 40)));
    if (!is_branch && sv_eq(name, SV("main")))
        return err_set(e, ERR_INVALID, "main is a branch");
    return check_retention(ref, is_branch, e);
}

/* ---- statistics ---- */

static bool check_blob(const struct json *blob, struct err *e)
{
    static const struct member members[MEMBERS] = {
        {"type",            JSON_STRING, REQUIRED},
        {"snapshot-id",     JSON_INT,    REQUIRED},
        {"sequence-number", JSON_INT,    REQUIRED},
        {"fields",          JSON_ARRAY,  REQUIRED},
        {"properties",      JSON_OBJECT, OPTIONAL}
    };
    const struct json *fields = json_get(blob, SV("fields"));

    if (!members_sound(blob, members, e))
        return false;
    for (size_t i = 0; i < json_count(fields); i++) {
        if (json_kind(json_at(fields, i)) != JSON_INT)
            return err_set(e, ERR_INVALID, "fields[%zu] must be a whole number", i);
    }
    return holds_strings(blob, "properties", e);
}

static bool check_path(const struct json *v, struct err *e)
{
    if (!json_get_str(v, SV("statistics-path")).n)
        return err_set(e, ERR_INVALID, "statistics-path is required");
    return is_natural(v, "snapshot-id", e);
}

bool statistics_check(const struct json *v, struct err *e)
{
    static const struct member members[MEMBERS] = {
        {"snapshot-id",               JSON_INT,    REQUIRED},
        {"statistics-path",           JSON_STRING, REQUIRED},
        {"file-size-in-bytes",        JSON_INT,    REQUIRED},
        {"file-footer-size-in-bytes", JSON_INT,    REQUIRED},
        {"blob-metadata",             JSON_ARRAY,  REQUIRED}
    };
    const struct json *blobs = json_get(v, SV("blob-metadata"));

    if (!members_sound(v, members, e) || !check_path(v, e))
        return false;
    for (size_t i = 0; i < json_count(blobs); i++) {
        if (!check_blob(json_at(blobs, i), e))
            return err_wrap(e, "blob-metadata[%zu]", i);
    }
    return true;
}

bool partition_statistics_check(const struct json *v, struct err *e)
{
    static const struct member members[MEMBERS] = {
        {"snapshot-id",        JSON_INT,    REQUIRED},
        {"statistics-path",    JSON_STRING, REQUIRED},
        {"file-size-in-bytes", JSON_INT,    REQUIRED}
    };

    return members_sound(v, members, e) && check_path(v, e);
}

/* ---- encryption keys ---- */

bool encryption_key_check(const struct json *key, struct err *e)
{
    static const struct member members[MEMBERS] = {
        {"key-id",                 JSON_STRING, REQUIRED},
        {"encrypted-key-metadata", JSON_STRING, REQUIRED},
        {"encrypted-by-id",        JSON_STRING, NULLABLE},
        {"properties",             JSON_OBJECT, OPTIONAL}
    };
    auto_arena own = {0};
    struct sv ignored;

    if (!members_sound(key, members, e))
        return false;
    if (!json_get_str(key, SV("key-id")).n)
        return err_set(e, ERR_INVALID, "key-id must not be empty");
    if (!base64_decode(json_get_str(key, SV("encrypted-key-metadata")), &own, &ignored, e))
        return err_wrap(e, "encrypted-key-metadata");
    return holds_strings(key, "properties", e);
}

/* ---- logs ---- */

bool log_check(const struct json *log, const char *member, enum json_kind kind, struct err *e)
{
    const struct member members[MEMBERS] = {
        {"timestamp-ms", JSON_INT, REQUIRED},
        {member,         kind,     REQUIRED}
    };
    int64_t before = INT64_MIN;

    for (size_t i = 0; i < json_count(log); i++) {
        const struct json *entry = json_at(log, i);
        int64_t at = get_i64(entry, "timestamp-ms", 0);

        if (!members_sound(entry, members, e))
            return err_wrap(e, "entry %zu", i);
        if (i && at < before - CLOCKS_DIFFER_MS)
            return err_set(e, ERR_INVALID,
                           "entry %zu: timestamp-ms %" PRId64 " is before %" PRId64
                           " of the entry in front of it",
                           i, at, before);
        before = at;
    }
    return true;
}

int64_t log_last_ms(const struct json *log)
{
    size_t n = json_count(log);

    return n ? get_i64(json_at(log, n - 1), "timestamp-ms", 0) : 0;
}
