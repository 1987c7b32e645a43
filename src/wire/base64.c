/* base64.c - base64 and base64url. */
#include "wire/base64.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encode_group(char *out, const unsigned char *in, size_t n, const char *alphabet)
{
    unsigned bits = (unsigned)in[0] << 16;

    if (n > 1)
        bits |= (unsigned)in[1] << 8;
    if (n > 2)
        bits |= in[2];
    for (size_t i = 0; i <= n; i++)
        out[i] = alphabet[(bits >> (18 - 6 * i)) & 63];
    return n + 1;
}

static struct sv encode(struct arena *a, struct sv v, const char *alphabet, bool padded)
{
    char *out = arena_alloc(a, (v.n / 3 + 1) * 4 + 1);
    size_t n = 0;

    for (size_t i = 0; i < v.n; i += 3) {
        size_t left = v.n - i < 3 ? v.n - i : 3;

        n += encode_group(out + n, (const unsigned char *)v.p + i, left, alphabet);
    }
    while (padded && n % 4 != 0)
        out[n++] = '=';
    return sv_of(out, n);
}

struct sv base64_encode(struct arena *a, struct sv v)
{
    return encode(a, v, standard, true);
}

struct sv base64url_encode(struct arena *a, struct sv v)
{
    return encode(a, v, url_safe, false);
}

/* The six bits of a digit, or -1. `plus` and `slash` are the last two of the alphabet. */
static int value_of(char c, char plus, char slash)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == plus)
        return 62;
    return c == slash ? 63 : -1;
}

/* Decodes unpadded digits. Bits that no byte uses must be zero: one value has one text. */
static bool decode(struct sv v, const char *alphabet, struct arena *a, struct sv *out,
                   struct err *e)
{
    char *bytes = arena_alloc(a, v.n / 4 * 3 + 4);
    unsigned bits = 0, held = 0;
    size_t n = 0;

    if (v.n % 4 == 1)
        return err_set(e, ERR_INVALID, "base64 of %zu digits is cut short", v.n);
    for (size_t i = 0; i < v.n; i++) {
        int value = value_of(v.p[i], alphabet[62], alphabet[63]);

        if (value < 0)
            return err_set(e, ERR_INVALID, "byte %zu is not a base64 digit", i);
        bits = (bits << 6) | (unsigned)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[n++] = (char)(unsigned char)((bits >> held) & 255);
        }
    }
    if (bits & ((1U << held) - 1))
        return err_set(e, ERR_INVALID, "base64 ends in bits that belong to no byte");
    *out = sv_of(bytes, n);
    return true;
}

bool base64_decode(struct sv v, struct arena *a, struct sv *out, struct err *e)
{
    if (v.n % 4 != 0)
        return err_set(e, ERR_INVALID, "base64 of %zu bytes, want a multiple of four", v.n);
    if (sv_ends(v, SV("==")))
        v.n -= 2;
    else if (sv_ends(v, SV("=")))
        v.n -= 1;
    return decode(v, standard, a, out, e);
}

bool base64url_decode(struct sv v, struct arena *a, struct sv *out, struct err *e)
{
    return decode(v, url_safe, a, out, e);
}
