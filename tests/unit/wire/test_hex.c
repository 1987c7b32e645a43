/* test_hex.c - bytes as hexadecimal digits. */
#include "unit/suite.h"
#include "wire/hex.h"

static void digits_are_lower_case_and_two_per_byte(void)
{
    auto_arena a = {0};

    CHECK_SV(hex_encode(&a, SV("\x00\x01\x7f\x80\xab\xff")), SV("00017f80abff"));
    CHECK_SV(hex_encode(&a, SV("")), SV(""));
}

static void nothing_is_written_behind_the_digits(void)
{
    char out[] = "------";

    hex_write(out, "\xc3\xa4", 2);
    CHECK_SV(sv_from(out), SV("c3a4--"));
}

SUITE("wire/hex", TEST(digits_are_lower_case_and_two_per_byte),
      TEST(nothing_is_written_behind_the_digits))
