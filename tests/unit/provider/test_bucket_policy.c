/* test_bucket_policy.c - our statements go in and out; everybody else's stay as they are. */
#include "provider/bucket_policy.h"
#include "unit/suite.h"

#define UID  SV("0b9c8a2e-0000-4000-8000-000000000001")
#define ROLE SV("arn:aws:iam::123456789012:role/r")
#define THEIRS                                                                                     \
    "{\"Sid\":\"Audit\",\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":" \
    "\"arn:aws:s3:::bkt/audit/*\"}"
#define DOCUMENT(statements) \
    "{\"Version\":\"2012-10-17\",\"Id\":\"x\",\"Statement\":" statements "}"

struct scene {
    struct arena arena;
    struct storage_integration w;
    struct bucket_policy p;
    struct err e;
};

static void begin(struct scene *s)
{
    *s = (struct scene){
        .w = {.provider = PROVIDER_AWS, .bucket = SV("bkt")}
    };
    vec_push(&s->w.allowed_locations, &s->arena, SV("s3://bkt/lake/"));
    vec_push(&s->w.kms_key_arns, &s->arena, SV("arn:aws:kms:us-east-1:123456789012:key/k"));
}

static bool put_in(struct scene *s, struct sv have)
{
    return bucket_policy_with(&(struct bucket_grant){&s->w, ROLE, UID}, have, &s->arena, &s->p,
                              &s->e);
}

static bool take_out(struct scene *s, struct sv have)
{
    return bucket_policy_without(UID, have, &s->arena, &s->p, &s->e);
}

static void our_statements_name_the_role_and_its_folders(void)
{
    struct scene s;
    struct json *v = NULL, *list;

    begin(&s);
    NEED_OK(put_in(&s, (struct sv){0}), &s.e);
    CHECK(!s.p.same);
    NEED_OK(json_read(s.p.text, &s.arena, &v, &s.e), &s.e);
    list = json_get(v, SV("Statement"));
    NEED(json_count(list) == 2);
    CHECK_SV(json_str(json_path(json_at(list, 0), SV("Principal.AWS")), SV("")), ROLE);
    CHECK(sv_starts(json_get_str(json_at(list, 1), SV("Sid")), SV("Frontdesk")));
    CHECK(sv_contains(s.p.text, SV("arn:aws:s3:::bkt/lake/*")));
    CHECK(!sv_contains(s.p.text, SV("kms:")));
    arena_done(&s.arena);
}

static void what_is_there_already_is_not_written_again(void)
{
    struct scene s;

    begin(&s);
    NEED_OK(put_in(&s, SV(DOCUMENT("[" THEIRS "]"))), &s.e);
    CHECK(!s.p.same);
    CHECK(sv_contains(s.p.text, SV(THEIRS)));
    NEED_OK(put_in(&s, arena_dup(&s.arena, s.p.text)), &s.e);
    CHECK(s.p.same);
    arena_done(&s.arena);
}

static void a_changed_folder_replaces_our_statements_only(void)
{
    struct scene s;
    struct sv before;

    begin(&s);
    NEED_OK(put_in(&s, SV(DOCUMENT(THEIRS))), &s.e);
    before = s.p.text;
    s.w.allowed_locations.p[0] = SV("s3://bkt/other/");
    NEED_OK(put_in(&s, before), &s.e);
    CHECK(!s.p.same);
    CHECK(sv_contains(s.p.text, SV(THEIRS)));
    CHECK(!sv_contains(s.p.text, SV("lake")));
    CHECK(sv_contains(s.p.text, SV("\"Id\":\"x\"")));
    arena_done(&s.arena);
}

static void ours_go_and_theirs_stay(void)
{
    struct scene s;

    begin(&s);
    NEED_OK(put_in(&s, SV(DOCUMENT("[" THEIRS "]"))), &s.e);
    NEED_OK(take_out(&s, s.p.text), &s.e);
    CHECK(!s.p.same);
    CHECK(policy_means_same(s.p.text, SV(DOCUMENT("[" THEIRS "]")), &s.arena));
    NEED_OK(take_out(&s, s.p.text), &s.e);
    CHECK(s.p.same);
    arena_done(&s.arena);
}

static void a_policy_of_ours_alone_goes_whole(void)
{
    struct scene s;

    begin(&s);
    NEED_OK(put_in(&s, (struct sv){0}), &s.e);
    NEED_OK(take_out(&s, s.p.text), &s.e);
    CHECK(!s.p.same);
    CHECK_INT(s.p.text.n, 0);
    NEED_OK(take_out(&s, (struct sv){0}), &s.e);
    CHECK(s.p.same);
    arena_done(&s.arena);
}

static void another_integrations_statements_are_not_ours(void)
{
    struct scene s;
    struct sv first;

    begin(&s);
    NEED_OK(put_in(&s, (struct sv){0}), &s.e);
    first = s.p.text;
    NEED_OK(bucket_policy_without(SV("another-uid"), first, &s.arena, &s.p, &s.e), &s.e);
    CHECK(s.p.same);
    arena_done(&s.arena);
}

static void a_policy_that_cannot_be_read_is_not_replaced(void)
{
    static const char *const bad[] = {"{", "[]", "{\"Statement\":7}", "<Error/>", "{}"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct scene s;

        begin(&s);
        CHECK(!put_in(&s, sv_from(bad[i])));
        CHECK(!take_out(&s, sv_from(bad[i])));
        CHECK_INT(s.e.code, ERR_INVALID);
        arena_done(&s.arena);
    }
}

static void a_bucket_without_a_policy_is_no_error(void)
{
    auto_arena a = {0};
    struct target t = {.endpoint = SV("http://store"),
                       .bucket = SV("bkt"),
                       .path_style = true,
                       .region = SV("us-east-1")};
    struct credential key = {.access_key_id = SV("A"), .secret_access_key = secret_of(SV("S"))};
    struct exchange x = {.target = &t, .arena = &a, .key = &key};
    struct err e = {0};

    NEED_OK(bucket_policy_get(&x, &e), &e);
    CHECK_SV(x.out.target, SV("http://store/bkt/?policy="));
    x.in = (struct http_response){.status = 404,
                                  .body = SV("<Error><Code>NoSuchBucketPolicy</Code></Error>")};
    x.round = 1;
    NEED_OK(bucket_policy_get(&x, &e), &e);
    CHECK(x.done);
    CHECK_INT(x.content.n, 0);
    /* What others have put into the policy would be written over. */
    x.in.body = SV("default backend - 404");
    CHECK(!bucket_policy_get(&x, &e));
    CHECK_INT(e.code, ERR_UNAVAILABLE);
    x.in = (struct http_response){.status = 200};
    CHECK(!bucket_policy_get(&x, &e));
    CHECK_INT(e.code, ERR_UNAVAILABLE);
    x.in.status = 403;
    CHECK(!bucket_policy_get(&x, &e));
    CHECK_INT(e.code, ERR_DENIED);
}

SUITE("provider/bucket_policy", TEST(our_statements_name_the_role_and_its_folders),
      TEST(what_is_there_already_is_not_written_again),
      TEST(a_changed_folder_replaces_our_statements_only), TEST(ours_go_and_theirs_stay),
      TEST(a_policy_of_ours_alone_goes_whole), TEST(another_integrations_statements_are_not_ours),
      TEST(a_policy_that_cannot_be_read_is_not_replaced),
      TEST(a_bucket_without_a_policy_is_no_error))
