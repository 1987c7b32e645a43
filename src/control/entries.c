/* entries.c - objects of a folder: the manifest, and what a server would add to it. */
#include "control/files.h"
#include "control/folder.h"
#include "sign/digest.h"
#include "wire/base64.h"
#include "wire/hex.h"
#include "wire/time.h"

struct sv entry_key(const struct json *object, struct arena *a)
{
    const struct json *m = json_get(object, SV("metadata"));
    struct sv ns = json_get_str(m, SV("namespace"));

    return arena_printf(a, SV_FMT "/" SV_FMT "/" SV_FMT, SV_ARG(json_get_str(object, SV("kind"))),
                        SV_ARG(ns.n ? ns : SV("default")), SV_ARG(json_get_str(m, SV("name"))));
}

bool entry_is_ours(const struct json *object)
{
    enum kind k;

    return kind_read(json_get_str(object, SV("kind")), &k);
}

struct sv entry_state_path(const struct folder_backend *f, struct sv key, struct arena *a)
{
    struct sv kind, ns;
    struct sv rest = key;

    (void)sv_cut(&rest, '/', &kind);
    (void)sv_cut(&rest, '/', &ns);
    return arena_printf(a, SV_FMT "/%s" SV_FMT "." SV_FMT "." SV_FMT ".yaml",
                        SV_ARG(f->options->state_dir), sv_eq(kind, SV("Secret")) ? "secrets/" : "",
                        SV_ARG(kind), SV_ARG(ns), SV_ARG(rest));
}

/* A Secret as it is remembered: whether it changed, and not what it holds. Files are read again. */
static struct json *sealed(const struct json *secret, struct arena *a)
{
    auto_arena scratch = {.wipe = true};
    struct json *v = json_new_object(a), *name;
    const struct sha256 h = sha256_of(json_text(&scratch, json_get(secret, SV("data"))));
    static const char *const kept[] = {"apiVersion", "kind", "metadata"};

    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        name = json_get(secret, sv_from(kept[i]));
        json_set(v, sv_from(kept[i]), json_copy(a, name));
    }
    json_set_str(v, a, SV("digest"), hex_encode(a, sv_of((const char *)h.b, sizeof(h.b))));
    return v;
}

struct entry *entry_put(struct folder_backend *f, const struct json *object, struct sv file)
{
    struct arena own = {.wipe = true};
    struct entry *n = arena_new(&own, struct entry), *old;
    struct arena last;

    n->object = entry_is_ours(object) ? json_copy(&own, object) : sealed(object, &own);
    n->key = entry_key(object, &own);
    n->file = arena_dup(&own, file);
    n->arena = own;
    old = map_put(&f->entries, n->key, n);
    if (old) {
        n->missing_ms = old->missing_ms;
        last = old->arena;
        arena_done(&last);
    }
    return n;
}

static void drop_entry(struct folder_backend *f, struct entry *n)
{
    struct arena last = n->arena;

    (void)map_remove(&f->entries, n->key);
    arena_done(&last);
}

void entry_announce(struct folder_backend *f, const struct json *object)
{
    f->events.applied(f->events.context, object);
}

static void announce_gone(struct folder_backend *f, struct sv key)
{
    struct sv kind, ns;

    (void)sv_cut(&key, '/', &kind);
    (void)sv_cut(&key, '/', &ns);
    f->events.deleted(f->events.context, kind, ns, key);
}

/* Objects that are seen for the first time are of different ages, in the order in which they are
 * read: files by name, objects by place. */
static struct sv first_seen(struct folder_backend *f, struct arena *a)
{
    int64_t wall_ms = world_wall_ms(f->options->world);

    f->created_ms = wall_ms > f->created_ms ? wall_ms : f->created_ms + 1;
    return time_text(a, f->created_ms, TIME_MILLISECONDS);
}

/* The manifest with what a server would add: uid, generation, finalizers, the time it was first
 * seen, and status. */
static struct json *merged(struct folder_backend *f, const struct json *manifest,
                           const struct json *known, struct arena *a)
{
    struct json *v = json_copy(a, manifest), *m = json_get(v, SV("metadata"));
    const struct json *had = json_get(known, SV("metadata"));
    bool same = known && json_eq(json_get(manifest, SV("spec")), json_get(known, SV("spec")));
    int64_t generation = json_i64(json_get(had, SV("generation")), 0);

    if (!json_get_str(m, SV("namespace")).n)
        json_set_str(m, a, SV("namespace"), SV("default"));
    json_set_str(m, a, SV("uid"),
                 had ? json_get_str(had, SV("uid")) : world_uuid(f->options->world, a));
    json_set_i64(m, a, SV("generation"), same ? generation : generation + 1);
    json_set_str(m, a, SV("creationTimestamp"),
                 had ? json_get_str(had, SV("creationTimestamp")) : first_seen(f, a));
    /* What was taken out of a cluster says of itself what was true there. */
    json_remove(m, SV("deletionTimestamp"));
    json_remove(m, SV("resourceVersion"));
    json_remove(m, SV("finalizers"));
    if (json_get(had, SV("finalizers")))
        json_set(m, SV("finalizers"), json_copy(a, json_get(had, SV("finalizers"))));
    json_remove(v, SV("status"));
    if (json_get(known, SV("status")))
        json_set(v, SV("status"), json_copy(a, json_get(known, SV("status"))));
    return v;
}

/* stringData is what people write; data is what is kept. */
static struct json *plain_secret(const struct json *manifest, struct arena *a)
{
    struct json *v = json_copy(a, manifest), *data = json_get(v, SV("data")), *value;
    const struct json *text = json_get(manifest, SV("stringData"));
    struct sv name;

    if (!data)
        json_set(v, SV("data"), data = json_new_object(a));
    for (size_t i = 0; json_member(text, i, &name, &value); i++)
        json_set_str(data, a, name, base64_encode(a, json_str(value, (struct sv){0})));
    json_remove(v, SV("stringData"));
    if (!json_get_str(json_get(v, SV("metadata")), SV("namespace")).n)
        json_set_str(json_get(v, SV("metadata")), a, SV("namespace"), SV("default"));
    return v;
}

void entry_take(struct folder_backend *f, const struct json *manifest, struct sv file)
{
    auto_arena a = {.wipe = true};
    struct sv key = entry_key(manifest, &a);
    struct entry *known = map_get(&f->entries, key);
    struct json *now = entry_is_ours(manifest)
                           ? merged(f, manifest, known ? known->object : NULL, &a)
                           : plain_secret(manifest, &a);

    if (known && known->file.n && sv_eq(known->file, file) &&
        json_eq(known->object, entry_is_ours(now) ? now : sealed(now, &a))) {
        known->missing_ms = 0;
        return;
    }
    entry_put(f, now, file)->missing_ms = 0;
    entry_announce(f, now);
}

bool entry_is_deleting(const struct entry *n)
{
    return json_get(json_get(n->object, SV("metadata")), SV("deletionTimestamp")) != NULL;
}

/* No file names it any more: gone at once, or deleting while our finalizer holds it. */
void entry_lose(struct folder_backend *f, struct entry *n)
{
    auto_arena a = {0};
    struct json *v = json_copy(&a, n->object), *m = json_get(v, SV("metadata"));
    struct sv key = arena_dup(&a, n->key);

    /* It may hold Secrets. */
    if (n->file.n && !manifest_exists(n->file))
        text_keep(f, n->file, (struct sv){0});
    if (entry_is_ours(v) && json_count(json_get(m, SV("finalizers")))) {
        json_set_str(m, &a, SV("deletionTimestamp"),
                     time_text(&a, world_wall_ms(f->options->world), TIME_SECONDS));
        entry_announce(f, entry_put(f, v, (struct sv){0})->object);
        return;
    }
    file_remove(entry_state_path(f, key, &a));
    drop_entry(f, n);
    announce_gone(f, key);
}
