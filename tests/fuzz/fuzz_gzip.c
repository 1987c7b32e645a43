/* fuzz_gzip.c - gzip: never more than asked for, and what was read packs and reads again. */
/* layer: wire */
#include <assert.h>
#include <stdint.h>

#include "wire/gzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MOST = 256 * 1024 };
    auto_arena a = {0};
    struct sv out, again;
    struct err e = {0};

    if (!gzip_read(sv_of((const char *)data, size), MOST, &a, &out, &e)) {
        assert(e.msg[0]);
        return 0;
    }
    assert(out.n <= MOST);
    if (!gzip_read(gzip_write(out, &a), out.n, &a, &again, &e))
        assert(false && "what was written does not read");
    assert(sv_eq(out, again));
    return 0;
}
