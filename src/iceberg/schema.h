/* schema.h - schemas, partition specs and sort orders as JSON: ids, checks, equality. */
#ifndef ICEBERG_SCHEMA_H
#define ICEBERG_SCHEMA_H

#include "base/err.h"
#include "base/map.h"
#include "wire/json.h"

/* Well-formed: names, ids unique, types known to `format`, limits. `max_id` gets the highest field
 * id. */
MUST_CHECK bool schema_check(const struct json *schema, int format, int64_t *max_id, struct err *e);
/* The same where ids only tell the fields apart, in a table that is to be created and in a view:
 * some clients count them from 0. */
MUST_CHECK bool schema_check_draft(const struct json *schema, int format, struct err *e);
/* A copy whose field ids count from 1 in the reference's order (a whole level before what is below
 * it); `ids` maps the old id to the new one. */
struct json *schema_renumber(const struct json *schema, struct arena *a, struct map *ids,
                             int64_t *last_id);
/* What schemas share that have the same fields and identifier fields, whatever their ids. */
void schema_key(const struct json *schema, struct buf *out);
/* A place in a schema that has an id: a field, a list's element, a map's key or value. */
struct schema_field {
    int64_t id;
    const struct json *type;
    struct sv name;           /* of the nearest field */
    bool repeated;            /* it stands in a list or a map */
    const struct json *field; /* NULL: no field of a struct */
    int64_t parent;           /* the id of what it stands in; 0: the schema itself */
};
/* Visits all, from the top down; a false ends the walk and is its outcome. */
typedef bool schema_visit_fn(const struct schema_field *f, void *context, struct err *e);
MUST_CHECK bool schema_each(const struct json *schema, schema_visit_fn *visit, void *context,
                            struct err *e);

/* A schema's columns, for those who ask for many. */
struct columns {
    const struct json *schema;
    struct map by_id;   /* ids to struct schema_field, at every depth */
    struct map by_name; /* of the first level, to JSON */
};
struct columns columns_of(const struct json *schema, struct arena *a);

/* ---- layout.c ---- */

/* A new spec: names and field ids of its own, or no ids at all, and what spec_is_bound checks. */
MUST_CHECK bool spec_check(const struct json *spec, const struct columns *columns, struct err *e);
/* Of a file: names and, if they must be numbered, field ids of its own, transforms as the
 * specification spells them. */
MUST_CHECK bool spec_is_sound(const struct json *spec, bool are_numbered, struct err *e);
/* Each field stands on a column that its transform takes; void needs none, and a
 * transform that we do not know takes any. */
MUST_CHECK bool spec_is_bound(const struct json *spec, const struct columns *columns,
                              struct err *e);
/* A copy whose fields got ids from `*last_id` + 1 where they had none. Format 1 tells fields apart
 * by where they stand: theirs are 1000, 1001 and so on, or it is ERR_INVALID. */
MUST_CHECK bool spec_number(const struct json *spec, int format, struct arena *a, int64_t *last_id,
                            struct json **out, struct err *e);
/* The highest field-id of a spec; 0: there is none. */
int64_t spec_last_id(const struct json *spec);
/* The partition fields that a table has had: a field that comes again keeps its id, so that what
 * was written by two specs may be compared, and its id is never another's. */
struct spec_past {
    struct map ids;   /* to the first field of each */
    struct map uses;  /* source and transform to the last field */
    struct map other; /* id, source and transform, where they are not those of the first */
    bool known;
};
struct spec_past spec_past_of(const struct json *specs, struct arena *a);
void spec_past_add(struct spec_past *past, const struct json *spec);
/* Gives ids to the fields of a spec that have none and were there before. ERR_INVALID: an id is
 * that of another field. */
MUST_CHECK bool spec_continue(const struct spec_past *past, struct json *spec, struct arena *a,
                              struct err *e);
/* What specs share that have the same fields, whatever their ids. */
void spec_key(const struct json *spec, struct buf *out);
/* The first column that a field is made of; 0: none. */
int64_t field_source(const struct json *field);
/* Of a file: a direction and a null order for each field, spelt as in the specification. */
MUST_CHECK bool order_is_sound(const struct json *order, struct err *e);
MUST_CHECK bool order_check(const struct json *order, const struct columns *columns, struct err *e);
/* The same without the checks that only a new order must pass. */
MUST_CHECK bool order_is_bound(const struct json *order, const struct columns *columns,
                               struct err *e);
void order_key(const struct json *order, struct buf *out);
/* "source-id" and "source-ids" of each field by way of `ids`. */
struct json *fields_remap(const struct json *v, const struct map *ids, struct arena *a);

#endif
