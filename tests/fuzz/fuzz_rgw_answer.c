/* fuzz_rgw_answer.c - one answer to every question about a role, and to a probe: all of it ends. */
/* layer: provider */
#include <assert.h>
#include <stdint.h>

#include "provider/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_ROUNDS = 300 };

static void talk(bool (*fn)(struct exchange *, struct err *), struct exchange *x,
                 const struct http_response *in)
{
    struct err e = {0};

    x->round = 0;
    x->done = false;
    while (fn(x, &e) && !x->done) {
        x->in = *in;
        x->round++;
        assert(x->round < MAX_ROUNDS);
    }
    assert(x->done || e.msg[0]);
}

/* The first byte chooses the status. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 400, 403, 404, 503};
    auto_arena a = {0};
    const struct provider *p = provider_find(PROVIDER_CEPH_RGW);
    struct credential key = {.access_key_id = SV("K"), .secret_access_key = secret_of(SV("S"))};
    struct target t = {.bucket = SV("bkt"),
                       .region = SV("r"),
                       .endpoint = SV("http://s"),
                       .sts_endpoint = SV("http://s"),
                       .iam_endpoint = SV("http://s"),
                       .path_style = true,
                       .own = key,
                       .admin = key};
    struct role_want want = {.name = SV("r"), .trust = SV("{}"), .permissions = SV("{}")};
    struct exchange x = {
        .target = &t,
        .arena = &a,
        .want = &want,
        .key = &key,
        .janitor = &key,
        .must = PROBE_ALL,
        .may = PROBE_ALL,
        .place = {SV("bkt"), SV("a/in/")       },
        .beside = {SV("bkt"), SV("a/in-beside/")},
        .outside = {SV("bkt"), SV("far/")        }
    };
    struct role_steps steps = {0};
    struct http_response in;

    if (!size)
        return 0;
    in = (struct http_response){.status = statuses[data[0] % 5],
                                .body = sv_of((const char *)data + 1, size - 1)};
    talk(p->whoami, &x, &in);
    talk(p->observe, &x, &in);
    role_plan(&want, &x.have, &a, &steps);
    talk(p->probe, &x, &in);
    assert(!x.done || in.status != 503);
    talk(p->tidy, &x, &in);
    assert(!x.done || in.status != 503);
    return 0;
}
