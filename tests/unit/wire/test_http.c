/* test_http.c - HTTP messages as plain data. */
#include "unit/suite.h"
#include "wire/http.h"

static void every_method_reads_back(void)
{
    enum http_method back;

    for (unsigned m = 0; m < HTTP_METHOD_COUNT; m++) {
        NEED(http_method_read(http_method_text((enum http_method)m), &back));
        CHECK_INT(back, m);
    }
}

static void methods_are_known_in_upper_case_only(void)
{
    enum http_method m = HTTP_PATCH;

    CHECK(!http_method_read(SV("get"), &m));
    CHECK(!http_method_read(SV("TRACE"), &m));
    CHECK(!http_method_read(SV(""), &m));
    CHECK(!http_method_read(SV("GETX"), &m));
    CHECK_INT(m, HTTP_PATCH);
}

static void a_header_is_found_in_any_case_the_first_one(void)
{
    auto_arena a = {0};
    struct http_headers h = {0};

    http_header_add(&h, &a, SV("X-One"), SV("1"));
    http_header_add(&h, &a, SV("x-one"), SV("2"));
    http_header_add(&h, &a, SV("Empty"), SV(""));
    CHECK_SV(http_header_text(&h, SV("x-ONE")), SV("1"));
    CHECK(http_header(&h, SV("empty")) != NULL);
    CHECK(http_header(&h, SV("absent")) == NULL);
    CHECK_SV(http_header_text(&h, SV("absent")), SV(""));
}

static void setting_leaves_one_of_that_name(void)
{
    auto_arena a = {0};
    struct http_headers h = {0};

    http_header_add(&h, &a, SV("A"), SV("1"));
    http_header_add(&h, &a, SV("B"), SV("2"));
    http_header_add(&h, &a, SV("a"), SV("3"));
    http_header_set(&h, &a, SV("A"), SV("4"));
    CHECK_INT(h.n, 2);
    CHECK_SV(http_header_text(&h, SV("a")), SV("4"));
    CHECK_SV(http_header_text(&h, SV("b")), SV("2"));
}

static void a_status_has_its_registered_reason(void)
{
    CHECK_SV(sv_from(http_reason(200)), SV("OK"));
    CHECK_SV(sv_from(http_reason(419)), SV("Authentication Timeout"));
    CHECK_SV(sv_from(http_reason(599)), SV("Unknown"));
}

static void headers_of_one_name_are_one_list(void)
{
    auto_arena a = {0};
    struct http_headers h = {0};

    CHECK_SV(http_header_list(&h, SV("If-None-Match"), &a), SV(""));
    http_header_add(&h, &a, SV("If-None-Match"), SV("\"a\", \"b\""));
    CHECK_SV(http_header_list(&h, SV("if-none-match"), &a), SV("\"a\", \"b\""));
    http_header_add(&h, &a, SV("Other"), SV("x"));
    http_header_add(&h, &a, SV("if-none-MATCH"), SV("\"c\""));
    CHECK_SV(http_header_list(&h, SV("If-None-Match"), &a), SV("\"a\", \"b\",\"c\""));
    CHECK_INT(http_header_count(&h, SV("IF-NONE-MATCH")), 2);
    CHECK_INT(http_header_count(&h, SV("absent")), 0);
}

static void a_trace_id_is_taken_from_a_valid_header_only(void)
{
#define TRACE "0af7651916cd43dd8448eb211c80319c"
    static const struct {
        const char *header, *trace;
    } rows[] = {
        {"00-" TRACE "-b7ad6b7169203331-01",                        TRACE},
        {TRACE,                                                     ""   },
        {"00-" TRACE "0-b7ad6b7169203331-01",                       ""   },
        {"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", ""   },
        {"00-00000000000000000000000000000000-b7ad6b7169203331-01", ""   },
        {"",                                                        ""   },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        auto_arena a = {0};
        struct http_headers h = {0};

        http_header_add(&h, &a, SV("Traceparent"), sv_from(rows[i].header));
        CHECK_SV(http_trace_id(&h), sv_from(rows[i].trace));
    }
}

SUITE("wire/http", TEST(every_method_reads_back), TEST(methods_are_known_in_upper_case_only),
      TEST(a_header_is_found_in_any_case_the_first_one), TEST(setting_leaves_one_of_that_name),
      TEST(headers_of_one_name_are_one_list), TEST(a_status_has_its_registered_reason),
      TEST(a_trace_id_is_taken_from_a_valid_header_only))
