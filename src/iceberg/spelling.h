/*
 * spelling.h - what may be spelt in several ways, as the specification spells it.
 *
 * We read what Iceberg's Java library reads: "BUCKET[04]", "ASC", "decimal( 10 , 2 )". Other
 * readers take one spelling only, so that nothing else is written, and a file with another one is
 * not registered. What is not known is left as it is.
 */
#ifndef ICEBERG_SPELLING_H
#define ICEBERG_SPELLING_H

#include "base/err.h"
#include "wire/json.h"

/* Changes what it is given: the types of a schema; transforms, directions and null orders of a spec
 * or an order. */
void schema_spell(struct json *schema, struct arena *a);
void fields_spell(struct json *v, struct arena *a);
/* A property by which metadata files are written, else the value as it is. */
struct sv property_spelt(struct sv name, struct sv value, struct arena *a);
struct sv uuid_spelt(struct sv uuid, struct arena *a);

/* Of a file: ERR_INVALID says what stands there and how it is spelt. */
MUST_CHECK bool schema_is_spelt(const struct json *schema, struct err *e);
MUST_CHECK bool fields_are_spelt(const struct json *v, struct err *e);

#endif
