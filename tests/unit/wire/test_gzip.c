/* test_gzip.c - what is packed comes back; what is a trap does not. */
#include "base/buf.h"
#include "unit/suite.h"
#include "wire/gzip.h"

/* "{}" as gzip(1) packs it with -n. */
static const struct sv packed_by_others = SV_INIT(
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00");

static enum err_code read_code(struct sv packed, size_t most, struct sv *out, struct arena *a)
{
    struct err e = {0};

    return gzip_read(packed, most, a, out, &e) ? ERR_NONE : e.code;
}

static void what_others_packed_is_read(void)
{
    auto_arena a = {0};
    struct sv out = {0};

    CHECK_INT(read_code(packed_by_others, 2, &out, &a), ERR_NONE);
    CHECK_SV(out, SV("{}"));
}

static void what_we_pack_comes_back_whatever_its_length(void)
{
    static const size_t lengths[] = {0, 1, 65535, 65536, 65537, 300000};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        auto_arena a = {0};
        struct buf b = buf_new(&a, lengths[i]);
        struct sv out = {0};

        for (size_t j = 0; j < lengths[i]; j++)
            buf_addc(&b, (char)(j * j >> 7));
        CHECK_INT(read_code(gzip_write(buf_sv(&b), &a), lengths[i], &out, &a), ERR_NONE);
        CHECK(sv_eq(out, buf_sv(&b)));
    }
}

static void several_members_are_one_text(void)
{
    auto_arena a = {0};
    struct sv one = gzip_write(SV("one "), &a), two = gzip_write(SV("two"), &a), out = {0};

    struct buf b = buf_new(&a, 1000);

    buf_add(&b, one);
    buf_add(&b, two);
    CHECK_INT(read_code(buf_sv(&b), 7, &out, &a), ERR_NONE);
    CHECK_SV(out, SV("one two"));
    CHECK_INT(read_code(buf_sv(&b), 6, &out, &a), ERR_INVALID);
}

/* A million zeros in about a thousand bytes, again and again: a hundred kilobytes for a hundred
 * million. */
static void a_bomb_is_refused_at_the_limit(void)
{
    auto_arena a = {0};
    size_t zeros = (size_t)1024 * 1024;
    struct sv one = gzip_write(sv_of(arena_array(&a, char, zeros), zeros), &a), out = {0};
    struct buf b = buf_new(&a, 1 << 20);

    for (int i = 0; i < 100; i++)
        buf_add(&b, one);
    NEED(!b.over);
    CHECK(b.n < 200000);
    CHECK_INT(read_code(buf_sv(&b), zeros - 1, &out, &a), ERR_INVALID);
    CHECK_INT(read_code(buf_sv(&b), 3 * zeros, &out, &a), ERR_INVALID);
    CHECK_INT(read_code(one, zeros, &out, &a), ERR_NONE);
}

static void what_is_cut_changed_or_followed_by_more_is_refused(void)
{
    auto_arena a = {0};
    struct sv out = {0};
    char *bytes = arena_array(&a, char, packed_by_others.n + 1);

    for (size_t n = 0; n < packed_by_others.n; n++)
        CHECK_INT(read_code(sv_first(packed_by_others, n), 100, &out, &a), ERR_INVALID);
    for (size_t i = 0; i < packed_by_others.n; i++) {
        /* "This is text", the time and the packer's system change nothing. */
        if (i >= 3 && i < 10)
            continue;
        memcpy(bytes, packed_by_others.p, packed_by_others.n);
        bytes[i] = (char)(bytes[i] ^ 0x01);
        CHECK_INT(read_code(sv_of(bytes, packed_by_others.n), 100, &out, &a), ERR_INVALID);
    }
    memcpy(bytes, packed_by_others.p, packed_by_others.n);
    bytes[packed_by_others.n] = 'x';
    CHECK_INT(read_code(sv_of(bytes, packed_by_others.n + 1), 100, &out, &a), ERR_INVALID);
}

SUITE("wire/gzip", TEST(what_others_packed_is_read),
      TEST(what_we_pack_comes_back_whatever_its_length), TEST(several_members_are_one_text),
      TEST(a_bomb_is_refused_at_the_limit),
      TEST(what_is_cut_changed_or_followed_by_more_is_refused))
