/* test_exchange.c - what answers of the API server mean. */
#include "kube/exchange.h"
#include "unit/suite.h"

static bool check(struct arena *a, int status, const char *body, struct kube_reply *out,
                  struct err *e)
{
    struct http_response r = {.status = status, .body = sv_from(body)};

    exchange_read(&r, a, out);
    return exchange_check(out, e);
}

static void each_status_has_its_code(void)
{
    static const struct {
        int status;
        enum err_code code;
    } rows[] = {
        {400, ERR_INVALID    },
        {401, ERR_DENIED     },
        {403, ERR_DENIED     },
        {404, ERR_UNAVAILABLE},
        {409, ERR_CONFLICT   },
        {410, ERR_NOT_FOUND  },
        {413, ERR_INVALID    },
        {415, ERR_INVALID    },
        {422, ERR_INVALID    },
        {429, ERR_UNAVAILABLE},
        {500, ERR_UNAVAILABLE},
        {503, ERR_UNAVAILABLE},
        {504, ERR_UNAVAILABLE}
    };
    auto_arena a = {0};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kube_reply r;
        struct err e = {0};

        CHECK(!check(&a, rows[i].status, "", &r, &e));
        CHECK_INT(e.code, rows[i].code);
    }
}

static void only_an_api_servers_status_says_that_something_is_not_there(void)
{
    auto_arena a = {0};
    struct kube_reply r;
    struct err e = {0}, page = {0}, text = {0};

    CHECK(!check(&a, 404,
                 "{\"kind\":\"Status\",\"message\":\"secrets \\\"x\\\" not found\",\"reason\":"
                 "\"NotFound\",\"code\":404}",
                 &r, &e));
    CHECK_INT(e.code, ERR_NOT_FOUND);
    CHECK(!check(&a, 404, "<html>not found</html>", &r, &page));
    CHECK_INT(page.code, ERR_UNAVAILABLE);
    CHECK(!check(&a, 404, "404 page not found\n", &r, &text));
    CHECK_INT(text.code, ERR_UNAVAILABLE);
}

static void the_message_is_that_of_the_status(void)
{
    auto_arena a = {0};
    struct kube_reply r;
    struct err e = {0};

    CHECK(!check(&a, 409,
                 "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"the object has been "
                 "modified\",\"reason\":\"Conflict\",\"code\":409}",
                 &r, &e));
    CHECK_SV(sv_from(e.msg), SV("the object has been modified (HTTP 409)"));
}

static void a_page_of_a_proxy_is_no_message(void)
{
    auto_arena a = {0};
    struct kube_reply r;
    struct err e = {0};

    CHECK(!check(&a, 503, "<html><body>no backend</body></html>", &r, &e));
    CHECK(r.body == NULL);
    CHECK_SV(sv_from(e.msg), SV("the API server answered HTTP 503 Service Unavailable"));
}

static void plain_text_is_a_message(void)
{
    auto_arena a = {0};
    struct kube_reply r;
    struct err e = {0};

    CHECK(!check(&a, 429, "Too many requests, please try again later.\n", &r, &e));
    CHECK_SV(sv_from(e.msg), SV("Too many requests, please try again later. (HTTP 429)"));
}

static void retry_after_comes_from_header_or_body(void)
{
    auto_arena a = {0};
    struct kube_reply r;
    struct http_response with = {.status = 429};
    struct http_response without = {
        .status = 504, .body = SV("{\"kind\":\"Status\",\"details\":{\"retryAfterSeconds\":2}}")};

    http_header_add(&with.headers, &a, SV("retry-after"), SV("7"));
    exchange_read(&with, &a, &r);
    CHECK_INT(r.retry_after_ms, 7000);
    exchange_read(&without, &a, &r);
    CHECK_INT(r.retry_after_ms, 2000);
}

static void an_absurd_retry_after_is_capped(void)
{
    auto_arena a = {0};
    struct kube_reply r;
    struct http_response x = {.status = 429};

    http_header_add(&x.headers, &a, SV("Retry-After"), SV("9223372036854775807"));
    exchange_read(&x, &a, &r);
    CHECK_INT(r.retry_after_ms, 300 * 1000);
}

static void a_path_encodes_each_part(void)
{
    auto_arena a = {0};
    struct kube_name n = {.group_version = SV("polaris.apache.org/v1"),
                          .namespace_ = SV("a b"),
                          .resource = SV("principals"),
                          .name = SV("x/../y"),
                          .subresource = SV("status")};

    CHECK_SV(kube_path(&a, &n), SV("/apis/polaris.apache.org/v1/namespaces/a%20b/principals/"
                                   "x%2F..%2Fy/status"));
}

static void the_core_group_has_a_path_of_its_own(void)
{
    auto_arena a = {0};
    struct kube_name n = {.namespace_ = SV("ns"), .resource = SV("secrets"), .name = SV("s")};

    CHECK_SV(kube_path(&a, &n), SV("/api/v1/namespaces/ns/secrets/s"));
}

SUITE("kube/exchange", TEST(each_status_has_its_code),
      TEST(only_an_api_servers_status_says_that_something_is_not_there),
      TEST(the_message_is_that_of_the_status), TEST(a_page_of_a_proxy_is_no_message),
      TEST(plain_text_is_a_message), TEST(retry_after_comes_from_header_or_body),
      TEST(an_absurd_retry_after_is_capped), TEST(a_path_encodes_each_part),
      TEST(the_core_group_has_a_path_of_its_own))
