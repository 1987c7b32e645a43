/* test_config.c - GET /v1/config: which catalog, and a list of what is served that is true. */
#include "catalog/routes.h"
#include "unit/catalog/serve_bench.h"

static struct bench b;

static void the_only_catalog_need_not_be_named(void)
{
    struct http_response r;

    bench_start(&b, LAKE);
    r = bench_ask(&b, &(struct asking){.path = "/v1/config"});
    CHECK_INT(r.status, 200);
    CHECK_SV(json_get_str(json_get(bench_json(&b, &r), SV("overrides")), SV("prefix")), SV("c"));
    CHECK_SV(http_header_text(&r.headers, SV("Cache-Control")), SV("no-store"));
    bench_done(&b);
}

static void of_several_catalogs_one_is_named(void)
{
    struct http_response r;

    bench_start(&b, LAKE CATALOG("d") ROLE("d"));
    r = bench_ask(&b, &(struct asking){.path = "/v1/config"});
    check_error(&b, &r, 400, "BadRequestException");
    r = bench_ask(&b, &(struct asking){.path = "/v1/config?warehouse=d"});
    CHECK_SV(json_get_str(json_get(bench_json(&b, &r), SV("overrides")), SV("prefix")), SV("d"));
    bench_done(&b);
}

/* A catalog without a grant does not exist for the caller: nor does it by its answer. */
static void a_catalog_one_has_no_grant_in_is_like_none(void)
{
    struct http_response hidden, none;

    bench_start(&b, LAKE CATALOG("d"));
    hidden = bench_ask(&b, &(struct asking){.path = "/v1/config?warehouse=d"});
    none = bench_ask(&b, &(struct asking){.path = "/v1/config?warehouse=e"});
    check_error(&b, &hidden, 404, "NoSuchWarehouseException");
    check_error(&b, &none, 404, "NoSuchWarehouseException");
    CHECK_INT(hidden.body.n, none.body.n);
    CHECK_INT(bench_ask(&b, &(struct asking){.path = "/v1/config"}).status, 200);
    bench_done(&b);
}

static bool lists(const struct json *list, const struct route *route)
{
    struct sv want =
        arena_printf(&b.arena, SV_FMT " %s", SV_ARG(http_method_text(route->method)), route->path);

    for (size_t i = 0; i < json_count(list); i++) {
        if (sv_eq(json_str(json_at(list, i), SV("")), want))
            return true;
    }
    return false;
}

static void the_endpoints_are_those_of_the_table(void)
{
    const struct json *list;
    struct http_response r;
    size_t advertised = 0;

    bench_start(&b, LAKE);
    r = bench_ask(&b, &(struct asking){.path = "/v1/config?warehouse=c"});
    list = json_get(bench_json(&b, &r), SV("endpoints"));
    for (size_t i = 0; i < catalog_routes.n; i++) {
        CHECK_INT(lists(list, &catalog_routes.p[i]), catalog_routes.p[i].advertised);
        advertised += catalog_routes.p[i].advertised;
    }
    CHECK_INT(json_count(list), advertised);
    CHECK(advertised > 10);
    bench_done(&b);
}

static void nothing_but_tokens_is_served_without_a_token(void)
{
    bench_start(&b, LAKE);
    for (size_t i = 0; i < catalog_routes.n; i++) {
        struct http_response r;

        if (catalog_routes.p[i].auth == AUTH_NONE) {
            CHECK_SV(sv_from(catalog_routes.p[i].path), SV("/v1/oauth/tokens"));
            continue;
        }
        r = bench_ask(&b, &(struct asking){.method = catalog_routes.p[i].method,
                                           .path = catalog_routes.p[i].path,
                                           .authorization = "none"});
        CHECK_INT(r.status, 401);
        if (catalog_routes.p[i].method != HTTP_HEAD)
            check_error(&b, &r, 401, "NotAuthorizedException");
    }
    bench_done(&b);
}

static void before_the_first_rulebook_all_is_503(void)
{
    struct http_response r;

    bench_open(&b);
    r = bench_ask(&b, &(struct asking){.path = "/v1/config", .authorization = "Bearer x"});
    check_error(&b, &r, 503, "SlowDownException");
    CHECK_SV(http_header_text(&r.headers, SV("Retry-After")), SV("1"));
    CHECK_INT(bench_form(&b, "grant_type=client_credentials", NULL).status, 503);
    bench_done(&b);
}

/* Whoever stands before us may have gone by the other one. */
static void a_parameter_that_is_given_twice_is_refused_and_an_empty_one_is_absent(void)
{
    static const char *const twice[] = {
        "/v1/config?warehouse=c&warehouse=d",
        "/v1/c/namespaces?pageSize=1&pageToken=&pageSize=1000",
        "/v1/c/namespaces?parent=&parent=n",
        "/v1/c/namespaces/n/tables/t?snapshots=all&snapshots=refs",
    };
    static const char *const empty[] = {"/v1/config?warehouse=", "/v1/c/namespaces?parent=",
                                        "/v1/c/namespaces?pageSize=&pageToken="};

    bench_start(&b, LAKE);
    for (size_t i = 0; i < sizeof(twice) / sizeof(twice[0]); i++) {
        struct http_response r = bench_ask(&b, &(struct asking){.path = twice[i]});

        check_error(&b, &r, 400, "BadRequestException");
    }
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
        CHECK_INT(bench_ask(&b, &(struct asking){.path = empty[i]}).status, 200);
    CHECK_INT(
        bench_ask(&b, &(struct asking){.path = "/v1/c/namespaces/n/tables/t?snapshots="}).status,
        404);
    CHECK_INT(bench_ask(&b, &(struct asking){.method = HTTP_DELETE,
                                             .path = "/v1/c/namespaces/n/tables/t"
                                                     "?purgeRequested=maybe"})
                  .status,
              400);
    bench_done(&b);
}

SUITE("catalog/config", TEST(the_only_catalog_need_not_be_named),
      TEST(of_several_catalogs_one_is_named), TEST(a_catalog_one_has_no_grant_in_is_like_none),
      TEST(the_endpoints_are_those_of_the_table),
      TEST(nothing_but_tokens_is_served_without_a_token),
      TEST(before_the_first_rulebook_all_is_503),
      TEST(a_parameter_that_is_given_twice_is_refused_and_an_empty_one_is_absent))
