/* metadata.c - table metadata read, created and looked at. */
#include "iceberg/metadata.h"

#include <inttypes.h>

#include "base/limits.h"
#include "iceberg/elements.h"
#include "iceberg/inside.h"
#include "iceberg/members.h"
#include "iceberg/schema.h"
#include "iceberg/spelling.h"

enum { NEWEST_FORMAT = 3, UNPARTITIONED_LAST_ID = 999 };

static const char *const write_path_properties[] = {"write.data.path", "write.metadata.path",
                                                    "write.object-storage.path",
                                                    "write.folder-storage.path", NULL};

/* ---- reading ---- */

/* What each member must be where it is there, and what stands in it (JSON_NULL: anything). */
static const struct shape {
    const char *name;
    enum json_kind kind, inside;
} shapes[] = {
    {"format-version",        JSON_INT,    JSON_NULL  },
    {"table-uuid",            JSON_STRING, JSON_NULL  },
    {"location",              JSON_STRING, JSON_NULL  },
    {"last-sequence-number",  JSON_INT,    JSON_NULL  },
    {"last-updated-ms",       JSON_INT,    JSON_NULL  },
    {"last-column-id",        JSON_INT,    JSON_NULL  },
    {"schema",                JSON_OBJECT, JSON_NULL  },
    {"schemas",               JSON_ARRAY,  JSON_OBJECT},
    {"current-schema-id",     JSON_INT,    JSON_NULL  },
    {"partition-spec",        JSON_ARRAY,  JSON_OBJECT},
    {"partition-specs",       JSON_ARRAY,  JSON_OBJECT},
    {"default-spec-id",       JSON_INT,    JSON_NULL  },
    {"last-partition-id",     JSON_INT,    JSON_NULL  },
    {"properties",            JSON_OBJECT, JSON_STRING},
    {"current-snapshot-id",   JSON_INT,    JSON_NULL  },
    {"snapshots",             JSON_ARRAY,  JSON_OBJECT},
    {"snapshot-log",          JSON_ARRAY,  JSON_OBJECT},
    {"metadata-log",          JSON_ARRAY,  JSON_OBJECT},
    {"sort-orders",           JSON_ARRAY,  JSON_OBJECT},
    {"default-sort-order-id", JSON_INT,    JSON_NULL  },
    {"refs",                  JSON_OBJECT, JSON_OBJECT},
    {"statistics",            JSON_ARRAY,  JSON_OBJECT},
    {"partition-statistics",  JSON_ARRAY,  JSON_OBJECT},
    {"next-row-id",           JSON_INT,    JSON_NULL  },
    {"encryption-keys",       JSON_ARRAY,  JSON_OBJECT},
};

static bool holds_only(const struct json *v, enum json_kind inside)
{
    struct json *value;
    struct sv name;

    if (json_count(v) > LIMIT_METADATA_ENTRIES)
        return false;

    for (size_t i = 0; json_member(v, i, &name, &value); i++) {
        if (json_kind(value) != inside)
            return false;
    }
    for (size_t i = 0; json_kind(v) == JSON_ARRAY && i < json_count(v); i++) {
        if (json_kind(json_at(v, i)) != inside)
            return false;
    }
    return true;
}

/* Schemas, specs and orders: whatever else they are, they have fields. */
static bool have_fields(const struct json *list)
{
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *fields = json_get(json_at(list, i), SV("fields"));

        if (json_kind(fields) != JSON_ARRAY || !holds_only(fields, JSON_OBJECT))
            return false;
    }
    return true;
}

/* A file may be anybody's: what a commit changes must be what it is taken for. */
bool metadata_shape(const struct json *m, struct err *e)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        const struct json *v = json_get(m, sv_from(shapes[i].name));

        if (v && (json_kind(v) != shapes[i].kind ||
                  (shapes[i].inside != JSON_NULL && !holds_only(v, shapes[i].inside))))
            return err_set(e, ERR_INVALID, "table metadata: %s is not what it must be, or too long",
                           shapes[i].name);
    }
    return (have_fields(json_get(m, SV("schemas"))) &&
            have_fields(json_get(m, SV("partition-specs"))) &&
            have_fields(json_get(m, SV("sort-orders")))) ||
           err_set(e, ERR_INVALID, "table metadata: a schema, spec or order without its fields");
}

bool metadata_fits(struct sv text, struct err *e)
{
    if (text.n > LIMIT_METADATA_BYTES)
        return err_set(e, ERR_INVALID, "metadata of %zu bytes, at most %d", text.n,
                       LIMIT_METADATA_BYTES);
    if (json_memory(text) > LIMIT_METADATA_MEMORY)
        return err_set(e, ERR_INVALID, "metadata whose values take more than %d bytes",
                       LIMIT_METADATA_MEMORY);
    if (json_is_too_deep(text))
        return err_set(e, ERR_INVALID, "metadata nested deeper than %d levels", LIMIT_JSON_DEPTH);
    return true;
}

static bool read_shaped(struct sv text, struct arena *a, struct json **out, struct err *e)
{
    struct json *m;
    int64_t format;

    if (!metadata_fits(text, e))
        return false;
    if (!json_read(text, a, &m, e))
        return err_wrap(e, "table metadata");
    if (!metadata_shape(m, e))
        return false;
    format = json_i64(json_get(m, SV("format-version")), 0);
    if (format < 1 || format > NEWEST_FORMAT)
        return err_set(e, ERR_INVALID,
                       "table metadata of format %" PRId64 ": only 1 to %d are known", format,
                       NEWEST_FORMAT);
    if (!json_get_str(m, SV("location")).n)
        return err_set(e, ERR_INVALID, "table metadata without a location");
    if (format > 1 && !json_get_str(m, SV("table-uuid")).n)
        return err_set(e, ERR_INVALID, "table metadata without a table-uuid");
    *out = m;
    return true;
}

static bool modernise(struct json *m, struct sv text, struct arena *a, struct sv *as_text,
                      struct err *e)
{
    bool added;

    if (!metadata_modernise(m, a, &added, e))
        return err_wrap(e, "table metadata");
    *as_text = added ? json_text(a, m) : sv_trim(text);
    return true;
}

bool metadata_read_text(struct sv text, struct arena *a, struct json **out, struct sv *as_text,
                        struct err *e)
{
    return read_shaped(text, a, out, e) && modernise(*out, text, a, as_text, e);
}

bool metadata_read_foreign(struct sv text, struct arena *a, struct json **out, struct sv *as_text,
                           struct err *e)
{
    return read_shaped(text, a, out, e) && metadata_check_members(*out, e) &&
           modernise(*out, text, a, as_text, e) && metadata_check(*out, a, e);
}

bool metadata_read(struct sv text, struct arena *a, struct json **out, struct err *e)
{
    struct sv ignored;

    return metadata_read_text(text, a, out, &ignored, e);
}

void metadata_facts(const struct json *metadata, struct arena *a, struct metadata_facts *out)
{
    const struct json *properties = json_get(metadata, SV("properties"));

    *out = (struct metadata_facts){
        .uuid = json_get_str(metadata, SV("table-uuid")),
        .location = json_get_str(metadata, SV("location")),
        .format_version = (int)json_i64(json_get(metadata, SV("format-version")), 1),
    };
    for (const char *const *name = write_path_properties; *name; name++) {
        struct sv path = json_get_str(properties, sv_from(*name));

        if (path.n)
            vec_push(&out->write_paths, a, path);
    }
}

/* ---- creating ---- */

static bool is_reserved(struct sv name)
{
    static const char *const reserved[] = {"format-version",      "uuid",
                                           "snapshot-count",      "current-snapshot-summary",
                                           "current-snapshot-id", "current-snapshot-timestamp-ms",
                                           "current-schema",      "default-partition-spec",
                                           "default-sort-order",  NULL};

    for (const char *const *r = reserved; *r; r++) {
        if (sv_eq(name, sv_from(*r)))
            return true;
    }
    return false;
}

static bool format_of(const struct json *properties, int *out, struct err *e)
{
    struct sv text = json_get_str(properties, SV("format-version"));
    int64_t format = 2;

    if (json_has(properties, SV("format-version")) &&
        (!sv_i64(text, &format) || format < 1 || format > NEWEST_FORMAT))
        return err_set(e, ERR_INVALID,
                       "property format-version is \"" SV_FMT "\", must be 1, 2 or 3",
                       SV_ARG(sv_first(text, 20)));
    *out = (int)format;
    return true;
}

static bool copy_properties(const struct json *from, struct json *to, struct arena *a,
                            struct err *e)
{
    struct json *value;
    struct sv name;

    if (json_count(from) > LIMIT_PROPERTIES)
        return err_set(e, ERR_INVALID, "more than %d properties", LIMIT_PROPERTIES);
    for (size_t i = 0; json_member(from, i, &name, &value); i++) {
        if (json_kind(value) != JSON_STRING)
            return err_set(e, ERR_INVALID, "property " SV_FMT " must be text",
                           SV_ARG(sv_first(name, 80)));
        if (!property_check(name, json_str(value, name), e))
            return false;
        if (!is_reserved(name))
            json_set_str(to, a, name, property_spelt(name, json_str(value, name), a));
    }
    if (!json_has(to, SV("write.parquet.compression-codec")))
        json_set_str(to, a, SV("write.parquet.compression-codec"), SV("zstd"));
    return true;
}

static struct json *list_with(struct arena *a, struct json *only)
{
    struct json *list = json_new_array(a);

    json_push(list, only);
    return list;
}

static struct json *empty_fields(struct arena *a)
{
    struct json *v = json_new_object(a);

    json_set(v, SV("fields"), json_new_array(a));
    return v;
}

static bool add_spec(struct json *m, const struct json *request, const struct json *schema,
                     const struct map *ids, struct arena *a, struct err *e)
{
    const struct json *asked = json_get(request, SV("partition-spec"));
    struct json *spec = fields_remap(asked ? asked : empty_fields(a), ids, a);
    const struct columns columns = columns_of(schema, a);
    int64_t last = UNPARTITIONED_LAST_ID;

    fields_spell(spec, a);
    if (!spec_check(spec, &columns, e))
        return false;
    /* Ids of a new table count from 1000, whatever the client chose. */
    for (size_t i = 0; i < json_count(json_get(spec, SV("fields"))); i++)
        json_remove(json_at(json_get(spec, SV("fields")), i), SV("field-id"));
    if (!spec_number(spec, 2, a, &last, &spec, e))
        return false;
    json_set_i64(spec, a, SV("spec-id"), 0);
    json_set_i64(m, a, SV("default-spec-id"), 0);
    json_set(m, SV("partition-specs"), list_with(a, spec));
    json_set_i64(m, a, SV("last-partition-id"), last);
    return true;
}

static bool add_order(struct json *m, const struct json *request, const struct json *schema,
                      const struct map *ids, struct arena *a, struct err *e)
{
    const struct json *asked = json_get(request, SV("write-order"));
    struct json *order = fields_remap(asked ? asked : empty_fields(a), ids, a);
    int64_t id = json_count(json_get(order, SV("fields"))) ? 1 : 0;
    const struct columns columns = columns_of(schema, a);

    fields_spell(order, a);
    if (!order_check(order, &columns, e))
        return false;
    json_set_i64(order, a, SV("order-id"), id);
    json_set_i64(m, a, SV("default-sort-order-id"), id);
    json_set(m, SV("sort-orders"), list_with(a, order));
    return true;
}

/* Format 1 repeats the current schema and spec where old readers look for them. */
void metadata_mirror_v1(struct json *m)
{
    const struct json *specs = json_get(m, SV("partition-specs")),
                      *schemas = json_get(m, SV("schemas"));
    int64_t spec = json_i64(json_get(m, SV("default-spec-id")), 0),
            schema = json_i64(json_get(m, SV("current-schema-id")), 0);

    if (json_i64(json_get(m, SV("format-version")), 0) != 1)
        return;
    for (size_t i = 0; i < json_count(schemas); i++) {
        if (json_i64(json_get(json_at(schemas, i), SV("schema-id")), -1) == schema)
            json_set(m, SV("schema"), json_at(schemas, i));
    }
    for (size_t i = 0; i < json_count(specs); i++) {
        if (json_i64(json_get(json_at(specs, i), SV("spec-id")), -1) == spec)
            json_set(m, SV("partition-spec"), json_get(json_at(specs, i), SV("fields")));
    }
}

static void add_rest(struct json *m, int format, struct arena *a)
{
    if (format > 1)
        json_set_i64(m, a, SV("last-sequence-number"), 0);
    if (format > 2)
        json_set_i64(m, a, SV("next-row-id"), 0);
    if (format > 2)
        json_set(m, SV("current-snapshot-id"), NULL);
    else
        json_set_i64(m, a, SV("current-snapshot-id"), -1);
    json_set(m, SV("refs"), json_new_object(a));
    json_set(m, SV("snapshots"), json_new_array(a));
    json_set(m, SV("statistics"), json_new_array(a));
    json_set(m, SV("partition-statistics"), json_new_array(a));
    json_set(m, SV("snapshot-log"), json_new_array(a));
    json_set(m, SV("metadata-log"), json_new_array(a));
    metadata_mirror_v1(m);
}

/* What goes into the file, without nulls. A property that is null is not passed over. */
static struct json *copy_request(const struct json *asked, struct arena *a)
{
    static const char *const parts[] = {"schema", "partition-spec", "write-order", NULL};
    struct json *request = json_copy_flat(a, asked);

    for (const char *const *part = parts; *part; part++) {
        if (json_get(asked, sv_from(*part)))
            json_set(request, sv_from(*part), element_copy(a, json_get(asked, sv_from(*part))));
    }
    return request;
}

bool metadata_create(const struct json *asked, const struct create_options *o, struct arena *a,
                     struct json **out, struct err *e)
{
    /* What is not what it must be is not passed over: the table would be another one. */
    static const struct member members[MEMBERS] = {
        {"location",       JSON_STRING, OPTIONAL},
        {"stage-create",   JSON_BOOL,   OPTIONAL},
        {"properties",     JSON_OBJECT, OPTIONAL},
        {"partition-spec", JSON_OBJECT, OPTIONAL},
        {"write-order",    JSON_OBJECT, OPTIONAL}
    };
    struct json *m = json_new_object(a), *properties = json_new_object(a),
                *request = copy_request(asked, a), *schema;
    struct map ids = map_new(a);
    int64_t last_id = 0;
    int format = 2;

    if (!members_check(request, members, e) ||
        !format_of(json_get(request, SV("properties")), &format, e) ||
        !schema_check_draft(json_get(request, SV("schema")), format, e) ||
        !copy_properties(json_get(request, SV("properties")), properties, a, e))
        return false;
    schema = schema_renumber(json_get(request, SV("schema")), a, &ids, &last_id);
    schema_spell(schema, a);
    json_set_str(schema, a, SV("type"), SV("struct"));
    json_set_i64(schema, a, SV("schema-id"), 0);
    json_set_i64(m, a, SV("format-version"), format);
    json_set_str(m, a, SV("table-uuid"), o->uuid);
    json_set_str(m, a, SV("location"), sv_trim_end(o->location, '/'));
    json_set_i64(m, a, SV("last-updated-ms"), o->now_ms);
    json_set_i64(m, a, SV("last-column-id"), last_id);
    json_set_i64(m, a, SV("current-schema-id"), 0);
    json_set(m, SV("schemas"), list_with(a, schema));
    if (!add_spec(m, request, schema, &ids, a, e) || !add_order(m, request, schema, &ids, a, e))
        return false;
    json_set(m, SV("properties"), properties);
    add_rest(m, format, a);
    *out = m;
    return true;
}

/* ---- looking ---- */

struct json *metadata_refs_only(const struct json *metadata, struct arena *a)
{
    struct json *copy = json_copy_flat(a, metadata), *kept = json_new_array(a), *ref;
    const struct json *refs = json_get(metadata, SV("refs")),
                      *snapshots = json_get(metadata, SV("snapshots"));
    auto_arena own = {0};
    struct map wanted = map_new(&own);
    struct sv name;

    /* Old writers name no refs: main is the current snapshot. */
    (void)map_put_id(&wanted, get_i64(metadata, "current-snapshot-id", -1), &wanted);
    for (size_t i = 0; json_member(refs, i, &name, &ref); i++)
        (void)map_put_id(&wanted, get_i64(ref, "snapshot-id", -1), &wanted);
    for (size_t i = 0; i < json_count(snapshots); i++) {
        if (map_get_id(&wanted, get_i64(json_at(snapshots, i), "snapshot-id", -1)))
            json_push(kept, json_at(snapshots, i));
    }
    json_set(copy, SV("snapshots"), kept);
    return copy;
}

/* The number in front of the first '-' of a file's name, plus one. */
static int64_t next_version(struct sv previous)
{
    struct sv name = sv_skip(previous, (size_t)(sv_rfind(previous, '/') + 1));
    ptrdiff_t dash = sv_find(name, '-');
    int64_t version;

    if (dash < 0 || !sv_i64(sv_first(name, (size_t)dash), &version) || version < 0 ||
        version > 99999999)
        return 0;
    return version + 1;
}

struct sv metadata_file(const struct json *metadata, struct sv previous, struct sv uuid,
                        struct arena *a)
{
    const struct json *properties = json_get(metadata, SV("properties"));
    struct sv folder = json_get_str(properties, SV("write.metadata.path")),
              codec = json_get_str(properties, SV("write.metadata.compression-codec"));

    if (!folder.n)
        folder = arena_printf(a, SV_FMT "/metadata",
                              SV_ARG(sv_trim_end(json_get_str(metadata, SV("location")), '/')));
    return arena_printf(a, SV_FMT "/%05" PRId64 "-" SV_FMT "%s.metadata.json",
                        SV_ARG(sv_trim_end(folder, '/')), previous.n ? next_version(previous) : 0,
                        SV_ARG(uuid), sv_eq_nocase(codec, SV("gzip")) ? ".gz" : "");
}

static void claim_all(const struct json *list, const char *member, const char *what,
                      struct arena *a, struct claimed_locations *out)
{
    for (size_t i = 0; i < json_count(list); i++) {
        struct sv text = json_get_str(json_at(list, i), sv_from(member));

        if (text.n)
            vec_push(out, a, ((struct claimed_location){text, true, what}));
    }
}

void metadata_claims(const struct json *metadata, struct arena *a, struct claimed_locations *out)
{
    const struct json *properties = json_get(metadata, SV("properties"));

    vec_push(
        out, a,
        ((struct claimed_location){json_get_str(metadata, SV("location")), false, "location"}));
    for (const char *const *name = write_path_properties; *name; name++) {
        struct sv path = json_get_str(properties, sv_from(*name));

        if (path.n)
            vec_push(out, a, ((struct claimed_location){path, false, *name}));
    }
    claim_all(json_get(metadata, SV("snapshots")), "manifest-list", "manifest-list", a, out);
    claim_all(json_get(metadata, SV("statistics")), "statistics-path", "statistics-path", a, out);
    claim_all(json_get(metadata, SV("partition-statistics")), "statistics-path", "statistics-path",
              a, out);
}
