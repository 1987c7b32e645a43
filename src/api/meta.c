/* meta.c - what all our resources have in common. */
#include "api/meta.h"

#include <assert.h>
#include <stdarg.h>

#include "wire/time.h"

static const struct {
    struct sv name, plural;
} kinds[] = {
    [KIND_STORAGE_INTEGRATION] = {SV_INIT("StorageIntegration"), SV_INIT("storageintegrations")},
    [KIND_POLARIS_CATALOG] = {SV_INIT("PolarisCatalog"),     SV_INIT("polariscatalogs")    },
    [KIND_PRINCIPAL] = {SV_INIT("Principal"),          SV_INIT("principals")         },
    [KIND_PRINCIPAL_ROLE] = {SV_INIT("PrincipalRole"),      SV_INIT("principalroles")     },
    [KIND_CATALOG_ROLE] = {SV_INIT("CatalogRole"),        SV_INIT("catalogroles")       },
};
static_assert(sizeof(kinds) / sizeof(kinds[0]) == KIND_COUNT, "a row for each kind");

struct sv kind_name(enum kind k)
{
    return kinds[k].name;
}

struct sv kind_plural(enum kind k)
{
    return kinds[k].plural;
}

bool kind_read(struct sv name, enum kind *out)
{
    for (int k = 0; k < KIND_COUNT; k++) {
        if (sv_eq(kinds[k].name, name)) {
            *out = (enum kind)k;
            return true;
        }
    }
    return false;
}

static struct sv copy(const struct json *object, struct sv name, struct arena *a)
{
    return arena_dup(a, json_get_str(object, name));
}

bool meta_read(const struct json *object, struct arena *a, struct meta *out, struct err *e)
{
    const struct json *m = json_get(object, SV("metadata"));
    const struct json *finalizers = json_get(m, SV("finalizers"));
    struct err ignored = {0};
    struct meta t = {0};

    t.name = copy(m, SV("name"), a);
    if (!t.name.n)
        return err_set(e, ERR_INVALID, "metadata.name is missing");
    t.namespace_ = copy(m, SV("namespace"), a);
    if (!t.namespace_.n)
        t.namespace_ = SV("default");
    t.uid = copy(m, SV("uid"), a);
    t.resource_version = copy(m, SV("resourceVersion"), a);
    t.generation = json_i64(json_get(m, SV("generation")), 0);
    t.deleting = json_get(m, SV("deletionTimestamp")) != NULL;
    if (!time_read(json_get_str(m, SV("creationTimestamp")), &t.created_ms, &ignored))
        t.created_ms = 0;
    for (size_t i = 0; i < json_count(finalizers); i++)
        vec_push(&t.finalizers, a, arena_dup(a, json_str(json_at(finalizers, i), (struct sv){0})));
    t.annotations = json_copy(a, json_get(m, SV("annotations")));
    *out = t;
    return true;
}

int meta_cmp_age(const struct meta *x, const struct meta *y)
{
    if (x->created_ms != y->created_ms)
        return x->created_ms < y->created_ms ? -1 : 1;
    if (!sv_eq(x->uid, y->uid))
        return sv_cmp(x->uid, y->uid);
    if (!sv_eq(x->namespace_, y->namespace_))
        return sv_cmp(x->namespace_, y->namespace_);
    return sv_cmp(x->name, y->name);
}

struct sv meta_annotation(const struct meta *m, struct sv name)
{
    return json_get_str(m->annotations, name);
}

void complain(struct complaints *c, struct arena *a, const char *reason, struct sv field,
              const char *format, ...)
{
    struct complaint one = {.reason = sv_from(reason), .field = arena_dup(a, field)};
    va_list args;

    va_start(args, format);
    one.text = arena_vprintf(a, format, args);
    va_end(args);
    vec_push(c, a, one);
}

/* ---- conditions ---- */

static const char *const statuses[] = {"Unknown", "False", "True"};

static enum condition_status status_of(struct sv text)
{
    for (int s = CONDITION_FALSE; s <= CONDITION_TRUE; s++) {
        if (sv_eq(text, sv_from(statuses[s])))
            return (enum condition_status)s;
    }
    return CONDITION_UNKNOWN;
}

void conditions_read(const struct json *status, struct arena *a, struct conditions *out)
{
    const struct json *list = json_get(status, SV("conditions"));
    struct err ignored = {0};

    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *v = json_at(list, i);
        struct condition c = {.type = copy(v, SV("type"), a),
                              .status = status_of(json_get_str(v, SV("status"))),
                              .reason = copy(v, SV("reason"), a),
                              .message = copy(v, SV("message"), a)};

        c.observed_generation = json_i64(json_get(v, SV("observedGeneration")), 0);
        if (!time_read(json_get_str(v, SV("lastTransitionTime")), &c.transition_ms, &ignored))
            c.transition_ms = 0;
        vec_push(out, a, c);
    }
}

/* lastTransitionTime moves only when the status does. */
static int64_t transition(const struct condition *c, const struct conditions *was, int64_t now_ms)
{
    for (size_t i = 0; i < was->n; i++) {
        if (sv_eq(was->p[i].type, c->type) && was->p[i].status == c->status &&
            was->p[i].transition_ms)
            return was->p[i].transition_ms;
    }
    return now_ms;
}

struct json *conditions_write(const struct conditions *want, const struct conditions *was,
                              int64_t now_ms, struct arena *a)
{
    struct json *list = json_new_array(a);

    for (size_t i = 0; i < want->n; i++) {
        const struct condition *c = &want->p[i];
        struct json *v = json_new_object(a);

        json_set_str(v, a, SV("type"), c->type);
        json_set_str(v, a, SV("status"), sv_from(statuses[c->status]));
        json_set_str(v, a, SV("reason"), c->reason);
        json_set_str(v, a, SV("message"), c->message);
        json_set_i64(v, a, SV("observedGeneration"), c->observed_generation);
        json_set_str(v, a, SV("lastTransitionTime"),
                     time_text(a, transition(c, was, now_ms), TIME_SECONDS));
        json_push(list, v);
    }
    return list;
}
