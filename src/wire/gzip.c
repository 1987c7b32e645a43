/* gzip.c - gzip to bytes and back, and what it is made of. */
#include "wire/gzip.h"

#include <assert.h>
#include <limits.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/buf.h"

enum {
    GZIP_ONLY = 16 + MAX_WBITS,
    BARE = -MAX_WBITS,
    PIECE_BYTES = 64 * 1024,
    GOOD_ENOUGH = 6,
    CHECKSUM_BYTES = 4
};

bool gzip_is(struct sv v)
{
    return v.n >= 2 && (unsigned char)v.p[0] == 0x1f && (unsigned char)v.p[1] == 0x8b;
}

/* One call's worth of output into `b`; `*code` is zlib's. */
static bool inflate_piece(z_stream *z, struct buf *b, int *code, struct err *e)
{
    unsigned char piece[PIECE_BYTES];

    z->next_out = piece;
    z->avail_out = sizeof(piece);
    *code = inflate(z, Z_NO_FLUSH);
    buf_add(b, sv_of((const char *)piece, sizeof(piece) - z->avail_out));
    if (b->over)
        return err_set(e, ERR_INVALID, "gzip: more than %zu bytes when unpacked", b->max);
    if (*code != Z_OK && *code != Z_STREAM_END)
        return err_set(e, ERR_INVALID, "gzip: %s", z->msg ? z->msg : "cut short");
    return true;
}

static bool inflate_all(z_stream *z, struct buf *b, struct err *e)
{
    int code = Z_OK;

    while (code != Z_STREAM_END || z->avail_in > 0) {
        if (code == Z_STREAM_END && inflateReset(z) != Z_OK)
            return err_set(e, ERR_INTERNAL, "gzip: zlib cannot begin again");
        if (!inflate_piece(z, b, &code, e))
            return false;
    }
    return true;
}

/* PyIceberg leaves three bytes of zlib's checksum behind each block. */
static bool inflate_one(z_stream *z, struct buf *b, struct err *e)
{
    int code = Z_OK;

    while (code != Z_STREAM_END) {
        if (!inflate_piece(z, b, &code, e))
            return false;
    }
    return z->avail_in <= CHECKSUM_BYTES ||
           err_set(e, ERR_INVALID, "deflate: %u bytes behind it", z->avail_in);
}

typedef bool inflate_fn(z_stream *z, struct buf *b, struct err *e);

static bool unpack(struct sv packed, int bits, inflate_fn *inflate_it, struct buf *b, struct err *e)
{
    z_stream z = {.next_in = (const Bytef *)packed.p, .avail_in = (uInt)packed.n};
    int begun = inflateInit2(&z, bits);
    bool ok;

    assert(begun == Z_OK && packed.n <= UINT_MAX);
    ok = inflate_it(&z, b, e);
    (void)inflateEnd(&z);
    return ok;
}

bool gzip_read(struct sv packed, size_t most, struct arena *a, struct sv *out, struct err *e)
{
    struct buf b = buf_new(a, most);

    if (!gzip_is(packed) || packed.n > UINT_MAX)
        return err_set(e, ERR_INVALID, "gzip: the bytes do not begin as it does");
    if (!unpack(packed, GZIP_ONLY, inflate_all, &b, e))
        return false;
    *out = buf_sv(&b);
    return true;
}

bool deflate_read(struct sv packed, size_t most, struct arena *a, struct sv *out, struct err *e)
{
    struct buf b = buf_new(a, most);

    if (!packed.n || packed.n > UINT_MAX)
        return err_set(e, ERR_INVALID, "deflate: %zu bytes", packed.n);
    if (!unpack(packed, BARE, inflate_one, &b, e))
        return false;
    *out = buf_sv(&b);
    return true;
}

uint32_t crc32_of(struct sv v)
{
    return (uint32_t)crc32_z(0, (const Bytef *)(v.n ? v.p : ""), v.n);
}

struct sv gzip_write(struct sv plain, struct arena *a)
{
    z_stream z = {.next_in = (const Bytef *)(plain.n ? plain.p : "")};
    int code = deflateInit2(&z, GOOD_ENOUGH, Z_DEFLATED, GZIP_ONLY, 8, Z_DEFAULT_STRATEGY);
    size_t bound = deflateBound(&z, plain.n);
    unsigned char *to = arena_array(a, unsigned char, bound);

    assert(code == Z_OK && plain.n <= UINT_MAX && bound <= UINT_MAX);
    z.avail_in = (uInt)plain.n;
    z.next_out = to;
    z.avail_out = (uInt)bound;
    code = deflate(&z, Z_FINISH);
    assert(code == Z_STREAM_END);
    (void)deflateEnd(&z);
    return sv_of((const char *)to, z.total_out);
}
