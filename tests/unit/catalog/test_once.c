/* test_once.c - a request under an Idempotency-Key is carried out once, for as long as is promised.
 */
#include "store/store.h"
#include "unit/catalog/serve_bench.h"

#define KEY "01890a5d-ac96-774b-bcce-b302099a8057"

static struct bench b;

static struct http_response make(const char *body, const char *key)
{
    return bench_ask(
        &b, &(struct asking){
                .method = HTTP_POST, .path = "/v1/c/namespaces", .body = body, .key = key});
}

static struct http_response drop(const char *path, const char *key)
{
    return bench_ask(&b, &(struct asking){.method = HTTP_DELETE, .path = path, .key = key});
}

static void a_request_that_comes_again_is_answered_as_it_was(void)
{
    struct http_response first, second;

    bench_start(&b, LAKE);
    first = make("{\"namespace\":[\"n\"],\"properties\":{\"k\":\"v\"}}", KEY);
    second = make("{\"namespace\":[\"n\"],\"properties\":{\"k\":\"v\"}}", KEY);
    CHECK_INT(first.status, 200);
    CHECK_INT(second.status, 200);
    CHECK_SV(second.body, first.body);
    CHECK_INT(make("{\"namespace\":[\"n\"]}", NULL).status, 409);
    bench_done(&b);
}

static void a_key_is_one_uuid_and_nothing_else(void)
{
    static const char *const bad[] = {"",
                                      "1",
                                      KEY "0",
                                      "01890a5d-ac96-774b-bcce-b302099a805",
                                      "01890a5d0ac96-774b-bcce-b302099a8057",
                                      "01890a5d-ac96-774b-bcce-b302099a805g",
                                      KEY ", " KEY};

    bench_start(&b, LAKE);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct http_response r = make("{\"namespace\":[\"n\"]}", bad[i]);

        check_error(&b, &r, 400, "BadRequestException");
    }
    CHECK_INT(make("{\"namespace\":[\"n\"]}", "01890A5D-AC96-174B-BCCE-B302099A8057").status, 200);
    bench_done(&b);
}

static void another_request_under_the_key_is_422_and_not_carried_out(void)
{
    struct http_response r;

    bench_start(&b, LAKE);
    CHECK_INT(make("{\"namespace\":[\"n\"]}", KEY).status, 200);
    r = make("{\"namespace\":[\"m\"]}", KEY);
    check_error(&b, &r, 422, "UnprocessableEntityException");
    r = drop("/v1/c/namespaces/n", KEY);
    check_error(&b, &r, 422, "UnprocessableEntityException");
    CHECK_INT(drop("/v1/c/namespaces/m", NULL).status, 404);
    CHECK_INT(drop("/v1/c/namespaces/n", NULL).status, 204);
    bench_done(&b);
}

/* The prefixes of other catalogs are other names of the same thing. */
static void a_path_below_another_catalogs_prefix_is_the_same_request(void)
{
    bench_start(&b, LAKE);
    CHECK_INT(make("{\"namespace\":[\"n\"]}", NULL).status, 200);
    CHECK_INT(drop("/v1/c/namespaces/n", KEY).status, 204);
    CHECK_INT(drop("/iceberg/v1/c/namespaces/n", KEY).status, 204);
    CHECK_INT(drop("/api/catalog/v1/c/namespaces/n", KEY).status, 204);
    CHECK_INT(drop("/v1/c/namespaces/n", NULL).status, 404);
    bench_done(&b);
}

static void a_key_is_forgotten_after_its_time_and_not_before_what_is_promised(void)
{
    enum { PROMISED_MS = 30 * 60 * 1000 };

    bench_start(&b, LAKE);
    CHECK_INT(make("{\"namespace\":[\"n\"]}", KEY).status, 200);
    (void)atomic_fetch_add(&b.ms, PROMISED_MS);
    CHECK_INT(make("{\"namespace\":[\"n\"]}", KEY).status, 200);
    (void)atomic_fetch_add(&b.ms, STORE_ANSWER_MS - PROMISED_MS);
    CHECK_INT(make("{\"namespace\":[\"n\"]}", KEY).status, 409);
    bench_done(&b);
}

/* A rulebook reaches the loop by message. */
static void put_in_force(const char *manifests, int status)
{
    const struct asking namespaces = {.path = "/v1/c/namespaces"};
    int seen = 0;

    bench_publish(&b, manifests);
    for (int i = 0; i < 1000 && seen != status; i++)
        seen = bench_ask(&b, &namespaces).status;
    NEED(seen == status);
}

static void a_refusal_is_repeated_and_one_that_could_end_is_not(void)
{
    struct http_response first, second;

    bench_start(&b, LAKE);
    first = drop("/v1/c/namespaces/n", KEY);
    CHECK_INT(make("{\"namespace\":[\"n\"]}", NULL).status, 200);
    second = drop("/v1/c/namespaces/n", KEY);
    check_error(&b, &first, 404, "NoSuchNamespaceException");
    CHECK_INT(second.status, 404);
    CHECK_SV(second.body, first.body);
    put_in_force(STORE CATALOG("c") ALICE BOB, 404);
    CHECK_INT(drop("/v1/c/namespaces/n", KEY).status, 404);
    put_in_force(LAKE, 200);
    CHECK_INT(drop("/v1/c/namespaces/n", "11890a5d-ac96-774b-bcce-b302099a8057").status, 204);
    bench_done(&b);
}

/* Sets one property with a name so long that the answer has `n` bytes more than is kept. */
static struct http_response set_long_name(int n, const char *key)
{
    int rest = LIMIT_KEPT_ANSWER_BYTES + n -
               (int)strlen("{\"updated\":[\"\"],\"removed\":[],\"missing\":[]}");
    struct buf body = buf_new(&b.arena, 1 << 20);

    buf_add(&body, SV("{\"updates\":{\""));
    for (int i = 0; i < rest; i++)
        buf_addc(&body, 'x');
    buf_add(&body, SV("\":\"v\"}}"));
    return bench_ask(&b, &(struct asking){.method = HTTP_POST,
                                          .path = "/v1/c/namespaces/n/properties",
                                          .body = buf_sv(&body).p,
                                          .key = key});
}

static void an_answer_is_kept_up_to_its_limit_and_nothing_is_done_past_it(void)
{
    struct http_response first, second;

    bench_start(&b, LAKE);
    CHECK_INT(make("{\"namespace\":[\"n\"]}", NULL).status, 200);
    first = set_long_name(1, KEY);
    check_error(&b, &first, 400, "BadRequestException");
    CHECK_SV(bench_ask(&b, &(struct asking){.path = "/v1/c/namespaces/n"}).body,
             SV("{\"namespace\":[\"n\"],\"properties\":{}}"));
    first = set_long_name(0, "11890a5d-ac96-774b-bcce-b302099a8057");
    second = set_long_name(0, "11890a5d-ac96-774b-bcce-b302099a8057");
    CHECK_INT(first.status, 200);
    CHECK_INT(first.body.n, LIMIT_KEPT_ANSWER_BYTES);
    CHECK(sv_eq(second.body, first.body));
    bench_done(&b);
}

static struct http_response stage_table(const char *name, const char *key)
{
    const char *body =
        arena_printf(&b.arena,
                     "{\"name\":\"%s\",\"stage-create\":true,\"location\":\"s3://bkt/c/place\","
                     "\"schema\":{\"type\":\"struct\",\"fields\":[]}}",
                     name)
            .p;
    struct http_response r = bench_form(
        &b, "grant_type=client_credentials&client_id=alice-id&client_secret=" SECRET, NULL);

    b.token = json_get_str(bench_json(&b, &r), SV("access_token"));
    return bench_ask(&b, &(struct asking){.method = HTTP_POST,
                                          .path = "/v1/c/namespaces/n/tables",
                                          .body = body,
                                          .key = key});
}

/* It is given keys anew, so the place is promised anew, for as long as those may live. */
static void a_staged_create_that_is_repeated_holds_its_place_for_longer(void)
{
    enum { MINUTE_MS = 60 * 1000 };

    bench_start(&b, LAKE);
    CHECK_INT(make("{\"namespace\":[\"n\"]}", NULL).status, 200);
    CHECK_INT(stage_table("t", KEY).status, 200);
    (void)atomic_fetch_add(&b.ms, 34 * MINUTE_MS);
    CHECK_INT(stage_table("t", KEY).status, 200);
    (void)atomic_fetch_add(&b.ms, 59 * MINUTE_MS);
    CHECK_INT(stage_table("other", NULL).status, 403);
    (void)atomic_fetch_add(&b.ms, 7 * MINUTE_MS);
    CHECK_INT(stage_table("other", NULL).status, 200);
    bench_done(&b);
}

SUITE("catalog/once", TEST(a_staged_create_that_is_repeated_holds_its_place_for_longer),
      TEST(a_request_that_comes_again_is_answered_as_it_was),
      TEST(a_key_is_one_uuid_and_nothing_else),
      TEST(another_request_under_the_key_is_422_and_not_carried_out),
      TEST(a_path_below_another_catalogs_prefix_is_the_same_request),
      TEST(a_key_is_forgotten_after_its_time_and_not_before_what_is_promised),
      TEST(a_refusal_is_repeated_and_one_that_could_end_is_not),
      TEST(an_answer_is_kept_up_to_its_limit_and_nothing_is_done_past_it))
