/* purge.c - all that a table names, deleted. */
#include "maintain/purge.h"

#include "base/limits.h"
#include "base/map.h"
#include "base/metric.h"
#include "iceberg/manifest.h"
#include "iceberg/metadata.h"
#include "sign/digest.h"
#include "wire/gzip.h"

/* What has been seen is asked for once; when it is too much to remember, some is asked for again,
 * and is found gone. */
enum { MOST_SEEN = 50000, ENTRIES_BETWEEN = 1024 };

struct seen {
    struct arena arena;
    struct map map;
};

struct purge {
    struct objects *objects;
    struct seen manifests, files;
    unsigned entries; /* of lists and manifests, read so far */
    bool keeps_data;
};

static bool is_new(struct seen *s, struct sv file)
{
    struct sha256 key = sha256_of(file);

    if (!s->map.arena || s->map.n >= MOST_SEEN) {
        arena_done(&s->arena);
        s->map = map_new(&s->arena);
    }
    return !map_put(&s->map, sv_of((const char *)key.b, sizeof(key.b) / 2), s);
}

/* Lists and manifests are packed: a small one may name more than can be read before the lease ends,
 * and nothing that has to be deleted, and so waited for. */
static bool may_read_on(struct purge *p, struct err *e)
{
    return ++p->entries % ENTRIES_BETWEEN != 0 || objects_go_on(p->objects, e);
}

/* ---- manifests ---- */

static bool on_file(struct sv path, void *context, struct err *e)
{
    struct purge *p = context;

    if (!may_read_on(p, e))
        return false;
    return !is_new(&p->files, path) || objects_delete(p->objects, path, e);
}

/* A manifest that was cut between two blocks can be read, and would leave files behind. */
static bool check_entries(const struct manifest *m, int64_t found, struct err *e)
{
    return found >= m->entries ||
           err_set(e, ERR_INVALID, "it has %lld entries, but its list says %lld", (long long)found,
                   (long long)m->entries);
}

static bool purge_named(struct purge *p, const struct manifest *m, struct sv bytes, struct err *e)
{
    int64_t found;

    return (manifest_each(bytes, on_file, p, &found, e) && check_entries(m, found, e) &&
            objects_settle(p->objects, e)) ||
           err_wrap(e, "manifest " SV_FMT, SV_ARG(sv_first(m->path, 150)));
}

/* All that it names, then itself. */
static bool purge_manifest(struct purge *p, const struct manifest *m, struct err *e)
{
    auto_arena a = {0};
    struct sv bytes;

    if (!objects_read(p->objects, m->path, &a, &bytes, e))
        return e->code == ERR_NOT_FOUND;
    return purge_named(p, m, bytes, e) && objects_delete(p->objects, m->path, e);
}

/* A foreign manifest is another table's: what it names is not looked at. */
static bool on_manifest(const struct manifest *m, void *context, struct err *e)
{
    struct purge *p = context;

    if (!may_read_on(p, e))
        return false;
    if (!is_new(&p->manifests, m->path))
        return true;
    if (!objects_refresh(p->objects, e))
        return false;
    return p->keeps_data || objects_is_foreign(p->objects, m->path)
               ? objects_delete(p->objects, m->path, e)
               : purge_manifest(p, m, e);
}

static bool purge_list(struct purge *p, struct sv list, struct err *e)
{
    auto_arena a = {0};
    struct sv bytes;

    if (objects_is_foreign(p->objects, list))
        return objects_delete(p->objects, list, e);
    if (!objects_read(p->objects, list, &a, &bytes, e))
        return e->code == ERR_NOT_FOUND;
    if (!manifest_list_each(bytes, on_manifest, p, e))
        return err_wrap(e, "manifest list " SV_FMT, SV_ARG(sv_first(list, 150)));
    return objects_settle(p->objects, e) && objects_delete(p->objects, list, e);
}

/* ---- the table ---- */

static bool delete_all(struct purge *p, const struct sv_vec *files, struct err *e)
{
    for (size_t i = 0; i < files->n; i++) {
        if (!objects_delete(p->objects, files->p[i], e))
            return false;
    }
    return true;
}

static bool purge_all(struct purge *p, const struct metadata_files *files, struct err *e)
{
    p->keeps_data = files->keeps_data;
    for (size_t i = 0; i < files->manifest_lists.n; i++) {
        if (!purge_list(p, files->manifest_lists.p[i], e))
            return false;
    }
    for (size_t i = 0; i < files->manifests.n; i++) {
        const struct manifest m = {.path = files->manifests.p[i], .entries = -1};

        if (!on_manifest(&m, p, e))
            return false;
    }
    return delete_all(p, &files->others, e) && objects_settle(p->objects, e);
}

static bool tampered(const char *what, struct err *e)
{
    metric_add(METRIC_METADATA_TAMPERED, 1);
    return err_set(e, ERR_DENIED, "tampering: %s not what was committed", what);
}

/* It names what is deleted, and lies where vended credentials can write. */
static bool is_committed(struct sv bytes, const struct table_row *table, struct arena *a,
                         struct err *e)
{
    return !table->metadata_sha256.n || sv_eq(sha256_hex(a, bytes), table->metadata_sha256) ||
           tampered("its bytes are", e);
}

/* A row of an older program does not know the bytes. */
static bool agrees(const struct json *metadata, const struct table_row *table, struct arena *a,
                   struct err *e)
{
    struct err ignored = {0};
    struct metadata_facts facts;
    struct location l;

    metadata_facts(metadata, a, &facts);
    if (!sv_eq_nocase(facts.uuid, table->uuid))
        return tampered("its UUID is", e);
    return (location_read(facts.location, false, a, &l, &ignored) &&
            sv_eq(location_text(&l, a), table->location)) ||
           tampered("its location is", e);
}

static bool read_metadata(struct sv text, const struct table_row *table, struct arena *a,
                          struct json **out, struct err *e)
{
    if (!is_committed(text, table, a, e) ||
        (gzip_is(text) && !gzip_read(text, LIMIT_METADATA_BYTES, a, &text, e)) ||
        !metadata_read(text, a, out, e))
        return false;
    return table->metadata_sha256.n || agrees(*out, table, a, e);
}

bool purge_files(struct objects *o, const struct table_row *table, struct err *e)
{
    struct purge p = {.objects = o};
    struct metadata_files files;
    auto_arena a = {0};
    struct json *metadata;
    struct sv text;
    bool ok;

    if (!objects_read(o, table->metadata_location, &a, &text, e))
        return e->code == ERR_NOT_FOUND;
    if (!read_metadata(text, table, &a, &metadata, e))
        return err_wrap(e, "metadata " SV_FMT, SV_ARG(sv_first(table->metadata_location, 150)));
    metadata_files(metadata, &a, &files);
    ok = purge_all(&p, &files, e);
    arena_done(&p.manifests.arena);
    arena_done(&p.files.arena);
    return ok && objects_delete(o, table->metadata_location, e) && objects_settle(o, e);
}
