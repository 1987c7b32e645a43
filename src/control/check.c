/* check.c - the commands that need no server: manifests held against the rules, and compiled once.
 */
#include <sys/stat.h>

#include "control/cache.h"
#include "control/files.h"
#include "kube/client.h"

/* An object and where it stands. */
struct source {
    struct sv file;
    const struct yaml_doc *doc;
    struct resource *resource;
};
struct sources VEC(struct source);

static void say(struct buf *out, struct sv file, int line, const struct source *s,
                const struct complaint *c)
{
    buf_addf(out, SV_FMT ":%d: ", SV_ARG(file), line);
    if (s)
        buf_addf(out, SV_FMT "/" SV_FMT ": ", SV_ARG(kind_name(s->resource->kind)),
                 SV_ARG(s->resource->meta.name));
    buf_addf(out, SV_FMT ": " SV_FMT "\n", SV_ARG(c->field), SV_ARG(c->text));
}

/* The line that an error of the reader names: "line 7: ...". */
static void say_unreadable(struct buf *out, struct sv file, const struct err *e)
{
    struct sv text = sv_from(e->msg), number;
    const char *at = strstr(e->msg, "line ");
    int64_t line = 1;

    if (at) {
        text = sv_from(at + 5);
        if (!sv_cut(&text, ':', &number) || !sv_i64(number, &line))
            line = 1;
    }
    say(out, file, (int)line, NULL,
        &(struct complaint){.field = SV("file"), .text = sv_trim(text)});
}

static void read_source(struct sv path, struct arena *a, struct sources *out, struct buf *faults)
{
    struct yaml_docs *docs = arena_new(a, struct yaml_docs);
    struct err e = {0};

    if (!file_manifests(path, a, docs, &e)) {
        say_unreadable(faults, path, &e);
        return;
    }
    for (size_t i = 0; i < docs->n; i++) {
        struct source s = {.file = path, .doc = &docs->p[i]};
        enum kind k;

        if (!kind_read(json_get_str(docs->p[i].root, SV("kind")), &k))
            continue;
        if (resource_read(docs->p[i].root, a, &s.resource, &e))
            vec_push(out, a, s);
        else
            say(faults, path, docs->p[i].line, NULL,
                &(struct complaint){.field = SV("object"), .text = sv_from(e.msg)});
    }
}

static void collect(struct sv path, struct arena *a, struct sv_vec *files)
{
    struct stat st;

    if (stat(arena_cstr(a, path), &st) == 0 && S_ISDIR(st.st_mode))
        file_list(sv_trim_end(path, '/'), a, files);
    else
        vec_push(files, a, path);
}

bool control_check(const char *const *files, size_t n, struct buf *out)
{
    auto_arena a = {0};
    struct sv_vec paths = {0};
    struct sources sources = {0};
    /* Which folder is open to storageType file is known where it runs. */
    struct policy_input in = {.file_storage = SV("/")};
    const struct resource **resources;
    struct compile_result result;
    size_t before = out->n;

    for (size_t i = 0; i < n; i++)
        collect(sv_from(files[i]), &a, &paths);
    for (size_t i = 0; i < paths.n; i++)
        read_source(paths.p[i], &a, &sources, out);
    resources = arena_array(&a, const struct resource *, sources.n + 1);
    for (size_t i = 0; i < sources.n; i++)
        resources[i] = sources.p[i].resource;
    in.resources = resources;
    in.n_resources = sources.n;
    policy_compile(&in, &a, &result);
    for (size_t i = 0; i < sources.n; i++) {
        const struct source *s = &sources.p[i];

        for (size_t j = 0; j < result.complaints[i].n; j++)
            say(out, s->file, yaml_line(s->doc, result.complaints[i].p[j].field), s,
                &result.complaints[i].p[j]);
    }
    (void)rulebook_unref(result.rulebook);
    return out->n == before;
}

/* ---- compiled once, for `explain` ---- */

static void put_found(struct cache *c, const struct json *v)
{
    struct object *o;
    const struct json *status = json_get(v, SV("status"));

    (void)cache_put(c, v, &o);
    if (o && o->resource->kind == KIND_STORAGE_INTEGRATION) {
        struct integration_found f = {
            .known = true, .vendable = true, .role_arn = json_get_str(status, SV("roleArn"))};

        f.scope = o->scope;

        (void)cache_found(o, &f);
    }
}

static bool put_files(struct cache *c, struct sv folder, struct arena *a, struct err *e)
{
    struct sv_vec files = {0};

    file_list(folder, a, &files);
    for (size_t i = 0; i < files.n; i++) {
        struct yaml_docs docs = {0};

        if (!file_manifests(files.p[i], a, &docs, e))
            return false;
        for (size_t j = 0; j < docs.n; j++)
            put_found(c, docs.p[j].root);
    }
    return true;
}

bool control_compile_folder(struct sv resources_dir, UNUSED struct sv state_dir,
                            struct rulebook **out, struct err *e)
{
    auto_arena a = {.wipe = true};
    struct cache c;
    bool ok;

    cache_init(&c);
    c.file_storage = SV("/");
    ok = put_files(&c, resources_dir, &a, e);
    if (ok)
        *out = cache_compile(&c);
    cache_done(&c);
    return ok;
}

static bool put_list(struct cache *c, struct kube_client *k, enum kind kind, struct sv ns,
                     struct arena *a, struct err *e)
{
    struct kube_name n = {SV(API_VERSION), ns, kind_plural(kind), {0}, {0}};
    struct kube_request r = {.method = HTTP_GET, .path = kube_path(a, &n)};
    struct kube_reply reply = {0};
    const struct json *items;

    if (!kube_call(k, &r, a, &reply, e))
        return false;
    items = json_get(reply.body, SV("items"));
    for (size_t i = 0; i < json_count(items); i++) {
        struct json *v = json_copy(a, json_at(items, i));

        json_set_str(v, a, SV("kind"), kind_name(kind));
        json_set_str(v, a, SV("apiVersion"), SV(API_VERSION));
        put_found(c, v);
    }
    return true;
}

bool control_compile_cluster(struct sv kubeconfig, const struct sv_vec *namespaces,
                             struct rulebook **out, struct err *e)
{
    auto_arena a = {.wipe = true};
    struct kube_config_options where = {.kubeconfig = kubeconfig, .world = &world_os};
    struct kube_config *config;
    struct kube_client *k;
    struct cache c;
    bool ok = true;

    if (!kube_config_load(&where, &a, &config, e))
        return false;
    k = kube_client_new(config, &a);
    cache_init(&c);
    c.file_storage = SV("/");
    for (int kind = 0; ok && kind < KIND_COUNT; kind++) {
        for (size_t i = 0; ok && i < (namespaces->n ? namespaces->n : 1); i++)
            ok = put_list(&c, k, (enum kind)kind, namespaces->n ? namespaces->p[i] : (struct sv){0},
                          &a, e);
    }
    if (ok)
        *out = cache_compile(&c);
    cache_done(&c);
    return ok;
}
