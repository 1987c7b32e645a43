/* config.c - where the API server is: the kubeconfig that is asked for, else the pod's own. */
#include "kube/config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "kube/file.h"

#define POD_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"

/* ---- proxies by the environment ---- */

/* "10.0.0.0/8" against "10.1.2.3". */
static bool is_in_network(struct sv host, struct sv network)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr address, base;
    struct sv rest = network, start;
    int64_t bits;

    if (!sv_cut(&rest, '/', &start) || !sv_i64(rest, &bits) || bits < 0 || bits > 32)
        return false;
    (void)snprintf(text, sizeof(text), SV_FMT, SV_ARG(host));
    if (inet_pton(AF_INET, text, &address) != 1)
        return false;
    (void)snprintf(text, sizeof(text), SV_FMT, SV_ARG(start));
    if (inet_pton(AF_INET, text, &base) != 1)
        return false;
    if (bits == 0)
        return true;
    return ntohl(address.s_addr) >> (32 - bits) == ntohl(base.s_addr) >> (32 - bits);
}

static bool is_excepted(struct sv host, struct sv rule)
{
    struct sv suffix = sv_starts(rule, SV(".")) ? sv_skip(rule, 1) : rule;
    struct sv tail;

    if (!suffix.n)
        return false;
    if (sv_eq(rule, SV("*")) || sv_eq_nocase(host, suffix) || is_in_network(host, rule))
        return true;
    if (host.n <= suffix.n)
        return false;
    tail = sv_skip(host, host.n - suffix.n);
    return sv_eq_nocase(tail, suffix) && tail.p[-1] == '.';
}

struct sv proxy_for(struct sv host, struct sv https_proxy, struct sv no_proxy)
{
    struct sv rest = no_proxy, rule;

    /* As in Go: what is on this machine is never reached by a proxy. */
    if (sv_eq(host, SV("localhost")) || is_in_network(host, SV("127.0.0.0/8")) ||
        sv_eq(host, SV("::1")))
        return (struct sv){0};
    while (sv_cut(&rest, ',', &rule)) {
        if (is_excepted(host, sv_trim(rule)))
            return (struct sv){0};
    }
    return https_proxy;
}

static struct sv env(const char *name)
{
    return sv_from(getenv(name)); /* NOLINT(concurrency-mt-unsafe): nobody changes it */
}

static struct sv env_either(const char *upper, const char *lower)
{
    struct sv v = env(upper);

    return v.n ? v : env(lower);
}

static void add_env_proxy(struct arena *a, struct kube_config *c)
{
    struct err ignored = {0};
    struct uri u;

    if (c->proxy.n || !uri_read(c->server, &u, &ignored))
        return;
    c->proxy = arena_dup(a, proxy_for(u.host, env_either("HTTPS_PROXY", "https_proxy"),
                                      env_either("NO_PROXY", "no_proxy")));
}

/* ---- in a pod ---- */

static struct sv namespace_of_pod(struct sv folder, struct arena *a)
{
    struct err ignored = {0};
    struct sv name = {0};

    if (!file_read(arena_printf(a, SV_FMT "/namespace", SV_ARG(folder)), 256, a, &name, &ignored))
        return SV("default");
    name = sv_trim(name);
    return name.n ? name : SV("default");
}

bool kube_config_in_pod(struct sv host, struct sv port, struct sv folder, struct arena *a,
                        struct kube_config *out, struct err *e)
{
    struct kube_config c = {.world = out->world, .origin = SV("the pod")};

    c.ca.path = arena_printf(a, SV_FMT "/ca.crt", SV_ARG(folder));
    c.token.path = arena_printf(a, SV_FMT "/token", SV_ARG(folder));
    if (access(c.token.path.p, R_OK) != 0)
        return err_set(e, ERR_INVALID,
                       "the pod has no service account token at " SV_FMT
                       "; is automountServiceAccountToken off?",
                       SV_ARG(c.token.path));
    c.server = sv_has_char(host, ':')
                   ? arena_printf(a, "https://[" SV_FMT "]:" SV_FMT, SV_ARG(host), SV_ARG(port))
                   : arena_printf(a, "https://" SV_FMT ":" SV_FMT, SV_ARG(host), SV_ARG(port));
    c.namespace_ = namespace_of_pod(folder, a);
    *out = c;
    return true;
}

/* ---- which of them ---- */

struct kubeconfig_files VEC(struct kubeconfig_file);

/* A list as in $KUBECONFIG; what does not exist is passed over. */
static bool read_list(struct sv list, struct arena *a, struct kubeconfig_files *out, struct err *e)
{
    struct sv rest = list, path;

    while (sv_cut(&rest, ':', &path)) {
        struct kubeconfig_file file = {.path = path};

        if (!path.n)
            continue;
        if (file_read(path, LIMIT_YAML_BYTES, a, &file.text, e))
            vec_push(out, a, file);
        else if (e->code != ERR_NOT_FOUND)
            return false;
    }
    return true;
}

static bool find_files(struct sv asked, struct arena *a, struct kubeconfig_files *out,
                       struct err *e)
{
    struct kubeconfig_file file = {.path = asked};
    struct sv list = env("KUBECONFIG"), home = env("HOME");

    if (asked.n) {
        if (!file_read(asked, LIMIT_YAML_BYTES, a, &file.text, e))
            return err_wrap(e, "--kubeconfig");
        vec_push(out, a, file);
        return true;
    }
    if (!list.n && home.n)
        list = arena_printf(a, SV_FMT "/.kube/config", SV_ARG(home));
    return read_list(arena_dup(a, list), a, out, e);
}

static bool load(const struct kube_config_options *o, struct arena *a, struct kube_config *out,
                 struct err *e)
{
    struct sv host = env("KUBERNETES_SERVICE_HOST");
    struct sv port = env("KUBERNETES_SERVICE_PORT");
    struct kubeconfig_files files = {0};

    if (!find_files(o->kubeconfig, a, &files, e))
        return false;
    if (files.n)
        return kubeconfig_merge(files.p, files.n, a, out, e);
    if (host.n && port.n)
        return kube_config_in_pod(host, port, SV(POD_FOLDER), a, out, e);
    return err_set(e, ERR_INVALID,
                   "no cluster: no kubeconfig by --kubeconfig, $KUBECONFIG or ~/.kube/config, and "
                   "not in a pod; or use --resources DIR");
}

static void release_arena(void *arena)
{
    arena_done(arena);
}

bool kube_config_load(const struct kube_config_options *o, struct arena *a,
                      struct kube_config **out, struct err *e)
{
    struct arena *own = arena_new(a, struct arena);
    struct kube_config *c;

    own->wipe = true;
    arena_defer(a, release_arena, own);
    c = arena_new(own, struct kube_config);
    c->world = o->world;
    if (!load(o, own, c, e))
        return false;
    add_env_proxy(own, c);
    *out = c;
    return true;
}

struct sv kube_config_server(const struct kube_config *c)
{
    return c->server;
}

bool kube_config_executes(const struct kube_config *c)
{
    return c->exec != NULL;
}

struct sv kube_config_namespace(const struct kube_config *c)
{
    return c->namespace_;
}
