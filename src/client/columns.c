/* columns.c - text for a terminal. */
#include "client/columns.h"

#include <assert.h>
#include <locale.h>
#include <string.h>
#include <wchar.h>

/* Characters without a sign of their own that change what is seen: separators of lines, joiners,
 * marks of direction, tags. Source: Unicode 15, general categories Cf, Zl and Zp; UTR 36. */
static bool is_hidden(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } all[] = {
        {0x00ad,  0x00ad },
        {0x061c,  0x061c },
        {0x180e,  0x180e },
        {0x200b,  0x200f },
        {0x2028,  0x202e },
        {0x2060,  0x206f },
        {0xfeff,  0xfeff },
        {0xfff9,  0xfffb },
        {0xe0000, 0xe007f},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (code >= all[i].first && code <= all[i].last)
            return true;
    }
    return false;
}

/* C0 with DEL, and C1: a terminal takes 0x9b for ESC [. */
static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

static void escape_one(struct buf *out, uint32_t code)
{
    if (code == '\n')
        buf_add(out, SV("\\n"));
    else if (code == '\t')
        buf_add(out, SV("\\t"));
    else if (code == '\r')
        buf_add(out, SV("\\r"));
    else if (code == '\\')
        buf_add(out, SV("\\\\"));
    else if (code < 0x80)
        buf_addf(out, "\\x%02x", code);
    else
        buf_addf(out, "\\u{%x}", code);
}

void text_escape(struct buf *out, struct sv v)
{
    while (v.n) {
        uint32_t code = 0;
        size_t n = sv_utf8(v, &code);

        if (!n)
            buf_addf(out, "\\x%02x", (unsigned char)v.p[0]);
        else if (code == '\\' || is_control(code) || is_hidden(code))
            escape_one(out, code);
        else
            buf_add(out, sv_first(v, n));
        v = sv_skip(v, n ? n : 1);
    }
}

struct sv text_escaped(struct arena *a, struct sv v)
{
    /* No character grows more than a byte that is none. */
    struct buf b = buf_new(a, v.n * 4);

    text_escape(&b, v);
    return buf_sv(&b);
}

/* ---- back again ---- */

static void add_utf8(struct buf *out, uint32_t code)
{
    unsigned more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint32_t first[] = {0, 0xc0, 0xe0, 0xf0};

    buf_addc(out, (char)(unsigned char)(first[more] | code >> 6 * more));
    while (more--)
        buf_addc(out, (char)(unsigned char)(0x80 | (code >> 6 * more & 63)));
}

/* The number that the digits of `text` are, all of them. */
static bool hex_of(struct sv text, uint32_t *out)
{
    static const char digits[] = "0123456789abcdef";

    *out = 0;
    for (size_t i = 0; i < text.n; i++) {
        const char *digit = text.p[i] ? strchr(digits, text.p[i]) : NULL;

        if (!digit)
            return false;
        *out = *out << 4 | (uint32_t)(digit - digits);
    }
    return text.n > 0 && text.n <= 6;
}

/* How long the escape at the front is; 0: none of ours. */
static size_t take_escape(struct sv v, struct buf *out)
{
    static const char plain[] = "n\nt\tr\r\\\\";
    ptrdiff_t end = sv_starts(v, SV("\\u{")) ? sv_find(v, '}') : -1;
    uint32_t code;

    for (size_t i = 0; v.n > 1 && plain[i]; i += 2) {
        if (v.p[1] == plain[i]) {
            buf_addc(out, plain[i + 1]);
            return 2;
        }
    }
    if (sv_starts(v, SV("\\x")) && v.n >= 4 && hex_of(sv_of(v.p + 2, 2), &code)) {
        buf_addc(out, (char)(unsigned char)code);
        return 4;
    }
    if (end < 0 || !hex_of(sv_of(v.p + 3, (size_t)end - 3), &code) || code > 0x10ffff ||
        (code >= 0xd800 && code <= 0xdfff))
        return 0;
    add_utf8(out, code);
    return (size_t)end + 1;
}

struct sv text_unescaped(struct arena *a, struct sv v)
{
    struct buf b = buf_new(a, v.n);

    while (v.n) {
        size_t n = v.p[0] == '\\' ? take_escape(v, &b) : 0;

        if (!n)
            buf_addc(&b, v.p[0]);
        v = sv_skip(v, n ? n : 1);
    }
    return buf_sv(&b);
}

/* ---- columns ---- */

/* How many cells of a terminal it takes: some signs are wide, some stand above others. */
static size_t width_of(struct sv v)
{
    size_t width = 0, n;
    uint32_t code = 0;

    while (v.n && (n = sv_utf8(v, &code))) {
        int cells = wcwidth((wchar_t)code);

        width += cells < 0 ? 1 : (size_t)cells;
        v = sv_skip(v, n);
    }
    return width + v.n;
}

struct columns columns_new(struct arena *a, const struct column *columns, size_t n)
{
    assert(n > 0);
    return (struct columns){.arena = a, .columns = columns, .n = n};
}

void columns_add(struct columns *c, struct sv cell)
{
    vec_push(&c->cells, c->arena, text_escaped(c->arena, cell));
}

static void pad(struct buf *out, size_t n)
{
    while (n--)
        buf_addc(out, ' ');
}

static size_t *widths_of(const struct columns *c)
{
    size_t *widths = arena_array(c->arena, size_t, c->n), column = 0;

    for (size_t i = 0; i < c->n; i++)
        widths[i] = width_of(sv_from(c->columns[i].head));
    for (size_t i = 0; i < c->cells.n; i++) {
        size_t width = width_of(c->cells.p[i]);

        if (width > widths[column])
            widths[column] = width;
        column = column + 1 == c->n ? 0 : column + 1;
    }
    return widths;
}

/* One line; nothing is padded behind its last cell that holds something. */
static void write_row(struct buf *out, const struct columns *c, const size_t *widths,
                      const struct sv *cells)
{
    size_t last = c->n;

    while (last && !cells[last - 1].n)
        last--;
    for (size_t i = 0; i < last; i++) {
        size_t blanks = widths[i] - width_of(cells[i]);

        pad(out, i ? 2 : 0);
        if (c->columns[i].right)
            pad(out, blanks);
        buf_add(out, cells[i]);
        if (!c->columns[i].right && i + 1 < last)
            pad(out, blanks);
    }
    buf_addc(out, '\n');
}

static void write_rows(struct buf *out, const struct columns *c, size_t indent)
{
    const size_t *widths = widths_of(c);
    struct sv *heads = arena_array(c->arena, struct sv, c->n);

    for (size_t i = 0; i < c->n; i++)
        heads[i] = sv_from(c->columns[i].head);
    if (c->columns[0].head) {
        pad(out, indent);
        write_row(out, c, widths, heads);
    }
    for (size_t i = 0; i + c->n <= c->cells.n; i += c->n) {
        pad(out, indent);
        write_row(out, c, widths, c->cells.p + i);
    }
}

/* Widths are the same in every language, and unknown in the one that a program starts with. */
void columns_write(struct buf *out, const struct columns *c, size_t indent)
{
    locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = unicode ? uselocale(unicode) : (locale_t)0;

    write_rows(out, c, indent);
    if (!unicode)
        return;
    (void)uselocale(before);
    freelocale(unicode);
}
