/*
 * gzip.h - gzip (RFC 1952) to bytes and back; the only door to zlib.
 *
 * What is read may have been made by anybody: a few bytes can stand for as much as one likes. So
 * the reader is told how much at most, and stops there.
 */
#ifndef WIRE_GZIP_H
#define WIRE_GZIP_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/sv.h"

/* Whether the bytes begin as gzip does; no JSON does. */
bool gzip_is(struct sv v);
/* All members, one after the other. ERR_INVALID: not gzip, cut short, a wrong checksum, something
 * behind it, or more than `most` bytes. */
MUST_CHECK bool gzip_read(struct sv packed, size_t most, struct arena *a, struct sv *out,
                          struct err *e);
struct sv gzip_write(struct sv plain, struct arena *a);
/* Deflate (RFC 1951) with nothing around it: one stream, and at most a checksum behind it, which is
 * not looked at. ERR_INVALID. */
MUST_CHECK bool deflate_read(struct sv packed, size_t most, struct arena *a, struct sv *out,
                             struct err *e);
/* CRC-32 as of gzip. */
uint32_t crc32_of(struct sv v);

#endif
