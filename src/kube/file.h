/* file.h - a small file, read whole, by its path each time: mounted files are swapped links. */
#ifndef KUBE_FILE_H
#define KUBE_FILE_H

#include "base/arena.h"
#include "base/err.h"

/* ERR_NOT_FOUND when there is none, ERR_INVALID past `max_bytes`, ERR_UNAVAILABLE else. */
MUST_CHECK bool file_read(struct sv path, size_t max_bytes, struct arena *a, struct sv *out,
                          struct err *e);
/* `path` itself when absolute, else below the folder that holds `beside`. */
struct sv file_resolve(struct arena *a, struct sv beside, struct sv path);

#endif
