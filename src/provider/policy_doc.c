/* policy_doc.c - whether two policy documents mean the same. */
#include <stdlib.h>

#include "provider/provider.h"

/*
 * Both sides are brought to one form, an ordered text, and compared. Normal is: every value that
 * may be text or a list is a sorted list without repetition; statements are sorted; "*" as a
 * principal is {"AWS":"*"}; the root of an account is its number; actions are in lower case;
 * booleans and numbers in conditions are text.
 */
static struct sv lower(struct sv v, struct arena *a)
{
    char *copy = arena_cstr(a, v);

    for (size_t i = 0; i < v.n; i++) {
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] - 'A' + 'a');
    }
    return sv_of(copy, v.n);
}

static int by_text(const void *x, const void *y)
{
    const struct sv *a = x, *b = y;

    return sv_cmp(*a, *b);
}

/* Sorted, each once, as a JSON list. */
static struct sv as_set(struct sv_vec *items, struct arena *a)
{
    struct buf b = buf_new(a, 1 << 20);

    if (items->n)
        qsort(items->p, items->n, sizeof(items->p[0]), by_text);
    buf_addc(&b, '[');
    for (size_t i = 0; i < items->n; i++) {
        if (i && sv_eq(items->p[i], items->p[i - 1]))
            continue;
        if (b.n > 1)
            buf_addc(&b, ',');
        buf_add(&b, items->p[i]);
    }
    buf_addc(&b, ']');
    return buf_sv(&b);
}

typedef struct sv normal_fn(const struct json *v, struct arena *a);

/* Quoted, so that no text reads as two. */
static struct sv quoted(struct sv text, struct arena *a)
{
    struct buf b = buf_new(a, text.n * 6 + 2);

    json_write_str(&b, text);
    return buf_sv(&b);
}

static struct sv plain(const struct json *v, struct arena *a)
{
    struct sv text = json_kind(v) == JSON_STRING ? json_str(v, (struct sv){0}) : json_text(a, v);

    return quoted(text, a);
}

static struct sv action(const struct json *v, struct arena *a)
{
    return lower(plain(v, a), a);
}

/* "arn:aws-cn:iam::123456789012:root" is what stores make of "123456789012". */
static struct sv principal(const struct json *v, struct arena *a)
{
    struct sv rest = json_str(v, (struct sv){0}), part[5] = {0};

    for (int i = 0; i < 5; i++)
        (void)sv_cut(&rest, ':', &part[i]);
    if (sv_eq(part[0], SV("arn")) && sv_eq(part[2], SV("iam")) && part[4].n == 12 &&
        sv_only(part[4], SV("0123456789")) && sv_eq(rest, SV("root")))
        return quoted(part[4], a);
    return plain(v, a);
}

static struct sv list_of(const struct json *v, normal_fn *normal, struct arena *a)
{
    struct sv_vec items = {0};

    for (size_t i = 0; json_kind(v) == JSON_ARRAY && i < json_count(v); i++)
        vec_push(&items, a, normal(json_at(v, i), a));
    if (v && json_kind(v) != JSON_ARRAY)
        vec_push(&items, a, normal(v, a));
    return as_set(&items, a);
}

/* An object of lists, names by `name`. */
static struct sv object_of(const struct json *v, normal_fn *normal, struct arena *a)
{
    struct sv_vec members = {0};
    struct json *value;
    struct sv name;

    for (size_t i = 0; json_member(v, i, &name, &value); i++)
        vec_push(&members, a,
                 arena_printf(a, SV_FMT "=" SV_FMT, SV_ARG(quoted(name, a)),
                              SV_ARG(list_of(value, normal, a))));
    return as_set(&members, a);
}

static struct sv principals(const struct json *v, struct arena *a)
{
    if (json_kind(v) == JSON_STRING)
        return arena_printf(a, "[\"AWS\"=" SV_FMT "]", SV_ARG(list_of(v, principal, a)));
    return object_of(v, principal, a);
}

/* "OPERATOR/KEY=VALUES" of each key; keys ignore case. */
static void add_conditions(struct sv op, const struct json *keys, struct sv_vec *out,
                           struct arena *a)
{
    struct json *values;
    struct sv key;

    for (size_t i = 0; json_member(keys, i, &key, &values); i++)
        vec_push(out, a,
                 arena_printf(a, SV_FMT "/" SV_FMT "=" SV_FMT, SV_ARG(quoted(op, a)),
                              SV_ARG(quoted(lower(key, a), a)), SV_ARG(list_of(values, plain, a))));
}

static struct sv conditions(const struct json *v, struct arena *a)
{
    struct sv_vec parts = {0};
    struct json *keys;
    struct sv op;

    for (size_t i = 0; json_member(v, i, &op, &keys); i++)
        add_conditions(op, keys, &parts, a);
    return as_set(&parts, a);
}

static bool is_empty(const struct json *v)
{
    return !v || ((json_kind(v) == JSON_OBJECT || json_kind(v) == JSON_ARRAY) && !json_count(v));
}

static struct sv element(struct sv name, const struct json *v, struct arena *a)
{
    if (sv_eq(name, SV("Action")) || sv_eq(name, SV("NotAction")))
        return list_of(v, action, a);
    if (sv_eq(name, SV("Principal")) || sv_eq(name, SV("NotPrincipal")))
        return principals(v, a);
    return sv_eq(name, SV("Condition")) ? conditions(v, a) : list_of(v, plain, a);
}

static struct sv statement(const struct json *s, struct arena *a)
{
    struct sv_vec parts = {0};
    struct json *v;
    struct sv name;

    for (size_t i = 0; json_member(s, i, &name, &v); i++) {
        if (!is_empty(v))
            vec_push(&parts, a,
                     arena_printf(a, SV_FMT ":" SV_FMT, SV_ARG(quoted(name, a)),
                                  SV_ARG(element(name, v, a))));
    }
    return as_set(&parts, a);
}

static bool normal_form(struct sv text, struct arena *a, struct sv *out)
{
    struct json *policy, *list;
    struct err ignored = {0};

    if (!json_read(text, a, &policy, &ignored) || json_kind(policy) != JSON_OBJECT)
        return false;
    list = json_get(policy, SV("Statement"));
    if (json_kind(list) == JSON_OBJECT)
        *out = arena_printf(a, "[" SV_FMT "]", SV_ARG(statement(list, a)));
    else
        *out = list_of(list, statement, a);
    *out = arena_printf(a, SV_FMT " " SV_FMT, SV_ARG(json_get_str(policy, SV("Version"))),
                        SV_ARG(*out));
    return true;
}

bool policy_means_same(struct sv x, struct sv y, struct arena *scratch)
{
    struct sv a, b;

    return normal_form(x, scratch, &a) && normal_form(y, scratch, &b) && sv_eq(a, b);
}
