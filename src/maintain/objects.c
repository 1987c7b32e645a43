/* objects.c - the files of one table, read and deleted with keys for its folders alone. */
#include "maintain/objects.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/metric.h"
#include "provider/object.h"
#include "store/files.h"
#include "wire/uri.h"
#include "wire/xml.h"

enum { FLIGHTS = 8, POLL_MS = 200, SECOND_MS = 1000, FOREIGN_TOLD = 5, MAX_FOLDERS = 8 };

/* Keys for one folder. */
struct key_ring {
    struct arena arena;
    struct credential key;
    int64_t renew_ms; /* 0: there is none */
};

/* One delete under way. */
struct flight {
    struct objects *objects;
    struct arena arena;
    struct exchange x;
    struct http_transfer *transfer; /* NULL: the slot is free */
};

struct objects {
    struct objects_place place;
    struct key_ring keys[MAX_FOLDERS];
    struct flight flights[FLIGHTS];
    struct err failed; /* the first delete that did */
    int64_t deleted, foreign;
    int64_t second, begun; /* how many deletes this second has seen */
};

static const struct http_options options = {.timeout_ms = LIMIT_MINT_MS,
                                            .connect_timeout_ms = 3000,
                                            .max_bytes = LIMIT_MANIFEST_BYTES,
                                            .larger_is_invalid = true};

static void drop_keys(void *object)
{
    struct objects *o = object;

    for (size_t i = 0; i < FLIGHTS; i++) {
        if (o->flights[i].transfer)
            http_multi_cancel(o->place.http, o->flights[i].transfer);
        arena_done(&o->flights[i].arena);
    }
    for (size_t i = 0; i < MAX_FOLDERS; i++)
        arena_done(&o->keys[i].arena);
}

struct objects *objects_new(const struct objects_place *p, struct arena *a)
{
    struct objects *o = arena_new(a, struct objects);

    o->place = *p;
    for (size_t i = 0; i < FLIGHTS; i++) {
        o->flights[i].objects = o;
        o->flights[i].arena.wipe = true;
    }
    for (size_t i = 0; i < MAX_FOLDERS; i++)
        o->keys[i].arena.wipe = true;
    arena_defer(a, drop_keys, o);
    return o;
}

int64_t objects_deleted(const struct objects *o)
{
    return o->deleted;
}

int64_t objects_foreign(const struct objects *o)
{
    return o->foreign;
}

static bool is_folder(const struct objects *o)
{
    return rule_is_folder(o->place.catalog->integration);
}

/* ---- whose it is ---- */

static bool find_folder(const struct objects *o, struct sv file, struct location *at, size_t *which)
{
    struct err ignored = {0};
    ptrdiff_t found;

    if (!location_read_named(file, at, &ignored))
        return false;
    found = location_which(o->place.folders, o->place.n_folders, at);
    *which = (size_t)found;
    return found >= 0;
}

bool objects_is_foreign(const struct objects *o, struct sv file)
{
    struct location at;
    size_t which;

    return !find_folder(o, file, &at, &which);
}

static void count_foreign(struct objects *o, struct sv file)
{
    metric_add(METRIC_PURGE_FOREIGN, 1);
    if (o->foreign++ < FOREIGN_TOLD)
        log_line(LOG_WARNING, "purge", "a file outside the table's folders is left alone",
                 LOG_SV("file", sv_first(file, 300)), LOG_SV("table", o->place.words.table));
}

bool objects_go_on(struct objects *o, struct err *e)
{
    return o->place.go_on(o->place.context, e);
}

/* ---- conversations ---- */

struct wait {
    struct http_response *in;
    struct err err;
    bool over;
};

static void on_answer(struct http_response *in, const struct err *e, void *context)
{
    struct wait *w = context;

    w->over = true;
    if (e)
        w->err = *e;
    else
        *w->in = *in;
}

static bool poll_once(struct objects *o, struct err *e)
{
    http_multi_poll(o->place.http, POLL_MS);
    return objects_go_on(o, e);
}

static bool ask(struct objects *o, struct exchange *x, struct err *e)
{
    struct wait w = {.in = &x->in};
    struct http_transfer *t =
        http_multi_start(o->place.http, &x->out, &options, x->arena, on_answer, &w);

    while (!w.over) {
        if (poll_once(o, e))
            continue;
        if (!w.over)
            http_multi_cancel(o->place.http, t);
        return false;
    }
    *e = w.err;
    return w.err.code == ERR_NONE;
}

typedef bool step_fn(struct exchange *x, struct err *e);

static bool converse(struct objects *o, struct exchange *x, step_fn *step, struct err *e)
{
    for (;; x->round++) {
        x->now_ms = world_wall_ms(o->place.world);
        if (!step(x, e))
            return false;
        if (x->done)
            return true;
        if (!ask(o, x, e))
            return false;
    }
}

/* ---- keys ---- */

static bool mint(struct objects *o, size_t which, struct err *e)
{
    const struct target *target = &o->place.catalog->integration->target;
    const struct session_ask session = {.folders = &o->place.folders[which],
                                        .n_folders = 1,
                                        .access = ACCESS_READ | ACCESS_DELETE | ACCESS_LIST};
    struct key_ring *ring = &o->keys[which];
    struct arena fresh = {.wipe = true};
    struct exchange x = {.target = target,
                         .arena = &fresh,
                         .ttl_seconds = LIMIT_MIN_TTL_SECONDS,
                         .session_name = session_name(o->place.catalog->integration->session_name,
                                                      &o->place.words, &fresh),
                         .tags = session_tags(target, &o->place.words, &fresh)};

    if (!session_policy(target, &session, &fresh, &x.policy, e) ||
        !converse(o, &x, target->provider->mint, e)) {
        arena_done(&fresh);
        return err_wrap(e, "token service");
    }
    arena_done(&ring->arena);
    ring->key = credential_dup(&ring->arena, &x.got);
    ring->renew_ms = x.now_ms + (x.got.expires_ms - x.now_ms) / 2;
    arena_done(&fresh);
    return true;
}

/* No delete is under way with keys that are about to be wiped. */
static bool fresh_key(struct objects *o, size_t which, const struct credential **out, struct err *e)
{
    struct key_ring *ring = &o->keys[which];

    if (ring->renew_ms <= world_wall_ms(o->place.world) &&
        (!objects_settle(o, e) || !mint(o, which, e)))
        return false;
    *out = &ring->key;
    return true;
}

bool objects_refresh(struct objects *o, struct err *e)
{
    struct objects_place fresh = o->place;

    if (!o->place.has_changed(o->place.context))
        return true;
    if (!objects_settle(o, e) || !o->place.renew(&fresh, o->place.context, e))
        return false;
    o->place = fresh;
    for (size_t i = 0; i < MAX_FOLDERS; i++) {
        arena_done(&o->keys[i].arena);
        o->keys[i].renew_ms = 0;
    }
    return true;
}

/* ---- reading ---- */

/* A store that may not say what is in the bucket answers 403 for what is not there. A list of the
 * keys that begin so is within the folder, and tells. */
static bool list_it(struct exchange *x, struct err *e)
{
    struct buf query = buf_new(x->arena, 8192);
    struct err ignored = {0};
    struct xml *root;

    buf_add(&query, SV("list-type=2&max-keys=1&prefix="));
    uri_encode(&query, x->place.key, (struct sv){0});
    if (x->round == 0)
        return object_request(x, HTTP_GET, (struct sv){0}, buf_sv(&query), (struct sv){0}, e);
    x->done = true;
    x->missing = x->in.status == 200 && xml_read(x->in.body, x->arena, &root, &ignored) &&
                 sv_eq(root->name, SV("ListBucketResult")) && !xml_find(root, SV("Contents"));
    return true;
}

static bool is_missing(struct objects *o, const struct exchange *got)
{
    struct exchange x = {
        .target = got->target, .arena = got->arena, .place = got->place, .key = got->key};
    struct err ignored = {0};

    return converse(o, &x, list_it, &ignored) && x.missing;
}

static bool get_object(struct objects *o, const struct location *at, size_t which, struct arena *a,
                       struct sv *out, struct err *e)
{
    auto_arena scratch = {.wipe = true};
    struct exchange x = {
        .target = &o->place.catalog->integration->target, .arena = &scratch, .place = *at};

    if (!fresh_key(o, which, &x.key, e))
        return false;
    if (!converse(o, &x, object_get, e)) {
        if (e->code != ERR_DENIED || !is_missing(o, &x))
            return false;
        x.missing = true;
    }
    if (x.missing)
        return err_set(e, ERR_NOT_FOUND, "there is no object " SV_FMT,
                       SV_ARG(sv_first(at->key, 150)));
    *out = arena_dup(a, x.content);
    return true;
}

bool objects_read(struct objects *o, struct sv file, struct arena *a, struct sv *out, struct err *e)
{
    struct location at;
    size_t which;

    if (!find_folder(o, file, &at, &which)) {
        count_foreign(o, file);
        return err_set(e, ERR_DENIED, "the file is outside the table's folders");
    }
    if (is_folder(o))
        return objects_go_on(o, e) && stored_file_read(at.key, LIMIT_MANIFEST_BYTES, a, out, e);
    return get_object(o, &at, which, a, out, e);
}

/* ---- deleting ---- */

static void on_deleted(struct http_response *in, const struct err *e, void *context)
{
    struct flight *f = context;
    struct objects *o = f->objects;
    struct err why = {0};

    f->transfer = NULL;
    f->x.round++;
    if (e)
        why = *e;
    else
        f->x.in = *in;
    if (!e && object_delete(&f->x, &why)) {
        o->deleted++;
        metric_add(METRIC_PURGE_FILES, 1);
    } else if (o->failed.code == ERR_NONE) {
        o->failed = why;
    }
    arena_done(&f->arena);
}

static struct flight *free_flight(struct objects *o)
{
    for (size_t i = 0; i < FLIGHTS; i++) {
        if (!o->flights[i].transfer)
            return &o->flights[i];
    }
    return NULL;
}

static bool may_begin(struct objects *o)
{
    int64_t second = world_mono_ms(o->place.world) / SECOND_MS;

    if (o->second != second) {
        o->second = second;
        o->begun = 0;
    }
    return o->begun < LIMIT_PURGE_DELETES;
}

static bool wait_for_turn(struct objects *o, struct flight **out, struct err *e)
{
    while (!(*out = free_flight(o)) || !may_begin(o)) {
        if (!poll_once(o, e))
            return false;
    }
    return true;
}

static bool begin_delete(struct objects *o, const struct location *at, size_t which, struct err *e)
{
    const struct credential *key;
    struct flight *f;

    if (!fresh_key(o, which, &key, e) || !wait_for_turn(o, &f, e))
        return false;
    f->x = (struct exchange){.target = &o->place.catalog->integration->target,
                             .arena = &f->arena,
                             .now_ms = world_wall_ms(o->place.world),
                             .key = key};
    f->x.place = (struct location){arena_dup(&f->arena, at->bucket), arena_dup(&f->arena, at->key)};
    if (!object_delete(&f->x, e)) {
        arena_done(&f->arena);
        return false;
    }
    o->begun++;
    f->transfer = http_multi_start(o->place.http, &f->x.out, &options, &f->arena, on_deleted, f);
    return true;
}

/* A file of this machine goes while we wait. */
static bool remove_file(struct objects *o, const struct location *at, struct err *e)
{
    if (!objects_go_on(o, e) || !stored_file_remove(at->key, e))
        return false;
    o->deleted++;
    metric_add(METRIC_PURGE_FILES, 1);
    return true;
}

bool objects_delete(struct objects *o, struct sv file, struct err *e)
{
    struct location at;
    size_t which;

    if (o->failed.code != ERR_NONE) {
        *e = o->failed;
        return false;
    }
    if (!find_folder(o, file, &at, &which)) {
        count_foreign(o, file);
        return true;
    }
    return is_folder(o) ? remove_file(o, &at, e) : begin_delete(o, &at, which, e);
}

static bool any_flight(const struct objects *o)
{
    for (size_t i = 0; i < FLIGHTS; i++) {
        if (o->flights[i].transfer)
            return true;
    }
    return false;
}

bool objects_settle(struct objects *o, struct err *e)
{
    while (any_flight(o)) {
        if (!poll_once(o, e))
            return false;
    }
    *e = o->failed.code == ERR_NONE ? *e : o->failed;
    return o->failed.code == ERR_NONE;
}
