/* test_err.c - the one error. */
#include "base/err.h"
#include "unit/suite.h"

static void setting_is_always_false(void)
{
    struct err e = {0};

    CHECK(!err_set(&e, ERR_INVALID, "token of %d bytes, at most %d", 9000, 8192));
    CHECK_INT(e.code, ERR_INVALID);
    CHECK_SV(sv_from(e.msg), SV("token of 9000 bytes, at most 8192"));
}

static void wrapping_keeps_the_code_and_goes_in_front(void)
{
    struct err e = {0};

    (void)err_set(&e, ERR_UNAVAILABLE, "timed out");
    CHECK(!err_wrap(&e, "role %s", "etl"));
    CHECK_INT(e.code, ERR_UNAVAILABLE);
    CHECK_SV(sv_from(e.msg), SV("role etl: timed out"));
}

static void a_long_message_is_cut_at_a_character(void)
{
    struct err e = {0};
    char text[400];

    for (size_t i = 0; i + 2 < sizeof(text); i += 2) {
        text[i] = (char)0xc3;
        text[i + 1] = (char)0xa4;
    }
    text[398] = '\0';
    (void)err_set(&e, ERR_INVALID, "x%s", text);
    CHECK(sv_ends(sv_from(e.msg), SV("\xa4...")));
    CHECK(sv_from(e.msg).n < sizeof(e.msg));
}

SUITE("base/err", TEST(setting_is_always_false), TEST(wrapping_keeps_the_code_and_goes_in_front),
      TEST(a_long_message_is_cut_at_a_character))
