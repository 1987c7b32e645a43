/* test_base64.c - base64 and base64url. */
#include "unit/suite.h"
#include "wire/base64.h"

static bool decodes(struct sv text)
{
    auto_arena a = {0};
    struct sv out;
    struct err e = {0};

    return base64_decode(text, &a, &out, &e);
}

static bool decodes_url(struct sv text)
{
    auto_arena a = {0};
    struct sv out;
    struct err e = {0};

    return base64url_decode(text, &a, &out, &e);
}

static void the_vectors_of_rfc_4648_hold(void)
{
    static const struct {
        struct sv plain, text;
    } vectors[] = {
        {SV_INIT(""),       SV_INIT("")        },
        {SV_INIT("f"),      SV_INIT("Zg==")    },
        {SV_INIT("fo"),     SV_INIT("Zm8=")    },
        {SV_INIT("foo"),    SV_INIT("Zm9v")    },
        {SV_INIT("foob"),   SV_INIT("Zm9vYg==")},
        {SV_INIT("fooba"),  SV_INIT("Zm9vYmE=")},
        {SV_INIT("foobar"), SV_INIT("Zm9vYmFy")},
    };
    auto_arena a = {0};
    struct err e = {0};

    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct sv back = SV("unset");

        CHECK_SV(base64_encode(&a, vectors[i].plain), vectors[i].text);
        CHECK_SV(base64url_encode(&a, vectors[i].plain), sv_trim_end(vectors[i].text, '='));
        CHECK_OK(base64_decode(vectors[i].text, &a, &back, &e), &e);
        CHECK_SV(back, vectors[i].plain);
    }
}

static void each_alphabet_has_its_own_last_two_digits(void)
{
    auto_arena a = {0};

    CHECK_SV(base64_encode(&a, SV("\xfb\xff\xfe")), SV("+//+"));
    CHECK_SV(base64url_encode(&a, SV("\xfb\xff\xfe")), SV("-__-"));
    CHECK(!decodes(SV("-__-")));
    CHECK(!decodes_url(SV("+//+")));
}

static void every_byte_reads_back(void)
{
    auto_arena a = {0};
    struct err e = {0};
    char bytes[256];
    struct sv back;

    for (int i = 0; i < 256; i++)
        bytes[i] = (char)(unsigned char)i;
    for (size_t n = 250; n <= 256; n++) {
        NEED_OK(base64_decode(base64_encode(&a, sv_of(bytes, n)), &a, &back, &e), &e);
        CHECK(sv_eq(back, sv_of(bytes, n)));
        NEED_OK(base64url_decode(base64url_encode(&a, sv_of(bytes, n)), &a, &back, &e), &e);
        CHECK(sv_eq(back, sv_of(bytes, n)));
    }
}

static void padding_is_needed_there_and_refused_here(void)
{
    CHECK(decodes(SV("Zg==")));
    CHECK(!decodes(SV("Zg")));
    CHECK(!decodes(SV("Zg=")));
    CHECK(!decodes(SV("Z===")));
    CHECK(!decodes(SV("====")));
    CHECK(!decodes(SV("Zg==Zg==")));
    CHECK(decodes_url(SV("Zg")));
    CHECK(!decodes_url(SV("Zg==")));
    CHECK(!decodes_url(SV("Z")));
}

static void one_value_has_one_text(void)
{
    CHECK(!decodes(SV("Zh==")));
    CHECK(!decodes_url(SV("Zh")));
    CHECK(!decodes_url(SV("Zm9")));
}

static void no_other_byte_is_read_over(void)
{
    CHECK(!decodes(SV("Zm 9v")));
    CHECK(!decodes(SV("Zm9v\n")));
    CHECK(!decodes(SV("Zm9v\r\n\r\n")));
    CHECK(!decodes(SV("Zm\0v")));
    CHECK(!decodes_url(SV("Zm9\xff")));
}

SUITE("wire/base64", TEST(the_vectors_of_rfc_4648_hold),
      TEST(each_alphabet_has_its_own_last_two_digits), TEST(every_byte_reads_back),
      TEST(padding_is_needed_there_and_refused_here), TEST(one_value_has_one_text),
      TEST(no_other_byte_is_read_over))
