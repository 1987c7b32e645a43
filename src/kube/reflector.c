/* reflector.c - the loop that follows one collection, as a state machine. */
#include "kube/reflector.h"

#include "base/limits.h"
#include "kube/exchange.h"
#include "kube/reflect_tell.h"

enum { VERSION_BYTES = 1024, TOKEN_BYTES = 16 * 1024, KIND_BYTES = 256 };
enum { WATCH_MIN_S = 300, WATCH_MAX_S = 600 };

static enum reflect_phase first_phase(const struct reflector *r)
{
    return *r->no_watchlist ? REFLECT_LIST : REFLECT_WATCHLIST;
}

void reflector_init(struct reflector *r, const struct watch_options *o, const struct world *w,
                    bool *no_watchlist)
{
    *r = (struct reflector){.options = *o, .world = w};
    r->no_watchlist = no_watchlist;
    r->phase = first_phase(r);
    r->version = buf_new(&r->arena, VERSION_BYTES);
    r->continue_token = buf_new(&r->arena, TOKEN_BYTES);
    r->kind = buf_new(&r->arena, KIND_BYTES);
    r->told = buf_new(&r->arena, sizeof(r->why.msg));
    r->failed_ms = r->expired_ms = -REFLECT_FORGIVE_MS;
    split_init(&r->split, LIMIT_WATCH_LINE_BYTES);
}

void reflector_done(struct reflector *r)
{
    split_done(&r->split);
    names_done(&r->names);
    arena_done(&r->arena);
}

void reflector_mute(struct reflector *r)
{
    r->muted = true;
}

/* ---- waiting ---- */

/* Failures count up to the cap only: what waited briefly many times does not wait long at once. */
static int64_t backoff_ms(struct reflector *r, int64_t now_ms, int64_t cap_ms)
{
    int64_t ms = REFLECT_BACKOFF_MS;

    if (now_ms - r->failed_ms > REFLECT_FORGIVE_MS)
        r->failures = 0;
    r->failed_ms = now_ms;
    for (unsigned i = 0; i < r->failures && ms < cap_ms; i++)
        ms *= 2;
    if (ms < cap_ms)
        r->failures++;
    else
        ms = cap_ms;
    return ms + (int64_t)world_below(r->world, (uint64_t)ms);
}

/* A kind that is missing may be served any moment; a server that names a time means it. */
static bool is_brief(const struct kube_reply *reply)
{
    return reply && (reply->status == 404 || reply->retry_after_ms);
}

static void fail(struct reflector *r, const struct kube_reply *reply, const struct err *why,
                 int64_t now_ms)
{
    int64_t cap_ms = is_brief(reply) ? REFLECT_BRIEF_CAP_MS : REFLECT_BACKOFF_CAP_MS;
    int64_t wait_ms = backoff_ms(r, now_ms, cap_ms);

    if (reply && reply->retry_after_ms > wait_ms)
        wait_ms = reply->retry_after_ms;
    r->due_ms = now_ms + wait_ms;
    reflect_failed(r, why);
}

static void begin_anew(struct reflector *r)
{
    r->phase = first_phase(r);
    r->refusals = 0;
    buf_clear(&r->version);
    buf_clear(&r->continue_token);
}

/* At once the first time; a server that calls fresh versions old is not asked at full speed. */
static void expire(struct reflector *r, int64_t now_ms)
{
    bool again = now_ms - r->expired_ms < REFLECT_FORGIVE_MS / 2;

    r->expired_ms = now_ms;
    r->due_ms = again ? now_ms + backoff_ms(r, now_ms, REFLECT_BACKOFF_CAP_MS) : now_ms;
    begin_anew(r);
}

static void do_without_watchlist(struct reflector *r, int64_t now_ms)
{
    *r->no_watchlist = true;
    r->due_ms = now_ms;
    begin_anew(r);
}

/* ---- asking ---- */

static void add_query(struct reflector_request *q, struct arena *a, const char *name,
                      struct sv value)
{
    struct pair p = {sv_from(name), value};

    if (value.n)
        vec_push(&q->request.query, a, p);
}

static void ask_for_stream(struct reflector *r, struct arena *a, struct reflector_request *q)
{
    unsigned seconds = WATCH_MIN_S + (unsigned)world_below(r->world, WATCH_MAX_S - WATCH_MIN_S + 1);

    q->streams = true;
    q->accept = r->options.metadata_only
                    ? SV("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
                    : SV("application/json");
    add_query(q, a, "watch", SV("true"));
    add_query(q, a, "allowWatchBookmarks", SV("true"));
    add_query(q, a, "timeoutSeconds", arena_printf(a, "%u", seconds));
    if (r->phase == REFLECT_WATCH) {
        add_query(q, a, "resourceVersion", arena_dup(a, buf_sv(&r->version)));
        return;
    }
    add_query(q, a, "sendInitialEvents", SV("true"));
    add_query(q, a, "resourceVersionMatch", SV("NotOlderThan"));
}

static void ask_for_page(struct reflector *r, struct arena *a, struct reflector_request *q)
{
    q->accept = r->options.metadata_only
                    ? SV("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
                    : SV("application/json");
    add_query(q, a, "limit", arena_printf(a, "%d", REFLECT_PAGE));
    add_query(q, a, "continue", arena_dup(a, buf_sv(&r->continue_token)));
}

void reflector_begin(struct reflector *r, int64_t now_ms, struct arena *a,
                     struct reflector_request *out)
{
    *out = (struct reflector_request){.request.method = HTTP_GET};
    if (r->phase == REFLECT_WATCHLIST)
        r->phase = first_phase(r);
    out->request.path = kube_path(a, &r->options.collection);
    add_query(out, a, "labelSelector", r->options.label_selector);
    add_query(out, a, "fieldSelector", r->options.field_selector);
    if (r->phase == REFLECT_LIST)
        ask_for_page(r, a, out);
    else
        ask_for_stream(r, a, out);
    if (r->phase != REFLECT_WATCH && !r->continue_token.n) {
        r->names.round++;
        buf_clear(&r->kind);
    }
    split_reset(&r->split);
    r->began_ms = now_ms;
    r->under_way = true;
    r->some_bytes = r->some_event = false;
    r->broken = BREAK_NONE;
}

/* ---- the stream ---- */

static bool break_off(struct reflector *r, enum reflect_break broken)
{
    r->broken = broken;
    return false;
}

static bool read_error(struct reflector *r, const struct json *status)
{
    struct sv message = json_get_str(status, SV("message"));
    int64_t code = json_i64(json_get(status, SV("code")), 0);

    (void)err_set(&r->why, ERR_UNAVAILABLE, SV_FMT " (in the watch, code %d)", SV_ARG(message),
                  (int)code);
    if (code == 410 || sv_eq(json_get_str(status, SV("reason")), SV("Expired")))
        return break_off(r, BREAK_EXPIRED);
    if (r->phase == REFLECT_WATCHLIST && sv_contains(message, SV("RequestWatchProgress")))
        return break_off(r, BREAK_UNOFFERED);
    return break_off(r, BREAK_REFUSED);
}

static bool ends_initial_events(const struct json *object)
{
    const struct json *annotations = json_path(object, SV("metadata.annotations"));

    return sv_eq(json_get_str(annotations, SV("k8s.io/initial-events-end")), SV("true"));
}

/* A server too old for WatchList ignores what it does not know, and never says that all was told:
 * its first bookmark gives it away. */
static bool read_bookmark(struct reflector *r, const struct json *object)
{
    if (r->phase == REFLECT_WATCH)
        reflect_version(r, reflect_version_of(object));
    else if (ends_initial_events(object))
        reflect_complete(r, reflect_version_of(object));
    else
        return break_off(r, BREAK_UNOFFERED);
    return true;
}

static bool read_event(struct reflector *r, const struct json *event, struct arena *a)
{
    struct sv type = json_get_str(event, SV("type"));
    const struct json *object = json_get(event, SV("object"));

    if (sv_eq(type, SV("ERROR")))
        return read_error(r, object);
    r->some_event = true;
    r->refusals = 0;
    if (sv_eq(type, SV("BOOKMARK")))
        return read_bookmark(r, object);
    if (sv_eq(type, SV("DELETED")))
        reflect_deleted(r, object, a);
    else if ((sv_eq(type, SV("ADDED")) || sv_eq(type, SV("MODIFIED"))) &&
             !reflect_applied(r, object, a, &r->why))
        return break_off(r, BREAK_NONSENSE);
    /* Initial events come in no order of versions: only what follows is a place to resume at. */
    if (r->phase == REFLECT_WATCH)
        reflect_version(r, reflect_version_of(object));
    return true;
}

static bool read_line(struct sv line, void *context)
{
    auto_arena a = {0};
    struct reflector *r = context;
    struct json *event = NULL;

    if (r->muted)
        return false;
    if (!json_read(line, &a, &event, &r->why)) {
        (void)err_wrap(&r->why, "a watch event that is no JSON");
        return break_off(r, BREAK_NONSENSE);
    }
    return read_event(r, event, &a);
}

bool reflector_bytes(struct reflector *r, struct sv piece)
{
    struct err e = {0};

    r->some_bytes = true;
    if (!split_feed(&r->split, piece, read_line, r, &e)) {
        if (e.code != ERR_NONE) {
            r->why = e;
            r->broken = BREAK_NONSENSE;
        }
        return false;
    }
    if (r->failing && r->phase == REFLECT_WATCH && r->some_event)
        reflect_synced(r);
    return true;
}

/* ---- the end ---- */

static void end_broken(struct reflector *r, int64_t now_ms)
{
    switch (r->broken) {
    case BREAK_EXPIRED:
        expire(r, now_ms);
        return;
    case BREAK_UNOFFERED:
        do_without_watchlist(r, now_ms);
        return;
    case BREAK_NONSENSE:
        begin_anew(r);
        break;
    case BREAK_REFUSED:
        if (++r->refusals >= REFLECT_REFUSALS)
            begin_anew(r);
        break;
    case BREAK_NONE:
        break;
    }
    fail(r, NULL, &r->why, now_ms);
}

/* A connection that carried something and broke is tried again at once, from the last version: a
 * server that is gone will refuse that one, and then we wait. */
static void end_unanswered(struct reflector *r, const struct err *why, int64_t now_ms)
{
    if (r->phase == REFLECT_WATCH && r->some_bytes)
        r->due_ms = now_ms;
    else
        fail(r, NULL, why, now_ms);
}

static void end_stream(struct reflector *r, int64_t now_ms)
{
    struct err why = {0};

    if (r->phase == REFLECT_WATCHLIST) {
        (void)err_set(&why, ERR_UNAVAILABLE, "the watch ended before all objects were told");
        fail(r, NULL, &why, now_ms);
        return;
    }
    r->due_ms = now_ms;
    if (!r->some_event && now_ms - r->began_ms < REFLECT_SHORT_MS)
        r->due_ms += backoff_ms(r, now_ms, REFLECT_BACKOFF_CAP_MS);
    else if (r->failing)
        reflect_synced(r);
}

/* Items of built-in kinds say neither their kind nor their group; the list does. */
static void name_kind(const struct json *list, struct json *item, struct arena *a)
{
    struct sv kind = json_get_str(list, SV("kind"));

    if (json_kind(item) != JSON_OBJECT || json_has(item, SV("kind")) || !sv_ends(kind, SV("List")))
        return;
    json_set_str(item, a, SV("kind"), sv_first(kind, kind.n - 4));
    json_set_str(item, a, SV("apiVersion"), json_get_str(list, SV("apiVersion")));
}

static void end_page(struct reflector *r, const struct json *list, int64_t now_ms, struct arena *a)
{
    const struct json *items = json_get(list, SV("items"));
    struct sv token = json_str(json_path(list, SV("metadata.continue")), (struct sv){0});
    struct err why = {0};

    r->due_ms = now_ms;
    for (size_t i = 0; i < json_count(items); i++) {
        struct json *item = json_at(items, i);

        name_kind(list, item, a);
        if (reflect_applied(r, item, a, &why))
            continue;
        begin_anew(r);
        fail(r, NULL, &why, now_ms);
        return;
    }
    buf_clear(&r->continue_token);
    buf_add(&r->continue_token, token);
    if (!token.n)
        reflect_complete(r, reflect_version_of(list));
}

static bool is_a_list(const struct json *body)
{
    return sv_ends(json_get_str(body, SV("kind")), SV("List")) && reflect_version_of(body).n != 0;
}

static bool all_have_names(const struct json *items)
{
    for (size_t i = 0; i < json_count(items); i++) {
        if (!json_str(json_path(json_at(items, i), SV("metadata.name")), (struct sv){0}).n)
            return false;
    }
    return true;
}

/* What a list does not name counts as deleted: one that lacks a part, or says that more follows and
 * not where, is none. Servers in Go say null for a list without items; of a collection that had
 * some it is not believed. */
static bool is_whole(const struct reflector *r, const struct json *list)
{
    const struct json *m = json_get(list, SV("metadata")), *items = json_get(list, SV("items"));
    const struct json *token = json_get(m, SV("continue"));
    bool goes_on = json_str(token, (struct sv){0}).n != 0;

    if (json_kind(items) != JSON_ARRAY && (items || names_count(&r->names)))
        return false;
    if (token && json_kind(token) != JSON_STRING)
        return false;
    return (goes_on || json_i64(json_get(m, SV("remainingItemCount")), 0) == 0) &&
           all_have_names(items);
}

static void end_list(struct reflector *r, const struct kube_reply *reply, int64_t now_ms,
                     struct arena *a)
{
    struct err why = {0};

    if (is_a_list(reply->body) && is_whole(r, reply->body)) {
        end_page(r, reply->body, now_ms, a);
        return;
    }
    (void)err_set(&why, ERR_UNAVAILABLE,
                  is_a_list(reply->body) ? "the list of " SV_FMT " is not whole"
                                         : "the answer is no list of " SV_FMT
                                           "; is something else at this address?",
                  SV_ARG(r->options.collection.resource));
    begin_anew(r);
    fail(r, NULL, &why, now_ms);
}

/* Whether waiting cannot help and only a fresh list does: the kind is gone, or the version is one
 * that this server will not have. */
static bool needs_a_list(const struct reflector *r, const struct kube_reply *reply)
{
    struct sv message = json_get_str(reply->body, SV("message"));

    if (r->phase != REFLECT_WATCH)
        return false;
    return reply->status == 400 || reply->status == 404 || reply->status == 422 ||
           (reply->status == 504 && sv_contains(message, SV("resource version")));
}

static void end_refused(struct reflector *r, const struct kube_reply *reply, int64_t now_ms)
{
    struct err why = {0};

    if (exchange_check(reply, &why))
        return;
    if (reply->status == 410) {
        expire(r, now_ms);
        return;
    }
    if (r->phase == REFLECT_WATCHLIST && (reply->status == 400 || reply->status == 422)) {
        do_without_watchlist(r, now_ms);
        return;
    }
    if (needs_a_list(r, reply))
        begin_anew(r);
    fail(r, reply, &why, now_ms);
}

void reflector_end(struct reflector *r, const struct kube_reply *reply, const struct err *why,
                   int64_t now_ms, struct arena *a)
{
    r->under_way = false;
    split_reset(&r->split);
    if (r->broken != BREAK_NONE)
        end_broken(r, now_ms);
    else if (!reply)
        end_unanswered(r, why, now_ms);
    else if (reply->status / 100 != 2)
        end_refused(r, reply, now_ms);
    else if (r->phase == REFLECT_LIST)
        end_list(r, reply, now_ms, a);
    else
        end_stream(r, now_ms);
}

void reflector_again(struct reflector *r, int64_t now_ms)
{
    r->under_way = false;
    r->due_ms = now_ms;
}

static bool may_settle(const struct reflector *r)
{
    return r->under_way && r->failing && r->phase == REFLECT_WATCH;
}

void reflector_tick(struct reflector *r, int64_t now_ms)
{
    if (may_settle(r) && now_ms - r->began_ms >= REFLECT_SETTLED_MS)
        reflect_synced(r);
}

int64_t reflector_next_ms(const struct reflector *r)
{
    if (!r->under_way)
        return r->due_ms;
    return may_settle(r) ? r->began_ms + REFLECT_SETTLED_MS : INT64_MAX;
}
