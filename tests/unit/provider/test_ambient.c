/* test_ambient.c - keys that a place gives: what is asked of whom, and what must never be sent. */
#include "provider/ambient.h"
#include "unit/suite.h"

#define NOW_MS 1767225600000 /* 2026-01-01T00:00:00Z */
#define KEY_JSON                                                                                \
    "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIA1\",\"SecretAccessKey\":\"hidden\",\"Token\":" \
    "\"t+/=\",\"Expiration\":\"2026-01-01T06:00:00Z\"}"
#define KEY_XML                                                                               \
    "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">" \
    "<AssumeRoleWithWebIdentityResult><Credentials><SessionToken>t+/=</SessionToken>"         \
    "<SecretAccessKey>hidden</SecretAccessKey><Expiration>2026-01-01T01:00:00Z</Expiration>"  \
    "<AccessKeyId>ASIA1</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>"        \
    "</AssumeRoleWithWebIdentityResponse>"

struct fixture {
    struct arena arena;
    struct ambient from;
    struct exchange x;
    struct err e;
};

static void begin(struct fixture *f, struct ambient from)
{
    *f = (struct fixture){.from = from};
    f->x = (struct exchange){.arena = &f->arena, .now_ms = NOW_MS};
}

static struct ambient web_identity(void)
{
    return (struct ambient){.role_arn = SV("arn:aws:iam::123456789012:role/desk"),
                            .identity_token = secret_of(SV("ey.J+.x")),
                            .region = SV("eu-west-1")};
}

static struct ambient container(const char *uri)
{
    return (struct ambient){.container_uri = sv_from(uri)};
}

static bool mint(struct fixture *f)
{
    return ambient_mint(&f->from, &f->x, &f->e);
}

static bool answered(struct fixture *f, int status, const char *body)
{
    f->x.in = (struct http_response){.status = status, .body = sv_from(body)};
    f->x.round++;
    return mint(f);
}

static void check_key(const struct fixture *f, const char *who)
{
    CHECK(f->x.done);
    CHECK_SV(f->x.got.access_key_id, SV("ASIA1"));
    CHECK_SV(secret_reveal(f->x.got.secret_access_key), SV("hidden"));
    CHECK_SV(secret_reveal(f->x.got.session_token), SV("t+/="));
    CHECK_SV(f->x.caller, sv_from(who));
}

static void the_sources_are_asked_in_the_order_of_the_libraries(void)
{
    struct ambient m = {.instance_endpoint = SV("http://169.254.169.254")};

    CHECK_INT(ambient_choose(&(struct ambient){0}), AMBIENT_NONE);
    CHECK_INT(ambient_choose(&m), AMBIENT_INSTANCE);
    m.container_path = SV("/v2/x");
    CHECK_INT(ambient_choose(&m), AMBIENT_CONTAINER);
    m.role_arn = SV("arn:aws:iam::123456789012:role/desk");
    CHECK_INT(ambient_choose(&m), AMBIENT_CONTAINER);
    m.identity_token = secret_of(SV("t"));
    CHECK_INT(ambient_choose(&m), AMBIENT_WEB_IDENTITY);
    m.key.access_key_id = SV("AKIA1");
    CHECK_INT(ambient_choose(&m), AMBIENT_WEB_IDENTITY);
    m.key.secret_access_key = secret_of(SV("s"));
    CHECK_INT(ambient_choose(&m), AMBIENT_ENVIRONMENT);
}

static void without_any_source_the_error_names_them(void)
{
    struct fixture f;

    begin(&f, (struct ambient){0});
    CHECK(!mint(&f));
    CHECK_INT(f.e.code, ERR_NOT_FOUND);
    CHECK(sv_contains(sv_from(f.e.msg), SV("AWS_WEB_IDENTITY_TOKEN_FILE")));
    arena_done(&f.arena);
}

static void the_environments_key_is_taken_as_it_is(void)
{
    struct fixture f;

    begin(&f, (struct ambient){
                  .key = {.access_key_id = SV("ASIA1"),
                          .secret_access_key = secret_of(SV("hidden")),
                          .session_token = secret_of(SV("t+/="))}
    });
    NEED_OK(mint(&f), &f.e);
    CHECK_INT(f.x.out.target.n, 0);
    check_key(&f, "environment ASIA1");
    CHECK_INT(f.x.got.expires_ms, 0);
    arena_done(&f.arena);
}

static void a_web_identity_goes_to_the_regional_token_service_unsigned(void)
{
    struct fixture f;

    begin(&f, web_identity());
    NEED_OK(mint(&f), &f.e);
    CHECK_SV(f.x.out.target, SV("https://sts.eu-west-1.amazonaws.com/"));
    CHECK_SV(f.x.out.body,
             SV("Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A"
                "123456789012%3Arole%2Fdesk&RoleSessionName=frontdesk&WebIdentityToken=ey.J%2B.x"));
    CHECK(!http_header(&f.x.out.headers, SV("Authorization")));
    NEED_OK(answered(&f, 200, KEY_XML), &f.e);
    check_key(&f, "web identity arn:aws:iam::123456789012:role/desk");
    CHECK_INT(f.x.got.expires_ms, NOW_MS + 3600 * 1000);
    arena_done(&f.arena);
}

static void a_web_identity_that_is_refused_says_so(void)
{
    struct fixture f;

    begin(&f, web_identity());
    NEED_OK(mint(&f), &f.e);
    CHECK(!answered(&f, 400,
                    "<ErrorResponse><Error><Code>ExpiredTokenException</Code></Error>"
                    "</ErrorResponse>"));
    CHECK(sv_contains(sv_from(f.e.msg), SV("ExpiredTokenException")));
    CHECK(!sv_contains(sv_from(f.e.msg), SV("ey.J+.x")));
    arena_done(&f.arena);
}

static void a_container_is_asked_with_its_token(void)
{
    struct fixture f;

    begin(&f, container("http://169.254.170.23/v1/credentials"));
    f.from.container_token = secret_of(SV("pod-token"));
    NEED_OK(mint(&f), &f.e);
    CHECK_SV(f.x.out.target, SV("http://169.254.170.23/v1/credentials"));
    CHECK_SV(http_header_text(&f.x.out.headers, SV("Authorization")), SV("pod-token"));
    NEED_OK(answered(&f, 200, KEY_JSON), &f.e);
    check_key(&f, "container http://169.254.170.23/v1/credentials");
    arena_done(&f.arena);
}

static void a_containers_path_is_below_the_address_of_ecs(void)
{
    struct fixture f;

    begin(&f, (struct ambient){.container_path = SV("/v2/credentials/1")});
    NEED_OK(mint(&f), &f.e);
    CHECK_SV(f.x.out.target, SV("http://169.254.170.2/v2/credentials/1"));
    arena_done(&f.arena);
    begin(&f, (struct ambient){.container_path = SV(".evil.example/x")});
    CHECK(!mint(&f));
    arena_done(&f.arena);
}

static void a_containers_token_goes_to_no_foreign_host_in_the_clear(void)
{
    static const char *const bad[] = {
        "http://evil.example/",
        "http://169.254.170.2.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://127.evil/",
        "http://127.1/",
        "http://127.0.0.256/",
        "http://0x7f.0.0.1/",
        "http://169.254.169.254/",
        "http://localhost.evil.example/",
        "http://[fd00:ec2::24]/",
        "http://127.0.0.1@evil.example/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://1270.0.0.1/",
        "http://128.0.0.1/",
    };
    static const char *const good[] = {
        "http://127.0.0.1:8080/x",  "http://127.255.0.3/",    "http://localhost:1/x",
        "http://[::1]:1/",          "http://169.254.170.2/x", "http://169.254.170.23/x",
        "http://[fd00:ec2::23]/v1", "https://keys.example/x",
    };
    struct fixture f;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        begin(&f, container(bad[i]));
        CHECK(!mint(&f));
        CHECK_INT(f.e.code, ERR_INVALID);
        CHECK_INT(f.x.out.target.n, 0);
        arena_done(&f.arena);
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        begin(&f, container(good[i]));
        CHECK_OK(mint(&f), &f.e);
        arena_done(&f.arena);
    }
}

static void a_token_cannot_become_another_header(void)
{
    struct fixture f;

    begin(&f, container("http://127.0.0.1/"));
    f.from.container_token = secret_of(SV("x\r\nHost: evil"));
    CHECK(!mint(&f));
    CHECK(!sv_contains(sv_from(f.e.msg), SV("evil")));
    arena_done(&f.arena);
}

static void an_instance_is_asked_in_a_session_of_version_2(void)
{
    struct fixture f;

    begin(&f, (struct ambient){.instance_endpoint = SV("http://169.254.169.254")});
    NEED_OK(mint(&f), &f.e);
    CHECK_INT(f.x.out.method, HTTP_PUT);
    CHECK_SV(f.x.out.target, SV("http://169.254.169.254/latest/api/token"));
    CHECK(http_header(&f.x.out.headers, SV("X-aws-ec2-metadata-token-ttl-seconds")));
    NEED_OK(answered(&f, 200, "session-token"), &f.e);
    CHECK_SV(f.x.out.target,
             SV("http://169.254.169.254/latest/meta-data/iam/security-credentials/"));
    CHECK_SV(http_header_text(&f.x.out.headers, SV("X-aws-ec2-metadata-token")),
             SV("session-token"));
    NEED_OK(answered(&f, 200, "a role\nanother"), &f.e);
    CHECK_SV(f.x.out.target,
             SV("http://169.254.169.254/latest/meta-data/iam/security-credentials/a%20role"));
    NEED_OK(answered(&f, 200, KEY_JSON), &f.e);
    check_key(&f, "instance a role");
    arena_done(&f.arena);
}

static void an_instance_without_sessions_or_a_role_gives_no_key(void)
{
    struct fixture f;

    begin(&f, (struct ambient){.instance_endpoint = SV("http://169.254.169.254")});
    NEED_OK(mint(&f), &f.e);
    CHECK(!answered(&f, 403, ""));
    CHECK_INT(f.e.code, ERR_DENIED);
    arena_done(&f.arena);
    begin(&f, (struct ambient){.instance_endpoint = SV("http://169.254.169.254")});
    NEED_OK(mint(&f) && answered(&f, 200, "t"), &f.e);
    CHECK(!answered(&f, 404, ""));
    CHECK(sv_contains(sv_from(f.e.msg), SV("no role")));
    arena_done(&f.arena);
}

static void half_an_answer_is_an_outage(void)
{
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "{\"AccessKeyId\":\"A\"}",
        "{\"SecretAccessKey\":\"S\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Expiration\":\"soon\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Expiration\":\"2025-12-31T23:59:59Z\"}",
    };

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct fixture f;

        begin(&f, container("http://127.0.0.1/"));
        NEED_OK(mint(&f), &f.e);
        CHECK(!answered(&f, 200, bodies[i]));
        CHECK_INT(f.e.code, ERR_UNAVAILABLE);
        CHECK(!f.x.done);
        arena_done(&f.arena);
    }
}

SUITE("provider/ambient", TEST(the_sources_are_asked_in_the_order_of_the_libraries),
      TEST(without_any_source_the_error_names_them), TEST(the_environments_key_is_taken_as_it_is),
      TEST(a_web_identity_goes_to_the_regional_token_service_unsigned),
      TEST(a_web_identity_that_is_refused_says_so), TEST(a_container_is_asked_with_its_token),
      TEST(a_containers_path_is_below_the_address_of_ecs),
      TEST(a_containers_token_goes_to_no_foreign_host_in_the_clear),
      TEST(a_token_cannot_become_another_header),
      TEST(an_instance_is_asked_in_a_session_of_version_2),
      TEST(an_instance_without_sessions_or_a_role_gives_no_key), TEST(half_an_answer_is_an_outage))
