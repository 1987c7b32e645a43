/* decode.c - a spec read by a table. */
#include "api/decode.h"

#include <stdarg.h>

enum {
    DEFAULT_MAX_CHARS = 2048,
    DEFAULT_MAX_ITEMS = 1000,
    DEFAULT_MAX_MEMBERS = 100,
    SHOWN_CHARS = 60
};

static void *place_of(const struct decoding *d, const struct field *f)
{
    return (char *)d->out + f->offset;
}

static struct sv path_of(const struct decoding *d, const struct field *f)
{
    return arena_printf(d->arena, SV_FMT ".%s", SV_ARG(d->prefix), f->path);
}

static PRINTF_LIKE(3, 4) void blame(const struct decoding *d, struct sv path, const char *format,
                                    ...)
{
    va_list args;
    struct sv text;

    va_start(args, format);
    text = arena_vprintf(d->arena, format, args);
    va_end(args);
    complain(d->complaints, d->arena, "InvalidSpec", path, SV_FMT, SV_ARG(text));
}

static struct sv item_path(const struct decoding *d, const struct field *f, size_t i)
{
    return arena_printf(d->arena, SV_FMT ".%s[%zu]", SV_ARG(d->prefix), f->path, i);
}

/* What was found, as people would write it. */
static struct sv shown(const struct decoding *d, const struct json *v)
{
    struct sv text = json_text(d->arena, v);

    return text.n <= SHOWN_CHARS
               ? text
               : arena_printf(d->arena, SV_FMT "...", SV_ARG(sv_first(text, SHOWN_CHARS)));
}

static int64_t most_of(const struct field *f, int64_t most)
{
    return f->max ? f->max : most;
}

static bool length_fits(const struct field *f, size_t n, int64_t most)
{
    return (int64_t)n >= f->min && (int64_t)n <= most_of(f, most);
}

static void read_str(const struct decoding *d, const struct field *f, const struct json *v)
{
    struct sv text = json_str(v, (struct sv){0});

    if (json_kind(v) != JSON_STRING)
        blame(d, path_of(d, f), "is " SV_FMT ", must be text", SV_ARG(shown(d, v)));
    else if (!length_fits(f, text.n, DEFAULT_MAX_CHARS))
        blame(d, path_of(d, f), "is " SV_FMT ", must have %lld to %lld characters, has %zu",
              SV_ARG(shown(d, v)), (long long)f->min, (long long)most_of(f, DEFAULT_MAX_CHARS),
              text.n);
    else
        *(struct sv *)place_of(d, f) = arena_dup(d->arena, text);
}

static void read_bool(const struct decoding *d, const struct field *f, const struct json *v)
{
    if (json_kind(v) != JSON_BOOL)
        blame(d, path_of(d, f), "is " SV_FMT ", must be true or false", SV_ARG(shown(d, v)));
    else
        *(bool *)place_of(d, f) = json_bool(v, false);
}

static void read_int(const struct decoding *d, const struct field *f, const struct json *v)
{
    int64_t n = json_i64(v, INT64_MIN);

    if (json_kind(v) != JSON_INT || n < f->min || n > f->max)
        blame(d, path_of(d, f), "is " SV_FMT ", must be a whole number from %lld to %lld",
              SV_ARG(shown(d, v)), (long long)f->min, (long long)f->max);
    else
        *(int *)place_of(d, f) = (int)n;
}

static struct sv list_words(const struct decoding *d, const char *const *words)
{
    struct buf b = buf_new(d->arena, 500);

    for (; *words; words++)
        buf_addf(&b, "%s%s", b.n ? ", " : "", *words);
    return buf_sv(&b);
}

static void read_enum(const struct decoding *d, const struct field *f, const struct json *v)
{
    struct sv text = json_str(v, SV("?"));

    for (int i = 0; f->words[i]; i++) {
        if (sv_eq(text, sv_from(f->words[i]))) {
            *(int *)place_of(d, f) = i;
            return;
        }
    }
    blame(d, path_of(d, f), "is " SV_FMT ", must be one of: " SV_FMT, SV_ARG(shown(d, v)),
          SV_ARG(list_words(d, f->words)));
}

/* A list of the right length, or NULL and a complaint. */
static const struct json *a_list(const struct decoding *d, const struct field *f,
                                 const struct json *v)
{
    if (json_kind(v) != JSON_ARRAY) {
        blame(d, path_of(d, f), "is " SV_FMT ", must be a list", SV_ARG(shown(d, v)));
        return NULL;
    }
    if (length_fits(f, json_count(v), DEFAULT_MAX_ITEMS))
        return v;
    blame(d, path_of(d, f), "must have %lld to %lld entries, has %zu", (long long)f->min,
          (long long)most_of(f, DEFAULT_MAX_ITEMS), json_count(v));
    return NULL;
}

static void read_strings(const struct decoding *d, const struct field *f, const struct json *v)
{
    struct sv_vec *out = (struct sv_vec *)place_of(d, f);
    const struct json *list = a_list(d, f, v);

    for (size_t i = 0; i < json_count(list); i++) {
        struct sv text = json_str(json_at(list, i), (struct sv){0});

        if (text.n == 0 || text.n > DEFAULT_MAX_CHARS)
            blame(d, item_path(d, f, i), "is " SV_FMT ", must be text of 1 to %d characters",
                  SV_ARG(shown(d, json_at(list, i))), DEFAULT_MAX_CHARS);
        else
            vec_push(out, d->arena, arena_dup(d->arena, text));
    }
}

static void read_entry(const struct decoding *d, const struct field *f, struct sv name,
                       const struct json *value)
{
    struct tags *out = (struct tags *)place_of(d, f);

    if (json_kind(value) != JSON_STRING)
        blame(d, arena_printf(d->arena, SV_FMT "." SV_FMT, SV_ARG(path_of(d, f)), SV_ARG(name)),
              "is " SV_FMT ", must be text: put it into quotes", SV_ARG(shown(d, value)));
    else
        vec_push(
            out, d->arena,
            ((struct tag){arena_dup(d->arena, name), arena_dup(d->arena, json_str(value, name))}));
}

static void read_map(const struct decoding *d, const struct field *f, const struct json *v)
{
    struct json *value;
    struct sv name;

    if (json_kind(v) != JSON_OBJECT || !length_fits(f, json_count(v), DEFAULT_MAX_MEMBERS)) {
        blame(d, path_of(d, f), "is " SV_FMT ", must be an object of at most %lld texts",
              SV_ARG(shown(d, v)), (long long)most_of(f, DEFAULT_MAX_MEMBERS));
        return;
    }
    for (size_t i = 0; json_member(v, i, &name, &value); i++)
        read_entry(d, f, name, value);
}

static struct sv list_privileges(const struct decoding *d)
{
    struct buf b = buf_new(d->arena, 2000);

    for (int p = 0; p < PRIVILEGE_COUNT; p++)
        buf_addf(&b, "%s" SV_FMT, b.n ? ", " : "", SV_ARG(privilege_name((enum privilege)p)));
    return buf_sv(&b);
}

static void read_privileges(const struct decoding *d, const struct field *f, const struct json *v)
{
    privilege_set *out = (privilege_set *)place_of(d, f);
    const struct json *list = a_list(d, f, v);

    for (size_t i = 0; i < json_count(list); i++) {
        struct sv text = json_str(json_at(list, i), SV("?"));
        enum privilege p;

        if (privilege_read(text, &p))
            *out |= PRIVILEGE_BIT(p);
        else
            blame(d, item_path(d, f, i), "is " SV_FMT ", must be one of: " SV_FMT,
                  SV_ARG(shown(d, json_at(list, i))), SV_ARG(list_privileges(d)));
    }
}

/* Any VEC starts with these members. */
struct any_vec VEC(char);

static void read_objects(const struct decoding *d, const struct field *f, const struct json *v)
{
    struct any_vec *out = (struct any_vec *)place_of(d, f);
    const struct json *list = a_list(d, f, v);

    out->p = arena_calloc(d->arena, out->cap = json_count(list), f->item_size);
    for (size_t i = 0; i < json_count(list); i++) {
        decode_fields(json_at(list, i), f->items, f->n_items,
                      &(struct decoding){d->arena, d->complaints, item_path(d, f, i),
                                         out->p + out->n++ * f->item_size});
    }
}

static void read_json(const struct decoding *d, const struct field *f, const struct json *v)
{
    if (json_kind(v) != JSON_OBJECT)
        blame(d, path_of(d, f), "is " SV_FMT ", must be an object", SV_ARG(shown(d, v)));
    else if (f->type == FIELD_OBJECT)
        *(bool *)place_of(d, f) = true;
    else
        *(struct json **)place_of(d, f) = json_copy(d->arena, v);
}

static void read_field(const struct decoding *d, const struct field *f, const struct json *v)
{
    switch (f->type) {
    case FIELD_STR:
        read_str(d, f, v);
        break;
    case FIELD_BOOL:
        read_bool(d, f, v);
        break;
    case FIELD_INT:
        read_int(d, f, v);
        break;
    case FIELD_ENUM:
        read_enum(d, f, v);
        break;
    case FIELD_STRINGS:
        read_strings(d, f, v);
        break;
    case FIELD_MAP:
        read_map(d, f, v);
        break;
    case FIELD_JSON:
    case FIELD_OBJECT:
        read_json(d, f, v);
        break;
    case FIELD_OBJECTS:
        read_objects(d, f, v);
        break;
    case FIELD_PRIVILEGES:
        read_privileges(d, f, v);
        break;
    }
}

static void set_fallback(const struct decoding *d, const struct field *f)
{
    if (f->type == FIELD_INT || f->type == FIELD_ENUM)
        *(int *)place_of(d, f) = (int)f->fallback;
    else if (f->type == FIELD_BOOL)
        *(bool *)place_of(d, f) = f->fallback != 0;
}

/* 2: a field of that path. 1: a field lies below it. 0: unknown. */
static int known(struct sv path, const struct field *fields, size_t n)
{
    int best = 0;

    for (size_t i = 0; i < n; i++) {
        struct sv p = sv_from(fields[i].path);

        if (sv_eq(p, path))
            return fields[i].type == FIELD_OBJECT ? 1 : 2;
        if (p.n > path.n && p.p[path.n] == '.' && sv_starts(p, path))
            best = 1;
    }
    return best;
}

/* "name, namespace": what may stand in an object. */
static struct sv members_below(const struct decoding *d, struct sv path, const struct field *fields,
                               size_t n)
{
    struct buf b = buf_new(d->arena, 500);

    for (size_t i = 0; i < n; i++) {
        struct sv p = sv_from(fields[i].path);

        if (p.n > path.n && p.p[path.n] == '.' && sv_starts(p, path))
            buf_addf(&b, "%s" SV_FMT, b.n ? ", " : "", SV_ARG(sv_skip(p, path.n + 1)));
    }
    return buf_sv(&b);
}

/* A table's rows, and where in the object we are: "trustPolicy". */
struct table_part {
    const struct field *fields;
    size_t n;
    struct sv above;
};

static void blame_unknown(const struct decoding *d, const struct json *object,
                          const struct table_part *t);

static void judge_member(const struct decoding *d, const struct json *value, struct sv path,
                         const struct table_part *t)
{
    struct sv whole = arena_printf(d->arena, SV_FMT "." SV_FMT, SV_ARG(d->prefix), SV_ARG(path));
    int k = known(path, t->fields, t->n);

    if (k == 0)
        blame(d, whole, "is no field of this kind; take it out or mend its name");
    else if (k == 1 && json_kind(value) == JSON_OBJECT)
        blame_unknown(d, value, &(struct table_part){t->fields, t->n, path});
    else if (k == 1 && value)
        blame(d, whole, "is " SV_FMT ", must be an object with " SV_FMT, SV_ARG(shown(d, value)),
              SV_ARG(members_below(d, path, t->fields, t->n)));
}

static void blame_unknown(const struct decoding *d, const struct json *object,
                          const struct table_part *t)
{
    struct json *value;
    struct sv name;

    for (size_t i = 0; json_member(object, i, &name, &value); i++)
        judge_member(d, value,
                     t->above.n
                         ? arena_printf(d->arena, SV_FMT "." SV_FMT, SV_ARG(t->above), SV_ARG(name))
                         : name,
                     t);
}

/* Whether the object that the field would stand in is there. */
static bool has_parent(const struct json *object, const struct field *f)
{
    struct sv path = sv_from(f->path);
    ptrdiff_t dot = sv_rfind(path, '.');

    return dot > 0 && json_kind(json_path(object, sv_first(path, (size_t)dot))) == JSON_OBJECT;
}

void decode_fields(const struct json *object, const struct field *fields, size_t n,
                   const struct decoding *d)
{
    if (!object) {
        blame(d, d->prefix, "is required");
        return;
    }
    if (json_kind(object) != JSON_OBJECT) {
        blame(d, d->prefix, "is " SV_FMT ", must be an object", SV_ARG(shown(d, object)));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct field *f = &fields[i];
        const struct json *v = json_path(object, sv_from(f->path));

        set_fallback(d, f);
        if (v)
            read_field(d, f, v);
        else if (f->required || (f->required_within && has_parent(object, f)))
            blame(d, path_of(d, f), "is required");
    }
    blame_unknown(d, object, &(struct table_part){fields, n, {0}});
}
