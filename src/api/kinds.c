/* kinds.c - PolarisCatalog, Principal, PrincipalRole and CatalogRole. */
#include "api/decode.h"
#include "api/location.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- PolarisCatalog ---- */

static const char *const catalog_types[] = {"Internal", NULL};
#define AT(member) offsetof(struct polaris_catalog, member)
/* By hand: the formatter sets the members of such rows apart by hundreds of columns. */
/* clang-format off */
static const struct field catalog_fields[] = {
    {.path = "storageIntegrationRef.name", .type = FIELD_STR, .required = true,
     .offset = AT(storage_integration), .min = 1, .max = 253},
    {.path = "defaultBaseLocation", .type = FIELD_STR, .offset = AT(default_base_location),
     .min = 6, .max = 1024},
    {.path = "type", .type = FIELD_ENUM, .offset = AT(type), .words = catalog_types},
    {.path = "properties", .type = FIELD_MAP, .offset = AT(properties), .max = 100},
    {.path = "allowedNamespaces", .type = FIELD_STRINGS, .offset = AT(allowed_namespaces),
     .max = 100},
    {.path = "droppedTableRetentionSeconds", .type = FIELD_INT,
     .offset = AT(dropped_table_retention_seconds), .max = 31536000, .fallback = 604800},
};
/* clang-format on */
#undef AT

static void finish_catalog(struct resource *r, struct arena *a)
{
    struct sv *base = &r->catalog.default_base_location;
    struct location l;
    struct err e = {0};

    if (!base->n)
        return;
    if (location_read(*base, true, a, &l, &e))
        *base = location_text(&l, a);
    else
        complain(&r->complaints, a, "InvalidSpec", SV("spec.defaultBaseLocation"), "%s", e.msg);
}

const struct kind_decoder decode_catalog = {catalog_fields, COUNT(catalog_fields), finish_catalog};

/* ---- Principal ---- */

#define AT(member) offsetof(struct principal, member)
/* By hand: the formatter sets the members of such rows apart by hundreds of columns. */
/* clang-format off */
static const struct field principal_fields[] = {
    {.path = "clientCredentials", .type = FIELD_OBJECT, .offset = AT(has_client)},
    {.path = "clientCredentials.secretName", .type = FIELD_STR, .offset = AT(client_secret),
     .min = 1, .max = 253},
    {.path = "clientCredentials.rotationOverlapSeconds", .type = FIELD_INT,
     .offset = AT(rotation_overlap_seconds), .max = 604800, .fallback = 86400},
    {.path = "serviceAccount.name", .type = FIELD_STR, .required_within = true,
     .offset = AT(service_account.name), .min = 1, .max = 253},
    {.path = "serviceAccount.namespace", .type = FIELD_STR,
     .offset = AT(service_account.namespace_), .min = 1, .max = 63},
};
/* clang-format on */
#undef AT

static void finish_principal(struct resource *r, struct arena *a)
{
    struct principal *p = &r->principal;

    if (p->has_client == (p->service_account.name.n != 0))
        complain(&r->complaints, a, "InvalidSpec", SV("spec"),
                 "give exactly one of clientCredentials and serviceAccount");
    if (!p->client_secret.n)
        p->client_secret = arena_printf(a, SV_FMT "-credentials", SV_ARG(r->meta.name));
    if (!p->service_account.namespace_.n)
        p->service_account.namespace_ = r->meta.namespace_;
}

const struct kind_decoder decode_principal = {principal_fields, COUNT(principal_fields),
                                              finish_principal};

/* ---- PrincipalRole ---- */

#define REF(member) offsetof(struct ref, member)
/* By hand: the formatter sets the members of such rows apart by hundreds of columns. */
/* clang-format off */
static const struct field member_fields[] = {
    {.path = "kind", .type = FIELD_STR, .required = true, .offset = REF(kind), .min = 1, .max = 63},
    {.path = "name", .type = FIELD_STR, .required = true, .offset = REF(name), .min = 1,
     .max = 253},
    {.path = "namespace", .type = FIELD_STR, .offset = REF(namespace_), .min = 1, .max = 63},
};
/* clang-format on */
#undef REF

/* By hand: the formatter sets the members of such rows apart by hundreds of columns. */
/* clang-format off */
static const struct field principal_role_fields[] = {
    {.path = "members", .type = FIELD_OBJECTS, .offset = offsetof(struct principal_role, members),
     .items = member_fields, .n_items = COUNT(member_fields), .item_size = sizeof(struct ref)},
};
/* clang-format on */

static bool is_member_kind(struct sv kind, bool roles)
{
    return sv_eq(kind, SV("ServiceAccount")) || sv_eq(kind, SV("Principal")) ||
           (roles && sv_eq(kind, SV("PrincipalRole")));
}

static void check_member(struct resource *r, const struct ref *m, struct sv field, bool roles,
                         struct arena *a)
{
    if (m->kind.n && !is_member_kind(m->kind, roles))
        complain(&r->complaints, a, "InvalidSpec", arena_printf(a, SV_FMT ".kind", SV_ARG(field)),
                 "is \"" SV_FMT "\", must be %sPrincipal or ServiceAccount",
                 SV_ARG(sv_first(m->kind, 60)), roles ? "PrincipalRole, " : "");
    if (m->namespace_.n && !sv_eq(m->kind, SV("ServiceAccount")) &&
        !sv_eq(m->namespace_, r->meta.namespace_))
        complain(&r->complaints, a, "ReferenceDenied",
                 arena_printf(a, SV_FMT ".namespace", SV_ARG(field)),
                 "a " SV_FMT " must be in this namespace; leave it out", SV_ARG(m->kind));
}

/* Fills namespaces in and holds the kinds against those the field takes. */
static void check_members(struct resource *r, struct refs *members, const char *field, bool roles,
                          struct arena *a)
{
    for (size_t i = 0; i < members->n; i++) {
        struct ref *m = &members->p[i];

        check_member(r, m, arena_printf(a, "spec.%s[%zu]", field, i), roles, a);
        if (!m->namespace_.n)
            m->namespace_ = r->meta.namespace_;
    }
}

static void finish_principal_role(struct resource *r, struct arena *a)
{
    check_members(r, &r->principal_role.members, "members", false, a);
}

const struct kind_decoder decode_principal_role = {
    principal_role_fields, COUNT(principal_role_fields), finish_principal_role};

/* ---- CatalogRole ---- */

#define GRANT(member) offsetof(struct grant, member)
/* By hand: the formatter sets the members of such rows apart by hundreds of columns. */
/* clang-format off */
static const struct field grant_fields[] = {
    {.path = "privileges", .type = FIELD_PRIVILEGES, .required = true, .offset = GRANT(privileges),
     .min = 1, .max = 64},
    {.path = "namespaces", .type = FIELD_STRINGS, .offset = GRANT(namespaces), .max = 100},
    {.path = "tables", .type = FIELD_STRINGS, .offset = GRANT(tables), .max = 100},
    {.path = "views", .type = FIELD_STRINGS, .offset = GRANT(views), .max = 100},
};
/* clang-format on */
#undef GRANT

#define AT(member) offsetof(struct catalog_role, member)
/* By hand: the formatter sets the members of such rows apart by hundreds of columns. */
/* clang-format off */
static const struct field catalog_role_fields[] = {
    {.path = "catalogRef.name", .type = FIELD_STR, .required = true, .offset = AT(catalog.name),
     .min = 1, .max = 253},
    {.path = "catalogRef.namespace", .type = FIELD_STR, .offset = AT(catalog.namespace_), .min = 1,
     .max = 63},
    {.path = "principals", .type = FIELD_OBJECTS, .offset = AT(principals), .items = member_fields,
     .n_items = COUNT(member_fields), .item_size = sizeof(struct ref)},
    {.path = "grants", .type = FIELD_OBJECTS, .offset = AT(grants), .max = 200,
     .items = grant_fields, .n_items = COUNT(grant_fields), .item_size = sizeof(struct grant)},
    {.path = "maxCredentialTtlSeconds", .type = FIELD_INT,
     .offset = AT(max_credential_ttl_seconds), .min = 900, .max = 43200},
};
/* clang-format on */
#undef AT

/* '*' stands for a whole name or ends one; anywhere else it would promise more than we match. In
 * quotes it is a character like any other. */
static const char *check_stars(const struct name_levels *levels)
{
    for (size_t i = 0; i < levels->n; i++) {
        const struct name_level *l = &levels->p[i];
        struct sv before = i + 1 < levels->n ? l->text : sv_first(l->text, l->text.n - 1);

        if (!l->quoted && sv_has_char(before, '*'))
            return "* may only stand at the end";
    }
    return NULL;
}

bool grant_names(struct sv text, bool dotted, struct arena *a, struct name_levels *out,
                 struct err *e)
{
    const char *wrong;

    /* A table's name may hold dots, and then needs no quotes. */
    if (!dotted && !sv_starts(text, SV("\"")))
        vec_push(out, a, ((struct name_level){text, false}));
    else if (!names_parse(text, a, out, e))
        return false;
    wrong = !dotted && out->n > 1 ? "a quoted name must be closed at its end" : check_stars(out);
    return !wrong ||
           err_set(e, ERR_INVALID, "\"" SV_FMT "\": %s", SV_ARG(sv_first(text, 100)), wrong);
}

static void check_patterns(struct resource *r, const struct sv_vec *patterns, const char *field,
                           size_t grant, struct arena *a)
{
    bool dotted = sv_eq(sv_from(field), SV("namespaces"));

    for (size_t i = 0; i < patterns->n; i++) {
        struct name_levels ignored = {0};
        struct err e = {0};

        if (!grant_names(patterns->p[i], dotted, a, &ignored, &e))
            complain(&r->complaints, a, "InvalidSpec",
                     arena_printf(a, "spec.grants[%zu].%s[%zu]", grant, field, i), "%s", e.msg);
    }
}

static void finish_catalog_role(struct resource *r, struct arena *a)
{
    struct catalog_role *c = &r->catalog_role;

    if (!c->catalog.namespace_.n)
        c->catalog.namespace_ = r->meta.namespace_;
    check_members(r, &c->principals, "principals", true, a);
    for (size_t i = 0; i < c->grants.n; i++) {
        check_patterns(r, &c->grants.p[i].namespaces, "namespaces", i, a);
        check_patterns(r, &c->grants.p[i].tables, "tables", i, a);
        check_patterns(r, &c->grants.p[i].views, "views", i, a);
    }
}

const struct kind_decoder decode_catalog_role = {catalog_role_fields, COUNT(catalog_role_fields),
                                                 finish_catalog_role};
