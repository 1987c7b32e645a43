/* levels.c - namespaces as they come: in a path, in a body, in a parameter. */
#include "base/limits.h"
#include "serve/call.h"

/* What the catalog's configuration tells clients to put between levels in a path, URL-encoded as it
 * stands there ("%2E"); empty: 0x1F, which is taken always. */
static struct sv separator(const struct call *c)
{
    for (size_t i = 0; c->catalog && i < c->catalog->n_properties; i++) {
        if (sv_eq(c->catalog->properties[i].key, SV("namespace-separator")))
            return c->catalog->properties[i].value;
    }
    return (struct sv){0};
}

/* Offset of `part` in `v`, letters in any case, or -1. */
static ptrdiff_t find(struct sv v, struct sv part)
{
    for (size_t i = 0; part.n && i + part.n <= v.n; i++) {
        if (sv_eq_nocase(sv_of(v.p + i, part.n), part))
            return (ptrdiff_t)i;
    }
    return -1;
}

/* The first of these that occurs stands between levels; none: there is one level. */
static struct sv choose(struct sv text, const struct sv *separators, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (find(text, separators[i]) >= 0)
            return separators[i];
    }
    return (struct sv){0};
}

struct splitting {
    struct sv text, separator;
    bool decode, plus_is_space;
};

static bool split(struct call *c, struct splitting s, struct levels *out, struct err *e)
{
    struct sv levels[LIMIT_NAMESPACE_LEVELS + 1];
    size_t n = 0;
    ptrdiff_t at;

    do {
        at = find(s.text, s.separator);
        if (n > LIMIT_NAMESPACE_LEVELS)
            return err_set(e, ERR_INVALID, "too many levels");
        levels[n] = at < 0 ? s.text : sv_first(s.text, (size_t)at);
        if (s.decode && !uri_decode(levels[n], s.plus_is_space, c->arena, &levels[n], e))
            return false;
        n++;
        s.text = at < 0 ? s.text : sv_skip(s.text, (size_t)at + s.separator.n);
    } while (at >= 0);
    return call_levels_of(c, levels, n, out, e);
}

static struct sv decoded_separator(const struct call *c)
{
    struct err ignored = {0};
    struct sv plain = {0};

    return uri_decode(separator(c), false, c->arena, &plain, &ignored) ? plain : (struct sv){0};
}

bool call_levels(struct call *c, struct sv raw, struct levels *out, struct err *e)
{
    /* Java joins by what is advertised as it stands, PyIceberg by what that means. */
    const struct sv separators[] = {SV("%1F"), separator(c), decoded_separator(c)};

    return split(c, (struct splitting){raw, choose(raw, separators, 3), true, true}, out, e);
}

bool call_levels_text(struct call *c, struct sv text, bool encoded, struct levels *out,
                      struct err *e)
{
    const struct sv separators[] = {SV("\x1f"), decoded_separator(c)};

    return split(c, (struct splitting){text, choose(text, separators, 2), encoded, false}, out, e);
}

bool call_levels_json(struct call *c, const struct json *list, struct levels *out, struct err *e)
{
    struct sv levels[LIMIT_NAMESPACE_LEVELS + 1], apart = decoded_separator(c);
    size_t n = json_count(list);

    if (json_kind(list) != JSON_ARRAY || n > LIMIT_NAMESPACE_LEVELS)
        return err_set(e, ERR_INVALID, "namespace: a list of 1 to %d names is required",
                       LIMIT_NAMESPACE_LEVELS);
    for (size_t i = 0; i < n; i++) {
        levels[i] = json_str(json_at(list, i), (struct sv){0});
        if (find(levels[i], apart) >= 0)
            return err_set(e, ERR_INVALID,
                           "\"" SV_FMT
                           "\" separates levels in this catalog and may not stand in one",
                           SV_ARG(sv_first(apart, 20)));
    }
    return call_levels_of(c, levels, n, out, e);
}
