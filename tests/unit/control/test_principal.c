/* test_principal.c - passes over the kinds that need no store. */
#include "unit/control/worker_bench.h"

#define OBJECT(kind, spec)                                                                   \
    "{\"apiVersion\":\"polaris.apache.org/v1\",\"kind\":\"" kind                             \
    "\",\"metadata\":{\"name\":\"etl\",\"namespace\":\"n\",\"uid\":\"u\",\"generation\":1}," \
    "\"spec\":" spec "}"

static void pass(struct worker_bench *b, struct sv object)
{
    struct job *j = bench_job(b, object);

    job_run(&b->worker, j);
    CHECK_INT(j->err.code, ERR_NONE);
}

/* The object as it would be told after the last pass, status and all. */
static struct sv as_kept(struct worker_bench *b)
{
    struct yaml_docs docs = {0};
    struct err e = {0};

    NEED_OK(file_manifests(bench_path(b), &b->arena, &docs, &e), &e);
    NEED(docs.n == 1);
    return json_text(&b->arena, docs.p[0].root);
}

static void a_second_look_writes_nothing(void)
{
    static const char *const objects[] = {
        OBJECT("Principal", "{}"),
        OBJECT("Principal", "{\"clientCredentials\":{}}"),
        OBJECT("PrincipalRole", "{\"members\":[]}"),
        OBJECT("PolarisCatalog", "{\"storageIntegrationRef\":{\"name\":\"s\"}}"),
    };

    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        struct worker_bench b = {0};
        unsigned long written;

        bench_begin(&b);
        pass(&b, sv_from(objects[i]));
        written = bench_writes(&b);
        CHECK(written != 0);
        pass(&b, as_kept(&b));
        CHECK_INT(bench_writes(&b), written);
        bench_end(&b);
    }
}

static void a_client_is_told_where_its_secret_is(void)
{
    struct worker_bench b = {0};

    bench_begin(&b);
    pass(&b, SV(OBJECT("Principal", "{\"clientCredentials\":{}}")));
    CHECK_SV(json_str(bench_kept(&b, "status.secretName"), SV("")), SV("etl-credentials"));
    CHECK(sv_starts(json_str(bench_kept(&b, "status.clientId"), SV("")), SV("frontdesk-")));
    CHECK_SV(bench_condition(&b, "Ready"), SV("True Reconciled: the principal is in force"));
    bench_end(&b);
}

static void a_complaint_makes_no_secret(void)
{
    struct worker_bench b = {0};
    struct sv_vec files = {0}, folders = {0};
    struct err e = {0};
    struct job *j;

    bench_begin(&b);
    j = bench_job(&b, SV(OBJECT("Principal", "{\"clientCredentials\":{}}")));
    complain(&j->complaints, &j->arena, "InvalidSpec", SV("spec.x"), "is wrong");
    job_run(&b.worker, j);
    CHECK_SV(bench_condition(&b, "Ready"), SV("False InvalidSpec: spec.x: is wrong"));
    CHECK_OK(file_list(arena_printf(&b.arena, SV_FMT "/secrets", SV_ARG(b.options.state_dir)),
                       &b.arena, &files, &folders, &e),
             &e);
    CHECK_INT(files.n, 0);
    bench_end(&b);
}

/* What cannot be sent, as a form's bytes or in a header, cannot log in either. */
static void a_secret_that_cannot_be_sent_is_named_with_its_byte(void)
{
    static const struct {
        const char *id, *secret, *said;
    } cases[] = {
        {"alice",     "s3cr3t\n",   "True Reconciled: the principal is in force"             },
        {"alice\r\n", "s3cr3t",     "True Reconciled: the principal is in force"             },
        {"alice",     "s3\ncr3t",   "Secret etl-credentials: client-secret: byte 0x0a at 2: "},
        {"alice",     "s3cr3t\n\n", "Secret etl-credentials: client-secret: byte 0x0a at 6: "},
        {"alice",
         "s\xc3\xa9"
         "cret",                    "Secret etl-credentials: client-secret: byte 0xc3 at 1: "},
        {"al:ice",    "s3cr3t",     "Secret etl-credentials: client-id: byte 0x3a at 2: "    },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct worker_bench b = {0};
        struct job *j;

        bench_begin(&b);
        j = bench_job(&b, SV(OBJECT("Principal", "{\"clientCredentials\":{}}")));
        vec_push(&j->client.data, &j->arena, ((struct tag){SV("client-id"), sv_from(cases[i].id)}));
        vec_push(&j->client.data, &j->arena,
                 ((struct tag){SV("client-secret"), sv_from(cases[i].secret)}));
        job_run(&b.worker, j);
        CHECK(sv_contains(bench_condition(&b, "Ready"), sv_from(cases[i].said)));
        bench_end(&b);
    }
}

static void a_catalog_says_what_engines_call_it(void)
{
    struct worker_bench b = {0};
    struct job *j;

    bench_begin(&b);
    j = bench_job(&b, SV(OBJECT("PolarisCatalog", "{\"storageIntegrationRef\":{\"name\":\"s\"}}")));
    j->warehouse = SV("n.etl");
    job_run(&b.worker, j);
    CHECK_SV(json_str(bench_kept(&b, "status.warehouse"), SV("")), SV("n.etl"));
    bench_end(&b);
}

SUITE("control/principal", TEST(a_second_look_writes_nothing),
      TEST(a_client_is_told_where_its_secret_is), TEST(a_complaint_makes_no_secret),
      TEST(a_secret_that_cannot_be_sent_is_named_with_its_byte),
      TEST(a_catalog_says_what_engines_call_it))
