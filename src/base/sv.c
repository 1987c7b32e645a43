/* sv.c - string views. */
#include "base/sv.h"

#include <string.h>
#include <sys/auxv.h>

struct sv sv_from(const char *s)
{
    return (struct sv){s, s ? strlen(s) : 0};
}

struct sv sv_of(const char *p, size_t n)
{
    return (struct sv){p, n};
}

bool sv_eq(struct sv a, struct sv b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static char lower(char c)
{
    if (c < 'A' || c > 'Z')
        return c;
    return (char)(c - 'A' + 'a');
}

bool sv_eq_nocase(struct sv a, struct sv b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++) {
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    }
    return true;
}

int sv_cmp(struct sv a, struct sv b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;

    if (order != 0)
        return order;
    return (a.n > b.n) - (a.n < b.n);
}

bool sv_starts(struct sv v, struct sv prefix)
{
    return v.n >= prefix.n && sv_eq(sv_of(v.p, prefix.n), prefix);
}

bool sv_ends(struct sv v, struct sv suffix)
{
    return v.n >= suffix.n && sv_eq(sv_skip(v, v.n - suffix.n), suffix);
}

bool sv_contains(struct sv v, struct sv part)
{
    return part.n == 0 || (v.n >= part.n && memmem(v.p, v.n, part.p, part.n) != NULL);
}

bool sv_has_char(struct sv v, char c)
{
    return sv_find(v, c) >= 0;
}

bool sv_only(struct sv v, struct sv alphabet)
{
    for (size_t i = 0; i < v.n; i++) {
        if (!sv_has_char(alphabet, v.p[i]))
            return false;
    }
    return true;
}

struct sv sv_skip(struct sv v, size_t n)
{
    return n >= v.n ? (struct sv){0} : sv_of(v.p + n, v.n - n);
}

struct sv sv_first(struct sv v, size_t n)
{
    return sv_of(v.p, n < v.n ? n : v.n);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct sv sv_trim(struct sv v)
{
    while (v.n && is_blank(v.p[0]))
        v = sv_skip(v, 1);
    while (v.n && is_blank(v.p[v.n - 1]))
        v.n--;
    return v;
}

struct sv sv_trim_end(struct sv v, char c)
{
    while (v.n && v.p[v.n - 1] == c)
        v.n--;
    return v;
}

ptrdiff_t sv_find(struct sv v, char c)
{
    const char *at = v.n ? memchr(v.p, c, v.n) : NULL;

    return at ? at - v.p : -1;
}

ptrdiff_t sv_rfind(struct sv v, char c)
{
    const char *at = v.n ? memrchr(v.p, c, v.n) : NULL;

    return at ? at - v.p : -1;
}

bool sv_cut(struct sv *rest, char c, struct sv *out)
{
    ptrdiff_t at = sv_find(*rest, c);

    if (at < 0) {
        *out = *rest;
        *rest = (struct sv){0};
        return out->p != NULL;
    }
    *out = sv_of(rest->p, (size_t)at);
    *rest = sv_of(rest->p + at + 1, rest->n - (size_t)at - 1);
    return true;
}

bool sv_i64(struct sv v, int64_t *out)
{
    bool negative = v.n && v.p[0] == '-';
    int64_t sum = 0;

    v = sv_skip(v, negative);
    if (v.n == 0)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        int digit = v.p[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_sub_overflow(sum, digit, &sum))
            return false;
    }
    if (!negative && __builtin_sub_overflow(0, sum, &sum))
        return false;
    *out = sum;
    return true;
}

uint64_t sv_hash(struct sv v)
{
    uint64_t hash = 0xcbf29ce484222325U ^ v.n, word;

    /* Eight bytes a step: tokens are long, and are looked up on each request. */
    for (; v.n >= sizeof(word); v = sv_of(v.p + sizeof(word), v.n - sizeof(word))) {
        memcpy(&word, v.p, sizeof(word));
        hash = (hash ^ word) * 0x9e3779b97f4a7c15U;
        hash ^= hash >> 32;
    }
    for (size_t i = 0; i < v.n; i++)
        hash = (hash ^ (unsigned char)v.p[i]) * 0x100000001b3U;
    return hash ^ hash >> 29;
}

/* The kernel gives each process sixteen random bytes. Nothing that leaves the process tells a hash,
 * so that the key serves for its whole life. */
static void hash_key(uint64_t key[2])
{
    union {
        unsigned long in;
        const void *out;
    } random = {.in = getauxval(AT_RANDOM)};

    key[0] = key[1] = 0;
    if (random.out)
        memcpy(key, random.out, 2 * sizeof(key[0]));
}

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

uint64_t sv_hash_keyed(struct sv v)
{
    uint64_t key[2], word, last = (uint64_t)v.n << 56;

    hash_key(key);
    uint64_t state[4] = {key[0] ^ 0x736f6d6570736575U, key[1] ^ 0x646f72616e646f6dU,
                         key[0] ^ 0x6c7967656e657261U, key[1] ^ 0x7465646279746573U};

    for (; v.n >= sizeof(word); v = sv_of(v.p + sizeof(word), v.n - sizeof(word))) {
        memcpy(&word, v.p, sizeof(word));
        sip_word(state, word);
    }
    for (size_t i = 0; i < v.n; i++)
        last |= (uint64_t)(unsigned char)v.p[i] << 8 * i;
    sip_word(state, last);
    state[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(state);
    return state[0] ^ state[1] ^ state[2] ^ state[3];
}

/* Of a character that begins with this byte; 0: none does. */
static size_t utf8_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc0 || first > 0xf4)
        return 0;
    return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

size_t sv_utf8(struct sv v, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = v.n ? utf8_length((unsigned char)v.p[0]) : 0;
    uint32_t c;

    if (length == 0 || length > v.n)
        return 0;
    c = (unsigned char)v.p[0] & (length == 1 ? 0x7fU : 0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if (((unsigned char)v.p[i] & 0xc0U) != 0x80)
            return 0;
        c = c << 6 | ((unsigned char)v.p[i] & 0x3fU);
    }
    if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *code = c;
    return length;
}

bool sv_is_utf8(struct sv v)
{
    uint32_t code;

    while (v.n) {
        size_t length = sv_utf8(v, &code);

        if (!length)
            return false;
        v = sv_skip(v, length);
    }
    return true;
}
