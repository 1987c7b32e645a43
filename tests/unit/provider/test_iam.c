/* test_iam.c - tokens and callers: what is asked, and what each answer of a store means. */
#include "provider/provider.h"
#include "unit/suite.h"

#define NOW_MS 1767225600000 /* 2026-01-01T00:00:00Z */
#define CREDENTIALS(key, expiration)                                                           \
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"                 \
    "<AssumeRoleResult><Credentials><AccessKeyId>" key "</AccessKeyId><Expiration>" expiration \
    "</Expiration><SecretAccessKey>hidden</SecretAccessKey><SessionToken>t+/=</SessionToken>"  \
    "</Credentials></AssumeRoleResult></AssumeRoleResponse>"

struct fixture {
    struct arena arena;
    struct target target;
    struct exchange x;
    struct err e;
};

static void begin(struct fixture *f)
{
    *f = (struct fixture){
        .target = {.endpoint = SV("http://store"),
                   .bucket = SV("bkt"),
                   .region = SV("us-east-1"),
                   .iam_endpoint = SV("http://store"),
                   .iam_region = SV("us-east-1"),
                   .sts_endpoint = SV("http://store"),
                   .sts_region = SV("us-east-1"),
                   .role_arn = SV("arn:aws:iam:::role/r"),
                   .admin = {.access_key_id = SV("ADMIN"), .secret_access_key = secret_of(SV("a"))},
                   .own = {.access_key_id = SV("OWN"), .secret_access_key = secret_of(SV("own"))}}
    };
    f->x = (struct exchange){.target = &f->target,
                             .arena = &f->arena,
                             .now_ms = NOW_MS,
                             .session_name = SV("alice"),
                             .policy = SV("{\"a b\":\"c+d\"}"),
                             .ttl_seconds = 900};
}

static void answer(struct fixture *f, int status, struct sv body)
{
    f->x.in = (struct http_response){.status = status, .body = body};
    f->x.round = 1;
}

static bool mint(struct fixture *f)
{
    return provider_find(PROVIDER_CEPH_RGW)->mint(&f->x, &f->e);
}

static void a_token_is_asked_for_with_the_policy_encoded_strictly(void)
{
    struct fixture f;

    begin(&f);
    NEED_OK(mint(&f), &f.e);
    CHECK_SV(f.x.out.target, SV("http://store/"));
    CHECK_INT(f.x.out.method, HTTP_POST);
    CHECK_SV(f.x.out.body,
             SV("Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A%3Arole%2Fr"
                "&RoleSessionName=alice&DurationSeconds=900"
                "&Policy=%7B%22a%20b%22%3A%22c%2Bd%22%7D"));
    arena_done(&f.arena);
}

static void a_token_without_a_policy_is_never_asked_for(void)
{
    struct fixture f;

    begin(&f);
    f.x.policy = (struct sv){0};
    CHECK(!mint(&f));
    CHECK_INT(f.e.code, ERR_INTERNAL);
    CHECK_INT(f.x.out.target.n, 0);
    arena_done(&f.arena);
}

static void a_token_is_read_with_its_expiry(void)
{
    struct fixture f;

    begin(&f);
    answer(&f, 200, SV(CREDENTIALS("KEY", "2026-01-01T00:15:00.123456789Z")));
    NEED_OK(mint(&f), &f.e);
    CHECK(f.x.done);
    CHECK_SV(f.x.got.access_key_id, SV("KEY"));
    CHECK_SV(secret_reveal(f.x.got.session_token), SV("t+/="));
    CHECK_INT(f.x.got.expires_ms / 1000, NOW_MS / 1000 + 900);
    arena_done(&f.arena);
}

static void what_is_no_whole_token_is_an_outage(void)
{
    static const char *const bodies[] = {
        "",
        "<html>",
        "<AssumeRoleResponse/>",
        CREDENTIALS("", "2026-01-01T00:15:00Z"),
        CREDENTIALS("KEY", "2025-12-31T23:59:59Z"),
        CREDENTIALS("KEY", "tomorrow"),
        CREDENTIALS("KEY", ""),
    };

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct fixture f;

        begin(&f);
        answer(&f, 200, sv_from(bodies[i]));
        CHECK(!mint(&f));
        CHECK_INT(f.e.code, ERR_UNAVAILABLE);
        CHECK(!sv_contains(sv_from(f.e.msg), SV("hidden")));
        CHECK_INT(f.x.got.access_key_id.n, 0);
        arena_done(&f.arena);
    }
}

static void a_token_that_is_cut_anywhere_is_an_outage(void)
{
    struct sv whole = SV(CREDENTIALS("KEY", "2026-01-01T00:15:00Z"));

    for (size_t n = 0; n < whole.n; n++) {
        struct fixture f;

        begin(&f);
        answer(&f, 200, sv_first(whole, n));
        CHECK(!mint(&f));
        CHECK_INT(f.e.code, ERR_UNAVAILABLE);
        arena_done(&f.arena);
    }
}

static void each_refusal_has_its_meaning(void)
{
    static const struct {
        int status;
        const char *code;
        enum err_code want;
    } cases[] = {
        {403, "AccessDenied",            ERR_DENIED     },
        {404, "NoSuchEntity",            ERR_UNAVAILABLE},
        {409, "EntityAlreadyExists",     ERR_CONFLICT   },
        {400, "Throttling",              ERR_UNAVAILABLE},
        {400, "ThrottlingException",     ERR_UNAVAILABLE},
        {400, "RequestLimitExceeded",    ERR_UNAVAILABLE},
        {408, "RequestTimeout",          ERR_UNAVAILABLE},
        {429, "",                        ERR_UNAVAILABLE},
        {500, "InternalError",           ERR_UNAVAILABLE},
        {503, "SlowDown",                ERR_UNAVAILABLE},
        {400, "MalformedPolicyDocument", ERR_INVALID    },
        {400, "PackedPolicyTooLarge",    ERR_INVALID    },
        {400, "ValidationError",         ERR_INVALID    },
        {302, "",                        ERR_UNAVAILABLE},
    };
    for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        char body[200];

        begin(&f);
        (void)snprintf(body, sizeof(body), "%s%s%s",
                       i % 2 ? "<ErrorResponse xmlns=\"x\"><Error><Code>" : "<Error><Code>",
                       cases[i / 2].code,
                       i % 2 ? "</Code></Error></ErrorResponse>" : "</Code><Message/></Error>");
        answer(&f, cases[i / 2].status, sv_from(body));
        CHECK(!mint(&f));
        CHECK_INT(f.e.code, cases[i / 2].want);
        CHECK(sv_contains(sv_from(f.e.msg), sv_from(cases[i / 2].code)));
        arena_done(&f.arena);
    }
}

static void a_refusal_in_broken_xml_counts_by_its_status(void)
{
    struct fixture f;

    begin(&f);
    answer(&f, 403, SV("<Ok></Ok><?xml version=\"1.0\"?><Error>"));
    CHECK(!mint(&f));
    CHECK_INT(f.e.code, ERR_DENIED);
    arena_done(&f.arena);
}

static void check_caller(enum storage_provider p, const char *body, const char *want)
{
    struct fixture f;

    begin(&f);
    answer(&f, 200, sv_from(body));
    NEED_OK(provider_find(p)->whoami(&f.x, &f.e), &f.e);
    CHECK(f.x.done);
    CHECK_SV(f.x.caller, sv_from(want));
    arena_done(&f.arena);
}

#define BUCKETS(owner)                                                           \
    "<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" \
    "<Owner><ID>" owner "</ID></Owner><Buckets/></ListAllMyBucketsResult>"
#define IDENTITY(arn)                                               \
    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>" arn \
    "</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"

static void the_owner_of_the_buckets_is_the_caller_at_rgw(void)
{
    check_caller(PROVIDER_CEPH_RGW, BUCKETS("admin"), "arn:aws:iam:::user/admin");
    check_caller(PROVIDER_CEPH_RGW, BUCKETS("acme$admin"), "arn:aws:iam::acme:user/admin");
}

#define ROLE(arn)                                     \
    "<GetRoleResponse><GetRoleResult><Role><Arn>" arn \
    "</Arn></Role></GetRoleResult></GetRoleResponse>"

static void a_user_is_itself_to_aws(void)
{
    check_caller(PROVIDER_AWS, IDENTITY("arn:aws:iam::123456789012:user/u"),
                 "arn:aws:iam::123456789012:user/u");
}

static void a_session_is_its_role_to_aws_with_the_path_that_only_the_role_tells(void)
{
    static const struct {
        int status;
        const char *body, *want; /* NULL: the call fails */
    } cases[] = {
        {200, ROLE("arn:aws-cn:iam::123456789012:role/team/a/op"),
         "arn:aws-cn:iam::123456789012:role/team/a/op"                                                   },
        {403, "<Error><Code>AccessDenied</Code></Error>",          "arn:aws-cn:iam::123456789012:role/op"},
        {404, "<Error><Code>NoSuchEntity</Code></Error>",          "arn:aws-cn:iam::123456789012:role/op"},
        {200, "<Other/>",                                          "arn:aws-cn:iam::123456789012:role/op"},
        {503, "",                                                  NULL                                  },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct provider *aws = provider_find(PROVIDER_AWS);
        struct fixture f;

        begin(&f);
        answer(&f, 200, SV(IDENTITY("arn:aws-cn:sts::123456789012:assumed-role/op/session")));
        NEED_OK(aws->whoami(&f.x, &f.e), &f.e);
        CHECK(!f.x.done);
        CHECK(sv_contains(f.x.out.body, SV("Action=GetRole&")));
        CHECK(sv_contains(f.x.out.body, SV("RoleName=op")));
        answer(&f, cases[i].status, sv_from(cases[i].body));
        f.x.round = 2;
        CHECK_INT(aws->whoami(&f.x, &f.e), cases[i].want != NULL);
        CHECK(!cases[i].want || (f.x.done && sv_eq(f.x.caller, sv_from(cases[i].want))));
        arena_done(&f.arena);
    }
}

static void add_tag(struct fixture *f, const char *key)
{
    vec_push(&f->x.tags, &f->arena, ((struct tag){sv_from(key), SV("v w")}));
}

static void tags_are_sent_and_passed_on_where_that_is_wanted(void)
{
    struct fixture f;

    begin(&f);
    add_tag(&f, "polaris:principal");
    NEED_OK(mint(&f), &f.e);
    CHECK(sv_ends(f.x.out.body,
                  SV("&Tags.member.1.Key=polaris%3Aprincipal&Tags.member.1.Value=v%20w")));
    f.target.transitive_tags = true;
    NEED_OK(mint(&f), &f.e);
    CHECK(sv_ends(f.x.out.body, SV("&TransitiveTagKeys.member.1=polaris%3Aprincipal")));
    arena_done(&f.arena);
}

static void tags_that_do_not_fit_beside_the_policy_go_from_the_end(void)
{
    static const char *const too_large =
        "<ErrorResponse><Error><Code>PackedPolicyTooLarge</Code></Error></ErrorResponse>";
    struct fixture f;

    begin(&f);
    add_tag(&f, "first");
    add_tag(&f, "second");
    NEED_OK(mint(&f), &f.e);
    answer(&f, 400, sv_from(too_large));
    NEED_OK(mint(&f), &f.e);
    CHECK(sv_contains(f.x.out.body, SV("Key=first")));
    CHECK(!sv_contains(f.x.out.body, SV("Key=second")));
    NEED_OK(mint(&f), &f.e);
    CHECK(!sv_contains(f.x.out.body, SV("Tags.member")));
    CHECK(!mint(&f));
    CHECK_INT(f.e.code, ERR_INVALID);
    arena_done(&f.arena);
}

SUITE("provider/iam", TEST(a_token_is_asked_for_with_the_policy_encoded_strictly),
      TEST(a_token_without_a_policy_is_never_asked_for), TEST(a_token_is_read_with_its_expiry),
      TEST(what_is_no_whole_token_is_an_outage), TEST(a_token_that_is_cut_anywhere_is_an_outage),
      TEST(each_refusal_has_its_meaning), TEST(a_refusal_in_broken_xml_counts_by_its_status),
      TEST(the_owner_of_the_buckets_is_the_caller_at_rgw), TEST(a_user_is_itself_to_aws),
      TEST(a_session_is_its_role_to_aws_with_the_path_that_only_the_role_tells),
      TEST(tags_are_sent_and_passed_on_where_that_is_wanted),
      TEST(tags_that_do_not_fit_beside_the_policy_go_from_the_end))
