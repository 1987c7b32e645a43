/* hex.h - bytes as lower-case hexadecimal digits. */
#ifndef WIRE_HEX_H
#define WIRE_HEX_H

#include "base/arena.h"

struct sv hex_encode(struct arena *a, struct sv v);
/* Writes 2 * n digits to `out`, no NUL. */
void hex_write(char *out, const void *bytes, size_t n);

#endif
