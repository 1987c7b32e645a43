/* test_credentials.c - tokens that are rotated, and programs that hand them out. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kube/credentials.h"
#include "kube/exec_plugin.h"
#include "unit/suite.h"

/* A folder of its own for each test. */
struct bench {
    struct arena arena;
    struct world_test time;
    struct kube_config config;
    struct kube_exec exec;
    char folder[64];
};

static void bench_init(struct bench *b)
{
    *b = (struct bench){.folder = "/tmp/frontdesk-kube-XXXXXX"};
    world_test_init(&b->time, 1, 1000000);
    b->config.world = &b->time.world;
    b->config.server = SV("https://10.0.0.1:6443");
    NEED(mkdtemp(b->folder) != NULL);
}

static struct sv path_in(struct bench *b, const char *name)
{
    return arena_printf(&b->arena, "%s/%s", b->folder, name);
}

static struct sv put(struct bench *b, const char *name, const char *text)
{
    struct sv path = path_in(b, name);
    FILE *f = fopen(path.p, "w");

    NEED(f != NULL);
    (void)fputs(text, f);
    (void)fclose(f);
    return path;
}

static void bench_done(struct bench *b)
{
    (void)unlink(path_in(b, "token").p);
    (void)unlink(path_in(b, "runs").p);
    (void)unlink(path_in(b, "plugin").p);
    (void)rmdir(b->folder);
    arena_done(&b->arena);
}

static struct sv proof(struct bench *b, struct credentials *c)
{
    struct http_headers h = {0};
    struct http_tls tls;
    struct err e = {0};

    NEED_OK(credentials_use(c, &b->arena, &h, &tls, &e), &e);
    return http_header_text(&h, SV("Authorization"));
}

static void a_token_file_is_read_again_each_minute(void)
{
    struct bench b;
    struct credentials *c;

    bench_init(&b);
    b.config.token.path = put(&b, "token", "one\n");
    c = credentials_new(&b.config, &b.arena);
    CHECK_SV(proof(&b, c), SV("Bearer one"));
    (void)put(&b, "token", "two\n");
    CHECK_SV(proof(&b, c), SV("Bearer one"));
    b.time.ms += CREDENTIALS_FILE_MS;
    CHECK_SV(proof(&b, c), SV("Bearer two"));
    bench_done(&b);
}

static void a_refusal_reads_the_token_at_once(void)
{
    struct bench b;
    struct credentials *c;

    bench_init(&b);
    b.config.token.path = put(&b, "token", "one");
    c = credentials_new(&b.config, &b.arena);
    CHECK_SV(proof(&b, c), SV("Bearer one"));
    (void)put(&b, "token", "two");
    CHECK(credentials_refused(c));
    CHECK_SV(proof(&b, c), SV("Bearer two"));
    bench_done(&b);
}

static void an_empty_file_leaves_the_last_token_in_force(void)
{
    struct bench b;
    struct credentials *c;

    bench_init(&b);
    b.config.token.path = put(&b, "token", "one");
    c = credentials_new(&b.config, &b.arena);
    CHECK_SV(proof(&b, c), SV("Bearer one"));
    (void)put(&b, "token", "\n");
    b.time.ms += CREDENTIALS_FILE_MS;
    CHECK_SV(proof(&b, c), SV("Bearer one"));
    bench_done(&b);
}

static void a_missing_file_is_named(void)
{
    struct bench b;
    struct http_headers h = {0};
    struct http_tls tls;
    struct err e = {0};

    bench_init(&b);
    b.config.token.path = path_in(&b, "token");
    CHECK(!credentials_use(credentials_new(&b.config, &b.arena), &b.arena, &h, &tls, &e));
    CHECK(sv_contains(sv_from(e.msg), SV("/token: ")));
    bench_done(&b);
}

static void a_fixed_token_is_not_worth_a_second_try(void)
{
    struct bench b;

    bench_init(&b);
    b.config.token.text = secret_of(SV("fixed"));
    CHECK(!credentials_refused(credentials_new(&b.config, &b.arena)));
    bench_done(&b);
}

static void name_and_password_are_basic(void)
{
    struct bench b;

    bench_init(&b);
    b.config.username = SV("Aladdin");
    b.config.password = secret_of(SV("open sesame"));
    CHECK_SV(proof(&b, credentials_new(&b.config, &b.arena)),
             SV("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    bench_done(&b);
}

/* ---- plugins ---- */

#define V1 "client.authentication.k8s.io/v1"

static void use_plugin(struct bench *b, const char *script)
{
    struct sv path = put(b, "plugin", script);

    NEED(chmod(path.p, 0700) == 0);
    b->exec = (struct kube_exec){.api_version = SV(V1), .command = path};
    b->config.exec = &b->exec;
}

static void a_plugin_runs_once_until_its_token_expires(void)
{
    struct bench b;
    struct credentials *c;

    bench_init(&b);
    use_plugin(&b, "#!/bin/sh\necho x >> \"$(dirname \"$0\")/runs\"\n"
                   "n=$(wc -l < \"$(dirname \"$0\")/runs\" | tr -d ' ')\n"
                   "echo '{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\",\"status\":{"
                   "\"token\":\"t'$n'\",\"expirationTimestamp\":\"1970-01-01T00:20:00Z\"}}'\n");
    c = credentials_new(&b.config, &b.arena);
    CHECK_SV(proof(&b, c), SV("Bearer t1"));
    CHECK_SV(proof(&b, c), SV("Bearer t1"));
    b.time.ms = 1200 * 1000;
    CHECK_SV(proof(&b, c), SV("Bearer t2"));
    CHECK(credentials_refused(c));
    b.time.ms = 1000 * 1000;
    CHECK_SV(proof(&b, c), SV("Bearer t3"));
    bench_done(&b);
}

static void a_plugin_gets_arguments_and_environment_as_they_are(void)
{
    struct bench b;
    struct sv arg = SV("a b;$(reboot)");
    struct pair pair = {SV("WHO"), SV("it's me")};

    bench_init(&b);
    use_plugin(&b, "#!/bin/sh\necho '{\"apiVersion\":\"" V1
                   "\",\"kind\":\"ExecCredential\",\"status\":{"
                   "\"token\":\"'\"$1|$WHO|$(echo $KUBERNETES_EXEC_INFO | tr -d '\"')\"'\"}}'\n");
    vec_push(&b.exec.args, &b.arena, arg);
    vec_push(&b.exec.env, &b.arena, pair);
    b.exec.wants_cluster = true;
    CHECK_SV(proof(&b, credentials_new(&b.config, &b.arena)),
             SV("Bearer a b;$(reboot)|it's me|{apiVersion:" V1
                ",kind:ExecCredential,spec:{interactive:false,cluster:{server:https://"
                "10.0.0.1:6443}}}"));
    bench_done(&b);
}

static void check_plugin_fails(const char *script, int timeout_ms, struct sv part)
{
    struct bench b;
    struct exec_credential got;
    struct err e = {0};

    bench_init(&b);
    use_plugin(&b, script);
    CHECK(!exec_plugin_run(&b.config, (struct sv){0}, timeout_ms, &b.arena, &got, &e));
    if (!sv_contains(sv_from(e.msg), part))
        CHECK_SV(sv_from(e.msg), part);
    bench_done(&b);
}

static void a_plugin_that_fails_is_named_with_its_code(void)
{
    check_plugin_fails("#!/bin/sh\nexit 3\n", 5000, SV("ended with code 3"));
}

static void a_plugin_that_hangs_is_ended(void)
{
    check_plugin_fails("#!/bin/sh\nexec sleep 1000\n", 20, SV("not done after 20 ms"));
}

static void a_plugin_that_floods_is_ended(void)
{
    check_plugin_fails("#!/bin/sh\nexec cat /dev/zero\n", 10000, SV("bytes of output"));
}

static void output_that_is_no_credential_is_not_quoted(void)
{
    check_plugin_fails("#!/bin/sh\necho hunter2\n", 5000, SV("the output is no JSON"));
}

static void a_missing_plugin_shows_how_to_install_it(void)
{
    struct bench b;
    struct exec_credential got;
    struct err e = {0};

    bench_init(&b);
    b.exec = (struct kube_exec){.command = SV("frontdesk-no-such-plugin"),
                                .install_hint = SV("Install it by: make login")};
    b.config.exec = &b.exec;
    CHECK(!exec_plugin_run(&b.config, (struct sv){0}, 1000, &b.arena, &got, &e));
    CHECK(sv_contains(sv_from(e.msg), SV("make login")));
    bench_done(&b);
}

static void half_a_key_pair_is_refused(void)
{
    auto_arena a = {0};
    struct exec_credential got;
    struct err e = {0};

    CHECK(!exec_credential_read(SV("{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\","
                                   "\"status\":{\"clientCertificateData\":\"x\"}}"),
                                SV(V1), &a, &got, &e));
    CHECK(sv_contains(sv_from(e.msg), SV("only one of")));
    CHECK(!exec_credential_read(SV("{\"apiVersion\":\"" V1 "\",\"kind\":\"ExecCredential\"}"),
                                SV(V1), &a, &got, &e));
    CHECK(sv_contains(sv_from(e.msg), SV("neither")));
}

SUITE("kube/credentials", TEST(a_token_file_is_read_again_each_minute),
      TEST(a_refusal_reads_the_token_at_once), TEST(an_empty_file_leaves_the_last_token_in_force),
      TEST(a_missing_file_is_named), TEST(a_fixed_token_is_not_worth_a_second_try),
      TEST(name_and_password_are_basic), TEST(a_plugin_runs_once_until_its_token_expires),
      TEST(a_plugin_gets_arguments_and_environment_as_they_are),
      TEST(a_plugin_that_fails_is_named_with_its_code), TEST(a_plugin_that_hangs_is_ended),
      TEST(a_plugin_that_floods_is_ended), TEST(output_that_is_no_credential_is_not_quoted),
      TEST(a_missing_plugin_shows_how_to_install_it), TEST(half_a_key_pair_is_refused))
