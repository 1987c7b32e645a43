/* schema.h - schemas, partition specs and sort orders as JSON: ids, checks, equality. */
#ifndef ICEBERG_SCHEMA_H
#define ICEBERG_SCHEMA_H

#include "base/err.h"
#include "base/map.h"
#include "wire/json.h"

/* Well-formed: names, ids unique, types known to `format`, limits. `max_id` gets the highest field
 * id. */
MUST_CHECK bool schema_check(const struct json *schema, int format, struct arena *a,
                             int64_t *max_id, struct err *e);
/* A copy whose field ids count from 1 in the reference's order (a whole level before what is below
 * it); `ids` maps the old id's text to the new id. */
struct json *schema_renumber(const struct json *schema, struct arena *a, struct map *ids,
                             int64_t *last_id);
/* The same struct and identifier fields, whatever their schema-id. */
bool schema_same(const struct json *x, const struct json *y, struct arena *a);
/* Whether a field of that id exists anywhere in the schema. */
bool schema_has_field(const struct json *schema, int64_t id);

/* Partition specs. Fields get ids from `*last_id` + 1 where they have none; sources must be in
 * `schema`. */
MUST_CHECK bool spec_check(const struct json *spec, const struct json *schema, struct err *e);
struct json *spec_number(const struct json *spec, struct arena *a, int64_t *last_id);
bool spec_same(const struct json *x, const struct json *y);
MUST_CHECK bool order_check(const struct json *order, const struct json *schema, struct err *e);
bool order_same(const struct json *x, const struct json *y);
/* "source-id" of each field by way of `ids`. */
struct json *fields_remap(const struct json *v, const struct map *ids, struct arena *a);

#endif
