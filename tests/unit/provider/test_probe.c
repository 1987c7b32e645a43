/* test_probe.c - a store with one fault each: the probe finds it, names it, and leaves nothing. */
#include "provider/provider.h"
#include "unit/suite.h"

/* What the store does wrong. */
enum fault {
    NO_FAULT,
    REFUSES_INSIDE,
    OPEN_LIST,
    OPEN_GET,
    OPEN_PUT,
    OPEN_MULTIPART,
    OPEN_ASSUME,
    ABSENT_IS_404,
    BULK_WORKS,
    DOWN
};

struct store {
    enum fault fault;
    int objects, uploads; /* there now */
};

#define UPLOAD \
    "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>"

static bool is_multipart(const struct http_request *r)
{
    return sv_ends(r->target, SV("?uploads="));
}

static bool allows(const struct store *s, const struct http_request *r)
{
    bool list = sv_contains(r->target, SV("list-type=2"));

    if (sv_contains(r->target, SV("uploadId=")))
        return true;
    if (sv_contains(r->target, SV("a/in/object")) || sv_ends(r->target, SV("prefix=a%2Fin%2F")))
        return s->fault != REFUSES_INSIDE || r->method != HTTP_GET || list;
    switch (s->fault) {
    case OPEN_LIST:
        return list;
    case OPEN_GET:
        return r->method == HTTP_GET && !list;
    case OPEN_PUT:
        return r->method == HTTP_PUT || r->method == HTTP_DELETE;
    case OPEN_MULTIPART:
        return is_multipart(r);
    default:
        return false;
    }
}

static void count(struct store *s, const struct http_request *r)
{
    bool part = sv_contains(r->target, SV("uploadId="));

    if (is_multipart(r))
        s->uploads++;
    else if (part && r->method == HTTP_DELETE)
        s->uploads--;
    else if (!part && r->method == HTTP_PUT)
        s->objects++;
    else if (!part && r->method == HTTP_DELETE)
        s->objects--;
}

static struct http_response serve(struct store *s, const struct http_request *r)
{
    if (s->fault == DOWN)
        return (struct http_response){.status = 503};
    if (sv_contains(r->body, SV("Action=AssumeRole")))
        return (struct http_response){.status = s->fault == OPEN_ASSUME ? 200 : 403};
    if (sv_ends(r->target, SV("?delete=")))
        return (struct http_response){.status = s->fault == BULK_WORKS ? 200 : 403,
                                      .body = SV("<DeleteResult/>")};
    if (!allows(s, r)) {
        bool absent = s->fault == ABSENT_IS_404 && r->method == HTTP_GET &&
                      !sv_contains(r->target, SV("list-type"));

        return (struct http_response){.status = absent ? 404 : 403};
    }
    count(s, r);
    return (struct http_response){.status = 200, .body = is_multipart(r) ? SV(UPLOAD) : SV("")};
}

/* Runs a probe against the store; false when it fails. */
static bool probe(struct store *s, bool outside, struct arena *a, struct probe_result *out,
                  struct err *e)
{
    struct target t = {.bucket = SV("bkt"),
                       .region = SV("us-east-1"),
                       .endpoint = SV("http://store"),
                       .sts_endpoint = SV("http://store"),
                       .sts_region = SV("us-east-1"),
                       .path_style = true};
    struct credential key = {.access_key_id = SV("K"), .secret_access_key = secret_of(SV("S"))};
    struct exchange x = {
        .target = &t, .arena = a, .key = &key, .place = {SV("bkt"), SV("a/in/")}
    };

    if (outside)
        x.outside = (struct location){SV("bkt"), SV("far/")};
    while (provider_find(PROVIDER_CEPH_RGW)->probe(&x, e)) {
        if (x.done) {
            *out = x.probe;
            return true;
        }
        NEED(x.round < 50);
        x.in = serve(s, &x.out);
        x.round++;
    }
    return false;
}

static void check_probe(enum fault fault, const char *failure)
{
    auto_arena a = {0};
    struct store s = {.fault = fault};
    struct probe_result r = {0};
    struct err e = {0};

    NEED_OK(probe(&s, true, &a, &r, &e), &e);
    CHECK_SV(r.failure, sv_from(failure));
    CHECK_INT(r.verified, failure[0] == 0);
    CHECK_INT(s.objects, 0);
    CHECK_INT(s.uploads, 0);
    CHECK_INT(r.bulk_delete, fault == BULK_WORKS);
}

static void a_narrow_store_is_verified_and_left_empty(void)
{
    check_probe(NO_FAULT, "");
}

static void a_404_for_what_is_absent_is_no_hole(void)
{
    check_probe(ABSENT_IS_404, "");
}

static void a_refusal_inside_is_named(void)
{
    check_probe(REFUSES_INSIDE, "get inside its own folder was refused");
}

static void each_operation_that_works_outside_is_named(void)
{
    check_probe(OPEN_LIST, "list outside its own folder was not refused");
    check_probe(OPEN_GET, "get outside its own folder was not refused");
    check_probe(OPEN_PUT, "put outside its own folder was not refused");
}

static void an_upload_begun_outside_is_named_and_aborted(void)
{
    check_probe(OPEN_MULTIPART, "multipart outside its own folder was not refused");
}

static void a_session_that_sheds_its_policy_is_named(void)
{
    check_probe(OPEN_ASSUME, "a narrowed session could assume the role again and shed its policy");
}

static void bulk_delete_is_a_capability(void)
{
    check_probe(BULK_WORKS, "");
}

static void without_an_outside_the_neighbour_is_tried(void)
{
    auto_arena a = {0};
    struct store s = {.fault = OPEN_LIST};
    struct probe_result r = {0};
    struct err e = {0};

    NEED_OK(probe(&s, false, &a, &r, &e), &e);
    CHECK(r.outside[PROBE_LIST]);
    CHECK(!r.verified);
}

static void a_store_that_is_down_proves_nothing(void)
{
    auto_arena a = {0};
    struct store s = {.fault = DOWN};
    struct probe_result r = {0};
    struct err e = {0};

    CHECK(!probe(&s, true, &a, &r, &e));
    CHECK_INT(e.code, ERR_UNAVAILABLE);
}

SUITE("provider/probe", TEST(a_narrow_store_is_verified_and_left_empty),
      TEST(a_404_for_what_is_absent_is_no_hole), TEST(a_refusal_inside_is_named),
      TEST(each_operation_that_works_outside_is_named),
      TEST(an_upload_begun_outside_is_named_and_aborted),
      TEST(a_session_that_sheds_its_policy_is_named), TEST(bulk_delete_is_a_capability),
      TEST(without_an_outside_the_neighbour_is_tried), TEST(a_store_that_is_down_proves_nothing))
