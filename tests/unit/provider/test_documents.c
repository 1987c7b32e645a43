/* test_documents.c - trust and permission policies: what the spec asks for is there, what guards is
 * never lost. */
#include "provider/provider.h"
#include "unit/suite.h"

#define AWS_ROLE "arn:aws:iam::123456789012:role/r"

static struct json *parsed(const struct buf *b, struct arena *a)
{
    struct json *v = NULL;
    struct err e = {0};

    NEED(!b->over);
    NEED_OK(json_read(buf_sv(b), a, &v, &e), &e);
    return json_at(json_get(v, SV("Statement")), 0);
}

static struct json *trust_of(enum storage_provider p, const struct storage_integration *w,
                             struct arena *a)
{
    struct buf b = buf_new(a, 65536);

    provider_find(p)->trust(w, SV("arn:aws:iam::123456789012:user/desk"), &b);
    return parsed(&b, a);
}

static struct json *conditions(const char *text, struct arena *a)
{
    struct json *v = NULL;
    struct err e = {0};

    NEED_OK(json_read(sv_from(text), a, &v, &e), &e);
    return v;
}

static void no_condition_of_the_spec_takes_the_guard_away(void)
{
    static const char *const attacks[] = {
        "{\"Null\":{\"aws:TokenIssueTime\":\"false\"}}",
        "{\"null\":{\"AWS:TokenIssueTime\":\"false\"}}",
        "{\"Null\":{\"aws:TokenIssueTime\":[\"false\",\"true\"]}}",
        "{\"Null\":{\"aws:username\":\"false\"}}",
        "{\"Null\":{}}",
    };

    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        auto_arena a = {0};
        struct storage_integration w = {.trust_conditions = conditions(attacks[i], &a)};
        struct json *c = json_get(trust_of(PROVIDER_CEPH_RGW, &w, &a), SV("Condition"));

        CHECK_SV(json_str(json_get(json_get(c, SV("Null")), SV("aws:TokenIssueTime")), SV("")),
                 SV("true"));
        CHECK_INT(json_count(c), 1);
    }
}

static void conditions_of_the_spec_stand_beside_its_fields(void)
{
    auto_arena a = {0};
    struct storage_integration w = {
        .external_id = SV("secret-id"),
        .organization_id = SV("o-abcdef1234"),
        .trust_conditions = conditions("{\"StringEquals\":{\"sts:ExternalId\":\"other\","
                                       "\"aws:SourceAccount\":\"1\"},\"Bool\":{\"x\":\"true\"}}",
                                       &a)};
    struct json *c = json_get(trust_of(PROVIDER_AWS, &w, &a), SV("Condition"));
    const struct json *equals = json_get(c, SV("StringEquals"));

    CHECK_SV(json_get_str(equals, SV("sts:ExternalId")), SV("secret-id"));
    CHECK_SV(json_get_str(equals, SV("aws:PrincipalOrgID")), SV("o-abcdef1234"));
    CHECK_SV(json_get_str(equals, SV("aws:SourceAccount")), SV("1"));
    CHECK_SV(json_get_str(json_get(c, SV("Bool")), SV("x")), SV("true"));
}

static void without_conditions_there_is_no_condition(void)
{
    auto_arena a = {0};
    struct storage_integration w = {0};

    CHECK(!json_get(trust_of(PROVIDER_AWS, &w, &a), SV("Condition")));
}

static void a_role_whose_sessions_are_tagged_trusts_us_to_tag(void)
{
    auto_arena a = {0};
    struct storage_integration w = {.tag_sessions = true};

    CHECK_SV(json_text(&a, json_get(trust_of(PROVIDER_AWS, &w, &a), SV("Action"))),
             SV("[\"sts:AssumeRole\",\"sts:TagSession\"]"));
    w.tag_sessions = false;
    CHECK_SV(json_text(&a, json_get(trust_of(PROVIDER_AWS, &w, &a), SV("Action"))),
             SV("[\"sts:AssumeRole\"]"));
}

static void each_principal_is_trusted_once(void)
{
    auto_arena a = {0};
    struct storage_integration w = {0};
    struct json *aws;

    vec_push(&w.trust_principals, &a, SV("arn:aws:iam::123456789012:user/desk"));
    vec_push(&w.trust_principals, &a, SV("arn:aws:iam::123456789012:role/x"));
    aws = json_path(trust_of(PROVIDER_AWS, &w, &a), SV("Principal.AWS"));
    CHECK_INT(json_count(aws), 2);
}

static struct json *permissions_of(const struct storage_integration *w, size_t i, struct arena *a)
{
    struct buf b = buf_new(a, 65536);
    struct json *v = NULL;
    struct err e = {0};

    provider_find(w->provider)->permissions(w, &b);
    NEED_OK(json_read(buf_sv(&b), a, &v, &e), &e);
    return json_at(json_get(v, SV("Statement")), i);
}

static void a_role_may_use_the_keys_that_the_spec_names(void)
{
    auto_arena a = {0};
    struct storage_integration w = {
        .provider = PROVIDER_AWS, .bucket = SV("bkt"), .role_arn = SV(AWS_ROLE)};

    vec_push(&w.allowed_locations, &a, SV("s3://bkt/"));
    CHECK(!permissions_of(&w, 2, &a));
    vec_push(&w.kms_key_arns, &a, SV("arn:aws:kms:us-east-1:123456789012:key/k1"));
    CHECK_SV(json_text(&a, permissions_of(&w, 2, &a)),
             SV("{\"Effect\":\"Allow\",\"Action\":[\"kms:Decrypt\",\"kms:GenerateDataKey\"],"
                "\"Resource\":[\"arn:aws:kms:us-east-1:123456789012:key/k1\"]}"));
}

static void permissions_bear_the_partition_of_the_role(void)
{
    auto_arena a = {0};
    struct storage_integration w = {.provider = PROVIDER_AWS,
                                    .bucket = SV("bkt"),
                                    .role_arn = SV("arn:aws-us-gov:iam::123456789012:role/r")};

    vec_push(&w.allowed_locations, &a, SV("s3://bkt/lake/"));
    CHECK_SV(json_str(json_at(json_get(permissions_of(&w, 0, &a), SV("Resource")), 0), SV("")),
             SV("arn:aws-us-gov:s3:::bkt/lake/*"));
}

SUITE("provider/documents", TEST(no_condition_of_the_spec_takes_the_guard_away),
      TEST(conditions_of_the_spec_stand_beside_its_fields),
      TEST(without_conditions_there_is_no_condition),
      TEST(a_role_whose_sessions_are_tagged_trusts_us_to_tag), TEST(each_principal_is_trusted_once),
      TEST(a_role_may_use_the_keys_that_the_spec_names),
      TEST(permissions_bear_the_partition_of_the_role))
