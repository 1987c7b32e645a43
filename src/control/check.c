/* check.c - the commands that need no server: manifests held against the rules, and compiled once.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "control/cache.h"
#include "control/files.h"
#include "kube/client.h"

/* An object and where it stands. */
struct source {
    size_t file;
    const struct yaml_doc *doc;
    struct resource *resource;
};
struct sources VEC(struct source);

/* What is said in the end, in the order of files and lines. */
struct fault {
    size_t file;
    int line;
    size_t number; /* as they were found: of one line the first stays first */
    struct sv text;
};
struct faults VEC(struct fault);

struct checking {
    struct arena *arena;
    struct sv_vec files;
    size_t file; /* being read */
    struct sources sources;
    struct faults faults;
    struct map names; /* "Kind/ns/name" to the struct source that has it */
};

static void say(struct checking *c, size_t file, int line, struct sv object, struct sv field,
                struct sv what)
{
    struct sv text = arena_printf(c->arena, SV_FMT ":%d: " SV_FMT "%s" SV_FMT ": " SV_FMT "\n",
                                  SV_ARG(c->files.p[file]), line, SV_ARG(object),
                                  object.n ? ": " : "", SV_ARG(field), SV_ARG(what));

    vec_push(&c->faults, c->arena, ((struct fault){file, line, c->faults.n, text}));
}

/* The line that an error of the reader names: "line 7: ...". */
static void say_unreadable(struct checking *c, const struct err *e)
{
    struct sv text = sv_from(e->msg), number;
    const char *at = strstr(e->msg, "line ");
    int64_t line = 1;

    if (at) {
        text = sv_from(at + 5);
        if (!sv_cut(&text, ':', &number) || !sv_i64(number, &line))
            line = 1;
    }
    say(c, c->file, (int)line, (struct sv){0}, SV("file"), sv_trim(text));
}

static struct sv list_kinds(struct arena *a)
{
    struct buf b = buf_new(a, 500);

    for (int k = 0; k < KIND_COUNT; k++)
        buf_addf(&b, "%s" SV_FMT, k ? ", " : "", SV_ARG(kind_name((enum kind)k)));
    return buf_sv(&b);
}

/* Another product's objects may lie in the same files; a slip in ours must not make it one. */
static bool is_meant_for_us(const struct json *root)
{
    struct sv version = json_get_str(root, SV("apiVersion"));
    enum kind k;

    return sv_starts(version, SV(API_GROUP)) ||
           (!version.n && kind_read(json_get_str(root, SV("kind")), &k));
}

/* What makes an object one of ours; false and a fault when something is wrong with it. */
static bool check_head(struct checking *c, const struct yaml_doc *d)
{
    struct arena *a = c->arena;
    struct sv version = json_get_str(d->root, SV("apiVersion"));
    struct sv kind = json_get_str(d->root, SV("kind"));
    struct sv name = json_get_str(json_get(d->root, SV("metadata")), SV("name"));
    size_t before = c->faults.n;
    enum kind k;

    if (!sv_eq(version, SV(API_VERSION)))
        say(c, c->file, yaml_line(d, SV("apiVersion")), kind, SV("apiVersion"),
            arena_printf(a, "is \"" SV_FMT "\", must be " API_VERSION,
                         SV_ARG(sv_first(version, 60))));
    if (!kind_read(kind, &k))
        say(c, c->file, yaml_line(d, SV("kind")), (struct sv){0}, SV("kind"),
            arena_printf(a, "is \"" SV_FMT "\", must be one of: " SV_FMT,
                         SV_ARG(sv_first(kind, 60)), SV_ARG(list_kinds(a))));
    if (!name.n)
        say(c, c->file, yaml_line(d, SV("metadata")), kind, SV("metadata.name"), SV("is required"));
    return c->faults.n == before;
}

static struct sv label_of(const struct checking *c, const struct resource *r)
{
    return arena_printf(c->arena, SV_FMT "/" SV_FMT, SV_ARG(kind_name(r->kind)),
                        SV_ARG(r->meta.name));
}

static void take_source(struct checking *c, const struct yaml_doc *d, struct resource *r)
{
    struct source *s = arena_new(c->arena, struct source);
    const struct source *was;
    struct sv key = arena_printf(c->arena, SV_FMT "/" SV_FMT "/" SV_FMT, SV_ARG(kind_name(r->kind)),
                                 SV_ARG(r->meta.namespace_), SV_ARG(r->meta.name));

    *s = (struct source){c->file, d, r};
    was = map_get(&c->names, key);
    if (was) {
        say(c, c->file, yaml_line(d, SV("metadata.name")), label_of(c, r), SV("metadata.name"),
            arena_printf(c->arena, "stands already at " SV_FMT ":%d; take one of them out",
                         SV_ARG(c->files.p[was->file]), yaml_line(was->doc, SV("metadata.name"))));
        return;
    }
    (void)map_put(&c->names, key, s);
    vec_push(&c->sources, c->arena, *s);
}

static void read_source(struct checking *c)
{
    struct yaml_docs docs = {0};
    struct resource *r;
    struct err e = {0};
    struct sv text;

    if (!manifest_read(c->files.p[c->file], LIMIT_YAML_BYTES, c->arena, &text, &e) ||
        !yaml_read(text, c->arena, &docs, &e)) {
        say_unreadable(c, &e);
        return;
    }
    for (size_t i = 0; i < docs.n; i++) {
        if (!is_meant_for_us(docs.p[i].root) || !check_head(c, &docs.p[i]))
            continue;
        if (resource_read(docs.p[i].root, c->arena, &r, &e))
            take_source(c, &docs.p[i], r);
        else
            say(c, c->file, docs.p[i].line, (struct sv){0}, SV("object"),
                arena_dup(c->arena, sv_from(e.msg)));
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

static void compile_sources(struct checking *c)
{
    const struct resource **resources =
        arena_array(c->arena, const struct resource *, c->sources.n + 1);
    /* Which folder is open to storageType file is known where it runs. */
    struct policy_input in = {
        .resources = resources, .n_resources = c->sources.n, .file_storage = SV("/")};
    struct compile_result result;

    for (size_t i = 0; i < c->sources.n; i++)
        resources[i] = c->sources.p[i].resource;
    policy_compile(&in, c->arena, &result);
    for (size_t i = 0; i < c->sources.n; i++) {
        const struct source *s = &c->sources.p[i];

        for (size_t j = 0; j < result.complaints[i].n; j++) {
            const struct complaint *one = &result.complaints[i].p[j];

            say(c, s->file, yaml_line(s->doc, one->field), label_of(c, s->resource), one->field,
                one->text);
        }
    }
    (void)rulebook_unref(result.rulebook);
}

static int by_place(const void *x, const void *y)
{
    const struct fault *a = x, *b = y;

    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

bool control_check(const char *const *files, size_t n, struct buf *out)
{
    auto_arena a = {0};
    struct checking c = {.arena = &a, .names = map_new(&a)};

    for (size_t i = 0; i < n; i++)
        collect(sv_from(files[i]), &a, &c.files);
    for (c.file = 0; c.file < c.files.n; c.file++)
        read_source(&c);
    compile_sources(&c);
    if (c.faults.n)
        qsort(c.faults.p, c.faults.n, sizeof(c.faults.p[0]), by_place);
    for (size_t i = 0; i < c.faults.n; i++)
        buf_add(out, c.faults.p[i].text);
    return c.faults.n == 0;
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

        auto_arena a = {0};

        f.scope = o->scope;
        f.verified_since = integration_verified_since(o->resource, &a);
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
                            struct sv file_storage, struct rulebook **out, struct err *e)
{
    auto_arena a = {.wipe = true};
    struct cache c;
    bool ok;

    if (!manifest_exists(resources_dir))
        return err_set(e, ERR_INVALID, "--resources " SV_FMT ": there is no such folder",
                       SV_ARG(sv_first(resources_dir, 150)));
    cache_init(&c);
    c.file_storage = file_storage.n ? file_storage : SV("/");
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
