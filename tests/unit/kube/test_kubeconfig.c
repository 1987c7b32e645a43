/* test_kubeconfig.c - kubeconfig files, merged. */
#include "kube/config.h"
#include "unit/suite.h"

#define HEAD                         \
    "apiVersion: v1\nkind: Config\n" \
    "current-context: here\n"        \
    "contexts:\n"                    \
    "- name: here\n"                 \
    "  context: {cluster: c, user: u, namespace: lake}\n"
#define CLUSTER   \
    "clusters:\n" \
    "- name: c\n" \
    "  cluster: {server: 'https://10.0.0.1:6443/', certificate-authority: pki/ca.crt}\n"

static bool merge(struct arena *a, const char *text, struct kube_config *out, struct err *e)
{
    struct kubeconfig_file file = {SV("/home/ops/.kube/config"), sv_from(text)};

    return kubeconfig_merge(&file, 1, a, out, e);
}

static void a_context_names_server_user_and_namespace(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct kube_config c = {0};

    NEED_OK(merge(&a, HEAD CLUSTER "users:\n- name: u\n  user: {token: abc}\n", &c, &e), &e);
    CHECK_SV(c.server, SV("https://10.0.0.1:6443"));
    CHECK_SV(c.namespace_, SV("lake"));
    CHECK_SV(secret_reveal(c.token.text), SV("abc"));
}

static void a_relative_path_is_beside_its_file(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct kube_config c = {0};

    NEED_OK(merge(&a, HEAD CLUSTER "users:\n- name: u\n  user: {tokenFile: t/token}\n", &c, &e),
            &e);
    CHECK_SV(c.ca.path, SV("/home/ops/.kube/pki/ca.crt"));
    CHECK_SV(c.token.path, SV("/home/ops/.kube/t/token"));
}

static void the_first_entry_of_a_name_wins_over_files(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct kube_config c = {0};
    struct kubeconfig_file files[] = {
        {SV("/a/config"), SV("users: [{name: u, user: {tokenFile: token}}]\n")                  },
        {SV("/b/config"), SV(HEAD CLUSTER "users: [{name: u, user: {tokenFile: other}}]\n")     },
        {SV("/c/config"), SV("current-context: elsewhere\nclusters: [{name: c, cluster: {}}]\n")},
    };

    NEED_OK(kubeconfig_merge(files, 3, &a, &c, &e), &e);
    CHECK_SV(c.token.path, SV("/a/token"));
    CHECK_SV(c.ca.path, SV("/b/pki/ca.crt"));
}

static void data_wins_over_a_path_and_may_be_folded(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct kube_config c = {0};

    NEED_OK(merge(&a,
                  HEAD "clusters:\n- name: c\n  cluster:\n    server: https://h\n"
                       "    certificate-authority: ca.crt\n"
                       "    certificate-authority-data: |\n      aGVs\n      bG8=\n"
                       "users: [{name: u, user: {}}]\n",
                  &c, &e),
            &e);
    CHECK_SV(c.ca.path, SV(""));
    CHECK_SV(secret_reveal(c.ca.text), SV("hello"));
}

static void an_exec_plugin_keeps_its_arguments_and_environment(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct kube_config c = {0};

    NEED_OK(merge(&a,
                  HEAD CLUSTER
                  "users:\n- name: u\n  user:\n    exec:\n"
                  "      apiVersion: client.authentication.k8s.io/v1\n"
                  "      command: ./bin/login\n      args: [--cluster, 'a b']\n"
                  "      env: [{name: REGION, value: eu}]\n      interactiveMode: IfAvailable\n"
                  "      provideClusterInfo: true\n",
                  &c, &e),
            &e);
    NEED(c.exec != NULL);
    CHECK_SV(c.exec->command, SV("/home/ops/.kube/./bin/login"));
    CHECK_SV(c.exec->args.p[1], SV("a b"));
    CHECK_SV(c.exec->env.p[0].value, SV("eu"));
    CHECK(c.exec->wants_cluster);
}

static void impersonation_becomes_headers(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct kube_config c = {0};

    NEED_OK(merge(&a,
                  HEAD CLUSTER "users:\n- name: u\n  user: {as: bob, as-groups: [g1, g2], "
                               "as-user-extra: {reason: [x]}}\n",
                  &c, &e),
            &e);
    CHECK_INT(c.impersonate.n, 4);
    CHECK_SV(http_header_text(&c.impersonate, SV("Impersonate-User")), SV("bob"));
    CHECK_SV(c.impersonate.p[2].value, SV("g2"));
    CHECK_SV(c.impersonate.p[3].name, SV("Impersonate-Extra-reason"));
}

static void check_refused(const char *text, struct sv part)
{
    auto_arena a = {0};
    struct err e = {0};
    struct kube_config c = {0};

    CHECK(!merge(&a, text, &c, &e));
    CHECK_INT(e.code, ERR_INVALID);
    if (!sv_contains(sv_from(e.msg), part))
        CHECK_SV(sv_from(e.msg), part);
}

static void what_is_wrong_is_named(void)
{
    check_refused("clusters: []\n", SV("current-context"));
    check_refused(HEAD, SV("\"c\""));
    check_refused(HEAD CLUSTER, SV("\"u\""));
    check_refused(HEAD "clusters: [{name: c, cluster: {server: 'ftp://h'}}]\n", SV("server"));
    check_refused(HEAD CLUSTER "users: [{name: u, user: {auth-provider: {name: gcp}}}]\n",
                  SV("exec plugin"));
    check_refused(HEAD CLUSTER "users: [{name: u, user: {client-key: k}}]\n", SV("client-key"));
    check_refused(HEAD CLUSTER "users: [{name: u, user: {client-key-data: '!'}}]\n",
                  SV("client-key-data"));
    check_refused("a: [", SV("/home/ops/.kube/config"));
}

static void a_plugin_that_needs_a_terminal_is_refused(void)
{
    check_refused(HEAD CLUSTER "users: [{name: u, user: {exec: {apiVersion: "
                               "client.authentication.k8s.io/v1, command: x, interactiveMode: "
                               "Always}}}]\n",
                  SV("terminal"));
}

static void a_secret_is_never_in_a_message(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct kube_config c = {0};

    CHECK(!merge(&a,
                 HEAD CLUSTER "users: [{name: u, user: {token: hunter2, client-key-data: "
                              "'hunter2!'}}]\n",
                 &c, &e));
    CHECK(!sv_contains(sv_from(e.msg), SV("hunter2")));
}

static void an_exception_keeps_a_host_from_the_proxy(void)
{
    struct sv proxy = SV("http://proxy:3128");

    CHECK_SV(proxy_for(SV("k8s.example.com"), proxy, SV("")), proxy);
    CHECK_SV(proxy_for(SV("k8s.example.com"), proxy, SV("localhost, .example.com")), SV(""));
    CHECK_SV(proxy_for(SV("badexample.com"), proxy, SV("example.com")), proxy);
    CHECK_SV(proxy_for(SV("10.96.0.1"), proxy, SV("10.0.0.0/8")), SV(""));
    CHECK_SV(proxy_for(SV("11.96.0.1"), proxy, SV("10.0.0.0/8")), proxy);
    CHECK_SV(proxy_for(SV("127.0.0.1"), proxy, SV("")), SV(""));
}

SUITE("kube/kubeconfig", TEST(a_context_names_server_user_and_namespace),
      TEST(a_relative_path_is_beside_its_file), TEST(the_first_entry_of_a_name_wins_over_files),
      TEST(data_wins_over_a_path_and_may_be_folded),
      TEST(an_exec_plugin_keeps_its_arguments_and_environment), TEST(impersonation_becomes_headers),
      TEST(what_is_wrong_is_named), TEST(a_plugin_that_needs_a_terminal_is_refused),
      TEST(a_secret_is_never_in_a_message), TEST(an_exception_keeps_a_host_from_the_proxy))
