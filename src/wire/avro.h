/*
 * avro.h - Avro object containers, as Iceberg's manifests are: chosen members of each record.
 *
 * The file's own schema says how its bytes are read; a member is found by the `field-id` that
 * Iceberg gives it, wherever in a record it stands, but not in lists and maps. Files are written by
 * whoever may write to the table: a schema that refers to itself, elements that take no bytes and
 * blocks that unpack to more than LIMIT_AVRO_BLOCK_BYTES are refused, nothing is allocated by a
 * length that the file states, and no more steps are taken than it has bytes. Codecs: null,
 * deflate, snappy, zstandard.
 *
 * Source: Apache Avro specification 1.11, "Object Container Files", "Binary Encoding".
 */
#ifndef WIRE_AVRO_H
#define WIRE_AVRO_H

#include "base/arena.h"
#include "base/err.h"
#include "base/sv.h"

struct avro_member {
    int id; /* the field-id, over 0 or 0 */

    /* Of the record at hand, until the visit returns. */
    bool is_there;  /* in the schema, and not null */
    struct sv text; /* of string, bytes, fixed */
    int64_t number; /* of int, long, boolean, enum (the index) */
};

/* False ends the reading and is its outcome. */
typedef bool avro_visit_fn(const struct avro_member *members, void *context, struct err *e);

struct avro_ask {
    struct avro_member *members;
    size_t n;
    avro_visit_fn *visit; /* for each record, in order */
    void *context;
};

/* ERR_INVALID: not a container, cut short, spoilt, or what is not read (see above). What was
 * visited before that was found stays visited. */
MUST_CHECK bool avro_each(struct sv file, const struct avro_ask *ask, struct err *e);

#endif
