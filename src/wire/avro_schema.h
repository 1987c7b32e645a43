/* avro_schema.h - the schema of a container, compiled; shared by avro.c and avro_schema.c only. */
#ifndef WIRE_AVRO_SCHEMA_H
#define WIRE_AVRO_SCHEMA_H

#include "wire/avro.h"

enum avro_kind {
    AVRO_NULL,
    AVRO_BOOLEAN,
    AVRO_LONG,  /* and int */
    AVRO_BYTES, /* and string */
    AVRO_FIXED, /* and float and double, which are four and eight bytes */
    AVRO_ENUM,
    AVRO_ARRAY,
    AVRO_MAP,
    AVRO_UNION,
    AVRO_RECORD
};

struct avro_part {
    const struct avro_type *type;
    int wanted; /* index of the member that it is; -1: nobody asks for it */
};

struct avro_type {
    enum avro_kind kind;
    size_t size;             /* of fixed; how many symbols an enum has */
    struct avro_part *parts; /* fields of a record, branches of a union, the items of the others */
    size_t n_parts;
    size_t least; /* bytes that a value takes at least */
    int depth;    /* of types below it */
};

/* Asked members are looked for by their ids. All of it is in `a`. */
MUST_CHECK bool avro_schema_read(struct sv text, const struct avro_ask *ask, struct arena *a,
                                 const struct avro_type **out, struct err *e);

#endif
