/* policy_template.c - a session policy of the user's own: does it open one table and no more? */
#include "api/policy_template.h"

struct checking {
    struct sv bucket, field;
    struct arena *arena;
    struct complaints *out;
    size_t statement;
};

#define FOLDER "{{.KeyPrefix}}"

static bool blame(const struct checking *c, const char *what)
{
    complain(c->out, c->arena, "InvalidSpec", c->field, "Statement[%zu] %s", c->statement, what);
    return false;
}

/* A member that may be text or a list of texts. */
static size_t count_of(const struct json *v)
{
    return json_kind(v) == JSON_ARRAY ? json_count(v) : v != NULL;
}

static struct sv text_at(const struct json *v, size_t i)
{
    return json_str(json_kind(v) == JSON_ARRAY ? json_at(v, i) : v, (struct sv){0});
}

/* A session that may do something in IAM or STS may become somebody else. */
static bool is_of_data(const struct json *statement)
{
    const struct json *actions = json_get(statement, SV("Action"));

    for (size_t i = 0; i < count_of(actions); i++) {
        struct sv rest = text_at(actions, i), service = {0};

        (void)sv_cut(&rest, ':', &service);
        if (!sv_eq_nocase(service, SV("s3")) && !sv_eq_nocase(service, SV("kms")))
            return false;
    }
    return true;
}

/* Whether the statement speaks of S3 at all. NotAction does, whatever it leaves out. */
static bool is_about_s3(const struct json *statement)
{
    const struct json *actions = json_get(statement, SV("Action"));

    if (!actions)
        return true;
    for (size_t i = 0; i < count_of(actions); i++) {
        struct sv rest = text_at(actions, i), service = {0};

        (void)sv_cut(&rest, ':', &service);
        if (sv_eq_nocase(service, SV("s3")) || sv_has_char(service, '*') ||
            sv_has_char(service, '?'))
            return true;
    }
    return false;
}

/* Of the bucket itself: what only tells of it. All else lists, or changes it. */
static bool only_gets(const struct json *statement)
{
    const struct json *actions = json_get(statement, SV("Action"));

    for (size_t i = 0; i < count_of(actions); i++) {
        if (!sv_eq_nocase(sv_first(text_at(actions, i), 6), SV("s3:get")))
            return false;
    }
    return actions != NULL;
}

/* "{{.KeyPrefix}}", alone or with a slash behind it: "t" must not open "t2". */
static bool is_in_folder(struct sv v)
{
    struct sv rest = sv_skip(v, sizeof(FOLDER) - 1);

    return sv_starts(v, SV(FOLDER)) && (!rest.n || rest.p[0] == '/');
}

/* A list of the prefix "t" shows "t2" too. */
static bool is_listable(struct sv v)
{
    return is_in_folder(v) && v.n > sizeof(FOLDER) - 1;
}

static bool list_is_bound(const struct json *statement)
{
    const struct json *operators = json_get(statement, SV("Condition"));
    struct json *keys, *values;
    struct sv op, key;

    for (size_t i = 0; json_member(operators, i, &op, &keys); i++) {
        bool positive = sv_eq_nocase(op, SV("StringLike")) || sv_eq_nocase(op, SV("StringEquals"));

        for (size_t j = 0; positive && json_member(keys, j, &key, &values); j++) {
            bool bound = sv_eq_nocase(key, SV("s3:prefix")) && count_of(values) > 0;

            for (size_t n = 0; n < count_of(values); n++)
                bound = bound && is_listable(text_at(values, n));
            if (bound)
                return true;
        }
    }
    return false;
}

/* "arn:aws:s3:::{{.Bucket}}" without its head; empty when it is no ARN in S3. */
static struct sv path_of(struct sv arn)
{
    struct sv part = {0};

    if (!sv_starts(arn, SV("arn:aws")))
        return (struct sv){0};
    for (int i = 0; i < 5; i++)
        (void)sv_cut(&arn, ':', &part);
    return arn;
}

static bool check_place(const struct checking *c, const struct json *statement, struct sv resource)
{
    struct sv key = path_of(resource), bucket = {0};
    bool below = sv_has_char(key, '/');

    (void)sv_cut(&key, '/', &bucket);
    if (!sv_eq(bucket, SV("{{.Bucket}}")) && !sv_eq(bucket, c->bucket))
        return blame(c, "allows more than the bucket: write arn:aws:s3:::{{.Bucket}}/" FOLDER "/*");
    if (below && !is_in_folder(key))
        return blame(c, "opens more than one table: write arn:aws:s3:::{{.Bucket}}/" FOLDER "/*");
    if (!below && !only_gets(statement) && !list_is_bound(statement))
        return blame(c, "lists more than one table: add the Condition StringLike s3:prefix " FOLDER
                        "/*");
    return true;
}

static void check_statement(struct checking *c, const struct json *s)
{
    const struct json *places = json_get(s, SV("Resource"));
    struct sv effect = json_get_str(s, SV("Effect"));
    bool good = true;

    if (!sv_eq(effect, SV("Allow")) && !sv_eq(effect, SV("Deny")))
        (void)blame(c, "needs an Effect: Allow or Deny");
    else if (json_has(s, SV("NotResource")))
        (void)blame(c, "has NotResource, which means something else for each folder of a table: "
                       "write Resource");
    else if (!count_of(places))
        (void)blame(c, "needs a Resource");
    else if (sv_eq(effect, SV("Allow")) && !is_of_data(s) && json_has(s, SV("Action")))
        (void)blame(c, "allows actions of another service: only those of s3 and kms are of use to "
                       "a table");
    else if (sv_eq(effect, SV("Allow")) && is_about_s3(s))
        for (size_t i = 0; good && i < count_of(places); i++)
            good = check_place(c, s, text_at(places, i));
}

/* Words in braces that are not ours. */
static bool has_unknown_words(struct sv text)
{
    for (; text.n; text = sv_skip(text, 1)) {
        if (sv_starts(text, SV("{{.Bucket}}")))
            text = sv_skip(text, sizeof("{{.Bucket}}") - 2);
        else if (sv_starts(text, SV(FOLDER)))
            text = sv_skip(text, sizeof(FOLDER) - 2);
        else if (sv_starts(text, SV("{{.")) || sv_starts(text, SV("{{ ")))
            return true;
    }
    return false;
}

void policy_template_check(struct sv text, struct sv bucket, struct sv field, struct arena *a,
                           struct complaints *out)
{
    struct checking c = {.bucket = bucket, .field = field, .arena = a, .out = out};
    struct json *policy, *list;
    struct err e = {0};

    if (!text.n)
        return;
    if (has_unknown_words(text)) {
        complain(out, a, "InvalidSpec", field, "only {{.Bucket}} and " FOLDER " are known");
        return;
    }
    if (!json_read(text, a, &policy, &e)) {
        complain(out, a, "InvalidSpec", field, "does not parse: %s", e.msg);
        return;
    }
    list = json_get(policy, SV("Statement"));
    if (json_kind(list) == JSON_OBJECT)
        check_statement(&c, list);
    else if (!json_count(list))
        complain(out, a, "InvalidSpec", field, "has no Statement");
    for (; json_kind(list) == JSON_ARRAY && c.statement < json_count(list); c.statement++)
        check_statement(&c, json_at(list, c.statement));
}
