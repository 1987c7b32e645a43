/* test_report.c - what engines report, and what is kept of it. */
#include "base/limits.h"
#include "iceberg/report.h"
#include "unit/iceberg/table.h"

static struct sv kept(const char *body, struct arena *a)
{
    struct report r;
    struct err e = {0};

    if (!report_read(json(body, a), a, &r, &e))
        return e.code == ERR_INVALID ? SV("refused") : SV("?");
    return json_text(a, r.summary);
}

static void numbers_are_kept_and_free_text_is_not(void)
{
    auto_arena a = {0};

    CHECK_SV(
        kept(
            "{\"report-type\":\"scan-report\",\"table-name\":\"c.n.t\",\"snapshot-id\":9007199254740993,"
            "\"filter\":{\"type\":\"eq\",\"term\":\"ssn\",\"value\":\"078-05\"},\"schema-id\":0,"
            "\"projected-field-ids\":[1],\"projected-field-names\":[\"ssn\"],\"metadata\":{\"k\":\"v\"},"
            "\"metrics\":{\"total-planning-duration\":{\"count\":1,\"time-unit\":\"nanoseconds\","
            "\"total-duration\":2644235116},\"result-data-files\":{\"unit\":\"count\",\"value\":1},"
            "\"odd\":{\"value\":\"text\"},\"worse\":7}}",
            &a),
        SV("{\"type\":\"scan-report\",\"snapshotId\":9007199254740993,"
           "\"metrics\":{\"total-planning-duration\":2644235116,\"result-data-files\":1}}"));
    CHECK_SV(kept("{\"report-type\":\"commit-report\",\"snapshot-id\":1,\"sequence-number\":2,"
                  "\"operation\":\"append\",\"metrics\":{}}",
                  &a),
             SV("{\"type\":\"commit-report\",\"snapshotId\":1,\"sequenceNumber\":2,"
                "\"operation\":\"append\",\"metrics\":{}}"));
}

static void what_is_no_report_is_refused(void)
{
    static const char *const wrong[] = {"{}",
                                        "{\"metrics\":{}}",
                                        "{\"report-type\":\"scan-report\"}",
                                        "{\"report-type\":\"scan-report\",\"metrics\":[]}",
                                        "{\"report-type\":\"other\",\"metrics\":{}}",
                                        "{\"report-type\":7,\"metrics\":{}}",
                                        "[]",
                                        NULL};
    auto_arena a = {0};

    for (const char *const *w = wrong; *w; w++)
        CHECK_SV(kept(*w, &a), SV("refused"));
}

static void names_are_cut_between_characters_and_counted(void)
{
    auto_arena a = {0};
    struct json *body = json("{\"report-type\":\"scan-report\",\"metrics\":{}}", &a),
                *metrics = json_get(body, SV("metrics"));
    struct report r;
    struct err e = {0};

    for (int i = 0; i < 200; i++)
        json_set(metrics, arena_printf(&a, "metric-%d", i), json("{\"value\":1}", &a));
    NEED_OK(report_read(body, &a, &r, &e), &e);
    CHECK_INT(json_count(json_get(r.summary, SV("metrics"))), LIMIT_REPORT_METRICS);
    CHECK_SV(
        kept(
            "{\"report-type\":\"scan-report\",\"metrics\":{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "aaaaaaaaaaaaaaaaaaa\xc3\xa9\":{\"value\":1}}}",
            &a),
        SV("{\"type\":\"scan-report\",\"metrics\":{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
           "aaaaaaaaaaaaaaaaaaa\":1}}"));
}

SUITE("iceberg/report", TEST(numbers_are_kept_and_free_text_is_not),
      TEST(what_is_no_report_is_refused), TEST(names_are_cut_between_characters_and_counted))
