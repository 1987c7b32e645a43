/* form.c - queries and application/x-www-form-urlencoded bodies. */
#include "base/limits.h"
#include "wire/uri.h"

static bool read_field(struct sv field, struct arena *a, struct pair *out, struct err *e)
{
    ptrdiff_t equals = sv_find(field, '=');
    struct sv name = equals < 0 ? field : sv_first(field, (size_t)equals);
    struct sv value = equals < 0 ? (struct sv){0} : sv_skip(field, (size_t)equals + 1);

    return uri_decode(name, true, a, &out->name, e) && uri_decode(value, true, a, &out->value, e);
}

bool form_read(struct sv text, struct arena *a, struct pairs *out, struct err *e)
{
    struct pairs pairs = {0};
    struct sv rest = text, field;

    while (sv_cut(&rest, '&', &field)) {
        struct pair pair = {0};

        if (!field.n)
            continue;
        if (pairs.n == LIMIT_FORM_FIELDS)
            return err_set(e, ERR_INVALID, "more than %d fields in a form", LIMIT_FORM_FIELDS);
        if (!read_field(field, a, &pair, e))
            return err_wrap(e, "field %zu of a form", pairs.n + 1);
        vec_push(&pairs, a, pair);
    }
    *out = pairs;
    return true;
}

const struct sv *form_get(const struct pairs *p, struct sv name)
{
    for (size_t i = 0; i < p->n; i++) {
        if (sv_eq(p->p[i].name, name))
            return &p->p[i].value;
    }
    return NULL;
}

bool form_has_no_twins(const struct pairs *p, struct err *e)
{
    for (size_t i = 0; i < p->n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (sv_eq(p->p[i].name, p->p[j].name))
                return err_set(e, ERR_INVALID, SV_FMT ": is given twice; leave one of them out",
                               SV_ARG(sv_first(p->p[i].name, 100)));
        }
    }
    return true;
}

void form_drop_empty(struct pairs *p)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->n; i++) {
        if (p->p[i].value.n)
            p->p[kept++] = p->p[i];
    }
    p->n = kept;
}

void form_write(struct buf *out, const struct pairs *p)
{
    for (size_t i = 0; i < p->n; i++) {
        if (i)
            buf_addc(out, '&');
        uri_encode(out, p->p[i].name, SV(""));
        buf_addc(out, '=');
        uri_encode(out, p->p[i].value, SV(""));
    }
}
