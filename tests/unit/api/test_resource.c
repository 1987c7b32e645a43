/* test_resource.c - manifests decoded: defaults, and every complaint by name. */
#include "api/resource.h"
#include "unit/suite.h"
#include "wire/yaml.h"

static struct resource *read_yaml(const char *text, struct arena *a)
{
    struct yaml_docs d = {0};
    struct resource *r = NULL;
    struct err e = {0};

    NEED_OK(yaml_read(sv_from(text), a, &d, &e), &e);
    NEED(d.n == 1);
    NEED_OK(resource_read(d.p[0].root, a, &r, &e), &e);
    return r;
}

#define STI(spec)                                                                                             \
    "apiVersion: polaris.apache.org/v1\nkind: StorageIntegration\nmetadata: {name: s, namespace: l}\nspec:\n" \
    "  storageType: s3\n  bucket: bkt\n" spec
#define AWS STI("  roleArn: arn:aws:iam::123456789012:role/r\n")
#define RGW STI("  provider: ceph-rgw\n  endpoint: http://rgw:7480\n")

/* The only complaint's field, or "" when there is none. */
static struct sv complaint_about(const char *text, struct arena *a)
{
    struct resource *r = read_yaml(text, a);

    CHECK(r->complaints.n <= 1);
    return r->complaints.n ? r->complaints.p[0].field : SV("");
}

static void a_plain_integration_gets_its_defaults(void)
{
    auto_arena a = {0};
    struct resource *r = read_yaml(RGW, &a);
    struct storage_integration *w = &r->storage_integration;

    CHECK_INT(r->complaints.n, 0);
    CHECK_INT(w->provider, PROVIDER_CEPH_RGW);
    CHECK_INT(w->management, MANAGEMENT_MANAGED);
    CHECK_SV(w->region, SV("us-east-1"));
    CHECK(w->path_style_access);
    CHECK_INT(w->credential_ttl_seconds, 3600);
    CHECK_SV(w->internal_endpoint, SV("http://rgw:7480"));
    NEED(w->allowed_locations.n == 1);
    CHECK_SV(w->allowed_locations.p[0], SV("s3://bkt/"));
    CHECK_SV(w->session_name, SV("{principal}.{table}.{request}"));
}

static void only_an_endpoint_means_s3_compatible(void)
{
    auto_arena a = {0};
    struct resource *r = read_yaml(STI("  endpoint: https://s3.example.com\n"), &a);

    CHECK_INT(r->complaints.n, 0);
    CHECK_INT(r->storage_integration.provider, PROVIDER_S3_COMPATIBLE);
    CHECK_INT(r->storage_integration.management, MANAGEMENT_NONE);
}

static void what_is_wrong_is_named_by_its_field(void)
{
    auto_arena a = {0};
    static const struct {
        const char *text, *field;
    } rows[] = {
        {RGW "  allowedLocations: [\"s3://bkt/a/*\", \"s3://other/a/*\"]\n",
         "spec.allowedLocations[1]"                                                                                             },
        {RGW "  allowedLocations: [\"s3://bkt/../a\"]\n",                                      "spec.allowedLocations[0]"       },
        {RGW "  allowedLocations: []\n",                                                       "spec.allowedLocations"          },
        {RGW "  colour: blue\n",                                                               "spec.colour"                    },
        {RGW "  trustPolicy: {principal: x}\n",                                                "spec.trustPolicy.principal"     },
        {RGW "  region: 7\n",                                                                  "spec.region"                    },
        {RGW "  credentialTtlSeconds: 899\n",                                                  "spec.credentialTtlSeconds"      },
        {RGW "  credentialTtlSeconds: 7200\n",                                                 "spec.credentialTtlSeconds"      },
        {RGW "  credentialTtlSeconds: \"900\"\n",                                              "spec.credentialTtlSeconds"      },
        {RGW "  management: Maybe\n",                                                          "spec.management"                },
        {RGW "  management: Observed\n",                                                       "spec.roleArn"                   },
        {RGW "  tags: {a: 1}\n",                                                               "spec.tags.a"                    },
        {RGW "  suspend: \"yes\"\n",                                                           "spec.suspend"                   },
        {RGW "  stsEndpoint: http://u:p@rgw\n",                                                "spec.stsEndpoint"               },
        {RGW "  stsEndpoint: http://rgw/path\n",                                               "spec.stsEndpoint"               },
        {RGW "  sessionName: \"{user}\"\n",                                                    "spec.sessionName"               },
        {RGW "  policyTemplates: {read: \"{\"}\n",                                             "spec.policyTemplates.read"      },
        {RGW "  policyTemplates: {write: '{\"Statement\":[\"{{.KeyPrefix}}{{.Other}}\"]}'}\n",
         "spec.policyTemplates.write"                                                                                           },
        {RGW "  policyTemplates: {write: '{\"Statement\":[]}'}\n",                             "spec.policyTemplates.write"     },
        {RGW "  kmsKeyArns: ['arn:aws:kms:us-east-1:123456789012:key/k']\n",                   "spec.kmsKeyArns"                },
        {RGW "  trustPolicy: {organizationId: o-abcdef1234}\n",                                "spec.trustPolicy.organizationId"},
        {AWS "  trustPolicy: {organizationId: O-ABCDEF1234}\n",                                "spec.trustPolicy.organizationId"},
        {AWS "  kmsKeyArns: ['*']\n",                                                          "spec.kmsKeyArns[0]"             },
        {AWS "  kmsKeyArns: ['arn:aws:kms:us-east-1:123456789012:alias/k']\n",
         "spec.kmsKeyArns[0]"                                                                                                   },
        {AWS "  kmsKeyArns: ['arn:aws:kms:us-east-1:123456789012:key/*']\n",                   "spec.kmsKeyArns[0]"             },
        {AWS "  kmsKeyArns: ['arn:aws:s3:::bkt/key/x']\n",                                     "spec.kmsKeyArns[0]"             },
        {STI("  endpoint: http://x\n  bucketPolicy: Managed\n"),                               "spec.bucketPolicy"              },
        {STI("  provider: ceph-rgw\n"),                                                        "spec.endpoint"                  },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_SV(complaint_about(rows[i].text, &a), sv_from(rows[i].field));
}

static void what_only_aws_knows_is_taken_at_aws(void)
{
    auto_arena a = {0};
    struct resource *r =
        read_yaml(AWS "  kmsKeyArns: ['arn:aws-cn:kms:cn-north-1:123456789012:key/k']\n"
                      "  trustPolicy: {organizationId: o-abcdef1234}\n",
                  &a);

    CHECK_INT(r->complaints.n, 0);
    CHECK_INT(r->storage_integration.kms_key_arns.n, 1);
    CHECK_SV(r->storage_integration.organization_id, SV("o-abcdef1234"));
}

static void null_is_absent(void)
{
    auto_arena a = {0};

    CHECK_SV(complaint_about(RGW "  region: null\n  tags: ~\n", &a), SV(""));
}

static void a_principal_is_one_kind_of_identity(void)
{
    auto_arena a = {0};
#define PRINCIPAL(spec) \
    "apiVersion: polaris.apache.org/v1\nkind: Principal\nmetadata: {name: p, namespace: l}\nspec: " spec
    struct resource *r = read_yaml(PRINCIPAL("{clientCredentials: {}}"), &a);

    CHECK(r->principal.has_client);
    CHECK_SV(r->principal.client_secret, SV("p-credentials"));
    CHECK_INT(r->principal.rotation_overlap_seconds, 86400);
    CHECK_SV(complaint_about(PRINCIPAL("{}"), &a), SV("spec"));
    CHECK_SV(complaint_about(PRINCIPAL("{clientCredentials: {}, serviceAccount: {name: x}}"), &a),
             SV("spec"));
    r = read_yaml(PRINCIPAL("{serviceAccount: {name: x}}"), &a);
    CHECK_SV(r->principal.service_account.namespace_, SV("l"));
}

#define ROLE(spec) \
    "apiVersion: polaris.apache.org/v1\nkind: CatalogRole\nmetadata: {name: r, namespace: l}\nspec:\n  catalogRef: {name: c}\n" spec

static void grants_are_read_with_their_privileges(void)
{
    auto_arena a = {0};
    struct resource *r = read_yaml(
        ROLE("  grants: [{privileges: [TABLE_READ_DATA, TABLE_LIST], namespaces: [sales, 'eu*']}]\n"
             "  principals: [{kind: Principal, name: p}]\n"),
        &a);

    NEED(r->catalog_role.grants.n == 1);
    CHECK_INT(r->complaints.n, 0);
    CHECK_INT(r->catalog_role.grants.p[0].privileges,
              PRIVILEGE_BIT(PRIVILEGE_TABLE_READ_DATA) | PRIVILEGE_BIT(PRIVILEGE_TABLE_LIST));
    CHECK_INT(r->catalog_role.grants.p[0].namespaces.n, 2);
    CHECK_SV(r->catalog_role.catalog.namespace_, SV("l"));
}

static void a_wrong_role_is_named_by_its_field(void)
{
    auto_arena a = {0};

    CHECK_SV(complaint_about(ROLE("  grants: [{privileges: [ALL]}]\n"), &a),
             SV("spec.grants[0].privileges[0]"));
    CHECK_SV(complaint_about(ROLE("  grants: [{privileges: [TABLE_LIST], tables: ['a*b']}]\n"), &a),
             SV("spec.grants[0].tables[0]"));
    CHECK_SV(complaint_about(ROLE("  grants: [{}]\n"), &a), SV("spec.grants[0].privileges"));
    CHECK_SV(complaint_about(ROLE("  principals: [{kind: User, name: x}]\n"), &a),
             SV("spec.principals[0].kind"));
    CHECK_SV(
        complaint_about(ROLE("  principals: [{kind: Principal, name: x, namespace: other}]\n"), &a),
        SV("spec.principals[0].namespace"));
    CHECK_SV(complaint_about(ROLE("  principals: [7]\n"), &a), SV("spec.principals[0]"));
}

static void what_is_not_ours_is_no_resource(void)
{
    auto_arena a = {0};
    struct json *v;
    struct resource *r;
    struct err e = {0};

    NEED_OK(
        json_read(SV("{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"x\"}}"),
                  &a, &v, &e),
        &e);
    CHECK(!resource_read(v, &a, &r, &e));
    NEED_OK(json_read(
                SV("{\"apiVersion\":\"polaris.apache.org/v1\",\"kind\":\"Principal\",\"spec\":{}}"),
                &a, &v, &e),
            &e);
    CHECK(!resource_read(v, &a, &r, &e));
}

SUITE("api/resource", TEST(a_plain_integration_gets_its_defaults),
      TEST(only_an_endpoint_means_s3_compatible), TEST(what_is_wrong_is_named_by_its_field),
      TEST(what_only_aws_knows_is_taken_at_aws), TEST(null_is_absent),
      TEST(a_principal_is_one_kind_of_identity), TEST(grants_are_read_with_their_privileges),
      TEST(a_wrong_role_is_named_by_its_field), TEST(what_is_not_ours_is_no_resource))
