/* gzip.c - gzip to bytes and back. */
#include "wire/gzip.h"

#include <assert.h>
#include <limits.h>
#define ZLIB_CONST
#include <zlib.h>

#include "base/buf.h"

enum { GZIP_ONLY = 16 + MAX_WBITS, PIECE_BYTES = 64 * 1024, GOOD_ENOUGH = 6 };

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

bool gzip_read(struct sv packed, size_t most, struct arena *a, struct sv *out, struct err *e)
{
    z_stream z = {.next_in = (const Bytef *)packed.p};
    struct buf b = buf_new(a, most);
    int begun;
    bool ok;

    if (!gzip_is(packed) || packed.n > UINT_MAX)
        return err_set(e, ERR_INVALID, "gzip: the bytes do not begin as it does");
    z.avail_in = (uInt)packed.n;
    begun = inflateInit2(&z, GZIP_ONLY);
    assert(begun == Z_OK);
    ok = inflate_all(&z, &b, e);
    (void)inflateEnd(&z);
    if (ok)
        *out = buf_sv(&b);
    return ok;
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
