/* avro.c - Avro object containers. */
#include "wire/avro.h"

#include "base/limits.h"
#include "wire/avro_schema.h"
#include "wire/gzip.h"
#include "wire/snappy.h"
#include "wire/zstd.h"

enum { SYNC_BYTES = 16, CHECKSUM_BYTES = 4, LAST_SHIFT = 63 };

static bool spoilt(struct err *e)
{
    (void)err_set(e, ERR_INVALID, "avro: cut short or spoilt");
    return false;
}

/* ---- values ---- */

/* Zigzag, in groups of seven bits, the lowest first. */
static bool take_long(struct sv *in, int64_t *out, struct err *e)
{
    uint64_t n = 0, byte = 0x80;

    for (unsigned shift = 0; byte & 0x80; shift += 7) {
        if (shift > LAST_SHIFT || !in->n)
            return spoilt(e);
        byte = (unsigned char)in->p[0];
        if (shift == LAST_SHIFT && byte > 1)
            return spoilt(e);
        n |= (byte & 0x7f) << shift;
        *in = sv_skip(*in, 1);
    }
    *out = (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
    return true;
}

static bool take_bytes(struct sv *in, size_t n, struct sv *out, struct err *e)
{
    if (n > in->n)
        return spoilt(e);
    *out = sv_first(*in, n);
    *in = sv_skip(*in, n);
    return true;
}

/* A length, and as many bytes. */
static bool take_text(struct sv *in, struct sv *out, struct err *e)
{
    int64_t n;

    if (!take_long(in, &n, e))
        return false;
    return n < 0 || (uint64_t)n > in->n ? spoilt(e) : take_bytes(in, (size_t)n, out, e);
}

/* A number from 0 up to `below`. */
static bool take_index(struct sv *in, size_t below, int64_t *out, struct err *e)
{
    return take_long(in, out, e) && ((*out >= 0 && (uint64_t)*out < below) || spoilt(e));
}

struct walk {
    struct sv *in;
    struct avro_member *members;
};

static bool walk(const struct walk *w, const struct avro_type *t, struct avro_member *to,
                 struct err *e);

static bool walk_item(const struct walk *w, const struct avro_type *t, struct err *e)
{
    struct sv key;

    return (t->kind == AVRO_ARRAY || take_text(w->in, &key, e)) &&
           walk(w, t->parts[0].type, NULL, e);
}

/* Blocks of elements, up to one of none; a count below zero is one whose size in bytes follows. */
static bool walk_items(const struct walk *w, const struct avro_type *t, struct err *e)
{
    int64_t count;

    while (take_long(w->in, &count, e)) {
        struct sv skipped;

        if (count == 0)
            return true;
        if (count < 0) {
            if (!take_text(w->in, &skipped, e))
                return false;
            continue;
        }
        for (; count; count--) {
            if (!walk_item(w, t, e))
                return false;
        }
    }
    return false;
}

static bool walk_record(const struct walk *w, const struct avro_type *t, struct err *e)
{
    for (size_t i = 0; i < t->n_parts; i++) {
        int wanted = t->parts[i].wanted;

        if (!walk(w, t->parts[i].type, wanted < 0 ? NULL : &w->members[wanted], e))
            return false;
    }
    return true;
}

static bool take_plain(const struct walk *w, const struct avro_type *t, struct avro_member *to,
                       struct err *e)
{
    to->is_there = t->kind != AVRO_NULL;
    switch (t->kind) {
    case AVRO_BYTES:
        return take_text(w->in, &to->text, e);
    case AVRO_FIXED:
        return take_bytes(w->in, t->size, &to->text, e);
    case AVRO_LONG:
        return take_long(w->in, &to->number, e);
    case AVRO_ENUM:
        return take_index(w->in, t->size, &to->number, e);
    case AVRO_BOOLEAN:
        if (!take_bytes(w->in, 1, &to->text, e) || (unsigned char)to->text.p[0] > 1)
            return spoilt(e);
        to->number = (unsigned char)to->text.p[0];
        return true;
    case AVRO_NULL:
    case AVRO_ARRAY:
    case AVRO_MAP:
    case AVRO_UNION:
    case AVRO_RECORD:
        break;
    }
    return true;
}

/* One value; what it says goes `to` a member when somebody asks for it. */
static bool walk(const struct walk *w, const struct avro_type *t, struct avro_member *to,
                 struct err *e)
{
    struct avro_member ignored = {0};
    int64_t branch;

    switch (t->kind) {
    case AVRO_UNION:
        return take_index(w->in, t->n_parts, &branch, e) && walk(w, t->parts[branch].type, to, e);
    case AVRO_RECORD:
        return walk_record(w, t, e);
    case AVRO_ARRAY:
    case AVRO_MAP:
        return walk_items(w, t, e);
    case AVRO_NULL:
    case AVRO_BOOLEAN:
    case AVRO_LONG:
    case AVRO_BYTES:
    case AVRO_FIXED:
    case AVRO_ENUM:
        break;
    }
    return take_plain(w, t, to ? to : &ignored, e);
}

/* ---- blocks ---- */

struct container {
    struct sv schema, codec, sync;
    const struct avro_type *type;
    const struct avro_ask *ask;
};

/* The block, and the checksum of what it unpacks to, its highest byte first. */
static bool unpack_snappy(struct sv packed, struct arena *a, struct sv *out, struct err *e)
{
    uint32_t sum = 0;

    if (packed.n < CHECKSUM_BYTES)
        return spoilt(e);
    for (size_t i = packed.n - CHECKSUM_BYTES; i < packed.n; i++)
        sum = sum << 8 | (unsigned char)packed.p[i];
    return snappy_read(sv_first(packed, packed.n - CHECKSUM_BYTES), LIMIT_AVRO_BLOCK_BYTES, a, out,
                       e) &&
           (crc32_of(*out) == sum || spoilt(e));
}

static bool unpack(const struct container *c, struct sv packed, struct arena *a, struct sv *out,
                   struct err *e)
{
    *out = packed;
    if (!c->codec.n || sv_eq(c->codec, SV("null")))
        return true;
    if (sv_eq(c->codec, SV("deflate")))
        return deflate_read(packed, LIMIT_AVRO_BLOCK_BYTES, a, out, e);
    if (sv_eq(c->codec, SV("snappy")))
        return unpack_snappy(packed, a, out, e);
    if (sv_eq(c->codec, SV("zstandard")))
        return zstd_read(packed, LIMIT_AVRO_BLOCK_BYTES, a, out, e);
    return err_set(e, ERR_INVALID, "avro: codec \"" SV_FMT "\" is not read here",
                   SV_ARG(sv_first(c->codec, 40)));
}

static void clear(const struct avro_ask *ask)
{
    for (size_t i = 0; i < ask->n; i++)
        ask->members[i] = (struct avro_member){.id = ask->members[i].id};
}

static bool read_records(const struct container *c, struct sv bytes, int64_t count, struct err *e)
{
    const struct walk w = {&bytes, c->ask->members};

    for (; count; count--) {
        clear(c->ask);
        if (!walk_record(&w, c->type, e) || !c->ask->visit(c->ask->members, c->ask->context, e))
            return false;
    }
    return !bytes.n || spoilt(e);
}

static bool read_block(const struct container *c, struct sv *in, struct err *e)
{
    auto_arena a = {0};
    struct sv packed, plain = {0}, sync;
    int64_t count;

    if (!take_long(in, &count, e) || !take_text(in, &packed, e) ||
        !take_bytes(in, SYNC_BYTES, &sync, e) || !unpack(c, packed, &a, &plain, e))
        return false;
    if (count < 0 || !sv_eq(sync, c->sync))
        return spoilt(e);
    return read_records(c, plain, count, e);
}

/* ---- the head ---- */

static bool take_entry(struct sv *in, struct container *c, struct err *e)
{
    struct sv key, value;

    if (!take_text(in, &key, e) || !take_text(in, &value, e))
        return false;
    if (sv_eq(key, SV("avro.schema")))
        c->schema = value;
    if (sv_eq(key, SV("avro.codec")))
        c->codec = value;
    return true;
}

/* A map in blocks, each byte of which has to be looked at: sizes are taken and not believed. */
static bool take_head(struct sv *in, struct container *c, struct err *e)
{
    int64_t count, size;

    do {
        if (!take_long(in, &count, e) || (count < 0 && !take_long(in, &size, e)))
            return false;
        for (int64_t i = count < 0 ? count : -count; i < 0; i++) {
            if (!take_entry(in, c, e))
                return false;
        }
    } while (count != 0);
    return take_bytes(in, SYNC_BYTES, &c->sync, e);
}

bool avro_each(struct sv file, const struct avro_ask *ask, struct err *e)
{
    static const struct sv magic = SV_INIT("Obj\x01");
    struct sv in = sv_skip(file, magic.n);
    struct container c = {.ask = ask};
    auto_arena a = {0};

    if (!sv_starts(file, magic))
        return err_set(e, ERR_INVALID, "avro: the bytes do not begin as it does");
    if (!take_head(&in, &c, e) || !avro_schema_read(c.schema, ask, &a, &c.type, e))
        return false;
    while (in.n) {
        if (!read_block(&c, &in, e))
            return false;
    }
    return true;
}
