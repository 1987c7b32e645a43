/*
 * reflect_tell.h - what a reflector tells its listener, and what it remembers of that.
 */
#ifndef KUBE_REFLECT_TELL_H
#define KUBE_REFLECT_TELL_H

#include "kube/reflector.h"

/* Once per change of reason. */
void reflect_failed(struct reflector *r, const struct err *why);
void reflect_synced(struct reflector *r);

/* The object exists; told unless it was in this version. False: too many objects. */
MUST_CHECK bool reflect_applied(struct reflector *r, const struct json *object, struct arena *a,
                                struct err *e);
/* The object is gone; told when it was known. */
void reflect_deleted(struct reflector *r, const struct json *object, struct arena *a);
/* All that exists was told, as of `version`: what was not seen is gone. */
void reflect_complete(struct reflector *r, struct sv version);

struct sv reflect_version_of(const struct json *object);
/* Where to resume; an empty one changes nothing. */
void reflect_version(struct reflector *r, struct sv version);

#endif
