/*
 * buf.h - a bounded builder of text (or bytes) that lives in an arena.
 *
 * A buffer is created with its maximum and refuses past it: the addition that would not fit is
 * dropped, `over` is set, and every later addition is dropped too, so one check at the end is
 * enough. The text is always valid and NUL-terminated.
 *
 *     struct buf b = buf_new(a, LIMIT_POLICY_BYTES);
 *     buf_add(&b, SV("{\"Version\":"));
 *     if (b.over) ...
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/arena.h"
#include "base/sv.h"

struct buf {
    char *p;
    size_t n, cap;
    size_t max; /* bytes, without the closing NUL */
    struct arena *arena;
    bool over; /* something did not fit */
};

struct buf buf_new(struct arena *a, size_t max_bytes);

void buf_add(struct buf *b, struct sv v);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_add_i64(struct buf *b, int64_t value);

/* What was built so far; valid until the next addition. */
struct sv buf_sv(const struct buf *b);
/* Forget the text, keep the memory, clear `over`. What goes is overwritten where the arena wipes,
 * here and below. */
void buf_clear(struct buf *b);
/* Drop the first `n` bytes. */
void buf_drop(struct buf *b, size_t n);

#endif
