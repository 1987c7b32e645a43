/* documents.c - trust and permission policies. */
#include "provider/documents.h"

static void add_conditions(const struct storage_integration *w, struct sv guard, struct buf *out)
{
    struct json *keys;
    struct sv op;
    size_t before;

    buf_add(out, SV(",\"Condition\":{"));
    before = out->n;
    buf_add(out, guard);
    if (w->external_id.n) {
        buf_add(out, out->n > before ? SV(",") : SV(""));
        buf_add(out, SV("\"StringEquals\":{\"sts:ExternalId\":"));
        json_write_str(out, w->external_id);
        buf_addc(out, '}');
    }
    for (size_t i = 0; json_member(w->trust_conditions, i, &op, &keys); i++) {
        buf_add(out, out->n > before ? SV(",") : SV(""));
        json_write_str(out, op);
        buf_addc(out, ':');
        json_write(out, keys);
    }
    buf_addc(out, '}');
}

void write_trust(const struct storage_integration *w, struct sv caller, struct sv guard,
                 struct buf *out)
{
    buf_add(
        out,
        SV("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":["));
    json_write_str(out, caller);
    for (size_t i = 0; i < w->trust_principals.n; i++) {
        if (sv_eq(w->trust_principals.p[i], caller))
            continue;
        buf_addc(out, ',');
        json_write_str(out, w->trust_principals.p[i]);
    }
    buf_add(out, SV("]},\"Action\":[\"sts:AssumeRole\"]"));
    if (guard.n || w->external_id.n || json_count(w->trust_conditions))
        add_conditions(w, guard, out);
    buf_add(out, SV("}]}"));
}

/* Allowed locations are "s3://bucket/folder/". */
static struct sv key_of(const struct storage_integration *w, size_t i)
{
    return sv_skip(w->allowed_locations.p[i], w->bucket.n + sizeof("s3:///") - 1);
}

static void add_quoted(struct buf *out, struct sv before, struct sv bucket, struct sv key)
{
    struct buf text = buf_new(out->arena, 4096);

    buf_addf(&text, SV_FMT SV_FMT SV_FMT "*", SV_ARG(before), SV_ARG(bucket), SV_ARG(key));
    json_write_str(out, buf_sv(&text));
}

void write_permissions(const struct storage_integration *w, struct buf *out)
{
    struct sv bucket = arena_printf(out->arena, SV_FMT "/", SV_ARG(w->bucket));
    struct sv arn = arena_printf(out->arena, "arn:" SV_FMT ":s3:::",
                                 SV_ARG(arn_partition(provider_find(w->provider), w->role_arn)));

    buf_add(
        out,
        SV("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":[\"s3:GetObject\","
           "\"s3:PutObject\",\"s3:DeleteObject\",\"s3:AbortMultipartUpload\","
           "\"s3:ListMultipartUploadParts\"],\"Resource\":["));
    for (size_t i = 0; i < w->allowed_locations.n; i++) {
        buf_add(out, i ? SV(",") : SV(""));
        add_quoted(out, arn, bucket, key_of(w, i));
    }
    buf_addf(
        out,
        "]},{\"Effect\":\"Allow\",\"Action\":[\"s3:ListBucket\"],\"Resource\":[\"" SV_FMT SV_FMT
        "\"],\"Condition\":{\"StringLike\":{\"s3:prefix\":[",
        SV_ARG(arn), SV_ARG(w->bucket));
    for (size_t i = 0; i < w->allowed_locations.n; i++) {
        buf_add(out, i ? SV(",") : SV(""));
        add_quoted(out, (struct sv){0}, (struct sv){0}, key_of(w, i));
    }
    buf_add(out, SV("]}}}]}"));
}
