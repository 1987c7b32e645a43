/* test_cache.c - what a replica believes of an integration before it has looked itself. */
#include "control/cache.h"
#include "unit/suite.h"
#include "wire/base64.h"

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

/* ---- what a deletion needs ---- */

#define REFERRER(deleting, secret)                                                                 \
    "{\"apiVersion\":\"polaris.apache.org/v1\",\"kind\":\"StorageIntegration\",\"metadata\":"      \
    "{\"name\":\"s\",\"namespace\":\"n\",\"generation\":1" deleting "},\"spec\":{\"storageType\":" \
    "\"s3\",\"bucket\":\"bucket\",\"provider\":\"ceph-rgw\",\"endpoint\":\"http://127.0.0.1:1\","  \
    "\"credentialsSecretRef\":{\"name\":\"" secret "\"}}}"
#define DELETED_AT ",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\""
#define SECRET(data) \
    "{\"kind\":\"Secret\",\"metadata\":{\"namespace\":\"n\",\"name\":\"keys\"},\"data\":{" data "}}"

static void hear(struct cache *c, struct arena *a, const char *text)
{
    struct json *v;
    struct object *o;
    struct err e = {0};

    NEED_OK(json_read(sv_from(text), a, &v, &e), &e);
    (void)cache_put(c, v, &o);
    rulebook_unref(cache_compile(c));
}

static struct sv key_given(struct cache *c, struct job *j)
{
    cache_give(c, cache_object(c, SV("StorageIntegration/n/s")), j);
    return secret_value(&j->own, "access-key-id", NULL);
}

static void a_deletion_is_given_the_keys_that_were_there_last(void)
{
    static const char *const losses[] = {NULL, SECRET("\"other\":\"eA==\""),
                                         REFERRER("", "nothing")};

    for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
        auto_arena a = {0};
        struct cache c;
        struct job before = {0}, after = {0};

        cache_init(&c);
        hear(&c, &a, REFERRER("", "keys"));
        hear(&c, &a, SECRET("\"access-key-id\":\"Sw==\",\"secret-access-key\":\"Uw==\""));
        if (losses[i])
            hear(&c, &a, losses[i]);
        else
            CHECK(cache_remove(&c, SV("Secret"), SV("n"), SV("keys")));
        CHECK_SV(key_given(&c, &before), SV(""));
        hear(&c, &a, i == 2 ? REFERRER(DELETED_AT, "nothing") : REFERRER(DELETED_AT, "keys"));
        CHECK_SV(key_given(&c, &after), SV("K"));
        arena_done(&before.arena);
        arena_done(&after.arena);
        cache_done(&c);
    }
}

/* ---- principals ---- */

#define PRINCIPAL(spec)                                                                                \
    "{\"apiVersion\":\"polaris.apache.org/v1\",\"kind\":\"Principal\",\"metadata\":{\"name\":\"etl\"," \
    "\"namespace\":\"n\",\"generation\":1},\"spec\":" spec                                             \
    ",\"status\":{\"secretName\":\"keys\"}}"
#define CLIENT  PRINCIPAL("{\"clientCredentials\":{\"secretName\":\"keys\"}}")
#define ACCOUNT PRINCIPAL("{\"serviceAccount\":{\"name\":\"spark\"}}")

/* Why a pass would say that nobody can log in; and whether one is due. */
static struct sv not_served(struct cache *c, struct arena *a, bool *due)
{
    struct object *o = cache_object(c, SV("Principal/n/etl"));
    struct job j = {0};
    struct sv why;

    *due = !o->seen;
    o->seen = true;
    cache_give(c, o, &j);
    why = arena_dup(a, j.not_served);
    arena_done(&j.arena);
    return why;
}

static void a_principal_is_ready_when_its_secret_is_what_logs_in(void)
{
    auto_arena a = {0};
    struct cache c;
    bool due;

    cache_init(&c);
    hear(&c, &a, CLIENT);
    CHECK_SV(not_served(&c, &a, &due),
             SV("spec.clientCredentials.secretName: no watch has told Secret keys"));
    hear(&c, &a, SECRET("\"client-id\":\"aWQ=\""));
    CHECK_SV(not_served(&c, &a, &due),
             SV("spec.clientCredentials.secretName: Secret keys lacks client-id or client-secret"));
    hear(&c, &a, SECRET("\"client-id\":\"aWQ=\",\"client-secret\":\"eA==\""));
    CHECK_SV(not_served(&c, &a, &due), SV(""));
    CHECK(due);
    rulebook_unref(cache_compile(&c));
    (void)not_served(&c, &a, &due);
    CHECK(!due);
    CHECK(cache_remove(&c, SV("Secret"), SV("n"), SV("keys")));
    rulebook_unref(cache_compile(&c));
    CHECK(not_served(&c, &a, &due).n);
    CHECK(due);
    cache_done(&c);
}

static void a_service_accounts_principal_is_ready_when_its_tokens_can_be_verified(void)
{
    auto_arena a = {0};
    struct cache c;
    bool due;

    cache_init(&c);
    hear(&c, &a, ACCOUNT);
    CHECK_SV(not_served(&c, &a, &due),
             SV("spec.serviceAccount: no key of the cluster is known to verify its tokens with"));
    c.jwks = SV("{}");
    rulebook_unref(cache_compile(&c));
    CHECK_SV(not_served(&c, &a, &due),
             SV("spec.serviceAccount: there is no ServiceAccount spark in namespace n"));
    hear(&c, &a,
         "{\"kind\":\"ServiceAccount\",\"metadata\":{\"namespace\":\"n\",\"name\":\"spark\","
         "\"uid\":\"u\"}}");
    CHECK_SV(not_served(&c, &a, &due), SV(""));
    CHECK(due);
    cache_done(&c);
}

#define LOGIN_PRINCIPAL                                                              \
    "{\"apiVersion\":\"polaris.apache.org/v1\",\"kind\":\"Principal\",\"metadata\":" \
    "{\"name\":\"etl\",\"namespace\":\"n\",\"generation\":1},\"spec\":{\"clientCredentials\":{}}}"

/* Whether id and "s3cr3t" log in, where the Secret holds that value. */
static bool logs_in(struct sv id, struct sv value)
{
    auto_arena a = {0};
    struct cache c;
    struct rulebook *r;
    struct caller who;
    struct json *v;
    struct object *o;
    struct err e = {0};
    bool in;

    cache_init(&c);
    (void)put(&c, &a, LOGIN_PRINCIPAL);
    NEED_OK(
        json_read(arena_printf(&a,
                               "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"etl-credentials\","
                               "\"namespace\":\"n\"},\"data\":{\"client-id\":\"" SV_FMT
                               "\",\"client-secret\":\"" SV_FMT "\"}}",
                               SV_ARG(base64_encode(&a, id)), SV_ARG(base64_encode(&a, value))),
                  &a, &v, &e),
        &e);
    (void)cache_put(&c, v, &o);
    r = cache_compile(&c);
    in = rulebook_login(r, SV("alice"), secret_of(SV("s3cr3t")), 0, &who, &e);
    (void)rulebook_unref(r);
    cache_done(&c);
    return in;
}

/* `kubectl create secret --from-file` takes the line feed of the file along. */
static void a_line_feed_at_the_end_of_a_secret_is_none_of_it(void)
{
    CHECK(logs_in(SV("alice"), SV("s3cr3t")));
    CHECK(logs_in(SV("alice\n"), SV("s3cr3t\n")));
    CHECK(logs_in(SV("alice"), SV("s3cr3t\r\n")));
    CHECK(!logs_in(SV("alice"), SV("s3cr3t\n\n")));
    CHECK(!logs_in(SV("alice"), SV("\ns3cr3t")));
    CHECK(!logs_in(SV("alice"), SV("\n")));
}

SUITE("control/cache", TEST(a_principal_is_ready_when_its_secret_is_what_logs_in),
      TEST(a_service_accounts_principal_is_ready_when_its_tokens_can_be_verified),
      TEST(a_deletion_is_given_the_keys_that_were_there_last), TEST(a_verified_scope_is_believed),
      TEST(a_scope_that_nobody_verified_is_not_vended_from),
      TEST(without_a_status_nothing_is_believed),
      TEST(a_status_alone_changes_nothing_in_the_rulebook), TEST(a_change_keeps_what_was_found_out),
      TEST(a_line_feed_at_the_end_of_a_secret_is_none_of_it))
