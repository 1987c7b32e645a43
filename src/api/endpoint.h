/*
 * endpoint.h - the address of a store: which forms are taken, and whether two are one store.
 */
#ifndef API_ENDPOINT_H
#define API_ENDPOINT_H

#include "base/arena.h"

/* "http://HOST[:PORT]" or "https://HOST[:PORT]", with one '/' at most behind. HOST is letters,
 * digits, '-', '_' and '.', or an IPv6 address in brackets: what a client would have to decode or
 * translate first could be another host to another client. */
bool endpoint_is_valid(struct sv url);

/*
 * One spelling for each store: equal texts are the same store.
 *
 * Case, scheme with its usual port, a closing dot or slash, the forms of IPv4 and IPv6 addresses
 * and the names of this machine do not count. AWS is one store, whatever the region: its buckets
 * share their names. Two names that DNS leads to one address are two stores here. A text that is
 * not valid stands for itself.
 */
struct sv endpoint_identity(struct sv url, struct arena *a);

/* A region of AWS or of Ceph: letters, digits, '-' and '_', neither of them at an end. It becomes a
 * part of host names. */
bool region_is_valid(struct sv region);

#endif
