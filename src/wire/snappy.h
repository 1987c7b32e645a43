/*
 * snappy.h - blocks packed by Snappy. Source: its format description, "format_description.txt".
 *
 * The library's package brings the C++ runtime and no pkg-config file; what is read here takes
 * fewer lines than a door to it.
 */
#ifndef WIRE_SNAPPY_H
#define WIRE_SNAPPY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sv.h"

/* ERR_INVALID: cut short, a copy from before the beginning, another length than it says, or more
 * than `most` bytes. */
MUST_CHECK bool snappy_read(struct sv packed, size_t most, struct arena *a, struct sv *out,
                            struct err *e);

#endif
