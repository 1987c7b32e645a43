/* snapshots.c - the updates that move snapshots and refs. */
#include <inttypes.h>

#include "base/vec.h"
#include "iceberg/inside.h"
#include "iceberg/members.h"

static int format(const struct changing *c)
{
    return (int)get_i64(c->m, "format-version", 1);
}

static struct sv id_text(struct changing *c, int64_t id)
{
    return arena_printf(c->arena, "%" PRId64, id);
}

/* Two replacements of a table that met: the second took its number before the first was there.
 * Main is empty when it is added, so that no delete of before reaches into it. */
static bool begins_anew(const struct changing *c, const struct json *s)
{
    return !json_has(s, SV("parent-snapshot-id")) &&
           !json_has(json_get(c->m, SV("refs")), SV("main"));
}

static bool check_sequence(struct changing *c, const struct json *s, struct err *e)
{
    int64_t number = get_i64(s, "sequence-number", 0),
            last = get_i64(c->m, "last-sequence-number", 0);

    if (format(c) < 2 || (number > 0 && number <= last && begins_anew(c, s)))
        return true;
    if (number <= last)
        return err_set(e, ERR_CONFLICT,
                       "Cannot add snapshot with sequence number %" PRId64
                       " older than last sequence number %" PRId64,
                       number, last);
    set_i64(c, "last-sequence-number", number);
    return true;
}

static bool check_rows(struct changing *c, const struct json *s, struct err *e)
{
    int64_t first = get_i64(s, "first-row-id", -1), next = get_i64(c->m, "next-row-id", 0),
            rows = get_i64(s, "added-rows", -1);

    if (format(c) < 3)
        return true;
    if (first < 0 || rows < 0)
        return err_set(e, ERR_INVALID,
                       "Cannot add a snapshot: first-row-id and added-rows must not be negative");
    if (rows > INT64_MAX - first)
        return err_set(e, ERR_INVALID, "Cannot add a snapshot: added-rows is too large");
    if (first < next)
        return err_set(e, ERR_CONFLICT,
                       "Cannot add a snapshot, first-row-id is behind table next-row-id: %" PRId64
                       " < %" PRId64,
                       first, next);
    /* Past every row that has an id, also where the snapshot left a gap. */
    set_i64(c, "next-row-id", first + rows);
    return true;
}

static bool is_operation(struct sv name)
{
    static const char *const known[] = {"append", "replace", "overwrite", "delete", NULL};

    for (const char *const *k = known; *k; k++) {
        if (sv_eq(name, sv_from(*k)))
            return true;
    }
    return false;
}

static bool check_summary(const struct json *summary, struct err *e)
{
    struct sv operation = json_get_str(summary, SV("operation")), name;
    struct json *value;

    if (!is_operation(operation))
        return err_set(e, ERR_INVALID,
                       "add-snapshot: summary.operation must be append, replace, overwrite or "
                       "delete, not \"" SV_FMT "\"",
                       SV_ARG(sv_first(operation, 40)));
    for (size_t i = 0; json_member(summary, i, &name, &value); i++) {
        if (json_kind(value) != JSON_STRING)
            return err_set(e, ERR_INVALID, "add-snapshot: summary." SV_FMT " must be text",
                           SV_ARG(sv_first(name, 80)));
    }
    return true;
}

static bool check_schema(const struct changing *c, const struct json *s, struct err *e)
{
    const struct json *id = json_get(s, SV("schema-id")), *schemas = json_get(c->m, SV("schemas"));

    if (!json_count(schemas))
        return err_set(e, ERR_INVALID, "Attempting to add a snapshot before a schema is added");
    return !id || find_by_id(schemas, SV("schema-id"), json_i64(id, -1), NULL) ||
           err_set(e, ERR_INVALID, "add-snapshot: there is no schema %" PRId64, json_i64(id, -1));
}

static bool check_snapshot(const struct changing *c, const struct json *s, struct err *e)
{
    static const struct member members[MEMBERS] =
        {
            {"snapshot-id",        JSON_INT,    false},
            {"timestamp-ms",       JSON_INT,    false},
            {"manifest-list",      JSON_STRING, false},
            {"summary",            JSON_OBJECT, false},
            {"parent-snapshot-id", JSON_INT,    true },
            {"schema-id",          JSON_INT,    true }
    },
                               since_2[MEMBERS] = {{"sequence-number", JSON_INT, true}},
                               since_3[MEMBERS] = {{"first-row-id", JSON_INT, false},
                                                   {"added-rows", JSON_INT, false},
                                                   {"key-id", JSON_STRING, true}};

    if (!members_check(s, members, e) || (format(c) > 1 && !members_check(s, since_2, e)) ||
        (format(c) > 2 && !members_check(s, since_3, e)))
        return err_wrap(e, "add-snapshot");
    if (get_i64(s, "snapshot-id", -1) < 0 || get_i64(s, "timestamp-ms", -1) < 0)
        return err_set(e, ERR_INVALID,
                       "add-snapshot: snapshot-id and timestamp-ms must not be negative");
    if (!json_get_str(s, SV("manifest-list")).n)
        return err_set(e, ERR_INVALID, "add-snapshot: manifest-list must not be empty");
    /* Format 1 knows no numbers: one that stood there would be past all that a later one counts. */
    if (format(c) < 2 && get_i64(s, "sequence-number", 0))
        return err_set(e, ERR_INVALID,
                       "Cannot add a snapshot: sequence-number must be 0 in format 1");
    if (json_get(s, SV("first-row-id")) && !json_get(s, SV("added-rows")))
        return err_set(e, ERR_INVALID, "Cannot add a snapshot: first-row-id without added-rows");
    return check_summary(json_get(s, SV("summary")), e) && check_schema(c, s, e);
}

bool add_snapshot(struct changing *c, const struct json *u, struct err *e)
{
    const struct json *s = json_get(u, SV("snapshot"));
    int64_t id = get_i64(s, "snapshot-id", -1);
    struct json *snapshots = array_of(c, "snapshots");

    if (!check_snapshot(c, s, e))
        return false;
    if (find_by_id(snapshots, SV("snapshot-id"), id, NULL))
        return err_set(e, ERR_INVALID, "Snapshot already exists for: %" PRId64, id);
    if (!check_sequence(c, s, e) || !check_rows(c, s, e))
        return false;
    json_push(snapshots, json_copy(c->arena, s));
    (void)map_put(c->added_snapshots, id_text(c, id), c->added_snapshots);
    c->changed = true;
    return true;
}

/* main moves the current snapshot and the log; intermediate ones of the same request leave no
 * trace. Whatever clocks say, the log does not go back: readers refuse a file whose log does. */
static void move_main(struct changing *c, const struct json *snapshot, int64_t id)
{
    bool fresh = map_get(c->added_snapshots, id_text(c, id)) != NULL;
    struct json *log = array_of(c, "snapshot-log"), *entry = json_new_object(c->arena);
    size_t n = json_count(log);
    int64_t at = fresh ? get_i64(snapshot, "timestamp-ms", c->now_ms) : c->now_ms, before;

    if (c->log_entry && n && json_at(log, n - 1) == c->log_entry &&
        map_get(c->added_snapshots, id_text(c, get_i64(c->log_entry, "snapshot-id", -1))))
        json_remove_at(log, n - 1);
    before = last_logged_ms(c->m);
    json_set_i64(entry, c->arena, SV("snapshot-id"), id);
    json_set_i64(entry, c->arena, SV("timestamp-ms"), at > before ? at : before);
    json_push(log, entry);
    c->log_entry = entry;
    set_i64(c, "current-snapshot-id", id);
}

static struct json *refs_of(struct changing *c)
{
    struct json *refs = json_get(c->m, SV("refs"));

    if (!refs)
        json_set(c->m, SV("refs"), refs = json_new_object(c->arena));
    return refs;
}

static struct json *new_ref(struct changing *c, const struct json *u)
{
    static const char *const members[] = {"snapshot-id",           "type",
                                          "min-snapshots-to-keep", "max-snapshot-age-ms",
                                          "max-ref-age-ms",        NULL};
    struct json *ref = json_new_object(c->arena);

    for (const char *const *m = members; *m; m++) {
        if (json_get(u, sv_from(*m)))
            json_set(ref, sv_from(*m), json_get(u, sv_from(*m)));
    }
    return ref;
}

static bool check_retention(const struct json *ref, struct err *e)
{
    static const char *const members[] = {"min-snapshots-to-keep", "max-snapshot-age-ms",
                                          "max-ref-age-ms", NULL};

    for (const char *const *m = members; *m; m++) {
        if (get_i64(ref, *m, 1) < 1)
            return err_set(e, ERR_INVALID, "set-snapshot-ref: %s must be positive", *m);
    }
    return get_i64(ref, "min-snapshots-to-keep", 1) <= INT32_MAX ||
           err_set(e, ERR_INVALID, "set-snapshot-ref: min-snapshots-to-keep is beyond an int");
}

bool set_snapshot_ref(struct changing *c, const struct json *u, struct err *e)
{
    struct sv name = json_get_str(u, SV("ref-name")), type = json_get_str(u, SV("type"));
    int64_t id = get_i64(u, "snapshot-id", -1);
    const struct json *snapshot =
        find_by_id(json_get(c->m, SV("snapshots")), SV("snapshot-id"), id, NULL);
    struct json *ref = new_ref(c, u), *refs = refs_of(c);
    bool branch = sv_eq(type, SV("branch"));

    if (!name.n || (!branch && !sv_eq(type, SV("tag"))))
        return err_set(e, ERR_INVALID,
                       "set-snapshot-ref: ref-name and type (branch or tag) are required");
    if (!snapshot)
        return err_set(e, ERR_INVALID, "Cannot set " SV_FMT " to unknown snapshot: %" PRId64,
                       SV_ARG(sv_first(name, 80)), id);
    if (!branch && (sv_eq(name, SV("main")) || json_get(u, SV("min-snapshots-to-keep")) ||
                    json_get(u, SV("max-snapshot-age-ms"))))
        return err_set(e, ERR_INVALID,
                       "set-snapshot-ref: main is a branch, and a tag keeps no snapshots");
    if (!check_retention(ref, e))
        return false;
    if (json_eq(json_get(refs, name), ref))
        return true;
    if (sv_eq(name, SV("main")) && get_i64(json_get(refs, name), "snapshot-id", -1) != id)
        move_main(c, snapshot, id);
    json_set(refs, name, ref);
    c->changed = true;
    return true;
}

static void clear_current(struct changing *c)
{
    if (format(c) > 2)
        json_set(c->m, SV("current-snapshot-id"), NULL);
    else
        set_i64(c, "current-snapshot-id", -1);
}

bool remove_snapshot_ref(struct changing *c, const struct json *u, struct err *e)
{
    struct sv name = json_get_str(u, SV("ref-name"));
    struct json *refs = refs_of(c);

    if (!name.n)
        return err_set(e, ERR_INVALID, "remove-snapshot-ref: ref-name is required");
    if (!json_has(refs, name))
        return true;
    json_remove(refs, name);
    if (sv_eq(name, SV("main")))
        clear_current(c);
    c->changed = true;
    return true;
}

/* History before a hole is not to be relied on: all up to the last entry of a removed snapshot
 * goes. */
static void trim_log(struct changing *c, const struct map *gone)
{
    const struct json *log = json_get(c->m, SV("snapshot-log"));
    size_t first = 0;

    for (size_t i = 0; i < json_count(log); i++) {
        if (ids_have(c, gone, get_i64(json_at(log, i), "snapshot-id", -1)))
            first = i + 1;
    }
    list_from(c, "snapshot-log", first);
}

static void forget_refs(struct changing *c, const struct map *gone)
{
    struct json *refs = refs_of(c), *ref;
    struct sv_vec names = {0};
    struct sv name;

    for (size_t i = 0; json_member(refs, i, &name, &ref); i++) {
        if (ids_have(c, gone, get_i64(ref, "snapshot-id", -1)))
            vec_push(&names, c->arena, arena_dup(c->arena, name));
    }
    for (size_t i = 0; i < names.n; i++) {
        if (sv_eq(names.p[i], SV("main")))
            clear_current(c);
        json_remove(refs, names.p[i]);
    }
}

bool remove_snapshots(struct changing *c, const struct json *u, struct err *e)
{
    struct map gone;

    if (!ids_read(c, json_get(u, SV("snapshot-ids")), &gone, e))
        return err_wrap(e, "remove-snapshots: snapshot-ids");
    if (!list_without(c, "snapshots", "snapshot-id", &gone))
        return true;
    forget_refs(c, &gone);
    trim_log(c, &gone);
    (void)list_without(c, "statistics", "snapshot-id", &gone);
    (void)list_without(c, "partition-statistics", "snapshot-id", &gone);
    c->changed = true;
    return true;
}
