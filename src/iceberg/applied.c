/* applied.c - whether a commit of unknown outcome was applied. */
#include <inttypes.h>

#include "base/map.h"
#include "iceberg/updates.h"

/* A request moves one branch, or a few. */
enum { WALKS = 8 };

/* ---- by what the request carries ---- */

struct looking {
    struct arena *arena;
    const struct json *base;
    struct map snapshots; /* of `base`, by id */
    size_t steps;         /* from snapshot to parent that are left */
};

static const struct json *snapshot_of(const struct looking *l, int64_t id)
{
    return map_get_id(&l->snapshots, id);
}

static struct looking look_at(const struct json *base, struct arena *a)
{
    const struct json *snapshots = json_get(base, SV("snapshots"));
    struct looking l = {.arena = a,
                        .base = base,
                        .snapshots = map_new(a),
                        .steps = WALKS * (json_count(snapshots) + 1)};

    for (size_t i = 0; i < json_count(snapshots); i++) {
        struct json *s = json_at(snapshots, i);

        (void)map_put_id(&l.snapshots, get_i64(s, "snapshot-id", -1), s);
    }
    return l;
}

static bool is_action(const struct json *update, struct sv action)
{
    return sv_eq_nocase(json_get_str(update, SV("action")), action);
}

/* How many snapshots the request adds, and how many of them stand in the base as they are. */
static void count_snapshots(const struct looking *l, const struct json *updates, size_t *asked,
                            size_t *there)
{
    *asked = *there = 0;
    for (size_t i = 0; i < json_count(updates); i++) {
        const struct json *u = json_at(updates, i), *s = json_get(u, SV("snapshot")), *known;

        if (!is_action(u, SV("add-snapshot")))
            continue;
        known = snapshot_of(l, get_i64(s, "snapshot-id", -1));
        ++*asked;
        *there += known && json_eq(known, s);
    }
}

/* From `id` back by parents. All walks of a request share what may be walked: a table's ancestry
 * once, by default. Where it does not suffice the branch counts as one that has not passed. */
static bool descends_from(struct looking *l, int64_t id, int64_t ancestor)
{
    for (; l->steps && id != ancestor; l->steps--) {
        const struct json *s = snapshot_of(l, id);

        if (!s || !json_get(s, SV("parent-snapshot-id")))
            return false;
        id = get_i64(s, "parent-snapshot-id", -1);
    }
    return id == ancestor;
}

/* A branch that has moved on from what the request set it to. */
static bool branch_passed(struct looking *l, const struct json *u)
{
    const struct json *ref =
        json_get(json_get(l->base, SV("refs")), json_get_str(u, SV("ref-name")));

    return is_action(u, SV("set-snapshot-ref")) && ref &&
           !sv_eq(json_get_str(ref, SV("type")), SV("tag")) &&
           descends_from(l, get_i64(ref, "snapshot-id", -1), get_i64(u, "snapshot-id", -2));
}

/* The updates but for those that are seen to be in force. */
static struct json *rest_of(struct looking *l, const struct json *updates)
{
    struct json *rest = json_new_array(l->arena);

    for (size_t i = 0; i < json_count(updates); i++) {
        struct json *u = json_at(updates, i);

        if (!is_action(u, SV("add-snapshot")) && !branch_passed(l, u))
            json_push(rest, u);
    }
    return rest;
}

/* A staged table's uuid is fresh: one that bears it was made by this request. */
static bool bears_uuid(const struct json *base, const struct json *updates)
{
    for (size_t i = 0; i < json_count(updates); i++) {
        const struct json *u = json_at(updates, i);

        if (is_action(u, SV("assign-uuid")) &&
            sv_eq_nocase(json_get_str(u, SV("uuid")), json_get_str(base, SV("table-uuid"))))
            return true;
    }
    return false;
}

/* Of the requirements, the table's identity is the one that time does not change. */
static struct json *identity_of(const struct json *requirements, struct arena *a)
{
    struct json *kept = json_new_array(a);

    for (size_t i = 0; i < json_count(requirements); i++) {
        struct json *r = json_at(requirements, i);

        if (sv_eq_nocase(json_get_str(r, SV("type")), SV("assert-table-uuid")))
            json_push(kept, r);
    }
    return kept;
}

static bool changes_nothing(const struct json *base, struct json *requirements,
                            struct json *updates, struct arena *a)
{
    const struct commit_options o = {0};
    struct json *request = json_new_object(a);
    struct commit_result result;
    struct err ignored = {0};

    json_set(request, SV("requirements"), requirements);
    json_set(request, SV("updates"), updates);
    return metadata_commit(base, request, &o, a, &result, &ignored) && !result.changed;
}

bool metadata_adds_snapshots(const struct json *request)
{
    const struct json *updates = json_get(request, SV("updates"));

    for (size_t i = 0; i < json_count(updates); i++) {
        if (is_action(json_at(updates, i), SV("add-snapshot")))
            return true;
    }
    return false;
}

enum applied metadata_applied(const struct json *base, const struct json *request)
{
    const struct json *updates = json_get(request, SV("updates")),
                      *requirements = json_get(request, SV("requirements"));
    auto_arena own = {0};
    struct looking l = look_at(base, &own);
    struct json *identity = identity_of(requirements, &own);
    struct err ignored = {0};
    size_t asked, there;
    bool creates;

    if (!requirements_known(requirements, &creates, &ignored) || !updates_known(updates, &ignored))
        return APPLIED_NO;
    count_snapshots(&l, updates, &asked, &there);
    if (creates ? !bears_uuid(base, updates)
                : there == 0 || !changes_nothing(base, identity, json_new_array(&own), &own))
        return APPLIED_NO;
    return there == asked && changes_nothing(base, identity, rest_of(&l, updates), &own)
               ? APPLIED_YES
               : APPLIED_UNCLEAR;
}

/* ---- by the log ---- */

enum applied metadata_write_applied(const struct json *metadata, const struct metadata_write *w)
{
    const struct json *log = json_get(metadata, SV("metadata-log"));
    bool base_known = w->base.n && sv_eq(w->base, w->current);

    if (sv_eq(w->current, w->file))
        return APPLIED_YES;
    for (size_t i = 0; i < json_count(log); i++) {
        struct sv file = json_get_str(json_at(log, i), SV("metadata-file"));

        if (sv_eq(file, w->file))
            return APPLIED_YES;
        base_known = base_known || (w->base.n && sv_eq(file, w->base));
    }
    /* What followed the base is in the log or in force, and it was not this file. */
    return base_known ? APPLIED_NO : APPLIED_UNCLEAR;
}
