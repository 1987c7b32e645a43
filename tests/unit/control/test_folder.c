/* test_folder.c - a folder of manifests looks like a cluster: uid, generation, status, deletion. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/backend.h"
#include "control/files.h"
#include "unit/suite.h"

/* What the backend told, one word each: "+Principal/a 1" (with its generation), "-Principal/a". */
struct heard {
    struct arena arena;
    struct buf text;
    struct json *last; /* the object applied last */
    struct sv failed;
};

static void on_applied(void *context, const struct json *v)
{
    struct heard *h = context;
    const struct json *m = json_get(v, SV("metadata"));

    h->last = json_copy(&h->arena, v);
    buf_addf(&h->text, "+" SV_FMT "/" SV_FMT "%s", SV_ARG(json_get_str(v, SV("kind"))),
             SV_ARG(json_get_str(m, SV("name"))),
             json_get(m, SV("deletionTimestamp")) ? " deleting" : "");
    buf_addf(&h->text, " %d\n", (int)json_i64(json_get(m, SV("generation")), 0));
}

static void on_deleted(void *context, struct sv kind, struct sv ns, struct sv name)
{
    struct heard *h = context;

    (void)ns;
    buf_addf(&h->text, "-" SV_FMT "/" SV_FMT "\n", SV_ARG(kind), SV_ARG(name));
}

static void on_synced(void *context)
{
    buf_add(&((struct heard *)context)->text, SV("synced\n"));
}

static void on_failed(void *context, struct sv what, const struct err *why)
{
    struct heard *h = context;

    (void)what;
    h->failed = arena_dup(&h->arena, sv_from(why->msg));
}

struct scene {
    struct arena arena;
    struct control_options options;
    struct heard heard;
    struct backend *backend;
    struct writer *writer;
};

static void write_manifest(struct scene *s, const char *name, const char *text)
{
    auto_arena a = {0};
    struct err e = {0};

    NEED_OK(file_replace(arena_printf(&a, SV_FMT "/%s", SV_ARG(s->options.resources_dir), name),
                         sv_from(text), &e),
            &e);
}

static void open_backend(struct scene *s)
{
    const struct backend_events events = {on_applied, on_deleted, on_synced, on_failed, &s->heard};
    struct err e = {0};

    s->heard.text = buf_new(&s->heard.arena, 65536);
    NEED_OK(backend_folder(&s->options, &events, &s->arena, &s->backend, &e), &e);
    s->writer = s->backend->ops->open_writer(s->backend, &s->arena);
}

static void begin(struct scene *s)
{
    char folder[] = "/tmp/frontdesk-test-XXXXXX";
    struct err e = {0};

    NEED(mkdtemp(folder) != NULL);
    s->options.world = &world_os;
    s->options.resources_dir = arena_printf(&s->arena, "%s/resources", folder);
    s->options.state_dir = arena_printf(&s->arena, "%s/state", folder);
    NEED_OK(folder_make(s->options.resources_dir, &e), &e);
    open_backend(s);
}

static void clear(struct sv folder)
{
    auto_arena a = {0};
    struct sv_vec files = {0};

    file_list(folder, &a, &files);
    for (size_t i = 0; i < files.n; i++)
        file_remove(files.p[i]);
    (void)rmdir(arena_cstr(&a, folder));
}

static void end(struct scene *s)
{
    ptrdiff_t slash = sv_rfind(s->options.state_dir, '/');

    s->backend->ops->close(s->backend);
    clear(s->options.resources_dir);
    clear(arena_printf(&s->arena, SV_FMT "/secrets", SV_ARG(s->options.state_dir)));
    clear(s->options.state_dir);
    clear(sv_first(s->options.state_dir, (size_t)slash));
    arena_done(&s->heard.arena);
    arena_done(&s->arena);
}

/* What is told for what happened since. */
static struct sv hear(struct scene *s)
{
    buf_clear(&s->heard.text);
    s->backend->ops->poll(s->backend, 2000);
    return buf_sv(&s->heard.text);
}

#define PRINCIPAL(name, spec)                                                          \
    "apiVersion: polaris.apache.org/v1\nkind: Principal\nmetadata: {name: " name "}\n" \
    "spec: " spec "\n"

static void all_that_exists_is_told_and_then_synced(void)
{
    struct scene s = {0};

    begin(&s);
    write_manifest(&s, "a.yaml", PRINCIPAL("a", "{}") "---\n" PRINCIPAL("b", "{}"));
    CHECK_SV(hear(&s), SV("+Principal/a 1\n+Principal/b 1\nsynced\n"));
    end(&s);
}

static void a_replaced_file_tells_what_changed_and_nothing_else(void)
{
    struct scene s = {0};

    begin(&s);
    write_manifest(&s, "a.yaml", PRINCIPAL("a", "{}") "---\n" PRINCIPAL("b", "{}"));
    (void)hear(&s);
    write_manifest(&s, "a.yaml",
                   PRINCIPAL("a", "{}") "---\n" PRINCIPAL("b", "{clientCredentials: {}}"));
    CHECK_SV(hear(&s), SV("+Principal/b 2\n"));
    end(&s);
}

static void a_file_that_does_not_parse_costs_only_itself(void)
{
    struct scene s = {0};

    begin(&s);
    write_manifest(&s, "a.yaml", PRINCIPAL("a", "{}"));
    write_manifest(&s, "b.yaml", PRINCIPAL("b", "{}"));
    (void)hear(&s);
    write_manifest(&s, "b.yaml", "kind: [unclosed");
    CHECK_SV(hear(&s), SV("-Principal/b\n"));
    CHECK(sv_contains(s.heard.failed, SV("b.yaml")));
    end(&s);
}

static void hidden_files_are_skipped(void)
{
    struct scene s = {0};

    begin(&s);
    write_manifest(&s, ".a.yaml", PRINCIPAL("a", "{}"));
    CHECK_SV(hear(&s), SV("synced\n"));
    end(&s);
}

static void a_secret_of_text_becomes_data(void)
{
    struct scene s = {0};

    begin(&s);
    write_manifest(&s, "s.yaml",
                   "apiVersion: v1\nkind: Secret\nmetadata: {name: k}\nstringData: {a: b}\n");
    CHECK_SV(hear(&s), SV("+Secret/k 0\nsynced\n"));
    CHECK_SV(json_get_str(json_get(s.heard.last, SV("data")), SV("a")), SV("Yg=="));
    end(&s);
}

static void what_vanished_with_our_finalizer_is_deleting_until_it_is_off(void)
{
    struct scene s = {0};
    struct err e = {0};

    begin(&s);
    write_manifest(&s, "a.yaml", PRINCIPAL("a", "{}"));
    (void)hear(&s);
    NEED_OK(s.backend->ops->put_finalizer(s.writer, s.heard.last, SV(FINALIZER), true, &e), &e);
    (void)hear(&s);
    file_remove(arena_printf(&s.arena, SV_FMT "/a.yaml", SV_ARG(s.options.resources_dir)));
    CHECK_SV(hear(&s), SV("+Principal/a deleting 1\n"));
    NEED_OK(s.backend->ops->put_finalizer(s.writer, s.heard.last, SV(FINALIZER), false, &e), &e);
    CHECK_SV(hear(&s), SV("-Principal/a\n"));
    end(&s);
}

static void a_restart_knows_uid_status_and_finalizer(void)
{
    struct scene s = {0};
    struct json *status;
    struct sv uid;
    struct err e = {0};

    begin(&s);
    write_manifest(&s, "a.yaml", PRINCIPAL("a", "{}"));
    (void)hear(&s);
    uid = json_get_str(json_get(s.heard.last, SV("metadata")), SV("uid"));
    status = json_new_object(&s.arena);
    json_set_str(status, &s.arena, SV("clientId"), SV("x"));
    NEED_OK(s.backend->ops->put_status(s.writer, s.heard.last, status, &e), &e);
    s.backend->ops->close(s.backend);
    open_backend(&s);
    CHECK_SV(hear(&s), SV("+Principal/a 1\nsynced\n"));
    CHECK_SV(json_get_str(json_get(s.heard.last, SV("metadata")), SV("uid")), uid);
    CHECK_SV(json_get_str(json_get(s.heard.last, SV("status")), SV("clientId")), SV("x"));
    end(&s);
}

static void a_secret_of_our_own_is_for_its_owner_alone(void)
{
    struct scene s = {0};
    struct tags data = {0};
    struct secret_now made, there;
    struct stat st = {0};
    struct err e = {0};

    begin(&s);
    vec_push(&data, &s.arena, ((struct tag){SV("kid"), SV("one")}));
    NEED_OK(s.backend->ops->own_secret(s.writer, SV("k"), &s.arena, &there, &e), &e);
    CHECK(!there.found);
    NEED_OK(s.backend->ops->make_secret(s.writer, SV("k"), &data, &s.arena, &made, &e), &e);
    NEED_OK(s.backend->ops->own_secret(s.writer, SV("k"), &s.arena, &there, &e), &e);
    NEED(made.data.n == 1 && there.data.n == 1);
    CHECK_SV(there.data.p[0].value, SV("one"));
    NEED(stat(arena_printf(&s.arena, SV_FMT "/secrets/Secret.frontdesk.k.yaml",
                           SV_ARG(s.options.state_dir))
                  .p,
              &st) == 0);
    CHECK_INT(st.st_mode & 0777, 0600);
    end(&s);
}

SUITE("control/folder", TEST(all_that_exists_is_told_and_then_synced),
      TEST(a_replaced_file_tells_what_changed_and_nothing_else),
      TEST(a_file_that_does_not_parse_costs_only_itself), TEST(hidden_files_are_skipped),
      TEST(a_secret_of_text_becomes_data),
      TEST(what_vanished_with_our_finalizer_is_deleting_until_it_is_off),
      TEST(a_restart_knows_uid_status_and_finalizer),
      TEST(a_secret_of_our_own_is_for_its_owner_alone))
