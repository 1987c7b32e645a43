/* check.c - the commands that need no server: manifests held against the rules, and compiled once.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "control/cache.h"
#include "control/files.h"
#include "control/manifests.h"
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

struct numbers VEC(size_t);

struct checking {
    struct arena *arena;
    struct sv_vec files;
    size_t file; /* being read */
    struct sources sources;
    struct faults faults;
    struct map names;    /* "Kind/ns/name" to the struct source that has it */
    struct sv_vec named; /* on the command line, without a closing slash */
    struct numbers skip; /* of files: folders of which something is said */
    struct buf *notes;
    size_t passed_over; /* objects of other products, and Secrets */
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
    int64_t line = 1;

    if (sv_starts(text, SV("line "))) {
        text = sv_skip(text, sizeof("line ") - 1);
        if (!sv_cut(&text, ':', &number) || !sv_i64(number, &line))
            line = 1;
    }
    say(c, c->file, (int)line, (struct sv){0}, SV("file"), sv_trim(text));
}

static void say_faults(struct checking *c, const struct yaml_doc *d,
                       const struct complaints *faults)
{
    for (size_t i = 0; i < faults->n; i++) {
        struct sv field = faults->p[i].field;
        bool of_itself = sv_eq(field, SV("kind")) || sv_eq(field, SV("object"));

        say(c, c->file, yaml_line(d, field),
            of_itself ? (struct sv){0} : json_get_str(d->root, SV("kind")), field,
            faults->p[i].text);
    }
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

static void read_object(struct checking *c, const struct yaml_doc *d)
{
    struct complaints faults = {0};
    enum manifest_use use = manifest_use(d->root, c->arena, &faults);
    struct resource *r;
    struct err e = {0};

    say_faults(c, d, &faults);
    c->passed_over += use == MANIFEST_FOREIGN || use == MANIFEST_SECRET;
    if (use != MANIFEST_OURS)
        return;
    if (resource_read(d->root, c->arena, &r, &e))
        take_source(c, d, r);
    else
        say(c, c->file, d->line, (struct sv){0}, SV("object"), arena_dup(c->arena, sv_from(e.msg)));
}

static void read_source(struct checking *c)
{
    struct yaml_docs docs = {0};
    struct err e = {0};
    struct sv text = {0};

    if (!manifest_read(c->files.p[c->file], LIMIT_YAML_BYTES, c->arena, &text, &e) ||
        !file_documents(text, c->arena, &docs, &e)) {
        say_unreadable(c, &e);
        return;
    }
    if (!docs.n)
        say(c, c->file, 1, (struct sv){0}, SV("file"), SV("is empty: it holds no object"));
    for (size_t i = 0; i < docs.n; i++)
        read_object(c, &docs.p[i]);
}

static void say_path(struct checking *c, struct sv path, struct sv what)
{
    vec_push(&c->files, c->arena, path);
    say(c, c->files.n - 1, 1, (struct sv){0}, SV("folder"), what);
    vec_push(&c->skip, c->arena, c->files.n - 1);
}

/* Manifests in sub-folders are not read, as the server does not; a sub-folder that is named itself
 * is. */
static void collect_folder(struct checking *c, struct sv folder)
{
    struct sv_vec files = {0}, folders = {0};
    struct err e = {0};

    if (!file_list(folder, c->arena, &files, &folders, &e)) {
        say_path(c, folder, arena_dup(c->arena, sv_from(e.msg)));
        return;
    }
    if (!files.n)
        say_path(c, folder, SV("holds no manifest: no *.yaml, *.yml or *.json"));
    for (size_t i = 0; i < files.n; i++)
        vec_push(&c->files, c->arena, files.p[i]);
    for (size_t i = 0; i < folders.n; i++) {
        if (!sv_vec_has(&c->named, folders.p[i]))
            buf_addf(c->notes,
                     SV_FMT ": is a folder with manifests: those in sub-folders are not read; name "
                            "it too\n",
                     SV_ARG(folders.p[i]));
    }
}

static void collect(struct checking *c, struct sv path)
{
    struct stat st;

    if (stat(arena_cstr(c->arena, path), &st) == 0 && S_ISDIR(st.st_mode))
        collect_folder(c, sv_trim_end(path, '/'));
    else
        vec_push(&c->files, c->arena, path);
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

static bool is_skipped(const struct checking *c, size_t file)
{
    for (size_t i = 0; i < c->skip.n; i++) {
        if (c->skip.p[i] == file)
            return true;
    }
    return false;
}

static void tell_all(struct checking *c, struct buf *out)
{
    if (c->faults.n)
        qsort(c->faults.p, c->faults.n, sizeof(c->faults.p[0]), by_place);
    for (size_t i = 0; i < c->faults.n; i++)
        buf_add(out, c->faults.p[i].text);
}

bool control_check(const char *const *files, size_t n, struct check_report *out)
{
    auto_arena a = {0};
    struct checking c = {.arena = &a, .names = map_new(&a), .notes = &out->notes};

    for (size_t i = 0; i < n; i++)
        vec_push(&c.named, &a, sv_trim_end(sv_from(files[i]), '/'));
    for (size_t i = 0; i < n; i++)
        collect(&c, sv_from(files[i]));
    for (c.file = 0; c.file < c.files.n; c.file++) {
        if (!is_skipped(&c, c.file))
            read_source(&c);
    }
    compile_sources(&c);
    tell_all(&c, &out->faults);
    out->files = c.files.n - c.skip.n;
    out->objects = c.sources.n;
    out->passed_over = c.passed_over;
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

/* Of two that are one object neither counts: which one a server has in force depends on which it
 * saw first. */
static bool is_new(struct map *seen, const struct json *v, struct sv file, struct arena *a,
                   struct err *e)
{
    const struct json *m = json_get(v, SV("metadata"));
    struct sv ns = json_get_str(m, SV("namespace"));
    struct sv key = ARENA_JOIN(a, json_get_str(v, SV("kind")), SV("/"), ns.n ? ns : SV("default"),
                               SV("/"), json_get_str(m, SV("name")));
    struct sv *at = arena_new(a, struct sv), *was;

    *at = file;
    was = map_put(seen, key, at);
    return !was || err_set(e, ERR_INVALID, SV_FMT ": " SV_FMT " stands already in " SV_FMT,
                           SV_ARG(file), SV_ARG(key), SV_ARG(*was));
}

static bool put_files(struct cache *c, struct sv folder, struct arena *a, struct err *e)
{
    struct sv_vec files = {0}, folders = {0};
    struct map seen = map_new(a);

    if (!file_list(folder, a, &files, &folders, e))
        return err_wrap(e, "--resources " SV_FMT, SV_ARG(sv_first(folder, 150)));
    for (size_t i = 0; i < files.n; i++) {
        struct yaml_docs docs = {0};

        if (!file_manifests(files.p[i], a, &docs, e))
            return false;
        for (size_t j = 0; j < docs.n; j++) {
            if (!is_new(&seen, docs.p[j].root, files.p[i], a, e))
                return false;
            put_found(c, docs.p[j].root);
        }
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
