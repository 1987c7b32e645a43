/* table.h - what the tests of the table format share: a table, and what a commit makes of it. */
#ifndef UNIT_ICEBERG_TABLE_H
#define UNIT_ICEBERG_TABLE_H

#include "iceberg/metadata.h"
#include "unit/suite.h"

static inline struct json *json(const char *text, struct arena *a)
{
    struct json *v = NULL;
    struct err e = {0};

    CHECK_OK(json_read(sv_from(text), a, &v, &e), &e);
    return v;
}

static inline struct json *table(struct arena *a)
{
    struct create_options o = {SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"), SV("s3://b/t"), 1000};
    struct json *m = NULL;
    struct err e = {0};

    NEED_OK(
        metadata_create(
            json(
                "{\"name\":\"t\",\"schema\":{\"type\":\"struct\",\"fields\":["
                "{\"id\":10,\"name\":\"a\",\"required\":true,\"type\":\"long\"},"
                "{\"id\":20,\"name\":\"s\",\"required\":false,\"type\":{\"type\":\"struct\",\"fields\":["
                "{\"id\":21,\"name\":\"x\",\"required\":false,\"type\":\"int\"}]}},"
                "{\"id\":30,\"name\":\"b\",\"required\":false,\"type\":\"string\"}]},"
                "\"partition-spec\":{\"fields\":[{\"source-id\":30,\"name\":\"b\",\"transform\":\"identity\"}]},"
                "\"properties\":{\"owner\":\"me\",\"format-version\":\"2\"}}",
                a),
            &o, a, &m, &e),
        &e);
    return m;
}

static inline enum err_code commit(struct json *base, const char *requirements, const char *updates,
                                   struct arena *a, struct json **out)
{
    struct commit_options o = {.base_location = SV("s3://b/t/metadata/00000-x.metadata.json"),
                               .now_ms = 5000};
    struct json *request = json_new_object(a);
    struct err e = {0};
    struct commit_result result;

    json_set(request, SV("requirements"), json(requirements, a));
    json_set(request, SV("updates"), json(updates, a));
    if (!metadata_commit(base, request, &o, a, &result, &e))
        return e.code;
    *out = result.metadata;
    return ERR_NONE;
}

/* The same, with what the refusal says. */
static inline struct err refusal(struct json *base, const char *requirements, const char *updates,
                                 struct arena *a)
{
    struct commit_options o = {.base_location = SV("s3://b/t/metadata/00000-x.metadata.json"),
                               .now_ms = 5000};
    struct json *request = json_new_object(a);
    struct err e = {0};
    struct commit_result ignored;

    json_set(request, SV("requirements"), json(requirements, a));
    json_set(request, SV("updates"), json(updates, a));
    if (metadata_commit(base, request, &o, a, &ignored, &e))
        e.code = ERR_NONE;
    return e;
}

/* A wrong request, and a part of what it is told. */
struct wrong {
    const char *text, *says;
};

static inline void check_refused(const struct err *e, enum err_code code, const struct wrong *w)
{
    CHECK_INT(e->code, code);
    if (!sv_contains(sv_from(e->msg), sv_from(w->says)))
        CHECK_SV(sv_from(e->msg), sv_from(w->says));
}

static inline struct json *upgraded(struct json *base, const char *format, struct arena *a)
{
    struct json *m = NULL;

    NEED(commit(base, "[]",
                arena_printf(a, "[{\"action\":\"upgrade-format-version\",\"format-version\":%s}]",
                             format)
                    .p,
                a, &m) == ERR_NONE);
    return m;
}

#define SNAPSHOT(id, sequence, more)                                                                                    \
    "{\"action\":\"add-snapshot\",\"snapshot\":{\"snapshot-id\":" id                                                    \
    ",\"sequence-number\":" sequence                                                                                    \
    ",\"timestamp-ms\":4000,\"manifest-list\":\"s3://b/t/metadata/l.avro\",\"summary\":{\"operation\":\"append\"}" more \
    "}}"
#define MAIN(id)                                                                                     \
    "{\"action\":\"set-snapshot-ref\",\"ref-name\":\"main\",\"type\":\"branch\",\"snapshot-id\":" id \
    "}"

#endif
