/* kubeconfig.c - kubeconfig v1 files, merged. Source: "Organizing Cluster Access Using kubeconfig
 * Files" in the Kubernetes documentation. */
#include "kube/config.h"
#include "kube/file.h"
#include "wire/base64.h"
#include "wire/yaml.h"

/* The files as trees, and what of them is in use. */
struct merge {
    struct arena *arena;
    const struct kubeconfig_file *files;
    const struct json **roots;
    size_t n;
    struct err *e;
};

/* One named entry, and the file it stands in, which its paths are relative to. */
struct entry {
    const struct json *body;
    struct sv path, kind, name;
};

/* Text where text is meant: YAML reads an unquoted 12345 as a number. */
static struct sv text_of(struct arena *a, const struct json *v)
{
    switch (json_kind(v)) {
    case JSON_STRING:
        return json_str(v, (struct sv){0});
    case JSON_BOOL:
    case JSON_INT:
    case JSON_DOUBLE:
        return json_text(a, v);
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return (struct sv){0};
}

static struct sv member(const struct merge *m, const struct entry *in, struct sv name)
{
    return text_of(m->arena, json_get(in->body, name));
}

static bool read_files(struct merge *m)
{
    m->roots = arena_array(m->arena, const struct json *, m->n);
    for (size_t i = 0; i < m->n; i++) {
        struct yaml_docs docs = {0};

        if (!yaml_read(m->files[i].text, m->arena, &docs, m->e))
            return err_wrap(m->e, "kubeconfig " SV_FMT, SV_ARG(m->files[i].path));
        m->roots[i] = docs.n ? docs.p[0].root : NULL;
    }
    return true;
}

static const struct json *named_in(const struct json *list, struct sv name)
{
    for (size_t i = 0; i < json_count(list); i++) {
        if (sv_eq(json_get_str(json_at(list, i), SV("name")), name))
            return json_at(list, i);
    }
    return NULL;
}

/* `list` is "clusters", `kind` "cluster". */
static bool find_entry(const struct merge *m, struct sv list, struct sv kind, struct sv name,
                       struct entry *out)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct json *found = named_in(json_get(m->roots[i], list), name);

        if (!found)
            continue;
        *out = (struct entry){json_get(found, kind), m->files[i].path, kind, name};
        return true;
    }
    return err_set(m->e, ERR_INVALID, "kubeconfig names the %.*s \"" SV_FMT "\", but has none such",
                   SV_ARG(kind), SV_ARG(name));
}

static struct sv current_context(const struct merge *m)
{
    for (size_t i = 0; i < m->n; i++) {
        struct sv name = text_of(m->arena, json_get(m->roots[i], SV("current-context")));

        if (name.n)
            return name;
    }
    return (struct sv){0};
}

static bool complain(const struct merge *m, const struct entry *in, struct sv field,
                     const char *what)
{
    return err_set(m->e, ERR_INVALID,
                   "kubeconfig " SV_FMT ": " SV_FMT " \"" SV_FMT "\": " SV_FMT ": %s",
                   SV_ARG(in->path), SV_ARG(in->kind), SV_ARG(in->name), SV_ARG(field), what);
}

/* Base64 may be folded over lines, as YAML block scalars are. */
static struct sv without_blanks(struct arena *a, struct sv v)
{
    char *out = arena_alloc(a, v.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] != '\n' && v.p[i] != '\r' && v.p[i] != ' ' && v.p[i] != '\t')
            out[n++] = v.p[i];
    }
    return sv_of(out, n);
}

/* `field` names a file; `field`-data holds the same inline, and wins. */
static bool read_material(const struct merge *m, const struct entry *in, struct sv field,
                          struct kube_material *out)
{
    struct sv data_field = arena_printf(m->arena, SV_FMT "-data", SV_ARG(field));
    struct sv data = without_blanks(m->arena, member(m, in, data_field));
    struct sv path = member(m, in, field);
    struct sv text = {0};

    if (!data.n && !path.n)
        return true;
    if (!data.n) {
        out->path = file_resolve(m->arena, in->path, path);
        return true;
    }
    if (!base64_decode(data, m->arena, &text, m->e))
        return complain(m, in, data_field, "is no base64");
    out->text = secret_of(text);
    return true;
}

static bool read_cluster(const struct merge *m, const struct entry *in, struct kube_config *out)
{
    struct err why = {0};
    struct uri u;

    out->server = sv_trim_end(member(m, in, SV("server")), '/');
    if (!uri_read(out->server, &u, &why) ||
        !(sv_eq(u.scheme, SV("https")) || sv_eq(u.scheme, SV("http"))))
        return complain(m, in, SV("server"), "must be an https or http URL");
    out->insecure = json_bool(json_get(in->body, SV("insecure-skip-tls-verify")), false);
    out->no_compression = json_bool(json_get(in->body, SV("disable-compression")), false);
    out->server_name = member(m, in, SV("tls-server-name"));
    out->proxy = member(m, in, SV("proxy-url"));
    return read_material(m, in, SV("certificate-authority"), &out->ca);
}

static void read_impersonation(const struct merge *m, const struct entry *in,
                               struct kube_config *out)
{
    const struct json *groups = json_get(in->body, SV("as-groups"));
    const struct json *extra = json_get(in->body, SV("as-user-extra"));
    struct sv user = member(m, in, SV("as")), uid = member(m, in, SV("as-uid")), key;
    struct json *values;

    if (user.n)
        http_header_add(&out->impersonate, m->arena, SV("Impersonate-User"), user);
    if (uid.n)
        http_header_add(&out->impersonate, m->arena, SV("Impersonate-Uid"), uid);
    for (size_t i = 0; i < json_count(groups); i++)
        http_header_add(&out->impersonate, m->arena, SV("Impersonate-Group"),
                        text_of(m->arena, json_at(groups, i)));
    for (size_t i = 0; json_member(extra, i, &key, &values); i++) {
        struct sv name =
            arena_printf(m->arena, "Impersonate-Extra-" SV_FMT, SV_ARG(uri_encoded(m->arena, key)));

        for (size_t v = 0; v < json_count(values); v++)
            http_header_add(&out->impersonate, m->arena, name,
                            text_of(m->arena, json_at(values, v)));
    }
}

static bool is_known_exec_version(struct sv v)
{
    return sv_eq(v, SV("client.authentication.k8s.io/v1")) ||
           sv_eq(v, SV("client.authentication.k8s.io/v1beta1"));
}

static void read_exec_lists(const struct merge *m, const struct json *exec, struct kube_exec *x)
{
    const struct json *args = json_get(exec, SV("args")), *env = json_get(exec, SV("env"));

    for (size_t i = 0; i < json_count(args); i++)
        vec_push(&x->args, m->arena, text_of(m->arena, json_at(args, i)));
    for (size_t i = 0; i < json_count(env); i++) {
        struct pair p = {json_get_str(json_at(env, i), SV("name")),
                         text_of(m->arena, json_get(json_at(env, i), SV("value")))};

        vec_push(&x->env, m->arena, p);
    }
}

static bool read_exec(const struct merge *m, const struct entry *in, struct kube_config *out)
{
    const struct json *exec = json_get(in->body, SV("exec"));
    struct kube_exec *x;

    if (!exec)
        return true;
    x = arena_new(m->arena, struct kube_exec);
    x->api_version = json_get_str(exec, SV("apiVersion"));
    x->command = json_get_str(exec, SV("command"));
    x->install_hint = json_get_str(exec, SV("installHint"));
    x->wants_cluster = json_bool(json_get(exec, SV("provideClusterInfo")), false);
    if (!is_known_exec_version(x->api_version))
        return complain(m, in, SV("exec.apiVersion"),
                        "must be client.authentication.k8s.io/v1 or v1beta1");
    if (!x->command.n)
        return complain(m, in, SV("exec.command"), "is missing");
    if (sv_eq(json_get_str(exec, SV("interactiveMode")), SV("Always")))
        return complain(m, in, SV("exec.interactiveMode"),
                        "Always needs a terminal, and we have none; use IfAvailable or Never");
    /* A bare name is looked up in PATH; one with a slash is beside the file. */
    if (sv_has_char(x->command, '/'))
        x->command = file_resolve(m->arena, in->path, x->command);
    read_exec_lists(m, exec, x);
    out->exec = x;
    return true;
}

static bool read_user(const struct merge *m, const struct entry *in, struct kube_config *out)
{
    struct sv token_file = member(m, in, SV("tokenFile"));
    bool has_cert, has_key;

    if (json_get(in->body, SV("auth-provider")))
        return complain(m, in, SV("auth-provider"),
                        "was removed from Kubernetes 1.26; use an exec plugin");
    if (!read_material(m, in, SV("client-certificate"), &out->cert) ||
        !read_material(m, in, SV("client-key"), &out->key))
        return false;
    has_cert = out->cert.path.n || secret_is_set(out->cert.text);
    has_key = out->key.path.n || secret_is_set(out->key.text);
    if (has_cert != has_key)
        return complain(m, in, SV("client-certificate"), "needs client-key, and the reverse");
    out->token.text = secret_of(sv_trim(member(m, in, SV("token"))));
    if (token_file.n)
        out->token.path = file_resolve(m->arena, in->path, token_file);
    out->username = member(m, in, SV("username"));
    out->password = secret_of(member(m, in, SV("password")));
    read_impersonation(m, in, out);
    return read_exec(m, in, out);
}

static bool read_context(const struct merge *m, struct kube_config *out)
{
    struct sv name = current_context(m);
    struct entry context = {0}, cluster = {0}, user = {0};
    struct sv user_name;

    if (!name.n)
        return err_set(m->e, ERR_INVALID,
                       "kubeconfig " SV_FMT
                       " has no current-context; set one with: kubectl config use-context NAME",
                       SV_ARG(m->files[0].path));
    if (!find_entry(m, SV("contexts"), SV("context"), name, &context) ||
        !find_entry(m, SV("clusters"), SV("cluster"), member(m, &context, SV("cluster")), &cluster))
        return false;
    out->origin = arena_printf(m->arena, "kubeconfig " SV_FMT ", context " SV_FMT,
                               SV_ARG(context.path), SV_ARG(name));
    out->namespace_ = member(m, &context, SV("namespace"));
    if (!out->namespace_.n)
        out->namespace_ = SV("default");
    if (!read_cluster(m, &cluster, out))
        return false;
    user_name = member(m, &context, SV("user"));
    if (!user_name.n)
        return true;
    return find_entry(m, SV("users"), SV("user"), user_name, &user) && read_user(m, &user, out);
}

bool kubeconfig_merge(const struct kubeconfig_file *files, size_t n, struct arena *a,
                      struct kube_config *out, struct err *e)
{
    struct merge m = {.arena = a, .files = files, .n = n, .e = e};
    struct kube_config read = {.world = out->world};

    if (!read_files(&m) || !read_context(&m, &read))
        return false;
    *out = read;
    return true;
}
