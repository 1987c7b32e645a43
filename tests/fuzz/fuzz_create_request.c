/* fuzz_create_request.c - a table of anybody's wishes: refused with a reason, or a first metadata
 * that reads again, can be committed to, and bears no id twice. */
/* layer: iceberg */
#include <assert.h>
#include <stdint.h>

#include "iceberg/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct json *no_op(struct arena *a)
{
    struct json *request = json_new_object(a);

    json_set(request, SV("requirements"), json_new_array(a));
    json_set(request, SV("updates"), json_new_array(a));
    return request;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct create_options create = {SV("9c12d441-03fe-4693-9a96-a0705ddf69c1"),
                                          SV("s3://b/t"), 1000};
    const struct commit_options commit = {
        .base_location = SV("s3://b/t/metadata/00000-x.metadata.json"), .now_ms = 5000};
    auto_arena a = {0};
    struct json *request, *m;
    struct err e = {0};
    struct commit_result result;

    if (!json_read(sv_of((const char *)data, size), &a, &request, &e))
        return 0;
    if (!metadata_create(request, &create, &a, &m, &e)) {
        assert(e.code == ERR_INVALID && e.msg[0]);
        return 0;
    }
    if (!metadata_read(json_text(&a, m), &a, &m, &e) ||
        !metadata_commit(m, no_op(&a), &commit, &a, &result, &e))
        assert(false && "what was created does not read");
    assert(!result.changed && json_eq(m, result.metadata));
    return 0;
}
