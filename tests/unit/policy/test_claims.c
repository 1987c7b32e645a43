/* test_claims.c - names, locations, Secrets and client ids that namespaces share stay with the
 * elder. */
#include "unit/policy/compiled.h"

#define AT(when, ns, kind, name)                                                                   \
    "apiVersion: polaris.apache.org/v1\nkind: " kind "\nmetadata: {name: " name ", namespace: " ns \
    ", creationTimestamp: '2026-01-0" when "T00:00:00Z'}\n"
#define STORE_AT(when, ns, endpoint, allowed)                                       \
    AT(when, ns, "StorageIntegration", "s")                                         \
    "spec: {storageType: s3, provider: ceph-rgw, bucket: bkt, endpoint: '" endpoint \
    "', allowedLocations: [" allowed "]}\n---\n"
#define CATALOG_AT(when, ns, name, base) \
    AT(when, ns, "PolarisCatalog", name) \
    "spec: {storageIntegrationRef: {name: s}, defaultBaseLocation: '" base "'}\n---\n"
#define CLIENT_AT(when, ns, name, more) \
    AT(when, ns, "Principal", name) "spec: {clientCredentials: {}}\n" more "---\n"

/* What was found out about the world. */
struct facts {
    struct integration_facts_vec integrations;
    struct client_facts_vec clients;
};

static void verified(struct world_of *w, struct facts *f, const char *ns, int64_t since_ms)
{
    vec_push(&f->integrations, &w->arena,
             ((struct integration_facts){.namespace_ = sv_from(ns),
                                         .name = SV("s"),
                                         .vendable = since_ms > 0,
                                         .verified_ms = since_ms}));
}

static void client(struct world_of *w, struct facts *f, const char *ns, const char *principal,
                   const char *id, const char *secret)
{
    vec_push(&f->clients, &w->arena,
             ((struct client_facts){.namespace_ = sv_from(ns),
                                    .principal = sv_from(principal),
                                    .client_id = sv_from(id),
                                    .secret_hash = sha256_of(sv_from(secret))}));
}

static void compile_with(struct world_of *w, const char *text, const struct facts *f)
{
    struct policy_input in = {.generation = 2};

    compile_text(w, text);
    (void)rulebook_unref(w->result.rulebook);
    in.resources = w->resources;
    in.n_resources = w->n;
    in.integrations = f->integrations;
    in.clients = f->clients;
    policy_compile(&in, &w->arena, &w->result);
}

/* "reason: text" of the first complaint about "ns/name"; empty: there is none. */
static struct sv said_of(struct world_of *w, const char *ns, const char *name)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct meta *m = &w->resources[i]->meta;

        if (sv_eq(m->name, sv_from(name)) && sv_eq(m->namespace_, sv_from(ns)) &&
            w->resources[i]->kind != KIND_STORAGE_INTEGRATION && w->result.complaints[i].n)
            return ARENA_JOIN(&w->arena, w->result.complaints[i].p[0].reason, SV(": "),
                              w->result.complaints[i].p[0].text);
    }
    return SV("");
}

static struct sv named(struct world_of *w, const char *warehouse)
{
    const struct rule_catalog *c = rulebook_catalog(w->result.rulebook, sv_from(warehouse));

    return c ? c->id : SV("");
}

static bool may_lie(struct world_of *w, const char *catalog, const char *place)
{
    const struct rule_catalog *c = rulebook_catalog(w->result.rulebook, sv_from(catalog));
    struct location l;
    struct err e = {0};

    NEED(c);
    NEED_OK(location_read(sv_from(place), false, &w->arena, &l, &e), &e);
    return rulebook_allows_place(w->result.rulebook, c, &l);
}

#define RGW "http://rgw"

static void of_two_catalogs_of_one_name_the_elder_keeps_it(void)
{
    struct world_of w = {0};

    compile_text(&w, STORE_AT("1", "zeta", RGW, "'s3://bkt/z/*'")
                         CATALOG_AT("1", "zeta", "prod", "s3://bkt/z")
                             STORE_AT("2", "alpha", RGW, "'s3://bkt/a/*'")
                                 CATALOG_AT("2", "alpha", "prod", "s3://bkt/a"));
    CHECK_SV(named(&w, "prod"), SV("zeta/prod"));
    CHECK_SV(named(&w, "zeta.prod"), SV("zeta/prod"));
    CHECK_SV(named(&w, "alpha.prod"), SV("alpha/prod"));
    CHECK_SV(said_of(&w, "zeta", "prod"), SV(""));
    CHECK_SV(said_of(&w, "alpha", "prod"),
             SV("NameTaken: \"prod\" is a name of the elder PolarisCatalog zeta/prod; engines call "
                "this one alpha.prod, choose another name"));
    done(&w);
}

static void a_name_with_dots_is_not_the_whole_name_of_an_elder(void)
{
    struct world_of w = {0};

    compile_text(&w, STORE_AT("1", "one", RGW, "'s3://bkt/o/*'")
                         STORE_AT("1", "two", RGW, "'s3://bkt/t/*'")
                             CATALOG_AT("2", "two", "one.prod", "s3://bkt/t/1")
                                 CATALOG_AT("1", "one", "prod", "s3://bkt/o"));
    CHECK_SV(named(&w, "one.prod"), SV("one/prod"));
    CHECK_SV(named(&w, "two.one.prod"), SV("two/one.prod"));
    CHECK(sv_starts(said_of(&w, "two", "one.prod"), SV("NameTaken: \"one.prod\" is a name of")));
    done(&w);
}

static void one_that_no_name_is_left_for_is_left_out(void)
{
    struct world_of w = {0};

    compile_text(&w, STORE_AT("1", "one", RGW, "'s3://bkt/o/*'")
                         STORE_AT("1", "two", RGW, "'s3://bkt/t/*'")
                             CATALOG_AT("1", "two", "prod", "s3://bkt/t/1")
                                 CATALOG_AT("1", "two", "one.prod", "s3://bkt/t/2")
                                     CATALOG_AT("2", "one", "prod", "s3://bkt/o"));
    CHECK_SV(named(&w, "prod"), SV("two/prod"));
    CHECK_SV(named(&w, "one.prod"), SV("two/one.prod"));
    CHECK_SV(
        said_of(&w, "one", "prod"),
        SV("NameTaken: \"prod\" is a name of the elder PolarisCatalog two/prod; choose another"));
    done(&w);
}

static void a_younger_catalog_shuts_no_elder_out_of_what_it_is_allowed(void)
{
    struct world_of w = {0};

    compile_text(&w, STORE_AT("1", "owner", RGW, "'s3://bkt/lake/*', 's3://bkt/ml/*'")
                         CATALOG_AT("1", "owner", "lake", "s3://bkt/lake")
                             STORE_AT("2", "thief", RGW, "'s3://bkt/ml/x/*'")
                                 CATALOG_AT("2", "thief", "trap", "s3://bkt/ml/x"));
    CHECK(may_lie(&w, "lake", "s3://bkt/ml/x/t"));
    CHECK(may_lie(&w, "lake", "s3://bkt/ml/t"));
    CHECK(!may_lie(&w, "trap", "s3://bkt/lake/t"));
    CHECK_SV(said_of(&w, "owner", "lake"), SV(""));
    CHECK_SV(said_of(&w, "thief", "trap"),
             SV("LocationOverlap: lies in the allowedLocations of the elder PolarisCatalog "
                "owner/lake, which keeps its tables there; choose another, or narrow those"));
    done(&w);
}

static void nothing_is_claimed_by_what_was_never_verified(void)
{
    struct world_of w = {0};
    struct facts f = {0};
    const char *text = STORE_AT("1", "squatter", RGW, "'s3://bkt/lake/*'")
        CATALOG_AT("1", "squatter", "lake", "s3://bkt/lake")
            STORE_AT("2", "owner", RGW, "'s3://bkt/lake/*'")
                CATALOG_AT("2", "owner", "lake", "s3://bkt/lake");

    verified(&w, &f, "owner", 1767312000000);
    compile_with(&w, text, &f);
    CHECK_SV(named(&w, "lake"), SV("owner/lake"));
    CHECK_SV(said_of(&w, "owner", "lake"), SV(""));
    CHECK(sv_starts(
        said_of(&w, "squatter", "lake"),
        SV("LocationOverlap: overlaps the location of the elder PolarisCatalog owner/lake")));
    done(&w);
    /* It comes too late when its credentials work at last. */
    w = (struct world_of){0};
    f = (struct facts){0};
    verified(&w, &f, "owner", 1767312000000);
    verified(&w, &f, "squatter", 1767398400000);
    compile_with(&w, text, &f);
    CHECK_SV(named(&w, "lake"), SV("owner/lake"));
    CHECK_SV(said_of(&w, "owner", "lake"), SV(""));
    done(&w);
}

static void an_integration_that_is_old_makes_no_young_catalog_an_elder(void)
{
    struct world_of w = {0};
    struct facts f = {0};

    verified(&w, &f, "early", 1767225600000);
    verified(&w, &f, "late", 1767398400000);
    compile_with(&w,
                 STORE_AT("1", "early", RGW, "'s3://bkt/e/*'")
                     STORE_AT("1", "late", RGW, "'s3://bkt/l/*'")
                         CATALOG_AT("2", "late", "lake", "s3://bkt/l")
                             CATALOG_AT("5", "early", "lake", "s3://bkt/e"),
                 &f);
    CHECK_SV(named(&w, "lake"), SV("late/lake"));
    done(&w);
}

static void one_store_that_is_spelt_in_two_ways_is_one_place(void)
{
    static const char *const texts[] = {
#define PAIR(x, y)                                    \
    STORE_AT("1", "owner", x, "'s3://bkt/lake/*'")    \
    CATALOG_AT("1", "owner", "lake", "s3://bkt/lake") \
    STORE_AT("2", "thief", y, "'s3://bkt/lake/*'")    \
    CATALOG_AT("2", "thief", "trap", "s3://bkt/lake/sub")
        PAIR("http://rgw.example", "http://RGW.example"),
        PAIR("http://rgw.example", "http://rgw.example:80"),
        PAIR("http://rgw.example", "http://rgw.example./"),
        PAIR("http://rgw.example", "https://rgw.example"),
        PAIR("http://localhost:7480", "http://127.0.0.1:7480"),
        PAIR("http://[::1]:7480", "http://[0:0::0:1]:7480"),
        PAIR("http://a.example', internalEndpoint: 'http://rgw', stsRegion: 'x", "http://rgw"),
        PAIR("http://rgw", "http://b.example', internalEndpoint: 'http://RGW:80/', stsRegion: 'x")};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct world_of w = {0};

        compile_text(&w, texts[i]);
        CHECK(sv_starts(said_of(&w, "thief", "trap"), SV("LocationOverlap")));
        CHECK_SV(said_of(&w, "owner", "lake"), SV(""));
        CHECK_SV(named(&w, "trap"), SV(""));
        done(&w);
    }
}

static bool logs_in(struct world_of *w, const char *id, const char *secret, const char *as)
{
    struct caller c;
    struct err e = {0};

    return rulebook_login(w->result.rulebook, sv_from(id), secret_of(sv_from(secret)), 1, &c, &e) &&
           sv_eq(c.name, sv_from(as));
}

static void of_two_principals_with_one_client_id_the_elder_keeps_it(void)
{
    struct world_of w = {0};
    struct facts f = {0};

    client(&w, &f, "alpha", "thief", "id", "other");
    client(&w, &f, "owner", "etl", "id", "secret");
    client(&w, &f, "zeta", "thief", "id", "third");
    compile_with(&w,
                 CLIENT_AT("2", "alpha", "thief", "") CLIENT_AT("1", "owner", "etl", "")
                     CLIENT_AT("3", "zeta", "thief", ""),
                 &f);
    CHECK(logs_in(&w, "id", "secret", "owner/etl"));
    CHECK(!logs_in(&w, "id", "other", "alpha/thief"));
    CHECK_SV(said_of(&w, "owner", "etl"), SV(""));
    CHECK_SV(said_of(&w, "zeta", "thief"),
             SV("ClientIdTaken: Secret thief-credentials needs another client-id: this one is that "
                "of the elder Principal owner/etl"));
    CHECK(sv_starts(said_of(&w, "alpha", "thief"), SV("ClientIdTaken")));
    done(&w);
}

/* A Secret can be written anew at any time, also by who has been there for long. */
static void who_holds_a_client_id_keeps_it_against_an_older_principal(void)
{
    struct world_of w = {0};
    struct facts f = {0};

    client(&w, &f, "alpha", "thief", "id", "other");
    client(&w, &f, "owner", "etl", "id", "secret");
    compile_with(&w,
                 CLIENT_AT("1", "alpha", "thief", "status: {clientId: old}\n")
                     CLIENT_AT("2", "owner", "etl", "status: {clientId: id}\n"),
                 &f);
    CHECK(logs_in(&w, "id", "secret", "owner/etl"));
    CHECK_SV(said_of(&w, "owner", "etl"), SV(""));
    CHECK(sv_starts(said_of(&w, "alpha", "thief"), SV("ClientIdTaken")));
    done(&w);
}

static void a_secret_serves_one_principal(void)
{
    struct world_of w = {0};

    compile_text(&w, CLIENT_AT("2", "n", "second", "") AT(
                         "1", "n", "Principal",
                         "first") "spec: {clientCredentials: {secretName: second-credentials}}\n");
    CHECK_SV(said_of(&w, "n", "first"), SV(""));
    CHECK_SV(said_of(&w, "n", "second"),
             SV("SecretTaken: Secret second-credentials cannot serve two: name another; it is that "
                "of the elder Principal n/first"));
    done(&w);
}

SUITE("policy/claims", TEST(of_two_catalogs_of_one_name_the_elder_keeps_it),
      TEST(a_name_with_dots_is_not_the_whole_name_of_an_elder),
      TEST(one_that_no_name_is_left_for_is_left_out),
      TEST(a_younger_catalog_shuts_no_elder_out_of_what_it_is_allowed),
      TEST(nothing_is_claimed_by_what_was_never_verified),
      TEST(an_integration_that_is_old_makes_no_young_catalog_an_elder),
      TEST(one_store_that_is_spelt_in_two_ways_is_one_place),
      TEST(of_two_principals_with_one_client_id_the_elder_keeps_it),
      TEST(who_holds_a_client_id_keeps_it_against_an_older_principal),
      TEST(a_secret_serves_one_principal))
