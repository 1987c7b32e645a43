/* other_roles.c - roles of others at the same store, and whether a vended credential could assume
 * one of them. */
#include "provider/iam.h"

/* ---- listing ---- */

/* A store that always has another page is broken; AWS gives 100 roles a page. */
enum { MAX_PAGES = 100 };

static bool ask_page(struct exchange *x, struct sv marker, struct err *e)
{
    struct pairs p = {0};

    if (marker.n)
        iam_add(&p, x->arena, "Marker", marker);
    return iam_ask(x, SERVICE_IAM, &x->target->admin, "ListRoles", &p, e);
}

static void read_page(struct exchange *x, const struct xml *root)
{
    const struct xml *m = xml_find(root, SV("ListRolesResult/Roles/member"));

    for (; m; m = xml_next(m))
        vec_push(&x->others, x->arena,
                 ((struct other_role){
                     .arn = xml_text(m, SV("Arn")),
                     .name = xml_text(m, SV("RoleName")),
                     .trust = iam_document(x, xml_text(m, SV("AssumeRolePolicyDocument")))}));
}

bool iam_list_roles(struct exchange *x, struct err *e)
{
    const struct xml *root;
    struct sv marker;

    if (x->round == 0) {
        x->others = (struct other_roles){0};
        return ask_page(x, (struct sv){0}, e);
    }
    if (!iam_answer(x, "listing roles", &root, e)) {
        /* RGW says so where there is none at all. */
        x->done = e->code == ERR_NOT_FOUND;
        return x->done;
    }
    if (x->round > MAX_PAGES)
        return err_set(e, ERR_UNAVAILABLE, "listing roles: still more after %d answers", MAX_PAGES);
    read_page(x, root);
    marker = iam_marker(root, "ListRolesResult");
    x->done = marker.n == 0;
    return x->done || ask_page(x, marker, e);
}

/* A role without a policy opens nothing. RGW before 20 knows no attached ones. */
bool iam_role_is_empty(struct exchange *x, struct err *e)
{
    static const char *const actions[] = {"ListRolePolicies", "ListAttachedRolePolicies"};
    static const char *const found[] = {"ListRolePoliciesResult/PolicyNames/member",
                                        "ListAttachedRolePoliciesResult/AttachedPolicies/member"};
    const struct xml *root = NULL;
    struct pairs p = {0};

    if (x->round > 0) {
        bool unknown = x->round == 2 && (x->in.status == 405 || x->in.status == 501);

        if (!unknown && !iam_answer(x, actions[x->round - 1], &root, e))
            return false;
        x->missing = unknown || !xml_find(root, sv_from(found[x->round - 1]));
        x->done = !x->missing || x->round == 2;
        if (x->done)
            return true;
    }
    iam_add(&p, x->arena, "RoleName", x->others.p[0].name);
    return iam_ask(x, SERVICE_IAM, &x->target->admin, actions[x->round], &p, e);
}

/* ---- reading a trust policy ---- */

static size_t count_of(const struct json *v)
{
    return json_kind(v) == JSON_ARRAY ? json_count(v) : v != NULL;
}

static struct sv text_at(const struct json *v, size_t i)
{
    return json_str(json_kind(v) == JSON_ARRAY ? json_at(v, i) : v, (struct sv){0});
}

/* "arn:aws:sts::T:assumed-role/[PATH/]NAME/SESSION" of that role. */
static bool is_session_of(struct sv principal, struct sv name)
{
    struct sv rest, session;
    ptrdiff_t at = sv_find(principal, '/'), last = sv_rfind(principal, '/');

    if (at < 0 || last <= at || !sv_ends(sv_first(principal, (size_t)at), SV(":assumed-role")))
        return false;
    session = sv_first(principal, (size_t)last);
    rest = sv_skip(session, (size_t)sv_rfind(session, '/') + 1);
    return sv_eq(rest, name);
}

static enum admits of_principal(struct sv p, const struct self *self)
{
    ptrdiff_t slash = sv_rfind(self->role_arn, '/');
    struct sv name = slash < 0 ? self->role_arn : sv_skip(self->role_arn, (size_t)slash + 1);

    if (name.n && is_session_of(p, name))
        return ADMITS_SESSION;
    if (sv_eq(p, SV("*")) || (self->role_arn.n && sv_eq(p, self->role_arn)))
        return ADMITS_MAYBE;
    if (!self->session_is_user)
        return ADMITS_NOT;
    /* Who the user is may be unknown; then every user may be ours. */
    return sv_eq(p, self->user_arn) || sv_ends(p, SV(":root")) ||
                   (!self->user_arn.n && sv_contains(p, SV(":user/")))
               ? ADMITS_MAYBE
               : ADMITS_NOT;
}

static enum admits of_principals(const struct json *statement, const struct self *self)
{
    const struct json *all = json_get(statement, SV("Principal"));
    const struct json *list = json_kind(all) == JSON_OBJECT ? json_get(all, SV("AWS")) : all;
    enum admits most = json_has(statement, SV("NotPrincipal")) ? ADMITS_MAYBE : ADMITS_NOT;

    for (size_t i = 0; i < count_of(list); i++) {
        enum admits one = of_principal(text_at(list, i), self);

        most = one > most ? one : most;
    }
    return most;
}

/* {"Null":{"aws:TokenIssueTime":"true"}}: whoever has a session is turned away. */
static bool is_guarded(const struct json *statement)
{
    struct json *keys, *value;
    struct sv op, key;

    for (size_t i = 0; json_member(json_get(statement, SV("Condition")), i, &op, &keys); i++) {
        for (size_t j = 0; sv_eq_nocase(op, SV("Null")) && json_member(keys, j, &key, &value);
             j++) {
            bool truth = json_bool(value, false) ||
                         (count_of(value) == 1 && sv_eq_nocase(text_at(value, 0), SV("true")));

            if (sv_eq_nocase(key, SV("aws:TokenIssueTime")) && truth)
                return true;
        }
    }
    return false;
}

static enum admits of_statement(const struct json *s, const struct self *self)
{
    if (!sv_eq(json_get_str(s, SV("Effect")), SV("Allow")) ||
        (self->session_is_user && is_guarded(s)))
        return ADMITS_NOT;
    return of_principals(s, self);
}

enum admits trust_admits(struct sv trust, const struct self *self, struct arena *scratch)
{
    struct json *policy, *list;
    struct err ignored = {0};
    enum admits most = ADMITS_NOT;

    if (!json_read(trust, scratch, &policy, &ignored))
        return ADMITS_MAYBE;
    list = json_get(policy, SV("Statement"));
    if (json_kind(list) == JSON_OBJECT)
        return of_statement(list, self);
    for (size_t i = 0; json_kind(list) == JSON_ARRAY && i < json_count(list); i++) {
        enum admits one = of_statement(json_at(list, i), self);

        most = one > most ? one : most;
    }
    return most;
}

/* ---- trying ---- */

/* What is tried, in order: to become the user, to manage roles, and each role. AWS gives no session
 * to a session, so there the first is left out. */
enum { BECOME_USER, MANAGE_ROLES, FIRST_ROLE };

static size_t trial(const struct exchange *x)
{
    return x->round + (x->target->provider->session_is_user ? BECOME_USER : MANAGE_ROLES);
}

static struct sv name_of(struct sv arn)
{
    ptrdiff_t slash = sv_rfind(arn, '/');

    return sv_skip(arn, (size_t)(slash + 1));
}

static bool ask_to_become(struct exchange *x, struct err *e)
{
    struct pairs p = {0};
    size_t i = trial(x);

    if (i == BECOME_USER)
        return iam_ask(x, SERVICE_STS, x->key, "GetSessionToken", &p, e);
    if (i == MANAGE_ROLES) {
        /* RGW refuses ListRoles to whoever may GetRole. */
        iam_add(&p, x->arena, "RoleName", name_of(x->target->role_arn));
        return iam_ask(x, SERVICE_IAM, x->key, "GetRole", &p, e);
    }
    iam_add(&p, x->arena, "RoleArn", x->others.p[i - FIRST_ROLE].arn);
    iam_add(&p, x->arena, "RoleSessionName", SV("frontdesk-probe"));
    return iam_ask(x, SERVICE_STS, x->key, "AssumeRole", &p, e);
}

struct sv other_role_hole(const struct other_role *r, struct arena *a)
{
    return arena_printf(a,
                        "a vended credential could become the role " SV_FMT
                        ", which admits sessions of our user or role; give frontdesk a user of its "
                        "own that no other role trusts, or put the condition Null "
                        "aws:TokenIssueTime true into the trust policy of " SV_FMT,
                        SV_ARG(r->arn), SV_ARG(name_of(r->arn)));
}

static struct sv hole_of(struct exchange *x, size_t tried)
{
    if (tried == BECOME_USER)
        return SV("a vended credential could become our own user by GetSessionToken; let no policy "
                  "of the role or of policyTemplates allow actions of sts");
    if (tried == MANAGE_ROLES)
        return SV("a vended credential could manage roles, as GetRole was not refused; let no "
                  "policy of the role or of policyTemplates allow actions of iam");
    return other_role_hole(&x->others.p[tried - FIRST_ROLE], x->arena);
}

/* A store that does not know the call (405, 501) or the role (404) gives nothing away by it. What
 * is no answer of the store's, or one to ask again, proves nothing. */
static bool was_refused(struct exchange *x, struct err *e)
{
    int status = x->in.status;

    (void)store_error(&x->in, "probing what a credential may become", x->arena, e);
    if (status == 404 || status == 405 || status == 501 ||
        (status / 100 == 4 && e->code != ERR_UNAVAILABLE)) {
        *e = (struct err){0};
        return true;
    }
    e->code = ERR_UNAVAILABLE;
    return false;
}

bool iam_become(struct exchange *x, struct err *e)
{
    if (x->round > 0) {
        if (x->in.status / 100 == 2)
            x->probe.failure = hole_of(x, trial(x) - 1);
        else if (!was_refused(x, e))
            return false;
        x->done = x->probe.failure.n || trial(x) == FIRST_ROLE + x->others.n;
    }
    return x->done || ask_to_become(x, e);
}
