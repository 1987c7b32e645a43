/* test_policy_template.c - a template opens one table and no more: attacks first. */
#include "api/policy_template.h"
#include "unit/suite.h"

#define POLICY(statements)  "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define ALLOW(action, rest) "{\"Effect\":\"Allow\",\"Action\":" action "," rest "}"
#define OBJECTS             "\"Resource\":\"arn:aws:s3:::{{.Bucket}}/{{.KeyPrefix}}/*\""
#define BUCKET              "\"Resource\":\"arn:aws:s3:::{{.Bucket}}\""
#define BOUND               "\"Condition\":{\"StringLike\":{\"s3:prefix\":[\"{{.KeyPrefix}}/*\"]}}"

/* The first complaint about it, or "". */
static struct sv said(const char *text, struct arena *a)
{
    struct complaints c = {0};

    policy_template_check(sv_from(text), SV("bkt"), SV("spec.policyTemplates.read"), a, &c);
    return c.n ? c.p[0].text : SV("");
}

static void what_opens_one_table_is_taken(void)
{
    static const char *const good[] = {
        "",
        POLICY(ALLOW("\"s3:GetObject\"", OBJECTS)),
        POLICY(ALLOW("[\"s3:GetObject\",\"s3:PutObject\"]", OBJECTS) "," ALLOW("\"s3:ListBucket\"",
                                                                               BUCKET "," BOUND)),
        POLICY(ALLOW("\"s3:*\"", "\"Resource\":[\"arn:aws-cn:s3:::bkt/{{.KeyPrefix}}/*\"]")),
        POLICY(ALLOW("\"s3:GetBucketLocation\"", BUCKET)),
        POLICY(ALLOW("[\"kms:Decrypt\"]", "\"Resource\":\"*\"")),
        POLICY("{\"Effect\":\"Deny\",\"Action\":\"s3:DeleteObject\",\"Resource\":\"*\"}"),
        "{\"Statement\":" ALLOW("\"s3:GetObject\"", OBJECTS) "}",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        auto_arena a = {0};

        CHECK_SV(said(good[i], &a), SV(""));
    }
}

static void what_opens_more_than_one_table_is_refused(void)
{
    static const char *const bad[] = {
        POLICY(ALLOW("\"s3:*\"", "\"Resource\":\"*\"")),
        POLICY(ALLOW("\"*\"", "\"Resource\":\"*\"")),
        POLICY(ALLOW("\"S3:GetObject\"", "\"Resource\":\"arn:aws:s3:::{{.Bucket}}/*\"")),
        POLICY(ALLOW("\"s?:GetObject\"", "\"Resource\":\"arn:aws:s3:::{{.Bucket}}/*\"")),
        POLICY(
            ALLOW("\"s3:GetObject\"", "\"Resource\":\"arn:aws:s3:::{{.Bucket}}/{{.KeyPrefix}}*\"")),
        POLICY(ALLOW("\"s3:GetObject\"",
                     "\"Resource\":\"arn:aws:s3:::{{.Bucket}}/*/{{.KeyPrefix}}/*\"")),
        POLICY(ALLOW("\"s3:GetObject\"", "\"Resource\":\"arn:aws:s3:::*/{{.KeyPrefix}}/*\"")),
        POLICY(ALLOW("\"s3:GetObject\"", "\"Resource\":\"arn:aws:s3:::other/{{.KeyPrefix}}/*\"")),
        POLICY(ALLOW("\"s3:GetObject\"", "\"Resource\":[\"arn:aws:s3:::{{.Bucket}}/"
                                         "{{.KeyPrefix}}/*\",\"arn:aws:s3:::{{.Bucket}}/x\"]")),
        POLICY(ALLOW("\"s3:GetObject\"",
                     "\"Sid\":\"{{.KeyPrefix}}\",\"Resource\":\"arn:aws:s3:::{{.Bucket}}/*\"")),
        POLICY("{\"Effect\":\"Allow\",\"NotAction\":\"iam:*\",\"Resource\":\"*\"}"),
        POLICY(ALLOW("\"sts:AssumeRole\"", "\"Resource\":\"*\"")),
        POLICY(ALLOW("[\"s3:GetObject\",\"iam:GetRole\"]", OBJECTS)),
        POLICY(ALLOW("\"STS:*\"", OBJECTS)),
        POLICY("{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"NotResource\":"
               "\"arn:aws:s3:::{{.Bucket}}/{{.KeyPrefix}}/*\"}"),
        POLICY(
            ALLOW("\"s3:GetObject\"", OBJECTS) "," ALLOW("\"s3:GetObject\"", "\"Resource\":\"*\"")),
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        auto_arena a = {0};

        CHECK(said(bad[i], &a).n > 0);
    }
}

static void a_list_is_bound_to_the_folder(void)
{
    static const char *const bad[] = {
        POLICY(ALLOW("\"s3:ListBucket\"", BUCKET)),
        POLICY(ALLOW("\"s3:L*\"", BUCKET)),
        POLICY(ALLOW("\"s3:*\"", BUCKET)),
        POLICY(ALLOW("\"s3:ListBucket\"", BUCKET ",\"Condition\":{\"StringNotLike\":{\"s3:prefix\":"
                                                 "[\"{{.KeyPrefix}}/*\"]}}")),
        POLICY(
            ALLOW("\"s3:ListBucket\"", BUCKET
                  ",\"Condition\":{\"StringLike\":{\"s3:prefix\":[\"{{.KeyPrefix}}/*\",\"\"]}}")),
        POLICY(ALLOW("\"s3:ListBucket\"", BUCKET
                     ",\"Condition\":{\"StringLike\":{\"s3:prefix\":[\"{{.KeyPrefix}}*\"]}}")),
        POLICY(ALLOW("\"s3:ListBucket\"",
                     BUCKET ",\"Condition\":{\"StringLike\":{\"s3:prefix\":\"{{.KeyPrefix}}\"}}")),
        POLICY(ALLOW("\"s3:ListBucket\"", BUCKET ",\"Condition\":{\"StringEquals\":{\"s3:prefix\":"
                                                 "[\"{{.KeyPrefix}}\",\"{{.KeyPrefix}}/\"]}}")),
        POLICY(ALLOW("\"s3:PutBucketPolicy\"", BUCKET)),
        POLICY(ALLOW("\"s3:DeleteB*\"", BUCKET)),
        POLICY("{\"Effect\":\"Allow\",\"NotAction\":\"s3:ListBucket\"," BUCKET "}"),
        POLICY(ALLOW("\"s3:ListBucket\"", BUCKET ",\"Condition\":{\"StringLikeIfExists\":"
                                                 "{\"s3:prefix\":[\"{{.KeyPrefix}}/*\"]}}")),
        POLICY(ALLOW("\"s3:ListBucket\"", BUCKET ",\"Condition\":{\"StringLike\":{\"s3:prefix\":[]"
                                                 "}}")),
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        auto_arena a = {0};

        CHECK(sv_contains(said(bad[i], &a), SV("lists more than one table")));
    }
}

static void what_is_no_policy_is_refused(void)
{
    static const char *const bad[] = {
        "{",
        "[]",
        "{\"Statement\":[]}",
        "{\"Statement\":[7]}",
        POLICY("{\"Effect\":\"Allow\"}"),
        POLICY("{\"Effect\":\"allow\",\"Action\":\"s3:GetObject\"," OBJECTS "}"),
        POLICY(ALLOW("\"s3:GetObject\"", "\"Resource\":[]")),
        POLICY(ALLOW("\"s3:GetObject\"", "\"Resource\":\"{{.Table}}\"")),
        POLICY(ALLOW("\"s3:GetObject\"", "\"Resource\":\"{{ .Bucket }}\"")),
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        auto_arena a = {0};

        CHECK(said(bad[i], &a).n > 0);
    }
}

static void the_complaint_names_the_statement_and_the_remedy(void)
{
    auto_arena a = {0};

    CHECK_SV(said(POLICY(ALLOW("\"s3:GetObject\"", OBJECTS) "," ALLOW("\"s3:GetObject\"",
                                                                      "\"Resource\":\"*\"")),
                  &a),
             SV("Statement[1] allows more than the bucket: write "
                "arn:aws:s3:::{{.Bucket}}/{{.KeyPrefix}}/*"));
}

SUITE("api/policy_template", TEST(what_opens_one_table_is_taken),
      TEST(what_opens_more_than_one_table_is_refused), TEST(a_list_is_bound_to_the_folder),
      TEST(what_is_no_policy_is_refused), TEST(the_complaint_names_the_statement_and_the_remedy))
