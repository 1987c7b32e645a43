/* test_routes.c - a method and a raw path to one line of the table, or to none. */
#include "catalog/routes.h"
#include "unit/suite.h"

static struct sv params[ROUTE_PARAMS];

static const struct route *match(enum http_method m, const char *path)
{
    unsigned others;

    for (int i = 0; i < ROUTE_PARAMS; i++)
        params[i] = (struct sv){0};
    return route_match(&catalog_routes, m, sv_from(path), params, &others);
}

static const char *operation(enum http_method m, const char *path)
{
    const struct route *r = match(m, path);

    return r ? r->operation : "none";
}

static bool refuses_method(enum http_method m, const char *path)
{
    unsigned others = 0;

    return !route_match(&catalog_routes, m, sv_from(path), params, &others) && others;
}

static void check_allow(const char *path, const char *want)
{
    auto_arena a = {0};
    unsigned others = 0;

    CHECK(!route_match(&catalog_routes, HTTP_PATCH, sv_from(path), params, &others));
    CHECK_SV(route_allow(others, &a), sv_from(want));
}

static void a_table_is_found_with_its_names_raw(void)
{
    CHECK_SV(sv_from(operation(HTTP_GET, "/v1/c/namespaces/a%1Fb/tables/t%2Fu")), SV("load-table"));
    CHECK_SV(params[0], SV("c"));
    CHECK_SV(params[1], SV("a%1Fb"));
    CHECK_SV(params[2], SV("t%2Fu"));
}

/* A name that holds a slash must come encoded: as it stands it is another path. */
static void an_encoded_slash_never_makes_a_segment(void)
{
    CHECK_SV(sv_from(operation(HTTP_GET, "/v1/c/namespaces/a%2Ftables%2Ft")), SV("load-namespace"));
    CHECK_SV(params[1], SV("a%2Ftables%2Ft"));
    CHECK_SV(sv_from(operation(HTTP_GET, "/v1/c%2Fnamespaces")), SV("none"));
    CHECK_SV(sv_from(operation(HTTP_GET, "/v1/c/namespaces/a/tables/t%2Fcredentials")),
             SV("load-table"));
    CHECK_SV(sv_from(operation(HTTP_GET, "/v1/c/namespaces/a%2F..%2Fb")), SV("load-namespace"));
}

static void what_is_nearly_a_path_is_none(void)
{
    static const char *const paths[] = {
        "",
        "/",
        "v1/config",
        "/v1",
        "/v1/",
        "/v1/config/",
        "//v1/config",
        "/v1//config",
        "/V1/config",
        "/v1/Config",
        "/v1/confi",
        "/v1/configs",
        "/v1/config%00",
        "/v1/%63onfig",
        "/v1/./config",
        "/v1/x/../config",
        "/v2/config",
        "/v1/c/namespaces/",
        "/v1//namespaces",
        "/v1/c/namespaces//tables",
        "/v1/c/namespaces/a/tables/",
        "/v1/c/namespaces/a/tables//credentials",
        "/v1/c/namespaces/a/tables/t/",
        "/v1/c/namespaces/a/tables/t/credentials/",
        "/v1/c/namespaces/a/tables/t/credentials/x",
        "/v1/c/namespaces/a/tables/t/x",
        "/v1/c/namespaces/a/b/tables/t",
        "/v1/a/b/c/d/e/f/g/h/i/j/k",
        "/api/catalog/v1/config",
    };

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        CHECK_SV(sv_from(operation(HTTP_GET, paths[i])), SV("none"));
        CHECK(!refuses_method(HTTP_PUT, paths[i]));
    }
}

static void every_line_of_the_table_finds_itself(void)
{
    for (size_t i = 0; i < catalog_routes.n; i++)
        CHECK(match(catalog_routes.p[i].method, catalog_routes.p[i].path) == &catalog_routes.p[i]);
}

static void a_path_that_takes_other_methods_says_so(void)
{
    CHECK(refuses_method(HTTP_PUT, "/v1/config"));
    CHECK(refuses_method(HTTP_GET, "/v1/oauth/tokens"));
    CHECK(refuses_method(HTTP_PATCH, "/v1/c/namespaces/a/tables/t"));
    CHECK(!refuses_method(HTTP_GET, "/v1/config"));
    CHECK(!refuses_method(HTTP_PUT, "/v1/nothing"));
}

/* GET brings no HEAD of its own: the table says whether there is one. */
static void the_methods_of_a_path_are_those_of_its_lines(void)
{
    check_allow("/v1/config", "GET");
    check_allow("/v1/oauth/tokens", "POST");
    check_allow("/v1/c/namespaces", "GET, POST");
    check_allow("/v1/c/namespaces/a", "GET, HEAD, DELETE");
    check_allow("/v1/c/namespaces/a/tables/t", "GET, HEAD, POST, DELETE");
    check_allow("/v1/c/namespaces/a/tables/t/credentials", "GET, POST");
    check_allow("/v1/nothing", "");
}

/* Names of the protocol's own words are names all the same. */
static void words_of_the_protocol_may_be_names(void)
{
    CHECK_SV(sv_from(operation(HTTP_GET, "/v1/namespaces/namespaces/namespaces")),
             SV("load-namespace"));
    CHECK_SV(sv_from(operation(HTTP_GET, "/v1/c/namespaces/tables/tables/tables")),
             SV("load-table"));
    CHECK_SV(sv_from(operation(HTTP_GET, "/v1/config/namespaces")), SV("list-namespaces"));
    CHECK_SV(params[0], SV("config"));
}

/* A longer path's parameters must not be left over from a line that nearly matched. */
static void parameters_are_those_of_the_line_that_matched(void)
{
    CHECK_SV(sv_from(operation(HTTP_POST, "/v1/c/namespaces/a/properties")),
             SV("namespace-properties"));
    CHECK_SV(params[0], SV("c"));
    CHECK_SV(params[1], SV("a"));
}

static void check_path(const char *target, const char *path, const char *query)
{
    struct sv got;

    CHECK_SV(route_path(sv_from(target), &got), sv_from(path));
    CHECK_SV(got, sv_from(query));
}

static void prefixes_of_other_catalogs_are_taken_off_once_and_whole(void)
{
    check_path("/v1/config", "/v1/config", "");
    check_path("/v1/config?warehouse=a?b", "/v1/config", "warehouse=a?b");
    check_path("/api/catalog/v1/config?x", "/v1/config", "x");
    check_path("/iceberg/v1/config?", "/v1/config", "");
    check_path("/iceberg/iceberg/v1/config", "/iceberg/v1/config", "");
    check_path("/api/catalog/iceberg/v1/config", "/iceberg/v1/config", "");
    check_path("/icebergv1/config", "/icebergv1/config", "");
    check_path("/api/catalogue/v1/config", "/api/catalogue/v1/config", "");
    check_path("/x?/iceberg/v1/config", "/x", "/iceberg/v1/config");
    check_path("/iceberg%2Fv1/config", "/iceberg%2Fv1/config", "");
}

SUITE("catalog/routes", TEST(prefixes_of_other_catalogs_are_taken_off_once_and_whole),
      TEST(a_table_is_found_with_its_names_raw), TEST(an_encoded_slash_never_makes_a_segment),
      TEST(what_is_nearly_a_path_is_none), TEST(every_line_of_the_table_finds_itself),
      TEST(a_path_that_takes_other_methods_says_so),
      TEST(the_methods_of_a_path_are_those_of_its_lines), TEST(words_of_the_protocol_may_be_names),
      TEST(parameters_are_those_of_the_line_that_matched))
