/* fuzz_table_metadata.c - a metadata file of anybody's: what is taken can be looked at, committed
 * to and read again, and what we do not know survives. */
/* layer: iceberg */
#include <assert.h>
#include <stdint.h>

#include "iceberg/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct json *json(const char *text, struct arena *a)
{
    struct json *v = NULL;
    struct err e = {0};

    if (!json_read(sv_from(text), a, &v, &e))
        assert(false && "the target's own JSON is wrong");
    return v;
}

static void look_at(const struct json *m, struct arena *a)
{
    const struct metadata_write write = {SV("s3://b/0"), SV("s3://b/1"), SV("s3://b/2")};
    struct claimed_locations claims = {0};
    struct metadata_facts facts;

    metadata_facts(m, a, &facts);
    metadata_claims(m, a, &claims);
    assert(facts.location.n > 0 && claims.n > 0);
    (void)metadata_file(m, SV("s3://b/t/metadata/00041-x.metadata.json"), SV("u"), a);
    (void)metadata_write_applied(m, &write);
    assert(json_count(json_get(metadata_refs_only(m, a), SV("snapshots"))) <=
           json_count(json_get(m, SV("snapshots"))));
}

static void check_survivors(const struct json *before, const struct json *after)
{
    static const struct sv ours[] = {SV_INIT("properties"), SV_INIT("metadata-log"),
                                     SV_INIT("last-updated-ms"), SV_INIT("schema"),
                                     SV_INIT("partition-spec")};
    struct json *value;
    struct sv name;

    for (size_t i = 0; json_member(before, i, &name, &value); i++) {
        bool known = false;

        for (size_t j = 0; j < sizeof(ours) / sizeof(ours[0]); j++)
            known = known || sv_eq(name, ours[j]);
        assert(known || json_eq(value, json_get(after, name)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct commit_options o = {.base_location = SV("s3://b/t/metadata/00041-x.metadata.json"),
                                     .now_ms = 5000};
    auto_arena a = {0};
    struct json *m, *again;
    struct err e = {0};
    struct commit_result result;

    if (!metadata_read(sv_of((const char *)data, size), &a, &m, &e)) {
        assert(e.msg[0]);
        return 0;
    }
    look_at(m, &a);
    if (!metadata_commit(m,
                         json("{\"requirements\":[],\"updates\":[{\"action\":\"set-properties\","
                              "\"updates\":{\"fuzz\":\"1\"}}]}",
                              &a),
                         &o, &a, &result, &e)) {
        assert(e.code == ERR_INVALID && e.msg[0]);
        return 0;
    }
    check_survivors(m, result.metadata);
    if (!metadata_read(json_text(&a, result.metadata), &a, &again, &e))
        assert(false && "what was committed does not read");
    look_at(result.metadata, &a);
    return 0;
}
