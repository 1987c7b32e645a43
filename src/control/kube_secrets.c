/* kube_secrets.c - Secrets at a Kubernetes API server, read past every cache and written. */
#include "base/metric.h"
#include "control/kube_backend.h"
#include "wire/base64.h"

static struct json *data_json(const struct tags *data, struct arena *a)
{
    struct json *v = json_new_object(a);

    for (size_t i = 0; i < data->n; i++)
        json_set_str(v, a, data->p[i].key, base64_encode(a, data->p[i].value));
    return v;
}

static struct json *owner_json(const struct json *owner, struct arena *a)
{
    const struct json *m = json_get(owner, SV("metadata"));
    struct json *list = json_new_array(a), *v = json_new_object(a);

    json_set_str(v, a, SV("apiVersion"), SV(API_VERSION));
    json_set_str(v, a, SV("kind"), json_get_str(owner, SV("kind")));
    json_set_str(v, a, SV("name"), json_get_str(m, SV("name")));
    json_set_str(v, a, SV("uid"), json_get_str(m, SV("uid")));
    json_set_bool(v, a, SV("controller"), true);
    json_set_bool(v, a, SV("blockOwnerDeletion"), true);
    json_push(list, v);
    return list;
}

static struct json *secret_json(const struct secret_want *want, struct arena *a)
{
    struct json *v = kube_skeleton(a, SV("v1"), SV("Secret"), want->namespace_, want->name),
                *labels = json_new_object(a);

    json_set_str(labels, a, SV(MANAGED_BY_LABEL), SV("frontdesk"));
    json_set(json_get(v, SV("metadata")), SV("labels"), labels);
    if (want->owner)
        json_set(json_get(v, SV("metadata")), SV("ownerReferences"), owner_json(want->owner, a));
    json_set_str(v, a, SV("type"), SV("Opaque"));
    json_set(v, SV("data"), data_json(want->data, a));
    return v;
}

static bool create_secret(struct writer *w, struct sv namespace_, const struct json *secret,
                          struct arena *a, struct err *e)
{
    struct kube_name all = {{0}, namespace_, SV("secrets"), {0}, {0}};
    struct kube_request create = {
        .method = HTTP_POST, .path = kube_path(a, &all), .body = json_text(a, secret)};
    struct kube_reply reply;

    vec_push(&create.query, a, ((struct pair){SV("fieldManager"), SV(MANAGER)}));
    if (!kube_may_lead(w, e))
        return false;
    metric_add(METRIC_KUBE_WRITES, 1);
    return kube_call(w->client, &create, a, &reply, e);
}

/* What was not there is created, and never written over: an answer that said so may have been
 * wrong. */
bool kube_put_secret(struct writer *w, const struct secret_want *want, const struct secret_now *now,
                     struct err *e)
{
    auto_arena a = {.wipe = true};
    struct kube_name n = {{0}, want->namespace_, SV("secrets"), want->name, {0}};
    struct json *secret = secret_json(want, &a);
    struct kube_patch patch = {&n, SV(MANAGER), secret};
    struct kube_reply reply;

    if (!now->found)
        return create_secret(w, want->namespace_, secret, &a, e);
    json_set_str(json_get(secret, SV("metadata")), &a, SV("resourceVersion"), now->version);
    if (!kube_may_lead(w, e))
        return false;
    metric_add(METRIC_KUBE_WRITES, 1);
    return kube_apply(w->client, &patch, &a, &reply, e);
}

static bool is_owned_by(const struct json *secret, const struct json *owner)
{
    const struct json *owners = json_get(json_get(secret, SV("metadata")), SV("ownerReferences"));
    struct sv uid = json_get_str(json_get(owner, SV("metadata")), SV("uid"));

    for (size_t i = 0; i < json_count(owners); i++) {
        if (sv_eq(json_get_str(json_at(owners, i), SV("uid")), uid))
            return true;
    }
    return false;
}

/* An answer that is something else says nothing of the Secret. */
static bool is_secret(const struct json *body, struct sv name, struct err *e)
{
    const struct json *m = json_get(body, SV("metadata"));

    return (sv_eq(json_get_str(body, SV("kind")), SV("Secret")) &&
            sv_eq(json_get_str(m, SV("name")), name) && json_get_str(m, SV("resourceVersion")).n) ||
           err_set(e, ERR_UNAVAILABLE, "the API server's answer is not Secret " SV_FMT,
                   SV_ARG(name));
}

/* The Secret itself too, for whoever asks for more than its data; NULL: it is not there. */
static bool read_secret(struct writer *w, const struct kube_name *n, struct arena *a,
                        struct secret_now *out, const struct json **whole, struct err *e)
{
    struct kube_request get = {.method = HTTP_GET, .path = kube_path(a, n)};
    struct kube_reply reply = {0};
    struct secret_now found = {.found = true};

    *whole = NULL;
    if (!kube_call(w->client, &get, a, &reply, e)) {
        if (e->code != ERR_NOT_FOUND)
            return false;
        *e = (struct err){0};
        *out = (struct secret_now){0};
        return true;
    }
    if (!is_secret(reply.body, n->name, e) || !secret_data(reply.body, a, &found.data, e))
        return false;
    found.version = json_get_str(json_get(reply.body, SV("metadata")), SV("resourceVersion"));
    *whole = reply.body;
    *out = found;
    return true;
}

bool kube_get_secret(struct writer *w, const struct json *owner, struct sv name, struct arena *a,
                     struct secret_now *out, struct err *e)
{
    struct sv ns = json_get_str(json_get(owner, SV("metadata")), SV("namespace"));
    struct kube_name n = {{0}, ns, SV("secrets"), name, {0}};
    const struct json *whole;

    if (!read_secret(w, &n, a, out, &whole, e))
        return false;
    out->ours = whole && is_owned_by(whole, owner);
    return true;
}

struct sv kube_system_namespace(const struct kube_backend *k)
{
    return k->options->system_namespace.n ? k->options->system_namespace
                                          : kube_config_namespace(k->config);
}

bool kube_own_secret(struct writer *w, struct sv name, struct arena *a, struct secret_now *out,
                     struct err *e)
{
    struct kube_name n = {{0}, kube_system_namespace(w->backend), SV("secrets"), name, {0}};
    const struct json *whole;

    if (!read_secret(w, &n, a, out, &whole, e))
        return false;
    out->rotate_asked = secret_rotation_asked(whole);
    return true;
}

bool kube_make_secret(struct writer *w, struct sv name, const struct tags *data, struct arena *a,
                      struct secret_now *out, struct err *e)
{
    const struct secret_want want = {kube_system_namespace(w->backend), name, NULL, data};

    /* Another replica may be first: then its Secret is the one. */
    if (!create_secret(w, want.namespace_, secret_json(&want, a), a, e) && e->code != ERR_CONFLICT)
        return false;
    return kube_own_secret(w, name, a, out, e);
}
