/*
 * credentials.h - how one client proves itself now: what changes with time, and no lock.
 *
 * Each blocking client and each follower has its own; they share the immutable kube_config only.
 * The price: as many reads of a token file a minute as there are threads, and an exec plugin may
 * run once in each.
 */
#ifndef KUBE_CREDENTIALS_H
#define KUBE_CREDENTIALS_H

#include "kube/config.h"

struct credentials;
struct credentials *credentials_new(const struct kube_config *c, struct arena *a);

/*
 * Adds the headers that prove us to `h` and fills `tls`, both copied into `a`, which should wipe.
 *
 * Files are read again when they were read a minute ago; one that has become empty or unreadable
 * leaves the last good content in force. A plugin runs when its last answer has expired: this may
 * block for LIMIT_EXEC_PLUGIN_MS.
 */
MUST_CHECK bool credentials_use(struct credentials *c, struct arena *a, struct http_headers *h,
                                struct http_tls *tls, struct err *e);
/* The server said 401: the next use reads everything anew. False when nothing can change. */
bool credentials_refused(struct credentials *c);

enum { CREDENTIALS_FILE_MS = 60 * 1000, CREDENTIALS_LEEWAY_MS = 10 * 1000 };

#endif
