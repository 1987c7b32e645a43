/* describe.c - a load's answer to what people ask of a table. */
#include "client/describe.h"

#include <inttypes.h>

#include "base/limits.h"
#include "wire/time.h"

enum { LAST_SNAPSHOTS = 5 };

/* ---- small parts ---- */

static void set_some(struct json *to, struct arena *a, const char *name, struct sv v)
{
    if (v.n)
        json_set_str(to, a, sv_from(name), v);
}

static void set_time(struct json *to, struct arena *a, const char *name, const struct json *ms)
{
    if (json_kind(ms) == JSON_INT)
        json_set_str(to, a, sv_from(name), time_text(a, json_i64(ms, 0), TIME_MILLISECONDS));
}

static void set_id(struct json *to, struct arena *a, const char *name, const struct json *id)
{
    if (json_kind(id) == JSON_INT && json_i64(id, -1) != -1)
        json_set_str(to, a, sv_from(name), arena_printf(a, "%" PRId64, json_i64(id, 0)));
}

static struct json *find(const struct json *list, const char *member, int64_t id)
{
    for (size_t i = 0; i < json_count(list); i++) {
        if (json_i64(json_get(json_at(list, i), sv_from(member)), INT64_MIN) == id)
            return json_at(list, i);
    }
    return NULL;
}

static struct json *levels_json(const struct sv_vec *levels, struct arena *a)
{
    struct json *list = json_new_array(a);

    for (size_t i = 0; i < levels->n; i++)
        json_push(list, json_new_str(a, levels->p[i]));
    return list;
}

static struct json *head_of(const struct table_id *t, struct arena *a)
{
    struct json *v = json_new_object(a);

    json_set_str(v, a, SV("catalog"), t->catalog);
    json_set(v, SV("namespace"), levels_json(&t->ns, a));
    json_set_str(v, a, SV("name"), t->name);
    return v;
}

/* ---- columns ---- */

/* "struct<a: long, b: list<string>>"; what is nested is no deeper than JSON is read. */
static void write_type(struct buf *out, const struct json *type)
{
    struct sv kind = json_get_str(type, SV("type"));
    const struct json *fields = json_get(type, SV("fields"));

    if (json_kind(type) == JSON_STRING) {
        buf_add(out, json_str(type, (struct sv){0}));
    } else if (sv_eq(kind, SV("struct"))) {
        buf_add(out, SV("struct<"));
        for (size_t i = 0; i < json_count(fields); i++) {
            buf_addf(out, "%s" SV_FMT ": ", i ? ", " : "",
                     SV_ARG(json_get_str(json_at(fields, i), SV("name"))));
            write_type(out, json_get(json_at(fields, i), SV("type")));
        }
        buf_addc(out, '>');
    } else if (sv_eq(kind, SV("list"))) {
        buf_add(out, SV("list<"));
        write_type(out, json_get(type, SV("element")));
        buf_addc(out, '>');
    } else if (sv_eq(kind, SV("map"))) {
        buf_add(out, SV("map<"));
        write_type(out, json_get(type, SV("key")));
        buf_add(out, SV(", "));
        write_type(out, json_get(type, SV("value")));
        buf_addc(out, '>');
    } else {
        buf_addc(out, '?');
    }
}

static bool has_id(const struct json *list, int64_t id)
{
    for (size_t i = 0; i < json_count(list); i++) {
        if (json_i64(json_at(list, i), INT64_MIN) == id)
            return true;
    }
    return false;
}

static struct json *columns_of(const struct json *schema, struct arena *a)
{
    const struct json *fields = json_get(schema, SV("fields"));
    struct json *list = json_new_array(a);

    for (size_t i = 0; i < json_count(fields); i++) {
        const struct json *field = json_at(fields, i);
        struct json *v = json_new_object(a);
        struct buf type = buf_new(a, LIMIT_METADATA_BYTES);
        int64_t id = json_i64(json_get(field, SV("id")), 0);

        write_type(&type, json_get(field, SV("type")));
        json_set_i64(v, a, SV("id"), id);
        json_set_str(v, a, SV("name"), json_get_str(field, SV("name")));
        json_set_str(v, a, SV("type"), buf_sv(&type));
        json_set_bool(v, a, SV("required"), json_bool(json_get(field, SV("required")), false));
        json_set_bool(v, a, SV("identifier"),
                      has_id(json_get(schema, SV("identifier-field-ids")), id));
        set_some(v, a, "doc", json_get_str(field, SV("doc")));
        json_push(list, v);
    }
    return list;
}

/* The dotted name of a column that may be nested; empty: there is none. */
static struct sv column_name(const struct json *type, int64_t id, struct sv above, struct arena *a)
{
    static const char *const parts[] = {"element", "key", "value"};
    const struct json *fields = json_get(type, SV("fields"));
    struct sv found = {0};

    for (size_t i = 0; i < json_count(fields) && !found.n; i++) {
        const struct json *field = json_at(fields, i);
        struct sv name = json_get_str(field, SV("name"));

        name = above.n ? ARENA_JOIN(a, above, SV("."), name) : name;
        if (json_i64(json_get(field, SV("id")), INT64_MIN) == id)
            return name;
        found = column_name(json_get(field, SV("type")), id, name, a);
    }
    for (size_t i = 0; i < 3 && !found.n; i++) {
        struct sv name = ARENA_JOIN(a, above, SV("."), sv_from(parts[i]));

        if (json_i64(json_get(type, ARENA_JOIN(a, sv_from(parts[i]), SV("-id"))), INT64_MIN) == id)
            return name;
        if (json_kind(json_get(type, sv_from(parts[i]))) == JSON_OBJECT)
            found = column_name(json_get(type, sv_from(parts[i])), id, name, a);
    }
    return found;
}

/* One column, or several of a transform that takes more. */
static struct sv sources(const struct json *field, const struct json *schema, struct arena *a)
{
    const struct json *several = json_get(field, SV("source-ids"));
    struct sv all = {0};

    if (!several)
        return column_name(schema, json_i64(json_get(field, SV("source-id")), -1), (struct sv){0},
                           a);
    for (size_t i = 0; i < json_count(several); i++) {
        struct sv one = column_name(schema, json_i64(json_at(several, i), -1), (struct sv){0}, a);

        all = i ? ARENA_JOIN(a, all, SV(", "), one) : one;
    }
    return all;
}

static struct json *layout(const struct json *of, const struct json *schema,
                           const struct sv *copied, struct arena *a)
{
    const struct json *fields = json_get(of, SV("fields"));
    struct json *list = json_new_array(a);

    for (size_t i = 0; i < json_count(fields); i++) {
        const struct json *field = json_at(fields, i);
        struct json *v = json_new_object(a);

        set_some(v, a, "name", json_get_str(field, SV("name")));
        set_some(v, a, "column", sources(field, schema, a));
        set_some(v, a, "transform", json_get_str(field, SV("transform")));
        set_some(v, a, "direction", json_get_str(field, copied[0]));
        set_some(v, a, "nullOrder", json_get_str(field, copied[1]));
        json_push(list, v);
    }
    return list;
}

/* ---- snapshots ---- */

static struct json *refs_at(const struct json *metadata, int64_t id, struct arena *a)
{
    const struct json *refs = json_get(metadata, SV("refs"));
    struct json *list = json_new_array(a), *ref;
    struct sv name;

    for (size_t i = 0; json_member(refs, i, &name, &ref); i++) {
        if (json_i64(json_get(ref, SV("snapshot-id")), -1) == id)
            json_push(list, json_new_str(a, name));
    }
    return list;
}

/* Numbers of a summary are texts. */
static void set_counts(struct json *to, const struct json *summary, struct arena *a)
{
    static const struct {
        const char *from, *name;
    } counts[] = {
        {"added-data-files",   "addedFiles"  },
        {"deleted-data-files", "deletedFiles"},
        {"added-records",      "addedRows"   },
        {"deleted-records",    "deletedRows" },
        {"total-data-files",   "totalFiles"  },
        {"total-records",      "totalRows"   },
    };

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        int64_t n;

        if (sv_i64(json_get_str(summary, sv_from(counts[i].from)), &n))
            json_set_i64(to, a, sv_from(counts[i].name), n);
    }
}

static struct json *snapshot(const struct json *metadata, const struct json *s, struct arena *a)
{
    struct json *v = json_new_object(a);
    const struct json *summary = json_get(s, SV("summary"));
    int64_t id = json_i64(json_get(s, SV("snapshot-id")), -1);

    set_id(v, a, "id", json_get(s, SV("snapshot-id")));
    set_id(v, a, "parent", json_get(s, SV("parent-snapshot-id")));
    set_time(v, a, "time", json_get(s, SV("timestamp-ms")));
    set_some(v, a, "operation", json_get_str(summary, SV("operation")));
    json_set_bool(v, a, SV("current"),
                  id == json_i64(json_get(metadata, SV("current-snapshot-id")), -2));
    if (json_get(s, SV("schema-id")))
        json_set_i64(v, a, SV("schemaId"), json_i64(json_get(s, SV("schema-id")), 0));
    set_counts(v, summary, a);
    json_set(v, SV("refs"), refs_at(metadata, id, a));
    return v;
}

/* The last are the newest. */
static struct json *snapshots(const struct json *metadata, size_t at_most, struct arena *a)
{
    const struct json *all = json_get(metadata, SV("snapshots"));
    struct json *list = json_new_array(a);

    for (size_t i = json_count(all); i-- > 0 && json_count(list) < at_most;)
        json_push(list, snapshot(metadata, json_at(all, i), a));
    return list;
}

static struct json *refs_of(const struct json *metadata, struct arena *a)
{
    const struct json *refs = json_get(metadata, SV("refs"));
    struct json *list = json_new_array(a), *ref;
    struct sv name;

    for (size_t i = 0; json_member(refs, i, &name, &ref); i++) {
        struct json *v = json_new_object(a);

        json_set_str(v, a, SV("name"), name);
        set_some(v, a, "type", json_get_str(ref, SV("type")));
        set_id(v, a, "snapshot", json_get(ref, SV("snapshot-id")));
        json_push(list, v);
    }
    return list;
}

/* ---- the whole ---- */

static void add_location(struct json *list, struct arena *a, struct sv what, struct sv location)
{
    struct json *v = json_new_object(a);

    json_set_str(v, a, SV("what"), what);
    json_set_str(v, a, SV("location"), location);
    if (location.n)
        json_push(list, v);
}

/* The table's folder, its metadata file, and the folders that properties name. */
static struct json *locations(const struct json *metadata, struct sv file, struct arena *a)
{
    const struct json *properties = json_get(metadata, SV("properties"));
    struct json *list = json_new_array(a), *value;
    struct sv name;

    add_location(list, a, SV("table"), json_get_str(metadata, SV("location")));
    add_location(list, a, SV("metadata"), file);
    for (size_t i = 0; json_member(properties, i, &name, &value); i++) {
        if (sv_starts(name, SV("write.")) && sv_ends(name, SV("path")))
            add_location(list, a, name, json_str(value, (struct sv){0}));
    }
    return list;
}

static bool metadata_of(const struct json *answer, struct json **out, struct err *e)
{
    *out = json_get(answer, SV("metadata"));
    return json_kind(*out) == JSON_OBJECT ||
           err_set(e, ERR_INVALID, "the server's answer holds no table metadata");
}

bool describe_table(const struct table_id *t, const struct json *answer, struct arena *a,
                    struct json **out, struct err *e)
{
    static const struct sv of_spec[] = {SV_INIT(""), SV_INIT("")},
                           of_order[] = {SV_INIT("direction"), SV_INIT("null-order")};
    struct json *m, *v = head_of(t, a);
    const struct json *schema, *spec, *order;

    if (!metadata_of(answer, &m, e))
        return false;
    schema = find(json_get(m, SV("schemas")), "schema-id",
                  json_i64(json_get(m, SV("current-schema-id")), 0));
    spec = find(json_get(m, SV("partition-specs")), "spec-id",
                json_i64(json_get(m, SV("default-spec-id")), 0));
    order = find(json_get(m, SV("sort-orders")), "order-id",
                 json_i64(json_get(m, SV("default-sort-order-id")), 0));
    set_some(v, a, "uuid", json_get_str(m, SV("table-uuid")));
    json_set_i64(v, a, SV("formatVersion"), json_i64(json_get(m, SV("format-version")), 0));
    set_time(v, a, "updated", json_get(m, SV("last-updated-ms")));
    json_set(v, SV("locations"), locations(m, json_get_str(answer, SV("metadata-location")), a));
    json_set(v, SV("columns"), columns_of(schema, a));
    json_set(v, SV("partitioning"), layout(spec, schema, of_spec, a));
    json_set(v, SV("sortOrder"), layout(order, schema, of_order, a));
    json_set(v, SV("properties"),
             json_get(m, SV("properties")) ? json_get(m, SV("properties")) : json_new_object(a));
    json_set_i64(v, a, SV("snapshotCount"), (int64_t)json_count(json_get(m, SV("snapshots"))));
    json_set(v, SV("lastSnapshots"), snapshots(m, LAST_SNAPSHOTS, a));
    json_set(v, SV("refs"), refs_of(m, a));
    *out = v;
    return true;
}

static struct json *log_entry(const struct json *time, struct sv file, bool current,
                              struct arena *a)
{
    struct json *v = json_new_object(a);

    set_time(v, a, "time", time);
    json_set_str(v, a, SV("file"), file);
    json_set_bool(v, a, SV("current"), current);
    return v;
}

bool describe_history(const struct table_id *t, const struct json *answer, struct arena *a,
                      struct json **out, struct err *e)
{
    struct json *m, *v = head_of(t, a), *files = json_new_array(a);
    const struct json *log;

    if (!metadata_of(answer, &m, e))
        return false;
    log = json_get(m, SV("metadata-log"));
    json_push(files, log_entry(json_get(m, SV("last-updated-ms")),
                               json_get_str(answer, SV("metadata-location")), true, a));
    for (size_t i = json_count(log); i-- > 0;)
        json_push(files, log_entry(json_get(json_at(log, i), SV("timestamp-ms")),
                                   json_get_str(json_at(log, i), SV("metadata-file")), false, a));
    json_set(v, SV("snapshots"), snapshots(m, SIZE_MAX, a));
    json_set(v, SV("metadataLog"), files);
    *out = v;
    return true;
}

struct json *describe_list(struct sv catalog, const struct listed_vec *all, struct arena *a)
{
    struct json *v = json_new_object(a), *list = json_new_array(a);

    for (size_t i = 0; i < all->n; i++) {
        struct json *entry = json_new_object(a);

        json_set(entry, SV("namespace"), levels_json(&all->p[i].ns, a));
        json_set_str(entry, a, SV("name"), all->p[i].name);
        json_set_str(entry, a, SV("kind"), all->p[i].is_view ? SV("view") : SV("table"));
        json_push(list, entry);
    }
    json_set_str(v, a, SV("catalog"), catalog);
    json_set(v, SV("entries"), list);
    return v;
}
