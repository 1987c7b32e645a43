/* test_integration.c - passes over a StorageIntegration: what is asked of the store, what becomes
 * of the answers, and what is not done. */
#include "unit/control/worker_bench.h"

/* Ceph RGW's answers, in the shape in which it gives them. */
#define XML(status, body) \
    "HTTP/1.1 " status "\r\nContent-Type: application/xml\r\nConnection: close\r\n\r\n" body
#define OK_XML(body)                       \
    {                                      \
        XML("200 OK", body), FAKE_CLOSE, 0 \
    }
#define WHO \
    OK_XML("<ListAllMyBucketsResult><Owner><ID>lakehouse</ID></Owner></ListAllMyBucketsResult>")
#define ROLE(seconds)                                                                         \
    OK_XML("<GetRoleResponse><GetRoleResult><Role><Arn>arn:aws:iam:::role/theirs</Arn>"       \
           "<MaxSessionDuration>" seconds "</MaxSessionDuration><AssumeRolePolicyDocument>{}" \
           "</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>")
#define NO_ROLE                                                                         \
    {                                                                                   \
        XML("404 Not Found", "<Error><Code>NoSuchEntity</Code></Error>"), FAKE_CLOSE, 0 \
    }
#define NO_POLICIES                                                           \
    OK_XML("<ListRolePoliciesResponse><ListRolePoliciesResult><PolicyNames/>" \
           "</ListRolePoliciesResult></ListRolePoliciesResponse>")
#define NO_TAGS                                                                     \
    OK_XML("<ListRoleTagsResponse><ListRoleTagsResult><Tags/></ListRoleTagsResult>" \
           "</ListRoleTagsResponse>")
#define OUR_TAGS                                                                             \
    OK_XML("<ListRoleTagsResponse><ListRoleTagsResult><Tags><member>"                        \
           "<Key>polaris.apache.org/owned-by</Key><Value>frontdesk</Value></member><member>" \
           "<Key>polaris.apache.org/uid</Key><Value>u-1</Value></member></Tags>"             \
           "</ListRoleTagsResult></ListRoleTagsResponse>")
#define BUSY                                                                        \
    {                                                                               \
        XML("503 Slow Down", "<Error><Code>SlowDown</Code></Error>"), FAKE_CLOSE, 0 \
    }
#define DENIED                                                                          \
    {                                                                                   \
        XML("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>"), FAKE_CLOSE, 0 \
    }
#define DONE OK_XML("<Response/>")

enum { DELETING = 1, HELD = 2, NO_KEYS = 4 };

/* A pass over the integration "store" with these members of spec and status. */
static void pass(struct worker_bench *b, const char *spec, const char *status, unsigned flags)
{
    struct sv object = arena_printf(
        &b->arena,
        "{\"apiVersion\":\"polaris.apache.org/v1\",\"kind\":\"StorageIntegration\",\"metadata\":{"
        "\"name\":\"store\",\"namespace\":\"n\",\"uid\":\"u-1\",\"generation\":3%s%s},\"spec\":{"
        "\"storageType\":\"s3\",\"provider\":\"ceph-rgw\",\"bucket\":\"warehouse\","
        "\"endpoint\":\"http://127.0.0.1:%d\",\"credentialsSecretRef\":{\"name\":\"keys\"}%s%s},"
        "\"status\":%s}",
        flags & HELD ? ",\"finalizers\":[\"" FINALIZER "\"]" : "",
        flags & DELETING ? ",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"" : "",
        b->has_store ? b->store.port : 1, spec[0] ? "," : "", spec, status);
    struct job *j = bench_job(b, object);

    for (size_t i = 0; i < j->resource->complaints.n; i++)
        complain(
            &j->complaints, &j->arena, arena_cstr(&j->arena, j->resource->complaints.p[i].reason),
            j->resource->complaints.p[i].field, SV_FMT, SV_ARG(j->resource->complaints.p[i].text));
    if (!(flags & NO_KEYS))
        j->own = bench_key(&j->arena);
    job_run(&b->worker, j);
}

static bool was_asked(const struct worker_bench *b, const char *text)
{
    for (size_t i = 0; i < atomic_load(&b->store.served); i++) {
        if (strstr(b->store.requests[i], text))
            return true;
    }
    return false;
}

/* None of the requests so far has changed anything. */
static bool only_asked(const struct worker_bench *b)
{
    static const char *const changes[] = {"CreateRole", "Put",    "PUT",  "Delete",
                                          "DELETE",     "Update", "Tag&", "AssumeRole&"};

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        if (was_asked(b, changes[i]))
            return false;
    }
    return true;
}

#define OBSERVED "\"management\":\"Observed\",\"roleArn\":\"arn:aws:iam:::role/theirs\""
#define NAMED    "\"roleArn\":\"arn:aws:iam:::role/theirs\""

static void a_secret_that_is_missing_is_named(void)
{
    struct worker_bench b = {0};

    bench_begin(&b);
    pass(&b, "", "null", NO_KEYS);
    CHECK_SV(
        bench_condition(&b, "Ready"),
        SV("False DependencyNotReady: spec.credentialsSecretRef: Secret keys is missing or lacks "
           "access-key-id and secret-access-key"));
    CHECK(bench_condition(&b, "Reconciling").n);
    CHECK(sv_starts(bench_condition(&b, "ScopeVerified"), SV("Unknown DependencyNotReady: ")));
    CHECK(sv_starts(bench_condition(&b, "RoleInSync"), SV("Unknown DependencyNotReady: ")));
    CHECK(!b.job.found.vendable);
    bench_end(&b);
}

static void what_is_suspended_without_keys_is_not_ready(void)
{
    struct worker_bench b = {0};

    bench_begin(&b);
    pass(&b, "\"suspend\":true", "null", NO_KEYS);
    CHECK(sv_starts(bench_condition(&b, "Ready"), SV("False DependencyNotReady: ")));
    CHECK(!b.job.found.vendable);
    bench_end(&b);
}

static void an_admin_secret_that_is_missing_is_named(void)
{
    struct worker_bench b = {0};

    bench_begin(&b);
    pass(&b, "\"adminCredentialsSecretRef\":{\"name\":\"admin\"}", "null", 0);
    CHECK(sv_contains(bench_condition(&b, "Ready"),
                      SV("spec.adminCredentialsSecretRef: Secret admin is missing")));
    bench_end(&b);
}

static void a_spec_that_is_wrong_is_neither_probed_nor_vended_from(void)
{
    struct worker_bench b = {0};

    bench_begin(&b);
    pass(&b, "\"credentialTtlSeconds\":7200", "null", 0);
    CHECK(sv_starts(bench_condition(&b, "Ready"),
                    SV("False InvalidSpec: spec.credentialTtlSeconds: ")));
    CHECK(sv_starts(bench_condition(&b, "ScopeVerified"), SV("False InvalidSpec: ")));
    CHECK(bench_condition(&b, "Stalled").n);
    CHECK(!b.job.found.vendable);
    bench_end(&b);
}

static void somebody_elses_role_is_only_looked_at(void)
{
    static const struct fake_reply replies[] = {WHO, ROLE("3600"), NO_POLICIES, NO_TAGS};
    struct worker_bench b = {0};

    bench_begin(&b);
    bench_store(&b, replies, 4);
    pass(&b, NAMED, "null", HELD);
    CHECK_SV(
        bench_condition(&b, "Ready"),
        SV("False AdoptionConflict: spec.roleArn: the role theirs exists and is not ours; adopt it "
           "by its ARN in spec.roleArn and the annotation polaris.apache.org/adopt: \"true\", or "
           "make a new object for another role"));
    CHECK(only_asked(&b));
    CHECK(b.job.again_ms > 0);
    bench_end(&b);
}

static void an_observed_role_that_is_missing_is_named(void)
{
    static const struct fake_reply replies[] = {WHO, NO_ROLE};
    struct worker_bench b = {0};

    bench_begin(&b);
    bench_store(&b, replies, 2);
    pass(&b, OBSERVED, "null", 0);
    CHECK_SV(bench_condition(&b, "Ready"),
             SV("False RoleMissing: spec.roleArn: there is no role theirs; create it, or set "
                "management to Managed"));
    CHECK(sv_starts(bench_condition(&b, "RoleInSync"), SV("False RoleMissing: ")));
    CHECK(only_asked(&b));
    bench_end(&b);
}

static void keys_that_would_outlive_the_role_are_refused_with_both_numbers(void)
{
    static const struct fake_reply replies[] = {WHO, ROLE("3600"), NO_POLICIES, NO_TAGS};
    struct worker_bench b = {0};

    bench_begin(&b);
    bench_store(&b, replies, 4);
    pass(&b, OBSERVED ",\"credentialTtlSeconds\":7200,\"maxSessionDurationSeconds\":7200", "null",
         0);
    CHECK_SV(
        bench_condition(&b, "Ready"),
        SV("False SessionTooLong: spec.credentialTtlSeconds: 7200 is longer than the role theirs "
           "allows (3600); lower it, or let the role's longest session be longer"));
    CHECK(sv_contains(bench_condition(&b, "RoleInSync"),
                      SV("the longest session is 3600 s, not 7200 s")));
    CHECK(only_asked(&b));
    bench_end(&b);
}

#define VERIFIED(hash)                                                                            \
    "{\"observedGeneration\":3,\"probedHash\":\"" hash "\",\"roleArn\":\"arn:aws:iam:::role/x\"," \
    "\"conditions\":[{\"type\":\"ScopeVerified\",\"status\":\"True\",\"reason\":\"Probed\","      \
    "\"message\":\"m\",\"lastTransitionTime\":\"2020-01-01T00:00:00Z\"}]}"

static void a_store_that_is_busy_takes_nothing_back_that_was_proved(void)
{
    static const struct fake_reply replies[] = {BUSY, BUSY};
    struct worker_bench b = {0};
    auto_arena a = {0};
    struct sv scope, status;

    bench_begin(&b);
    bench_store(&b, replies, 2);
    pass(&b, "", VERIFIED("other-b"), HELD);
    CHECK(sv_starts(bench_condition(&b, "ScopeVerified"), SV("Unknown ProbePending: ")));
    CHECK(sv_starts(bench_condition(&b, "RoleInSync"), SV("Unknown Unavailable: asking who we")));
    scope = arena_dup(&a, integration_scope(&b.job.resource->storage_integration, &b.arena));
    status = arena_printf(&a, VERIFIED("%.*s-b"), SV_ARG(scope));
    pass(&b, "", arena_cstr(&a, status), HELD);
    CHECK(sv_starts(bench_condition(&b, "Ready"),
                    SV("False Unavailable: asking who we are: the store answered 503 SlowDown")));
    CHECK_SV(bench_condition(&b, "ScopeVerified"), SV("True Probed: m"));
    CHECK(bench_condition(&b, "Reconciling").n);
    CHECK_INT(b.job.err.code, ERR_UNAVAILABLE);
    bench_end(&b);
}

static void a_suspended_integration_is_left_alone_and_vended_from_if_that_very_scope_was_verified(
    void)
{
    struct worker_bench b = {0};
    auto_arena a = {0};
    struct sv scope, status;

    bench_begin(&b);
    pass(&b, "\"suspend\":true", VERIFIED("other-b"), 0);
    CHECK(sv_starts(bench_condition(&b, "Ready"), SV("False Suspended: ")));
    CHECK(!b.job.found.vendable);
    scope = arena_dup(&a, integration_scope(&b.job.resource->storage_integration, &b.arena));
    status = arena_printf(&a, VERIFIED("%.*s-b"), SV_ARG(scope));
    pass(&b, "\"suspend\":true", arena_cstr(&a, status), 0);
    CHECK(sv_starts(bench_condition(&b, "Ready"), SV("True Suspended: ")));
    CHECK(b.job.found.vendable);
    bench_end(&b);
}

#define OURS "{\"roleCreated\":true,\"roleArn\":\"arn:aws:iam:::role/frontdesk-n-store\"}"

/* A role of ours as far as its marks go, whose tags this store never changes. */
static const struct fake_reply never_tags[] = {WHO,         ROLE("3600"), NO_POLICIES, OUR_TAGS,
                                               DONE,        DONE,         DONE,        ROLE("3600"),
                                               NO_POLICIES, OUR_TAGS};

static void what_a_store_cannot_change_is_tried_once_and_not_again(void)
{
    struct worker_bench b = {0};
    auto_arena a = {0};
    struct sv left;

    bench_begin(&b);
    bench_store(&b, never_tags, 10);
    pass(&b, "\"maxSessionDurationSeconds\":3600", OURS, HELD);
    CHECK(was_asked(&b, "Action=TagRole"));
    CHECK(sv_starts(bench_condition(&b, "RoleInSync"), SV("False StoreCannotChange: ")));
    left = arena_dup(&a, json_str(bench_kept(&b, "status.roleLeft"), SV("")));
    CHECK(left.n);
    fake_stop(&b.store);
    bench_store(&b, never_tags, 4);
    pass(&b, "\"maxSessionDurationSeconds\":3600",
         arena_printf(
             &a,
             "{\"observedGeneration\":3,\"roleCreated\":true,\"roleLeft\":\"%.*s\",\"roleArn\":"
             "\"arn:aws:iam:::role/frontdesk-n-store\"}",
             SV_ARG(left))
             .p,
         HELD);
    CHECK(was_asked(&b, "Action=ListRoleTags"));
    CHECK(!was_asked(&b, "Action=TagRole") && !was_asked(&b, "Update") && !was_asked(&b, "Put"));
    bench_end(&b);
}

#define WAY_OUT                                                                                \
    "put its manifest back with spec.deletionPolicy: Retain and remove it again to let it go " \
    "and leave at the store what is there"

static void what_is_deleted_takes_its_role_along_and_then_lets_go(void)
{
    static const struct fake_reply replies[] = {ROLE("3600"), NO_POLICIES, OUR_TAGS, DONE};
    struct worker_bench b = {0};

    bench_begin(&b);
    bench_store(&b, replies, 4);
    pass(&b, "", OURS, HELD | DELETING);
    CHECK_INT(b.job.err.code, ERR_NONE);
    CHECK(was_asked(&b, "Action=DeleteRole&Version=2010-05-08&RoleName=frontdesk-n-store"));
    CHECK_INT(json_count(bench_kept(&b, "metadata.finalizers")), 0);
    bench_end(&b);
}

static void a_role_that_does_not_bear_our_mark_any_more_is_left_there(void)
{
    static const struct fake_reply replies[] = {ROLE("3600"), NO_POLICIES, NO_TAGS};
    struct worker_bench b = {0};

    bench_begin(&b);
    bench_store(&b, replies, 3);
    pass(&b, "", OURS, HELD | DELETING);
    CHECK_INT(b.job.err.code, ERR_NONE);
    CHECK(only_asked(&b));
    CHECK_INT(json_count(bench_kept(&b, "metadata.finalizers")), 0);
    bench_end(&b);
}

static void what_is_retained_is_not_even_asked_for(void)
{
    struct worker_bench b = {0};

    bench_begin(&b);
    pass(&b, "\"deletionPolicy\":\"Retain\"", OURS, HELD | DELETING | NO_KEYS);
    CHECK_INT(b.job.err.code, ERR_NONE);
    CHECK_INT(json_count(bench_kept(&b, "metadata.finalizers")), 0);
    bench_end(&b);
}

static void a_deletion_that_cannot_go_on_names_what_blocks_it_and_holds(void)
{
    static const struct fake_reply replies[] = {DENIED};
    struct worker_bench b = {0};

    bench_begin(&b);
    bench_store(&b, replies, 1);
    pass(&b, "", OURS, HELD | DELETING);
    CHECK_SV(
        bench_condition(&b, "Ready"),
        SV("False DeletionBlocked: role frontdesk-n-store: reading the role: the store answered "
           "403 AccessDenied; " WAY_OUT));
    CHECK_INT(json_count(bench_kept(&b, "metadata.finalizers")), 1);
    CHECK(b.job.err.code != ERR_NONE);
    bench_end(&b);
}

static void a_deletion_without_keys_says_which_and_the_way_out(void)
{
    struct worker_bench b = {0};

    bench_begin(&b);
    pass(&b, "", OURS, HELD | DELETING | NO_KEYS);
    CHECK_SV(bench_condition(&b, "Ready"),
             SV("False DeletionBlocked: spec.credentialsSecretRef: Secret keys is missing or lacks "
                "access-key-id and secret-access-key; " WAY_OUT));
    CHECK_INT(json_count(bench_kept(&b, "metadata.finalizers")), 1);
    bench_end(&b);
}

static void what_made_nothing_goes_without_keys_and_without_a_store(void)
{
    struct worker_bench b = {0};

    bench_begin(&b);
    pass(&b, OBSERVED, "{\"roleArn\":\"arn:aws:iam:::role/theirs\"}", HELD | DELETING | NO_KEYS);
    CHECK_INT(b.job.err.code, ERR_NONE);
    CHECK_INT(json_count(bench_kept(&b, "metadata.finalizers")), 0);
    bench_end(&b);
}

static void statements_of_ours_in_a_bucket_are_not_left_behind_for_lack_of_keys(void)
{
    struct worker_bench b = {0};

    bench_begin(&b);
    pass(&b, OBSERVED, "{\"bucketPolicyWritten\":true}", HELD | DELETING | NO_KEYS);
    CHECK(sv_starts(bench_condition(&b, "Ready"), SV("False DeletionBlocked: ")));
    CHECK_INT(b.job.err.code, ERR_UNAVAILABLE);
    bench_end(&b);
}

static void a_role_that_is_gone_holds_up_no_deletion_though_a_probe_was_cut_short(void)
{
    static const struct fake_reply replies[] = {NO_ROLE};
    struct worker_bench b = {0};

    bench_begin(&b);
    bench_store(&b, replies, 1);
    pass(&b, "",
         "{\"roleCreated\":true,\"roleArn\":\"arn:aws:iam:::role/frontdesk-n-store\",\"probing\":"
         "\"s3://warehouse/.frontdesk-probe-1/\"}",
         HELD | DELETING);
    CHECK_INT(b.job.err.code, ERR_NONE);
    CHECK_INT(json_count(bench_kept(&b, "metadata.finalizers")), 0);
    bench_end(&b);
}

static void a_role_is_taken_down_under_the_name_that_it_was_made_under(void)
{
    static const struct fake_reply replies[] = {ROLE("3600"), NO_POLICIES, OUR_TAGS, DONE};
    struct worker_bench b = {0};

    bench_begin(&b);
    bench_store(&b, replies, 4);
    pass(&b, NAMED, OURS, HELD | DELETING);
    CHECK(was_asked(&b, "Action=DeleteRole&Version=2010-05-08&RoleName=frontdesk-n-store"));
    bench_end(&b);
}

static void a_second_role_is_not_made_over_the_one_that_was_made(void)
{
    struct worker_bench b = {0};

    bench_begin(&b);
    pass(&b, NAMED, OURS, HELD);
    CHECK_SV(bench_condition(&b, "Ready"),
             SV("False RoleNameChanged: spec.roleArn: the role frontdesk-n-store was created for "
                "this integration already; make a new object for the role theirs"));
    bench_end(&b);
}

/* Its status cannot be written: it comes again all the same. */
static void a_blocked_deletion_is_tried_again_though_no_status_can_say_so(void)
{
    struct worker_bench b = {0};
    char *folder;

    bench_begin(&b);
    folder = arena_cstr(&b.arena, b.options.state_dir);
    NEED(rename(folder, arena_printf(&b.arena, "%s-away", folder).p) == 0);
    pass(&b, "", OURS, HELD | DELETING | NO_KEYS);
    CHECK_INT(b.job.err.code, ERR_UNAVAILABLE);
    NEED(rename(arena_printf(&b.arena, "%s-away", folder).p, folder) == 0);
    bench_end(&b);
}

static void the_scope_is_another_for_another_template_or_place(void)
{
    static const char *const specs[] = {
        "\"allowedLocations\":[\"s3://warehouse/a/*\"]",
        "\"roleArn\":\"arn:aws:iam:::role/another\"",
        "\"policyTemplates\":{\"read\":\"x\"}",
        "\"policyTemplates\":{\"write\":\"x\"}",
    };
    struct worker_bench b = {0};
    auto_arena a = {0};
    struct sv seen[4];

    bench_begin(&b);
    for (size_t i = 0; i < 4; i++) {
        pass(&b, specs[i], "null", NO_KEYS);
        seen[i] = arena_dup(&a, integration_scope(&b.job.resource->storage_integration, &a));
        for (size_t j = 0; j < i; j++)
            CHECK(!sv_eq(seen[i], seen[j]));
    }
    bench_end(&b);
}

SUITE("control/integration", TEST(what_a_store_cannot_change_is_tried_once_and_not_again),
      TEST(a_secret_that_is_missing_is_named), TEST(what_is_suspended_without_keys_is_not_ready),
      TEST(an_admin_secret_that_is_missing_is_named),
      TEST(a_spec_that_is_wrong_is_neither_probed_nor_vended_from),
      TEST(somebody_elses_role_is_only_looked_at), TEST(an_observed_role_that_is_missing_is_named),
      TEST(keys_that_would_outlive_the_role_are_refused_with_both_numbers),
      TEST(a_store_that_is_busy_takes_nothing_back_that_was_proved),
      TEST(a_suspended_integration_is_left_alone_and_vended_from_if_that_very_scope_was_verified),
      TEST(what_is_deleted_takes_its_role_along_and_then_lets_go),
      TEST(a_role_that_does_not_bear_our_mark_any_more_is_left_there),
      TEST(what_is_retained_is_not_even_asked_for),
      TEST(a_deletion_that_cannot_go_on_names_what_blocks_it_and_holds),
      TEST(a_deletion_without_keys_says_which_and_the_way_out),
      TEST(what_made_nothing_goes_without_keys_and_without_a_store),
      TEST(statements_of_ours_in_a_bucket_are_not_left_behind_for_lack_of_keys),
      TEST(a_role_that_is_gone_holds_up_no_deletion_though_a_probe_was_cut_short),
      TEST(a_role_is_taken_down_under_the_name_that_it_was_made_under),
      TEST(a_second_role_is_not_made_over_the_one_that_was_made),
      TEST(a_blocked_deletion_is_tried_again_though_no_status_can_say_so),
      TEST(the_scope_is_another_for_another_template_or_place))
