/* role.c - reading and changing a role through IAM. */
#include <assert.h>

#include "provider/iam.h"

/* ---- observing ---- */

/* A role has a few policies and at most 50 tags; a store that always has another page is broken. */
enum { MAX_LOOKS = 256 };

/* What is asked next. */
enum look { LOOK_ROLE, LOOK_POLICIES, LOOK_POLICY, LOOK_TAGS };
struct observing {
    enum look look;
    struct sv_vec names;
    size_t next; /* of names */
    struct sv marker;
};

static bool ask_iam(struct exchange *x, const char *action, const struct pairs *p, struct err *e)
{
    return iam_ask(x, SERVICE_IAM, &x->target->admin, action, p, e);
}

static bool ask_about(struct exchange *x, struct observing *o, struct err *e)
{
    static const char *const actions[] = {"GetRole", "ListRolePolicies", "GetRolePolicy",
                                          "ListRoleTags"};
    struct pairs p = {0};

    iam_add(&p, x->arena, "RoleName", x->want->name);
    if (o->look == LOOK_POLICY)
        iam_add(&p, x->arena, "PolicyName", o->names.p[o->next]);
    if (o->marker.n)
        iam_add(&p, x->arena, "Marker", o->marker);
    return ask_iam(x, actions[o->look], &p, e);
}

struct sv iam_document(struct exchange *x, struct sv text)
{
    struct err ignored = {0};
    struct sv decoded;

    if (sv_starts(sv_trim(text), SV("%7B")) &&
        uri_decode(text, false, x->arena, &decoded, &ignored))
        return decoded;
    return text;
}

static void read_role(struct exchange *x, const struct xml *root)
{
    const struct xml *role = xml_find(root, SV("GetRoleResult/Role"));
    int64_t seconds = 0;

    x->have.exists = true;
    x->have.arn = xml_text(role, SV("Arn"));
    x->have.trust = iam_document(x, xml_text(role, SV("AssumeRolePolicyDocument")));
    if (sv_i64(xml_text(role, SV("MaxSessionDuration")), &seconds) && seconds < 1000000)
        x->have.max_session_seconds = (int)seconds;
}

static void read_names(struct exchange *x, const struct xml *root, struct observing *o)
{
    const struct xml *m = xml_find(root, SV("ListRolePoliciesResult/PolicyNames/member"));

    for (; m; m = xml_next(m))
        vec_push(&o->names, x->arena, m->text);
}

static void read_policy(struct exchange *x, const struct xml *root, struct observing *o)
{
    struct sv text = xml_text(root, SV("GetRolePolicyResult/PolicyDocument"));

    vec_push(&x->have.policies, x->arena,
             ((struct role_policy){o->names.p[o->next++], iam_document(x, text)}));
}

/* AWS: Tags/member/{Key,Value}. RGW: Tags/member or Tags, with
 * <Key><Key>k</Key></Key><Value><Value>v</Value></Value>. */
static void read_tag(struct exchange *x, const struct xml *at)
{
    struct sv key = xml_text(at, SV("Key/Key")), value = xml_text(at, SV("Value/Value"));

    if (!key.n) {
        key = xml_text(at, SV("Key"));
        value = xml_text(at, SV("Value"));
    }
    if (key.n)
        vec_push(&x->have.tags, x->arena, ((struct tag){key, value}));
}

static void read_tags(struct exchange *x, const struct xml *root)
{
    const struct xml *tags = xml_find(root, SV("ListRoleTagsResult/Tags"));
    const struct xml *member = xml_find(tags, SV("member"));
    const struct xml *key = xml_find(tags, SV("Key")), *value = xml_find(tags, SV("Value"));

    for (; member; member = xml_next(member))
        read_tag(x, member);
    for (; key && value; key = xml_next(key), value = xml_next(value))
        vec_push(&x->have.tags, x->arena,
                 ((struct tag){xml_text(key, SV("Key")), xml_text(value, SV("Value"))}));
}

struct sv iam_marker(const struct xml *root, const char *result)
{
    const struct xml *r = xml_find(root, sv_from(result));

    return sv_eq(xml_text(r, SV("IsTruncated")), SV("true")) ? xml_text(r, SV("Marker"))
                                                             : (struct sv){0};
}

static bool has_more(const struct xml *root, const char *result, struct observing *o)
{
    o->marker = iam_marker(root, result);
    return o->marker.n != 0;
}

/* Reads an answer and chooses the next question; false when there is none left. */
static bool learn(struct exchange *x, struct observing *o, const struct xml *root)
{
    switch (o->look) {
    case LOOK_ROLE:
        read_role(x, root);
        o->look = LOOK_POLICIES;
        return true;
    case LOOK_POLICIES:
        read_names(x, root, o);
        if (!has_more(root, "ListRolePoliciesResult", o))
            o->look = o->names.n ? LOOK_POLICY : LOOK_TAGS;
        return true;
    case LOOK_POLICY:
        read_policy(x, root, o);
        if (o->next == o->names.n)
            o->look = LOOK_TAGS;
        return true;
    case LOOK_TAGS:
        break;
    }
    read_tags(x, root);
    return has_more(root, "ListRoleTagsResult", o);
}

bool iam_observe(struct exchange *x, struct err *e)
{
    struct observing *o = x->scratch;
    const struct xml *root;

    if (x->round == 0) {
        x->scratch = o = arena_new(x->arena, struct observing);
        x->have = (struct role_have){0};
        return ask_about(x, o, e);
    }
    if (!iam_answer(x, "reading the role", &root, e)) {
        /* Absent, or gone while we looked. */
        x->have.exists = false;
        x->done = e->code == ERR_NOT_FOUND;
        return x->done;
    }
    if (x->round > MAX_LOOKS)
        return err_set(e, ERR_UNAVAILABLE, "reading the role: still more after %d answers",
                       MAX_LOOKS);
    if (learn(x, o, root))
        return ask_about(x, o, e);
    x->done = true;
    return true;
}

/* ---- changing ---- */

static void add_tags(struct exchange *x, struct pairs *p)
{
    for (size_t i = 0; i < x->want->tags.n; i++) {
        struct sv key = arena_printf(x->arena, "Tags.member.%zu.Key", i + 1);
        struct sv value = arena_printf(x->arena, "Tags.member.%zu.Value", i + 1);

        iam_add(p, x->arena, key.p, x->want->tags.p[i].key);
        iam_add(p, x->arena, value.p, x->want->tags.p[i].value);
    }
}

static const char *parameters_of(struct exchange *x, struct pairs *p)
{
    struct arena *a = x->arena;

    iam_add(p, a, "RoleName", x->want->name);
    switch (x->step.kind) {
    case ROLE_CREATE:
        iam_add(p, a, "Path", x->want->path);
        iam_add(p, a, "AssumeRolePolicyDocument", x->want->trust);
        iam_add(p, a, "MaxSessionDuration", arena_printf(a, "%d", x->want->max_session_seconds));
        add_tags(x, p);
        return "CreateRole";
    case ROLE_PUT_TRUST:
        iam_add(p, a, "PolicyDocument", x->want->trust);
        return "UpdateAssumeRolePolicy";
    case ROLE_PUT_POLICY:
        iam_add(p, a, "PolicyName", SV(ROLE_POLICY_NAME));
        iam_add(p, a, "PolicyDocument", x->want->permissions);
        return "PutRolePolicy";
    case ROLE_PUT_SESSION:
        iam_add(p, a, "MaxSessionDuration", arena_printf(a, "%d", x->want->max_session_seconds));
        return "UpdateRole";
    case ROLE_TAG:
        add_tags(x, p);
        return "TagRole";
    case ROLE_DELETE_POLICY:
        iam_add(p, a, "PolicyName", x->step.name);
        return "DeleteRolePolicy";
    case ROLE_DELETE:
        break;
    }
    return "DeleteRole";
}

bool iam_change(struct exchange *x, struct err *e)
{
    struct pairs p = {0};
    const char *action = parameters_of(x, &p);
    bool removal = x->step.kind == ROLE_DELETE_POLICY || x->step.kind == ROLE_DELETE;

    if (x->round == 0)
        return ask_iam(x, action, &p, e);
    /* RGW before 18 has no UpdateRole and says so with 405. */
    x->unsupported =
        x->step.kind == ROLE_PUT_SESSION && (x->in.status == 405 || x->in.status == 501);
    x->done =
        x->in.status / 100 == 2 || x->unsupported || (removal && store_lacks(&x->in, x->arena));
    return x->done || store_error(&x->in, action, x->arena, e);
}

/* ---- planning ---- */

static const struct tag *find_tag(const struct tags *tags, struct sv key)
{
    for (size_t i = 0; i < tags->n; i++) {
        if (sv_eq(tags->p[i].key, key))
            return &tags->p[i];
    }
    return NULL;
}

static bool tags_are_there(const struct tags *want, const struct tags *have)
{
    for (size_t i = 0; i < want->n; i++) {
        const struct tag *t = find_tag(have, want->p[i].key);

        if (!t || !sv_eq(t->value, want->p[i].value))
            return false;
    }
    return true;
}

bool role_is_ours(const struct role_have *have, struct sv uid)
{
    const struct tag *owner = find_tag(&have->tags, SV(TAG_OWNER));
    const struct tag *of = find_tag(&have->tags, SV(TAG_UID));

    return owner && of && sv_eq(owner->value, SV("frontdesk")) && sv_eq(of->value, uid);
}

struct sv role_object(const struct role_have *have)
{
    const struct tag *owner = find_tag(&have->tags, SV(TAG_OWNER));
    const struct tag *object = find_tag(&have->tags, SV(TAG_OBJECT));

    return owner && object && sv_eq(owner->value, SV("frontdesk")) ? object->value : (struct sv){0};
}

static void add_step(struct role_steps *out, struct arena *a, enum role_step_kind kind,
                     struct sv name, const char *why)
{
    vec_push(out, a, ((struct role_step){kind, name, why}));
}

/* A store that does not tell it has none to compare. */
static bool session_differs(const struct role_want *want, const struct role_have *have)
{
    return have->max_session_seconds && have->max_session_seconds != want->max_session_seconds;
}

void role_plan(const struct role_want *want, const struct role_have *have, struct arena *a,
               struct role_steps *out)
{
    bool has_policy = false;

    if (!have->exists)
        add_step(out, a, ROLE_CREATE, (struct sv){0}, "the role does not exist");
    else if (!policy_means_same(want->trust, have->trust, a))
        add_step(out, a, ROLE_PUT_TRUST, (struct sv){0}, "the trust policy differs");
    for (size_t i = 0; i < have->policies.n; i++) {
        const struct role_policy *p = &have->policies.p[i];

        /* Any other policy on a role of ours would widen every key that is minted from it. */
        if (!sv_eq(p->name, SV(ROLE_POLICY_NAME)))
            add_step(out, a, ROLE_DELETE_POLICY, p->name,
                     "a policy that is not ours widens the role");
        else
            has_policy = policy_means_same(want->permissions, p->document, a);
    }
    if (!has_policy)
        add_step(out, a, ROLE_PUT_POLICY, (struct sv){0}, "the permissions differ");
    if (have->exists && session_differs(want, have))
        add_step(out, a, ROLE_PUT_SESSION, (struct sv){0}, "the longest session differs");
    if (have->exists && !tags_are_there(&want->tags, &have->tags))
        add_step(out, a, ROLE_TAG, (struct sv){0}, "tags are missing");
}

/* ---- telling ---- */

enum { MAX_TOLD_BYTES = 4096, MAX_DOCUMENT_BYTES = 900 };

/* "; " between two differences. */
static struct buf *next(struct buf *b)
{
    if (b->n)
        buf_add(b, SV("; "));
    return b;
}

static void tell_permissions(const struct role_want *want, const struct role_have *have,
                             struct arena *a, struct buf *b)
{
    const struct role_policy *right = NULL;

    for (size_t i = 0; i < have->policies.n && !right; i++) {
        if (policy_means_same(want->permissions, have->policies.p[i].document, a))
            right = &have->policies.p[i];
    }
    if (!right)
        buf_addf(next(b), "no inline policy is " SV_FMT,
                 SV_ARG(sv_first(want->permissions, MAX_DOCUMENT_BYTES)));
    for (size_t i = 0; i < have->policies.n; i++) {
        if (&have->policies.p[i] != right)
            buf_addf(next(b), "the inline policy " SV_FMT " is not expected",
                     SV_ARG(have->policies.p[i].name));
    }
}

static void tell_tag(const struct tag *want, const struct tag *have, struct buf *b)
{
    if (!have)
        buf_addf(next(b), "the tag " SV_FMT " is missing", SV_ARG(want->key));
    else if (!sv_eq(have->value, want->value))
        buf_addf(next(b), "the tag " SV_FMT " is \"" SV_FMT "\", not \"" SV_FMT "\"",
                 SV_ARG(want->key), SV_ARG(sv_first(have->value, 80)),
                 SV_ARG(sv_first(want->value, 80)));
}

struct sv role_differences(const struct role_want *want, const struct role_have *have,
                           struct arena *a)
{
    struct buf b = buf_new(a, MAX_TOLD_BYTES);

    if (!policy_means_same(want->trust, have->trust, a))
        buf_addf(next(&b), "the trust policy is not " SV_FMT,
                 SV_ARG(sv_first(want->trust, MAX_DOCUMENT_BYTES)));
    tell_permissions(want, have, a, &b);
    if (session_differs(want, have))
        buf_addf(next(&b), "the longest session is %d s, not %d s", have->max_session_seconds,
                 want->max_session_seconds);
    for (size_t i = 0; i < want->tags.n; i++)
        tell_tag(&want->tags.p[i], find_tag(&have->tags, want->tags.p[i].key), &b);
    return buf_sv(&b);
}

/* ---- taking down ---- */

void role_plan_removal(const struct role_have *have, struct arena *a, struct role_steps *out)
{
    if (!have->exists)
        return;
    for (size_t i = 0; i < have->policies.n; i++)
        add_step(out, a, ROLE_DELETE_POLICY, have->policies.p[i].name,
                 "the integration is deleted");
    add_step(out, a, ROLE_DELETE, (struct sv){0}, "the integration is deleted");
}
