/*
 * suite.h - CUnit with values: what was got, what was wanted.
 *
 *     static void claim(void) { CHECK_SV(got, SV("want")); }
 *     SUITE("layer/module", TEST(claim))
 *
 * One executable per file; NEED ends the test when it fails. Leaks fail the run (LeakSanitizer).
 */
#ifndef UNIT_SUITE_H
#define UNIT_SUITE_H

#include <CUnit/Basic.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/sv.h"

#define CHECK(claim) \
    CU_assertImplementation((claim) ? CU_TRUE : CU_FALSE, __LINE__, #claim, __FILE__, "", CU_FALSE)
#define NEED(claim) \
    CU_assertImplementation((claim) ? CU_TRUE : CU_FALSE, __LINE__, #claim, __FILE__, "", CU_TRUE)

static inline void check_sv(struct sv got, struct sv want, int line, const char *file)
{
    char text[1024];

    (void)snprintf(text, sizeof(text), "got \"%.480s\" want \"%.480s\"", got.n ? got.p : "",
                   want.n ? want.p : "");
    CU_assertImplementation(sv_eq(got, want) ? CU_TRUE : CU_FALSE, (unsigned)line, text, file, "",
                            CU_FALSE);
}

static inline void check_int(int64_t got, int64_t want, int line, const char *file)
{
    char text[80];

    (void)snprintf(text, sizeof(text), "got %" PRId64 " want %" PRId64, got, want);
    CU_assertImplementation(got == want ? CU_TRUE : CU_FALSE, (unsigned)line, text, file, "",
                            CU_FALSE);
}

#define CHECK_SV(got, want)  check_sv((got), (want), __LINE__, __FILE__)
#define CHECK_INT(got, want) check_int((int64_t)(got), (int64_t)(want), __LINE__, __FILE__)
/* The call succeeded; if not, show why. */
#define CHECK_OK(call, e)                                                     \
    do {                                                                      \
        if (!(call))                                                          \
            check_sv(sv_from((e)->msg), SV("(success)"), __LINE__, __FILE__); \
    } while (0)
#define NEED_OK(call, e)                                                      \
    do {                                                                      \
        if (!(call)) {                                                        \
            check_sv(sv_from((e)->msg), SV("(success)"), __LINE__, __FILE__); \
            NEED(0 && #call);                                                 \
        }                                                                     \
    } while (0)

#define TEST(claim)   \
    {                 \
#claim, claim \
    }
#define SUITE(name, ...)                                              \
    int main(void)                                                    \
    {                                                                 \
        static const struct {                                         \
            const char *claim;                                        \
            CU_TestFunc run;                                          \
        } tests[] = {__VA_ARGS__};                                    \
        CU_pSuite suite;                                              \
        unsigned failed;                                              \
                                                                      \
        if (CU_initialize_registry() != CUE_SUCCESS)                  \
            return 2;                                                 \
        suite = CU_add_suite(name, NULL, NULL);                       \
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) \
            CU_add_test(suite, tests[i].claim, tests[i].run);         \
        CU_basic_set_mode(CU_BRM_NORMAL);                             \
        CU_basic_run_tests();                                         \
        failed = CU_get_number_of_failures();                         \
        CU_cleanup_registry();                                        \
        return failed ? 1 : 0;                                        \
    }

#endif
