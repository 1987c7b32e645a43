/* test_cache.c - what a replica believes of an integration before it has looked itself. */
#include "control/cache.h"
#include "unit/suite.h"

#define INTEGRATION(status)                                                                   \
    "{\"apiVersion\":\"polaris.apache.org/v1\",\"kind\":\"StorageIntegration\",\"metadata\":" \
    "{\"name\":\"s\",\"namespace\":\"n\",\"generation\":1},\"spec\":{\"storageType\":\"s3\"," \
    "\"bucket\":\"bucket\",\"provider\":\"ceph-rgw\",\"endpoint\":\"http://127.0.0.1:1\"},"   \
    "\"status\":" status "}"

static struct object *put(struct cache *c, struct arena *a, const char *text)
{
    struct json *v;
    struct object *o = NULL;
    struct err e = {0};

    NEED_OK(json_read(sv_from(text), a, &v, &e), &e);
    (void)cache_put(c, v, &o);
    NEED(o != NULL);
    return o;
}

static void a_verified_scope_is_believed(void)
{
    auto_arena a = {0};
    struct cache c;
    struct object *o;

    cache_init(&c);
    o = put(&c, &a,
            INTEGRATION("{\"roleArn\":\"arn:aws:iam:::role/r\",\"conditions\":[{\"type\":"
                        "\"ScopeVerified\",\"status\":\"True\"}]}"));
    CHECK(cache_believe(o));
    CHECK(o->found.vendable);
    CHECK_SV(o->found.role_arn, SV("arn:aws:iam:::role/r"));
    CHECK(!cache_believe(o));
    cache_done(&c);
}

static void a_scope_that_nobody_verified_is_not_vended_from(void)
{
    auto_arena a = {0};
    struct cache c;
    struct object *o;

    cache_init(&c);
    o = put(&c, &a, INTEGRATION("{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}"));
    (void)cache_believe(o);
    CHECK(!o->found.vendable);
    cache_done(&c);
}

static void without_a_status_nothing_is_believed(void)
{
    auto_arena a = {0};
    struct cache c;
    struct object *o;

    cache_init(&c);
    o = put(&c, &a, INTEGRATION("null"));
    CHECK(!cache_believe(o));
    CHECK(!o->found.known);
    cache_done(&c);
}

static void a_status_alone_changes_nothing_in_the_rulebook(void)
{
    auto_arena a = {0};
    struct cache c;
    struct object *o;
    struct json *v;
    struct err e = {0};

    cache_init(&c);
    (void)put(&c, &a, INTEGRATION("null"));
    NEED_OK(json_read(SV(INTEGRATION("{\"observedGeneration\":1}")), &a, &v, &e), &e);
    CHECK(!cache_put(&c, v, &o));
    cache_done(&c);
}

static void a_change_keeps_what_was_found_out(void)
{
    auto_arena a = {0};
    struct cache c;
    struct integration_found f = {.known = true, .vendable = true, .role_arn = SV("arn")};

    cache_init(&c);
    CHECK(cache_found(put(&c, &a, INTEGRATION("null")), &f));
    CHECK_SV(put(&c, &a, INTEGRATION("{\"observedGeneration\":1}"))->found.role_arn, SV("arn"));
    cache_done(&c);
}

SUITE("control/cache", TEST(a_verified_scope_is_believed),
      TEST(a_scope_that_nobody_verified_is_not_vended_from),
      TEST(without_a_status_nothing_is_believed),
      TEST(a_status_alone_changes_nothing_in_the_rulebook), TEST(a_change_keeps_what_was_found_out))
