/* test_catalog.c - what is sent to a server, and what is made of one that misbehaves. */
#include "base/limits.h"
#include "client/catalog.h"
#include "fakes/api_server.h"
#include "unit/suite.h"

struct bench {
    struct arena arena;
    struct fake_server server;
    struct catalog_login login;
    struct catalog *catalog;
    struct listed_vec listed;
    size_t refused;
    struct err e;
};

#define TOKEN FAKE_JSON("200 OK", "{\"access_token\": \"tok\"}")
#define REPLY(bytes)         \
    {                        \
        bytes, FAKE_CLOSE, 0 \
    }
#define CONFIG FAKE_JSON("200 OK", "{\"overrides\": {\"prefix\": \"p/q\"}}")

static void start(struct bench *b, const struct fake_reply *replies, size_t n)
{
    *b = (struct bench){.arena.wipe = true};
    fake_start(&b->server, replies, n);
    b->login.uri = arena_printf(&b->arena, "http://127.0.0.1:%d/api/catalog/", b->server.port);
    b->login.credential = secret_of(SV("id:se:cret&x"));
}

static void end(struct bench *b)
{
    arena_done(&b->arena);
    fake_stop(&b->server);
}

static bool log_in(struct bench *b)
{
    return catalog_login(&b->login, &b->arena, &b->catalog, &b->e);
}

/* Signed in, and the catalog chosen: the script's first two answers. */
static bool choose(struct bench *b)
{
    const struct sv_vec name = {(struct sv[]){SV("wh")}, 1, 1};
    size_t taken;

    return log_in(b) && catalog_choose(b->catalog, &name, 0, &taken, &b->e);
}

static bool asked(const struct bench *b, size_t i, const char *line)
{
    return sv_starts(sv_from(b->server.requests[i]), sv_from(line));
}

static void a_credential_becomes_a_token_and_no_keys_are_asked_for(void)
{
    static const struct fake_reply replies[] = {REPLY(TOKEN), REPLY(CONFIG),
                                                REPLY(FAKE_JSON("200 OK", "{\"metadata\": {}}"))};
    static struct bench b;
    const struct sv_vec ns = {
        (struct sv[]){SV("a/b"), SV("c")},
         2, 2
    };
    struct json *answer;

    start(&b, replies, 3);
    NEED_OK(choose(&b), &b.e);
    CHECK_OK(catalog_load(b.catalog, &ns, SV("t?"), &b.arena, &answer, &b.e), &b.e);
    CHECK(asked(&b, 0, "POST /api/catalog/v1/oauth/tokens HTTP/1.1\r\n"));
    CHECK(strstr(b.server.requests[0], "client_id=id&client_secret=se%3Acret%26x"));
    CHECK(!strstr(b.server.requests[0], "Authorization"));
    CHECK(asked(&b, 1, "GET /api/catalog/v1/config?warehouse=wh HTTP/1.1\r\n"));
    CHECK(strstr(b.server.requests[1], "Authorization: Bearer tok\r\n"));
    CHECK(asked(&b, 2, "GET /api/catalog/v1/p%2Fq/namespaces/a%2Fb%1Fc/tables/t%3F HTTP/1.1\r\n"));
    CHECK(!strcasestr(b.server.requests[2], "access-delegation"));
    end(&b);
}

static void a_redirect_is_not_followed(void)
{
    static const struct fake_reply replies[] = {
        {FAKE_HEAD("307 Temporary Redirect") "Location: http://192.0.2.1/\r\n\r\n", FAKE_CLOSE, 0}
    };
    static struct bench b;

    start(&b, replies, 1);
    CHECK(!log_in(&b));
    CHECK(sv_contains(sv_from(b.e.msg), SV("307")));
    CHECK(sv_contains(sv_from(b.e.msg), SV("redirects are not followed")));
    end(&b);
}

static void a_credential_is_sent_to_this_machine_or_over_tls_only(void)
{
    static const char *const all[] = {"http://192.0.2.1",
                                      "http://127.0.0.1.example",
                                      "http://localhosts",
                                      "http://u:p@127.0.0.1",
                                      "https://u:p@example",
                                      "s3://127.0.0.1",
                                      "file:///etc",
                                      "127.0.0.1:8181",
                                      "http://127.0.0.1/?a=b",
                                      "http://127.0.0.1#@x",
                                      ""};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct arena a = {.wipe = true};
        struct catalog_login l = {.uri = sv_from(all[i]), .token = secret_of(SV("t"))};
        struct catalog *c;
        struct err e = {0};

        CHECK(!catalog_login(&l, &a, &c, &e));
        CHECK_INT(e.code, ERR_INVALID);
        CHECK(!sv_contains(sv_from(e.msg), SV("u:p")));
        arena_done(&a);
    }
}

static void a_refusal_is_told_in_the_servers_words(void)
{
    static const struct {
        const char *reply;
        enum err_code code;
        const char *said;
    } all[] = {
        {FAKE_JSON("401 Unauthorized",
         "{\"error\": \"invalid_client\", \"error_description\": \"wrong\"}"),
         ERR_DENIED,                                                                                       "wrong (401)"                     },
        {FAKE_JSON("403 Forbidden",           "{\"error\": {\"message\": \"not you\"}}"), ERR_DENIED,
         "not you (403)"                                                                                                                     },
        {FAKE_JSON("404 Not Found",           "no"),                                      ERR_NOT_FOUND,   "the server answers 404 Not Found"},
        {FAKE_JSON("503 Service Unavailable", "{}"),                                      ERR_UNAVAILABLE,
         "the server answers 503 Service Unavailable"                                                                                        },
        {FAKE_JSON("500 Internal",            "{\"error\": {\"message\": 7}}"),           ERR_INTERNAL,
         "the server answers 500 Internal Server Error"                                                                                      },
        {FAKE_JSON("200 OK",                  "{\"access_token\": 7}"),                   ERR_INTERNAL,
         "the server's answer holds no token"                                                                                                },
        {FAKE_JSON("200 OK",                  "{\"access_token\": "),                     ERR_INVALID,     NULL                              },
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        static struct bench b;
        const struct fake_reply reply = {all[i].reply, FAKE_CLOSE, 0};

        start(&b, &reply, 1);
        CHECK(!log_in(&b));
        CHECK_INT(b.e.code, all[i].code);
        if (all[i].said)
            CHECK_SV(sv_from(b.e.msg), sv_from(all[i].said));
        end(&b);
    }
}

static void the_longest_name_that_is_a_catalog_counts(void)
{
    static const struct fake_reply replies[] = {
        REPLY(TOKEN), REPLY(FAKE_JSON("404 Not Found", "{}")), REPLY(CONFIG)};
    static struct bench b;
    const struct sv_vec name = {
        (struct sv[]){SV("a"), SV("b"), SV("n"), SV("t")},
         4, 4
    };
    size_t taken = 0;

    start(&b, replies, 3);
    NEED_OK(log_in(&b), &b.e);
    CHECK_OK(catalog_choose(b.catalog, &name, 2, &taken, &b.e), &b.e);
    CHECK_INT(taken, 1);
    CHECK_SV(catalog_name(b.catalog), SV("a"));
    CHECK(asked(&b, 1, "GET /api/catalog/v1/config?warehouse=a.b HTTP"));
    CHECK(asked(&b, 2, "GET /api/catalog/v1/config?warehouse=a HTTP"));
    end(&b);
}

#define PAGE(member, list, next) \
    FAKE_JSON("200 OK", "{\"" member "\": [" list "], \"next-page-token\": " next "}")

static bool list(struct bench *b, size_t levels)
{
    const struct sv_vec ns = {(struct sv[]){SV("x y")}, levels, levels};

    return catalog_list(b->catalog, &ns, &b->arena, &b->listed, &b->refused, &b->e);
}

static void a_list_goes_through_all_pages_and_down(void)
{
    static const struct fake_reply replies[] = {
        REPLY(TOKEN),
        REPLY(CONFIG),
        REPLY(PAGE("identifiers", "{\"name\": \"t1\"}", "\"a&b\"")),
        REPLY(PAGE("identifiers", "{\"name\": \"t2\"}, {\"name\": 7}, 7", "null")),
        REPLY(PAGE("identifiers", "{\"name\": \"v\"}", "null")),
        REPLY(PAGE("namespaces", "[\"x y\", \"z\"], [\"x y\"], [\"x y\", \"z\", \"w\"]", "null")),
        REPLY(FAKE_JSON("403 Forbidden", "{}")),
        REPLY(PAGE("identifiers", "", "null")),
        REPLY(FAKE_JSON("404 Not Found", "{}"))};
    static struct bench b;

    start(&b, replies, 9);
    NEED_OK(choose(&b), &b.e);
    CHECK_OK(list(&b, 1), &b.e);
    NEED(b.listed.n == 3);
    CHECK_SV(b.listed.p[1].name, SV("t2"));
    CHECK(!b.listed.p[1].is_view && b.listed.p[2].is_view);
    CHECK_INT(b.refused, 2);
    CHECK(asked(&b, 2,
                "GET /api/catalog/v1/p%2Fq/namespaces/x%20y/tables?pageSize=500&pageToken= HTTP"));
    CHECK(asked(
        &b, 3,
        "GET /api/catalog/v1/p%2Fq/namespaces/x%20y/tables?pageSize=500&pageToken=a%26b HTTP"));
    CHECK(asked(&b, 5,
                "GET /api/catalog/v1/p%2Fq/namespaces?parent=x%20y&pageSize=500&pageToken= HTTP"));
    CHECK(asked(&b, 6, "GET /api/catalog/v1/p%2Fq/namespaces/x%20y%1Fz/tables?"));
    CHECK(asked(&b, 8, "GET /api/catalog/v1/p%2Fq/namespaces?parent=x%20y%1Fz&"));
    end(&b);
}

static void a_page_that_leads_to_itself_is_the_last(void)
{
    static const struct fake_reply replies[] = {REPLY(TOKEN), REPLY(CONFIG),
                                                REPLY(PAGE("namespaces", "", "\"again\"")),
                                                REPLY(PAGE("namespaces", "", "\"again\""))};
    static struct bench b;

    start(&b, replies, 4);
    NEED_OK(choose(&b), &b.e);
    CHECK_OK(list(&b, 0), &b.e);
    end(&b);
}

static void pages_that_lead_round_in_a_circle_end(void)
{
    static const struct fake_reply replies[] = {
        REPLY(TOKEN),
        REPLY(CONFIG),
        REPLY(PAGE("namespaces", "", "\"one\"")),
        REPLY(PAGE("namespaces", "", "\"other\"")),
        REPLY(PAGE("namespaces", "", "\"one\"")),
        REPLY(FAKE_JSON("500 Internal Server Error", "{}"))};
    static struct bench b;

    start(&b, replies, 6);
    NEED_OK(choose(&b), &b.e);
    CHECK_OK(list(&b, 0), &b.e);
    end(&b);
}

/* What was listed so far is not told as if it were all. */
static void a_list_that_breaks_off_is_an_error(void)
{
    static const struct fake_reply replies[] = {REPLY(TOKEN), REPLY(CONFIG),
                                                REPLY(PAGE("namespaces", "[\"n\"]", "null")),
                                                REPLY(PAGE("identifiers", "", "\"next\"")),
                                                REPLY(FAKE_JSON("503 Service Unavailable", "{}"))};
    static struct bench b;

    start(&b, replies, 5);
    NEED_OK(choose(&b), &b.e);
    CHECK(!list(&b, 0));
    CHECK_INT(b.e.code, ERR_UNAVAILABLE);
    end(&b);
}

SUITE("client/catalog", TEST(a_credential_becomes_a_token_and_no_keys_are_asked_for),
      TEST(a_redirect_is_not_followed), TEST(a_credential_is_sent_to_this_machine_or_over_tls_only),
      TEST(a_refusal_is_told_in_the_servers_words), TEST(the_longest_name_that_is_a_catalog_counts),
      TEST(a_list_goes_through_all_pages_and_down), TEST(a_page_that_leads_to_itself_is_the_last),
      TEST(pages_that_lead_round_in_a_circle_end), TEST(a_list_that_breaks_off_is_an_error))
