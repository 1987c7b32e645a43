/* session.c - the policy and the name of a session. */
#include "base/limits.h"
#include "provider/documents.h"
#include "sign/digest.h"
#include "wire/hex.h"
#include "wire/json.h"

/* Names that no policy can say exactly; location.h lets none in, and this is the last door. */
static bool is_sayable(const struct location *l, struct err *e)
{
    if (!l->key.n || !sv_ends(l->key, SV("/")))
        return err_set(e, ERR_INVALID, "a session needs a folder below the bucket");
    for (size_t i = 0; i < l->key.n; i++) {
        if (sv_has_char(SV("*?$:\\"), l->key.p[i]) || (unsigned char)l->key.p[i] < 0x20)
            return err_set(e, ERR_INVALID, "no policy can say the folder's name exactly");
    }
    return true;
}

/* Text inside a JSON string, without its quotes. */
static void add_text(struct buf *b, struct sv v, struct arena *a)
{
    struct buf quoted = buf_new(a, v.n * 6 + 2);

    json_write_str(&quoted, v);
    buf_add(b, sv_of(quoted.p + 1, quoted.n - 2));
}

static void add_actions(struct buf *b, unsigned access)
{
    static const struct {
        unsigned bit;
        const char *text;
    } actions[] = {
        {ACCESS_READ,   "\"s3:GetObject\""                                             },
        {ACCESS_WRITE,
         "\"s3:PutObject\",\"s3:AbortMultipartUpload\",\"s3:ListMultipartUploadParts\""},
        {ACCESS_DELETE, "\"s3:DeleteObject\""                                          },
    };
    size_t before = b->n;

    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (access & actions[i].bit)
            buf_addf(b, "%s%s", b->n > before ? "," : "", actions[i].text);
    }
}

/* Each folder once, as "BEFORE" + text + "*"; with its bucket where it is an ARN. */
static void add_folders(struct buf *b, const struct session_ask *s, struct sv arn, struct arena *a)
{
    for (size_t i = 0; i < s->n_folders; i++) {
        buf_addf(b, "%s\"" SV_FMT, i ? "," : "", SV_ARG(arn));
        if (arn.n) {
            buf_add(b, s->folders[i].bucket);
            buf_addc(b, '/');
        }
        add_text(b, s->folders[i].key, a);
        buf_add(b, SV("*\""));
    }
}

static void add_list(struct buf *b, const struct session_ask *s, struct sv arn, struct arena *a)
{
    buf_addf(b,
             "{\"Effect\":\"Allow\",\"Action\":\"s3:ListBucket\",\"Resource\":\"" SV_FMT SV_FMT
             "\",\"Condition\":{\"StringLike\":{\"s3:prefix\":[",
             SV_ARG(arn), SV_ARG(s->folders[0].bucket));
    add_folders(b, s, (struct sv){0}, a);
    buf_add(b, SV("]}}}"));
}

enum { MAX_FILLED_BYTES = 64 * 1024 };

/* A copy that a Deny matches is granted at some stores: there, no statement matches copies. */
#define COPY_SOURCE "s3:x-amz-copy-source"
#define NO_COPIES   "\"Condition\":{\"Null\":{\"" COPY_SOURCE "\":\"true\"}}"

/* The catalog alone writes metadata files; a client could else put words into its mouth. */
static bool is_guarded(const struct session_ask *s)
{
    return (s->access & ACCESS_WRITE) && !s->for_us;
}

static void deny_below(struct buf *b, const struct target *t, struct sv head, struct arena *a)
{
    struct sv text = b->n ? SV(",\"") : SV("\"");

    buf_add(b, text);
    add_text(b, head, a);
    buf_add(b, SV("*.metadata.json*\""));
    if (!t->provider->naive_wildcards)
        return;
    buf_add(b, SV(",\""));
    add_text(b, head, a);
    buf_add(b, SV("*.*.metadata.json*\""));
}

/* The whole bucket's pattern is as long for any number of folders. A star that never goes back
 * stops at a folder's own dot: there the folder is written out. */
static struct sv metadata_denial(const struct target *t, const struct session_ask *s, struct sv arn,
                                 struct arena *a)
{
    struct buf b = buf_new(a, MAX_FILLED_BYTES);
    struct sv bucket = ARENA_JOIN(a, arn, s->folders[0].bucket, SV("/"));

    deny_below(&b, t, bucket, a);
    for (size_t i = 0; t->provider->naive_wildcards && i < s->n_folders; i++) {
        if (sv_has_char(s->folders[i].key, '.'))
            deny_below(&b, t, ARENA_JOIN(a, bucket, s->folders[i].key), a);
    }
    return arena_printf(
        a, "{\"Effect\":\"Deny\",\"Action\":\"s3:PutObject\",\"Resource\":[" SV_FMT "]%s}",
        SV_ARG(buf_sv(&b)), t->provider->denial_opens_copies ? "," NO_COPIES : "");
}

static void add_objects(struct buf *b, const struct target *t, const struct session_ask *s,
                        struct sv arn, struct arena *a)
{
    buf_add(b, SV("{\"Effect\":\"Allow\",\"Action\":["));
    add_actions(b, s->access);
    buf_add(b, SV("],\"Resource\":["));
    add_folders(b, s, arn, a);
    buf_add(b,
            is_guarded(s) && t->provider->denial_opens_copies ? SV("]," NO_COPIES "}") : SV("]}"));
}

/* Reading decrypts; writing asks for a data key, and a multipart upload decrypts what it wrote. */
static void add_keys(struct buf *b, const struct target *t, unsigned access, struct arena *a)
{
    bool writes = access & ACCESS_WRITE;

    if (!t->kms_key_arns.n || !(access & (ACCESS_READ | ACCESS_WRITE)))
        return;
    buf_addf(b, ",{\"Effect\":\"Allow\",\"Action\":[\"kms:Decrypt\"%s],\"Resource\":[",
             writes ? ",\"kms:GenerateDataKey\"" : "");
    for (size_t i = 0; i < t->kms_key_arns.n; i++) {
        buf_add(b, i ? SV(",\"") : SV("\""));
        add_text(b, t->kms_key_arns.p[i], a);
        buf_addc(b, '"');
    }
    buf_add(b, SV("]}"));
}

static struct sv arn_head(const struct target *t, struct arena *a)
{
    return arena_printf(a, "arn:" SV_FMT ":s3:::", SV_ARG(arn_partition(t->provider, t->role_arn)));
}

static void add_ours(struct buf *b, const struct target *t, const struct session_ask *s,
                     struct arena *a)
{
    bool objects = s->access & (ACCESS_READ | ACCESS_WRITE | ACCESS_DELETE);
    struct sv arn = arn_head(t, a);

    buf_add(b, SV("{\"Version\":\"2012-10-17\",\"Statement\":["));
    if (objects)
        add_objects(b, t, s, arn, a);
    if (s->access & ACCESS_LIST) {
        buf_add(b, objects ? SV(",") : SV(""));
        add_list(b, s, arn, a);
    }
    add_keys(b, t, s->access, a);
    if (is_guarded(s))
        buf_addf(b, "," SV_FMT, SV_ARG(metadata_denial(t, s, arn, a)));
    buf_add(b, SV("]}"));
}

/* ---- templates ---- */

static struct sv fill_template(struct sv t, const struct location *l, struct arena *a)
{
    struct buf b = buf_new(a, MAX_FILLED_BYTES);

    while (t.n) {
        if (sv_starts(t, SV("{{.Bucket}}"))) {
            buf_add(&b, l->bucket);
            t = sv_skip(t, 11);
        } else if (sv_starts(t, SV("{{.KeyPrefix}}"))) {
            /* Without the slash: templates write "{{.KeyPrefix}}/ *" (no blank), as policies
             * usually do. */
            add_text(&b, sv_trim_end(l->key, '/'), a);
            t = sv_skip(t, 14);
        } else {
            buf_addc(&b, t.p[0]);
            t = sv_skip(t, 1);
        }
    }
    return buf_sv(&b);
}

static size_t count_of(const struct json *v)
{
    return json_kind(v) == JSON_ARRAY ? json_count(v) : v != NULL;
}

/* Whether the statement may be about PutObject, by which a copy is judged. */
static bool may_put(const struct json *statement)
{
    static const struct sv others[] = {SV_INIT("s3:get"), SV_INIT("s3:list"), SV_INIT("s3:delete"),
                                       SV_INIT("s3:abort"), SV_INIT("kms:")};
    const struct json *actions = json_get(statement, SV("Action"));
    bool may = !actions;

    for (size_t i = 0; i < count_of(actions); i++) {
        const struct json *one = json_kind(actions) == JSON_ARRAY ? json_at(actions, i) : actions;
        struct sv action = json_str(one, (struct sv){0});
        bool other = false;

        for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
            other = other || sv_eq_nocase(sv_first(action, others[k].n), others[k]);
        may = may || !other;
    }
    return may;
}

/* Operators and keys ignore case. */
static bool is_about_copies(const struct json *condition)
{
    struct json *keys;
    struct sv op;

    for (size_t i = 0; json_member(condition, i, &op, &keys); i++) {
        if (policy_member(keys, SV(COPY_SOURCE)))
            return true;
    }
    return false;
}

/* Where a denial opens copies: none is allowed, so none need be denied. False: nothing is left of
 * the statement. */
static bool leave_copies_out(struct json *statement, struct arena *a)
{
    struct json *condition = json_get(statement, SV("Condition")), *null;

    if (!may_put(statement))
        return true;
    if (is_about_copies(condition))
        return false;
    if (!condition)
        json_set(statement, SV("Condition"), condition = json_new_object(a));
    null = policy_member(condition, SV("Null"));
    if (!null)
        json_set(condition, SV("Null"), null = json_new_object(a));
    json_set_str(null, a, SV(COPY_SOURCE), SV("true"));
    return true;
}

/* A statement that is there already, as one that names the bucket only, says nothing new. Sids must
 * be unique in a policy and mean nothing in a session's. */
static void add_statement(const struct target *t, struct json *statement, struct sv_vec *out,
                          struct arena *a)
{
    struct sv text;

    if (t->provider->denial_opens_copies && !leave_copies_out(statement, a))
        return;
    json_remove(statement, SV("Sid"));
    text = json_text(a, statement);
    if (!sv_vec_has(out, text))
        vec_push(out, a, text);
}

/* What the filled templates say together. */
struct filled {
    struct sv_vec statements;
    struct sv version; /* of the document */
};

static bool add_filled(const struct target *t, struct sv template_, const struct location *l,
                       struct arena *a, struct filled *out, struct err *e)
{
    struct json *policy, *list;

    if (!json_read(fill_template(template_, l, a), a, &policy, e))
        return err_wrap(e, "policyTemplates");
    out->version = json_get_str(policy, SV("Version"));
    list = json_get(policy, SV("Statement"));
    if (json_kind(list) == JSON_OBJECT)
        add_statement(t, list, &out->statements, a);
    for (size_t i = 0; json_kind(list) == JSON_ARRAY && i < json_count(list); i++)
        add_statement(t, json_at(list, i), &out->statements, a);
    return true;
}

/* A template is written for reading or for writing; which of writing and deleting this caller may
 * do, it cannot know. */
static struct sv denial(const struct target *t, bool put, bool delete, struct arena *a)
{
    const char *copies = put && t->provider->denial_opens_copies ? "," NO_COPIES : "";

    return arena_printf(a, "{\"Effect\":\"Deny\",\"Action\":[%s%s%s],\"Resource\":\"*\"%s}",
                        put ? "\"s3:PutObject*\"" : "", put && delete ? "," : "",
                        delete ? "\"s3:DeleteObject*\"" : "", copies);
}

static void add_denials(const struct target *t, const struct session_ask *s, struct arena *a,
                        struct sv_vec *out)
{
    bool put = !(s->access & ACCESS_WRITE), delete = !(s->access & ACCESS_DELETE);

    if (put || delete)
        vec_push(out, a, denial(t, put, delete, a));
    if (is_guarded(s))
        vec_push(out, a, metadata_denial(t, s, arn_head(t, a), a));
}

static bool add_template(struct buf *b, const struct target *t, const struct session_ask *s,
                         struct arena *a, struct err *e)
{
    struct filled all = {0};

    for (size_t i = 0; i < s->n_folders; i++) {
        if (!add_filled(t, s->template_, &s->folders[i], a, &all, e))
            return false;
    }
    add_denials(t, s, a, &all.statements);
    buf_addc(b, '{');
    if (all.version.n)
        buf_addf(b, "\"Version\":\"" SV_FMT "\",", SV_ARG(all.version));
    buf_add(b, SV("\"Statement\":["));
    for (size_t i = 0; i < all.statements.n; i++) {
        buf_add(b, i ? SV(",") : SV(""));
        buf_add(b, all.statements.p[i]);
    }
    buf_add(b, SV("]}"));
    return true;
}

static bool check_ask(const struct session_ask *s, struct err *e)
{
    if (s->n_folders == 0 ||
        !(s->access & (ACCESS_READ | ACCESS_WRITE | ACCESS_DELETE | ACCESS_LIST)))
        return err_set(e, ERR_INVALID, "a session policy for nothing was asked for");
    for (size_t i = 0; i < s->n_folders; i++) {
        if (!is_sayable(&s->folders[i], e))
            return false;
        if (!sv_eq(s->folders[i].bucket, s->folders[0].bucket))
            return err_set(e, ERR_INVALID, "a session cannot span two buckets");
    }
    return true;
}

static bool too_long(const struct session_ask *s, struct err *e)
{
    if (s->template_.n)
        return err_set(e, ERR_INVALID,
                       "policyTemplates, filled for %zu folders, is over %d characters; shorten "
                       "the template, or keep the table in fewer folders",
                       s->n_folders, LIMIT_SESSION_POLICY_CHARS);
    return err_set(e, ERR_INVALID,
                   "the session policy is over %d characters; use shorter locations",
                   LIMIT_SESSION_POLICY_CHARS);
}

bool session_policy(const struct target *t, const struct session_ask *s, struct arena *a,
                    struct sv *out, struct err *e)
{
    struct buf b = buf_new(a, LIMIT_SESSION_POLICY_CHARS);

    if (!check_ask(s, e))
        return false;
    if (!s->template_.n)
        add_ours(&b, t, s, a);
    else if (!add_template(&b, t, s, a, e))
        return false;
    if (b.over)
        return too_long(s, e);
    *out = buf_sv(&b);
    return true;
}

/* ---- the name ---- */

static const struct sv *word_at(struct sv t, const struct session_words *w, size_t *length)
{
    const struct {
        struct sv name;
        const struct sv *value;
    } words[] = {
        {SV("{principal}"), &w->principal },
        {SV("{table}"),     &w->table     },
        {SV("{namespace}"), &w->namespace_},
        {SV("{catalog}"),   &w->catalog   },
        {SV("{request}"),   &w->request   }
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (sv_starts(t, words[i].name)) {
            *length = words[i].name.n;
            return words[i].value;
        }
    }
    return NULL;
}

#define WORD_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=.@-"

static void add_clean(struct buf *b, struct sv v, struct sv alphabet)
{
    for (size_t i = 0; i < v.n; i++)
        buf_add(b, sv_has_char(alphabet, v.p[i]) ? sv_of(v.p + i, 1) : SV("-"));
}

struct sv session_name(struct sv template_, const struct session_words *w, struct arena *a)
{
    struct buf b = buf_new(a, 4096);
    struct sv name;

    while (template_.n) {
        size_t length = 1;
        const struct sv *value = word_at(template_, w, &length);

        add_clean(&b, value ? *value : sv_first(template_, 1), SV(WORD_CHARS ","));
        template_ = sv_skip(template_, length);
    }
    name = buf_sv(&b);
    /* Who and which request matter most: what is too long loses its middle. */
    if (name.n > LIMIT_SESSION_NAME_CHARS) {
        size_t tail = LIMIT_SESSION_NAME_CHARS / 2;

        name =
            arena_printf(a, SV_FMT SV_FMT, SV_ARG(sv_first(name, LIMIT_SESSION_NAME_CHARS - tail)),
                         SV_ARG(sv_skip(name, name.n - tail)));
    }
    return name.n < 2 ? SV("frontdesk") : name;
}

/* ---- the tags ---- */

/* A value is for rules as much as for people, so no two names have one: a byte that tags may not
 * hold is =XX, as is '='; what is too long ends in a part of its hash. */
static struct sv tag_value(struct sv v, struct arena *a)
{
    enum { HASH_CHARS = 16 };
    struct buf b = buf_new(a, 3 * v.n);
    struct sha256 h;

    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] != '=' && sv_has_char(SV(WORD_CHARS ":/+ "), v.p[i]))
            buf_addc(&b, v.p[i]);
        else
            buf_addf(&b, "=%02X", (unsigned char)v.p[i]);
    }
    if (b.n <= LIMIT_TAG_VALUE_CHARS)
        return buf_sv(&b);
    h = sha256_of(v);
    return ARENA_JOIN(a, sv_first(buf_sv(&b), LIMIT_TAG_VALUE_CHARS - HASH_CHARS - 1), SV("="),
                      sv_first(hex_encode(a, sv_of((const char *)h.b, sizeof(h.b))), HASH_CHARS));
}

struct tags session_tags(const struct target *t, const struct session_words *w, struct arena *a)
{
    const struct tag all[] = {
        {SV("polaris:principal"),  w->principal                            },
        {SV("polaris:table"),      w->table                                },
        {SV("polaris:namespace"),  w->namespace_                           },
        {SV("polaris:catalog"),    w->catalog                              },
        {SV("polaris:request-id"), w->request                              },
        {SV("polaris:trace-id"),   t->trace_tag ? w->trace : (struct sv){0}}
    };
    struct tags out = {0};

    for (size_t i = 0; t->tag_sessions && i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i].value.n)
            vec_push(&out, a, ((struct tag){all[i].key, tag_value(all[i].value, a)}));
    }
    return out;
}
