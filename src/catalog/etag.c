/* etag.c - tags of what a client holds already. */
#include "catalog/etag.h"

#include <inttypes.h>

#include "wire/hex.h"

enum { TAGS_READ = 16 }; /* of one If-None-Match: a client holds one, and each costs a seal */

void etag_add(struct buf *b, struct sv part)
{
    buf_addf(b, "%zu:" SV_FMT "\n", part.n, SV_ARG(part));
}

static struct sv tag_of(const struct sha256 *seal, int64_t until_ms, struct arena *a)
{
    return arena_printf(a, "\"%" PRId64 "." SV_FMT "\"", until_ms,
                        SV_ARG(hex_encode(a, sv_of((const char *)seal->b, sizeof(seal->b)))));
}

/* Without W/: what is compared. */
static struct sv opaque_tag(const struct rulebook *r, const struct etag_facts *f, int64_t until_ms,
                            struct arena *a)
{
    struct sv text =
        arena_printf(a, "etag\n%" PRId64 "\n%d\n" SV_FMT, until_ms, f->ends, SV_ARG(f->text));
    struct sha256 seal;
    struct err ignored = {0};

    if (!f->text.n || (until_ms != 0) != f->ends || !rulebook_seal(r, text, &seal, &ignored))
        return (struct sv){0};
    return tag_of(&seal, until_ms, a);
}

static struct sv weak(struct sv opaque, struct arena *a)
{
    return opaque.n ? arena_printf(a, "W/" SV_FMT, SV_ARG(opaque)) : opaque;
}

struct sv etag_make(const struct rulebook *r, const struct etag_facts *f, int64_t until_ms,
                    struct arena *a)
{
    return weak(opaque_tag(r, f, until_ms, a), a);
}

/* Its end as it says, before anything is believed. */
static bool read_until(struct sv tag, int64_t *out)
{
    struct sv rest = sv_skip(tag, 1), digits;

    return sv_starts(tag, SV("\"")) && sv_cut(&rest, '.', &digits) && rest.n && sv_i64(digits, out);
}

struct sv etag_find(const struct rulebook *r, const struct etag_facts *f, struct sv value,
                    int64_t now_ms, struct arena *a)
{
    struct sv tag;
    int64_t until_ms;

    if (sv_eq(sv_trim(value), SV("*")))
        return f->ends ? (struct sv){0} : etag_make(r, f, 0, a);
    for (int i = 0; i < TAGS_READ && sv_cut(&value, ',', &tag); i++) {
        tag = sv_trim(tag);
        if (sv_starts(tag, SV("W/")))
            tag = sv_skip(tag, 2);
        if (read_until(tag, &until_ms) && (!f->ends || now_ms < until_ms) &&
            sv_eq(tag, opaque_tag(r, f, until_ms, a)))
            return weak(tag, a);
    }
    return (struct sv){0};
}
