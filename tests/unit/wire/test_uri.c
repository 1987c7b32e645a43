/* test_uri.c - parts of a URI and percent-encoding. */
#include "unit/suite.h"
#include "unit/wire/drawn.h"
#include "wire/uri.h"

static bool reads(struct sv text)
{
    struct uri u;
    struct err e = {0};

    return uri_read(text, &u, &e);
}

static void a_uri_is_taken_apart(void)
{
    struct uri u;
    struct err e = {0};

    NEED_OK(uri_read(SV("https://s3.example.com:8443/b/k%2Fx?versionId=1?&y"), &u, &e), &e);
    CHECK_SV(u.scheme, SV("https"));
    CHECK_SV(u.host, SV("s3.example.com"));
    CHECK_INT(u.port, 8443);
    CHECK_SV(u.authority, SV("s3.example.com:8443"));
    CHECK_SV(u.path, SV("/b/k%2Fx"));
    CHECK_SV(u.query, SV("versionId=1?&y"));
}

static void what_is_absent_is_empty(void)
{
    struct uri u;
    struct err e = {0};

    NEED_OK(uri_read(SV("s3://bucket"), &u, &e), &e);
    CHECK_SV(u.host, SV("bucket"));
    CHECK_INT(u.port, 0);
    CHECK_SV(u.path, SV(""));
    CHECK_SV(u.query, SV(""));
    NEED_OK(uri_read(SV("http://h?q"), &u, &e), &e);
    CHECK_SV(u.path, SV(""));
    CHECK_SV(u.query, SV("q"));
}

static void an_ipv6_host_loses_its_brackets(void)
{
    struct uri u;
    struct err e = {0};

    NEED_OK(uri_read(SV("http://[2001:db8::1]:9000/x"), &u, &e), &e);
    CHECK_SV(u.host, SV("2001:db8::1"));
    CHECK_SV(u.authority, SV("[2001:db8::1]:9000"));
    CHECK_INT(u.port, 9000);
    CHECK(!reads(SV("http://[::1/")));
    CHECK(!reads(SV("http://[]/")));
    CHECK(!reads(SV("http://[::1]x/")));
    CHECK(!reads(SV("http://[evil.example]/")));
    CHECK(!reads(SV("http://a[b]/")));
}

static void a_file_needs_no_host(void)
{
    CHECK(reads(SV("file:///var/lib/x")));
    CHECK(!reads(SV("s3:///key")));
    CHECK(!reads(SV("https://:443/")));
}

static void schemes_are_the_six_in_any_case(void)
{
    CHECK(reads(SV("S3A://b/k")));
    CHECK(reads(SV("s3n://b")));
    CHECK(reads(SV("HTTP://h")));
    CHECK(!reads(SV("ftp://h/")));
    CHECK(!reads(SV("gs://b/k")));
    CHECK(!reads(SV("//h/")));
    CHECK(!reads(SV("https:/h")));
    CHECK(!reads(SV("https:h")));
    CHECK(!reads(SV("")));
}

static void what_may_mislead_is_refused(void)
{
    CHECK(!reads(SV("https://user:password@h/")));
    CHECK(!reads(SV("https://good.example@evil.example/")));
    CHECK(!reads(SV("https://h/#fragment")));
    CHECK(!reads(SV("https://h/a b")));
    CHECK(!reads(SV("https://h/a\tb")));
    CHECK(!reads(SV("https://h/\r\nX: y")));
    CHECK(!reads(SV("https://h/\x7f")));
    CHECK(!reads(SV("https://h\0.evil.example/")));
}

static void ports_run_from_1_to_65535(void)
{
    CHECK(reads(SV("http://h:1/")));
    CHECK(reads(SV("http://h:65535/")));
    CHECK(!reads(SV("http://h:0/")));
    CHECK(!reads(SV("http://h:65536/")));
    CHECK(!reads(SV("http://h:/")));
    CHECK(!reads(SV("http://h:-1/")));
    CHECK(!reads(SV("http://h:80:80/")));
    CHECK(!reads(SV("http://h:99999999999999999999/")));
}

static void encoding_leaves_the_unreserved_and_the_kept(void)
{
    auto_arena a = {0};
    struct buf b = buf_new(&a, 100);

    CHECK_SV(uri_encoded(&a, SV("AZaz09-._~")), SV("AZaz09-._~"));
    CHECK_SV(uri_encoded(&a, SV("a b+c/d%\xc3\xa4*'")), SV("a%20b%2Bc%2Fd%25%C3%A4%2A%27"));
    uri_encode(&b, SV("a/b c"), SV("/"));
    CHECK_SV(buf_sv(&b), SV("a/b%20c"));
}

static void decoding_turns_a_plus_into_a_blank_only_when_asked(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct sv out;

    NEED_OK(uri_decode(SV("a+b%20c%2bd"), true, &a, &out, &e), &e);
    CHECK_SV(out, SV("a b c+d"));
    NEED_OK(uri_decode(SV("a+b%1Fc"), false, &a, &out, &e), &e);
    CHECK_SV(out, SV("a+b\x1f"
                     "c"));
}

static void bad_escapes_and_nuls_are_refused(void)
{
    static const struct sv wrong[] = {SV_INIT("%"),   SV_INIT("a%4"),   SV_INIT("%zz"),
                                      SV_INIT("%4g"), SV_INIT("a%00b"), SV_INIT("a\0b"),
                                      SV_INIT("%%"),  SV_INIT("%u00e4")};
    auto_arena a = {0};
    struct err e = {0};
    struct sv out = SV("unset");

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CHECK(!uri_decode(wrong[i], false, &a, &out, &e));
    CHECK_SV(out, SV("unset"));
}

static void an_escape_is_decoded_once(void)
{
    auto_arena a = {0};
    struct err e = {0};
    struct sv out;

    NEED_OK(uri_decode(SV("%252F"), false, &a, &out, &e), &e);
    CHECK_SV(out, SV("%2F"));
}

static void whatever_is_encoded_is_decoded_the_same(void)
{
    state = from_environment("FRONTDESK_SEED", 9);
    for (uint64_t i = from_environment("FRONTDESK_DRAWS", 1000); i; i--) {
        auto_arena a = {0};
        struct sv text = drawn_text(&a, 20), encoded = uri_encoded(&a, text), again;
        struct err e = {0};

        for (int plus = 0; plus < 2; plus++) {
            NEED_OK(uri_decode(encoded, plus, &a, &again, &e), &e);
            CHECK_SV(again, text);
        }
    }
}

SUITE("wire/uri", TEST(a_uri_is_taken_apart), TEST(what_is_absent_is_empty),
      TEST(an_ipv6_host_loses_its_brackets), TEST(a_file_needs_no_host),
      TEST(schemes_are_the_six_in_any_case), TEST(what_may_mislead_is_refused),
      TEST(ports_run_from_1_to_65535), TEST(encoding_leaves_the_unreserved_and_the_kept),
      TEST(decoding_turns_a_plus_into_a_blank_only_when_asked),
      TEST(bad_escapes_and_nuls_are_refused), TEST(an_escape_is_decoded_once),
      TEST(whatever_is_encoded_is_decoded_the_same))
