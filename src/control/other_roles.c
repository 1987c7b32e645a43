/* other_roles.c - roles of others that a vended credential of this integration could assume. */
#include <stdlib.h>

#include "base/limits.h"
#include "control/cache.h"
#include "control/pass.h"

/* A role that we manage has our guard; those of integrations that only trust theirs may not. */
void cache_give_roles(const struct cache *c, const struct object *o, struct job *j)
{
    for (const struct map_entry *i = NULL; (i = map_next(&c->objects, i));) {
        const struct object *other = i->value;
        const struct storage_integration *w = &other->resource->storage_integration;

        if (other != o && other->resource->kind == KIND_STORAGE_INTEGRATION && w->role_arn.n &&
            w->management != MANAGEMENT_MANAGED &&
            w->provider == o->resource->storage_integration.provider)
            vec_push(&j->other_roles, &j->arena, arena_dup(&j->arena, w->role_arn));
    }
}

static int by_arn(const void *x, const void *y)
{
    const struct other_role *a = x, *b = y;

    return sv_cmp(a->arn, b->arn);
}

static bool is_known(const struct pass *p, struct sv arn)
{
    bool known = sv_eq(arn, p->target.role_arn);

    for (size_t i = 0; i < p->others.n; i++)
        known = known || sv_eq(arn, p->others.p[i].arn);
    return known;
}

/* One without a policy opens nothing; one that cannot be looked at may. */
static bool is_empty(struct pass *p, struct other_role r)
{
    struct exchange x = {0};
    struct err ignored = {0};

    vec_push(&x.others, p->a, r);
    return pass_talk(p, p->target.provider->role_is_empty, &x, &ignored) && x.missing;
}

static void suspect(struct pass *p, const struct other_role *r)
{
    const struct self self = {p->caller, p->target.role_arn, p->target.provider->session_is_user};
    enum admits admits = is_known(p, r->arn) ? ADMITS_NOT : trust_admits(r->trust, &self, p->a);

    if (admits == ADMITS_NOT || is_empty(p, *r))
        return;
    vec_push(&p->others, p->a, *r);
    /* Whether it admits a session of another name cannot be tried. */
    if (admits == ADMITS_SESSION && !p->other_hole.n)
        p->other_hole = other_role_hole(r, p->a);
}

/* At AWS a role that is only trusted may be anywhere, and its account none of our business. */
static bool may_list(const struct pass *p)
{
    return p->target.provider->list_roles &&
           (p->spec->management != MANAGEMENT_NONE || p->target.provider->session_is_user);
}

static bool look_at_all(struct pass *p, struct err *e)
{
    struct exchange x = {0}, who = {0};

    if (!pass_talk(p, p->target.provider->list_roles, &x, e)) {
        if (e->code == ERR_UNAVAILABLE)
            return false;
        /* Who may not list has those that are known by name. */
        *e = (struct err){0};
        return true;
    }
    p->roles_listed = true;
    if (!p->caller.n && pass_talk(p, p->target.provider->whoami, &who, e))
        p->caller = who.caller;
    *e = (struct err){0};
    for (size_t i = 0; i < x.others.n; i++)
        suspect(p, &x.others.p[i]);
    return true;
}

/* By name, where nobody may list. */
static void take_known(struct pass *p)
{
    for (size_t i = 0; i < p->j->other_roles.n && p->others.n < LIMIT_OTHER_ROLES; i++) {
        if (!is_known(p, p->j->other_roles.p[i]))
            vec_push(&p->others, p->a, ((struct other_role){.arn = p->j->other_roles.p[i]}));
    }
}

bool pass_look_around(struct pass *p, struct err *e)
{
    if (may_list(p) && !look_at_all(p, e))
        return false;
    if (!p->roles_listed)
        take_known(p);
    if (p->others.n > LIMIT_OTHER_ROLES) {
        p->other_hole = arena_printf(
            p->a,
            "more than %d other roles may admit sessions of our user or role, too many to try; "
            "give frontdesk a user of its own that no other role trusts",
            LIMIT_OTHER_ROLES);
        p->others.n = LIMIT_OTHER_ROLES;
    }
    /* A store may list them in any order. */
    if (p->others.n)
        qsort(p->others.p, p->others.n, sizeof(p->others.p[0]), by_arn);
    return true;
}

bool pass_become(struct pass *p, const struct credential *key, struct sv *hole, struct err *e)
{
    struct exchange x = {.key = key, .others = p->others};

    *hole = p->other_hole;
    if (hole->n || !p->target.provider->become)
        return true;
    if (!pass_talk(p, p->target.provider->become, &x, e))
        return false;
    *hole = x.probe.failure;
    return true;
}
