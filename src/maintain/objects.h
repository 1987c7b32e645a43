/*
 * objects.h - the files of one table, read and deleted with keys for its folders alone.
 *
 * Blocking, on one thread; several deletes are under way at once, and never more in a second than
 * LIMIT_PURGE_DELETES. A file outside the table's folders is never asked for: it is counted as
 * foreign, and passed over.
 */
#ifndef MAINTAIN_OBJECTS_H
#define MAINTAIN_OBJECTS_H

#include "base/world.h"
#include "net/http_client.h"
#include "policy/rulebook.h"

struct objects_place {
    const struct world *world;
    struct http_multi *http;
    const struct rule_catalog *catalog; /* its rulebook is held by the caller */
    struct location folders[8];
    size_t n_folders;
    struct session_words words; /* who asks, for the session's name and tags */
    /* Called again and again while there is something to wait for; false breaks off, with the
     * reason. */
    bool (*go_on)(void *context, struct err *e);
    /* Whether the rules have changed; then what follows from them, into a place as it was. */
    bool (*has_changed)(void *context);
    bool (*renew)(struct objects_place *p, void *context, struct err *e);
    void *context;
};

struct objects;
struct objects *objects_new(const struct objects_place *p, struct arena *a);

/* Within `a`, and not larger than LIMIT_MANIFEST_BYTES. ERR_NOT_FOUND: it is gone. ERR_DENIED: it
 * is foreign, or the store refuses. */
MUST_CHECK bool objects_read(struct objects *o, struct sv file, struct arena *a, struct sv *out,
                             struct err *e);
/* Begins to delete; what is gone already is fine. What fails is told by this or a later call, at
 * last by objects_settle. */
MUST_CHECK bool objects_delete(struct objects *o, struct sv file, struct err *e);
/* Waits until all that was begun has ended, well or not. */
MUST_CHECK bool objects_settle(struct objects *o, struct err *e);

/* For what is done without anything to wait for: whether it is still ours to do. */
MUST_CHECK bool objects_go_on(struct objects *o, struct err *e);

/* Between two files that name others: follows the rules in force, when they are new ones. */
MUST_CHECK bool objects_refresh(struct objects *o, struct err *e);

bool objects_is_foreign(const struct objects *o, struct sv file);
int64_t objects_deleted(const struct objects *o);
int64_t objects_foreign(const struct objects *o);

#endif
