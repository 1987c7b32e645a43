/* test_unpack.c - blocks packed by deflate, Snappy and Zstandard: what others packed is read, traps
 * are not. */
#include "base/buf.h"
#include "unit/suite.h"
#include "wire/gzip.h"
#include "wire/snappy.h"
#include "wire/zstd.h"

typedef bool unpack_fn(struct sv packed, size_t most, struct arena *a, struct sv *out,
                       struct err *e);

#define TEN    "aaaaaaaaaa"
#define HELLO  "hello, hello, hello!"
#define STORED "\x01\x02\x00\xfd\xffhi"

static const struct {
    const char *name;
    unpack_fn *unpack;
    struct sv packed, plain;
} good[] = {
    {"deflate, stored",                        deflate_read, SV_INIT(STORED),                                   SV_INIT("hi") },
    {"deflate",                                deflate_read, SV_INIT("\x4b\x84\x03\x00"),                       SV_INIT(TEN)  },
    {"deflate, as PyIceberg leaves it",        deflate_read, SV_INIT("\x4b\x84\x03\x00\x14\xe1\x03"),
     SV_INIT(TEN)                                                                                                             },
    {"snappy, empty",                          snappy_read,  SV_INIT("\x00"),                                   SV_INIT("")   },
    {"snappy, literal",                        snappy_read,  SV_INIT("\x02\x04hi"),                             SV_INIT("hi") },
    {"snappy, literal with its length behind", snappy_read,  SV_INIT("\x02\xf0\x01hi"),
     SV_INIT("hi")                                                                                                            },
    {"snappy, short copy",                     snappy_read,
     SV_INIT("\x0c\x0c"
             "abcd\x11\x04"),
     SV_INIT("abcdabcdabcd")                                                                                                  },
    {"snappy, copy",                           snappy_read,  SV_INIT("\x14\x18hello, \x2e\x07\x00\x00!"),       SV_INIT(HELLO)},
    {"snappy, copy that overlaps itself",      snappy_read,  SV_INIT("\x0a\x00\x61\x22\x01\x00"),
     SV_INIT(TEN)                                                                                                             },
    {"snappy, far copy",                       snappy_read,  SV_INIT("\x0a\x00\x61\x23\x01\x00\x00\x00"),       SV_INIT(TEN)  },
    {"zstd, stored",                           zstd_read,    SV_INIT("\x28\xb5\x2f\xfd\x20\x02\x11\x00\x00hi"), SV_INIT("hi") },
    {"zstd, one byte again and again",         zstd_read,
     SV_INIT("\x28\xb5\x2f\xfd\x20\x0a\x53\x00\x00\x61"),                                                       SV_INIT(TEN)  },
};

static void what_is_packed_is_read_to_the_byte_that_is_allowed(void)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        auto_arena a = {0};
        struct sv out = {0};
        struct err e = {0};

        CHECK_OK(good[i].unpack(good[i].packed, good[i].plain.n, &a, &out, &e), &e);
        CHECK(sv_eq(out, good[i].plain));
        if (good[i].plain.n)
            CHECK(!good[i].unpack(good[i].packed, good[i].plain.n - 1, &a, &out, &e));
    }
}

static void every_prefix_is_refused(void)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        size_t n = good[i].packed.n;

        /* The checksum is not asked for. */
        n = i == 2 ? good[1].packed.n : n;
        while (n--) {
            auto_arena a = {0};
            struct sv out;
            struct err e = {0};

            CHECK(!good[i].unpack(sv_first(good[i].packed, n), 1000, &a, &out, &e));
            CHECK_INT(e.code, ERR_INVALID);
        }
    }
}

static void traps_are_refused(void)
{
    static const struct {
        unpack_fn *unpack;
        struct sv packed;
    } bad[] = {
        {deflate_read, SV_INIT(STORED "12345")                           },
        {deflate_read, SV_INIT("\x07")                                   },
        {deflate_read, SV_INIT("")                                       },
        {snappy_read,  SV_INIT("\xff\xff\xff\xff\x0f\x00\x61")           },
        {snappy_read,  SV_INIT("\xff\xff\xff\xff\xff\x0f\x00\x61")       },
        {snappy_read,  SV_INIT("\x02\x01\x00")                           },
        {snappy_read,  SV_INIT("\x0a\x00\x61\x22\x02\x00")               },
        {snappy_read,  SV_INIT("\x0a\x00\x61\x22\x00\x00")               },
        {snappy_read,  SV_INIT("\x09\x00\x61\x22\x01\x00")               },
        {snappy_read,  SV_INIT("\x0b\x00\x61\x22\x01\x00")               },
        {snappy_read,  SV_INIT("\x02\xfc\xff\xff\xff\xffhi")             },
        {snappy_read,  SV_INIT("\x01\x04hi")                             },
        {zstd_read,    SV_INIT("hello")                                  },
        {zstd_read,    SV_INIT("\x28\xb5\x2f\xfd\x20\x02\x11\x00\x00hi?")},
        {zstd_read,    SV_INIT("\x28\xb5\x2f\xfd\x00\xf8\x11\x00\x00hi") },
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        auto_arena a = {0};
        struct sv out;
        struct err e = {0};

        CHECK(!bad[i].unpack(bad[i].packed, 1000, &a, &out, &e));
        CHECK_INT(e.code, ERR_INVALID);
    }
}

static void a_few_bytes_that_stand_for_many_take_no_more_memory_than_allowed(void)
{
    enum { MOST = 1024 * 1024 };
    auto_arena a = {0};
    struct buf b = buf_new(&a, (size_t)2 * MOST);
    struct sv out;
    struct err e = {0};

    /* 64 bytes for each three. */
    buf_add(&b, SV("\x81\x80\x80\x01\x00\x61"));
    for (size_t i = 0; i < 2 * MOST / 64; i++)
        buf_add(&b, SV("\xfe\x01\x00"));
    CHECK(!snappy_read(buf_sv(&b), MOST, &a, &out, &e));
    CHECK_INT(e.code, ERR_INVALID);
}

SUITE("wire/unpack", TEST(what_is_packed_is_read_to_the_byte_that_is_allowed),
      TEST(every_prefix_is_refused), TEST(traps_are_refused),
      TEST(a_few_bytes_that_stand_for_many_take_no_more_memory_than_allowed))
