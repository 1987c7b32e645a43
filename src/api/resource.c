/* resource.c - one of our kinds, from its JSON. */
#include "api/resource.h"

#include <assert.h>

#include "api/decode.h"

static const struct sv privileges[] = {
#define X(name) SV_INIT(#name),
    PRIVILEGES(X)
#undef X
};

struct sv privilege_name(enum privilege p)
{
    return privileges[p];
}

bool privilege_read(struct sv name, enum privilege *out)
{
    for (int p = 0; p < PRIVILEGE_COUNT; p++) {
        if (sv_eq(privileges[p], name)) {
            *out = (enum privilege)p;
            return true;
        }
    }
    return false;
}

static const struct kind_decoder *const decoders[] = {
    [KIND_STORAGE_INTEGRATION] = &decode_storage_integration,
    [KIND_POLARIS_CATALOG] = &decode_catalog,
    [KIND_PRINCIPAL] = &decode_principal,
    [KIND_PRINCIPAL_ROLE] = &decode_principal_role,
    [KIND_CATALOG_ROLE] = &decode_catalog_role,
};
static_assert(sizeof(decoders) / sizeof(decoders[0]) == KIND_COUNT, "a decoder for each kind");

/* Source: RFC 1123 as Kubernetes reads it: what a server would refuse anyway. */
static bool is_label(struct sv v)
{
    return v.n && sv_only(v, SV("abcdefghijklmnopqrstuvwxyz0123456789-")) && v.p[0] != '-' &&
           v.p[v.n - 1] != '-';
}

static bool has_only_labels(struct sv v)
{
    struct sv rest = v, label;
    bool ok = v.n > 0 && !sv_ends(v, SV("."));

    while (ok && sv_cut(&rest, '.', &label))
        ok = is_label(label);
    return ok;
}

static void blame_name(struct resource *r, struct arena *a, const char *field, struct sv name,
                       const char *must)
{
    complain(&r->complaints, a, "InvalidName", sv_from(field), "is \"" SV_FMT "\", must %s",
             SV_ARG(sv_first(name, 60)), must);
}

/* A namespace without dots is what makes NAMESPACE.NAME one name. */
static void check_name(struct resource *r, struct arena *a)
{
    const struct meta *m = &r->meta;

    if (m->name.n > 253 || !sv_only(m->name, SV("abcdefghijklmnopqrstuvwxyz0123456789.-")))
        blame_name(r, a, "metadata.name", m->name,
                   "be of a-z, 0-9, '-' and '.', at most 253 characters");
    else if (!has_only_labels(m->name))
        blame_name(r, a, "metadata.name", m->name,
                   "begin and end with a letter or a digit, and so must each part between dots");
    if (m->namespace_.n > 63 || !is_label(m->namespace_))
        blame_name(r, a, "metadata.namespace", m->namespace_,
                   "be of a-z, 0-9 and '-', at most 63 characters, and begin and end with a letter "
                   "or a digit");
}

bool resource_read(const struct json *object, struct arena *a, struct resource **out, struct err *e)
{
    struct sv kind = json_get_str(object, SV("kind"));
    struct sv version = json_get_str(object, SV("apiVersion"));
    struct resource *r = arena_new(a, struct resource);
    const struct kind_decoder *d;

    if (!sv_eq(version, SV(API_VERSION)) || !kind_read(kind, &r->kind))
        return err_set(e, ERR_INVALID,
                       "apiVersion \"" SV_FMT "\", kind \"" SV_FMT "\": not one of ours",
                       SV_ARG(sv_first(version, 60)), SV_ARG(sv_first(kind, 60)));
    if (!meta_read(object, a, &r->meta, e))
        return err_wrap(e, SV_FMT, SV_ARG(kind));
    d = decoders[r->kind];
    check_name(r, a);
    r->status = json_copy(a, json_get(object, SV("status")));
    decode_fields(json_get(object, SV("spec")), d->fields, d->n,
                  &(struct decoding){a, &r->complaints, SV("spec"), &r->storage_integration});
    if (d->finish)
        d->finish(r, a);
    *out = r;
    return true;
}

static const char *schema_type(enum field_type t)
{
    switch (t) {
    case FIELD_STR:
    case FIELD_ENUM:
        return "string";
    case FIELD_BOOL:
        return "boolean";
    case FIELD_INT:
        return "integer";
    case FIELD_STRINGS:
    case FIELD_OBJECTS:
    case FIELD_PRIVILEGES:
        return "array";
    case FIELD_MAP:
    case FIELD_JSON:
    case FIELD_OBJECT:
        break;
    }
    return "object";
}

static void visit_fields(const struct field *fields, size_t n, struct sv above, struct arena *a,
                         field_visitor *visit, void *context)
{
    for (size_t i = 0; i < n; i++) {
        const struct field *f = &fields[i];
        struct sv path = arena_printf(a, SV_FMT "%s%s", SV_ARG(above), above.n ? "." : "", f->path);
        struct sv item = arena_printf(a, SV_FMT "[]", SV_ARG(path));

        visit(path, schema_type(f->type), context);
        if (f->type == FIELD_STRINGS || f->type == FIELD_PRIVILEGES)
            visit(item, "string", context);
        if (f->type == FIELD_OBJECTS) {
            visit(item, "object", context);
            visit_fields(f->items, f->n_items, item, a, visit, context);
        }
    }
}

void resource_fields(enum kind k, field_visitor *visit, void *context)
{
    auto_arena a = {0};

    visit_fields(decoders[k]->fields, decoders[k]->n, (struct sv){0}, &a, visit, context);
}
