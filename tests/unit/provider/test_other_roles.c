/* test_other_roles.c - whose sessions a trust policy admits, and what a credential is tried for. */
#include "provider/provider.h"
#include "unit/suite.h"

#define ALLOW(principal, more)                                                                  \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":" principal \
    ",\"Action\":[\"sts:AssumeRole\"]" more "}]}"
#define GUARD ",\"Condition\":{\"Null\":{\"aws:TokenIssueTime\":\"true\"}}"
#define USER  "{\"AWS\":[\"arn:aws:iam:::user/us\"]}"

static enum admits admits(const char *trust, bool session_is_user, const char *user)
{
    auto_arena a = {0};
    const struct self self = {sv_from(user), SV("arn:aws:iam:::role/p/ours"), session_is_user};

    return trust_admits(sv_from(trust), &self, &a);
}

static void a_trust_policy_admits_our_sessions_unless_it_is_guarded_or_of_others(void)
{
    static const struct {
        const char *trust;
        enum admits want;
    } rows[] = {
        {ALLOW(USER,                                                                  ""),                                                     ADMITS_MAYBE},
        {ALLOW("{\"AWS\":\"arn:aws:iam:::user/us\"}",                                                                           ""),                                                                                        ADMITS_MAYBE},
        {ALLOW("{\"AWS\":[\"arn:aws:iam:::user/x\",\"*\"]}",                                                               ""),                               ADMITS_MAYBE},
        {ALLOW("\"*\"",          ""),                       ADMITS_MAYBE},
        {ALLOW("{\"AWS\":\"arn:aws:iam:::root\"}",                                                               ""),                                                                                                          ADMITS_MAYBE},
        {ALLOW("{\"AWS\":\"arn:aws:iam:::role/p/ours\"}",                                                                           ""),                                                                                           ADMITS_MAYBE},
        {ALLOW("{\"AWS\":\"arn:aws:sts:::assumed-role/p/ours/etl\"}",                                                               ""),             ADMITS_SESSION},
        {ALLOW("{\"AWS\":\"arn:aws:sts:::assumed-role/ours/etl\"}",""),ADMITS_SESSION},
        {ALLOW("{\"AWS\":\"arn:aws:sts:::assumed-role/ours2/etl\"}",                 ""),       ADMITS_NOT},
        {ALLOW("{\"AWS\":\"arn:aws:sts:::assumed-role/ours\"}",                                                                           ""),                                                                          ADMITS_NOT},
        {ALLOW("{\"AWS\":\"arn:aws:iam:::user/us2\"}",                                                             ""),                                                                                                                                                                      ADMITS_NOT},
        {ALLOW("{\"Federated\":[\"arn:aws:iam:::oidc-provider/x\"]}",                                                        ""),                                                                                               ADMITS_NOT},
        {ALLOW(USER,                       GUARD), ADMITS_NOT},
        {ALLOW(USER,                                                                           ",\"Condition\":{\"null\":{\"AWS:tokenissuetime\":true}}"),                                                                                       ADMITS_NOT},
        {ALLOW(USER,                                                                 ",\"Condition\":{\"Null\":{\"aws:TokenIssueTime\":[\"true\",\"false\"]}}"),
         ADMITS_MAYBE},
        {ALLOW(USER,                 ",\"Condition\":{\"Null\":{\"aws:TokenIssueTime\":\"false\"}}"),ADMITS_MAYBE},
        {ALLOW(USER,                                                                  ",\"Condition\":{\"Bool\":{\"aws:TokenIssueTime\":\"true\"}}"),                                                                                             ADMITS_MAYBE},
        {"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":" USER "}}",                                                                           ADMITS_MAYBE                                                                                                                        },
        {"{\"Statement\":{\"Effect\":\"Deny\",\"Principal\":" USER "}}",                                                                 ADMITS_NOT                                 },
        {"{\"Statement\":{\"Effect\":\"Allow\",\"NotPrincipal\":{\"AWS\":\"x\"}}}",ADMITS_MAYBE                                                                                                                        },
        {"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":" USER GUARD
         "},{\"Effect\":\"Allow\",\"Principal\":" USER "}]}",
         ADMITS_MAYBE                                         },
        {"not a policy",                                                                           ADMITS_MAYBE                                                                                                                        },
        {"{}",                                                               ADMITS_NOT                         },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (admits(rows[i].trust, true, "arn:aws:iam:::user/us") != rows[i].want)
            fprintf(stderr, "row %zu: %s\n", i, rows[i].trust);
        CHECK_INT(admits(rows[i].trust, true, "arn:aws:iam:::user/us"), rows[i].want);
    }
}

static void where_a_session_is_not_its_user_only_trust_in_the_role_counts(void)
{
    CHECK_INT(admits(ALLOW(USER, ""), false, "arn:aws:iam:::user/us"), ADMITS_NOT);
    CHECK_INT(admits(ALLOW("{\"AWS\":\"arn:aws:iam:::root\"}", ""), false, ""), ADMITS_NOT);
    CHECK_INT(admits(ALLOW("{\"AWS\":\"arn:aws:iam:::role/p/ours\"}", GUARD), false, ""),
              ADMITS_MAYBE);
    CHECK_INT(admits(ALLOW("\"*\"", ""), false, ""), ADMITS_MAYBE);
}

static void a_user_of_unknown_name_may_be_anyone(void)
{
    CHECK_INT(admits(ALLOW("{\"AWS\":\"arn:aws:iam:::user/x\"}", ""), true, ""), ADMITS_MAYBE);
    CHECK_INT(admits(ALLOW("{\"AWS\":\"arn:aws:iam:::user/x\"}", GUARD), true, ""), ADMITS_NOT);
}

/* ---- talking ---- */

#define DENIED SV_INIT("<Error><Code>AccessDenied</Code></Error>")

static struct target target_of_ours(void)
{
    return (struct target){
        .provider = provider_find(PROVIDER_CEPH_RGW),
        .sts_endpoint = SV("http://store"),
        .iam_endpoint = SV("http://store"),
        .role_arn = SV("arn:aws:iam:::role/p/ours"),
        .admin = {.access_key_id = SV("A"), .secret_access_key = secret_of(SV("S"))},
    };
}

/* Each request is answered with the next of `in`; the bodies sent are kept. */
static bool talk(bool (*fn)(struct exchange *x, struct err *e), struct exchange *x,
                 const struct http_response *in, size_t n, struct sv *sent, struct err *e)
{
    while (fn(x, e)) {
        if (x->done)
            return true;
        NEED(x->round < n);
        sent[x->round] = x->out.body;
        x->in = in[x->round++];
    }
    return false;
}

/* The credential tries each of two roles; `granted` is the request that succeeds. */
static struct sv become(int granted, struct http_response refusal, struct arena *a, struct err *e)
{
    static const struct credential key = {.access_key_id = SV_INIT("J"),
                                          .secret_access_key = {{"S", 1}}};
    struct target t = target_of_ours();
    struct exchange x = {.target = &t, .arena = a, .key = &key};
    struct http_response in[4] = {refusal, refusal, refusal, refusal};
    struct sv sent[4] = {0};

    vec_push(&x.others, a, ((struct other_role){.arn = SV("arn:aws:iam:::role/one")}));
    vec_push(&x.others, a, ((struct other_role){.arn = SV("arn:aws:iam:::role/a/two")}));
    if (granted >= 0)
        in[granted] = (struct http_response){.status = 200};
    if (!talk(provider_find(PROVIDER_CEPH_RGW)->become, &x, in, 4, sent, e))
        return SV("failed");
    CHECK(sv_contains(sent[0], SV("Action=GetSessionToken")));
    return x.probe.failure;
}

static void what_a_credential_could_become_is_named_with_a_remedy(void)
{
    static const char *const holes[] = {"our own user by GetSessionToken", "could manage roles",
                                        "could become the role arn:aws:iam:::role/one",
                                        "into the trust policy of two"};
    const struct http_response refusal = {.status = 403, .body = DENIED};

    for (int i = 0; i < 4; i++) {
        auto_arena a = {0};
        struct err e = {0};

        CHECK(sv_contains(become(i, refusal, &a, &e), sv_from(holes[i])));
    }
}

static void what_the_store_refuses_or_does_not_know_is_no_hole(void)
{
    static const struct http_response refusals[] = {
        {.status = 403,                                                .body = DENIED},
        {.status = 404,                                                            .body = SV_INIT("<Error><Code>NoSuchEntity</Code></Error>")},
        {.status = 404},
        {.status = 405                                               },
        {.status = 501                                               },
        {.status = 400                                               }
    };

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        auto_arena a = {0};
        struct err e = {0};

        CHECK_SV(become(-1, refusals[i], &a, &e), SV(""));
        CHECK_INT(e.code, ERR_NONE);
    }
}

static void a_session_that_is_not_its_user_is_not_tried_for_becoming_him(void)
{
    static const struct http_response in[] = {
        {.status = 403, .body = DENIED}
    };
    static const struct credential key = {.access_key_id = SV_INIT("J"),
                                          .secret_access_key = {{"S", 1}}};
    auto_arena a = {0};
    struct target t = target_of_ours();
    struct exchange x = {.target = &t, .arena = &a, .key = &key};
    struct sv sent[1] = {0};
    struct err e = {0};

    t.provider = provider_find(PROVIDER_AWS);
    NEED_OK(talk(t.provider->become, &x, in, 1, sent, &e), &e);
    CHECK(sv_contains(sent[0], SV("Action=GetRole")));
    CHECK_SV(x.probe.failure, SV(""));
}

static void an_answer_that_proves_nothing_is_asked_for_again(void)
{
    static const struct http_response answers[] = {
        {.status = 503}, {.status = 429}, {.status = 302}};

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        auto_arena a = {0};
        struct err e = {0};

        CHECK_SV(become(-1, answers[i], &a, &e), SV("failed"));
        CHECK_INT(e.code, ERR_UNAVAILABLE);
    }
}

static void roles_are_listed_over_pages(void)
{
    static const struct http_response in[] = {
        {.status = 200,
         .body = SV_INIT(
             "<ListRolesResponse><ListRolesResult><Roles><member><Arn>arn:1</Arn><RoleName>one"
             "</RoleName><AssumeRolePolicyDocument>%7B%7D</AssumeRolePolicyDocument></member>"
             "</Roles><IsTruncated>true</IsTruncated><Marker>m</Marker></ListRolesResult>"
             "</ListRolesResponse>")                                               },
        {.status = 200,
         .body = SV_INIT("<ListRolesResponse><ListRolesResult><Roles><member><Arn>arn:2</Arn>"
                         "</member></Roles></ListRolesResult></ListRolesResponse>")},
    };
    auto_arena a = {0};
    struct target t = target_of_ours();
    struct exchange x = {.target = &t, .arena = &a};
    struct sv sent[2] = {0};
    struct err e = {0};

    NEED_OK(talk(provider_find(PROVIDER_CEPH_RGW)->list_roles, &x, in, 2, sent, &e), &e);
    CHECK(sv_contains(sent[1], SV("Marker=m")));
    NEED(x.others.n == 2);
    CHECK_SV(x.others.p[0].trust, SV("{}"));
    CHECK_SV(x.others.p[1].arn, SV("arn:2"));
}

static void a_store_without_any_role_has_no_other(void)
{
    static const struct http_response in[] = {
        {.status = 404, .body = SV_INIT("<Error><Code>NoSuchEntity</Code></Error>")}
    };
    auto_arena a = {0};
    struct target t = target_of_ours();
    struct exchange x = {.target = &t, .arena = &a};
    struct sv sent[1] = {0};
    struct err e = {0};

    NEED_OK(talk(provider_find(PROVIDER_CEPH_RGW)->list_roles, &x, in, 1, sent, &e), &e);
    CHECK_INT(x.others.n, 0);
}

static void a_role_is_empty_only_without_inline_and_attached_policies(void)
{
    static const struct http_response none = {.status = 200, .body = SV_INIT("<R/>")};
    static const struct http_response one = {
        .status = 200,
        .body = SV_INIT("<R><ListRolePoliciesResult><PolicyNames><member>p</member></PolicyNames>"
                        "</ListRolePoliciesResult></R>")};
    static const struct http_response attached = {
        .status = 200,
        .body = SV_INIT("<R><ListAttachedRolePoliciesResult><AttachedPolicies><member/>"
                        "</AttachedPolicies></ListAttachedRolePoliciesResult></R>")};
    const struct {
        struct http_response in[2];
        bool empty;
    } rows[] = {
        {{one},                   false},
        {{none, attached},        false},
        {{none, none},            true },
        {{none, {.status = 405}}, true },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena a = {0};
        struct target t = target_of_ours();
        struct exchange x = {.target = &t, .arena = &a};
        struct sv sent[2] = {0};
        struct err e = {0};

        vec_push(&x.others, &a, ((struct other_role){.name = SV("n")}));
        NEED_OK(talk(provider_find(PROVIDER_AWS)->role_is_empty, &x, rows[i].in, 2, sent, &e), &e);
        CHECK_INT(x.missing, rows[i].empty);
    }
}

SUITE("provider/other_roles",
      TEST(a_trust_policy_admits_our_sessions_unless_it_is_guarded_or_of_others),
      TEST(where_a_session_is_not_its_user_only_trust_in_the_role_counts),
      TEST(a_user_of_unknown_name_may_be_anyone),
      TEST(what_a_credential_could_become_is_named_with_a_remedy),
      TEST(what_the_store_refuses_or_does_not_know_is_no_hole),
      TEST(a_session_that_is_not_its_user_is_not_tried_for_becoming_him),
      TEST(an_answer_that_proves_nothing_is_asked_for_again), TEST(roles_are_listed_over_pages),
      TEST(a_store_without_any_role_has_no_other),
      TEST(a_role_is_empty_only_without_inline_and_attached_policies))
