/* location.c - places in object stores, compared as whole path segments. */
#include "api/location.h"

#include "base/limits.h"

/* The same store under three names that Hadoop gave it. */
static bool skip_scheme(struct sv *rest)
{
    static const struct sv schemes[] = {SV_INIT("s3://"), SV_INIT("s3a://"), SV_INIT("s3n://")};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (sv_starts(*rest, schemes[i])) {
            *rest = sv_skip(*rest, schemes[i].n);
            return true;
        }
    }
    return false;
}

/* Characters with which two texts that look the same differ: combining marks, invisible ones. */
static bool is_ambiguous(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x80,    0x9f   },
        {0xad,    0xad   },
        {0x300,   0x36f  },
        {0x483,   0x489  },
        {0x591,   0x5bd  },
        {0x64b,   0x65f  },
        {0x1100,  0x11ff },
        {0x1ab0,  0x1aff },
        {0x1dc0,  0x1dff },
        {0x200b,  0x200f },
        {0x2028,  0x202e },
        {0x2060,  0x206f },
        {0x20d0,  0x20ff },
        {0x2126,  0x2126 },
        {0x212a,  0x212b },
        {0x302a,  0x302f },
        {0x3099,  0x309a },
        {0xf900,  0xfaff },
        {0xfe00,  0xfe0f },
        {0xfe20,  0xfe2f },
        {0xfeff,  0xfeff },
        {0xfff9,  0xffff },
        {0xe0000, 0xe0fff}
    };

    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    }
    return false;
}

static bool check_characters(struct sv text, struct err *e)
{
    uint32_t code = 0;

    for (size_t i = 0; i < text.n;) {
        size_t length = sv_utf8(sv_skip(text, i), &code);

        if (length == 0)
            return err_set(e, ERR_INVALID, "it is not UTF-8");
        if (code < 0x20 || code == 0x7f)
            return err_set(e, ERR_INVALID, "it holds a control byte");
        if (code < 0x80 && sv_has_char(SV("*?$:\\%#"), (char)code))
            return err_set(e, ERR_INVALID, "'%c' may not stand in it: no policy can say it exactly",
                           (char)code);
        if (is_ambiguous(code))
            return err_set(e, ERR_INVALID, "U+%04X may not stand in it: write it in one character",
                           (unsigned)code);
        i += length;
    }
    return true;
}

static bool check_segments(struct sv key, struct err *e)
{
    struct sv segment;

    while (sv_cut(&key, '/', &segment)) {
        if (segment.n == 0)
            return err_set(e, ERR_INVALID, "it has an empty path segment (//)");
        if (sv_eq(segment, SV(".")) || sv_eq(segment, SV("..")))
            return err_set(e, ERR_INVALID, "'" SV_FMT "' may not be a path segment",
                           SV_ARG(segment));
    }
    return true;
}

static bool is_bucket(struct sv v)
{
    return v.n >= 3 && v.n <= 63 && sv_only(v, SV("abcdefghijklmnopqrstuvwxyz0123456789.-")) &&
           !sv_contains(v, SV("..")) && v.p[0] != '.' && v.p[0] != '-';
}

/* "file:/a" and "file:///a"; a host between the slashes would be another machine. */
static bool skip_file_scheme(struct sv *rest)
{
    if (!sv_starts(*rest, SV("file:/")))
        return false;
    *rest = sv_skip(*rest, sv_starts(*rest, SV("file:///")) ? 8 : 6);
    return true;
}

/* Bucket and key without a closing slash. */
static bool take_apart(struct sv text, struct location *out, struct err *e)
{
    struct sv rest = text;
    ptrdiff_t slash;

    if (text.n > LIMIT_LOCATION_BYTES)
        return err_set(e, ERR_INVALID, "it is %zu bytes long, at most %d", text.n,
                       LIMIT_LOCATION_BYTES);
    if (skip_file_scheme(&rest)) {
        *out = (struct location){.key = rest};
        return rest.n ? check_characters(rest, e) : err_set(e, ERR_INVALID, "it names no folder");
    }
    if (!skip_scheme(&rest))
        return err_set(e, ERR_INVALID, "it must start with s3://, s3a:// or s3n://");
    slash = sv_find(rest, '/');
    out->bucket = slash < 0 ? rest : sv_first(rest, (size_t)slash);
    out->key = slash < 0 ? (struct sv){0} : sv_skip(rest, (size_t)slash + 1);
    if (!is_bucket(out->bucket))
        return err_set(e, ERR_INVALID, "it names no bucket");
    return check_characters(out->key, e);
}

static bool explain(struct sv text, struct err *e)
{
    return err_wrap(e, "location \"" SV_FMT "\"", SV_ARG(sv_first(text, 100)));
}

bool location_read(struct sv text, bool star, struct arena *a, struct location *out, struct err *e)
{
    struct sv whole = text;
    struct location l = {0};

    if (star && sv_ends(text, SV("/*")))
        text.n -= 1;
    if (!take_apart(text, &l, e))
        return explain(whole, e);
    if (sv_ends(l.key, SV("/")))
        l.key.n--;
    if (l.key.n && !check_segments(l.key, e))
        return explain(whole, e);
    out->bucket = arena_dup(a, l.bucket);
    out->key = l.key.n ? arena_printf(a, SV_FMT "/", SV_ARG(l.key)) : (struct sv){0};
    return true;
}

bool location_read_file(struct sv text, struct arena *a, struct location *out, struct err *e)
{
    struct location l = {0};

    if (!take_apart(text, &l, e) || !check_segments(l.key.n ? l.key : SV("."), e))
        return explain(text, e);
    out->bucket = arena_dup(a, l.bucket);
    out->key = arena_dup(a, l.key);
    return true;
}

static bool check_named(struct sv key, struct err *e)
{
    struct sv rest = key, segment;

    if (!key.n || sv_ends(key, SV("/")))
        return err_set(e, ERR_INVALID, "it names no file");
    for (size_t i = 0; i < key.n; i++) {
        if ((unsigned char)key.p[i] < 0x20 || key.p[i] == 0x7f)
            return err_set(e, ERR_INVALID, "it holds a control byte");
    }
    while (sv_cut(&rest, '/', &segment)) {
        if (sv_eq(segment, SV(".")) || sv_eq(segment, SV("..")))
            return err_set(e, ERR_INVALID, "'" SV_FMT "' may not be a path segment",
                           SV_ARG(segment));
    }
    return true;
}

bool location_read_named(struct sv text, struct location *out, struct err *e)
{
    struct location l = {.key = text};
    ptrdiff_t slash;

    if (text.n / 2 > LIMIT_LOCATION_BYTES)
        return err_set(e, ERR_INVALID, "location of %zu bytes", text.n);
    if (!skip_file_scheme(&l.key)) {
        if (!skip_scheme(&l.key))
            return err_set(e, ERR_INVALID, "it must start with s3://") || explain(text, e);
        slash = sv_find(l.key, '/');
        l.bucket = slash < 0 ? l.key : sv_first(l.key, (size_t)slash);
        l.key = slash < 0 ? (struct sv){0} : sv_skip(l.key, (size_t)slash + 1);
        if (!l.bucket.n)
            return err_set(e, ERR_INVALID, "it names no bucket") || explain(text, e);
    }
    if (!check_named(l.key, e))
        return explain(text, e);
    *out = l;
    return true;
}

struct sv location_text(const struct location *l, struct arena *a)
{
    return l->bucket.n
               ? arena_printf(a, "s3://" SV_FMT "/" SV_FMT, SV_ARG(l->bucket), SV_ARG(l->key))
               : arena_printf(a, "file:/" SV_FMT, SV_ARG(l->key));
}

bool location_contains(const struct location *outer, const struct location *inner)
{
    /* A folder's key ends in '/', so "t/" is no start of "t2/". */
    return sv_eq(outer->bucket, inner->bucket) && sv_starts(inner->key, outer->key);
}

ptrdiff_t location_which(const struct location *folders, size_t n, const struct location *inner)
{
    for (size_t i = 0; i < n; i++) {
        if (location_contains(&folders[i], inner))
            return (ptrdiff_t)i;
    }
    return -1;
}

bool location_overlaps(const struct location *x, const struct location *y)
{
    return location_contains(x, y) || location_contains(y, x);
}
