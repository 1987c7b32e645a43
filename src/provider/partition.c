/* partition.c - the partitions of AWS: how ARNs begin, where services live. */
#include "provider/provider.h"

struct sv arn_partition(const struct provider *p, struct sv role_arn)
{
    struct sv partition;

    if (!sv_eq(p->name, SV("aws")) || !sv_starts(role_arn, SV("arn:aws")))
        return SV("aws");
    role_arn = sv_skip(role_arn, sizeof("arn:") - 1);
    (void)sv_cut(&role_arn, ':', &partition);
    return sv_only(partition, SV("abcdefghijklmnopqrstuvwxyz-")) ? partition : SV("aws");
}

/* IAM is one per partition; its requests are signed for the region that it lives in. */
static const struct iam_home {
    struct sv partition, endpoint, region;
} iam_homes[] = {
    {SV_INIT("aws"),        SV_INIT("https://iam.amazonaws.com"),               SV_INIT("us-east-1")    },
    {SV_INIT("aws-cn"),     SV_INIT("https://iam.cn-north-1.amazonaws.com.cn"), SV_INIT("cn-north-1")   },
    {SV_INIT("aws-us-gov"), SV_INIT("https://iam.us-gov.amazonaws.com"),        SV_INIT("us-gov-west-1")},
};

static const struct iam_home *iam_home_of(struct sv partition)
{
    for (size_t i = 1; i < sizeof(iam_homes) / sizeof(iam_homes[0]); i++) {
        if (sv_eq(iam_homes[i].partition, partition))
            return &iam_homes[i];
    }
    return &iam_homes[0];
}

struct sv aws_iam_endpoint(struct sv partition)
{
    return iam_home_of(partition)->endpoint;
}

struct sv aws_iam_region(struct sv partition)
{
    return iam_home_of(partition)->region;
}

struct sv aws_endpoint(const char *service, struct sv region, struct arena *a)
{
    return arena_printf(a, "https://%s." SV_FMT ".amazonaws.com%s", service, SV_ARG(region),
                        sv_starts(region, SV("cn-")) ? ".cn" : "");
}
