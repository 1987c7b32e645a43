/* bucket_policy.c - our statements in a bucket's policy. */
#include "provider/bucket_policy.h"

#include "provider/iam.h"
#include "provider/object.h"
#include "sign/digest.h"

enum { MAX_PERMISSIONS_BYTES = 65536, SID_DIGITS = 16 };

static struct sv sid_of(struct sv uid, struct arena *a)
{
    return arena_printf(a, "Frontdesk" SV_FMT, SV_ARG(sv_first(sha256_hex(a, uid), SID_DIGITS)));
}

/* The document and its statements, as a list that may be changed. */
static bool read_document(struct sv have, struct arena *a, struct json **out, struct json **list,
                          struct err *e)
{
    struct json *statements;

    if (!have.n)
        have = SV("{\"Version\":\"2012-10-17\",\"Statement\":[]}");
    if (!json_read(have, a, out, e))
        return err_wrap(e, "the bucket's policy");
    statements = json_get(*out, SV("Statement"));
    *list = json_new_array(a);
    if (json_kind(statements) == JSON_OBJECT)
        json_push(*list, statements);
    else if (json_kind(statements) != JSON_ARRAY)
        return err_set(e, ERR_INVALID, "the bucket's policy has no statements that we can read");
    for (size_t i = 0; json_kind(statements) == JSON_ARRAY && i < json_count(statements); i++)
        json_push(*list, json_at(statements, i));
    return true;
}

static void take_ours_out(struct json *list, struct sv sid)
{
    for (size_t i = json_count(list); i-- > 0;) {
        if (sv_starts(json_get_str(json_at(list, i), SV("Sid")), sid))
            json_remove_at(list, i);
    }
}

/* What the role's own permissions say of S3, with the role as principal. */
static bool add_ours(const struct bucket_grant *g, struct json *list, struct arena *a,
                     struct err *e)
{
    const struct storage_integration *w = g->spec;
    struct sv sid = sid_of(g->uid, a);
    struct buf text = buf_new(a, MAX_PERMISSIONS_BYTES);
    struct json *permissions, *statements, *who;

    provider_find(w->provider)->permissions(w, &text);
    if (text.over || !json_read(buf_sv(&text), a, &permissions, e))
        return err_set(e, ERR_INVALID, "allowedLocations are too many for a bucket policy");
    statements = json_get(permissions, SV("Statement"));
    for (size_t i = 0; i < json_count(statements); i++) {
        struct json *s = json_at(statements, i);

        if (!sv_starts(json_str(json_at(json_get(s, SV("Action")), 0), SV("")), SV("s3:")))
            continue;
        who = json_new_object(a);
        json_set_str(who, a, SV("AWS"), g->role_arn);
        json_set_str(s, a, SV("Sid"), arena_printf(a, SV_FMT "%zu", SV_ARG(sid), i));
        json_set(s, SV("Principal"), who);
        json_push(list, s);
    }
    return true;
}

static void conclude(struct json *document, struct json *list, struct sv have, struct arena *a,
                     struct bucket_policy *out)
{
    *out = (struct bucket_policy){.same = !have.n};
    if (!json_count(list))
        return;
    json_set(document, SV("Statement"), list);
    out->text = json_text(a, document);
    out->same = have.n && policy_means_same(out->text, have, a);
}

bool bucket_policy_with(const struct bucket_grant *g, struct sv have, struct arena *a,
                        struct bucket_policy *out, struct err *e)
{
    struct json *document = NULL, *list = NULL;

    if (!read_document(have, a, &document, &list, e))
        return false;
    take_ours_out(list, sid_of(g->uid, a));
    if (!add_ours(g, list, a, e))
        return false;
    conclude(document, list, have, a, out);
    return true;
}

bool bucket_policy_without(struct sv uid, struct sv have, struct arena *a,
                           struct bucket_policy *out, struct err *e)
{
    struct json *document = NULL, *list = NULL;

    if (!read_document(have, a, &document, &list, e))
        return false;
    take_ours_out(list, sid_of(uid, a));
    conclude(document, list, have, a, out);
    return true;
}

bool bucket_policy_get(struct exchange *x, struct err *e)
{
    struct sv none = {0};

    if (x->round == 0)
        return object_request(x, HTTP_GET, none, SV("policy="), none, e);
    x->content = x->in.status == 200 ? x->in.body : none;
    if (x->in.status == 200 && !sv_trim(x->in.body).n)
        return err_set(e, ERR_UNAVAILABLE,
                       "reading the bucket's policy: the store answered 200 and nothing else");
    x->done = x->in.status == 200 || store_lacks(&x->in, x->arena);
    return x->done || store_error(&x->in, "reading the bucket's policy", x->arena, e);
}

bool bucket_policy_put(struct exchange *x, struct err *e)
{
    if (x->round == 0)
        return object_request(x, x->body.n ? HTTP_PUT : HTTP_DELETE, (struct sv){0}, SV("policy="),
                              x->body, e);
    x->done = x->in.status / 100 == 2;
    return x->done || store_error(&x->in, "writing the bucket's policy", x->arena, e);
}
