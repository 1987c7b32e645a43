/* fuzz_xml_sts.c - answers to AssumeRole: a whole credential with time to live, or an error. */
/* layer: provider */
#include <assert.h>
#include <stdint.h>

#include "provider/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the status. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 400, 403, 404, 503};
    auto_arena a = {0};
    struct target t = {0};
    struct exchange x = {.target = &t, .arena = &a, .now_ms = 1767225600000, .round = 1};
    struct err e = {0};

    if (!size)
        return 0;
    x.in.status = statuses[data[0] % 5];
    x.in.body = sv_of((const char *)data + 1, size - 1);
    if (!provider_find(PROVIDER_CEPH_RGW)->mint(&x, &e)) {
        assert(e.msg[0] && !x.got.access_key_id.n);
        return 0;
    }
    assert(x.in.status == 200 && x.done);
    assert(x.got.access_key_id.n && x.got.expires_ms > x.now_ms);
    assert(secret_is_set(x.got.secret_access_key) && secret_is_set(x.got.session_token));
    return 0;
}
