/* fuzz_form.c - forms and queries: what is read writes back to text that reads equal. */
/* layer: wire */
#include <assert.h>
#include <stdint.h>

#include "base/limits.h"
#include "wire/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_arena a = {0};
    struct pairs pairs = {0}, again = {0};
    struct err e = {0};
    struct buf out = buf_new(&a, 4 * size + 100);

    if (!form_read(sv_of((const char *)data, size), &a, &pairs, &e)) {
        assert(e.code == ERR_INVALID && pairs.n == 0);
        return 0;
    }
    assert(pairs.n <= LIMIT_FORM_FIELDS);
    form_write(&out, &pairs);
    assert(!out.over);
    if (!form_read(buf_sv(&out), &a, &again, &e))
        assert(false && "what was written does not read");
    assert(again.n == pairs.n);
    for (size_t i = 0; i < pairs.n; i++) {
        assert(sv_eq(pairs.p[i].name, again.p[i].name));
        assert(sv_eq(pairs.p[i].value, again.p[i].value));
        assert(form_get(&pairs, pairs.p[i].name));
    }
    return 0;
}
