/*
 * zstd.h - Zstandard frames (RFC 8878) to bytes; the only door to libzstd.
 *
 * What is read may have been made by anybody: the reader is told how much at most, and a frame that
 * wants to be looked back at further than that is refused.
 */
#ifndef WIRE_ZSTD_H
#define WIRE_ZSTD_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sv.h"

/* All frames, one after the other. ERR_INVALID: none, cut short, spoilt, or more than `most`. */
MUST_CHECK bool zstd_read(struct sv packed, size_t most, struct arena *a, struct sv *out,
                          struct err *e);

#endif
