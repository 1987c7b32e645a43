/* files.h - manifests on disk: listed, read, replaced whole. */
#ifndef CONTROL_FILES_H
#define CONTROL_FILES_H

#include "wire/yaml.h"

/* "*.yaml", "*.yml", "*.json", not hidden. */
bool file_is_manifest(struct sv name);
bool manifest_exists(struct sv path);
void file_remove(struct sv path);
/* Paths of the manifests directly in a folder, sorted, and of its sub-folders that hold some. */
bool file_list(struct sv folder, struct arena *a, struct sv_vec *files, struct sv_vec *folders,
               struct err *e);
/* All objects of a text or a file, as manifests_flatten has them. The error does not name the
 * file. */
MUST_CHECK bool file_documents(struct sv text, struct arena *a, struct yaml_docs *out,
                               struct err *e);
/* The objects of a file: our kinds, and Secrets; each with a kind and a name. Another product's are
 * left out; one that is meant for us and wrong is an error. */
MUST_CHECK bool file_manifests(struct sv path, struct arena *a, struct yaml_docs *out,
                               struct err *e);
/* A plain file; the error does not name it. */
MUST_CHECK bool manifest_read(struct sv path, size_t max_bytes, struct arena *a, struct sv *out,
                              struct err *e);
/* Written beside, made durable, renamed over; readable by the owner alone. */
MUST_CHECK bool file_replace(struct sv path, struct sv text, struct err *e);
MUST_CHECK bool folder_make(struct sv path, struct err *e);

#endif
