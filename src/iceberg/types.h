/*
 * types.h - the types of columns as they are written, and the values that a column may begin with.
 *
 * Source: Iceberg table spec, "Schemas and Data Types" and "JSON single-value serialization".
 */
#ifndef ICEBERG_TYPES_H
#define ICEBERG_TYPES_H

#include "base/err.h"
#include "wire/json.h"

/* Whether it is a primitive type, and the first format that has it. */
bool type_is_primitive(struct sv type, int *needs_format);
/* "decimal(9, 2)", blanks around the numbers; no more than 38 digits. */
bool type_decimal(struct sv type, int64_t *precision, int64_t *scale);
/* "fixed[16]", blanks around the number. */
bool type_fixed(struct sv type, int64_t *length);
/* "9c12d441-03fe-4693-9a96-a0705ddf69c1", in either case. */
bool text_is_uuid(struct sv text);
/* Whether a column of that type may have `value` for a default. Null is no value. */
bool type_takes(const struct json *type, const struct json *value);

#endif
