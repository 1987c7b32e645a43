/* test_session.c - a session opens its folders, says so in JSON, and fits what stores take. */
#include "base/limits.h"
#include "provider/provider.h"
#include "unit/suite.h"

enum { ALL = ACCESS_READ | ACCESS_WRITE | ACCESS_DELETE | ACCESS_LIST };
#define READ_POLICY                                                                      \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":"       \
    "[\"s3:GetObject\"],\"Resource\":[\"arn:aws:s3:::bkt/t/*\"]},{\"Effect\":\"Allow\"," \
    "\"Action\":\"s3:ListBucket\",\"Resource\":\"arn:aws:s3:::bkt\",\"Condition\":"      \
    "{\"StringLike\":{\"s3:prefix\":[\"t/*\"]}}}]}"

static struct target at(const struct provider *p, const char *role_arn)
{
    return (struct target){.provider = p, .role_arn = sv_from(role_arn)};
}

static bool make_for(const struct session_ask *ask, struct arena *a, struct sv *out, struct err *e)
{
    struct target t = at(provider_find(PROVIDER_AWS), "arn:aws:iam::123456789012:role/r");

    return session_policy(&t, ask, a, out, e);
}

static bool make(const char *key, unsigned access, struct arena *a, struct sv *out, struct err *e)
{
    struct location folder = {SV("bkt"), sv_from(key)};

    return make_for(&(struct session_ask){.folders = &folder, .n_folders = 1, .access = access}, a,
                    out, e);
}

static void reading_opens_get_and_list_of_one_folder(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct sv text = {0};

    NEED_OK(make("t/", ACCESS_READ | ACCESS_LIST, &a, &text, &e), &e);
    CHECK_SV(text, SV(READ_POLICY));
}

static void each_bit_opens_its_actions_only(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct sv text = {0};

    NEED_OK(make("t/", ACCESS_WRITE, &a, &text, &e), &e);
    CHECK(sv_contains(text, SV("s3:PutObject")));
    CHECK(!sv_contains(text, SV("s3:GetObject")));
    CHECK(!sv_contains(text, SV("s3:DeleteObject")));
    CHECK(!sv_contains(text, SV("s3:ListBucket\"")));
    NEED_OK(make("t/", ACCESS_DELETE, &a, &text, &e), &e);
    CHECK(!sv_contains(text, SV("s3:PutObject")));
}

static void a_name_cannot_leave_its_json_string(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct json *policy = NULL;
    struct sv text = {0};

    NEED_OK(make("t\"],\"x/", ALL, &a, &text, &e), &e);
    NEED_OK(json_read(text, &a, &policy, &e), &e);
    CHECK_SV(
        json_str(
            json_at(json_get(json_at(json_get(policy, SV("Statement")), 0), SV("Resource")), 0),
            (struct sv){0}),
        SV("arn:aws:s3:::bkt/t\"],\"x/*"));
}

static void what_a_policy_cannot_say_is_refused(void)
{
    static const char *const keys[] = {"", "t", "a*/", "a?/", "${x}/", "a:b/", "a\\b/", "a\nb/"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        auto_arena a = {0};
        struct err e = {0};
        struct sv text = {0};

        CHECK(!make(keys[i], ALL, &a, &text, &e));
        CHECK_INT(e.code, ERR_INVALID);
    }
}

static void a_policy_for_nothing_is_refused(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct sv text = {0};

    CHECK(!make("t/", 0, &a, &text, &e));
    CHECK(!make_for(&(struct session_ask){.access = ALL}, &a, &text, &e));
}

static void two_buckets_are_refused(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct sv text = {0};
    struct location folders[] = {
        {SV("one"), SV("t/")},
        {SV("two"), SV("t/")}
    };

    CHECK(!make_for(&(struct session_ask){.folders = folders, .n_folders = 2, .access = ALL}, &a,
                    &text, &e));
    CHECK_INT(e.code, ERR_INVALID);
}

static void a_policy_past_what_stores_take_is_refused(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct sv text = {0};
    struct buf key = buf_new(&a, LIMIT_LOCATION_BYTES);

    for (int i = 0; i < 1000; i++)
        buf_addc(&key, 'k');
    buf_addc(&key, '/');
    CHECK(!make(arena_cstr(&a, buf_sv(&key)), ALL, &a, &text, &e));
    CHECK_INT(e.code, ERR_INVALID);
}

#define TEMPLATE                                                                               \
    "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Sid\": \"One\", \"Effect\": \"Allow\", " \
    "\"Action\": \"s3:*\", \"Resource\": \"arn:aws:s3:::{{.Bucket}}/{{.KeyPrefix}}/*\"}, "     \
    "{\"Effect\": \"Allow\", \"Action\": \"s3:GetBucketLocation\", \"Resource\": "             \
    "\"arn:aws:s3:::{{.Bucket}}\"}]}"
#define OPENS(key) \
    "{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::bkt/" key "/*\"}"
#define NO_METADATA                                                  \
    "{\"Effect\":\"Deny\",\"Action\":\"s3:PutObject\",\"Resource\":" \
    "[\"arn:aws:s3:::bkt/*.metadata.json*\"]}"
#define LOCATES                                                               \
    "{\"Effect\":\"Allow\",\"Action\":\"s3:GetBucketLocation\",\"Resource\":" \
    "\"arn:aws:s3:::bkt\"}"

static bool fill(const char *template_, size_t n, unsigned access, struct arena *a, struct sv *out,
                 struct err *e)
{
    static const struct location folders[] = {
        {SV_INIT("bkt"), SV_INIT("t/")   },
        {SV_INIT("bkt"), SV_INIT("data/")},
        {SV_INIT("bkt"), SV_INIT("meta/")}
    };

    return make_for(&(struct session_ask){folders, n, access, sv_from(template_), false}, a, out,
                    e);
}

static void a_template_takes_the_place_of_ours(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct sv text = {0};

    NEED_OK(fill(TEMPLATE, 1, ALL, &a, &text, &e), &e);
    CHECK_SV(text, SV("{\"Version\":\"2012-10-17\",\"Statement\":[" OPENS(
                       "t") "," LOCATES "," NO_METADATA "]}"));
}

static void a_template_is_filled_for_each_folder(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct sv text = {0};

    NEED_OK(fill(TEMPLATE, 3, ALL, &a, &text, &e), &e);
    CHECK_SV(text, SV("{\"Version\":\"2012-10-17\",\"Statement\":[" OPENS(
                       "t") "," LOCATES "," OPENS("data") "," OPENS("meta") "," NO_METADATA "]}"));
}

static void a_template_gives_no_right_that_the_caller_lacks(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct sv text = {0};

    NEED_OK(fill(TEMPLATE, 1, ACCESS_READ | ACCESS_LIST | ACCESS_DELETE, &a, &text, &e), &e);
    CHECK(sv_contains(text, SV(",{\"Effect\":\"Deny\",\"Action\":[\"s3:PutObject*\"],\"Resource\":"
                               "\"*\"}]}")));
    CHECK(!sv_contains(text, SV("metadata.json")));
    NEED_OK(fill(TEMPLATE, 1, ACCESS_READ | ACCESS_LIST | ACCESS_WRITE, &a, &text, &e), &e);
    CHECK(sv_contains(text, SV("\"Deny\",\"Action\":[\"s3:DeleteObject*\"]")));
    NEED_OK(fill(TEMPLATE, 1, ACCESS_READ | ACCESS_LIST, &a, &text, &e), &e);
    CHECK(sv_contains(text, SV("\"Deny\",\"Action\":[\"s3:PutObject*\",\"s3:DeleteObject*\"]")));
}

static void a_template_of_one_statement_needs_no_list(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct sv text = {0};

    NEED_OK(fill("{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":"
                 "\"arn:aws:s3:::{{.Bucket}}/{{.KeyPrefix}}/*\"}}",
                 2, ALL, &a, &text, &e),
            &e);
    CHECK_SV(text, SV("{\"Statement\":[" OPENS("t") "," OPENS("data") "," NO_METADATA "]}"));
}

static void a_template_too_long_for_its_folders_is_refused_and_says_so(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct sv text = {0};
    struct location folders[12];
    struct session_ask ask = {folders, 12, ALL, SV(TEMPLATE), false};

    for (int i = 0; i < 12; i++)
        folders[i] = (struct location){
            SV("bkt"),
            arena_printf(&a, "a-folder-with-a-name-that-is-much-too-long-%d-%060d/", i, i)};
    CHECK(!make_for(&ask, &a, &text, &e));
    CHECK_INT(e.code, ERR_INVALID);
    CHECK(sv_contains(sv_from(e.msg), SV("policyTemplates, filled for 12 folders")));
}

/* ---- metadata files, and a store that takes a denial of a copy for a grant ---- */

static struct sv policy_at(enum storage_provider provider, const struct session_ask *ask,
                           struct arena *a)
{
    struct target t = at(provider_find(provider), "arn:aws:iam:::role/r");
    struct sv text = {0};
    struct err e = {0};

    NEED_OK(session_policy(&t, ask, a, &text, &e), &e);
    return text;
}

static void nobody_but_the_catalog_writes_metadata_files(void)
{
    static const enum storage_provider stores[] = {PROVIDER_AWS, PROVIDER_CEPH_RGW,
                                                   PROVIDER_S3_COMPATIBLE};
    static const struct location folders[] = {
        {SV_INIT("bkt"), SV_INIT("t/")   },
        {SV_INIT("bkt"), SV_INIT("meta/")}
    };

    for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
        auto_arena a = {0};
        struct session_ask ask = {.folders = folders, .n_folders = 2, .access = ALL};

        CHECK(sv_contains(policy_at(stores[i], &ask, &a),
                          SV("{\"Effect\":\"Deny\",\"Action\":\"s3:PutObject\",\"Resource\":"
                             "[\"arn:aws:s3:::bkt/*.metadata.json*\"")));
        ask.access = ACCESS_READ | ACCESS_DELETE | ACCESS_LIST;
        CHECK(!sv_contains(policy_at(stores[i], &ask, &a), SV("Deny")));
        ask.access = ALL;
        ask.for_us = true;
        CHECK(!sv_contains(policy_at(stores[i], &ask, &a), SV("Deny")));
        CHECK(!sv_contains(policy_at(stores[i], &ask, &a), SV("copy-source")));
    }
}

static void where_stars_never_go_back_a_folder_with_a_dot_is_written_out(void)
{
    static const struct location folders[] = {
        {SV_INIT("bkt"), SV_INIT("plain/")     },
        {SV_INIT("bkt"), SV_INIT("sales.db/t/")}
    };
    auto_arena a = {0};
    struct session_ask ask = {.folders = folders, .n_folders = 2, .access = ALL};
    struct sv text = policy_at(PROVIDER_CEPH_RGW, &ask, &a);

    CHECK(sv_contains(text, SV("[\"arn:aws:s3:::bkt/*.metadata.json*\","
                               "\"arn:aws:s3:::bkt/*.*.metadata.json*\","
                               "\"arn:aws:s3:::bkt/sales.db/t/*.metadata.json*\","
                               "\"arn:aws:s3:::bkt/sales.db/t/*.*.metadata.json*\"]")));
    CHECK(!sv_contains(policy_at(PROVIDER_AWS, &ask, &a), SV("sales.db/t/*.metadata")));
}

/* As many statements of the policy as speak of PutObject or all actions; each leaves copies out. */
static void check_no_copies(struct sv text, size_t n, struct arena *a)
{
    struct json *policy = NULL;
    const struct json *list;
    struct err e = {0};
    size_t found = 0;

    NEED_OK(json_read(text, a, &policy, &e), &e);
    list = json_get(policy, SV("Statement"));
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *s = json_at(list, i), *null = json_path(s, SV("Condition.Null"));

        found += sv_eq(json_get_str(null, SV("s3:x-amz-copy-source")), SV("true"));
    }
    CHECK_INT(found, n);
}

static void no_statement_matches_copies_where_a_denial_would_open_them(void)
{
    static const struct location folder = {SV_INIT("bkt"), SV_INIT("t/")};
    static const struct {
        const char *template_;
        unsigned access;
        size_t n;
    } rows[] = {
        {"",                                                                                   ALL,                       2},
        {"",                                                                                   ACCESS_READ | ACCESS_LIST, 0},
 /* What opens puts, what is denied on top, and not what only locates. */
        {TEMPLATE,                                                                             ALL,                       2},
        {TEMPLATE,                                                                             ACCESS_READ | ACCESS_LIST, 2},
        {"{\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"S3:GetObject\",\"s3:put*\"],\"Resource\":"
         "\"r\",\"Condition\":{\"null\":{\"aws:x\":\"true\"},\"Bool\":{\"aws:y\":\"true\"}}},"
         "{\"Effect\":\"Deny\",\"NotAction\":\"s3:GetObject\",\"Resource\":\"*\"}]}", ALL,                       2},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena a = {0};
        struct session_ask ask = {&folder, 1, rows[i].access, sv_from(rows[i].template_), false};
        struct sv text = policy_at(PROVIDER_CEPH_RGW, &ask, &a);

        check_no_copies(text, rows[i].n, &a);
        check_no_copies(policy_at(PROVIDER_AWS, &ask, &a), 0, &a);
    }
}

static void a_statement_of_copies_alone_is_left_out_there(void)
{
    static const struct location folder = {SV_INIT("bkt"), SV_INIT("t/")};
    auto_arena a = {0};
    struct session_ask ask = {
        &folder, 1, ALL,
        SV("{\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"s3:PutObject\",\"Resource\":\"*\","
           "\"Condition\":{\"StringLike\":{\"S3:X-AMZ-copy-source\":\"x\"}}}]}"),
        false};

    CHECK(!sv_contains(policy_at(PROVIDER_CEPH_RGW, &ask, &a), SV("StringLike")));
    CHECK(sv_contains(policy_at(PROVIDER_AWS, &ask, &a), SV("StringLike")));
}

static void arns_bear_the_partition_of_the_role_at_aws(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct sv text = {0};
    struct location folder = {SV("bkt"), SV("t/")};
    struct session_ask ask = {.folders = &folder, .n_folders = 1, .access = ALL};
    struct target t = at(provider_find(PROVIDER_AWS), "arn:aws-cn:iam::123456789012:role/r");

    NEED_OK(session_policy(&t, &ask, &a, &text, &e), &e);
    CHECK(sv_contains(text, SV("\"arn:aws-cn:s3:::bkt/t/*\"")));
    CHECK(sv_contains(text, SV("\"arn:aws-cn:s3:::bkt\"")));
    CHECK(!sv_contains(text, SV("arn:aws:")));
}

static void a_session_opens_the_keys_of_an_encrypted_bucket(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct sv text = {0};
    struct location folder = {SV("bkt"), SV("t/")};
    struct session_ask ask = {.folders = &folder, .n_folders = 1, .access = ACCESS_READ};
    struct target t = at(provider_find(PROVIDER_AWS), "arn:aws:iam::123456789012:role/r");

    vec_push(&t.kms_key_arns, &a, SV("arn:aws:kms:us-east-1:123456789012:key/k"));
    NEED_OK(session_policy(&t, &ask, &a, &text, &e), &e);
    CHECK(sv_contains(text, SV("\"Action\":[\"kms:Decrypt\"],\"Resource\":"
                               "[\"arn:aws:kms:us-east-1:123456789012:key/k\"]")));
    ask.access = ACCESS_WRITE;
    NEED_OK(session_policy(&t, &ask, &a, &text, &e), &e);
    CHECK(sv_contains(text, SV("[\"kms:Decrypt\",\"kms:GenerateDataKey\"]")));
    ask.access = ACCESS_DELETE | ACCESS_LIST;
    NEED_OK(session_policy(&t, &ask, &a, &text, &e), &e);
    CHECK(!sv_contains(text, SV("kms:")));
}

static void other_stores_know_one_partition(void)
{
    CHECK_SV(arn_partition(provider_find(PROVIDER_CEPH_RGW), SV("arn:aws-cn:iam:::role/r")),
             SV("aws"));
    CHECK_SV(arn_partition(provider_find(PROVIDER_AWS), SV("arn:aws-us-gov:iam::1:role/r")),
             SV("aws-us-gov"));
    CHECK_SV(arn_partition(provider_find(PROVIDER_AWS), SV("")), SV("aws"));
    CHECK_SV(arn_partition(provider_find(PROVIDER_AWS), SV("arn:aws\":iam::1:role/r")), SV("aws"));
}

static struct sv name_of(const char *template_, const char *principal, struct arena *a)
{
    struct session_words words = {.principal = sv_from(principal),
                                  .table = SV("sales.orders"),
                                  .request = SV("0123456789abcdef0123456789abcdef")};

    return session_name(sv_from(template_), &words, a);
}

static void a_session_name_keeps_to_the_alphabet(void)
{
    auto_arena a = {0};

    CHECK_SV(name_of("{principal}.{table}", "jo hn/\xc3\xa9+", &a), SV("jo-hn----.sales.orders"));
}

static void a_long_session_name_keeps_its_request(void)
{
    auto_arena a = {0};
    struct sv name = name_of("{principal}.{table}.{request}",
                             "a-principal-with-a-name-that-is-much-too-long-for-a-session", &a);

    CHECK_INT(name.n, LIMIT_SESSION_NAME_CHARS);
    CHECK(sv_ends(name, SV("0123456789abcdef0123456789abcdef")));
}

static void a_session_name_is_never_too_short(void)
{
    auto_arena a = {0};

    CHECK_SV(name_of("", "x", &a), SV("frontdesk"));
    CHECK_SV(name_of("{principal}", "x", &a), SV("frontdesk"));
}

static void a_session_is_tagged_with_who_and_what_first(void)
{
    auto_arena a = {0};
    struct session_words words = {.principal = SV("l/al,ice\xc3\xa9"),
                                  .catalog = SV("c"),
                                  .namespace_ = SV("sales.eu"),
                                  .table = SV("t 1"),
                                  .request = SV("r1")};
    struct target t = {.tag_sessions = true};
    struct tags tags = session_tags(&t, &words, &a);

    NEED(tags.n == 5);
    CHECK_SV(tags.p[0].key, SV("polaris:principal"));
    CHECK_SV(tags.p[0].value, SV("l/al=2Cice=C3=A9"));
    CHECK_SV(tags.p[1].value, SV("t 1"));
    CHECK_SV(tags.p[SESSION_SUBJECT_TAGS].key, SV("polaris:request-id"));
    words.trace = SV("0af7651916cd43dd8448eb211c80319c");
    CHECK_INT(session_tags(&t, &words, &a).n, 5);
    t.trace_tag = true;
    CHECK_INT(session_tags(&t, &words, &a).n, 6);
    t.tag_sessions = false;
    CHECK_INT(session_tags(&t, &words, &a).n, 0);
}

static void a_tag_ends_where_token_services_stop(void)
{
    auto_arena a = {0};
    struct target t = {.tag_sessions = true};
    struct session_words words = {.table = arena_printf(&a, "%0300d", 7)};

    CHECK_INT(session_tags(&t, &words, &a).p[0].value.n, LIMIT_TAG_VALUE_CHARS);
}

static void two_names_have_two_tags(void)
{
    static const char *const names[] = {"a,b", "a-b",   "a=2Cb", "a b",    "a.b",
                                        "a/b", "a:b",   "a\"b",  "a\xc3_", "\"a.b\"",
                                        "a_b", "a=3Db", "=",     "=3D",    "a=b"};
    enum { N = sizeof(names) / sizeof(names[0]) };
    auto_arena a = {0};
    const struct target t = {.tag_sessions = true};
    struct sv tags[N], longs[2];

    for (size_t i = 0; i < N; i++) {
        const struct session_words words = {.table = sv_from(names[i])};

        tags[i] = session_tags(&t, &words, &a).p[0].value;
        for (size_t k = 0; k < i; k++)
            CHECK(!sv_eq(tags[i], tags[k]));
    }
    for (int i = 0; i < 2; i++) {
        const struct session_words words = {.table = arena_printf(&a, "%0300d%d", 7, i)};

        longs[i] = session_tags(&t, &words, &a).p[0].value;
    }
    CHECK(!sv_eq(longs[0], longs[1]));
}

SUITE("provider/session", TEST(reading_opens_get_and_list_of_one_folder),
      TEST(each_bit_opens_its_actions_only), TEST(a_name_cannot_leave_its_json_string),
      TEST(what_a_policy_cannot_say_is_refused), TEST(a_policy_for_nothing_is_refused),
      TEST(two_buckets_are_refused), TEST(a_policy_past_what_stores_take_is_refused),
      TEST(a_template_takes_the_place_of_ours), TEST(a_template_is_filled_for_each_folder),
      TEST(a_template_gives_no_right_that_the_caller_lacks),
      TEST(a_template_of_one_statement_needs_no_list),
      TEST(a_template_too_long_for_its_folders_is_refused_and_says_so),
      TEST(nobody_but_the_catalog_writes_metadata_files),
      TEST(where_stars_never_go_back_a_folder_with_a_dot_is_written_out),
      TEST(no_statement_matches_copies_where_a_denial_would_open_them),
      TEST(a_statement_of_copies_alone_is_left_out_there),
      TEST(arns_bear_the_partition_of_the_role_at_aws),
      TEST(a_session_opens_the_keys_of_an_encrypted_bucket), TEST(other_stores_know_one_partition),
      TEST(a_session_name_keeps_to_the_alphabet), TEST(a_long_session_name_keeps_its_request),
      TEST(a_session_name_is_never_too_short), TEST(a_session_is_tagged_with_who_and_what_first),
      TEST(two_names_have_two_tags), TEST(a_tag_ends_where_token_services_stop))
