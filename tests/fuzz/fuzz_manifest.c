/* fuzz_manifest.c - what tenants may leave in the bucket as manifests and their lists: it is read
 * within its own bytes, or refused with a reason. */
/* layer: iceberg */
#include <assert.h>
#include <stdint.h>

#include "iceberg/manifest.h"
#include "wire/snappy.h"
#include "wire/zstd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every byte of what is visited can be looked at. */
static unsigned sum;

static bool on_file(struct sv path, void *context, struct err *e)
{
    size_t *left = context;

    for (size_t i = 0; i < path.n; i++)
        sum += (unsigned char)path.p[i];
    return (*left)-- > 0 || err_set(e, ERR_BUSY, "enough");
}

static bool on_manifest(const struct manifest *m, void *context, struct err *e)
{
    assert(m->path.n);
    return on_file(m->path, context, e);
}

static void unpack(struct sv bytes)
{
    enum { MOST = 256 * 1024 };
    auto_arena a = {0};
    struct sv out = {0};
    struct err e = {0};

    assert(snappy_read(bytes, MOST, &a, &out, &e) ? out.n <= MOST : e.code == ERR_INVALID);
    assert(zstd_read(bytes, MOST, &a, &out, &e) ? out.n <= MOST : e.code == ERR_INVALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sv bytes = sv_of((const char *)data, size);
    size_t left = 100000;
    struct err e = {0};
    int64_t entries;

    if (!manifest_list_each(bytes, on_manifest, &left, &e))
        assert(e.msg[0] && (e.code == ERR_INVALID || e.code == ERR_BUSY));
    e = (struct err){0};
    if (!manifest_each(bytes, on_file, &left, &entries, &e))
        assert(e.msg[0] && (e.code == ERR_INVALID || e.code == ERR_BUSY));
    unpack(bytes);
    return 0;
}
