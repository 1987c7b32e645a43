/*
 * decode.h - a spec read by a table: one row per field says its path, type, limits and where it
 * goes.
 */
#ifndef API_DECODE_H
#define API_DECODE_H

#include "api/resource.h"

enum field_type {
    FIELD_STR,        /* struct sv */
    FIELD_BOOL,       /* bool */
    FIELD_INT,        /* int */
    FIELD_ENUM,       /* int: the index of the word */
    FIELD_STRINGS,    /* struct sv_vec */
    FIELD_MAP,        /* struct tags */
    FIELD_JSON,       /* struct json *: any object */
    FIELD_OBJECT,     /* bool: whether it is there; its members have rows of their own */
    FIELD_OBJECTS,    /* a VEC of structs, by `items` */
    FIELD_PRIVILEGES, /* privilege_set: a list of their names */
};

struct field {
    const char *path; /* "trustPolicy.principals" */
    enum field_type type;
    bool required;
    bool required_within; /* where the object that it stands in is there */
    size_t offset;
    int64_t min, max;         /* of a number; of the length of text or a list (max 0: 2,048) */
    int64_t fallback;         /* number, enum index, bool */
    const char *const *words; /* of an enum, NULL-ended */
    const struct field *items;
    size_t n_items, item_size;
};

/* Where what is read goes, and what is said of it. */
struct decoding {
    struct arena *arena;
    struct complaints *complaints;
    struct sv prefix; /* of paths in complaints: "spec" */
    void *out;        /* the struct that the rows' offsets are in */
};

/* Fills d->out from `object`; what is wrong becomes complaints. */
void decode_fields(const struct json *object, const struct field *fields, size_t n,
                   const struct decoding *d);

/* The tables, and what they cannot say. */
struct kind_decoder {
    const struct field *fields;
    size_t n;
    /* Defaults that depend on other fields; rules across fields. */
    void (*finish)(struct resource *r, struct arena *a);
};
extern const struct kind_decoder decode_storage_integration, decode_catalog, decode_principal,
    decode_principal_role, decode_catalog_role;

#endif
