/* names.c - dotted names, read and written. */
#include "wire/names.h"

/* Behind the opening quote; `*rest` is left behind the closing one. */
static bool take_quoted(struct sv *rest, struct arena *a, struct sv *out)
{
    struct buf b = buf_new(a, rest->n);
    struct sv part;

    while (sv_has_char(*rest, '"') && sv_cut(rest, '"', &part)) {
        buf_add(&b, part);
        if (!sv_starts(*rest, SV("\""))) {
            *out = buf_sv(&b);
            return true;
        }
        buf_addc(&b, '"');
        *rest = sv_skip(*rest, 1);
    }
    return false;
}

/* The level at the front, and the dot behind it; `*more`: there was one. NULL, or what is wrong. */
static const char *take_level(struct sv *rest, struct arena *a, struct sv *out, bool *more)
{
    *out = (struct sv){0};
    if (!sv_starts(*rest, SV("\""))) {
        *more = sv_has_char(*rest, '.');
        (void)sv_cut(rest, '.', out);
    } else {
        *rest = sv_skip(*rest, 1);
        if (!take_quoted(rest, a, out))
            return "a quote is not closed";
        if (rest->n && rest->p[0] != '.')
            return "a dot must follow a closing quote";
        *more = rest->n > 0;
        *rest = sv_skip(*rest, 1);
    }
    return out->n ? NULL : "a level is empty";
}

bool names_parse(struct sv text, struct arena *a, struct name_levels *levels, struct err *e)
{
    struct sv rest = text, level;
    bool more = true;

    while (more) {
        bool quoted = sv_starts(rest, SV("\""));
        const char *wrong = take_level(&rest, a, &level, &more);

        if (wrong)
            return err_set(e, ERR_INVALID, "\"" SV_FMT "\": %s", SV_ARG(sv_first(text, 150)),
                           wrong);
        vec_push(levels, a, ((struct name_level){level, quoted}));
    }
    return true;
}

bool names_read(struct sv text, struct arena *a, struct sv_vec *levels, struct err *e)
{
    struct name_levels parsed = {0};

    if (!names_parse(text, a, &parsed, e))
        return false;
    for (size_t i = 0; i < parsed.n; i++)
        vec_push(levels, a, parsed.p[i].text);
    return true;
}

static bool needs_quotes(struct sv level)
{
    return !level.n || sv_has_char(level, '.') || sv_has_char(level, '"');
}

void names_write(struct buf *out, const struct sv *levels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sv rest = levels[i], part;
        bool quoted = needs_quotes(levels[i]);

        if (i)
            buf_addc(out, '.');
        if (!quoted) {
            buf_add(out, levels[i]);
            continue;
        }
        buf_addc(out, '"');
        while (sv_has_char(rest, '"') && sv_cut(&rest, '"', &part)) {
            buf_add(out, part);
            buf_add(out, SV("\"\""));
        }
        buf_add(out, rest);
        buf_addc(out, '"');
    }
}

static struct buf room(struct arena *a, const struct sv *levels, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += 2 * levels[i].n + 3;
    return buf_new(a, bytes);
}

struct sv names_text(struct arena *a, const struct sv *levels, size_t n)
{
    struct buf b = room(a, levels, n);

    names_write(&b, levels, n);
    return buf_sv(&b);
}

struct sv names_joined(struct arena *a, const struct sv *levels, size_t n)
{
    struct buf b = room(a, levels, n);

    for (size_t i = 0; i < n; i++) {
        buf_add(&b, i ? SV(".") : SV(""));
        buf_add(&b, levels[i]);
    }
    return buf_sv(&b);
}
