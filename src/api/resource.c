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
static void check_name(struct resource *r, struct arena *a)
{
    struct sv name = r->meta.name;

    if (name.n <= 253 && sv_only(name, SV("abcdefghijklmnopqrstuvwxyz0123456789.-")) &&
        !sv_has_char(SV(".-"), name.p[0]) && !sv_has_char(SV(".-"), name.p[name.n - 1]))
        return;
    complain(&r->complaints, a, "InvalidName", SV("metadata.name"),
             "is \"" SV_FMT "\", must be of a-z, 0-9, '-' and '.', at most 253 characters",
             SV_ARG(sv_first(name, 60)));
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
