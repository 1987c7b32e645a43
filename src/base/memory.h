/*
 * memory.h - how much memory this process may have: what its control group, its own limits and the
 * machine leave it, whichever is least.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

#include "base/attr.h"
#include "base/sv.h"

size_t memory_limit(void);
/* So many sixteenths of `limit`, but at most `most`. */
size_t memory_part(size_t limit, unsigned sixteenths, size_t most);
/* The number in a control group's file; SIZE_MAX: no limit. For memory_limit, and its test. */
size_t memory_limit_read(struct sv text);

#endif
