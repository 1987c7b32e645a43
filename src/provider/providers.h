/* providers.h - the providers there are; provider.c lists them. */
#ifndef PROVIDER_PROVIDERS_H
#define PROVIDER_PROVIDERS_H

#include "provider/provider.h"

extern const struct provider provider_aws, provider_rgw, provider_s3_compatible, provider_file;

#endif
