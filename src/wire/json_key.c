/* json_key.c - JSON values as keys of tables. */
#include <stdlib.h>

#include "wire/json.h"

struct named {
    struct sv name;
    const struct json *value;
};

static int by_name(const void *x, const void *y)
{
    const struct named *left = x, *right = y;

    return sv_cmp(left->name, right->name);
}

/* The length stands in front, so that no text can look like the end of another. */
static void key_text(struct buf *out, struct sv text)
{
    buf_add_i64(out, (int64_t)text.n);
    buf_addc(out, ':');
    buf_add(out, text);
}

static void key_object(struct buf *out, const struct json *v)
{
    auto_arena scratch = {0};
    struct named *members = arena_array(&scratch, struct named, json_count(v));
    struct json *value;
    struct sv name;
    size_t n = 0;

    for (size_t i = 0; json_member(v, i, &name, &value); i++) {
        if (value)
            members[n++] = (struct named){name, value};
    }
    qsort(members, n, sizeof(*members), by_name);
    buf_addc(out, '{');
    for (size_t i = 0; i < n; i++) {
        key_text(out, members[i].name);
        json_write_key(out, members[i].value);
    }
    buf_addc(out, '}');
}

static void key_array(struct buf *out, const struct json *v)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < json_count(v); i++)
        json_write_key(out, json_at(v, i));
    buf_addc(out, ']');
}

void json_write_key(struct buf *out, const struct json *v)
{
    switch (json_kind(v)) {
    case JSON_OBJECT:
        key_object(out, v);
        return;
    case JSON_ARRAY:
        key_array(out, v);
        return;
    case JSON_STRING:
        buf_addc(out, '"');
        key_text(out, json_str(v, (struct sv){0}));
        return;
    case JSON_INT:
        buf_addc(out, 'i');
        buf_add_i64(out, json_i64(v, 0));
        buf_addc(out, ';');
        return;
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_DOUBLE:
        json_write(out, v);
        buf_addc(out, ';');
        return;
    }
}
