/*
 * keeper.h - threads with a connection each: queries run there, never on a loop. One writes, the
 * others read (SQLite in WAL mode; at PostgreSQL a second writer would only wait for the first).
 */
#ifndef STORE_KEEPER_H
#define STORE_KEEPER_H

#include "net/mailbox.h"
#include "store/store.h"

struct keepers;
/* All or none: what was started ends again when one cannot be. A database that is away only now is
 * no failure: keepers_trouble says why, and it is asked again with each use. */
MUST_CHECK bool keepers_start(struct sv url, unsigned readers, struct arena *a,
                              struct keepers **out, struct err *e);
/* What was wrong with the database when they started; ERR_NONE: nothing. */
const struct err *keepers_trouble(const struct keepers *k);
/* Ends after what was posted is done. */
void keepers_stop(struct keepers *k);

/* Posts `m`; its deliver runs on a keeper's thread with the `struct store *` as receiver, and posts
 * the outcome home itself. */
void keepers_read(struct keepers *k, struct message *m);
void keepers_write(struct keepers *k, struct message *m);

#endif
