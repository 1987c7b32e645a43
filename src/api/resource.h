/*
 * resource.h - our five kinds as C structs. One decoder table per kind says which fields exist, of
 * which type, with which default; tests hold the tables against the schemas in crds/, both ways.
 */
#ifndef API_RESOURCE_H
#define API_RESOURCE_H

#include "api/meta.h"
#include "wire/names.h"

enum storage_type { STORAGE_S3, STORAGE_FILE };
enum storage_provider {
    PROVIDER_AWS,
    PROVIDER_CEPH_RGW,
    PROVIDER_S3_COMPATIBLE,
    PROVIDER_FILE, /* of storageType file; not to be asked for by name */
    PROVIDER_COUNT
};
enum management { MANAGEMENT_MANAGED, MANAGEMENT_OBSERVED, MANAGEMENT_NONE };
enum deletion_policy { DELETION_DELETE, DELETION_RETAIN };

struct tag {
    struct sv key, value;
};
struct tags VEC(struct tag);

struct storage_integration {
    enum storage_provider provider; /* spec.provider; its default is computed */
    enum storage_type storage_type;
    int storage_word, provider_word, management_word, deletion_word; /* as read; use the enums */
    struct sv bucket, region;              /* region: "us-east-1" when absent */
    struct sv endpoint, internal_endpoint; /* URLs; empty: the provider's. internal: endpoint */
    bool path_style_access;                /* default: true with an endpoint, else false */
    struct sv sts_endpoint, sts_region;
    struct sv role_arn; /* empty: made from namespace and name where we manage the role */
    struct sv credentials_secret, admin_credentials_secret; /* Secret names in the same namespace */
    struct sv external_id;
    struct sv_vec trust_principals; /* ARNs */
    struct sv organization_id;      /* of AWS Organizations; empty: anybody's */
    struct sv_vec kms_key_arns;     /* AWS only */
    struct json *trust_conditions;  /* operator -> key -> values, or NULL */
    enum management management;
    struct sv role_path; /* "/" when absent */
    int max_session_seconds;
    struct tags tags;
    int credential_ttl_seconds;
    bool tag_sessions, transitive_tags, trace_tag; /* spec.sessionTags; AWS only */
    struct sv session_name; /* template: {principal} {table} {namespace} {catalog} {request} */
    struct sv policy_template_read, policy_template_write; /* empty: ours */
    struct sv_vec allowed_locations; /* "s3://bucket/prefix/", normalised: closing '/', no '*';
                                        of storageType file none: the whole folder */
    enum deletion_policy deletion_policy;
    int bucket_policy_word; /* as read; use the bool */
    bool manage_bucket_policy;
    bool suspend;
};

struct polaris_catalog {
    int type;                        /* Internal is the only one */
    struct sv storage_integration;   /* name in the same namespace */
    struct sv default_base_location; /* normalised as above; empty: the first allowed location */
    struct tags properties;
    struct sv_vec allowed_namespaces; /* whose CatalogRoles may refer to it; "*" is all */
    int dropped_table_retention_seconds;
};

struct principal {
    bool has_client;         /* spec.clientCredentials: we generate an id and a secret */
    struct sv client_secret; /* name of the Secret we own; default "<name>-credentials" */
    int rotation_overlap_seconds;
    struct ref service_account; /* or spec.serviceAccount; name empty when absent */
};

struct principal_role {
    struct refs members; /* kinds Principal, ServiceAccount */
};

/* Bits of a privilege set. Names are Polaris's; those that are carried together stand together. */
#define PRIVILEGES(X)               \
    X(CATALOG_MANAGE_CONTENT)       \
    X(NAMESPACE_LIST)               \
    X(NAMESPACE_CREATE)             \
    X(NAMESPACE_DROP)               \
    X(NAMESPACE_READ_PROPERTIES)    \
    X(NAMESPACE_WRITE_PROPERTIES)   \
    X(NAMESPACE_FULL_METADATA)      \
    X(TABLE_LIST)                   \
    X(TABLE_CREATE)                 \
    X(TABLE_DROP)                   \
    X(TABLE_READ_PROPERTIES)        \
    X(TABLE_WRITE_PROPERTIES)       \
    X(TABLE_FULL_METADATA)          \
    X(TABLE_READ_DATA)              \
    X(TABLE_WRITE_DATA)             \
    X(TABLE_DELETE_DATA)            \
    X(TABLE_MANAGE_STRUCTURE)       \
    X(TABLE_ASSIGN_UUID)            \
    X(TABLE_UPGRADE_FORMAT_VERSION) \
    X(TABLE_ADD_SCHEMA)             \
    X(TABLE_SET_CURRENT_SCHEMA)     \
    X(TABLE_ADD_PARTITION_SPEC)     \
    X(TABLE_REMOVE_PARTITION_SPECS) \
    X(TABLE_ADD_SORT_ORDER)         \
    X(TABLE_SET_DEFAULT_SORT_ORDER) \
    X(TABLE_SET_PROPERTIES)         \
    X(TABLE_REMOVE_PROPERTIES)      \
    X(TABLE_SET_LOCATION)           \
    X(TABLE_ADD_SNAPSHOT)           \
    X(TABLE_SET_SNAPSHOT_REF)       \
    X(TABLE_REMOVE_SNAPSHOTS)       \
    X(TABLE_REMOVE_SNAPSHOT_REF)    \
    X(TABLE_SET_STATISTICS)         \
    X(TABLE_REMOVE_STATISTICS)      \
    X(VIEW_LIST)                    \
    X(VIEW_CREATE)                  \
    X(VIEW_DROP)                    \
    X(VIEW_READ_PROPERTIES)         \
    X(VIEW_WRITE_PROPERTIES)        \
    X(VIEW_FULL_METADATA)
enum privilege {
#define X(name) PRIVILEGE_##name,
    PRIVILEGES(X)
#undef X
        PRIVILEGE_COUNT
};
typedef uint64_t privilege_set;
#define PRIVILEGE_BIT(p) ((privilege_set)1 << (p))
struct sv privilege_name(enum privilege p);
MUST_CHECK bool privilege_read(struct sv name, enum privilege *out);

/* Names with '*' as a whole name or a trailing part. A namespace is dotted: "sales.eu"; a level
 * that holds a dot, and a name whose '*' is meant, stands in double quotes: "lake.\"eu.west\"". */
struct grant {
    privilege_set privileges;
    struct sv_vec namespaces; /* empty: all. A namespace covers what is below it */
    /* Both empty: all tables and views of those namespaces, and the namespaces themselves. One of
     * them: nothing of the other. */
    struct sv_vec tables, views;
};
struct grants VEC(struct grant);
/* The levels of a namespace of a grant (`dotted`), or the name of a table or view as the one level.
 * A '*' at the end of the last, outside of quotes, stands for all that begin so. ERR_INVALID. */
MUST_CHECK bool grant_names(struct sv text, bool dotted, struct arena *a, struct name_levels *out,
                            struct err *e);

struct catalog_role {
    struct ref catalog;     /* namespace_ filled in */
    struct refs principals; /* kinds Principal, PrincipalRole, ServiceAccount */
    struct grants grants;
    int max_credential_ttl_seconds; /* 0: no limit of its own */
};

struct resource {
    enum kind kind;
    struct meta meta;
    union {
        struct storage_integration storage_integration;
        struct polaris_catalog catalog;
        struct principal principal;
        struct principal_role principal_role;
        struct catalog_role catalog_role;
    };
    struct complaints complaints; /* of the spec by itself; empty when it may be used */
    struct json *status;          /* as found, or NULL */
};

/*
 * resource_read - one of our kinds, from its JSON.
 *
 * Everything lives in `a`. A spec that is wrong still gives a resource, with complaints: wrong
 * types, unknown fields, missing ones, values out of range, a template that does not parse, a
 * location outside the bucket. Fails with ERR_INVALID only when this is no object of ours at all.
 */
MUST_CHECK bool resource_read(const struct json *object, struct arena *a, struct resource **out,
                              struct err *e);

/* The decoder tables, for the test against the schemas: calls `visit` for each field's dotted path
 * ("allowedLocations[]", "trustPolicy.principals[]") with the schema type it expects. */
typedef void field_visitor(struct sv path, const char *schema_type, void *context);
void resource_fields(enum kind k, field_visitor *visit, void *context);

#endif
