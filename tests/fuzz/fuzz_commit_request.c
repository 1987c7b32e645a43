/* fuzz_commit_request.c - a commit of anybody's on tables of each format and on none: it is refused
 * with a reason, or what comes of it reads again and no counter has gone back. */
/* layer: iceberg */
#include <assert.h>
#include <stdint.h>

#include "iceberg/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS                                                                    \
    "\"fields\":[{\"id\":1,\"name\":\"id\",\"required\":true,\"type\":\"int\"},"  \
    "{\"id\":2,\"name\":\"day\",\"required\":false,\"type\":\"date\"},"           \
    "{\"id\":3,\"name\":\"tags\",\"required\":false,\"type\":{\"type\":\"list\"," \
    "\"element-id\":4,\"element\":\"string\",\"element-required\":false}}]"
#define SNAPSHOTS                                                                                                                                                                      \
    "\"current-snapshot-id\":2,\"refs\":{\"main\":{\"snapshot-id\":2,\"type\":\"branch\"},"                                                                                            \
    "\"first\":{\"snapshot-id\":1,\"type\":\"tag\"}},\"snapshots\":["                                                                                                                  \
    "{\"snapshot-id\":1,\"sequence-number\":1,\"timestamp-ms\":1000,\"manifest-list\":\"s3://b/t/metadata/1.avro\",\"summary\":{\"operation\":\"append\"}},"                           \
    "{\"snapshot-id\":2,\"parent-snapshot-id\":1,\"sequence-number\":2,\"timestamp-ms\":2000,\"manifest-list\":\"s3://b/t/metadata/2.avro\",\"summary\":{\"operation\":\"append\"}}]," \
    "\"snapshot-log\":[{\"snapshot-id\":1,\"timestamp-ms\":1000},{\"snapshot-id\":2,\"timestamp-ms\":2000}]"
#define TABLE(format, more)                                                                   \
    "{\"format-version\":" format ",\"table-uuid\":\"9c12d441-03fe-4693-9a96-a0705ddf69c1\"," \
    "\"location\":\"s3://b/t\",\"last-updated-ms\":2000,\"last-column-id\":4,\"schemas\":["   \
    "{\"type\":\"struct\",\"schema-id\":0," FIELDS "}],\"current-schema-id\":0,"              \
    "\"partition-specs\":[{\"spec-id\":0,\"fields\":[{\"source-id\":2,\"field-id\":1000,"     \
    "\"name\":\"day\",\"transform\":\"identity\"}]}],\"default-spec-id\":0,"                  \
    "\"last-partition-id\":1000,\"sort-orders\":[{\"order-id\":0,\"fields\":[]}],"            \
    "\"default-sort-order-id\":0,\"properties\":{\"owner\":\"me\"}," SNAPSHOTS more "}"

static const char *const bases[] = {
    NULL,
    TABLE("1", ""),
    TABLE("2", ",\"last-sequence-number\":2"),
    TABLE("3", ",\"last-sequence-number\":2,\"next-row-id\":100"),
};

static void check_forward(const struct json *before, const struct json *after)
{
    static const char *const counters[] = {"format-version",       "last-updated-ms",
                                           "last-column-id",       "last-partition-id",
                                           "last-sequence-number", "next-row-id"};

    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        assert(json_i64(json_get(after, sv_from(counters[i])), 0) >=
               json_i64(json_get(before, sv_from(counters[i])), 0));
    if (before)
        assert(json_eq(json_get(before, SV("table-uuid")), json_get(after, SV("table-uuid"))));
}

static void commit(const char *text, const struct json *request)
{
    const struct commit_options o = {.base_location = SV("s3://b/t/metadata/00041-x.metadata.json"),
                                     .now_ms = 5000};
    auto_arena a = {0};
    struct json *base = NULL, *again;
    struct err e = {0};
    struct commit_result result;

    if (text && !json_read(sv_from(text), &a, &base, &e))
        assert(false && "the target's own JSON is wrong");
    if (!metadata_commit(base, request, &o, &a, &result, &e)) {
        assert(e.code == ERR_INVALID || e.code == ERR_CONFLICT || e.code == ERR_NOT_FOUND);
        assert(e.msg[0]);
        if (base)
            (void)metadata_applied(base, request);
        return;
    }
    if (base)
        assert(sv_eq(json_text(&a, base), sv_from(text)));
    check_forward(base, result.metadata);
    if (!metadata_read(json_text(&a, result.metadata), &a, &again, &e))
        assert(false && "what was committed does not read");
    (void)metadata_applied(result.metadata, request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        auto_arena a = {0};
        struct json *request;
        struct err e = {0};

        if (!json_read(sv_of((const char *)data, size), &a, &request, &e))
            return 0;
        commit(bases[i], request);
    }
    return 0;
}
