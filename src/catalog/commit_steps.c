/* commit_steps.c - what every change of a table's pointer does before anything is written. */
#include "catalog/commit_steps.h"

#include "base/metric.h"
#include "sign/digest.h"

/* ---- rights ---- */

/* What Polaris has no name for goes with what it is like. */
static const struct {
    struct sv action;
    enum privilege takes;
} rights[] = {
    {SV_INIT("assign-uuid"),                 PRIVILEGE_TABLE_ASSIGN_UUID           },
    {SV_INIT("upgrade-format-version"),      PRIVILEGE_TABLE_UPGRADE_FORMAT_VERSION},
    {SV_INIT("add-schema"),                  PRIVILEGE_TABLE_ADD_SCHEMA            },
    {SV_INIT("set-current-schema"),          PRIVILEGE_TABLE_SET_CURRENT_SCHEMA    },
    {SV_INIT("remove-schemas"),              PRIVILEGE_TABLE_MANAGE_STRUCTURE      },
    {SV_INIT("add-spec"),                    PRIVILEGE_TABLE_ADD_PARTITION_SPEC    },
    {SV_INIT("set-default-spec"),            PRIVILEGE_TABLE_ADD_PARTITION_SPEC    },
    {SV_INIT("remove-partition-specs"),      PRIVILEGE_TABLE_REMOVE_PARTITION_SPECS},
    {SV_INIT("add-sort-order"),              PRIVILEGE_TABLE_ADD_SORT_ORDER        },
    {SV_INIT("set-default-sort-order"),      PRIVILEGE_TABLE_SET_DEFAULT_SORT_ORDER},
    {SV_INIT("set-properties"),              PRIVILEGE_TABLE_SET_PROPERTIES        },
    {SV_INIT("remove-properties"),           PRIVILEGE_TABLE_REMOVE_PROPERTIES     },
    {SV_INIT("set-location"),                PRIVILEGE_TABLE_SET_LOCATION          },
    {SV_INIT("add-snapshot"),                PRIVILEGE_TABLE_ADD_SNAPSHOT          },
    {SV_INIT("set-snapshot-ref"),            PRIVILEGE_TABLE_SET_SNAPSHOT_REF      },
    {SV_INIT("remove-snapshots"),            PRIVILEGE_TABLE_REMOVE_SNAPSHOTS      },
    {SV_INIT("remove-snapshot-ref"),         PRIVILEGE_TABLE_REMOVE_SNAPSHOT_REF   },
    {SV_INIT("set-statistics"),              PRIVILEGE_TABLE_SET_STATISTICS        },
    {SV_INIT("set-partition-statistics"),    PRIVILEGE_TABLE_SET_STATISTICS        },
    {SV_INIT("remove-statistics"),           PRIVILEGE_TABLE_REMOVE_STATISTICS     },
    {SV_INIT("remove-partition-statistics"), PRIVILEGE_TABLE_REMOVE_STATISTICS     },
};

static enum privilege taken_by(const struct json *update)
{
    struct sv action = json_get_str(update, SV("action"));

    for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
        if (sv_eq_nocase(action, rights[i].action))
            return rights[i].takes;
    }
    return PRIVILEGE_TABLE_WRITE_PROPERTIES;
}

static bool is_of_data(enum privilege p)
{
    return p >= PRIVILEGE_TABLE_ADD_SNAPSHOT && p <= PRIVILEGE_TABLE_REMOVE_STATISTICS;
}

static bool is_path(struct sv property)
{
    return sv_starts(property, SV("write.")) && sv_ends(property, SV(".path"));
}

/* Whether properties that it sets or removes say where files lie. */
static bool moves_files(const struct json *update)
{
    static const struct sv lists[] = {SV_INIT("updates"), SV_INIT("updated"), SV_INIT("removals"),
                                      SV_INIT("removed")};

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const struct json *list = json_get(update, lists[i]);
        struct json *value;
        struct sv name;

        for (size_t j = 0; json_member(list, j, &name, &value); j++) {
            if (is_path(name))
                return true;
        }
        for (size_t j = 0; j < json_count(list); j++) {
            if (is_path(json_str(json_at(list, j), (struct sv){0})))
                return true;
        }
    }
    return false;
}

bool commit_moves(const struct json *update)
{
    return taken_by(update) == PRIVILEGE_TABLE_SET_LOCATION || moves_files(update);
}

static bool demand(struct call *c, const struct commit_one *o, enum privilege p, struct err *e)
{
    return call_demand(c, &o->at.path.ns, o->at.path.table, p, NULL, e);
}

/* The right to create a table is the right to say what it is like and where it lies. */
static bool demand_update(struct call *c, const struct commit_one *o, const struct json *update,
                          struct err *e)
{
    enum privilege p = taken_by(update);

    if (o->creates)
        return !is_of_data(p) || demand(c, o, p, e);
    return demand(c, o, p, e) &&
           (!moves_files(update) || demand(c, o, PRIVILEGE_TABLE_SET_LOCATION, e));
}

bool commit_rights(struct call *c, struct commit_one *o, struct err *e)
{
    const struct json *requirements = json_get(o->request, SV("requirements")),
                      *updates = json_get(o->request, SV("updates"));

    for (size_t i = 0; i < json_count(requirements); i++)
        o->creates |=
            sv_eq_nocase(json_get_str(json_at(requirements, i), SV("type")), SV("assert-create"));
    if (!demand(c, o, o->creates ? PRIVILEGE_TABLE_CREATE : PRIVILEGE_TABLE_READ_PROPERTIES, e))
        return false;
    for (size_t i = 0; i < json_count(updates); i++) {
        if (!demand_update(c, o, json_at(updates, i), e))
            return false;
    }
    return true;
}

/* ---- what is to be changed ---- */

bool commit_unread(struct call *c, const struct err *outcome, struct err *e)
{
    const struct commit_one *o = c->work;

    (void)metadata_unread(c, &o->at, outcome, e);
    if (c->error_status == 500) {
        c->error_status = 409;
        c->error_type = "CommitFailedException";
    }
    return false;
}

bool commit_made(const struct commit_one *o, struct sv uuid)
{
    const struct json *updates = json_get(o->request, SV("updates"));

    for (size_t i = 0; uuid.n && i < json_count(updates); i++) {
        if (sv_eq_nocase(json_get_str(json_at(updates, i), SV("uuid")), uuid))
            return true;
    }
    return false;
}

bool commit_conflict(struct call *c)
{
    metric_add(METRIC_COMMIT_CONFLICTS, 1);
    c->error_type = "CommitFailedException";
    return false;
}

/* ---- applying it ---- */

bool commit_is_long(const struct call *c, const struct commit_one *o)
{
    return metadata_is_large(o->at.whole) || metadata_is_large(c->in->body);
}

void commit_words(struct call *c, struct commit_one *o)
{
    o->file = metadata_file(o->after, o->old_file, o->fresh, c->arena);
    o->text = json_text(c->arena, o->after);
    o->body = metadata_body(c, o->file, o->text);
    o->row.metadata_sha256 = sha256_hex(c->arena, o->body);
}

bool commit_apply(struct call *c, struct commit_one *o, struct err *e)
{
    const struct commit_options options = {
        .base_location = o->old_file, .now_ms = c->now_ms, .gone = &c->turn->gone};
    struct commit_result result;

    if (!metadata_commit(o->creates ? NULL : o->at.metadata, o->request, &options, c->arena,
                         &result, e))
        return false;
    o->after = result.metadata;
    o->changed = result.changed;
    if (o->changed)
        commit_words(c, o);
    return true;
}

/* ---- claims ---- */

/*
 * A table that holds data keeps every folder that it has used: files stay where they were written
 * when its location or a write path changes, and only their manifests know which are still needed.
 * Without snapshots there are none.
 */
static bool keep_folders(struct call *c, struct commit_one *o, struct err *e)
{
    if (!json_count(json_get(o->after, SV("snapshots"))))
        return true;
    for (size_t i = 0; i < o->at.n_folders; i++) {
        if (!folder_add(&o->at.folders[i], o->folders, &o->n_folders, e))
            return false;
    }
    folders_row(c, o->folders, o->n_folders, &o->row);
    return true;
}

void commit_leaves(struct call *c, struct commit_one *o)
{
    bool all = true;

    for (size_t i = 0; !o->creates && i < o->at.n_folders; i++)
        all = all && location_which(o->folders, o->n_folders, &o->at.folders[i]) >= 0;
    o->leaves = !all;
    if (!o->leaves)
        return;
    /* A folder given up may hold files of removed snapshots, and credentials for it may live on. */
    o->leaving = dropping_of(c, false);
    if (o->leaving.keep_ms < keys_end_ms(c) - c->now_ms)
        o->leaving.keep_ms = keys_end_ms(c) - c->now_ms;
}

/* What the updates take has been asked for, by their names. What comes of them is held against the
 * row all the same: whatever a file says, no table moves or becomes another one by a privilege that
 * does not say so. */
static bool demand_effects(struct call *c, const struct commit_one *o, struct err *e)
{
    const struct table_row *now = &o->at.row;
    bool moves = !sv_eq(o->row.location, now->location) || !commit_keeps_places(o);

    return o->creates ||
           ((!moves || demand(c, o, PRIVILEGE_TABLE_SET_LOCATION, e)) &&
            (sv_eq_nocase(o->row.uuid, now->uuid) || demand(c, o, PRIVILEGE_TABLE_ASSIGN_UUID, e)));
}

/* Every place that the result names lies in the table's own folders, which are allowed and nobody
 * else's. */
bool commit_claims(struct call *c, struct commit_one *o, struct err *e)
{
    struct claimed_locations claims = {0};

    if (!folders_of(c, o->after, &o->row, o->folders, &o->n_folders, e) || !keep_folders(c, o, e) ||
        !demand_effects(c, o, e))
        return false;
    commit_leaves(c, o);
    metadata_claims(o->after, c->arena, &claims);
    for (size_t i = 0; i < claims.n; i++) {
        struct location file;

        if (!claims.p[i].is_file)
            continue;
        if (!location_read_file(claims.p[i].text, c->arena, &file, e))
            return false;
        if (location_which(o->folders, o->n_folders, &file) < 0)
            return err_set(e, ERR_DENIED, "%s " SV_FMT " is outside the table's own folders",
                           claims.p[i].what, SV_ARG(sv_first(claims.p[i].text, 120)));
    }
    return true;
}

/* ---- places ---- */

bool commit_keeps_places(const struct commit_one *o)
{
    for (size_t i = 0; i < o->n_folders; i++) {
        if (location_which(o->at.folders, o->at.n_folders, &o->folders[i]) < 0)
            return false;
    }
    return !o->creates;
}

void commit_change(const struct call *c, struct commit_one *o)
{
    o->change = (struct table_change){.row = &o->row,
                                      .old_metadata_location = o->old_file,
                                      .old_metadata_sha256 = o->at.row.metadata_sha256,
                                      .principal = c->who.name,
                                      .leaves = o->leaves ? &o->leaving : NULL,
                                      .now_ms = c->now_ms};
}

/* A table that does not exist yet may only be where its place was promised: any other would be a
 * way to choose one unchecked. */
static bool check_promise(struct call *c, struct store *s, const struct commit_one *o,
                          const struct table_name *name, struct err *e)
{
    struct staged_row row = {.principal = c->who.name, .location = o->row.location};
    struct place_ask ask = {.path = &o->at.path, .kept = o->folders, .n_kept = 1};

    if (!table_is_new(s, name, c->arena, e))
        return false;
    /* The location was promised; a folder beside it is of the commit's own choice. */
    if (store_staged_get(s, name, c->now_ms, c->arena, &row, e))
        return home_get(c, s, &o->at.path.ns, &ask.own, e) &&
               home_check(c, &ask, o->folders, o->n_folders, e);
    return e->code == ERR_NOT_FOUND
               ? err_set(e, ERR_DENIED,
                         "the location is not one that was staged for this table; stage it again")
               : false;
}

bool commit_places(struct call *c, struct store *s, struct commit_one *o, struct err *e)
{
    const struct table_name name = path_table(c, &o->at.path);

    return (!o->creates || check_promise(c, s, o, &name, e)) &&
           store_table_overlap(s, &name, &o->change, c->arena, e);
}

/* ---- the file ---- */

bool commit_file(struct call *c, struct commit_one *o, struct object_ask *ask, struct err *e)
{
    o->row.metadata_location = o->file;
    *ask = (struct object_ask){.method = HTTP_PUT};
    if (!metadata_fits(o->text, e) || !table_file(c, o->file, o->folders, o->n_folders, ask, e))
        return false;
    ask->body = o->body;
    return true;
}
