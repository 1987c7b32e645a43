/*
 * serve_bench.h - the vending server in one process: a real store, a real audit file, a rulebook
 * from manifests, and a clock that is turned by hand. Requests go over the wire.
 */
#ifndef UNIT_CATALOG_SERVE_BENCH_H
#define UNIT_CATALOG_SERVE_BENCH_H

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "catalog/routes.h"
#include "net/http_client.h"
#include "serve/serve.h"
#include "unit/suite.h"
#include "wire/base64.h"
#include "wire/json.h"
#include "wire/yaml.h"

#define HEAD(kind, name)                                                        \
    "apiVersion: polaris.apache.org/v1\nkind: " kind "\nmetadata: {name: " name \
    ", namespace: l}\nspec: "
#define STORE                       \
    HEAD("StorageIntegration", "s") \
    "{storageType: s3, provider: ceph-rgw, bucket: bkt, endpoint: 'http://127.0.0.1:1'}\n---\n"
#define CATALOG(name)            \
    HEAD("PolarisCatalog", name) \
    "{storageIntegrationRef: {name: s}, defaultBaseLocation: 's3://bkt/" name "'}\n---\n"
#define ALICE HEAD("Principal", "alice") "{clientCredentials: {}}\n---\n"
#define BOB   HEAD("Principal", "bob") "{clientCredentials: {}}\n---\n"
#define TEAM  HEAD("PrincipalRole", "team") "{members: [{kind: Principal, name: alice}]}\n---\n"
#define ROLE(catalog)                                                                          \
    HEAD("CatalogRole", "r-" catalog)                                                          \
    "{catalogRef: {name: " catalog "}, principals: [{kind: Principal, name: alice}], grants: " \
    "[{privileges: [CATALOG_MANAGE_CONTENT]}]}\n---\n"
#define LAKE STORE CATALOG("c") ALICE BOB TEAM ROLE("c")

#define SECRET "s3cr3t-of-alice"

struct bench {
    struct arena arena;
    struct world world;
    atomic_llong ms;
    char folder[40];
    struct serve *serve;
    struct http_client *client;
    struct sv url, token;
    int64_t generation;
    /* Of what is published next: alice's secret after a rotation, until when the one before it is
     * good, and the letters that our keys are made of, "k" when NULL; the first signs. */
    const char *secret, *keys;
    int64_t old_until_ms;
    struct err e;
};

/* ---- the world ---- */

static inline int64_t bench_ms(void *context)
{
    return atomic_load(&((struct bench *)context)->ms);
}

static inline void bench_random(void *context, void *out, size_t n)
{
    (void)context;
    world_random(&world_os, out, n);
}

static inline void bench_facts(struct bench *b, struct policy_input *in)
{
    static const char *const names[] = {"alice", "bob"};

    for (int i = 0; i < 2; i++) {
        struct client_facts f = {.namespace_ = SV("l"),
                                 .principal = sv_from(names[i]),
                                 .client_id = arena_printf(&b->arena, "%s-id", names[i])};

        f.secret_hash = sha256_of(arena_printf(&b->arena, "s3cr3t-of-%s", names[i]));
        if (b->secret && i == 0) {
            f.old_secret_hash = f.secret_hash;
            f.old_until_ms = b->old_until_ms;
            f.secret_hash = sha256_of(sv_from(b->secret));
        }
        vec_push(&in->clients, &b->arena, f);
    }
    for (const char *k = b->keys ? b->keys : "k"; *k; k++) {
        struct buf key = buf_new(&b->arena, 32);

        for (int i = 0; i < 32; i++)
            buf_addc(&key, *k);
        vec_push(&in->token_keys, &b->arena,
                 ((struct token_key){arena_printf(&b->arena, "%c", *k), secret_of(buf_sv(&key))}));
    }
    vec_push(&in->integrations, &b->arena,
             ((struct integration_facts){
                 .namespace_ = SV("l"),
                 .name = SV("s"),
                 .vendable = true,
                 .role_arn = SV("arn:aws:iam:::role/r"),
                 .own = {.access_key_id = SV("AK"), .secret_access_key = secret_of(SV("SK"))}
    }));
}

/* Compiles the manifests and puts them in force. */
static inline void bench_publish(struct bench *b, const char *manifests)
{
    struct yaml_docs d = {0};
    struct policy_input in = {.generation = ++b->generation};
    struct compile_result result;
    const struct resource **all;

    NEED_OK(yaml_read(sv_from(manifests), &b->arena, &d, &b->e), &b->e);
    all = arena_array(&b->arena, const struct resource *, d.n);
    for (size_t i = 0; i < d.n; i++) {
        struct resource *r;

        NEED_OK(resource_read(d.p[i].root, &b->arena, &r, &b->e), &b->e);
        all[i] = r;
    }
    in.resources = all;
    in.n_resources = d.n;
    bench_facts(b, &in);
    policy_compile(&in, &b->arena, &result);
    for (size_t i = 0; i < d.n; i++)
        NEED(result.complaints[i].n == 0);
    serve_publish(b->serve, result.rulebook);
}

/* ---- the server ---- */

static inline void bench_open(struct bench *b)
{
    struct http_listener at = {.address = SV("127.0.0.1:0")};
    struct serve_options o = {.world = &b->world,
                              .routes = &catalog_routes,
                              .listeners = &at,
                              .n_listeners = 1,
                              .loops = 1};

    memset(b, 0, sizeof(*b));
    b->world = (struct world){bench_ms, bench_ms, bench_random, b};
    atomic_store(&b->ms, 1700000000000);
    (void)snprintf(b->folder, sizeof(b->folder), "/tmp/fd-serve-XXXXXX");
    NEED(mkdtemp(b->folder));
    o.store_url = arena_printf(&b->arena, "sqlite:%s/catalog.db", b->folder);
    vec_push(&o.audit, &b->arena, arena_printf(&b->arena, "file:%s/audit", b->folder));
    NEED_OK(serve_start(&o, &b->serve, &b->e), &b->e);
    b->url = arena_printf(&b->arena, "http://" SV_FMT, SV_ARG(serve_address(b->serve, 0)));
    b->client = http_client_new(&b->arena);
}

/* Ends the server; its records are whole then, and stay readable until bench_done. */
static inline struct sv bench_records_after(struct bench *b, int grace_ms)
{
    struct buf text = buf_new(&b->arena, 1 << 24);
    char piece[65536];
    FILE *f;
    size_t n;

    serve_stop(b->serve, grace_ms);
    b->serve = NULL;
    f = fopen(arena_printf(&b->arena, "%s/audit", b->folder).p, "rb");
    NEED(f != NULL);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(&text, sv_of(piece, n));
    (void)fclose(f);
    return buf_sv(&text);
}

static inline struct sv bench_records(struct bench *b)
{
    return bench_records_after(b, 5000);
}

static inline void bench_done(struct bench *b)
{
    static const char *const files[] = {"catalog.db", "catalog.db-wal", "catalog.db-shm", "audit"};

    if (b->serve)
        serve_stop(b->serve, 5000);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        (void)unlink(arena_printf(&b->arena, "%s/%s", b->folder, files[i]).p);
    (void)rmdir(b->folder);
    arena_done(&b->arena);
}

/* ---- requests ---- */

struct asking {
    enum http_method method;
    const char *path, *body, *authorization, *agent, *key, *delegation;
};

static inline struct http_response bench_ask(struct bench *b, const struct asking *q)
{
    struct http_request in = {.method = q->method};
    struct http_options o = {.timeout_ms = 20000};
    struct http_response out = {0};

    in.target = arena_printf(&b->arena, SV_FMT "%s", SV_ARG(b->url), q->path);
    in.body = q->body ? sv_from(q->body) : (struct sv){0};
    if (q->authorization)
        http_header_add(&in.headers, &b->arena, SV("Authorization"), sv_from(q->authorization));
    else if (b->token.n)
        http_header_add(&in.headers, &b->arena, SV("Authorization"),
                        arena_printf(&b->arena, "Bearer " SV_FMT, SV_ARG(b->token)));
    if (q->agent)
        http_header_add(&in.headers, &b->arena, SV("User-Agent"), sv_from(q->agent));
    if (q->key)
        http_header_add(&in.headers, &b->arena, SV("Idempotency-Key"), sv_from(q->key));
    if (q->delegation)
        http_header_add(&in.headers, &b->arena, SV("X-Iceberg-Access-Delegation"),
                        sv_from(q->delegation));
    NEED_OK(http_do(b->client, &in, &o, &b->arena, &out, &b->e), &b->e);
    return out;
}

/* The body as JSON; it must be. */
static inline struct json *bench_json(struct bench *b, const struct http_response *r)
{
    struct json *v = NULL;

    NEED_OK(json_read(r->body, &b->arena, &v, &b->e), &b->e);
    return v;
}

/* "n", in catalog c. */
static inline void bench_namespace(struct bench *b)
{
    const struct asking q = {
        .method = HTTP_POST, .path = "/v1/c/namespaces", .body = "{\"namespace\":[\"n\"]}"};

    CHECK_INT(bench_ask(b, &q).status, 200);
}

static inline void check_error(struct bench *b, const struct http_response *r, int status,
                               const char *type)
{
    const struct json *error = json_get(bench_json(b, r), SV("error"));

    CHECK_INT(r->status, status);
    CHECK_SV(json_get_str(error, SV("type")), sv_from(type));
    CHECK_INT(json_i64(json_get(error, SV("code")), 0), status);
    CHECK(json_get_str(error, SV("message")).n != 0);
}

static inline struct http_response bench_form(struct bench *b, const char *form,
                                              const char *authorization)
{
    return bench_ask(b, &(struct asking){.method = HTTP_POST,
                                         .path = "/v1/oauth/tokens",
                                         .body = form,
                                         .authorization = authorization ? authorization : "none"});
}

/* With a lake in force, and alice's token for what is asked from now on. */
static inline void bench_start(struct bench *b, const char *manifests)
{
    struct http_response r;

    bench_open(b);
    bench_publish(b, manifests);
    r = bench_form(b, "grant_type=client_credentials&client_id=alice-id&client_secret=" SECRET,
                   NULL);
    NEED(r.status == 200);
    b->token = json_get_str(bench_json(b, &r), SV("access_token"));
    NEED(b->token.n != 0);
}

static inline size_t count_of(struct sv text, const char *what)
{
    size_t n = 0;

    for (const char *at = text.p;
         (at = memmem(at, (size_t)(text.p + text.n - at), what, strlen(what))); at += strlen(what))
        n++;
    return n;
}

#endif
