/* test_policy_doc.c - what stores do to documents is no difference; what widens them is. */
#include "provider/provider.h"
#include "unit/suite.h"

#define DOC(statement)        "{\"Version\":\"2012-10-17\",\"Statement\":[" statement "]}"
#define ALLOW(rest)           "{\"Effect\":\"Allow\"," rest "}"
#define PRINCIPAL(principals) ALLOW("\"Principal\":" principals ",\"Action\":\"sts:AssumeRole\"")

static void check_same(const char *x, const char *y, bool want)
{
    auto_arena a = {0};

    CHECK_INT(policy_means_same(sv_from(x), sv_from(y), &a), want);
    CHECK_INT(policy_means_same(sv_from(y), sv_from(x), &a), want);
}

static void text_and_a_list_of_one_are_the_same(void)
{
    check_same(DOC(ALLOW("\"Action\":\"s3:GetObject\",\"Resource\":\"x\"")),
               DOC(ALLOW("\"Resource\":[\"x\"],\"Action\":[\"s3:GetObject\"]")), true);
}

static void order_does_not_matter(void)
{
    check_same(DOC(ALLOW("\"Action\":[\"a:B\",\"a:C\"]") "," ALLOW("\"Action\":\"a:D\"")),
               DOC(ALLOW("\"Action\":\"a:D\"") "," ALLOW("\"Action\":[\"a:C\",\"a:B\"]")), true);
}

static void the_case_of_actions_does_not_matter(void)
{
    check_same(DOC(ALLOW("\"Action\":\"s3:getobject\"")), DOC(ALLOW("\"Action\":\"s3:GetObject\"")),
               true);
}

static void the_case_of_resources_matters(void)
{
    check_same(DOC(ALLOW("\"Resource\":\"b/X\"")), DOC(ALLOW("\"Resource\":\"b/x\"")), false);
}

static void anybody_has_two_spellings(void)
{
    check_same(DOC(PRINCIPAL("\"*\"")), DOC(PRINCIPAL("{\"AWS\":\"*\"}")), true);
}

static void an_account_is_its_root(void)
{
    check_same(DOC(PRINCIPAL("{\"AWS\":\"123456789012\"}")),
               DOC(PRINCIPAL("{\"AWS\":[\"arn:aws:iam::123456789012:root\"]}")), true);
    check_same(DOC(PRINCIPAL("{\"AWS\":\"123456789012\"}")),
               DOC(PRINCIPAL("{\"AWS\":[\"arn:aws-cn:iam::123456789012:root\"]}")), true);
    check_same(DOC(PRINCIPAL("{\"AWS\":\"123456789012\"}")),
               DOC(PRINCIPAL("{\"AWS\":\"arn:aws:iam::123456789013:root\"}")), false);
    check_same(DOC(PRINCIPAL("{\"AWS\":\"123456789012\"}")),
               DOC(PRINCIPAL("{\"AWS\":\"arn:aws:iam::123456789012:user/root\"}")), false);
}

static void booleans_in_conditions_are_text(void)
{
    check_same(DOC(ALLOW("\"Condition\":{\"Null\":{\"aws:TokenIssueTime\":true}}")),
               DOC(ALLOW("\"Condition\":{\"Null\":{\"AWS:tokenissuetime\":\"true\"}}")), true);
}

static void absent_and_empty_are_the_same(void)
{
    check_same(DOC(ALLOW("\"Action\":\"a:B\",\"Condition\":{},\"NotAction\":[]")),
               DOC(ALLOW("\"Action\":\"a:B\"")), true);
}

static void a_lost_condition_is_a_difference(void)
{
    check_same(DOC(PRINCIPAL("\"*\"")),
               DOC(ALLOW("\"Principal\":\"*\",\"Action\":\"sts:AssumeRole\","
                         "\"Condition\":{\"Null\":{\"aws:TokenIssueTime\":\"true\"}}")),
               false);
}

static void one_more_principal_is_a_difference(void)
{
    check_same(DOC(PRINCIPAL("{\"AWS\":[\"a\",\"b\"]}")), DOC(PRINCIPAL("{\"AWS\":\"a\"}")), false);
}

static void a_comma_does_not_make_one_text_two(void)
{
    check_same(DOC(ALLOW("\"Resource\":[\"a\",\"b\"]")), DOC(ALLOW("\"Resource\":\"a,b\"")), false);
    check_same(DOC(ALLOW("\"Resource\":[\"a\",\"b\"]")), DOC(ALLOW("\"Resource\":\"a\\\",\\\"b\"")),
               false);
}

static void allow_and_deny_differ(void)
{
    check_same(DOC("{\"Effect\":\"Deny\",\"Action\":\"*\"}"), DOC(ALLOW("\"Action\":\"*\"")),
               false);
}

static void versions_differ(void)
{
    check_same("{\"Version\":\"2008-10-17\",\"Statement\":[]}", DOC(""), false);
}

static void what_does_not_parse_equals_nothing(void)
{
    check_same("{", "{", false);
    check_same("", "", false);
    check_same("[]", "[]", false);
}

SUITE("provider/policy_doc", TEST(text_and_a_list_of_one_are_the_same), TEST(order_does_not_matter),
      TEST(the_case_of_actions_does_not_matter), TEST(the_case_of_resources_matters),
      TEST(anybody_has_two_spellings), TEST(an_account_is_its_root),
      TEST(booleans_in_conditions_are_text), TEST(absent_and_empty_are_the_same),
      TEST(a_lost_condition_is_a_difference), TEST(one_more_principal_is_a_difference),
      TEST(a_comma_does_not_make_one_text_two), TEST(allow_and_deny_differ), TEST(versions_differ),
      TEST(what_does_not_parse_equals_nothing))
