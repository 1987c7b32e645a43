/* decode.c - a spec read by a table. */
#include "api/decode.h"

#include <string.h>

enum { DEFAULT_MAX_CHARS = 2048, DEFAULT_MAX_ITEMS = 1000 };

struct decoding {
    struct arena *arena;
    struct complaints *complaints;
    struct sv prefix; /* of paths in complaints */
    char *out;
};

static void blame(const struct decoding *d, const struct field *f, const char *what)
{
    complain(d->complaints, d->arena, "InvalidSpec",
             arena_printf(d->arena, SV_FMT ".%s", SV_ARG(d->prefix), f->path), "%s", what);
}

static void blame_item(const struct decoding *d, const struct field *f, size_t i, const char *what)
{
    complain(d->complaints, d->arena, "InvalidSpec",
             arena_printf(d->arena, SV_FMT ".%s[%zu]", SV_ARG(d->prefix), f->path, i), "%s", what);
}

static bool length_fits(const struct field *f, size_t n, int64_t most)
{
    return (int64_t)n >= f->min && (int64_t)n <= (f->max ? f->max : most);
}

static void read_str(const struct decoding *d, const struct field *f, const struct json *v)
{
    struct sv text = json_str(v, (struct sv){0});

    if (json_kind(v) != JSON_STRING)
        blame(d, f, "must be text");
    else if (!length_fits(f, text.n, DEFAULT_MAX_CHARS))
        blame(d, f, "is too short or too long");
    else
        *(struct sv *)(void *)(d->out + f->offset) = arena_dup(d->arena, text);
}

static void read_bool(const struct decoding *d, const struct field *f, const struct json *v)
{
    if (json_kind(v) != JSON_BOOL)
        blame(d, f, "must be true or false");
    else
        *(bool *)(d->out + f->offset) = json_bool(v, false);
}

static void read_int(const struct decoding *d, const struct field *f, const struct json *v)
{
    int64_t n = json_i64(v, INT64_MIN);

    if (json_kind(v) != JSON_INT)
        blame(d, f, "must be a whole number");
    else if (n < f->min || n > f->max)
        blame(d, f,
              arena_printf(d->arena, "is %lld, must be from %lld to %lld", (long long)n,
                           (long long)f->min, (long long)f->max)
                  .p);
    else
        *(int *)(void *)(d->out + f->offset) = (int)n;
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
            *(int *)(void *)(d->out + f->offset) = i;
            return;
        }
    }
    blame(d, f,
          arena_printf(d->arena, "is \"" SV_FMT "\", must be one of: " SV_FMT,
                       SV_ARG(sv_first(text, 60)), SV_ARG(list_words(d, f->words)))
              .p);
}

/* A list of the right length, or NULL and a complaint. */
static const struct json *a_list(const struct decoding *d, const struct field *f,
                                 const struct json *v)
{
    if (json_kind(v) == JSON_ARRAY && length_fits(f, json_count(v), DEFAULT_MAX_ITEMS))
        return v;
    blame(d, f, json_kind(v) == JSON_ARRAY ? "has too few or too many entries" : "must be a list");
    return NULL;
}

static void read_strings(const struct decoding *d, const struct field *f, const struct json *v)
{
    struct sv_vec *out = (struct sv_vec *)(void *)(d->out + f->offset);
    const struct json *list = a_list(d, f, v);

    vec_reserve(out, d->arena, json_count(list));
    for (size_t i = 0; i < json_count(list); i++) {
        struct sv text = json_str(json_at(list, i), (struct sv){0});

        if (text.n == 0 || text.n > DEFAULT_MAX_CHARS)
            blame_item(d, f, i, "must be text of 1 to 2048 bytes");
        else
            vec_push(out, d->arena, arena_dup(d->arena, text));
    }
}

static void read_map(const struct decoding *d, const struct field *f, const struct json *v)
{
    struct tags *out = (struct tags *)(void *)(d->out + f->offset);
    struct json *value;
    struct sv name;

    if (json_kind(v) != JSON_OBJECT || !length_fits(f, json_count(v), 100)) {
        blame(d, f, "must be an object of text values, at most 100");
        return;
    }
    for (size_t i = 0; json_member(v, i, &name, &value); i++) {
        if (json_kind(value) != JSON_STRING)
            blame(d, f,
                  arena_printf(d->arena, "value of \"" SV_FMT "\" must be text", SV_ARG(name)).p);
        else
            vec_push(out, d->arena,
                     ((struct tag){arena_dup(d->arena, name),
                                   arena_dup(d->arena, json_str(value, name))}));
    }
}

static void read_privileges(const struct decoding *d, const struct field *f, const struct json *v)
{
    privilege_set *out = (privilege_set *)(void *)(d->out + f->offset);
    const struct json *list = a_list(d, f, v);

    for (size_t i = 0; i < json_count(list); i++) {
        struct sv text = json_str(json_at(list, i), SV("?"));
        enum privilege p;

        if (privilege_read(text, &p))
            *out |= PRIVILEGE_BIT(p);
        else
            blame_item(
                d, f, i,
                arena_printf(d->arena, "\"" SV_FMT "\" is no privilege", SV_ARG(sv_first(text, 60)))
                    .p);
    }
}

/* Any VEC starts with these members. */
struct any_vec VEC(char);

static void read_objects(const struct decoding *d, const struct field *f, const struct json *v)
{
    struct any_vec *out = (struct any_vec *)(void *)(d->out + f->offset);
    const struct json *list = a_list(d, f, v);

    out->p = arena_calloc(d->arena, out->cap = json_count(list), f->item_size);
    for (size_t i = 0; i < json_count(list); i++) {
        decode_fields(json_at(list, i), f->items, f->n_items,
                      arena_printf(d->arena, SV_FMT ".%s[%zu]", SV_ARG(d->prefix), f->path, i),
                      out->p + out->n++ * f->item_size, d->arena, d->complaints);
    }
}

static void read_json(const struct decoding *d, const struct field *f, const struct json *v)
{
    if (json_kind(v) != JSON_OBJECT)
        blame(d, f, "must be an object");
    else if (f->type == FIELD_OBJECT)
        *(bool *)(d->out + f->offset) = true;
    else
        *(struct json **)(void *)(d->out + f->offset) = json_copy(d->arena, v);
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
        *(int *)(void *)(d->out + f->offset) = (int)f->fallback;
    else if (f->type == FIELD_BOOL)
        *(bool *)(d->out + f->offset) = f->fallback != 0;
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

static void blame_unknown(const struct decoding *d, const struct json *object, struct sv above,
                          const struct field *fields, size_t n)
{
    struct json *value;
    struct sv name;

    for (size_t i = 0; json_member(object, i, &name, &value); i++) {
        struct sv path =
            above.n ? arena_printf(d->arena, SV_FMT "." SV_FMT, SV_ARG(above), SV_ARG(name)) : name;
        int k = known(path, fields, n);

        if (k == 0)
            complain(d->complaints, d->arena, "InvalidSpec",
                     arena_printf(d->arena, SV_FMT "." SV_FMT, SV_ARG(d->prefix), SV_ARG(path)),
                     "is no field of this kind; take it out or mend its name");
        else if (k == 1 && value && json_kind(value) != JSON_OBJECT)
            complain(d->complaints, d->arena, "InvalidSpec",
                     arena_printf(d->arena, SV_FMT "." SV_FMT, SV_ARG(d->prefix), SV_ARG(path)),
                     "must be an object");
        else if (k == 1)
            blame_unknown(d, value, path, fields, n);
    }
}

void decode_fields(const struct json *object, const struct field *fields, size_t n,
                   struct sv prefix, void *out, struct arena *a, struct complaints *complaints)
{
    struct decoding d = {a, complaints, prefix, out};

    if (json_kind(object) != JSON_OBJECT) {
        complain(complaints, a, "InvalidSpec", prefix, "must be an object");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct json *v = json_path(object, sv_from(fields[i].path));

        set_fallback(&d, &fields[i]);
        if (v)
            read_field(&d, &fields[i], v);
        else if (fields[i].required)
            blame(&d, &fields[i], "is required");
    }
    blame_unknown(&d, object, (struct sv){0}, fields, n);
}
