/* snapshots.c - the updates that move snapshots and refs. */
#include <inttypes.h>

#include "base/vec.h"
#include "iceberg/elements.h"
#include "iceberg/inside.h"
#include "iceberg/members.h"

static int format(const struct changing *c)
{
    return (int)get_i64(c->m, "format-version", 1);
}

const struct json *ref_named(const struct changing *c, struct sv name)
{
    const struct json *ref = json_get(json_get(c->m, SV("refs")), name);

    return map_get_id(&c->gone_snapshots, get_i64(ref, "snapshot-id", -1)) ? NULL : ref;
}

/* Two replacements of a table that met: the second took its number before the first was there.
 * Main is empty when it is added, so that no delete of before reaches into it. */
static bool begins_anew(const struct changing *c, const struct json *s)
{
    return !json_has(s, SV("parent-snapshot-id")) && !ref_named(c, SV("main"));
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

static bool check_schema(struct changing *c, const struct json *s, struct err *e)
{
    const struct json *id = json_get(s, SV("schema-id"));

    if (!list_count(c, LIST_SCHEMAS))
        return err_set(e, ERR_INVALID, "Attempting to add a snapshot before a schema is added");
    return !id || list_get(c, LIST_SCHEMAS, json_i64(id, -1)) ||
           err_set(e, ERR_INVALID, "add-snapshot: there is no schema %" PRId64, json_i64(id, -1));
}

/* A new one says what it did, and in format 3 which rows it brings; old files need not. */
static bool check_snapshot(struct changing *c, const struct json *s, struct err *e)
{
    static const struct member members[MEMBERS] =
        {
            {"summary", JSON_OBJECT, REQUIRED}
    },
                               since_3[MEMBERS] = {{"first-row-id", JSON_INT, REQUIRED},
                                                   {"added-rows", JSON_INT, REQUIRED}};

    if (!snapshot_check(s, format(c), e) || !members_check(s, members, e) ||
        (format(c) > 2 && !members_check(s, since_3, e)))
        return err_wrap(e, "add-snapshot");
    if (!json_get_str(json_get(s, SV("summary")), SV("operation")).n)
        return err_set(e, ERR_INVALID,
                       "add-snapshot: summary.operation must be append, replace, overwrite or "
                       "delete");
    return check_schema(c, s, e);
}

bool add_snapshot(struct changing *c, const struct json *u, struct err *e)
{
    struct json *s = element_copy(c->arena, json_get(u, SV("snapshot")));
    int64_t id = get_i64(s, "snapshot-id", -1);

    if (!check_snapshot(c, s, e))
        return false;
    if (list_get(c, LIST_SNAPSHOTS, id))
        return err_set(e, ERR_INVALID, "Snapshot already exists for: %" PRId64, id);
    if (map_get_id(&c->gone_snapshots, id))
        return err_set(e, ERR_INVALID,
                       "Cannot add snapshot %" PRId64 ": the same request removes it", id);
    if (!check_sequence(c, s, e) || !check_rows(c, s, e))
        return false;
    list_add(c, LIST_SNAPSHOTS, s);
    (void)map_put_id(&c->added_snapshots, id, c);
    c->changed = true;
    return true;
}

static bool is_added(const struct changing *c, int64_t id)
{
    return map_get_id(&c->added_snapshots, id) != NULL;
}

/* main moves the current snapshot and the log; intermediate ones of the same request leave no
 * trace. Whatever clocks say, the log does not go back: readers refuse a file whose log does. */
static void move_main(struct changing *c, const struct json *snapshot, int64_t id)
{
    struct json *log = own_member(c, "snapshot-log", JSON_ARRAY),
                *entry = json_new_object(c->arena);
    size_t n = json_count(log);
    int64_t at = is_added(c, id) ? get_i64(snapshot, "timestamp-ms", c->now_ms) : c->now_ms, before;

    if (c->log_entry && n && json_at(log, n - 1) == c->log_entry &&
        is_added(c, get_i64(c->log_entry, "snapshot-id", -1)))
        json_remove_at(log, n - 1);
    before = log_last_ms(log);
    json_set_i64(entry, c->arena, SV("snapshot-id"), id);
    json_set_i64(entry, c->arena, SV("timestamp-ms"), at > before ? at : before);
    json_push(log, entry);
    c->log_entry = entry;
    set_i64(c, "current-snapshot-id", id);
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

bool set_snapshot_ref(struct changing *c, const struct json *u, struct err *e)
{
    struct sv name = json_get_str(u, SV("ref-name"));
    int64_t id = get_i64(u, "snapshot-id", -1);
    const struct json *snapshot = list_get(c, LIST_SNAPSHOTS, id);
    struct json *ref = new_ref(c, u), *refs = own_member(c, "refs", JSON_OBJECT);

    if (!name.n)
        return err_set(e, ERR_INVALID, "set-snapshot-ref: ref-name is required");
    if (!ref_check(name, ref, e))
        return err_wrap(e, "set-snapshot-ref");
    if (!snapshot)
        return err_set(e, ERR_INVALID, "Cannot set " SV_FMT " to unknown snapshot: %" PRId64,
                       SV_ARG(sv_first(name, 80)), id);
    if (json_eq(json_get(refs, name), ref))
        return true;
    if (sv_eq(name, SV("main")) && get_i64(json_get(refs, name), "snapshot-id", -1) != id)
        move_main(c, snapshot, id);
    json_set(refs, name, ref);
    if (sv_eq(json_get_str(ref, SV("type")), SV("branch")))
        evolution_add_branch(c, name);
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
    struct json *refs = own_member(c, "refs", JSON_OBJECT);

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

bool remove_snapshots(struct changing *c, const struct json *u, struct err *e)
{
    const struct json *ids = json_get(u, SV("snapshot-ids"));

    if (!ids_check(ids, e))
        return err_wrap(e, "remove-snapshots: snapshot-ids");
    for (size_t i = 0; i < json_count(ids); i++) {
        int64_t id = json_i64(json_at(ids, i), -1);

        if (!list_drop(c, LIST_SNAPSHOTS, id))
            continue;
        (void)map_put_id(&c->gone_snapshots, id, c);
        (void)list_drop(c, LIST_STATISTICS, id);
        (void)list_drop(c, LIST_PARTITION_STATISTICS, id);
        c->changed = true;
    }
    return true;
}

/* ---- the end ---- */

static bool is_gone(const struct changing *c, const struct json *v)
{
    return map_get_id(&c->gone_snapshots, get_i64(v, "snapshot-id", -1)) != NULL;
}

/* History before a hole is not to be relied on: all up to the last entry of a removed snapshot
 * goes. */
static void trim_log(struct changing *c)
{
    const struct json *log = json_get(c->m, SV("snapshot-log"));
    size_t first = 0;

    for (size_t i = 0; i < json_count(log); i++) {
        if (is_gone(c, json_at(log, i)))
            first = i + 1;
    }
    list_from(c, "snapshot-log", first);
}

static void forget_refs(struct changing *c)
{
    const struct json *refs = json_get(c->m, SV("refs"));
    struct json *kept = json_new_object(c->arena), *ref;
    struct sv name;

    for (size_t i = 0; json_member(refs, i, &name, &ref); i++) {
        if (!is_gone(c, ref))
            json_set(kept, name, ref);
        else if (sv_eq(name, SV("main")))
            clear_current(c);
    }
    json_set(c->m, SV("refs"), kept);
}

void snapshots_settle(struct changing *c)
{
    if (!c->gone_snapshots.n)
        return;
    forget_refs(c);
    trim_log(c);
}
