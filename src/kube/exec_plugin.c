/* exec_plugin.c - a credential from a program. */
#include "kube/exec_plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "wire/base64.h"
#include "wire/time.h"

/* ---- what the plugin is told ---- */

static struct json *cluster_info(const struct kube_config *c, struct sv ca_pem, struct arena *a)
{
    struct json *o = json_new_object(a);

    json_set_str(o, a, SV("server"), c->server);
    if (c->server_name.n)
        json_set_str(o, a, SV("tls-server-name"), c->server_name);
    if (c->insecure)
        json_set_bool(o, a, SV("insecure-skip-tls-verify"), true);
    if (ca_pem.n)
        json_set_str(o, a, SV("certificate-authority-data"), base64_encode(a, ca_pem));
    if (c->proxy.n)
        json_set_str(o, a, SV("proxy-url"), c->proxy);
    return o;
}

struct sv exec_info_text(const struct kube_config *c, struct sv ca_pem, struct arena *a)
{
    struct json *info = json_new_object(a), *spec = json_new_object(a);

    json_set_bool(spec, a, SV("interactive"), false);
    if (c->exec->wants_cluster)
        json_set(spec, SV("cluster"), cluster_info(c, ca_pem, a));
    json_set_str(info, a, SV("apiVersion"), c->exec->api_version);
    json_set_str(info, a, SV("kind"), SV("ExecCredential"));
    json_set(info, SV("spec"), spec);
    return json_text(a, info);
}

/* ---- what it answers ---- */

static bool read_expiry(const struct json *status, int64_t *out, struct err *e)
{
    struct sv text = json_get_str(status, SV("expirationTimestamp"));

    *out = INT64_MAX;
    return !text.n || time_read(text, out, e) || err_wrap(e, "expirationTimestamp");
}

static bool is_complete(const struct exec_credential *c, struct err *e)
{
    bool has_cert = c->cert_pem.n != 0, has_key = secret_is_set(c->key_pem);

    if (has_cert != has_key)
        return err_set(e, ERR_INVALID, "only one of clientCertificateData and clientKeyData");
    if (!has_cert && !secret_is_set(c->token))
        return err_set(e, ERR_INVALID, "status has neither a token nor a certificate");
    return true;
}

bool exec_credential_read(struct sv text, struct sv api_version, struct arena *a,
                          struct exec_credential *out, struct err *e)
{
    struct exec_credential got = {0};
    struct json *root = NULL, *status;

    /* The reader's complaint could quote what it read, and that may be a token. */
    if (!json_read(text, a, &root, e))
        return err_set(e, ERR_INVALID, "the output is no JSON");
    if (!sv_eq(json_get_str(root, SV("kind")), SV("ExecCredential")) ||
        !sv_eq(json_get_str(root, SV("apiVersion")), api_version))
        return err_set(e, ERR_INVALID, "the output is no ExecCredential of " SV_FMT,
                       SV_ARG(api_version));
    status = json_get(root, SV("status"));
    got.token = secret_of(json_get_str(status, SV("token")));
    got.cert_pem = json_get_str(status, SV("clientCertificateData"));
    got.key_pem = secret_of(json_get_str(status, SV("clientKeyData")));
    if (!is_complete(&got, e) || !read_expiry(status, &got.expires_ms, e))
        return false;
    *out = got;
    return true;
}

/* ---- running it ---- */

struct child {
    pid_t pid;
    int output, exited, timer; /* descriptors; -1: closed */
};

static void close_one(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* Whatever happened, nothing of the child is left: its group is killed and it is reaped. */
static void child_done(struct child *c)
{
    if (c->pid > 0) {
        (void)kill(-c->pid, SIGKILL);
        (void)waitpid(c->pid, NULL, 0);
    }
    close_one(&c->output);
    close_one(&c->exited);
    close_one(&c->timer);
}

static char **arguments(const struct kube_exec *x, struct arena *a)
{
    char **out = arena_array(a, char *, x->args.n + 2);

    out[0] = arena_cstr(a, x->command);
    for (size_t i = 0; i < x->args.n; i++)
        out[i + 1] = arena_cstr(a, x->args.p[i]);
    return out;
}

static bool is_replaced(const char *variable, const struct pairs *by)
{
    struct sv rest = sv_from(variable), name;

    return sv_cut(&rest, '=', &name) &&
           (sv_eq(name, SV("KUBERNETES_EXEC_INFO")) || form_get(by, name));
}

static char **environment(const struct kube_exec *x, struct sv info, struct arena *a)
{
    size_t n = 0, ours = 0;
    char **out;

    while (environ[ours])
        ours++;
    out = arena_array(a, char *, ours + x->env.n + 2);
    for (size_t i = 0; i < ours; i++) {
        if (!is_replaced(environ[i], &x->env))
            out[n++] = environ[i];
    }
    for (size_t i = 0; i < x->env.n; i++)
        out[n++] = arena_cstr(a, arena_printf(a, SV_FMT "=" SV_FMT, SV_ARG(x->env.p[i].name),
                                              SV_ARG(x->env.p[i].value)));
    out[n] = arena_cstr(a, arena_printf(a, "KUBERNETES_EXEC_INFO=" SV_FMT, SV_ARG(info)));
    return out;
}

/* A group of its own, no signal blocked (ours all are), nothing to read, its output to us. */
static int spawn(struct child *c, int output, char **argv, char **envp)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none;
    int failure;

    (void)sigemptyset(&none);
    (void)posix_spawnattr_init(&how);
    (void)posix_spawnattr_setsigmask(&how, &none);
    (void)posix_spawnattr_setpgroup(&how, 0);
    (void)posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    failure = posix_spawnp(&c->pid, argv[0], &files, &how, argv, envp);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)posix_spawnattr_destroy(&how);
    if (failure)
        c->pid = 0;
    return failure;
}

static bool start(const struct kube_exec *x, struct sv info, struct arena *a, struct child *c,
                  struct err *e)
{
    int ends[2], failure;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(e, ERR_UNAVAILABLE, "no pipe: %s", strerrordesc_np(errno));
    c->output = ends[0];
    failure = spawn(c, ends[1], arguments(x, a), environment(x, info, a));
    (void)close(ends[1]);
    if (failure)
        return err_set(e, ERR_UNAVAILABLE, "cannot run it: %s. " SV_FMT, strerrordesc_np(failure),
                       SV_ARG(x->install_hint));
    c->exited = pidfd_open(c->pid, 0);
    if (c->exited < 0)
        return err_set(e, ERR_UNAVAILABLE, "cannot watch it: %s", strerrordesc_np(errno));
    return true;
}

static bool set_timer(struct child *c, int timeout_ms, struct err *e)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L}
    };

    c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (c->timer < 0 || timerfd_settime(c->timer, 0, &when, NULL) != 0)
        return err_set(e, ERR_UNAVAILABLE, "no timer: %s", strerrordesc_np(errno));
    return true;
}

/* One read; closes the output at its end. */
static void take_output(struct child *c, struct buf *out)
{
    char piece[4096];
    ssize_t n = read(c->output, piece, sizeof(piece));

    if (n > 0)
        buf_add(out, sv_of(piece, (size_t)n));
    else
        close_one(&c->output);
    explicit_bzero(piece, sizeof(piece));
}

/* Until the program has ended and nothing more is in the pipe. A grandchild that keeps the pipe
 * open is not waited for. */
static bool collect(struct child *c, int timeout_ms, struct buf *out, struct err *e)
{
    for (;;) {
        struct pollfd p[] = {
            {c->output, POLLIN, 0},
            {c->exited, POLLIN, 0},
            {c->timer,  POLLIN, 0}
        };

        if (poll(p, 3, -1) < 0)
            return err_set(e, ERR_UNAVAILABLE, "cannot wait: %s", strerrordesc_np(errno));
        if (p[0].revents)
            take_output(c, out);
        else if (p[1].revents)
            return true;
        if (out->over)
            return err_set(e, ERR_INVALID, "more than %d bytes of output", LIMIT_CREDENTIAL_BYTES);
        if (p[2].revents)
            return err_set(e, ERR_UNAVAILABLE, "not done after %d ms", timeout_ms);
    }
}

static bool check_exit(struct child *c, struct err *e)
{
    int status = 0;
    pid_t pid = c->pid;

    c->pid = 0;
    if (waitpid(pid, &status, 0) != pid)
        return err_set(e, ERR_UNAVAILABLE, "cannot learn how it ended");
    if (WIFSIGNALED(status))
        return err_set(e, ERR_UNAVAILABLE, "ended by signal %d", WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        return err_set(e, ERR_UNAVAILABLE, "ended with code %d", WEXITSTATUS(status));
    return true;
}

bool exec_plugin_run(const struct kube_config *c, struct sv ca_pem, int timeout_ms, struct arena *a,
                     struct exec_credential *out, struct err *e)
{
    CLEANUP(child_done) struct child child = {.output = -1, .exited = -1, .timer = -1};
    struct buf text = buf_new(a, LIMIT_CREDENTIAL_BYTES);

    if (start(c->exec, exec_info_text(c, ca_pem, a), a, &child, e) &&
        set_timer(&child, timeout_ms, e) && collect(&child, timeout_ms, &text, e) &&
        check_exit(&child, e) &&
        exec_credential_read(buf_sv(&text), c->exec->api_version, a, out, e))
        return true;
    return err_wrap(e, "credential plugin " SV_FMT, SV_ARG(c->exec->command));
}
