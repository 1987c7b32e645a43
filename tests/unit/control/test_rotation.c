/* test_rotation.c - a client's credentials: made once, rotated once for each time it is asked. */
#include <stdlib.h>
#include <unistd.h>

#include "control/files.h"
#include "control/job.h"
#include "unit/suite.h"

/* The state folder of one principal, and the passes over it. */
struct scene {
    struct arena arena;
    struct control_options options;
    struct worker worker;
};

static void on_applied(void *context, const struct json *v)
{
    (void)context;
    (void)v;
}

static void begin(struct scene *s)
{
    static const struct backend_events events = {.applied = on_applied};
    char folder[] = "/tmp/frontdesk-test-XXXXXX";
    struct err e = {0};

    NEED(mkdtemp(folder) != NULL);
    s->options.world = &world_os;
    s->options.resources_dir = arena_printf(&s->arena, "%s/resources", folder);
    s->options.state_dir = arena_printf(&s->arena, "%s/state", folder);
    NEED_OK(folder_make(s->options.resources_dir, &e), &e);
    NEED_OK(backend_folder(&s->options, &events, &s->arena, &s->worker.backend, &e), &e);
    s->worker.ops = s->worker.backend->ops;
    s->worker.writer = s->worker.ops->open_writer(s->worker.backend, &s->arena);
    s->worker.world = &world_os;
}

static void clear(struct scene *s, struct sv folder)
{
    struct sv_vec files = {0}, folders = {0};
    struct err ignored = {0};

    (void)file_list(folder, &s->arena, &files, &folders, &ignored);
    for (size_t i = 0; i < files.n; i++)
        file_remove(files.p[i]);
    (void)rmdir(arena_cstr(&s->arena, folder));
}

static void end(struct scene *s)
{
    struct sv state = s->options.state_dir;

    s->worker.ops->close(s->worker.backend);
    clear(s, s->options.resources_dir);
    clear(s, arena_printf(&s->arena, SV_FMT "/secrets", SV_ARG(state)));
    clear(s, state);
    clear(s, sv_first(state, (size_t)sv_rfind(state, '/')));
    arena_done(&s->arena);
}

/* One pass that has seen neither the Secret nor the status that passes before it wrote. */
static void pass(struct scene *s, const char *rotate)
{
    struct job j = {0};
    struct err e = {0};
    struct sv text = arena_printf(
        &j.arena,
        "{\"apiVersion\":\"polaris.apache.org/v1\",\"kind\":\"Principal\",\"metadata\":"
        "{\"namespace\":\"n\",\"name\":\"etl\",\"uid\":\"u\",\"generation\":1,"
        "\"annotations\":{\"polaris.apache.org/rotate-requested-at\":\"%s\"}},"
        "\"spec\":{\"clientCredentials\":{\"secretName\":\"keys\"}}}",
        rotate);

    NEED_OK(json_read(text, &j.arena, &j.object, &e), &e);
    NEED_OK(resource_read(j.object, &j.arena, &j.resource, &e), &e);
    CHECK(reconcile_principal(&s->worker, &j, &e));
    arena_done(&j.arena);
}

/* The raw value of a member of the Secret. */
static struct sv kept(struct scene *s, const char *name)
{
    struct json *owner = json_new_object(&s->arena), *meta = json_new_object(&s->arena);
    struct secret_now now = {0};
    struct job_secret view = {0};
    struct err e = {0};

    json_set_str(meta, &s->arena, SV("namespace"), SV("n"));
    json_set(owner, SV("metadata"), meta);
    CHECK(s->worker.ops->get_secret(s->worker.writer, owner, SV("keys"), &s->arena, &now, &e));
    view.data = now.data;
    return secret_value(&view, name, NULL);
}

static void credentials_are_made_once_though_the_secret_is_not_yet_seen(void)
{
    struct scene s = {0};
    struct sv first;

    begin(&s);
    pass(&s, "");
    first = kept(&s, "client-secret");
    pass(&s, "");
    CHECK(first.n > 0);
    CHECK_SV(kept(&s, "client-secret"), first);
    end(&s);
}

static void one_request_rotates_once_though_nothing_of_it_is_yet_seen(void)
{
    struct scene s = {0};
    struct sv first, second;

    begin(&s);
    pass(&s, "");
    first = kept(&s, "client-secret");
    pass(&s, "monday");
    second = kept(&s, "client-secret");
    pass(&s, "monday");
    CHECK(!sv_eq(first, second));
    CHECK_SV(kept(&s, "client-secret"), second);
    CHECK_SV(kept(&s, "previous-client-secret"), first);
    end(&s);
}

static void the_next_request_rotates_again_and_keeps_the_id(void)
{
    struct scene s = {0};
    struct sv id, first;

    begin(&s);
    pass(&s, "monday");
    id = kept(&s, "client-id");
    first = kept(&s, "client-secret");
    pass(&s, "tuesday");
    CHECK_SV(kept(&s, "client-id"), id);
    CHECK_SV(kept(&s, "previous-client-secret"), first);
    end(&s);
}

SUITE("control/rotation", TEST(credentials_are_made_once_though_the_secret_is_not_yet_seen),
      TEST(one_request_rotates_once_though_nothing_of_it_is_yet_seen),
      TEST(the_next_request_rotates_again_and_keeps_the_id))
