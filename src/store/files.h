/*
 * files.h - objects of storageType file: files of this machine. Blocking, on a keeper's thread.
 *
 * A path is "tmp/lake/t/metadata/x.json", from the root without its slash, as a location's key. No
 * part of it may be a symbolic link: what lies below a folder that was allowed could else be
 * anywhere. ERR_UNAVAILABLE: the file system cannot be used now.
 */
#ifndef STORE_FILES_H
#define STORE_FILES_H

#include "base/arena.h"
#include "base/err.h"

/* ERR_NOT_FOUND. More than `max_bytes`, or no plain file: ERR_INVALID, for it stays so. */
MUST_CHECK bool stored_file_read(struct sv path, size_t max_bytes, struct arena *a, struct sv *out,
                                 struct err *e);
/* Makes the folders above it. Never overwrites: ERR_CONFLICT. It is on the disk when this returns.
 */
MUST_CHECK bool stored_file_write(struct sv path, struct sv body, struct err *e);
/* What is gone already is no error. */
MUST_CHECK bool stored_file_remove(struct sv path, struct err *e);

#endif
