/* test_role.c - roles as stores describe them, and the shortest way to what is wanted. */
#include "provider/provider.h"
#include "unit/suite.h"

#define RGW   TEST_DATA "/provider/rgw/"
#define TRUST "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\"}]}"
#define PERMS "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\"}]}"

static struct sv file(const char *path, struct arena *a)
{
    struct buf b = buf_new(a, 65536);
    char part[512];
    size_t n;
    FILE *f = fopen(path, "rb");

    NEED(f);
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        buf_add(&b, sv_of(part, n));
    (void)fclose(f);
    return buf_sv(&b);
}

struct fixture {
    struct arena arena;
    struct target target;
    struct role_want want;
    struct exchange x;
    struct err e;
};

static void begin(struct fixture *f)
{
    *f = (struct fixture){
        .target = {.iam_endpoint = SV("http://store"),
                   .admin = {.access_key_id = SV("A"), .secret_access_key = secret_of(SV("S"))}},
        .want = { .name = SV("r1"),                .trust = SV(TRUST),                 .permissions = SV(PERMS)}
    };
    f->x = (struct exchange){.target = &f->target, .arena = &f->arena, .want = &f->want};
}

static const struct provider *rgw(void)
{
    return provider_find(PROVIDER_CEPH_RGW);
}

/* Answers each question with the next text; the last one goes on for ever. */
static bool observe(struct fixture *f, const struct sv *answers, size_t n)
{
    while (rgw()->observe(&f->x, &f->e)) {
        if (f->x.done)
            return true;
        NEED(f->x.round < 1000);
        f->x.in = (struct http_response){.status = 200,
                                         .body = answers[f->x.round < n ? f->x.round : n - 1]};
        f->x.round++;
    }
    return false;
}

static void what_rgw_says_of_a_role_of_ours_is_understood(void)
{
    struct fixture f;

    begin(&f);
    {
        const struct sv answers[] = {
            file(RGW "get-role.xml", &f.arena), file(RGW "list-role-policies.xml", &f.arena),
            file(RGW "get-role-policy.xml", &f.arena), file(RGW "list-role-tags.xml", &f.arena)};

        NEED_OK(observe(&f, answers, 4), &f.e);
    }
    CHECK(f.x.have.exists);
    CHECK_SV(f.x.have.arn, SV("arn:aws:iam:::role/fd/r1"));
    CHECK_INT(f.x.have.max_session_seconds, 7200);
    CHECK(sv_contains(f.x.have.trust, SV("\"aws:TokenIssueTime\":\"true\"")));
    NEED(f.x.have.policies.n == 1);
    CHECK_SV(f.x.have.policies.p[0].name, SV(ROLE_POLICY_NAME));
    CHECK(sv_starts(f.x.have.policies.p[0].document, SV("{\"Version\"")));
    CHECK(role_is_ours(&f.x.have, SV("u-1")));
    CHECK(!role_is_ours(&f.x.have, SV("u-2")));
    arena_done(&f.arena);
}

#define AWS_ROLE                                                                         \
    "<GetRoleResponse><GetRoleResult><Role><Arn>arn:aws:iam::123456789012:role/r1</Arn>" \
    "<AssumeRolePolicyDocument>%7B%22a%22%3A%22b%20c%22%7D</AssumeRolePolicyDocument>"   \
    "</Role></GetRoleResult></GetRoleResponse>"
#define AWS_TAGS(more, key)                                                     \
    "<ListRoleTagsResponse><ListRoleTagsResult>" more "<Tags><member><Key>" key \
    "</Key><Value>v</Value></member></Tags></ListRoleTagsResult></ListRoleTagsResponse>"
#define MORE "<IsTruncated>true</IsTruncated><Marker>m</Marker>"

static void what_aws_says_in_pages_and_escapes_is_understood(void)
{
    const struct sv answers[] = {SV(AWS_ROLE), SV("<ListRolePoliciesResponse/>"),
                                 SV(AWS_TAGS(MORE, "k1")), SV(AWS_TAGS("", "k2"))};
    struct fixture f;

    begin(&f);
    NEED_OK(observe(&f, answers, 4), &f.e);
    CHECK_SV(f.x.have.trust, SV("{\"a\":\"b c\"}"));
    NEED(f.x.have.tags.n == 2);
    CHECK_SV(f.x.have.tags.p[1].key, SV("k2"));
    CHECK(sv_contains(f.x.out.body, SV("Marker=m")));
    arena_done(&f.arena);
}

static void a_store_that_always_has_more_is_given_up(void)
{
    const struct sv answers[] = {SV(AWS_ROLE), SV("<ListRolePoliciesResponse/>"),
                                 SV(AWS_TAGS(MORE, "k"))};
    struct fixture f;

    begin(&f);
    CHECK(!observe(&f, answers, 3));
    CHECK_INT(f.e.code, ERR_UNAVAILABLE);
    arena_done(&f.arena);
}

/* Whether it was answered, with 404 and that body. */
static bool missing(struct fixture *f, struct sv body)
{
    begin(f);
    NEED(rgw()->observe(&f->x, &f->e));
    f->x.in = (struct http_response){.status = 404, .body = body};
    f->x.round = 1;
    return rgw()->observe(&f->x, &f->e);
}

static void a_role_that_is_missing_does_not_exist(void)
{
    struct fixture f;

    NEED_OK(missing(&f, SV("<Error><Code>NoSuchEntity</Code></Error>")), &f.e);
    CHECK(f.x.done);
    CHECK(!f.x.have.exists);
    arena_done(&f.arena);
}

/* An integration that is deleted then would leave its role behind. */
static void a_proxy_without_a_store_does_not_say_that_a_role_is_missing(void)
{
    struct fixture f;

    CHECK(!missing(&f, SV("default backend - 404")));
    CHECK_INT(f.e.code, ERR_UNAVAILABLE);
    f.x.step = (struct role_step){.kind = ROLE_DELETE};
    CHECK(!rgw()->change(&f.x, &f.e));
    arena_done(&f.arena);
}

static bool change(struct fixture *f, enum role_step_kind kind, int status, const char *data)
{
    f->x.step = (struct role_step){.kind = kind, .name = SV("p")};
    f->x.round = 1;
    f->x.in = (struct http_response){.status = status, .body = file(data, &f->arena)};
    return rgw()->change(&f->x, &f->e);
}

static void deleting_what_is_gone_is_success(void)
{
    struct fixture f;

    begin(&f);
    CHECK_OK(change(&f, ROLE_DELETE_POLICY, 404, RGW "delete-role-policy-missing.xml"), &f.e);
    CHECK(f.x.done);
    arena_done(&f.arena);
}

static void creating_what_exists_is_a_conflict(void)
{
    struct fixture f;

    begin(&f);
    CHECK(!change(&f, ROLE_CREATE, 409, RGW "role-exists.xml"));
    CHECK_INT(f.e.code, ERR_CONFLICT);
    CHECK(sv_contains(sv_from(f.e.msg), SV("EntityAlreadyExists")));
    arena_done(&f.arena);
}

static void check_plan(const struct role_have *have, const enum role_step_kind *want, size_t n)
{
    auto_arena a = {0};
    struct role_steps steps = {0};
    const struct role_want w = {.trust = SV(TRUST), .permissions = SV(PERMS)};

    role_plan(&w, have, &a, &steps);
    CHECK_INT(steps.n, n);
    for (size_t i = 0; i < n && i < steps.n; i++)
        CHECK_INT(steps.p[i].kind, want[i]);
}

static void a_role_that_is_missing_is_made_whole(void)
{
    const struct role_have have = {0};

    check_plan(&have, (const enum role_step_kind[]){ROLE_CREATE, ROLE_PUT_POLICY}, 2);
}

static void a_role_as_wanted_is_left_alone(void)
{
    struct role_policy ours = {SV(ROLE_POLICY_NAME), SV(PERMS)};
    const struct role_have have = {
        .exists = true, .trust = SV(TRUST), .policies = {.p = &ours, .n = 1}
    };

    check_plan(&have, NULL, 0);
}

static void a_foreign_policy_is_taken_off(void)
{
    struct role_policy policies[] = {
        {SV(ROLE_POLICY_NAME), SV(PERMS)},
        {SV("extra"),          SV(TRUST)}
    };
    const struct role_have have = {
        .exists = true, .trust = SV(TRUST), .policies = {.p = policies, .n = 2}
    };

    check_plan(&have, (const enum role_step_kind[]){ROLE_DELETE_POLICY}, 1);
}

static void only_what_differs_is_written(void)
{
    struct role_policy ours = {SV(ROLE_POLICY_NAME), SV(PERMS)};
    const struct role_have have = {
        .exists = true, .trust = SV(PERMS), .policies = {.p = &ours, .n = 1}
    };

    check_plan(&have, (const enum role_step_kind[]){ROLE_PUT_TRUST}, 1);
}

static void a_longest_session_that_differs_is_put_right_where_it_is_known(void)
{
    struct role_policy ours = {SV(ROLE_POLICY_NAME), SV(PERMS)};
    struct role_have have = {
        .exists = true,
        .trust = SV(TRUST),
        .policies = {.p = &ours, .n = 1},
        .max_session_seconds = 7200
    };

    check_plan(&have, (const enum role_step_kind[]){ROLE_PUT_SESSION}, 1);
    have.max_session_seconds = 0;
    check_plan(&have, NULL, 0);
}

static void the_longest_session_is_put_by_update_role(void)
{
    struct fixture f;

    begin(&f);
    f.want.max_session_seconds = 7200;
    f.x.step.kind = ROLE_PUT_SESSION;
    NEED_OK(rgw()->change(&f.x, &f.e), &f.e);
    CHECK_SV(f.x.out.body,
             SV("Action=UpdateRole&Version=2010-05-08&RoleName=r1&MaxSessionDuration=7200"));
    arena_done(&f.arena);
}

/* RGW 16 answers 405 MethodNotAllowed to UpdateRole. */
static void a_store_that_cannot_update_a_role_is_no_failure(void)
{
    struct fixture f;

    begin(&f);
    f.x.step.kind = ROLE_PUT_SESSION;
    f.x.round = 1;
    f.x.in.status = 405;
    NEED_OK(rgw()->change(&f.x, &f.e), &f.e);
    CHECK(f.x.done && f.x.unsupported);
    f.x.step.kind = ROLE_PUT_TRUST;
    f.x.done = false;
    CHECK(!rgw()->change(&f.x, &f.e));
    CHECK(!f.x.done && !f.x.unsupported);
    arena_done(&f.arena);
}

static void each_difference_is_told_by_name(void)
{
    auto_arena a = {0};
    struct tag wanted = {SV("team"), SV("data")}, other = {SV("team"), SV("ops")};
    struct role_policy policies[] = {
        {SV("terraform"), SV(PERMS)},
        {SV("extra"),     SV(TRUST)}
    };
    struct role_want want = {
        .trust = SV(TRUST),
        .permissions = SV(PERMS),
        .tags = {.p = &wanted, .n = 1},
        .max_session_seconds = 3600
    };
    struct role_have have = {
        .exists = true,
        .trust = SV(TRUST),
        .policies = {.p = policies, .n = 1},
        .tags = {.p = &wanted,  .n = 1},
        .max_session_seconds = 3600
    };

    CHECK_SV(role_differences(&want, &have, &a), SV(""));
    have.trust = SV(PERMS);
    CHECK_SV(role_differences(&want, &have, &a), SV("the trust policy is not " TRUST));
    have.trust = SV(TRUST);
    have.policies.n = 2;
    CHECK_SV(role_differences(&want, &have, &a), SV("the inline policy extra is not expected"));
    have.policies.p = &policies[1];
    have.policies.n = 1;
    CHECK_SV(role_differences(&want, &have, &a),
             SV("no inline policy is " PERMS "; the inline policy extra is not expected"));
    have.policies.p = policies;
    have.max_session_seconds = 7200;
    have.tags.n = 0;
    CHECK_SV(role_differences(&want, &have, &a),
             SV("the longest session is 7200 s, not 3600 s; the tag team is missing"));
    have.max_session_seconds = 3600;
    have.tags = (struct tags){.p = &other, .n = 1};
    CHECK_SV(role_differences(&want, &have, &a), SV("the tag team is \"ops\", not \"data\""));
}

static void a_role_is_taken_down_after_its_policies(void)
{
    auto_arena a = {0};
    struct role_policy ours = {SV(ROLE_POLICY_NAME), SV(PERMS)};
    const struct role_have have = {
        .exists = true, .policies = {.p = &ours, .n = 1}
    };
    struct role_steps steps = {0};

    role_plan_removal(&have, &a, &steps);
    NEED(steps.n == 2);
    CHECK_INT(steps.p[0].kind, ROLE_DELETE_POLICY);
    CHECK_INT(steps.p[1].kind, ROLE_DELETE);
}

static void a_role_at_rgw_is_guarded_against_assuming_it_again(void)
{
    auto_arena a = {0};
    struct storage_integration w = {.bucket = SV("bkt")};
    struct buf out = buf_new(&a, 4096);

    rgw()->trust(&w, SV("arn:aws:iam:::user/u"), &out);
    CHECK_SV(buf_sv(&out), SV("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                              "\"Principal\":{\"AWS\":[\"arn:aws:iam:::user/u\"]},\"Action\":"
                              "[\"sts:AssumeRole\"],\"Condition\":{\"Null\":"
                              "{\"aws:TokenIssueTime\":\"true\"}}}]}"));
}

static bool is_taken_by_rgw(const char *name)
{
    auto_arena a = {0};
    struct storage_integration w = {.role_arn = arena_printf(&a, "arn:aws:iam:::role/%s", name)};
    struct complaints found = {0};

    rgw()->check(&w, &a, &found);
    return found.n == 0;
}

/* As measured at 16.2.15; IAM itself takes '_' and '+'. */
static void a_role_name_that_rgw_refuses_is_told_before_it_is_tried(void)
{
    CHECK(is_taken_by_rgw("team-a/lake=1,2.3@x"));
    CHECK(!is_taken_by_rgw("a_b"));
    CHECK(!is_taken_by_rgw("a+b"));
    CHECK(!is_taken_by_rgw("a b"));
    CHECK(!is_taken_by_rgw(""));
}

SUITE("provider/role", TEST(what_rgw_says_of_a_role_of_ours_is_understood),
      TEST(what_aws_says_in_pages_and_escapes_is_understood),
      TEST(a_store_that_always_has_more_is_given_up), TEST(a_role_that_is_missing_does_not_exist),
      TEST(a_proxy_without_a_store_does_not_say_that_a_role_is_missing),
      TEST(deleting_what_is_gone_is_success), TEST(creating_what_exists_is_a_conflict),
      TEST(a_role_that_is_missing_is_made_whole), TEST(a_role_as_wanted_is_left_alone),
      TEST(a_foreign_policy_is_taken_off), TEST(only_what_differs_is_written),
      TEST(a_longest_session_that_differs_is_put_right_where_it_is_known),
      TEST(the_longest_session_is_put_by_update_role),
      TEST(a_store_that_cannot_update_a_role_is_no_failure), TEST(each_difference_is_told_by_name),
      TEST(a_role_is_taken_down_after_its_policies),
      TEST(a_role_at_rgw_is_guarded_against_assuming_it_again),
      TEST(a_role_name_that_rgw_refuses_is_told_before_it_is_tried))
