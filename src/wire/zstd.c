/* zstd.c - Zstandard frames to bytes. */
#include "wire/zstd.h"

#include <assert.h>
#include <zstd.h>

#include "base/buf.h"

/* How far back a frame may look is memory that it makes us take: 64 MB, as large as a block. */
enum { PIECE_BYTES = 64 * 1024, WINDOW_LOG = 26 };

static bool unpack_all(ZSTD_DCtx *z, ZSTD_inBuffer *in, struct buf *b, struct err *e)
{
    size_t left = 1;

    /* A frame is over at 0; output that did not fit waits for another turn. */
    while (in->pos < in->size || left) {
        char piece[PIECE_BYTES];
        ZSTD_outBuffer out = {piece, sizeof(piece), 0};
        size_t before = in->pos;

        left = ZSTD_decompressStream(z, &out, in);
        buf_add(b, sv_of(piece, out.pos));
        if (b->over)
            return err_set(e, ERR_INVALID, "zstd: more than %zu bytes when unpacked", b->max);
        if (ZSTD_isError(left))
            return err_set(e, ERR_INVALID, "zstd: %s", ZSTD_getErrorName(left));
        if (in->pos == before && !out.pos && left)
            return err_set(e, ERR_INVALID, "zstd: cut short");
    }
    return true;
}

bool zstd_read(struct sv packed, size_t most, struct arena *a, struct sv *out, struct err *e)
{
    ZSTD_DCtx *z = ZSTD_createDCtx();
    ZSTD_inBuffer in = {packed.n ? packed.p : "", packed.n, 0};
    struct buf b = buf_new(a, most);
    size_t set = z ? ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG) : 0;
    bool ok;

    assert(z && !ZSTD_isError(set));
    ok = unpack_all(z, &in, &b, e);
    (void)ZSTD_freeDCtx(z);
    if (ok)
        *out = buf_sv(&b);
    return ok;
}
