/* cache_found.c - what was found out about the world, beside the objects. */
#include "base/log.h"
#include "base/metric.h"
#include "control/cache.h"

void cache_take_unread(struct cache *c, size_t n, struct sv text)
{
    log_line(n ? LOG_ERROR : LOG_INFO, "control",
             n ? "manifests cannot be used: what they named last stays in force"
               : "all manifests can be used again",
             LOG_I64("files", n), LOG_SV("what", text));
    metric_set(METRIC_MANIFESTS_UNREAD, (int64_t)n);
    arena_done(&c->unread_arena);
    c->unread = arena_dup(&c->unread_arena, text);
}

void found_copy(struct arena *a, const struct integration_found *from, struct integration_found *to)
{
    *to = *from;
    to->why_not = arena_dup(a, from->why_not);
    to->role_arn = arena_dup(a, from->role_arn);
    to->role_created_at = arena_dup(a, from->role_created_at);
    to->scope = arena_dup(a, from->scope);
    to->verified_since = arena_dup(a, from->verified_since);
}

bool cache_found(struct object *o, const struct integration_found *f)
{
    bool same =
        o->found.known == f->known && o->found.vendable == f->vendable &&
        o->found.bulk_delete == f->bulk_delete && o->found.session_tags == f->session_tags &&
        sv_eq(o->found.why_not, f->why_not) && sv_eq(o->found.role_arn, f->role_arn) &&
        sv_eq(o->found.role_created_at, f->role_created_at) && sv_eq(o->found.scope, f->scope) &&
        sv_eq(o->found.verified_since, f->verified_since);
    struct arena fresh = {0}, old = o->found_arena;

    if (same)
        return false;
    o->found_arena = fresh;
    found_copy(&o->found_arena, f, &o->found);
    arena_done(&old);
    o->found_version++;
    return true;
}

bool cache_believe(struct object *o)
{
    const struct json *s = o->resource->status;
    auto_arena a = {0};
    struct conditions conditions = {0};
    struct integration_found f = {
        .known = true,
        .why_not = SV("its scope is not verified"),
        .role_arn = json_get_str(s, SV("roleArn")),
        .role_created_at = json_get_str(s, SV("roleCreatedAt")),
        .scope = integration_scope_of_status(s),
        .verified_since = integration_verified_since(o->resource, &a),
        .bulk_delete = json_bool(json_path(s, SV("capabilities.bulkDelete")), false),
        .session_tags = json_bool(json_path(s, SV("capabilities.sessionTags")), false)};

    if (o->resource->kind != KIND_STORAGE_INTEGRATION || !json_get(s, SV("conditions")))
        return false;
    conditions_read(s, &a, &conditions);
    for (size_t i = 0; i < conditions.n; i++) {
        if (sv_eq(conditions.p[i].type, SV("ScopeVerified")))
            f.vendable = conditions.p[i].status == CONDITION_TRUE;
    }
    if (f.vendable)
        f.why_not = (struct sv){0};
    return cache_found(o, &f);
}
