/* hex.c - bytes as lower-case hexadecimal digits. */
#include "wire/hex.h"

void hex_write(char *out, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *b = bytes;

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[b[i] >> 4];
        out[2 * i + 1] = digits[b[i] & 15];
    }
}

struct sv hex_encode(struct arena *a, struct sv v)
{
    char *out = arena_alloc(a, 2 * v.n + 1);

    hex_write(out, v.p, v.n);
    return sv_of(out, 2 * v.n);
}
