/* test_sigv4.c - signatures against the examples of the S3 documentation. */
#include "sign/sigv4.h"
#include "unit/suite.h"

/* 2013-05-24T00:00:00Z, as in "Signature Calculations for the Authorization Header" (S3 API
 * reference). */
static const int64_t EXAMPLE_MS = 1369353600000;

static struct credential example_key(void)
{
    return (struct credential){
        .access_key_id = SV("AKIAIOSFODNN7EXAMPLE"),
        .secret_access_key = secret_of(SV("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")),
    };
}

static struct sv authorization(struct sv url, struct arena *a)
{
    struct http_request req = {.method = HTTP_GET, .target = url};
    struct credential key = example_key();
    struct sigv4_scope scope = {SV("us-east-1"), SV("s3")};
    struct err e = {0};

    CHECK_OK(sigv4_sign(&req, &key, &scope, EXAMPLE_MS, a, &e), &e);
    return http_header_text(&req.headers, SV("Authorization"));
}

static void a_sub_resource_is_signed_as_documented(void)
{
    auto_arena a = {0};

    CHECK_SV(
        authorization(SV("https://examplebucket.s3.amazonaws.com/?lifecycle"), &a),
        SV("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
           "SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
           "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
}

static void a_listing_is_signed_as_documented_in_any_order_of_parameters(void)
{
    auto_arena a = {0};
    struct sv want = SV("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");

    CHECK(sv_ends(
        authorization(SV("https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J"), &a),
        want));
    CHECK(sv_ends(
        authorization(SV("https://examplebucket.s3.amazonaws.com/?prefix=J&max-keys=2"), &a),
        want));
}

static void a_session_token_is_sent_and_signed(void)
{
    auto_arena a = {0};
    struct http_request req = {
        .method = HTTP_PUT, .target = SV("http://h:7480/b/k"), .body = SV("x")};
    struct credential key = example_key();
    struct sigv4_scope scope = {SV("r"), SV("s3")};
    struct err e = {0};

    key.session_token = secret_of(SV("TOKEN"));
    NEED_OK(sigv4_sign(&req, &key, &scope, EXAMPLE_MS, &a, &e), &e);
    CHECK_SV(http_header_text(&req.headers, SV("x-amz-security-token")), SV("TOKEN"));
    CHECK_SV(http_header_text(&req.headers, SV("Host")), SV("h:7480"));
    CHECK(sv_contains(http_header_text(&req.headers, SV("Authorization")),
                      SV("host;x-amz-content-sha256;x-amz-date;x-amz-security-token")));
}

static void a_control_byte_in_a_header_is_refused(void)
{
    auto_arena a = {0};
    struct http_request req = {.method = HTTP_GET, .target = SV("http://h/")};
    struct credential key = example_key();
    struct sigv4_scope scope = {SV("r"), SV("s3")};
    struct err e = {0};

    http_header_add(&req.headers, &a, SV("x-amz-meta-a"), SV("b\nc"));
    CHECK(!sigv4_sign(&req, &key, &scope, EXAMPLE_MS, &a, &e));
    CHECK_INT(e.code, ERR_INVALID);
}

SUITE("sign/sigv4", TEST(a_sub_resource_is_signed_as_documented),
      TEST(a_listing_is_signed_as_documented_in_any_order_of_parameters),
      TEST(a_session_token_is_sent_and_signed), TEST(a_control_byte_in_a_header_is_refused))
