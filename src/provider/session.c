/* session.c - the policy and the name of a session. */
#include "base/limits.h"
#include "provider/provider.h"

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

/* Each folder once, as prefix + text + suffix. */
static void add_folders(struct buf *b, const struct location *folders, size_t n, const char *before,
                        bool bucket, struct arena *a)
{
    for (size_t i = 0; i < n; i++) {
        buf_addf(b, "%s\"%s", i ? "," : "", before);
        if (bucket) {
            buf_add(b, folders[i].bucket);
            buf_addc(b, '/');
        }
        add_text(b, folders[i].key, a);
        buf_add(b, SV("*\""));
    }
}

static void add_list(struct buf *b, const struct location *folders, size_t n, struct arena *a)
{
    buf_addf(
        b,
        "{\"Effect\":\"Allow\",\"Action\":\"s3:ListBucket\",\"Resource\":\"arn:aws:s3:::" SV_FMT
        "\","
        "\"Condition\":{\"StringLike\":{\"s3:prefix\":[",
        SV_ARG(folders[0].bucket));
    add_folders(b, folders, n, "", false, a);
    buf_add(b, SV("]}}}"));
}

static void add_objects(struct buf *b, const struct location *folders, size_t n, unsigned access,
                        struct arena *a)
{
    buf_add(b, SV("{\"Effect\":\"Allow\",\"Action\":["));
    add_actions(b, access);
    buf_add(b, SV("],\"Resource\":["));
    add_folders(b, folders, n, "arn:aws:s3:::", true, a);
    buf_add(b, SV("]}"));
}

static void fill_template(struct buf *b, struct sv t, const struct location *l, struct arena *a)
{
    while (t.n) {
        if (sv_starts(t, SV("{{.Bucket}}"))) {
            buf_add(b, l->bucket);
            t = sv_skip(t, 11);
        } else if (sv_starts(t, SV("{{.KeyPrefix}}"))) {
            /* Without the slash: templates write "{{.KeyPrefix}}/ *" (no blank), as policies
             * usually do. */
            add_text(b, sv_trim_end(l->key, '/'), a);
            t = sv_skip(t, 14);
        } else {
            buf_addc(b, t.p[0]);
            t = sv_skip(t, 1);
        }
    }
}

bool session_policy(const struct location *folders, size_t n, unsigned access, struct sv template_,
                    struct arena *a, struct sv *out, struct err *e)
{
    struct buf b = buf_new(a, LIMIT_SESSION_POLICY_CHARS);
    unsigned objects = access & (ACCESS_READ | ACCESS_WRITE | ACCESS_DELETE);

    if (n == 0 || !(access & (objects | ACCESS_LIST)))
        return err_set(e, ERR_INVALID, "a session policy for nothing was asked for");
    for (size_t i = 0; i < n; i++) {
        if (!is_sayable(&folders[i], e))
            return false;
        if (!sv_eq(folders[i].bucket, folders[0].bucket))
            return err_set(e, ERR_INVALID, "a session cannot span two buckets");
    }
    if (template_.n && n == 1) {
        fill_template(&b, template_, &folders[0], a);
    } else {
        buf_add(&b, SV("{\"Version\":\"2012-10-17\",\"Statement\":["));
        if (objects)
            add_objects(&b, folders, n, access, a);
        if (access & ACCESS_LIST) {
            buf_add(&b, objects ? SV(",") : SV(""));
            add_list(&b, folders, n, a);
        }
        buf_add(&b, SV("]}"));
    }
    if (b.over)
        return err_set(e, ERR_INVALID,
                       "the session policy is over %d characters; use shorter locations",
                       LIMIT_SESSION_POLICY_CHARS);
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

static void add_clean(struct buf *b, struct sv v)
{
    static const struct sv alphabet =
        SV_INIT("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_=,.@-");

    for (size_t i = 0; i < v.n; i++)
        buf_addc(b, sv_has_char(alphabet, v.p[i]) ? v.p[i] : '-');
}

struct sv session_name(struct sv template_, const struct session_words *w, struct arena *a)
{
    struct buf b = buf_new(a, 4096);
    struct sv name;

    while (template_.n) {
        size_t length = 1;
        const struct sv *value = word_at(template_, w, &length);

        add_clean(&b, value ? *value : sv_first(template_, 1));
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
