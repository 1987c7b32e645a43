/*
 * yaml.h - YAML 1.1 documents as JSON values, with the line of each; the only door to libyaml.
 *
 * Plain scalars become null, booleans, integers and numbers by the core schema that Kubernetes'
 * reader uses; quoted ones stay text. Aliases, tags other than the core ones, repeated keys and
 * keys that are no text are refused. JSON is YAML: a JSON manifest reads too.
 */
#ifndef WIRE_YAML_H
#define WIRE_YAML_H

#include "base/vec.h"
#include "wire/json.h"

struct yaml_doc {
    struct json *root;
    int line;                /* of the document's first node, from 1 */
    struct yaml_line *lines; /* opaque: path to line */
    size_t n_lines;
    struct sv prefix; /* of the root's path: "items[3]" of an item of a list; empty: a document */
};
struct yaml_docs VEC(struct yaml_doc);

/* Every document of the stream, empty ones left out. The error names the line. */
MUST_CHECK bool yaml_read(struct sv text, struct arena *a, struct yaml_docs *out, struct err *e);

/* The line of the value at a path below the root such as "spec.allowedLocations[1]", or of the
 * nearest thing above it that exists. */
int yaml_line(const struct yaml_doc *doc, struct sv path);

/* A value as YAML text in block style, keys in their order; yaml_read gives it back as it was. */
void yaml_write(struct buf *out, const struct json *v);

#endif
