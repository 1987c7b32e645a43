/* log.c - the log of a table's metadata files: what it names, and what falls off. */
#include "base/map.h"
#include "base/vec.h"
#include "iceberg/inside.h"

enum { KEPT = 100 }; /* where the table does not say */

static struct sv property(const struct json *m, const char *name)
{
    return json_get_str(json_get(m, SV("properties")), sv_from(name));
}

/* A file that somebody else wrote may say anything here: what is no number drops nothing that is
 * kept otherwise. */
static int64_t versions_kept(const struct json *m)
{
    int64_t n = KEPT;

    if (!sv_i64(property(m, "write.metadata.previous-versions-max"), &n))
        return KEPT;
    return n < 1 ? 1 : n;
}

void log_previous(struct changing *c, const struct json *base, struct sv location)
{
    struct json *entry = json_new_object(c->arena),
                *log = own_member(c, "metadata-log", JSON_ARRAY);
    int64_t n, kept = versions_kept(c->m);

    if (!base || !location.n)
        return;
    json_set_str(entry, c->arena, SV("metadata-file"), location);
    json_set_i64(entry, c->arena, SV("timestamp-ms"), get_i64(base, "last-updated-ms", 0));
    json_push(log, entry);
    n = (int64_t)json_count(log);
    if (n > kept)
        list_from(c, "metadata-log", (size_t)(n - kept));
}

void log_sort(struct changing *c, const char *name)
{
    const struct json *log = json_get(c->m, sv_from(name));
    struct json *sorted = json_new_array(c->arena);
    int64_t latest = INT64_MIN;

    for (size_t i = 0; i < json_count(log); i++) {
        struct json *entry = json_at(log, i);
        int64_t at = get_i64(entry, "timestamp-ms", latest);

        if (at < latest) {
            entry = json_copy_flat(c->arena, entry);
            json_set_i64(entry, c->arena, SV("timestamp-ms"), at = latest);
        }
        latest = at;
        json_push(sorted, entry);
    }
    if (log)
        json_set(c->m, sv_from(name), sorted);
}

static struct sv file_at(const struct json *log, size_t i)
{
    return json_get_str(json_at(log, i), SV("metadata-file"));
}

void metadata_forgotten(const struct json *base, const struct json *after, struct sv file,
                        struct arena *a, struct sv_vec *out)
{
    const struct json *before = json_get(base, SV("metadata-log")),
                      *log = json_get(after, SV("metadata-log"));
    struct map named = map_new(a);

    *out = (struct sv_vec){0};
    if (!sv_eq_nocase(property(after, "write.metadata.delete-after-commit.enabled"), SV("true")))
        return;
    (void)map_put(&named, file, &named);
    for (size_t i = 0; i < json_count(log); i++)
        (void)map_put(&named, file_at(log, i), &named);
    for (size_t i = 0; i < json_count(before); i++) {
        /* Once, however often it is named. */
        if (!map_put(&named, file_at(before, i), &named))
            vec_push(out, a, file_at(before, i));
    }
}
