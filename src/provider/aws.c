/* aws.c - AWS: IAM is global, STS is regional. */
#include "provider/documents.h"
#include "provider/iam.h"
#include "provider/providers.h"

static void check(const struct storage_integration *w, struct arena *a, struct complaints *out)
{
    ptrdiff_t slash = sv_rfind(w->role_arn, '/');

    if (w->management == MANAGEMENT_MANAGED && !w->role_arn.n)
        complain(out, a, "InvalidSpec", SV("spec.roleArn"),
                 "is required at AWS: it names the account");
    else if (slash < 0 || w->role_arn.n - (size_t)slash - 1 > 64)
        complain(out, a, "InvalidSpec", SV("spec.roleArn"),
                 "the role's name must be 1 to 64 characters");
}

/* "arn:aws:sts::123456789012:assumed-role/ROLE/SESSION" is the role ROLE to a trust policy; `role`
 * stays empty when it is no session. */
static struct sv role_of_session(struct sv arn, struct arena *a, struct sv *role)
{
    struct sv rest = arn, part[5] = {0};

    for (int i = 0; i < 5; i++)
        (void)sv_cut(&rest, ':', &part[i]);
    if (!sv_starts(rest, SV("assumed-role/")))
        return arn;
    rest = sv_skip(rest, sizeof("assumed-role/") - 1);
    if (!sv_cut(&rest, '/', role))
        return arn;
    return arena_printf(a, "arn:" SV_FMT ":iam::" SV_FMT ":role/" SV_FMT, SV_ARG(part[1]),
                        SV_ARG(part[4]), SV_ARG(*role));
}

static bool read_identity(struct exchange *x, struct err *e)
{
    const struct xml *root;
    struct pairs p = {0};
    struct sv role = {0};

    if (!iam_answer(x, "GetCallerIdentity", &root, e))
        return false;
    x->caller = role_of_session(xml_text(root, SV("GetCallerIdentityResult/Arn")), x->arena, &role);
    if (!x->caller.n)
        return err_set(e, ERR_UNAVAILABLE, "GetCallerIdentity: the answer names nobody");
    x->done = role.n == 0;
    iam_add(&p, x->arena, "RoleName", role);
    return x->done || iam_ask(x, SERVICE_IAM, &x->target->admin, "GetRole", &p, e);
}

/* A session's ARN leaves out the path of its role, and a trust policy takes it only whole. Who may
 * not look has said all there is, unless the role has a path. */
static bool read_path(struct exchange *x, struct err *e)
{
    const struct xml *root;
    struct sv whole;

    x->done = true;
    if (!iam_answer(x, "GetRole", &root, e))
        return e->code == ERR_DENIED || e->code == ERR_NOT_FOUND;
    whole = xml_text(root, SV("GetRoleResult/Role/Arn"));
    x->caller = whole.n ? whole : x->caller;
    return true;
}

static bool whoami(struct exchange *x, struct err *e)
{
    const struct pairs none = {0};

    switch (x->round) {
    case 0:
        return iam_ask(x, SERVICE_STS, &x->target->own, "GetCallerIdentity", &none, e);
    case 1:
        return read_identity(x, e);
    default:
        return read_path(x, e);
    }
}

static void trust(const struct storage_integration *w, struct sv caller, struct buf *out)
{
    write_trust(w, caller, NULL, out);
}

const struct provider provider_aws = {
    .name = SV_INIT("aws"),
    .manages_roles = true,
    .check = check,
    .mint = iam_mint,
    .whoami = whoami,
    .observe = iam_observe,
    .change = iam_change,
    .probe = s3_probe,
    .tidy = s3_tidy,
    .list_roles = iam_list_roles,
    .role_is_empty = iam_role_is_empty,
    .become = iam_become,
    .trust = trust,
    .permissions = write_permissions,
};
