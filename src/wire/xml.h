/*
 * xml.h - small XML documents as trees; the only door to expat.
 *
 * Namespaces are dropped: names are local names. DTDs and entities beyond the five are refused.
 */
#ifndef WIRE_XML_H
#define WIRE_XML_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct xml {
    struct sv name,
        text; /* text: all character data directly below, trimmed when it has children */
    struct xml *child, *next;
};

/* ERR_INVALID: not well-formed, or past LIMIT_XML_BYTES, LIMIT_XML_NODES, LIMIT_XML_DEPTH. */
MUST_CHECK bool xml_read(struct sv text, struct arena *a, struct xml **root, struct err *e);
/* The first element at a path of names below `x`, as "Role/Arn", or NULL. NULL in, NULL out. */
const struct xml *xml_find(const struct xml *x, struct sv path);
/* Its text, or empty. */
struct sv xml_text(const struct xml *x, struct sv path);
/* The next sibling of the same name, or NULL. */
const struct xml *xml_next(const struct xml *x);
/* Text with the five characters and CR escaped, so that it reads back as it is. */
void xml_escape(struct buf *out, struct sv v);

#endif
