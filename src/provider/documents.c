/* documents.c - trust and permission policies. */
#include "provider/documents.h"

struct json *policy_member(const struct json *v, struct sv name)
{
    struct json *value;
    struct sv n;

    for (size_t i = 0; json_member(v, i, &n, &value); i++) {
        if (sv_eq_nocase(n, name))
            return value;
    }
    return NULL;
}

/* Adds operator/key = value, names of any case. What is there already stays: fields and guards come
 * before conditions of the user's own, which must not replace them. */
static void add_condition(struct json *to, struct sv op, struct sv key, struct json *value,
                          struct arena *a)
{
    struct json *keys = policy_member(to, op);

    if (!keys)
        json_set(to, op, keys = json_new_object(a));
    if (!policy_member(keys, key))
        json_set(keys, key, value);
}

static struct json *all_conditions(const struct storage_integration *w,
                                   const struct trust_guard *guard, struct arena *a)
{
    struct json *all = json_new_object(a), *keys, *value;
    struct sv op, key;

    if (guard)
        add_condition(all, guard->op, guard->key, json_new_str(a, guard->value), a);
    if (w->external_id.n)
        add_condition(all, SV("StringEquals"), SV("sts:ExternalId"),
                      json_new_str(a, w->external_id), a);
    if (w->organization_id.n)
        add_condition(all, SV("StringEquals"), SV("aws:PrincipalOrgID"),
                      json_new_str(a, w->organization_id), a);
    for (size_t i = 0; json_member(w->trust_conditions, i, &op, &keys); i++) {
        for (size_t j = 0; json_member(keys, j, &key, &value); j++)
            add_condition(all, op, key, json_copy(a, value), a);
    }
    return all;
}

void write_trust(const struct storage_integration *w, struct sv caller,
                 const struct trust_guard *guard, struct buf *out)
{
    struct json *conditions = all_conditions(w, guard, out->arena);

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
    buf_add(out, w->tag_sessions ? SV("]},\"Action\":[\"sts:AssumeRole\",\"sts:TagSession\"]")
                                 : SV("]},\"Action\":[\"sts:AssumeRole\"]"));
    if (json_count(conditions)) {
        buf_add(out, SV(",\"Condition\":"));
        json_write(out, conditions);
    }
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

static void add_keys(const struct storage_integration *w, struct buf *out)
{
    buf_add(out, SV(",{\"Effect\":\"Allow\",\"Action\":[\"kms:Decrypt\",\"kms:GenerateDataKey\"],"
                    "\"Resource\":["));
    for (size_t i = 0; i < w->kms_key_arns.n; i++) {
        buf_add(out, i ? SV(",") : SV(""));
        json_write_str(out, w->kms_key_arns.p[i]);
    }
    buf_add(out, SV("]}"));
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
    buf_add(out, SV("]}}}"));
    if (w->kms_key_arns.n)
        add_keys(w, out);
    buf_add(out, SV("]}"));
}
