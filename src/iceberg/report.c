/* report.c - what engines report of their scans and commits. */
#include "iceberg/report.h"

#include "base/limits.h"

enum { NAME_BYTES = 60 };

/* UTF-8 is cut between characters. */
static struct sv shortened(struct sv v)
{
    if (v.n <= NAME_BYTES)
        return v;
    v.n = NAME_BYTES;
    while (v.n && ((unsigned char)v.p[v.n] & 0xc0U) == 0x80)
        v.n--;
    return v;
}

static void copy_number(struct json *to, struct arena *a, const char *name, const struct json *v)
{
    if (json_kind(v) == JSON_INT)
        json_set_i64(to, a, sv_from(name), json_i64(v, 0));
}

/* A counter's value, a timer's duration in its own unit. */
static struct json *measured(const struct json *metric, struct arena *a)
{
    const struct json *value = json_get(metric, SV("value"));

    if (!value)
        value = json_get(metric, SV("total-duration"));
    return json_kind(value) == JSON_INT ? json_new_i64(a, json_i64(value, 0)) : NULL;
}

static struct json *summary_of(const struct json *body, struct sv type, struct arena *a)
{
    const struct json *metrics = json_get(body, SV("metrics"));
    struct json *out = json_new_object(a), *kept = json_new_object(a), *metric, *value;
    struct sv operation = json_get_str(body, SV("operation")), name;

    json_set_str(out, a, SV("type"), type);
    copy_number(out, a, "snapshotId", json_get(body, SV("snapshot-id")));
    copy_number(out, a, "sequenceNumber", json_get(body, SV("sequence-number")));
    if (operation.n)
        json_set_str(out, a, SV("operation"), shortened(operation));
    for (size_t i = 0;
         json_count(kept) < LIMIT_REPORT_METRICS && json_member(metrics, i, &name, &metric); i++) {
        value = measured(metric, a);
        if (value)
            json_set(kept, shortened(name), value);
    }
    json_set(out, SV("metrics"), kept);
    return out;
}

bool report_read(const struct json *body, struct arena *a, struct report *out, struct err *e)
{
    struct sv type = json_get_str(body, SV("report-type"));
    bool of_commit = sv_eq(type, SV("commit-report"));

    if (!of_commit && !sv_eq(type, SV("scan-report")))
        return err_set(e, ERR_INVALID, "report-type must be scan-report or commit-report");
    if (json_kind(json_get(body, SV("metrics"))) != JSON_OBJECT)
        return err_set(e, ERR_INVALID, "metrics: an object is required");
    *out = (struct report){of_commit, summary_of(body, type, a)};
    return true;
}
