/* json_scan.h - whether a text is strict JSON, before json-c reads it. */
#ifndef WIRE_JSON_SCAN_H
#define WIRE_JSON_SCAN_H

#include "base/err.h"
#include "base/sv.h"

/*
 * json_scan - check one value against RFC 8259, and nothing behind it.
 *
 * json-c is kinder than the standard even when it is told to be strict: it takes NaN, control
 * bytes in strings, a lone surrogate, a leading zero, and it cuts integers to fit. What it would
 * take two ways is refused here. `members` counts the members of all objects.
 */
MUST_CHECK bool json_scan(struct sv text, size_t *members, struct err *e);

#endif
