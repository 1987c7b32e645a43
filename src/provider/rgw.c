/* rgw.c - Ceph RGW: IAM and STS at the store's own address. */
#include "provider/documents.h"
#include "provider/iam.h"
#include "provider/providers.h"
#include "sign/sigv4.h"

/* "arn:aws:iam::[TENANT]:role/[PATH/]NAME". */
static void check_arn(struct sv arn, struct arena *a, struct complaints *out)
{
    struct sv rest = sv_skip(arn, sizeof("arn:aws:iam::") - 1), tenant;
    ptrdiff_t slash = sv_rfind(arn, '/');
    struct sv name = slash < 0 ? (struct sv){0} : sv_skip(arn, (size_t)slash + 1);

    if (!arn.n)
        return;
    if (!sv_starts(arn, SV("arn:aws:iam::")) || !sv_cut(&rest, ':', &tenant) ||
        !sv_starts(rest, SV("role/")))
        complain(out, a, "InvalidSpec", SV("spec.roleArn"),
                 "at Ceph RGW it is arn:aws:iam:::role/NAME");
    else if (tenant.n && sv_only(tenant, SV("0123456789")))
        complain(
            out, a, "InvalidSpec", SV("spec.roleArn"),
            "holds an account number, which Ceph RGW does not know; write arn:aws:iam:::role/NAME");
    else if (name.n == 0 || name.n > 64 ||
             !sv_only(name,
                      SV("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789=,.@-")))
        complain(out, a, "InvalidSpec", SV("spec.roleArn"),
                 "Ceph RGW takes a role's name of 1 to 64 of A-Z a-z 0-9 = , . @ -");
}

static void check(const struct storage_integration *w, struct arena *a, struct complaints *out)
{
    check_arn(w->role_arn, a, out);
    if (w->external_id.n)
        complain(out, a, "InvalidSpec", SV("spec.externalId"),
                 "Ceph RGW never sees it, so its condition always denies; take it out");
}

/* The owner that a bucket list names is the user of the key; "tenant$uid" inside a tenant. */
static bool whoami(struct exchange *x, struct err *e)
{
    struct sv owner, tenant;
    struct xml *root;

    if (x->round == 0) {
        x->out = (struct http_request){.method = HTTP_GET};
        x->out.target = arena_printf(x->arena, SV_FMT "/", SV_ARG(x->target->endpoint));
        return sigv4_sign(&x->out, &x->target->own,
                          &(struct sigv4_scope){x->target->region, SV("s3")}, x->now_ms, x->arena,
                          e);
    }
    if (x->in.status != 200)
        return store_error(&x->in, "asking who we are", x->arena, e);
    if (!xml_read(x->in.body, x->arena, &root, e))
        return err_set(e, ERR_UNAVAILABLE, "asking who we are: the answer is unreadable");
    owner = xml_text(root, SV("Owner/ID"));
    if (!owner.n)
        return err_set(e, ERR_UNAVAILABLE, "asking who we are: the answer names nobody");
    tenant = sv_has_char(owner, '$') ? owner : (struct sv){0};
    if (tenant.n)
        (void)sv_cut(&owner, '$', &tenant);
    x->caller = arena_printf(x->arena, "arn:aws:iam::" SV_FMT ":user/" SV_FMT, SV_ARG(tenant),
                             SV_ARG(owner));
    x->done = true;
    return true;
}

/* A session still counts as its user: without this condition it could assume the role again without
 * its policy. */
static void trust(const struct storage_integration *w, struct sv caller, struct buf *out)
{
    static const struct trust_guard no_session = {SV_INIT("Null"), SV_INIT("aws:TokenIssueTime"),
                                                  SV_INIT("true")};

    write_trust(w, caller, &no_session, out);
}

const struct provider provider_rgw = {
    .name = SV_INIT("ceph-rgw"),
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
    .session_is_user = true,
    .denial_opens_copies = true,
    .naive_wildcards = true,
    .trust = trust,
    .permissions = write_permissions,
};
