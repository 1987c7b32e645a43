/* fuzz_view.c - what anybody sends about views, and what lies in the bucket as one's metadata: it
 * is refused with a reason, or what comes of it reads again. */
/* layer: iceberg */
#include <assert.h>
#include <stdint.h>

#include "iceberg/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define UUID "9c12d441-03fe-4693-9a96-a0705ddf69c1"
static const char base_text[] =
    "{\"view-uuid\":\"" UUID "\",\"format-version\":1,\"location\":\"s3://b/v\",\"schemas\":["
    "{\"type\":\"struct\",\"schema-id\":0,\"fields\":[{\"id\":1,\"name\":\"a\","
    "\"required\":false,\"type\":\"long\"}]}],\"versions\":[{\"version-id\":1,"
    "\"timestamp-ms\":77,\"schema-id\":0,\"summary\":{},\"default-namespace\":[\"n\"],"
    "\"representations\":[{\"type\":\"sql\",\"sql\":\"select 1\",\"dialect\":\"spark\"}]}],"
    "\"current-version-id\":1,\"version-log\":[{\"timestamp-ms\":77,\"version-id\":1}],"
    "\"properties\":{\"k\":\"v\"}}";

static void reads_again(const struct json *m, struct arena *a)
{
    struct json *again;
    struct err e = {0};

    if (!view_read(json_text(a, m), a, &again, &e))
        assert(false && "what was made does not read");
}

static void commit(const struct json *base, const struct json *request, struct arena *a)
{
    struct sv before = json_text(a, base);
    struct commit_result result;
    struct err e = {0};

    if (!view_commit(base, request, 5000, a, &result, &e)) {
        assert(e.code == ERR_INVALID || e.code == ERR_CONFLICT);
        assert(e.msg[0]);
        return;
    }
    assert(sv_eq(json_text(a, base), before));
    assert(json_eq(json_get(base, SV("view-uuid")), json_get(result.metadata, SV("view-uuid"))));
    reads_again(result.metadata, a);
}

/* A file of anybody's is committed to as ours is. */
static void as_file(struct sv text, struct arena *a)
{
    static const char replace[] =
        "{\"updates\":[{\"action\":\"add-view-version\",\"view-version\":{\"version-id\":1,"
        "\"timestamp-ms\":1,\"schema-id\":0,\"summary\":{},\"default-namespace\":[],"
        "\"representations\":[{\"type\":\"sql\",\"sql\":\"q\",\"dialect\":\"spark\"}]}},"
        "{\"action\":\"set-current-view-version\",\"view-version-id\":-1}]}";
    struct json *m, *request;
    struct err e = {0};

    if (!json_read(sv_from(replace), a, &request, &e))
        assert(false && "the target's own JSON is wrong");
    if (!view_read(text, a, &m, &e))
        return;
    commit(m, request, a);
    if (view_check(m, a, &e))
        reads_again(m, a);
    else
        assert(e.code == ERR_INVALID && e.msg[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct create_options o = {SV(UUID), SV("s3://b/v"), 5000};
    struct sv text = sv_of((const char *)data, size);
    auto_arena a = {0};
    struct json *base, *request, *made;
    struct err e = {0};

    as_file(text, &a);
    if (!json_read(text, &a, &request, &e))
        return 0;
    if (view_create(request, &o, &a, &made, &e))
        reads_again(made, &a);
    if (!json_read(sv_from(base_text), &a, &base, &e))
        assert(false && "the target's own JSON is wrong");
    commit(base, request, &a);
    return 0;
}
