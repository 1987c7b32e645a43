/* storage_integration.c - StorageIntegration: a bucket, its role, and how to get tokens for it. */
#include "api/decode.h"
#include "api/endpoint.h"
#include "api/location.h"
#include "api/policy_template.h"

#define AT(member) offsetof(struct storage_integration, member)

static const char *const storage_types[] = {"s3", "file", NULL};
static const char *const providers[] = {"aws", "ceph-rgw", "s3-compatible", NULL};
static const char *const managements[] = {"Managed", "Observed", "None", NULL};
static const char *const bucket_policies[] = {"None", "Managed", NULL};
static const char *const deletion_policies[] = {"Delete", "Retain", NULL};

/* An enum that was not given: its default depends on other fields. */
enum { UNSET = -1 };

/* By hand: the formatter sets the members of such rows apart by hundreds of columns. */
/* clang-format off */
static const struct field fields[] = {
    {.path = "storageType", .type = FIELD_ENUM, .required = true, .offset = AT(storage_word),
     .words = storage_types},
    {.path = "provider", .type = FIELD_ENUM, .offset = AT(provider_word), .words = providers,
     .fallback = UNSET},
    {.path = "bucket", .type = FIELD_STR, .required = true, .offset = AT(bucket), .min = 3,
     .max = 63},
    {.path = "region", .type = FIELD_STR, .offset = AT(region), .min = 1, .max = 64},
    {.path = "endpoint", .type = FIELD_STR, .offset = AT(endpoint), .min = 1, .max = 1024},
    {.path = "internalEndpoint", .type = FIELD_STR, .offset = AT(internal_endpoint), .min = 1,
     .max = 1024},
    {.path = "pathStyleAccess", .type = FIELD_BOOL, .offset = AT(path_style_access),
     .fallback = true},
    {.path = "stsEndpoint", .type = FIELD_STR, .offset = AT(sts_endpoint), .min = 1, .max = 1024},
    {.path = "stsRegion", .type = FIELD_STR, .offset = AT(sts_region), .min = 1, .max = 64},
    {.path = "roleArn", .type = FIELD_STR, .offset = AT(role_arn), .min = 20},
    {.path = "credentialsSecretRef.name", .type = FIELD_STR, .required_within = true,
     .offset = AT(credentials_secret), .min = 1, .max = 253},
    {.path = "adminCredentialsSecretRef.name", .type = FIELD_STR, .required_within = true,
     .offset = AT(admin_credentials_secret), .min = 1, .max = 253},
    {.path = "externalId", .type = FIELD_STR, .offset = AT(external_id), .min = 2, .max = 1224},
    {.path = "trustPolicy.principals", .type = FIELD_STRINGS, .offset = AT(trust_principals),
     .max = 50},
    {.path = "trustPolicy.organizationId", .type = FIELD_STR, .offset = AT(organization_id),
     .min = 12, .max = 34},
    {.path = "trustPolicy.conditions", .type = FIELD_JSON, .offset = AT(trust_conditions)},
    {.path = "management", .type = FIELD_ENUM, .offset = AT(management_word), .words = managements,
     .fallback = UNSET},
    {.path = "rolePath", .type = FIELD_STR, .offset = AT(role_path), .min = 1, .max = 512},
    {.path = "maxSessionDurationSeconds", .type = FIELD_INT, .offset = AT(max_session_seconds),
     .min = 3600, .max = 43200, .fallback = 3600},
    {.path = "tags", .type = FIELD_MAP, .offset = AT(tags), .max = 40},
    {.path = "credentialTtlSeconds", .type = FIELD_INT, .offset = AT(credential_ttl_seconds),
     .min = 900, .max = 43200, .fallback = 3600},
    {.path = "sessionName", .type = FIELD_STR, .offset = AT(session_name), .min = 1, .max = 256},
    {.path = "sessionTags.enabled", .type = FIELD_BOOL, .offset = AT(tag_sessions),
     .fallback = true},
    {.path = "sessionTags.transitive", .type = FIELD_BOOL, .offset = AT(transitive_tags)},
    {.path = "sessionTags.traceId", .type = FIELD_BOOL, .offset = AT(trace_tag)},
    {.path = "policyTemplates.read", .type = FIELD_STR, .offset = AT(policy_template_read)},
    {.path = "policyTemplates.write", .type = FIELD_STR, .offset = AT(policy_template_write)},
    {.path = "kmsKeyArns", .type = FIELD_STRINGS, .offset = AT(kms_key_arns), .max = 10},
    {.path = "allowedLocations", .type = FIELD_STRINGS, .offset = AT(allowed_locations), .min = 1,
     .max = 50},
    {.path = "bucketPolicy", .type = FIELD_ENUM, .offset = AT(bucket_policy_word),
     .words = bucket_policies},
    {.path = "deletionPolicy", .type = FIELD_ENUM, .offset = AT(deletion_word),
     .words = deletion_policies},
    {.path = "suspend", .type = FIELD_BOOL, .offset = AT(suspend)},
};
/* clang-format on */

static void check_url(struct resource *r, struct arena *a, const char *field, struct sv url)
{
    if (url.n && !endpoint_is_valid(url))
        complain(&r->complaints, a, "InvalidSpec", sv_from(field),
                 "is \"" SV_FMT "\", must be http://HOST[:PORT] or https://HOST[:PORT], without a "
                 "path",
                 SV_ARG(sv_first(url, 100)));
}

static void check_region(struct resource *r, struct arena *a, const char *field, struct sv region)
{
    if (region.n && !region_is_valid(region))
        complain(&r->complaints, a, "InvalidSpec", sv_from(field),
                 "is \"" SV_FMT "\", must be of letters, digits, '-' and '_', neither of these at "
                 "an end, such as eu-west-1",
                 SV_ARG(sv_first(region, 64)));
}

/* Where it lies; false and a complaint when that may not be. */
static bool read_location(struct resource *r, struct arena *a, size_t i, struct location *out)
{
    const struct storage_integration *w = &r->storage_integration;
    struct sv text = w->allowed_locations.p[i];
    struct sv field = arena_printf(a, "spec.allowedLocations[%zu]", i);
    bool file = w->storage_type == STORAGE_FILE;
    struct err e = {0};

    if (!location_read(text, true, a, out, &e)) {
        complain(&r->complaints, a, "InvalidSpec", field, "%s", e.msg);
        return false;
    }
    if (file ? !out->bucket.n : !w->bucket.n || sv_eq(out->bucket, w->bucket))
        return true;
    complain(&r->complaints, a, "LocationOutside", field,
             "\"" SV_FMT "\" is not in the bucket " SV_FMT "; start it with s3://" SV_FMT "/",
             SV_ARG(sv_first(text, 100)), SV_ARG(w->bucket), SV_ARG(w->bucket));
    return false;
}

static void check_locations(struct resource *r, struct arena *a)
{
    struct storage_integration *w = &r->storage_integration;
    struct sv_vec normal = {0};
    struct location l = {0};

    for (size_t i = 0; i < w->allowed_locations.n; i++) {
        if (read_location(r, a, i, &l))
            vec_push(&normal, a, location_text(&l, a));
    }
    if (w->allowed_locations.n == 0 && w->storage_type == STORAGE_S3)
        vec_push(&normal, a, arena_printf(a, "s3://" SV_FMT "/", SV_ARG(w->bucket)));
    w->allowed_locations = normal;
}

static void check_session_name(struct resource *r, struct arena *a, struct sv template_)
{
    static const struct sv words[] = {SV_INIT("{principal}"), SV_INIT("{table}"),
                                      SV_INIT("{namespace}"), SV_INIT("{catalog}"),
                                      SV_INIT("{request}")};
    struct sv rest = template_;

    while (rest.n) {
        size_t step = sv_has_char(SV("{}"), rest.p[0]) ? 0 : 1;

        for (size_t i = 0; !step && i < sizeof(words) / sizeof(words[0]); i++)
            step = sv_starts(rest, words[i]) ? words[i].n : 0;
        if (!step) {
            complain(&r->complaints, a, "InvalidSpec", SV("spec.sessionName"),
                     "is \"" SV_FMT
                     "\": only {principal} {table} {namespace} {catalog} {request} are known",
                     SV_ARG(sv_first(template_, 60)));
            return;
        }
        rest = sv_skip(rest, step);
    }
}

static enum storage_provider default_provider(const struct storage_integration *w)
{
    if (w->storage_type == STORAGE_FILE)
        return PROVIDER_FILE;
    return w->endpoint.n ? PROVIDER_S3_COMPATIBLE : PROVIDER_AWS;
}

static bool has_roles(const struct storage_integration *w)
{
    return w->provider == PROVIDER_AWS || w->provider == PROVIDER_CEPH_RGW;
}

static void set_defaults(struct storage_integration *w)
{
    w->storage_type = (enum storage_type)w->storage_word;
    w->provider =
        w->provider_word == UNSET ? default_provider(w) : (enum storage_provider)w->provider_word;
    if (w->management_word == UNSET)
        w->management_word = has_roles(w) ? MANAGEMENT_MANAGED : MANAGEMENT_NONE;
    w->management = (enum management)w->management_word;
    w->manage_bucket_policy = w->bucket_policy_word != 0;
    w->deletion_policy = (enum deletion_policy)w->deletion_word;
    /* Other stores take tags and forget them. */
    w->tag_sessions = w->tag_sessions && w->provider == PROVIDER_AWS;
    if (!w->region.n)
        w->region = SV("us-east-1");
    if (!w->role_path.n)
        w->role_path = SV("/");
    if (!w->session_name.n)
        w->session_name = SV("{principal}.{table}.{request}");
    if (!w->internal_endpoint.n)
        w->internal_endpoint = w->endpoint;
    /* AWS names the bucket in the host; without an endpoint of one's own there is nothing to
     * choose. */
    if (!w->endpoint.n)
        w->path_style_access = false;
}

static void blame(struct resource *r, struct arena *a, const char *field, const char *what)
{
    complain(&r->complaints, a, "InvalidSpec", sv_from(field), "%s", what);
}

static bool is_blamed(const struct resource *r, struct sv field)
{
    for (size_t i = 0; i < r->complaints.n; i++) {
        if (sv_eq(r->complaints.p[i].field, field))
            return true;
    }
    return false;
}

/* "arn:aws-cn:iam::123456789012:role/path/NAME", "arn:aws:iam:::role/NAME". */
static bool is_role_arn(struct sv arn)
{
    struct sv part[5] = {0};

    for (int i = 0; i < 5; i++)
        (void)sv_cut(&arn, ':', &part[i]);
    return sv_eq(part[0], SV("arn")) && sv_starts(part[1], SV("aws")) &&
           sv_eq(part[2], SV("iam")) && !part[3].n && sv_starts(arn, SV("role/")) &&
           !sv_ends(arn, SV("/"));
}

static void check_names(struct resource *r, struct arena *a)
{
    const struct storage_integration *w = &r->storage_integration;
    struct location whole = {0};
    struct err ignored = {0};

    if (w->bucket.n && !location_read(arena_printf(a, "s3://" SV_FMT, SV_ARG(w->bucket)), false, a,
                                      &whole, &ignored))
        complain(&r->complaints, a, "InvalidSpec", SV("spec.bucket"),
                 "is \"" SV_FMT "\", must be of a-z, 0-9, '.' and '-'", SV_ARG(w->bucket));
    if (w->role_arn.n && !is_role_arn(w->role_arn))
        complain(&r->complaints, a, "InvalidSpec", SV("spec.roleArn"),
                 "is \"" SV_FMT "\", must be arn:aws:iam::ACCOUNT:role/NAME",
                 SV_ARG(sv_first(w->role_arn, 100)));
    if (!sv_starts(w->role_path, SV("/")) || !sv_ends(w->role_path, SV("/")))
        complain(&r->complaints, a, "InvalidSpec", SV("spec.rolePath"),
                 "is \"" SV_FMT "\", must start and end with /",
                 SV_ARG(sv_first(w->role_path, 60)));
}

/* Our own marks say whose a role is; a store that is given one key twice keeps the last. */
static void check_tag(struct resource *r, size_t i, struct arena *a)
{
    const struct tags *t = &r->storage_integration.tags;
    const struct sv ours = SV(API_GROUP "/"), key = t->p[i].key;
    struct sv field = arena_printf(a, "spec.tags." SV_FMT, SV_ARG(sv_first(key, 100)));

    if (sv_eq_nocase(sv_first(key, ours.n), ours))
        complain(&r->complaints, a, "InvalidSpec", field,
                 "must not begin with " API_GROUP "/, which marks what frontdesk made; name "
                 "it otherwise");
    for (size_t j = 0; j < i; j++) {
        if (sv_eq_nocase(key, t->p[j].key))
            complain(&r->complaints, a, "InvalidSpec", field,
                     "is " SV_FMT " in other letters, and one tag to AWS; keep one of them",
                     SV_ARG(sv_first(t->p[j].key, 100)));
    }
}

static void check_tags(struct resource *r, struct arena *a)
{
    for (size_t i = 0; i < r->storage_integration.tags.n; i++)
        check_tag(r, i, a);
}

static void check_organization(struct resource *r, struct arena *a)
{
    struct sv id = r->storage_integration.organization_id;

    if (id.n && (!sv_starts(id, SV("o-")) ||
                 !sv_only(sv_skip(id, 2), SV("abcdefghijklmnopqrstuvwxyz0123456789"))))
        blame(r, a, "spec.trustPolicy.organizationId",
              arena_printf(a, "is \"" SV_FMT "\", must be like o-a1b2c3d4e5", SV_ARG(id)).p);
}

/* "arn:aws:kms:us-east-1:123456789012:key/1234abcd-...": an alias means nothing in a policy. */
static void check_keys(struct resource *r, struct arena *a)
{
    const struct storage_integration *w = &r->storage_integration;

    for (size_t i = 0; i < w->kms_key_arns.n; i++) {
        struct sv rest = w->kms_key_arns.p[i], part[5] = {0};

        for (int j = 0; j < 5; j++)
            (void)sv_cut(&rest, ':', &part[j]);
        if (!sv_eq(part[0], SV("arn")) || !sv_starts(part[1], SV("aws")) ||
            !sv_eq(part[2], SV("kms")) || !part[3].n || !part[4].n ||
            !sv_starts(rest, SV("key/")) || rest.n == sizeof("key/") - 1 ||
            sv_has_char(rest, '*') || sv_has_char(rest, '?'))
            complain(&r->complaints, a, "InvalidSpec", arena_printf(a, "spec.kmsKeyArns[%zu]", i),
                     "is \"" SV_FMT "\", must be arn:aws:kms:REGION:ACCOUNT:key/ID of one key; no "
                     "alias, no wildcard",
                     SV_ARG(sv_first(w->kms_key_arns.p[i], 150)));
    }
}

/* What only AWS knows; elsewhere it would be ignored in silence, or deny everything. */
static void check_only_aws(struct resource *r, struct arena *a)
{
    const struct storage_integration *w = &r->storage_integration;

    if (w->provider == PROVIDER_AWS)
        return;
    if (w->kms_key_arns.n)
        blame(r, a, "spec.kmsKeyArns", "only AWS grants its keys so; take it out");
    if (w->organization_id.n)
        blame(r, a, "spec.trustPolicy.organizationId",
              "only AWS knows organizations: elsewhere the condition denies always; take it out");
}

/* A folder has no address, no role and no keys. */
static void check_file(struct resource *r, struct arena *a)
{
    const struct storage_integration *w = &r->storage_integration;
    const struct {
        const char *field;
        bool given;
    } senseless[] = {
        {"spec.provider",                  w->provider_word != UNSET                             },
        {"spec.endpoint",                  w->endpoint.n > 0                                     },
        {"spec.internalEndpoint",          w->internal_endpoint.n > 0                            },
        {"spec.stsEndpoint",               w->sts_endpoint.n > 0                                 },
        {"spec.roleArn",                   w->role_arn.n > 0                                     },
        {"spec.management",                w->management != MANAGEMENT_NONE                      },
        {"spec.credentialsSecretRef",      w->credentials_secret.n > 0                           },
        {"spec.adminCredentialsSecretRef", w->admin_credentials_secret.n > 0                     },
        {"spec.bucketPolicy",              w->manage_bucket_policy                               },
        {"spec.policyTemplates",           w->policy_template_read.n + w->policy_template_write.n},
    };

    for (size_t i = 0; i < sizeof(senseless) / sizeof(senseless[0]); i++) {
        if (senseless[i].given)
            blame(r, a, senseless[i].field, "has no meaning for storageType file; take it out");
    }
}

static void check_together(struct resource *r, struct arena *a)
{
    struct storage_integration *w = &r->storage_integration;

    if (w->storage_type == STORAGE_FILE) {
        check_file(r, a);
        return;
    }
    if (w->provider != PROVIDER_AWS && !w->endpoint.n)
        complain(&r->complaints, a, "InvalidSpec", SV("spec.endpoint"),
                 "is required for this provider");
    if (w->provider == PROVIDER_S3_COMPATIBLE && w->management != MANAGEMENT_NONE)
        complain(&r->complaints, a, "InvalidSpec", SV("spec.management"),
                 "s3-compatible stores have no role management; set None");
    if (w->provider == PROVIDER_S3_COMPATIBLE && w->manage_bucket_policy)
        complain(&r->complaints, a, "InvalidSpec", SV("spec.bucketPolicy"),
                 "s3-compatible stores have no roles to write it for; set None");
    if (w->management != MANAGEMENT_MANAGED && w->provider != PROVIDER_S3_COMPATIBLE &&
        !w->role_arn.n)
        complain(&r->complaints, a, "InvalidSpec", SV("spec.roleArn"),
                 "is required where the role is not managed");
    if (w->management == MANAGEMENT_MANAGED && w->credential_ttl_seconds > w->max_session_seconds)
        complain(&r->complaints, a, "InvalidSpec", SV("spec.credentialTtlSeconds"),
                 "is longer than maxSessionDurationSeconds (%d); raise that or lower this",
                 w->max_session_seconds);
}

static void finish(struct resource *r, struct arena *a)
{
    struct storage_integration *w = &r->storage_integration;

    check_url(r, a, "spec.endpoint", w->endpoint);
    check_url(r, a, "spec.internalEndpoint", w->internal_endpoint);
    check_url(r, a, "spec.stsEndpoint", w->sts_endpoint);
    check_region(r, a, "spec.region", w->region);
    check_region(r, a, "spec.stsRegion", w->sts_region);
    set_defaults(w);
    check_names(r, a);
    check_locations(r, a);
    policy_template_check(w->policy_template_read, w->bucket, SV("spec.policyTemplates.read"), a,
                          &r->complaints);
    policy_template_check(w->policy_template_write, w->bucket, SV("spec.policyTemplates.write"), a,
                          &r->complaints);
    check_session_name(r, a, w->session_name);
    check_tags(r, a);
    check_organization(r, a);
    check_keys(r, a);
    /* What does not suit a provider nobody named would only lead astray. */
    if (!is_blamed(r, SV("spec.provider"))) {
        check_only_aws(r, a);
        check_together(r, a);
    }
}

const struct kind_decoder decode_storage_integration = {fields, sizeof(fields) / sizeof(fields[0]),
                                                        finish};
