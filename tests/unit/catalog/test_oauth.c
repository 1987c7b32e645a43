/* test_oauth.c - POST /v1/oauth/tokens: who gets a token, and who does not. */
#include "unit/catalog/serve_bench.h"

#define GRANT "grant_type=client_credentials"

static struct bench b;

static void check_refused(const char *form, const char *authorization, int status,
                          const char *error)
{
    struct http_response r = bench_form(&b, form, authorization);
    const struct json *body = bench_json(&b, &r);

    CHECK_INT(r.status, status);
    CHECK_SV(json_get_str(body, SV("error")), sv_from(error));
    CHECK(json_get_str(body, SV("error_description")).n != 0);
    CHECK(!json_get(body, SV("access_token")));
    CHECK_SV(http_header_text(&r.headers, SV("Cache-Control")), SV("no-store"));
    CHECK((http_header(&r.headers, SV("WWW-Authenticate")) != NULL) == (status == 401));
}

static void id_and_secret_in_the_form_get_a_token(void)
{
    struct http_response r;
    const struct json *body;

    bench_start(&b, LAKE);
    r = bench_form(&b, GRANT "&client_id=alice-id&client_secret=" SECRET "&scope=catalog", NULL);
    body = bench_json(&b, &r);
    CHECK_INT(r.status, 200);
    CHECK_SV(json_get_str(body, SV("token_type")), SV("bearer"));
    CHECK_SV(json_get_str(body, SV("scope")), SV("catalog"));
    CHECK_INT(json_i64(json_get(body, SV("expires_in")), 0), 3600);
    CHECK_SV(http_header_text(&r.headers, SV("Cache-Control")), SV("no-store"));
    b.token = json_get_str(body, SV("access_token"));
    CHECK_INT(bench_ask(&b, &(struct asking){.path = "/v1/config"}).status, 200);
    bench_done(&b);
}

static const char *basic(const char *id_and_secret)
{
    struct sv text = base64_encode(&b.arena, sv_from(id_and_secret));

    return arena_printf(&b.arena, "Basic " SV_FMT, SV_ARG(text)).p;
}

static void basic_authentication_gets_one_too(void)
{
    bench_start(&b, LAKE);
    CHECK_INT(bench_form(&b, GRANT, basic("alice-id:" SECRET)).status, 200);
    CHECK_INT(bench_form(&b, GRANT, basic("alice%2Did:s3cr3t%2Dof%2Dalice")).status, 200);
    check_refused(GRANT, basic("alice-id:wrong"), 401, "invalid_client");
    check_refused(GRANT, basic("alice-id"), 401, "invalid_client");
    check_refused(GRANT, basic("alice-id:%zz"), 401, "invalid_client");
    check_refused(GRANT, "Basic !!!", 401, "invalid_client");
    check_refused(GRANT, "Basic ", 401, "invalid_client");
    bench_done(&b);
}

/* What is wrong is not told apart: neither who exists, nor how close a guess came. */
static void every_wrong_login_is_refused_alike(void)
{
    static const char *const forms[] = {
        GRANT "&client_id=alice-id&client_secret=wrong",
        GRANT "&client_id=nobody&client_secret=" SECRET,
        GRANT "&client_id=bob-id&client_secret=" SECRET,
        GRANT "&client_id=alice&client_secret=" SECRET,
        GRANT "&client_id=&client_secret=" SECRET,
        GRANT "&client_id=ALICE-ID&client_secret=" SECRET,
    };
    struct sv first = {0};

    bench_start(&b, LAKE);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct http_response r = bench_form(&b, forms[i], NULL);

        CHECK_INT(r.status, 401);
        if (i)
            CHECK_SV(r.body, first);
        first = r.body;
    }
    bench_done(&b);
}

static void no_credentials_and_no_grant_are_refused(void)
{
    bench_start(&b, LAKE);
    check_refused(GRANT, NULL, 401, "invalid_client");
    check_refused(GRANT "&client_id=alice-id", NULL, 401, "invalid_client");
    check_refused("", NULL, 400, "unsupported_grant_type");
    check_refused("client_id=alice-id&client_secret=" SECRET, NULL, 400, "unsupported_grant_type");
    check_refused("grant_type=password&client_id=alice-id&client_secret=" SECRET, NULL, 400,
                  "unsupported_grant_type");
    check_refused("grant_type=%zz", NULL, 400, "invalid_request");
    bench_done(&b);
}

/* RFC 6749, 3.2: parameters must not be included more than once. */
static void a_field_that_is_given_twice_is_refused(void)
{
    bench_start(&b, LAKE);
    check_refused(GRANT "&client_id=bob-id&client_secret=" SECRET "&client_id=alice-id", NULL, 400,
                  "invalid_request");
    check_refused(GRANT "&client_id=alice-id&client_secret=" SECRET
                        "&scope=PRINCIPAL_ROLE:team&scope=PRINCIPAL_ROLE:ALL",
                  NULL, 400, "invalid_request");
    bench_done(&b);
}

static void a_scope_names_a_role_that_one_is_in(void)
{
    static const char *const good[] = {"catalog",
                                       "sign",
                                       "PRINCIPAL_ROLE%3AALL",
                                       "PRINCIPAL_ROLE:team",
                                       "catalog+PRINCIPAL_ROLE:team",
                                       ""};
    static const char *const bad[] = {"PRINCIPAL_ROLE:admins", "PRINCIPAL_ROLE:", "admin",
                                      "catalog+PRINCIPAL_ROLE:admins", "PRINCIPAL_ROLE:TEAM"};

    bench_start(&b, LAKE);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        CHECK_INT(
            bench_form(&b,
                       arena_printf(&b.arena,
                                    GRANT "&client_id=alice-id&client_secret=" SECRET "&scope=%s",
                                    good[i])
                           .p,
                       NULL)
                .status,
            200);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        check_refused(arena_printf(&b.arena,
                                   GRANT "&client_id=alice-id&client_secret=" SECRET "&scope=%s",
                                   bad[i])
                          .p,
                      NULL, 400, "invalid_scope");
    bench_done(&b);
}

/* The rights of alice come to her as herself: a token of the role alone holds none of them. */
static void a_token_of_one_role_has_that_roles_rights_only(void)
{
    struct http_response r;

    bench_start(&b, LAKE);
    r = bench_form(
        &b, GRANT "&client_id=alice-id&client_secret=" SECRET "&scope=PRINCIPAL_ROLE:team", NULL);
    NEED(r.status == 200);
    CHECK_INT(bench_ask(&b, &(struct asking){.path = "/v1/c/namespaces"}).status, 200);
    b.token = json_get_str(bench_json(&b, &r), SV("access_token"));
    CHECK_INT(bench_ask(&b, &(struct asking){.path = "/v1/c/namespaces"}).status / 100, 4);
    bench_done(&b);
}

static void a_token_ends_when_it_said(void)
{
    bench_start(&b, LAKE);
    CHECK_INT(bench_ask(&b, &(struct asking){.path = "/v1/config"}).status, 200);
    (void)atomic_fetch_add(&b.ms, 3600 * 1000 - 1000);
    CHECK_INT(bench_ask(&b, &(struct asking){.path = "/v1/config"}).status, 200);
    (void)atomic_fetch_add(&b.ms, LIMIT_CLOCK_SKEW_MS + 1000);
    {
        struct http_response r = bench_ask(&b, &(struct asking){.path = "/v1/config"});

        check_error(&b, &r, 401, "NotAuthorizedException");
    }
    bench_done(&b);
}

/* Known to the loop's cache of tokens, and out with the next rulebook all the same. */
static void a_principal_that_is_gone_is_out_at_once(void)
{
    bench_start(&b, LAKE);
    CHECK_INT(bench_ask(&b, &(struct asking){.path = "/v1/config"}).status, 200);
    bench_publish(&b, STORE CATALOG("c") BOB);
    {
        struct http_response r = bench_ask(&b, &(struct asking){.path = "/v1/config"});

        for (int i = 0; i < 100 && r.status == 200; i++)
            r = bench_ask(&b, &(struct asking){.path = "/v1/config"});
        check_error(&b, &r, 401, "NotAuthorizedException");
    }
    bench_done(&b);
}

SUITE("catalog/oauth", TEST(id_and_secret_in_the_form_get_a_token),
      TEST(basic_authentication_gets_one_too), TEST(every_wrong_login_is_refused_alike),
      TEST(no_credentials_and_no_grant_are_refused), TEST(a_field_that_is_given_twice_is_refused),
      TEST(a_scope_names_a_role_that_one_is_in),
      TEST(a_token_of_one_role_has_that_roles_rights_only), TEST(a_token_ends_when_it_said),
      TEST(a_principal_that_is_gone_is_out_at_once))
