/* test_oauth.c - POST /v1/oauth/tokens: who gets a token, and who does not. */
#include "unit/catalog/serve_bench.h"

#define GRANT "grant_type=client_credentials"

/* A principal of that uid; a role that comes to alice through a second team. */
#define LAKE_OF(uid)                                                                    \
    STORE CATALOG("c") "apiVersion: polaris.apache.org/v1\nkind: Principal\nmetadata: " \
                       "{name: alice, namespace: l, uid: u" uid "}\nspec: "             \
                       "{clientCredentials: {}}\n---\n" BOB ROLE("c")
#define TEAM_TWO                                               \
    HEAD("PrincipalRole", "two")                               \
    "{members: [{kind: Principal, name: alice}]}\n---\n" HEAD( \
        "CatalogRole",                                         \
        "r-two") "{catalogRef: {name: c}, principals: "        \
                 "[{kind: PrincipalRole, name: two}], grants: [{privileges: [NAMESPACE_LIST]}]}\n---\n"

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
    /* curl -u sends it as it is: no form's encoding, but in what it is. */
    b.secret = "100%+a b:c";
    bench_publish(&b, LAKE);
    for (int i = 0; i < 200 && bench_form(&b, GRANT, basic("alice-id:100%+a b:c")).status != 200;
         i++)
        (void)poll(NULL, 0, 5);
    CHECK_INT(bench_form(&b, GRANT, basic("alice-id:100%+a b:c")).status, 200);
    CHECK_INT(bench_form(&b, GRANT, basic("alice%2Did:100%25%2Ba+b%3Ac")).status, 200);
    check_refused(GRANT, basic("alice-id:100%+a b"), 401, "invalid_client");
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
    /* A secret in the form and one in the head are two as well. */
    check_refused(GRANT "&client_id=alice-id&client_secret=" SECRET, basic("bob-id:s3cr3t-of-bob"),
                  400, "invalid_request");
    check_refused(GRANT "&client_id=bob-id", basic("alice-id:" SECRET), 400, "invalid_request");
    bench_done(&b);
}

/* RFC 6749, 3.2: "parameters sent without a value must be treated as if they were omitted". */
static void an_empty_field_is_an_absent_one(void)
{
    bench_start(&b, LAKE);
    CHECK_INT(
        bench_form(&b, GRANT "&client_id=&client_secret=&scope=", basic("alice-id:" SECRET)).status,
        200);
    CHECK_INT(bench_form(&b,
                         "grant_type=&" GRANT "&client_id=alice-id&scope=&client_secret=" SECRET
                         "&client_id=",
                         NULL)
                  .status,
              200);
    CHECK_INT(bench_form(&b, GRANT "&client_id=alice-id", basic("alice-id:" SECRET)).status, 200);
    check_refused(GRANT "&client_id=alice-id&client_secret=", NULL, 401, "invalid_client");
    check_refused("grant_type=&client_id=alice-id&client_secret=" SECRET, NULL, 400,
                  "unsupported_grant_type");
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

/* ---- what a token follows from ---- */

#define LOGIN    GRANT "&client_id=alice-id&client_secret=" SECRET
#define EXCHANGE "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange"
#define OF_TYPE  "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"

static int status_with(struct sv token)
{
    b.token = token;
    return bench_ask(&b, &(struct asking){.path = "/v1/c/namespaces"}).status;
}

/* The rulebook arrives by message. */
enum { LOOKS = 12000 }; /* a minute: the machine may be busy */

static bool comes_to(struct sv token, int status)
{
    for (int i = 0; i < LOOKS; i++) {
        if (status_with(token) == status)
            return true;
        (void)poll(NULL, 0, 5);
    }
    return false;
}

static struct sv token_of(const struct http_response *r)
{
    CHECK_INT(r->status, 200);
    return json_get_str(bench_json(&b, r), SV("access_token"));
}

static struct sv login(const char *form)
{
    struct http_response r = bench_form(&b, form, NULL);

    return token_of(&r);
}

static struct http_response exchange(struct sv token, const char *more, const char *authorization)
{
    struct sv form = arena_printf(&b.arena, "%s&subject_token=" SV_FMT "%s", EXCHANGE OF_TYPE,
                                  SV_ARG(token), more);

    return bench_form(&b, form.p, authorization);
}

static const char *bearer(struct sv token)
{
    return arena_printf(&b.arena, "Bearer " SV_FMT, SV_ARG(token)).p;
}

static void check_not_exchanged(struct sv token, const char *more, const char *authorization,
                                int status, const char *error)
{
    struct http_response r = exchange(token, more, authorization);
    const struct json *body = bench_json(&b, &r);

    CHECK_INT(r.status, status);
    CHECK_SV(json_get_str(body, SV("error")), sv_from(error));
    CHECK(!json_get(body, SV("access_token")));
}

/* As Iceberg's Java client asks, nine tenths of a life after the last time. */
static void a_holder_of_a_token_gets_the_next_one_for_as_long_as_it_asks(void)
{
    struct sv token;

    bench_start(&b, LAKE);
    token = b.token;
    for (int life = 0; life < 4; life++) {
        struct http_response r;

        (void)atomic_fetch_add(&b.ms, 3300 * 1000);
        r = exchange(token, "&scope=catalog", bearer(token));
        CHECK_INT(json_i64(json_get(bench_json(&b, &r), SV("expires_in")), 0), 3600);
        CHECK_SV(json_get_str(bench_json(&b, &r), SV("issued_token_type")),
                 SV("urn:ietf:params:oauth:token-type:access_token"));
        token = token_of(&r);
        CHECK_INT(status_with(token), 200);
    }
    (void)atomic_fetch_add(&b.ms, 3661 * 1000);
    check_not_exchanged(token, "", bearer(token), 400, "invalid_request");
    bench_done(&b);
}

/* A computer that slept: Java proves itself by Basic then, and sends the expired token all the
 * same. */
static void an_expired_token_is_exchanged_beside_the_clients_secret(void)
{
    struct http_response r;

    bench_start(&b, LAKE);
    (void)atomic_fetch_add(&b.ms, (int64_t)86400 * 1000);
    r = exchange(b.token, "&scope=catalog", basic("alice-id:" SECRET));
    CHECK_INT(status_with(token_of(&r)), 200);
    r = exchange(b.token, "&client_id=alice-id&client_secret=" SECRET, NULL);
    CHECK_INT(status_with(token_of(&r)), 200);
    check_not_exchanged(b.token, "", basic("alice-id:wrong"), 401, "invalid_client");
    check_not_exchanged(b.token, "", basic("bob-id:s3cr3t-of-bob"), 400, "invalid_request");
    check_not_exchanged(SV("x.y.z"), "", basic("alice-id:" SECRET), 400, "invalid_request");
    bench_done(&b);
}

static void an_exchange_is_refused_that_does_not_say_all_or_says_too_much(void)
{
    struct sv token, bobs;

    bench_start(&b, LAKE);
    token = b.token;
    bobs = login(GRANT "&client_id=bob-id&client_secret=s3cr3t-of-bob");
    check_not_exchanged(token, "", NULL, 401, "invalid_client");
    check_not_exchanged(token, "", bearer(bobs), 401, "invalid_client");
    check_not_exchanged(token, "", "Bearer x.y.z", 401, "invalid_client");
    check_not_exchanged(token, "&actor_token=x", bearer(token), 400, "invalid_request");
    check_not_exchanged(token, "&requested_token_type=urn:ietf:params:oauth:token-type:saml2",
                        bearer(token), 400, "invalid_request");
    check_not_exchanged(token, "&subject_token=x", bearer(token), 400, "invalid_request");
    check_not_exchanged(SV(""), "", bearer(token), 400, "invalid_request");
    check_refused(arena_printf(&b.arena, "%s&subject_token=" SV_FMT, EXCHANGE, SV_ARG(token)).p,
                  bearer(token), 400, "invalid_request");
    bench_done(&b);
}

static void an_exchange_never_widens_the_scope(void)
{
    struct sv narrow, token;
    struct http_response r;

    bench_start(&b, LAKE);
    token = b.token;
    r = exchange(token, "&scope=PRINCIPAL_ROLE:team", bearer(token));
    narrow = token_of(&r);
    CHECK_INT(status_with(narrow) / 100, 4);
    r = exchange(narrow, "&scope=catalog", bearer(narrow));
    CHECK_INT(status_with(token_of(&r)) / 100, 4);
    /* Neither by the other token of the same principal, nor by its secret. */
    r = exchange(narrow, "", bearer(token));
    CHECK_INT(status_with(token_of(&r)) / 100, 4);
    r = exchange(narrow, "", basic("alice-id:" SECRET));
    CHECK_INT(status_with(token_of(&r)) / 100, 4);
    check_not_exchanged(narrow, "&scope=PRINCIPAL_ROLE:ALL", bearer(narrow), 400, "invalid_scope");
    check_not_exchanged(narrow, "&scope=PRINCIPAL_ROLE:others", bearer(narrow), 400,
                        "invalid_scope");
    bench_done(&b);
}

static void a_token_ends_with_the_secret_that_it_was_got_by(void)
{
    struct sv token;

    bench_start(&b, LAKE);
    token = b.token;
    b.secret = "another";
    bench_publish(&b, LAKE);
    CHECK(comes_to(token, 401));
    check_not_exchanged(token, "", bearer(token), 400, "invalid_request");
    check_not_exchanged(token, "", basic("alice-id:" SECRET), 401, "invalid_client");
    CHECK_INT(status_with(login(GRANT "&client_id=alice-id&client_secret=another")), 200);
    bench_done(&b);
}

/* With an overlap of ten minutes the token is good for those, renewed or not. */
static void a_renewed_token_ends_with_the_old_secret_too(void)
{
    struct http_response r;
    struct sv token, next;

    bench_start(&b, LAKE);
    token = b.token;
    b.secret = "another";
    b.old_until_ms = atomic_load(&b.ms) + 600 * 1000;
    bench_publish(&b, LAKE);
    NEED(comes_to(login(GRANT "&client_id=alice-id&client_secret=another"), 200));
    (void)atomic_fetch_add(&b.ms, 540 * 1000);
    CHECK_INT(status_with(token), 200);
    r = exchange(token, "", bearer(token));
    CHECK_INT(json_i64(json_get(bench_json(&b, &r), SV("expires_in")), 0), 60);
    next = token_of(&r);
    CHECK_INT(status_with(next), 200);
    r = bench_form(&b, LOGIN, NULL);
    CHECK_INT(json_i64(json_get(bench_json(&b, &r), SV("expires_in")), 0), 60);
    (void)atomic_fetch_add(&b.ms, 60 * 1000);
    CHECK_INT(status_with(token), 401);
    CHECK_INT(status_with(next), 401);
    CHECK_INT(bench_form(&b, LOGIN, NULL).status, 401);
    bench_done(&b);
}

/* The same id and the same secret, as a Secret that was kept would bring them. */
static void a_principal_that_is_made_anew_revives_no_token(void)
{
    static const char *const of_uid = LAKE_OF("1"), *const anew = LAKE_OF("2");
    struct sv token;

    bench_start(&b, of_uid);
    token = b.token;
    bench_publish(&b, anew);
    CHECK(comes_to(token, 401));
    check_not_exchanged(token, "", bearer(token), 400, "invalid_request");
    CHECK_INT(status_with(login(LOGIN)), 200);
    bench_done(&b);
}

/* The new key signs, the one before verifies as long as it is there. */
static void tokens_live_through_the_turn_of_a_key_and_end_with_it(void)
{
    struct sv token, head, next = {0};

    bench_start(&b, LAKE);
    token = b.token;
    head = sv_first(token, (size_t)sv_find(token, '.')); /* holds the key's id */
    b.keys = "nk";
    bench_publish(&b, LAKE);
    for (int i = 0; i < LOOKS && sv_starts((next = login(LOGIN)), head); i++)
        (void)poll(NULL, 0, 5);
    CHECK_INT(status_with(token), 200);
    CHECK_INT(status_with(next), 200);
    b.keys = "n";
    bench_publish(&b, LAKE);
    CHECK(comes_to(token, 401));
    CHECK_INT(status_with(next), 200);
    check_not_exchanged(token, "", bearer(token), 400, "invalid_request");
    /* A server of engines that was asleep meanwhile comes back by itself. */
    {
        struct http_response r = exchange(token, "", basic("alice-id:" SECRET));

        CHECK_INT(status_with(token_of(&r)), 200);
    }
    bench_done(&b);
}

static void several_roles_of_a_scope_are_their_union(void)
{
    struct sv one, both;

    bench_start(&b, LAKE TEAM_TWO);
    one = login(LOGIN "&scope=PRINCIPAL_ROLE:team");
    both = login(LOGIN "&scope=PRINCIPAL_ROLE:two+PRINCIPAL_ROLE:team");
    CHECK_INT(status_with(one) / 100, 4);
    CHECK_INT(status_with(both), 200);
    CHECK_INT(status_with(login(LOGIN "&scope=PRINCIPAL_ROLE:team+PRINCIPAL_ROLE:two")), 200);
    CHECK_INT(status_with(login(LOGIN "&scope=PRINCIPAL_ROLE:team+PRINCIPAL_ROLE:ALL")), 200);
    check_refused(LOGIN "&scope=PRINCIPAL_ROLE:admins+PRINCIPAL_ROLE:team", NULL, 400,
                  "invalid_scope");
    check_not_exchanged(one, "&scope=PRINCIPAL_ROLE:team+PRINCIPAL_ROLE:two", bearer(one), 400,
                        "invalid_scope");
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
      TEST(an_empty_field_is_an_absent_one), TEST(a_scope_names_a_role_that_one_is_in),
      TEST(a_token_of_one_role_has_that_roles_rights_only),
      TEST(several_roles_of_a_scope_are_their_union), TEST(a_token_ends_when_it_said),
      TEST(a_holder_of_a_token_gets_the_next_one_for_as_long_as_it_asks),
      TEST(an_expired_token_is_exchanged_beside_the_clients_secret),
      TEST(an_exchange_is_refused_that_does_not_say_all_or_says_too_much),
      TEST(an_exchange_never_widens_the_scope),
      TEST(a_token_ends_with_the_secret_that_it_was_got_by),
      TEST(a_renewed_token_ends_with_the_old_secret_too),
      TEST(a_principal_that_is_made_anew_revives_no_token),
      TEST(tokens_live_through_the_turn_of_a_key_and_end_with_it),
      TEST(a_principal_that_is_gone_is_out_at_once))
