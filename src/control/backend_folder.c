/* backend_folder.c - resources in a folder of manifests; what a cluster would hold for us is in the
 * state folder. */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/map.h"
#include "control/backend.h"
#include "control/files.h"
#include "control/folder.h"
#include "net/mailbox.h"
#include "wire/base64.h"
#include "wire/time.h"

struct writer {
    struct folder_backend *backend;
};

static struct folder_backend *of(struct backend *b)
{
    return (struct folder_backend *)b;
}

/* ---- following ---- */

/* True: any file may have changed. A link that was swapped (..data) means all of them. */
static bool note_event(const struct folder_backend *f, const struct inotify_event *event,
                       struct arena *a, struct sv_vec *out)
{
    struct sv name = event->len ? sv_from(event->name) : (struct sv){0}, path;

    if ((event->mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_ISDIR)) ||
        sv_starts(name, SV("..")))
        return true;
    if (!file_is_manifest(name))
        return false;
    path = ARENA_JOIN(a, f->options->resources_dir, SV("/"), name);
    if (!sv_vec_has(out, path))
        vec_push(out, a, path);
    return false;
}

/* Names of files that changed; true: look at all of them. */
static bool changed_files(struct folder_backend *f, struct arena *a, struct sv_vec *out)
{
    char bytes[16384] __attribute__((aligned(8)));
    bool all = false;
    ssize_t n;

    while ((n = read(f->inotify, bytes, sizeof(bytes))) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *event = (const void *)(bytes + at);

            all |= note_event(f, event, a, out);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    return all;
}

static void read_changes(struct folder_backend *f)
{
    auto_arena a = {0};
    struct sv_vec files = {0};

    if (changed_files(f, &a, &files)) {
        folder_scan(f);
        return;
    }
    for (size_t i = 0; i < files.n; i++)
        folder_read(f, files.p[i]);
}

static void poll_events(struct backend *b, int timeout_ms)
{
    struct folder_backend *f = of(b);
    struct pollfd fds[2] = {
        {.fd = f->inotify, .events = POLLIN},
        {.fd = f->bell,    .events = POLLIN}
    };
    uint64_t rung;

    if (!f->scanned) {
        folder_scan(f);
        return;
    }
    if (poll(fds, 2, folder_due_ms(f, timeout_ms)) > 0) {
        if (fds[1].revents && read(f->bell, &rung, sizeof(rung)) < 0)
            return;
        mailbox_drain(&f->mailbox, f);
        if (fds[0].revents)
            read_changes(f);
    }
    folder_settle(f);
}

static void wake(struct backend *b)
{
    uint64_t one = 1;

    if (write(of(b)->bell, &one, sizeof(one)) < 0) {
        /* The counter is full: it is awake already. */
    }
}

static void ring(void *bell)
{
    wake(bell);
}

/* All of them are told. */
static bool keep_secrets(UNUSED struct backend *b, UNUSED const struct map *names)
{
    return true;
}

/* A folder has one reader. */
static bool may_write(UNUSED struct backend *b)
{
    return true;
}

static void close_backend(struct backend *b)
{
    struct folder_backend *f = of(b);

    mailbox_drain(&f->mailbox, f);
    (void)close(f->inotify);
    (void)close(f->bell);
    for (const struct map_entry *i = NULL; (i = map_next(&f->entries, i));) {
        struct entry *n = i->value;
        struct arena last = n->arena;

        arena_done(&last);
    }
    mailbox_done(&f->mailbox);
    faults_done(&f->faults);
    file_texts_done(f);
}

/* ---- writing ---- */

/* What a worker wrote, on its way to the control thread. */
enum { MAX_OBJECT_BYTES = 1 << 23 };

struct written {
    struct message message;
    struct arena arena; /* holds this */
    struct sv text;
};

/* Manifests stay as they are on disk: of what a worker writes, finalizers and status count. */
static void on_written(struct message *m, void *receiver)
{
    struct written *w = (struct written *)m;
    struct folder_backend *f = receiver;
    struct arena last = w->arena;
    auto_arena a = {.wipe = true};
    struct json *object;
    struct err e = {0};
    struct entry *known;

    if (json_read(w->text, &a, &object, &e)) {
        known = map_get(&f->entries, entry_key(object, &a));
        if (known && entry_is_ours(object)) {
            struct json *v = json_copy(&a, known->object), *from = json_get(object, SV("metadata"));

            json_set(v, SV("status"), json_get(object, SV("status")));
            json_set(json_get(v, SV("metadata")), SV("finalizers"),
                     json_get(from, SV("finalizers")));
            known = entry_put(f, v, known->file);
            if (entry_is_deleting(known) && !json_count(json_get(from, SV("finalizers"))))
                entry_lose(f, known);
            else
                entry_announce(f, known->object);
        } else if (!entry_is_ours(object)) {
            (void)entry_put(f, object, known ? known->file : (struct sv){0});
            entry_announce(f, object);
        }
    }
    arena_done(&last);
}

static bool store_object(struct writer *w, const struct json *object, struct err *e)
{
    struct arena own = {.wipe = true};
    struct written *message = arena_new(&own, struct written);
    struct buf text = buf_new(&own, MAX_OBJECT_BYTES);

    yaml_write(&text, object);
    if (!file_replace(entry_state_path(w->backend, entry_key(object, &own), &own), buf_sv(&text),
                      e)) {
        arena_done(&own);
        return false;
    }
    message->text = json_text(&own, object);
    message->message.deliver = on_written;
    message->arena = own;
    mailbox_post(&w->backend->mailbox, &message->message);
    return true;
}

#define OWN_NAMESPACE "frontdesk"

static struct sv own_namespace(UNUSED const struct backend *b)
{
    return SV(OWN_NAMESPACE);
}

static struct writer *open_writer(struct backend *b, struct arena *a)
{
    struct writer *w = arena_new(a, struct writer);

    w->backend = of(b);
    return w;
}

static bool put_status(struct writer *w, const struct json *object, const struct json *status,
                       struct err *e)
{
    auto_arena a = {0};
    struct json *v = json_copy(&a, object);

    json_set(v, SV("status"), json_copy(&a, status));
    return store_object(w, v, e);
}

static bool put_finalizer(struct writer *w, const struct json *object, struct sv finalizer,
                          bool present, struct err *e)
{
    auto_arena a = {0};
    struct json *v = json_copy(&a, object), *list = json_new_array(&a);

    if (present)
        json_push(list, json_new_str(&a, finalizer));
    json_set(json_get(v, SV("metadata")), SV("finalizers"), list);
    return store_object(w, v, e);
}

static bool put_secret(struct writer *w, const struct secret_want *want,
                       UNUSED const struct secret_now *now, struct err *e)
{
    auto_arena a = {.wipe = true};
    struct json *v = json_new_object(&a), *m = json_new_object(&a), *values = json_new_object(&a);

    json_set_str(v, &a, SV("apiVersion"), SV("v1"));
    json_set_str(v, &a, SV("kind"), SV("Secret"));
    json_set_str(m, &a, SV("namespace"), want->namespace_);
    json_set_str(m, &a, SV("name"), want->name);
    json_set(v, SV("metadata"), m);
    json_set_str(v, &a, SV("type"), SV("Opaque"));
    for (size_t i = 0; i < want->data->n; i++)
        json_set_str(values, &a, want->data->p[i].key, base64_encode(&a, want->data->p[i].value));
    json_set(v, SV("data"), values);
    return store_object(w, v, e);
}

static bool read_secret(struct writer *w, struct sv namespace_, struct sv name, struct arena *a,
                        struct secret_now *out, struct err *e)
{
    struct sv entry = ARENA_JOIN(a, SV("Secret/"), namespace_, SV("/"), name);
    struct sv path = entry_state_path(w->backend, entry, a);
    struct secret_now found = {.found = true, .ours = true}; /* nobody else writes there */
    struct yaml_docs docs = {0};

    *out = (struct secret_now){0};
    if (!manifest_exists(path))
        return true;
    if (!file_manifests(path, a, &docs, e))
        return false;
    if (docs.n && !secret_data(docs.p[0].root, a, &found.data, e))
        return err_wrap(e, SV_FMT, SV_ARG(path));
    if (docs.n)
        found.rotate_asked = secret_rotation_asked(docs.p[0].root);
    *out = found;
    return true;
}

static bool get_secret(struct writer *w, const struct json *owner, struct sv name, struct arena *a,
                       struct secret_now *out, struct err *e)
{
    struct sv ns = json_get_str(json_get(owner, SV("metadata")), SV("namespace"));

    return read_secret(w, ns, name, a, out, e);
}

static bool own_secret(struct writer *w, struct sv name, struct arena *a, struct secret_now *out,
                       struct err *e)
{
    return read_secret(w, SV(OWN_NAMESPACE), name, a, out, e);
}

static bool make_secret(struct writer *w, struct sv name, const struct tags *data, struct arena *a,
                        struct secret_now *out, struct err *e)
{
    const struct secret_want want = {SV(OWN_NAMESPACE), name, NULL, data};

    return put_secret(w, &want, NULL, e) && own_secret(w, name, a, out, e);
}

static void tell(UNUSED struct writer *w, UNUSED const struct json *object, UNUSED bool warning,
                 UNUSED const char *reason, UNUSED struct sv note)
{
}

static bool cluster_keys(UNUSED struct writer *w, UNUSED struct arena *a, struct sv *issuer,
                         struct sv *jwks, UNUSED struct err *e)
{
    *issuer = *jwks = (struct sv){0};
    return true;
}

static const struct backend_ops ops = {
    .way_out =
        "put its manifest back with spec.deletionPolicy: Retain and remove it again to let it "
        "go and leave at the store what is there",
    .keep_secrets = keep_secrets,
    .poll = poll_events,
    .wake = wake,
    .close = close_backend,
    .may_write = may_write,
    .open_writer = open_writer,
    .put_status = put_status,
    .put_finalizer = put_finalizer,
    .put_secret = put_secret,
    .get_secret = get_secret,
    .own_namespace = own_namespace,
    .own_secret_ms = 2000, /* the state folder is not followed */
    .own_secret = own_secret,
    .make_secret = make_secret,
    .tell = tell,
    .cluster_keys = cluster_keys,
};

bool backend_folder(const struct control_options *o, const struct backend_events *events,
                    struct arena *a, struct backend **out, struct err *e)
{
    struct folder_backend *f = arena_new(a, struct folder_backend);
    struct sv secrets = arena_printf(a, SV_FMT "/secrets", SV_ARG(o->state_dir));

    f->base.ops = &ops;
    f->base.world = o->world;
    f->arena = a;
    f->options = o;
    f->events = *events;
    f->entries = map_new(a);
    f->texts = map_new(a);
    if (!folder_make(o->state_dir, e) || !folder_make(secrets, e))
        return false;
    f->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    f->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    f->watch = -1;
    if (f->inotify < 0 || f->bell < 0 || !folder_follow(f, e))
        return err_set(e, ERR_INVALID, "folder " SV_FMT " cannot be followed: %s",
                       SV_ARG(o->resources_dir), strerrordesc_np(errno));
    mailbox_init(&f->mailbox, ring, f);
    folder_recall(f, o->state_dir);
    folder_recall(f, secrets);
    *out = &f->base;
    return true;
}
