/* test_namespaces.c - what a namespace holds is limited, however often it is added to. */
#include "unit/catalog/serve_bench.h"

static struct bench b;

static struct http_response ask(const char *path, struct sv body)
{
    return bench_ask(
        &b,
        &(struct asking){.method = HTTP_POST, .path = path, .body = arena_cstr(&b.arena, body)});
}

static struct http_response update(struct sv updates)
{
    return ask("/v1/c/namespaces/n/properties",
               arena_printf(&b.arena, "{\"updates\":{" SV_FMT "}}", SV_ARG(updates)));
}

static void begin(void)
{
    bench_start(&b, LAKE);
    CHECK_INT(ask("/v1/c/namespaces", SV("{\"namespace\":[\"n\"]}")).status, 200);
}

static struct sv properties(int first, int n)
{
    struct buf text = buf_new(&b.arena, 1 << 20);

    for (int i = first; i < first + n; i++)
        buf_addf(&text, "%s\"p%d\":\"v\"", i > first ? "," : "", i);
    return buf_sv(&text);
}

static void a_namespace_has_only_so_many_properties_in_all(void)
{
    struct http_response r;

    begin();
    CHECK_INT(update(properties(0, LIMIT_PROPERTIES)).status, 200);
    CHECK_INT(update(SV("\"p0\":\"w\"")).status, 200);
    r = update(SV("\"more\":\"v\""));
    check_error(&b, &r, 400, "BadRequestException");
    r = bench_ask(&b, &(struct asking){.path = "/v1/c/namespaces/n"});
    CHECK_INT(json_count(json_get(bench_json(&b, &r), SV("properties"))), LIMIT_PROPERTIES);
    CHECK_INT(ask("/v1/c/namespaces/n/properties",
                  SV("{\"removals\":[\"p0\"],\"updates\":{\"more\":\"v\"}}"))
                  .status,
              200);
    bench_done(&b);
}

/* {"k":"xx...x"} of `n` bytes in all. */
static struct sv long_property(int n)
{
    struct buf text = buf_new(&b.arena, (size_t)2 * LIMIT_NAMESPACE_BYTES);

    buf_add(&text, SV("\"k\":\""));
    for (int i = 0; i < n - (int)strlen("{\"k\":\"\"}"); i++)
        buf_addc(&text, 'x');
    buf_add(&text, SV("\""));
    return buf_sv(&text);
}

static int create_with(const char *name, struct sv text)
{
    return ask("/v1/c/namespaces",
               arena_printf(&b.arena, "{\"namespace\":[\"%s\"],\"properties\":{" SV_FMT "}}", name,
                            SV_ARG(text)))
        .status;
}

static void the_properties_of_a_namespace_have_only_so_many_bytes_in_all(void)
{
    struct http_response r;

    begin();
    CHECK_INT(create_with("m", long_property(LIMIT_NAMESPACE_BYTES)), 200);
    CHECK_INT(create_with("o", long_property(LIMIT_NAMESPACE_BYTES + 1)), 400);
    CHECK_INT(update(long_property(LIMIT_NAMESPACE_BYTES)).status, 200);
    r = update(SV("\"more\":\"v\""));
    check_error(&b, &r, 400, "BadRequestException");
    CHECK_INT(update(SV("\"k\":\"v\"")).status, 200);
    CHECK_INT(update(SV("\"more\":\"v\"")).status, 200);
    bench_done(&b);
}

SUITE("catalog/namespaces", TEST(a_namespace_has_only_so_many_properties_in_all),
      TEST(the_properties_of_a_namespace_have_only_so_many_bytes_in_all))
