/* manifest.c - manifest lists and manifests: which files they name. */
#include "iceberg/manifest.h"

#include "wire/avro.h"

/* ---- lists ---- */

enum { LIST_PATH, LIST_ADDED, LIST_EXISTING, LIST_DELETED, LIST_KEY, LIST_MEMBERS };

struct listing {
    manifest_fn *visit;
    void *context;
};

static bool on_manifest(const struct avro_member *m, void *context, struct err *e)
{
    const struct listing *l = context;
    struct manifest found = {.path = m[LIST_PATH].text, .entries = -1};

    if (!m[LIST_PATH].text.n)
        return err_set(e, ERR_INVALID, "a manifest list names a manifest without its path");
    if (m[LIST_KEY].is_there)
        return err_set(e, ERR_INVALID, "manifest " SV_FMT " is encrypted",
                       SV_ARG(sv_first(found.path, 150)));
    if (m[LIST_ADDED].is_there && m[LIST_EXISTING].is_there && m[LIST_DELETED].is_there)
        found.entries =
            (int64_t)((uint64_t)m[LIST_ADDED].number + (uint64_t)m[LIST_EXISTING].number +
                      (uint64_t)m[LIST_DELETED].number);
    return l->visit(&found, l->context, e);
}

bool manifest_list_each(struct sv list, manifest_fn *visit, void *context, struct err *e)
{
    struct avro_member members[LIST_MEMBERS] = {[LIST_PATH] = {.id = 500},
                                                [LIST_ADDED] = {.id = 504},
                                                [LIST_EXISTING] = {.id = 505},
                                                [LIST_DELETED] = {.id = 506},
                                                [LIST_KEY] = {.id = 519}};
    struct listing l = {visit, context};

    return avro_each(list, &(struct avro_ask){members, LIST_MEMBERS, on_manifest, &l}, e);
}

/* ---- manifests ---- */

struct reading {
    manifest_file_fn *visit;
    void *context;
    int64_t *entries;
};

static bool on_entry(const struct avro_member *m, void *context, struct err *e)
{
    const struct reading *r = context;

    ++*r->entries;
    if (!m->text.n)
        return err_set(e, ERR_INVALID, "a manifest's entry names no file");
    return r->visit(m->text, r->context, e);
}

bool manifest_each(struct sv manifest, manifest_file_fn *visit, void *context, int64_t *entries,
                   struct err *e)
{
    struct avro_member path = {.id = 100};
    struct reading r = {visit, context, entries};

    *entries = 0;
    return avro_each(manifest, &(struct avro_ask){&path, 1, on_entry, &r}, e);
}

/* ---- metadata ---- */

static void add_texts(const struct json *list, struct sv member, struct arena *a,
                      struct sv_vec *out)
{
    for (size_t i = 0; i < json_count(list); i++) {
        struct sv text = json_get_str(json_at(list, i), member);

        if (text.n)
            vec_push(out, a, text);
    }
}

static void add_manifests(const struct json *snapshot, struct arena *a, struct sv_vec *out)
{
    const struct json *list = json_get(snapshot, SV("manifests"));

    for (size_t i = 0; i < json_count(list); i++) {
        struct sv text = json_str(json_at(list, i), (struct sv){0});

        if (text.n)
            vec_push(out, a, text);
    }
}

void metadata_files(const struct json *metadata, struct arena *a, struct metadata_files *out)
{
    const struct json *snapshots = json_get(metadata, SV("snapshots"));

    *out = (struct metadata_files){0};
    add_texts(snapshots, SV("manifest-list"), a, &out->manifest_lists);
    for (size_t i = 0; i < json_count(snapshots); i++)
        add_manifests(json_at(snapshots, i), a, &out->manifests);
    add_texts(json_get(metadata, SV("statistics")), SV("statistics-path"), a, &out->others);
    add_texts(json_get(metadata, SV("partition-statistics")), SV("statistics-path"), a,
              &out->others);
    add_texts(json_get(metadata, SV("metadata-log")), SV("metadata-file"), a, &out->others);
    out->keeps_data = sv_eq_nocase(
        json_get_str(json_get(metadata, SV("properties")), SV("gc.enabled")), SV("false"));
}
