/*
 * etag.h - tags of what a client holds already, so that it need not be told again.
 *
 * A tag is W/"UNTIL.SEAL": Unix milliseconds past which it is worth nothing (0: it has no end), and
 * our own mark on that and on everything the answer followed from. Nothing is kept, any replica can
 * decide, and no tag can be made up or prolonged. Weak, because two answers of one tag may hold
 * different keys. Source: RFC 9110, section 13.1.2.
 */
#ifndef CATALOG_ETAG_H
#define CATALOG_ETAG_H

#include "policy/rulebook.h"

/* Everything that an answer follows from, but time. */
struct etag_facts {
    struct sv text; /* empty: the answer has no tag */
    bool ends;      /* it holds keys: a client that is told to go on with it must have them alive */
};

/* Adds a part to a text of facts, its length first: parts cannot run into each other. */
void etag_add(struct buf *b, struct sv part);
/* Empty while there is no key to seal with. `until_ms` is 0 exactly when the facts have no end. */
struct sv etag_make(const struct rulebook *r, const struct etag_facts *f, int64_t until_ms,
                    struct arena *a);
/*
 * The first of the tags in `value`, an If-None-Match, that is of these facts and not past its end;
 * empty: none is. Compared weakly. "*" says that something is held, not what: it is enough for an
 * answer that has no end, and for no other.
 */
struct sv etag_find(const struct rulebook *r, const struct etag_facts *f, struct sv value,
                    int64_t now_ms, struct arena *a);

#endif
