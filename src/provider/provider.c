/* provider.c - the list of providers; the store that has tokens but no roles. */
#include "provider/provider.h"

#include <assert.h>

#include "provider/iam.h"
#include "provider/providers.h"

static void check_nothing(UNUSED const struct storage_integration *w, UNUSED struct arena *a,
                          UNUSED struct complaints *out)
{
}

const struct provider provider_s3_compatible = {
    .name = SV_INIT("s3-compatible"),
    .check = check_nothing,
    .mint = iam_mint,
    .probe = s3_probe,
    .tidy = s3_tidy,
};

/* A folder of this machine: there is nobody to ask, and there are no keys. */
const struct provider provider_file = {.name = SV_INIT("file"), .check = check_nothing};

const struct provider *provider_find(enum storage_provider p)
{
    static const struct provider *const all[] = {
        [PROVIDER_AWS] = &provider_aws,
        [PROVIDER_CEPH_RGW] = &provider_rgw,
        [PROVIDER_S3_COMPATIBLE] = &provider_s3_compatible,
        [PROVIDER_FILE] = &provider_file,
    };
    static_assert(sizeof(all) / sizeof(all[0]) == PROVIDER_COUNT, "a provider each");

    return all[p];
}
