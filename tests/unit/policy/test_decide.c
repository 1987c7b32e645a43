/* test_decide.c - manifests in, decisions out: who, which, what; attacks first. */
#include "unit/policy/compiled.h"

static void nothing_is_allowed_that_no_grant_allows(void)
{
    struct world_of w = {0};

    compile_text(&w,
                 STORE CATALOG ALICE BOB ROLE("r", TO_ALICE, "{privileges: [TABLE_READ_DATA]}"));
    CHECK(holds(&w, "alice", "sales", "t", PRIVILEGE_TABLE_READ_DATA));
    CHECK(!holds(&w, "alice", "sales", "t", PRIVILEGE_TABLE_WRITE_DATA));
    CHECK(!holds(&w, "alice", "sales", "t", PRIVILEGE_TABLE_DELETE_DATA));
    CHECK(!holds(&w, "alice", "sales", "", PRIVILEGE_NAMESPACE_CREATE));
    CHECK(!holds(&w, "bob", "sales", "t", PRIVILEGE_TABLE_READ_DATA));
    done(&w);
}

static void a_name_that_begins_the_same_is_another_name(void)
{
    struct world_of w = {0};

    compile_text(&w, STORE CATALOG ALICE ROLE(
                         "r", TO_ALICE, "{privileges: [TABLE_READ_DATA], namespaces: [sales]}"));
    CHECK(holds(&w, "alice", "sales", "t", PRIVILEGE_TABLE_READ_DATA));
    CHECK(holds(&w, "alice", "sales/eu", "t", PRIVILEGE_TABLE_READ_DATA));
    CHECK(!holds(&w, "alice", "sales2", "t", PRIVILEGE_TABLE_READ_DATA));
    CHECK(!holds(&w, "alice", "sale", "t", PRIVILEGE_TABLE_READ_DATA));
    CHECK(!holds(&w, "alice", "Sales", "t", PRIVILEGE_TABLE_READ_DATA));
    done(&w);
}

static void levels_are_compared_one_by_one_and_never_as_dotted_text(void)
{
    struct world_of w = {0};

    compile_text(
        &w, STORE CATALOG ALICE ROLE("r", TO_ALICE,
                                     "{privileges: [TABLE_READ_DATA], namespaces: ['sales.eu']}"));
    CHECK(holds(&w, "alice", "sales/eu", "t", PRIVILEGE_TABLE_READ_DATA));
    CHECK(!holds(&w, "alice", "sales.eu", "t", PRIVILEGE_TABLE_READ_DATA));
    CHECK(!holds(&w, "alice", "sales", "t", PRIVILEGE_TABLE_READ_DATA));
    CHECK(!holds(&w, "alice", "eu", "t", PRIVILEGE_TABLE_READ_DATA));
    done(&w);
}

static void a_star_ends_a_name_and_nothing_else(void)
{
    struct world_of w = {0};

    compile_text(&w,
                 STORE CATALOG ALICE ROLE(
                     "r", TO_ALICE,
                     "{privileges: [TABLE_READ_DATA], namespaces: ['eu*'], tables: ['raw_*']}"));
    CHECK(holds(&w, "alice", "eu_west", "raw_orders", PRIVILEGE_TABLE_READ_DATA));
    CHECK(!holds(&w, "alice", "us", "raw_orders", PRIVILEGE_TABLE_READ_DATA));
    CHECK(!holds(&w, "alice", "eu_west", "orders_raw_", PRIVILEGE_TABLE_READ_DATA));
    CHECK(!holds(&w, "alice", "x/eu", "raw_orders", PRIVILEGE_TABLE_READ_DATA));
    done(&w);
}

static struct sv reason_of(struct world_of *w, const char *name, struct sv *field)
{
    for (size_t i = 0; i < w->n; i++) {
        if (sv_eq(w->resources[i]->meta.name, sv_from(name)) && w->result.complaints[i].n) {
            *field = w->result.complaints[i].p[0].field;
            return w->result.complaints[i].p[0].reason;
        }
    }
    *field = SV("");
    return SV("");
}

/* A name that may be made can be granted, and nothing beside it. */
static void a_name_in_quotes_is_that_name_whatever_stands_in_it(void)
{
    struct world_of w = {0};

    compile_text(&w, STORE CATALOG ALICE ROLE(
                         "r", TO_ALICE,
                         "{privileges: [TABLE_LIST], namespaces: ['lake.\"eu.west\"', '\"s*\"', "
                         "'\"q\"\"q\"']}, {privileges: [TABLE_DROP], tables: ['\"t*\"', 'a.b', "
                         "'\"\"\"x\"\"\"']}"));
    CHECK(holds(&w, "alice", "lake/eu.west", "t", PRIVILEGE_TABLE_LIST));
    CHECK(holds(&w, "alice", "lake/eu.west/below", "t", PRIVILEGE_TABLE_LIST));
    CHECK(!holds(&w, "alice", "lake/eu/west", "t", PRIVILEGE_TABLE_LIST));
    CHECK(!holds(&w, "alice", "lake.eu.west", "t", PRIVILEGE_TABLE_LIST));
    CHECK(holds(&w, "alice", "s*", "t", PRIVILEGE_TABLE_LIST));
    CHECK(!holds(&w, "alice", "sales", "t", PRIVILEGE_TABLE_LIST));
    CHECK(holds(&w, "alice", "q\"q", "t", PRIVILEGE_TABLE_LIST));
    CHECK(holds(&w, "alice", "n", "t*", PRIVILEGE_TABLE_DROP));
    CHECK(!holds(&w, "alice", "n", "tt", PRIVILEGE_TABLE_DROP));
    CHECK(holds(&w, "alice", "n", "a.b", PRIVILEGE_TABLE_DROP));
    CHECK(holds(&w, "alice", "n", "\"x\"", PRIVILEGE_TABLE_DROP));
    done(&w);
}

static void a_pattern_that_is_no_name_is_told(void)
{
    static const char *const bad[][2] = {
        {"namespaces: ['a..b']",   "spec.grants[0].namespaces[0]"},
        {"namespaces: ['.a']",     "spec.grants[0].namespaces[0]"},
        {"namespaces: ['a.']",     "spec.grants[0].namespaces[0]"},
        {"namespaces: ['a*.b']",   "spec.grants[0].namespaces[0]"},
        {"namespaces: ['\"a']",    "spec.grants[0].namespaces[0]"},
        {"namespaces: ['\"a\"b']", "spec.grants[0].namespaces[0]"},
        {"tables: ['\"a\".b']",    "spec.grants[0].tables[0]"    },
        {"tables: ['*a']",         "spec.grants[0].tables[0]"    },
        {"views: ['\"\"']",        "spec.grants[0].views[0]"     },
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct world_of w = {0};
        struct sv field;

        compile_text(&w, arena_printf(&w.arena,
                                      STORE CATALOG ALICE ROLE("r", TO_ALICE,
                                                               "{privileges: [TABLE_LIST], %s}"),
                                      bad[i][0])
                             .p);
        CHECK_SV(reason_of(&w, "r", &field), SV("InvalidSpec"));
        CHECK_SV(field, sv_from(bad[i][1]));
        done(&w);
    }
}

static void a_line_that_names_tables_gives_nothing_on_namespaces(void)
{
    struct world_of w = {0};

    compile_text(
        &w, STORE CATALOG ALICE ROLE(
                "r", TO_ALICE,
                "{privileges: [CATALOG_MANAGE_CONTENT], namespaces: [sales], tables: [orders]}"));
    CHECK(holds(&w, "alice", "sales", "orders", PRIVILEGE_TABLE_DROP));
    CHECK(!holds(&w, "alice", "sales", "other", PRIVILEGE_TABLE_READ_DATA));
    CHECK(!holds(&w, "alice", "sales", "", PRIVILEGE_NAMESPACE_DROP));
    done(&w);
}

static void writing_implies_reading_but_deleting_is_a_right_of_its_own(void)
{
    struct world_of w = {0};

    compile_text(&w, STORE CATALOG ALICE ROLE("r", TO_ALICE, "{privileges: [TABLE_WRITE_DATA]}"));
    CHECK(holds(&w, "alice", "n", "t", PRIVILEGE_TABLE_READ_DATA));
    CHECK(holds(&w, "alice", "n", "t", PRIVILEGE_TABLE_WRITE_PROPERTIES));
    CHECK(holds(&w, "alice", "n", "t", PRIVILEGE_TABLE_LIST));
    CHECK(!holds(&w, "alice", "n", "t", PRIVILEGE_TABLE_DELETE_DATA));
    CHECK(!holds(&w, "alice", "n", "t", PRIVILEGE_TABLE_DROP));
    done(&w);
}

static void a_principal_role_gives_its_members_what_it_holds(void)
{
    struct world_of w = {0};

    compile_text(&w, STORE CATALOG ALICE BOB
                         HEAD("PrincipalRole", "engineers") "{members: [" TO_ALICE "]}\n---\n" ROLE(
                             "r", "{kind: PrincipalRole, name: engineers}",
                             "{privileges: [TABLE_READ_DATA]}"));
    CHECK(holds(&w, "alice", "n", "t", PRIVILEGE_TABLE_READ_DATA));
    CHECK(!holds(&w, "bob", "n", "t", PRIVILEGE_TABLE_READ_DATA));
    done(&w);
}

static void references_to_nothing_are_named_and_cost_only_themselves(void)
{
    struct world_of w = {0};
    struct sv field;

    compile_text(
        &w,
        STORE CATALOG ALICE ROLE("lost", "{kind: Principal, name: nobody}",
                                 "{privileges: [TABLE_LIST]}")
            HEAD("PolarisCatalog", "homeless") "{storageIntegrationRef: {name: nowhere}}\n---\n" HEAD(
                "PrincipalRole", "ghosts") "{members: [" TO_ALICE
                                           ", {kind: Principal, name: nobody}]}\n---\n" ROLE(
                                               "good", TO_ALICE, "{privileges: [TABLE_LIST]}"));
    CHECK_SV(reason_of(&w, "lost", &field), SV("ReferenceNotFound"));
    CHECK_SV(field, SV("spec.principals[0].name"));
    CHECK_SV(reason_of(&w, "homeless", &field), SV("ReferenceNotFound"));
    CHECK_SV(field, SV("spec.storageIntegrationRef.name"));
    CHECK_SV(reason_of(&w, "ghosts", &field), SV("ReferenceNotFound"));
    CHECK_SV(field, SV("spec.members[1].name"));
    CHECK_SV(reason_of(&w, "good", &field), SV(""));
    CHECK(holds(&w, "alice", "n", "t", PRIVILEGE_TABLE_LIST));
    done(&w);
}

static void of_two_catalogs_in_one_place_the_elder_stays(void)
{
    struct world_of w = {0};
    struct sv field;

    compile_text(
        &w,
        STORE CATALOG
            HEAD("PolarisCatalog", "d") "{storageIntegrationRef: {name: s}, defaultBaseLocation: 's3://bkt/c/below'}\n---\n" HEAD(
                "PolarisCatalog",
                "e") "{storageIntegrationRef: {name: s}, defaultBaseLocation: 's3://bkt/c2'}\n");
    CHECK_SV(reason_of(&w, "d", &field), SV("LocationOverlap"));
    CHECK_SV(reason_of(&w, "c", &field), SV(""));
    CHECK_SV(reason_of(&w, "e", &field), SV(""));
    done(&w);
}

#define IN(ns, kind, name)                                                                         \
    "apiVersion: polaris.apache.org/v1\nkind: " kind "\nmetadata: {name: " name ", namespace: " ns \
    "}\nspec: "
#define STORE_IN(ns)                  \
    IN(ns, "StorageIntegration", "s") \
    "{storageType: s3, provider: ceph-rgw, bucket: " ns "-bkt, endpoint: 'http://rgw'}\n---\n"
#define CATALOG_IN(ns, name)       \
    IN(ns, "PolarisCatalog", name) \
    "{storageIntegrationRef: {name: s}, defaultBaseLocation: 's3://" ns "-bkt/" name "'}\n---\n"

static struct sv named(struct world_of *w, const char *warehouse)
{
    const struct rule_catalog *c = rulebook_catalog(w->result.rulebook, sv_from(warehouse));

    return c ? c->id : SV("");
}

/* Who may make catalogs in one namespace must not get what engines send to another's. */
static void no_catalog_takes_the_whole_name_of_another(void)
{
    struct world_of w = {0};
    struct sv field;

    compile_text(&w, STORE_IN("one") STORE_IN("two") CATALOG_IN("one", "prod")
                         CATALOG_IN("two", "prod") CATALOG_IN("two", "one.prod"));
    CHECK_SV(named(&w, "one.prod"), SV("one/prod"));
    CHECK_SV(named(&w, "two.prod"), SV("two/prod"));
    CHECK_SV(reason_of(&w, "one.prod", &field), SV("NameTaken"));
    CHECK_SV(named(&w, "prod"), SV("one/prod"));
    done(&w);
}

/* It is told when it is made, and not when somebody else makes it matter. */
static void so_it_is_where_the_bare_name_is_enough_for_now(void)
{
    struct world_of w = {0};
    struct sv field;

    compile_text(&w, STORE_IN("one") STORE_IN("two") CATALOG_IN("one", "prod")
                         CATALOG_IN("two", "one.prod") CATALOG_IN("two", "one.other"));
    CHECK_SV(named(&w, "prod"), SV("one/prod"));
    CHECK_SV(named(&w, "one.other"), SV("two/one.other"));
    CHECK_SV(reason_of(&w, "one.prod", &field), SV("NameTaken"));
    CHECK_SV(field, SV("metadata.name"));
    done(&w);
}

static bool may_lie(struct world_of *w, const char *catalog, const char *place)
{
    struct location l;
    struct err e = {0};

    NEED_OK(location_read(sv_from(place), false, &w->arena, &l, &e), &e);
    return rulebook_allows_place(w->result.rulebook,
                                 rulebook_catalog(w->result.rulebook, sv_from(catalog)), &l);
}

static void a_table_lies_in_no_other_catalogs_place(void)
{
    struct world_of w = {0};

    compile_text(
        &w,
        STORE CATALOG
            HEAD("PolarisCatalog", "d") "{storageIntegrationRef: {name: s}, defaultBaseLocation: 's3://bkt/d'}\n---\n" HEAD(
                "StorageIntegration",
                "far") "{storageType: s3, provider: ceph-rgw, bucket: bkt, endpoint: "
                       "'http://elsewhere', allowedLocations: ['s3://bkt/c/*']}\n---\n" HEAD(
                           "PolarisCatalog", "e") "{storageIntegrationRef: {name: far}}\n");
    CHECK(may_lie(&w, "c", "s3://bkt/c/t"));
    CHECK(may_lie(&w, "c", "s3://bkt/free/t"));
    CHECK(may_lie(&w, "c", "s3://bkt/d2"));
    CHECK(!may_lie(&w, "c", "s3://bkt/d"));
    CHECK(!may_lie(&w, "c", "s3://bkt/d/t"));
    CHECK(!may_lie(&w, "d", "s3://bkt/c/t"));
    CHECK(!may_lie(&w, "d", "s3://other/t"));
    /* The same words at another store are another place. */
    CHECK(may_lie(&w, "e", "s3://bkt/c/t"));
    CHECK(!may_lie(&w, "e", "s3://bkt/d/t"));
    done(&w);
}

static void a_catalog_of_another_namespace_needs_leave(void)
{
    struct world_of w = {0};
    struct sv field;

    compile_text(
        &w, STORE CATALOG
        "apiVersion: polaris.apache.org/v1\nkind: CatalogRole\nmetadata: {name: thief, namespace: other}\n"
        "spec: {catalogRef: {name: c, namespace: l}, grants: [{privileges: [TABLE_LIST]}]}\n");
    CHECK_SV(reason_of(&w, "thief", &field), SV("ReferenceDenied"));
    CHECK_SV(field, SV("spec.catalogRef.namespace"));
    done(&w);
}

static struct target target_of(struct world_of *w, const char *spec)
{
    struct target t = {0};

    compile_text(
        w,
        arena_cstr(&w->arena, arena_printf(&w->arena, HEAD("StorageIntegration", "s") "%s", spec)));
    policy_target(&w->resources[0]->storage_integration, &w->arena, &t);
    return t;
}

static void each_partition_of_aws_has_its_own_addresses(void)
{
    static const struct {
        const char *spec, *s3, *sts, *iam, *iam_region;
    } rows[] = {
        {"{storageType: s3, bucket: bkt, roleArn: 'arn:aws:iam::123456789012:role/r'}",
         "https://s3.us-east-1.amazonaws.com",                                                                                    "https://sts.us-east-1.amazonaws.com",
         "https://iam.amazonaws.com",               "us-east-1"    },
        {"{storageType: s3, bucket: bkt, region: cn-north-1, roleArn: "
         "'arn:aws-cn:iam::123456789012:role/r'}",                             "https://s3.cn-north-1.amazonaws.com.cn", "https://sts.cn-north-1.amazonaws.com.cn",
         "https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1"   },
        {"{storageType: s3, bucket: bkt, region: us-gov-east-1, roleArn: "
         "'arn:aws-us-gov:iam::123456789012:role/r'}",                         "https://s3.us-gov-east-1.amazonaws.com", "https://sts.us-gov-east-1.amazonaws.com",
         "https://iam.us-gov.amazonaws.com",        "us-gov-west-1"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world_of w = {0};
        struct target t = target_of(&w, rows[i].spec);

        CHECK_SV(t.endpoint, sv_from(rows[i].s3));
        CHECK_SV(t.sts_endpoint, sv_from(rows[i].sts));
        CHECK_SV(t.iam_endpoint, sv_from(rows[i].iam));
        CHECK_SV(t.iam_region, sv_from(rows[i].iam_region));
        done(&w);
    }
}

static int longest_session(const char *provider, const char *session_token)
{
    struct world_of w = {0};
    struct compile_result result;
    struct policy_input in = {.n_resources = 2};
    struct integration_facts f = {.namespace_ = SV("l"), .name = SV("s")};
    int seconds;

    compile_text(
        &w, arena_cstr(&w.arena,
                       arena_printf(&w.arena,
                                    HEAD("StorageIntegration",
                                         "s") "{storageType: s3, "
                                              "bucket: bkt, maxSessionDurationSeconds: 43200, "
                                              "roleArn: 'arn:aws:iam:::role/r', %s}\n---\n" CATALOG,
                                    provider)));
    f.own.session_token = secret_of(sv_from(session_token));
    vec_push(&in.integrations, &w.arena, f);
    in.resources = w.resources;
    policy_compile(&in, &w.arena, &result);
    NEED(rulebook_catalog(result.rulebook, SV("c")));
    seconds = rulebook_catalog(result.rulebook, SV("c"))->integration->max_session_seconds;
    (void)rulebook_unref(result.rulebook);
    done(&w);
    return seconds;
}

static void a_session_begun_by_a_session_ends_after_an_hour_at_aws(void)
{
    CHECK_INT(longest_session("provider: aws", "token"), 3600);
    CHECK_INT(longest_session("provider: aws", ""), 43200);
    CHECK_INT(longest_session("provider: ceph-rgw, endpoint: 'http://rgw'", "token"), 43200);
}

static bool tags(const char *spec, bool role_allows)
{
    struct world_of w = {0};
    struct compile_result result;
    struct policy_input in = {.n_resources = 2};
    struct integration_facts f = {
        .namespace_ = SV("l"), .name = SV("s"), .session_tags = role_allows};
    bool yes;

    compile_text(
        &w, arena_cstr(
                &w.arena,
                arena_printf(&w.arena, HEAD("StorageIntegration", "s") "%s\n---\n" CATALOG, spec)));
    vec_push(&in.integrations, &w.arena, f);
    in.resources = w.resources;
    policy_compile(&in, &w.arena, &result);
    NEED(rulebook_catalog(result.rulebook, SV("c")));
    yes = rulebook_catalog(result.rulebook, SV("c"))->integration->target.tag_sessions;
    (void)rulebook_unref(result.rulebook);
    done(&w);
    return yes;
}

static void sessions_are_tagged_at_aws_where_the_role_lets_us(void)
{
#define AT_AWS "{storageType: s3, bucket: bkt, roleArn: 'arn:aws:iam::123456789012:role/r'"
    CHECK(tags(AT_AWS "}", true));
    CHECK(!tags(AT_AWS "}", false));
    CHECK(!tags(AT_AWS ", sessionTags: {enabled: false}}", true));
    CHECK(!tags("{storageType: s3, bucket: bkt, provider: ceph-rgw, endpoint: 'http://rgw', "
                "sessionTags: {enabled: true}}",
                true));
}

/* The same of a view. */
static bool holds_view(struct world_of *w, const char *ns, const char *view, enum privilege p)
{
    struct caller c;
    const struct sv level = sv_from(ns);
    const struct subject s = {.catalog = rulebook_catalog(w->result.rulebook, SV("c")),
                              .levels = &level,
                              .n_levels = 1,
                              .table = sv_from(view),
                              .is_view = true};
    struct decision d;
    struct err e = {0};

    NEED_OK(rulebook_find(w->result.rulebook, SV("l/alice"), &c, &e), &e);
    rulebook_decide(w->result.rulebook, &c, &s, &d);
    CHECK(rulebook_sees(w->result.rulebook, &c, &s) ==
          (*view && decision_allows(&d, PRIVILEGE_VIEW_LIST)));
    return decision_allows(&d, p);
}

static void a_line_that_names_views_says_nothing_of_tables_and_the_other_way_round(void)
{
    struct world_of w = {0};

    compile_text(&w, STORE CATALOG ALICE ROLE(
                         "r", TO_ALICE,
                         "{privileges: [VIEW_FULL_METADATA, TABLE_READ_DATA, NAMESPACE_LIST],"
                         " namespaces: [n], views: ['v*']},"
                         "{privileges: [VIEW_READ_PROPERTIES, TABLE_LIST], namespaces: [m],"
                         " tables: [v1]}"));
    CHECK(holds_view(&w, "n", "v1", PRIVILEGE_VIEW_WRITE_PROPERTIES));
    CHECK(holds_view(&w, "n", "v1", PRIVILEGE_VIEW_LIST));
    CHECK(!holds_view(&w, "n", "w1", PRIVILEGE_VIEW_LIST));
    CHECK(!holds_view(&w, "m", "v1", PRIVILEGE_VIEW_LIST));
    CHECK(!holds(&w, "l/alice", "n", "v1", PRIVILEGE_TABLE_READ_DATA));
    CHECK(!holds(&w, "l/alice", "n", "", PRIVILEGE_NAMESPACE_LIST));
    CHECK(holds(&w, "l/alice", "m", "v1", PRIVILEGE_TABLE_LIST));
    done(&w);
}

static void rights_on_views_show_no_table_and_rights_on_tables_no_view(void)
{
    struct world_of w = {0};
    struct caller c;
    const struct sv level = SV("n");
    struct subject s = {.levels = &level, .n_levels = 1, .table = SV("x")};
    struct err e = {0};

    compile_text(&w, STORE CATALOG ALICE BOB ROLE("r", TO_ALICE, "{privileges: [VIEW_LIST]}")
                         ROLE("q", "{kind: Principal, name: bob}", "{privileges: [TABLE_LIST]}"));
    s.catalog = rulebook_catalog(w.result.rulebook, SV("c"));
    NEED_OK(rulebook_find(w.result.rulebook, SV("l/alice"), &c, &e), &e);
    CHECK(!rulebook_sees(w.result.rulebook, &c, &s));
    s.is_view = true;
    CHECK(rulebook_sees(w.result.rulebook, &c, &s));
    NEED_OK(rulebook_find(w.result.rulebook, SV("l/bob"), &c, &e), &e);
    CHECK(!rulebook_sees(w.result.rulebook, &c, &s));
    done(&w);
}

SUITE("policy/decide", TEST(a_line_that_names_views_says_nothing_of_tables_and_the_other_way_round),
      TEST(rights_on_views_show_no_table_and_rights_on_tables_no_view),
      TEST(a_session_begun_by_a_session_ends_after_an_hour_at_aws),
      TEST(each_partition_of_aws_has_its_own_addresses),
      TEST(a_name_in_quotes_is_that_name_whatever_stands_in_it),
      TEST(a_pattern_that_is_no_name_is_told), TEST(nothing_is_allowed_that_no_grant_allows),
      TEST(a_name_that_begins_the_same_is_another_name),
      TEST(levels_are_compared_one_by_one_and_never_as_dotted_text),
      TEST(a_star_ends_a_name_and_nothing_else),
      TEST(a_line_that_names_tables_gives_nothing_on_namespaces),
      TEST(writing_implies_reading_but_deleting_is_a_right_of_its_own),
      TEST(a_principal_role_gives_its_members_what_it_holds),
      TEST(references_to_nothing_are_named_and_cost_only_themselves),
      TEST(of_two_catalogs_in_one_place_the_elder_stays),
      TEST(no_catalog_takes_the_whole_name_of_another),
      TEST(so_it_is_where_the_bare_name_is_enough_for_now),
      TEST(a_table_lies_in_no_other_catalogs_place),
      TEST(a_catalog_of_another_namespace_needs_leave),
      TEST(sessions_are_tagged_at_aws_where_the_role_lets_us))
